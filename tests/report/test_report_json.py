"""The JSON of `verify` is a contract: every key, strictly valid, whatever was measured."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from synthetic_results import (
    NAN,
    NO_GAP,
    answered,
    attributed,
    cross_checked,
    synthetic,
    technology,
    with_everything,
    with_failures,
)

from kanspice.base.errors import InputError
from kanspice.experiments.verify.document import to_json
from kanspice.experiments.verify.reading import from_json
from kanspice.gap.cross_check import OtherOutcome
from kanspice.gap.resolution import Limit, NumericalGap

TOP = [
    "schema",
    "model",
    "inputs",
    "design",
    "engine",
    "samples",
    "outputs",
    "failed_samples",
    "unstable_fraction",
    "gap",
    "numerical_error",
    "unresolved",
    "stages",
    "worst_samples",
    "timing",
    "memory",
    "limits",
    "passed",
    "notes",
    "versions",
]
DESIGN = [
    "devices",
    "nodes",
    "elements",
    "netlist_bytes",
    "fidelity",
    "technology",
    "swing_basis",
    "inference_s",
    "swing",
]
SWING = ["stage", "feedback_ohm", "feedback_f", "column_amplifier_v", "output_v_per_unit"]
GAP = ["rmse", "max_abs", "relative_rmse", "max_relative", "argmax_agreement"]
STAGE = [
    "name",
    "rmse",
    "relative_rmse",
    "max_abs",
    "max_relative",
    "added_rmse",
    "added_relative_rmse",
    "added_max_abs",
    "largest_v",
    "largest_column_v",
    "behavioural",
]


def refuse(constant: str) -> float:
    raise ValueError(f"{constant} is not JSON")


def parsed(result) -> dict:
    return json.loads(to_json(result), parse_constant=refuse)


def test_the_keys_and_their_order_are_the_contract(result):
    document = parsed(result)
    assert list(document) == TOP
    assert document["schema"] == "kanspice.gap/1"
    assert list(document["model"]) == ["path", "family", "format", "sha256", "parameters", "devices"]
    assert list(document["design"]) == DESIGN
    assert [list(swing) for swing in document["design"]["swing"]] == [SWING] * 2
    assert list(document["engine"]) == ["name", "version", "options"]
    assert list(document["gap"]) == GAP
    assert list(document["numerical_error"]) == ["samples", "rmse", "max_abs", "relative_rmse"]
    assert [list(stage) for stage in document["stages"]] == [STAGE] * 5
    assert list(document["timing"]) == ["load_s", "compile_s", "simulate_s", "per_sample_s"]
    assert document["memory"] == {"simulator_peak_bytes": 222_000_000, "kanspice_peak_bytes": None}
    assert [list(limit) for limit in document["limits"]] == [["metric", "value", "max", "passed"]]


def test_optional_keys_are_there_when_something_was_given(result):
    document = parsed(with_everything(result))
    given = {"external_gap", "external_circuit_gap", "accuracy", "command", "reference_error", "variation", "specimen"}
    given |= {"sized_for", "date"}
    assert set(document) - set(TOP) == given
    assert list(document["external_gap"]) == list(document["external_circuit_gap"]) == GAP
    assert document["accuracy"] == {"reference": 0.98, "circuit": 0.96}


def test_figures_are_written_exactly(result):
    document = parsed(result)
    gap, stage, worst = result.gap, result.stages[1], document["stages"][1]
    assert document["gap"] == {key: getattr(gap, key) for key in GAP}
    assert (worst["name"], worst["relative_rmse"], worst["added_relative_rmse"]) == ("l1.crossbar", 0.004, 0.004)
    assert (worst["rmse"], worst["max_abs"]) == (stage.gap.rmse, stage.gap.max_abs)
    assert (worst["added_rmse"], worst["added_max_abs"]) == (stage.added.rmse, stage.added.max_abs)
    assert (worst["largest_v"], worst["largest_column_v"], worst["behavioural"]) == (2.71828, 0.00123, False)
    assert document["stages"][2]["behavioural"] is True
    assert document["numerical_error"] == {"samples": 5, "rmse": 1.2e-7, "max_abs": 4.5e-7, "relative_rmse": 1.2e-7}
    assert document["limits"] == [{"metric": "relative_rmse", "value": 0.01, "max": 0.05, "passed": True}]
    assert (document["samples"], document["failed_samples"], document["passed"]) == (50, [], True)
    assert (document["notes"], document["versions"]["numpy"]) == ([], "2.4.0")


def test_a_failed_sample_has_its_index_outcome_and_advice(result):
    document = parsed(with_failures(result, 3))
    (failure,) = document["failed_samples"]
    assert (failure["index"], failure["outcome"]) == (3, "diverged")
    assert failure["advice"].startswith("seen at 3 V; no operating point, or no next time step")
    assert document["passed"] is False


def test_a_figure_that_does_not_exist_is_null():
    document = parsed(with_failures(synthetic(2), 0, 1))
    assert document["gap"] == dict.fromkeys(GAP)
    assert document["stages"][1]["largest_v"] is document["stages"][1]["largest_column_v"] is None


@pytest.mark.parametrize("bad", [NAN, float("inf"), -float("inf"), np.float64("nan")])
def test_a_figure_that_is_not_finite_is_null(result, bad):
    limit = Limit("relative_rmse", float(bad), 1.0)
    document = parsed(replace(result, limits=(limit,), numerical=NumericalGap(1, bad, bad, bad), gap=NO_GAP))
    assert document["limits"] == [{"metric": "relative_rmse", "value": None, "max": 1.0, "passed": limit.passed}]
    assert document["numerical_error"] == {"samples": 1, "rmse": None, "max_abs": None, "relative_rmse": None}


def test_numerical_error_that_was_not_measured_is_null(result):
    assert parsed(replace(result, numerical=None))["numerical_error"] is None


def test_an_infinite_technology_value_is_the_text_inf(result):
    assert parsed(result)["design"]["technology"]["tia"] == {"gain": "inf", "rail_v": 5.0, "headroom": 0.8}
    finite = replace(result, design=replace(result.design, technology=technology(1000.0)))
    assert parsed(finite)["design"]["technology"]["tia"]["gain"] == 1000.0


def test_an_infinite_value_elsewhere_is_null(result):
    engine = replace(result.engine, options={"timeout_s": float("inf")})
    assert parsed(replace(result, engine=engine))["engine"]["options"] == {"timeout_s": None}


def test_numpy_values_and_paths_are_written_as_plain_json(result, tmp_path):
    options = {"path": tmp_path, "count": np.int64(7), "ok": np.True_, "widths": np.array([1, 2]), "pair": (1, None)}
    document = parsed(replace(result, engine=replace(result.engine, options=options)))
    assert document["engine"]["options"] == {
        "path": str(tmp_path),
        "count": 7,
        "ok": True,
        "widths": [1, 2],
        "pair": [1, None],
    }


def test_a_file_name_that_is_not_unicode_is_still_valid_json(result):
    text = to_json(replace(result, model=replace(result.model, path="a\udcff")))
    assert json.loads(text)["model"]["path"] == "a\\udcff"
    assert "\\udcff" not in text.replace("\\\\udcff", "")


def test_every_kind_of_result_is_strict_json_that_ends_with_a_newline(extreme):
    text = to_json(extreme)
    json.loads(text, parse_constant=refuse)
    assert text.endswith("}\n")
    assert text == to_json(extreme)


def test_causes_are_there_when_they_were_asked_for(result):
    document = json.loads(to_json(attributed()))
    assert [cause["name"] for cause in document["causes"]] == [
        *("tia.gain", "devices.curve", "no imperfection", "numerical error")
    ]
    first, second, *_, last = document["causes"]
    assert (first["value"], first["relative_rmse"], first["failed_samples"]) == (1000.0, 0.009, 1)
    assert (first["without_relative_rmse"], last["without_rmse"]) == (0.004, None)
    assert (first["share"], first["share_standard_error"], second["value"]) == (0.8345, 0.0123, "points")
    assert document["attribution"] == {
        "engine": "batched",
        "trials": 99,
        "orders": 16,
        "samples": 50,
        "relative_rmse": 0.01,
    }
    assert not {"causes", "attribution"} & set(json.loads(to_json(result)))


def test_which_answers_are_wrong_is_there_and_read_back(result):
    assert not {"confusion", "output_errors"} & set(parsed(result))
    document = parsed(answered())
    assert document["confusion"] == {
        "of_labels": True,
        "circuit": [[25, 2], [1, 21]],
        "network": [[26, 1], [0, 23]],
        "failed": [0, 1],
    }
    assert document["anatomy"][0] == {
        "name": "l1.input",
        "symbol": "limiter",
        "made_of": "8 parts",
        "inputs": 8,
        "outputs": 8,
    }
    assert [each["output"] for each in document["output_errors"]] == [0, 1]
    assert list(document["worst_samples"][0]["image"]) == ["rows", "columns", "low", "high", "hex"]
    again = from_json(to_json(answered()), "a.json")
    assert again.anatomy == answered().anatomy
    assert (again.crossbar_maps, again.device_uses) == (answered().crossbar_maps, answered().device_uses)
    assert "error" not in document["crossbar_maps"][1]
    assert (again.confusion, again.output_errors, again.worst) == (
        answered().confusion,
        answered().output_errors,
        answered().worst,
    )


@pytest.mark.parametrize(
    "change",
    [
        lambda document: document["worst_samples"][0]["image"].update(hex="00"),
        lambda document: document["worst_samples"][0]["image"].update(hex="<script>"),
        lambda document: document["worst_samples"][0]["image"].update(rows=65),
        lambda document: document["crossbar_maps"][0]["area"].update(hex="0"),
        lambda document: document["crossbar_maps"][0]["stuck"][0].pop(),
        lambda document: document["device_uses"][0].update(shares=[2.0]),
        lambda document: document["device_uses"][0].update(currents_a=[]),
        lambda document: document["confusion"]["failed"].pop(),
        lambda document: document["confusion"]["circuit"][0].pop(),
    ],
)
def test_pictures_that_are_not_whole_are_refused(change):
    document = parsed(answered())
    change(document)
    with pytest.raises(InputError):
        from_json(json.dumps(document), "a.json")


def test_another_engine_and_what_it_said(result):
    document = parsed(cross_checked(result, 2e-5, OtherOutcome(3, "multistable", "converged")))
    assert document["passed"] is False
    assert document["cross_check"] == {
        "engine": {"name": "ngspice", "version": "42"},
        "samples": [3, 8],
        "worst_relative": 2e-5,
        "worst_sample": 8,
        "allowed": 1e-6,
        "different_outcomes": [{"index": 3, "outcome": "multistable", "other_outcome": "converged"}],
        "not_checked": [],
        "passed": False,
    }
    assert cross_checked(result, 2e-5).exit_code == 3
    assert cross_checked(result, 2e-7).exit_code == result.exit_code


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"date": "2026-02-31T00:00:00Z"}, "date"),
        ({"date": "0000-01-01T00:00:00Z"}, "date"),
        ({"limits": [{"metric": "relative_rmse", "value": 0.5, "min": 0.1, "passed": True}]}, "max of relative_rmse"),
        ({"limits": [{"metric": "accuracy", "value": 0.5, "max": 0.9, "passed": True}]}, "min of accuracy"),
    ],
)
def test_dates_of_no_calendar_and_limits_the_wrong_way_are_refused(result, change, expected):
    document = parsed(result) | change
    with pytest.raises(InputError, match=expected):
        from_json(json.dumps(document), "report.json")


def test_limits_of_metrics_that_are_not_known_are_read(result):
    limits = [{"metric": "of tomorrow", "value": 0.5, "min": 0.1, "passed": True}]
    assert from_json(json.dumps(parsed(result) | {"limits": limits}), "report.json").limits[0].min == 0.1
