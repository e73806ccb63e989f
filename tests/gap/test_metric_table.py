"""The table of metrics: what each needs, is, and may be off by; and that one record is enough for every report."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from rendered import printed, to_html, to_markdown
from synthetic_results import synthetic

from kanspice.base.errors import InputError
from kanspice.experiments.compare import Comparison, comparison_json
from kanspice.experiments.verify.document import to_json
from kanspice.experiments.verify.reading import read_report
from kanspice.gap import ChipSamples, Doubt, Limit, Measurements, NumericalGap, Variation, check_limits, compare, given
from kanspice.gap.judging import judged, unresolved
from kanspice.gap.metric_table import BY_NAME, METRICS, Need, limitable, metric_values

DOCS = Path(__file__).parents[2] / "docs"
DRAWN = np.random.default_rng(8)
NETWORK, TARGETS = DRAWN.normal(size=(2, 40, 3))
EVERYTHING = given(labels=True, targets=True, generates=True, projected=True)


def measurements(outputs, solved=None, **options):
    solved = np.ones(len(outputs), dtype=bool) if solved is None else solved
    gap = compare(outputs, NETWORK, solved)
    return Measurements(outputs, NETWORK, solved, gap, None, 0.0, **options)


def test_every_metric_has_a_name_of_its_own_and_is_explained():
    page = (DOCS / "gap-metrics.md").read_text()
    assert len(BY_NAME) == len(METRICS)
    assert [metric.name for metric in METRICS if f"| `{metric.name}` |" not in page] == []


def test_values_come_in_the_order_of_the_table_and_only_where_there_is_what_they_need():
    labels, whole = np.zeros(40, dtype=np.int64), np.ones(40, dtype=bool)
    chip = ChipSamples(TARGETS, NETWORK, NETWORK, whole, 1.0).gaps(labels)
    given_too = {"labels": labels, "from_learnt": compare(NETWORK, TARGETS), "chip": chip}
    everything = measurements(NETWORK, targets=TARGETS, generates=True, **given_too)
    assert metric_values(everything)["learnt_relative_rmse"] == compare(NETWORK, TARGETS).relative_rmse
    assert list(metric_values(everything)) == [metric.name for metric in METRICS]
    assert metric_values(everything)["chip_unexplained"] == 1
    bare = metric_values(measurements(NETWORK))
    assert [name for name in bare if BY_NAME[name].needs not in (Need.NOTHING, Need.LABELS)] == []
    assert (bare["accuracy"], bare["accuracy_drop"]) == (None, None)


def test_the_loss_is_the_circuits_and_its_increase_is_over_what_the_network_has():
    outputs = NETWORK + 0.5
    values = metric_values(measurements(outputs, targets=TARGETS))
    assert values["loss"] == pytest.approx(np.mean((outputs - TARGETS) ** 2))
    assert values["loss_increase"] == pytest.approx(np.mean((outputs - TARGETS) ** 2 - (NETWORK - TARGETS) ** 2))


def test_a_sample_that_failed_is_on_neither_side_of_the_increase():
    """A sample that the network is far off at is no gain of a circuit that has no answer there."""
    targets = TARGETS.copy()
    targets[0] += 1000
    solved = np.arange(40) > 0
    outputs = np.where(solved[:, None], NETWORK, np.nan)
    found = measurements(outputs, solved, targets=targets)
    assert metric_values(found)["loss_increase"] == 0.0
    assert found.loss["circuit"] < found.loss["reference"] / 1000


def test_nothing_solved_is_no_loss():
    nothing = np.zeros(40, dtype=bool)
    values = metric_values(measurements(np.full_like(NETWORK, np.nan), nothing, targets=TARGETS))
    assert math.isnan(values["loss"])
    assert math.isnan(values["loss_increase"])


@pytest.mark.parametrize("size", [1e-6, 1e-2, 1.0])
@pytest.mark.parametrize("metric", ["loss", "loss_increase"])
def test_no_error_of_that_size_moves_a_loss_by_more_than_is_allowed_for(metric, size):
    outputs = NETWORK + 0.1
    worst = (outputs - TARGETS) / np.sqrt(np.mean((outputs - TARGETS) ** 2))
    before = measurements(outputs, targets=TARGETS)
    doubt = Doubt(before.gap, NumericalGap(40, size, size, size), None, Variation(1.0, 2.0), before.loss)
    allowed = BY_NAME[metric].error(doubt)
    for error in (size * worst, -size * worst, size * np.ones_like(worst)):
        moved = metric_values(measurements(outputs + error, targets=TARGETS))[metric] - metric_values(before)[metric]
        assert abs(moved) <= allowed * (1 + 1e-9)
    moved = metric_values(measurements(outputs + size * worst, targets=TARGETS))[metric] - metric_values(before)[metric]
    if before.loss["circuit"] >= before.loss["reference"]:
        assert moved == pytest.approx(allowed, rel=1e-6)


@pytest.mark.parametrize(("largest", "kept"), [(1e-2, True), (1e-5, False)])
def test_a_limit_on_a_loss_below_what_numerical_error_does_to_it_is_not_resolved(largest, kept):
    found = measurements(NETWORK + 1.0, targets=TARGETS)
    doubt = Doubt(found.gap, NumericalGap(40, 1e-4, 1e-4, 1e-4), None, Variation(1.0, 2.0), found.loss)
    why = unresolved(doubt, [Limit("loss_increase", 1e-9, largest)], solved=True)
    assert why == () if kept else "the limit on loss_increase" in why[0]


@pytest.mark.parametrize(
    ("metric", "there", "message"),
    [
        ("loss", given(labels=True, targets=False, generates=False), "a loss needs true answers"),
        ("loss_increase", given(labels=True, targets=False, generates=False), "a loss needs true answers"),
        ("accuracy_drop", given(labels=False, targets=True, generates=False), "an accuracy needs labels"),
        ("accuracy", given(labels=False, targets=True, generates=False), "an accuracy needs labels"),
        ("energy_distance_noise", EVERYTHING, "unknown metric 'energy_distance_noise'"),
        ("energy_distance", given(labels=True, targets=True, generates=False), "unknown metric 'energy_distance'"),
        ("l2.crossbar.relative_rmse", EVERYTHING, "unknown metric 'l2.crossbar.relative_rmse'"),
    ],
)
def test_limits_on_what_there_is_not(metric, there, message):
    with pytest.raises(InputError, match=message):
        check_limits([(metric, 1.0)], there, "the limits", ["l1.crossbar"])


def test_limits_on_what_there_is():
    names = limitable(EVERYTHING, ["l1.crossbar"])
    assert "l1.crossbar.relative_rmse" in names
    assert {"loss", "loss_increase"} < set(names)
    check_limits([(name, 1.0) for name in names], EVERYTHING, "the limits", ["l1.crossbar"])


# --- reports ---

LOSS = {"reference": 0.25, "circuit": 0.375}


@pytest.fixture
def regression():
    return replace(synthetic(outputs=1), loss=LOSS, metrics={"loss_increase": 0.125})


@pytest.mark.slow
def test_every_report_of_a_run_has_it(regression):
    for text in (printed(regression), to_html(regression), to_markdown(regression)):
        assert "increase of the loss" in text
        assert "0.125 squared model units" in text


def test_a_report_that_is_read_keeps_it_and_a_comparison_has_it(regression, tmp_path):
    (tmp_path / "gap.json").write_text(to_json(regression))
    again = read_report(tmp_path / "gap.json")
    assert again.metrics == regression.metrics
    found = Comparison(again, replace(regression, metrics={"loss_increase": 0.25}))
    (pair,) = (pair for pair in found.pairs if pair.name == "loss_increase")
    assert (pair.before, pair.after, pair.growth) == (0.125, 0.25, 1.0)
    assert '"loss_increase"' in comparison_json(found)


def test_a_metric_of_another_version_is_shown_by_its_name(regression, tmp_path):
    (tmp_path / "gap.json").write_text(to_json(replace(regression, metrics={"<new>": None})))
    again = read_report(tmp_path / "gap.json")
    assert "&lt;new&gt;" in to_html(again)
    assert "<new>" not in to_markdown(again)


def test_a_minimum_is_kept_by_what_reaches_it_and_samples_without_a_result_count_against_it():
    labels = NETWORK.argmax(axis=1)
    solved = np.arange(40) >= 4
    outputs = np.where(solved[:, None], NETWORK, np.nan)
    values = metric_values(measurements(outputs, solved, labels=labels))
    assert (values["accuracy"], values["argmax_agreement"]) == (0.9, 0.9)
    limits = judged([("accuracy", 0.9), ("argmax_agreement", 0.91), ("accuracy_drop", 0.1)], values)
    assert [limit.passed for limit in limits] == [True, False, True]
    assert [(limit.min, limit.max) for limit in limits] == [(0.9, None), (0.91, None), (None, 0.1)]


def test_a_minimum_of_what_was_not_measured_is_not_reached():
    (limit,) = judged([("accuracy", 0.0)], {"accuracy": None})
    assert math.isnan(limit.value)
    assert not limit.passed


def test_a_minimum_is_told_in_its_own_words_everywhere():
    below = replace(synthetic(), limits=(Limit("accuracy", 0.875, min=0.9), Limit("accuracy", 0.875, min=0.8)))
    assert below.exit_code == 1
    assert "NOT REACHED  accuracy 0.875, at least 0.9" in printed(below)
    assert "FAILED: of 2 limits, 1 not reached" in printed(below)
    assert "| <code>accuracy</code> | 0.875 | at least 0.9 | **NOT REACHED** |" in to_markdown(below)
    assert "<td>at least 0.9</td>" in to_html(below)
    both = replace(below, limits=(*below.limits, Limit("rmse", 2.0, 1.0)))
    assert "FAILED: of 3 limits, 1 exceeded and 1 not reached" in printed(both)


def test_a_minimum_is_written_as_one_and_read_back(tmp_path):
    path = tmp_path / "a.json"
    result = replace(synthetic(), limits=(Limit("accuracy", 0.875, min=0.9), Limit("rmse", 0.5, 1.0)))
    path.write_text(to_json(result))
    assert json.loads(path.read_text())["limits"] == [
        {"metric": "accuracy", "value": 0.875, "min": 0.9, "passed": False},
        {"metric": "rmse", "value": 0.5, "max": 1.0, "passed": True},
    ]
    assert read_report(path).limits == result.limits
    for bounds in ({"max": None}, {"max": 1.0, "min": 0.0}):
        document = json.loads(path.read_text())
        document["limits"] = [{"metric": "rmse", "value": 0.5, "passed": True, **bounds}]
        path.write_text(json.dumps(document))
        with pytest.raises(InputError, match="either max or min"):
            read_report(path)
