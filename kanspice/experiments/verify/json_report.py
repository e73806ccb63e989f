"""A gap as JSON, `kanspice.gap/1`: the contract with scripts and CI. Strict: no NaN, no Infinity."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from kanspice.experiments.verify.document import SCHEMA
from kanspice.experiments.verify.physical import physical_document
from kanspice.experiments.verify.result import GapResult
from kanspice.gap.causes import Cause
from kanspice.gap.cross_check import CrossCheck
from kanspice.gap.distribution import Distribution
from kanspice.gap.metrics import Gap
from kanspice.gap.resolution import Limit, NumericalGap
from kanspice.gap.stage_gap import StageGap
from kanspice.gap.worst import WorstSample
from kanspice.report.json_values import finite


def to_json(result: GapResult) -> str:
    """JSON text with a fixed order of keys and a final newline.

    A figure that does not exist is null, and so is one that is not finite; a technology's infinite values are
    the text "inf". `external_gap`, `external_circuit_gap`, `accuracy`, `cross_check` and `loss` are left out where
    there was nothing to compare with, `causes`, `command`, `distribution`, `metrics` and `physical` where there are
    none.
    """
    return json.dumps(finite(_document(result)), indent=2, allow_nan=False) + "\n"


def _document(result: GapResult) -> dict[str, Any]:
    optional = {
        "external_gap": None if result.external_gap is None else _gap(result.external_gap),
        "external_circuit_gap": None if result.external_circuit_gap is None else _gap(result.external_circuit_gap),
        "accuracy": result.accuracy,
        "cross_check": None if result.cross_check is None else _cross_check(result.cross_check),
        "loss": result.loss,
        "distribution": None if result.distribution is None else _distribution(result.distribution),
        "physical": None if result.physical is None else physical_document(result.physical),
    }
    return {
        "schema": SCHEMA,
        "model": asdict(result.model),
        "inputs": asdict(result.inputs),
        "design": finite_design(asdict(result.design)),
        "engine": asdict(result.engine),
        "samples": result.samples,
        "outputs": result.reference.shape[1],
        "failed_samples": [
            {"index": failure.index, "outcome": failure.outcome.value, "advice": failure.advice}
            for failure in result.failed
        ],
        "unstable_fraction": result.unstable_fraction,
        "gap": _gap(result.gap),
        **{key: value for key, value in optional.items() if value is not None},
        "numerical_error": None if result.numerical is None else _numerical(result.numerical),
        **({} if result.reference_error is None else {"reference_error": _numerical(result.reference_error)}),
        **({} if result.variation is None else {"variation": asdict(result.variation)}),
        **({"metrics": result.metrics} if result.metrics else {}),
        "unresolved": list(result.unresolved),
        "stages": [_stage(stage) for stage in result.stages],
        **({"causes": [_cause(cause) for cause in result.causes]} if result.causes else {}),
        **({} if result.attribution is None else {"attribution": asdict(result.attribution)}),
        "worst_samples": [_worst(sample) for sample in result.worst],
        "timing": result.timing,
        "memory": result.memory,
        "limits": [_limit(limit) for limit in result.limits],
        "passed": result.passed,
        "notes": result.notes,
        "versions": result.versions,
        **({} if result.command is None else {"command": result.command}),
    }


def finite_design(design: Mapping[str, object]) -> dict[str, Any]:
    """The design's facts, ready for JSON, with a technology's infinite values (an ideal gain, say) as "inf"."""
    found: dict[str, Any] = dict(design)
    if "technology" in found:
        found["technology"] = finite(found["technology"], keep_infinite=True)
    return found


def _gap(gap: Gap) -> dict[str, Any]:
    return {
        "rmse": gap.rmse,
        "max_abs": gap.max_abs,
        "relative_rmse": gap.relative_rmse,
        "max_relative": gap.max_relative,
        "argmax_agreement": gap.argmax_agreement,
    }


def _stage(stage: StageGap) -> dict[str, Any]:
    return {
        "name": stage.name,
        "rmse": stage.gap.rmse,
        "relative_rmse": stage.gap.relative_rmse,
        "max_abs": stage.gap.max_abs,
        "max_relative": stage.gap.max_relative,
        "added_rmse": stage.added.rmse,
        "added_relative_rmse": stage.added.relative_rmse,
        "added_max_abs": stage.added.max_abs,
        "largest_v": stage.largest_v,
        "largest_column_v": stage.largest_column_v,
        "behavioural": stage.behavioural,
    }


def _worst(sample: WorstSample) -> dict[str, Any]:
    return {
        "index": sample.index,
        "output": sample.output,
        "network": sample.network,
        "circuit": sample.circuit,
        "max_abs": sample.max_abs,
        "max_relative": sample.max_relative,
        "decisions": sample.decisions,
    }


def _cross_check(found: CrossCheck) -> dict[str, Any]:
    return {
        "engine": {"name": found.engine, "version": found.engine_version},
        "samples": found.samples,
        "worst_relative": found.worst,
        "worst_sample": found.worst_sample,
        "allowed": found.allowed,
        "different_outcomes": [
            {"index": each.index, "outcome": each.outcome, "other_outcome": each.other_outcome}
            for each in found.outcomes
        ],
        "not_checked": [{"index": each.index, "why": each.why} for each in found.not_checked],
        "passed": found.passed,
    }


def _cause(cause: Cause) -> dict[str, Any]:
    without = cause.without
    return {
        "name": cause.name,
        "value": cause.value,
        "rmse": cause.alone.gap.rmse,
        "relative_rmse": cause.alone.gap.relative_rmse,
        "failed_samples": cause.alone.failed,
        "without_rmse": None if without is None else without.gap.rmse,
        "without_relative_rmse": None if without is None else without.gap.relative_rmse,
        "without_failed_samples": None if without is None else without.failed,
        "share": None if cause.share is None else cause.share.fraction,
        "share_standard_error": None if cause.share is None else cause.share.standard_error,
    }


def _distribution(found: Distribution) -> dict[str, Any]:
    dense = found.log_density
    return {
        "samples": found.samples,
        "energy_distance": found.energy_distance,
        "noise": found.noise,
        "log_density": None if dense is None else asdict(dense) | {"difference": dense.difference},
    }


def _numerical(numerical: NumericalGap) -> dict[str, Any]:
    return {
        "samples": numerical.samples,
        "rmse": numerical.rmse,
        "max_abs": numerical.max_abs,
        "relative_rmse": numerical.relative_rmse,
    }


def _limit(limit: Limit) -> dict[str, Any]:
    return {"metric": limit.metric, "value": limit.value, "max": limit.max, "passed": bool(limit.passed)}
