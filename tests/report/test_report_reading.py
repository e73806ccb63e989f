"""Reports read back from JSON: nothing is lost, a stranger's file is one clear message, a schema holds."""

from __future__ import annotations

import json
import math
from copy import deepcopy
from dataclasses import replace

import jsonschema
import numpy as np
import pytest
from rendered import to_html, to_junit, to_markdown
from synthetic_results import EXTREMES, with_everything

from kanspice.base.errors import InputError
from kanspice.experiments.compare import check_baseline
from kanspice.experiments.verify import reading
from kanspice.experiments.verify.document import Document, to_json
from kanspice.experiments.verify.reading import from_json, read_report


@pytest.mark.parametrize("name", sorted(EXTREMES))
def test_nothing_of_the_json_is_lost_by_reading_it(name):
    text = to_json(EXTREMES[name]())
    again = from_json(text, "a.json")
    assert to_json(again) == text
    assert again.exit_code == EXTREMES[name]().exit_code
    assert again.outputs.shape == (0, EXTREMES[name]().outputs.shape[1])


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(EXTREMES))
def test_what_was_read_can_be_rendered(name):
    again = from_json(to_json(EXTREMES[name]()), "a.json")
    page = to_html(again)
    assert "<h2>How it was measured</h2>" in page
    assert "Circuit&#39;s outputs against" not in page
    assert to_markdown(again) == to_markdown(EXTREMES[name]())
    assert to_junit(again) == to_junit(EXTREMES[name]())


def test_infinite_values_of_a_technology_are_infinite_again(result):
    assert from_json(to_json(result), "a.json").design.technology["tia"]["gain"] == float("inf")


def test_a_report_of_a_later_kanspice_with_more_keys_is_read(result):
    document = json.loads(to_json(result))
    document["physics"] = {"power_w": 1.0}
    document["gap"]["p99"] = 0.1
    assert from_json(json.dumps(document), "a.json").gap == result.gap


def test_a_report_without_the_keys_that_came_later_is_read(result):
    document = json.loads(to_json(result))
    for key in ("outputs", "worst_samples", "memory"):
        del document[key]
    assert from_json(json.dumps(document), "a.json").worst == ()


def test_a_cause_without_a_share_or_a_trial_has_no_figures_of_them():
    document = json.loads(to_json(EXTREMES["attributed"]()))
    document["causes"][0] |= {"share": None, "without_failed_samples": None}
    (cause, *_) = from_json(json.dumps(document), "a.json").causes
    assert (cause.share, cause.without) == (None, None)
    assert math.isnan(cause.alone.gap.max_abs)


def spoiled(change):
    document = json.loads(to_json(with_everything(EXTREMES["engines disagree"]())))
    change(document)
    return json.dumps(document)


BAD = {
    "nothing": ("", "is not JSON"),
    "a page": ("<html>", "is not JSON"),
    "a list": ("[1, 2]", "no report of a gap"),
    "a number": ("3", "no report of a gap"),
    "another schema": ('{"schema": "kanspice.gap/2"}', "'kanspice.gap/2'"),
    "a closed loop": (
        '{"schema": "kanspice.control/1"}',
        "kanspice control ... --html F writes a loop's page",
    ),
    "a study": ('{"schema": "kanspice.study/1"}', "a study's page is study.html in its folder"),
    "a schema that is no text": ('{"schema": ["kanspice.gap/1"]}', "no report of a gap"),
    "nothing but the schema": ('{"schema": "kanspice.gap/1"}', "bad value for 'model'"),
    "deep": ("[" * 100_000, "is not JSON"),
    "a long number": ('{"schema": ' + "9" * 10_000 + "}", "is not JSON"),
    "NaN": ('{"schema": NaN}', "NaN is not JSON"),
    "Infinity": (spoiled(lambda d: d["gap"].update(rmse=float("inf"))), "Infinity is not JSON"),
    "a number beyond all": (
        spoiled(lambda d: d["gap"].update(rmse=1)).replace('"rmse": 1,', '"rmse": 1e999,'),
        "gap.rmse",
    ),
    "text for a number": (spoiled(lambda d: d["gap"].update(rmse="0.1")), "bad value for 'gap.rmse'"),
    "true for a number": (spoiled(lambda d: d["gap"].update(rmse=True)), "bad value for 'gap.rmse'"),
    "a negative count": (spoiled(lambda d: d.update(samples=-1)), "bad value for 'samples'"),
    "half a sample": (spoiled(lambda d: d.update(samples=1.5)), "bad value for 'samples'"),
    "an unknown outcome": (
        spoiled(lambda d: d.update(failed_samples=[{"index": 1, "outcome": "bored", "advice": ""}])),
        "failed_samples.0.outcome",
    ),
    "a missing key": (spoiled(lambda d: d["stages"][0].pop("rmse")), "bad value for 'stages.0.rmse'"),
    "a stage that is text": (spoiled(lambda d: d.update(stages=["l1"])), "bad value for 'stages.0'"),
    "notes that are numbers": (spoiled(lambda d: d.update(notes=[1])), "bad value for 'notes.0'"),
}


IMPOSSIBLE = {
    "a negative gap": lambda d: d["gap"].update(rmse=-1.0),
    "a negative relative gap": lambda d: d["gap"].update(relative_rmse=-1e-3),
    "more than all samples agree": lambda d: d["gap"].update(argmax_agreement=1.5),
    "a mean beyond the largest": lambda d: d["gap"].update(rmse=1.0, max_abs=0.5),
    "a count beyond all": lambda d: d.update(samples=10**300),
    "a failed sample that is none": lambda d: d["failed_samples"].append(
        {"index": 50, "outcome": "diverged", "advice": ""}
    ),
    "more samples solved again than there are": lambda d: d["numerical_error"].update(samples=51),
    "a negative error": lambda d: d["numerical_error"].update(max_abs=-1.0),
    "a negative time": lambda d: d["timing"].update(load_s=-1.0),
}


@pytest.mark.parametrize("kind", IMPOSSIBLE)
def test_figures_that_cannot_be_are_refused(result, kind):
    document = json.loads(to_json(result))
    IMPOSSIBLE[kind](document)
    with pytest.raises(InputError, match=r"bad value for .*\n.*"):
        from_json(json.dumps(document), "a.json")


def test_an_error_beyond_the_gap_is_not_resolved_whoever_wrote_that_it_passed(result):
    document = json.loads(to_json(result))
    document["numerical_error"] |= {"rmse": 1e9, "max_abs": 1e9, "relative_rmse": 1e9}
    again = from_json(json.dumps(document), "a.json")
    assert again.exit_code == 3
    with pytest.raises(InputError, match="no gap to compare with"):
        check_baseline(again, again.inputs.sha256, "a.json")


@pytest.mark.parametrize("kind", BAD)
def test_a_stranger_s_file_is_one_clear_message(tmp_path, kind):
    text, message = BAD[kind]
    path = tmp_path / "a.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_report(path)
    assert message in str(caught.value)
    assert str(path) in str(caught.value)
    assert len(str(caught.value)) < 1000


def test_the_schema_refuses_what_reading_refuses():
    validator = jsonschema.Draft202012Validator(Document.json_schema())
    for kind, (text, _) in BAD.items():
        try:
            document = json.loads(text)
        except (ValueError, RecursionError):
            continue
        if kind in {"NaN", "Infinity", "a number beyond all"}:  # JSON has no such numbers
            continue
        assert not validator.is_valid(document), kind


def test_files_that_cannot_be_read(tmp_path, monkeypatch):
    with pytest.raises(InputError, match="the report was not found"):
        read_report(tmp_path / "none.json")
    with pytest.raises(InputError, match="this is a directory"):
        read_report(tmp_path)
    with pytest.raises(InputError, match="null"):
        read_report("a\0.json")
    (tmp_path / "bytes.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="is not JSON"):
        read_report(tmp_path / "bytes.json")
    monkeypatch.setattr(reading, "MAX_BYTES", 10)
    (tmp_path / "large.json").write_text(" " * 11)
    with pytest.raises(InputError, match="at most 10 bytes"):
        read_report(tmp_path / "large.json")


@pytest.mark.slow
def test_any_value_of_the_wrong_type_is_refused_or_read_but_never_crashes(result):
    document = json.loads(to_json(with_everything(result)))
    for key in document:
        for wrong in (None, 7, -1.5, "text", [], {}, [[]], {"a": []}, True):
            changed = deepcopy(document)
            changed[key] = wrong
            try:
                found = from_json(json.dumps(changed), "a.json")
            except InputError:
                continue
            to_html(replace(found, stages=()))
            to_markdown(found)


def test_worst_samples_are_those_with_the_largest_error(result):
    errors = np.abs(result.outputs - result.reference).max(axis=1)
    assert [sample.index for sample in result.worst] == np.argsort(-errors)[:8].tolist()
    first = result.worst[0]
    assert first.max_abs == errors.max() == pytest.approx(abs(first.circuit - first.network))
    assert first.max_relative == pytest.approx(result.gap.max_relative)
    assert first.decisions == (result.reference[first.index].argmax(), result.outputs[first.index].argmax())


def test_the_date_is_read_back_and_old_reports_have_none(result):
    dated = replace(result, date="2026-11-29T16:08:12Z")
    assert from_json(to_json(dated), "a.json").date == dated.date
    assert from_json(to_json(result), "a.json").date is None


@pytest.mark.parametrize("date", ["yesterday", "2026-11-29", "2026-13-01T00:00:00Z", "2026-11-29T16:08:12+01:00", ""])
def test_a_date_that_is_none_is_refused(result, date):
    document = json.loads(to_json(result)) | {"date": date}
    with pytest.raises(InputError, match="date"):
        from_json(json.dumps(document), "a.json")
