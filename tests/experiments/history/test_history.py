"""Results over time: their order, what can be compared, what changed, and how far a gap may have grown."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import pytest
from synthetic_experiments import HISTORIES, changing, dated
from synthetic_results import gap_of, synthetic, with_everything

import kanspice
from kanspice.base.errors import InputError
from kanspice.experiments.history import HistoryEntry, history_json, history_of, plots, wording
from kanspice.experiments.verify.document import to_json
from kanspice.gap import Measurements, metric_values
from kanspice.gap.metric_table import BY_NAME, FURTHER, Need
from kanspice.report.figures import BLUE


def gap(day, relative, **changes):
    return dated(day, synthetic(), gap=gap_of(relative), numerical=None, limits=(), **changes)


def names(found):
    return [entry.name for entry in found.entries]


def test_the_order_is_that_of_dates_and_of_the_command_line_where_one_is_missing():
    found = history_of([gap(3, 0.1), gap(1, 0.2), gap(2, 0.3)])
    assert (found.by_date, names(found)) == (True, ["change-1", "change-2", "change-3"])
    undated = history_of([gap(3, 0.1), HistoryEntry("old", synthetic()), gap(1, 0.3)])
    assert (undated.by_date, names(undated)) == (False, ["change-3", "old", "change-1"])
    warning = wording.remarks(undated)[0]
    assert warning.warning
    assert "the order is that in which reports were given: old without a date" in warning.text
    assert not wording.remarks(found)[0].warning


def test_results_of_one_moment_stay_in_the_order_given():
    found = history_of([HistoryEntry(name, gap(1, 0.1).result) for name in "bac"])
    assert names(found) == ["b", "a", "c"]
    assert "those of one second are in the order given" in wording.remarks(found)[0].text


def test_a_date_that_is_yet_to_come_is_a_warning():
    late = HistoryEntry("late", replace(gap(1, 0.1).result, date="9999-01-01T00:00:00Z"))
    found = history_of([late, gap(1, 0.2)])
    assert found.last.name == "late"
    assert "dates that are yet to come, and stand last: late" in [remark.text for remark in wording.remarks(found)]


def test_families_are_not_mixed():
    other = replace(synthetic(), model=replace(synthetic().model, family="phykan"))
    with pytest.raises(InputError, match="several families") as caught:
        history_of([gap(1, 0.1), dated(2, other)])
    assert "kanalogue (change-1), phykan (change-2)" in str(caught.value)


def test_other_samples_break_a_history_and_another_network_is_said():
    found = HISTORIES["changes"]()
    assert found.stretches == (range(3), range(3, 6))
    assert [wording.growth(found.step_to(place)) for place in range(6)] == ["", "same", "+100 %", "-", "-", "-"]
    said = " ".join(remark.text for remark in wording.remarks(found) if remark.warning)
    assert "change-9 cannot be compared with the report before it: other samples: 50 before, 20 after" in said
    assert "another network (checkpoint) than in the report before: change-12" in said
    assert "not measured: change-11" in said
    assert [wording.changed(found.step_to(place)) for place in range(6)] == [
        *("", "versions", "technology, versions", "samples, technology", "nothing", "network")
    ]
    assert (
        "in the last 3 with the same samples (of 2 networks) it is the same; 1 of them without one"
        in wording.headline(found).text
    )


def labelled(day, accuracy, answers):
    return gap(day, 0.1, accuracy=accuracy and {"reference": 1.0, "circuit": accuracy}, answers_sha256=answers)


def test_accuracies_by_other_labels_are_not_compared():
    found = history_of([labelled(1, 0.9, "a"), labelled(2, 0.8, "b"), labelled(3, 0.7, "b")], ["accuracy"])
    assert (found.stretches, found.stretches_of("accuracy")) == ((range(3),), (range(1), range(1, 3)))
    said = wording.headline(found).text
    assert said.endswith("in the last 2 with the same true answers it is between 70.0 % and 80.0 %")
    assert wording.highlights(found).shown[0].figure == "80.0 % → 70.0 %"
    assert wording.changed(found.step_to(1)) == "answers"
    warnings = [remark.text for remark in wording.remarks(found) if remark.warning]
    assert warnings == ["other true answers (labels or targets) than in the report before: change-2"]
    assert wording.growth(found.step_to(1)) == "same"
    alone = history_of([labelled(1, 0.9, "a"), labelled(2, 0.8, "b")], ["accuracy"])
    assert "the report before it has not the same true answers" in wording.headline(alone).text
    old = history_of([labelled(1, 0.9, None), labelled(2, 0.8, "b")], ["accuracy"])
    assert old.stretches_of("accuracy") == (range(2),)


def test_a_last_report_without_the_metric_is_said():
    found = history_of([labelled(1, 0.9, "a"), labelled(2, 0.8, "a"), labelled(3, None, None)], ["accuracy"])
    assert wording.headline(found).text == "the last of 3 reports has no accuracy: change-3"
    assert wording.highlights(found).shown[0].said.text.endswith("of 2 that have one; better larger")


def test_a_last_result_that_nothing_can_be_compared_with_is_a_warning():
    found = history_of(changing()[:4])
    assert wording.headline(found).warning
    assert "the report before it has not the same samples" in wording.headline(found).text


@pytest.mark.parametrize(
    ("gaps", "allowed", "code"),
    [
        ([0.1, 0.5, 0.52], 0.1, 0),
        ([0.1, 0.1, 0.12], 0.1, 1),
        ([0.5, 0.1, 0.05], 0.0, 0),
        ([0.1, 0.5], None, 0),
    ],
)
def test_growth_is_that_of_the_last_since_the_one_before_it(gaps, allowed, code):
    found = history_of([gap(day, each) for day, each in enumerate(gaps, 1)], max_growth=allowed)
    assert (found.exit_code, found.passed) == (code, code == 0)
    if allowed is not None:
        assert found.limit.value == pytest.approx(max(0.0, gaps[-1] / gaps[-2] - 1))
    assert all(check.problem is None for check in found.page().checks) == (code == 0)


def test_growth_between_other_samples_is_not_known():
    found = HISTORIES["not comparable"]()
    assert found.exit_code == 3
    assert math.isnan(found.limit.value)
    assert json.loads(history_json(found))["limit"]["value"] is None


def test_metrics_are_those_that_limits_know():
    """The same figures as when they were measured, by their names; and those that some result has."""
    result = with_everything(synthetic())
    found = history_of([dated(1, result)])
    assert found.metrics == ("relative_rmse", "accuracy")
    measured = metric_values(
        Measurements(result.outputs, result.reference, result.outputs[:, 0] == result.outputs[:, 0], result.gap,
                     result.numerical, result.unstable_fraction)
    )  # fmt: skip
    ours = {name: value for name, value in measured.items() if BY_NAME[name].needs is Need.NOTHING}
    assert {name: result.values[name] for name in ours} == ours
    assert result.values["accuracy_drop"] == pytest.approx(0.02)
    assert result.values["l2.crossbar.relative_rmse"] == 0.01
    assert not {metric.name for metric in FURTHER} & set(result.values)
    with pytest.raises(InputError, match="no report has a metric 'loss'"):
        history_of([dated(1, result)], ["loss"])


def test_a_picture_has_the_values_limits_and_breaks():
    found = HISTORIES["changes"]()
    (axes,) = plots.course(found, "accuracy").axes
    lines = {line.get_label(): line for line in axes.get_lines()}
    assert list(lines["measured"].get_ydata()) == [96.0] * 4
    assert list(lines["measured"].get_xdata()) == [0, 1, 2, 3]
    assert list(lines["a limit not kept"].get_xdata()) == [5]
    assert list(lines["not measured"].get_xdata()) == [4]
    assert list(lines["other samples"].get_xdata()) == [2.5, 2.5]
    assert list(lines["another network"].get_xdata()) == [4.5, 4.5]
    (limit,) = axes.patches
    assert list(limit.get_data().values) == [90.0] * 6
    joined = [tuple(line.get_xdata()) for line in axes.get_lines() if line.get_color() == BLUE]
    assert joined == [(0, 1), (1, 2), (0, 1, 2, 3)]  # not where samples are others, nor to what was not measured


def test_the_function_takes_files_and_results(tmp_path):
    for day in (2, 1):
        (tmp_path / f"{day}").mkdir()
        (tmp_path / f"{day}" / "gap.json").write_text(to_json(gap(day, 0.1).result))
    paths = [tmp_path / "2" / "gap.json", tmp_path / "1" / "gap.json"]
    found = kanspice.history([*paths, gap(3, 0.2).result], max_growth="50%")
    assert names(found) == [str(paths[1]), str(paths[0]), "result 3"]
    assert found.exit_code == 1
    columns = found.columns()
    assert columns["relative_rmse"] == [0.1, 0.1, 0.2]
    assert len({len(column) for column in columns.values()}) == 1
    with pytest.raises(InputError, match="no history"):
        kanspice.history([])
