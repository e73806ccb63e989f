"""A study as JSON, `kanspice.study/1`: the same bytes whoever measured it, and however often interrupted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kanspice.experiments.ensemble.draws import PointDraws, Studied
from kanspice.experiments.ensemble.statistics import QUANTILES, Distribution, Yield
from kanspice.experiments.parts import CrossCheckPart, ModelPart, NumericalPart, VariationPart
from kanspice.experiments.study.result import PointResult, StudyResult
from kanspice.experiments.study.specimens import CheckedDraw
from kanspice.report.codec import as_text, finite

SCHEMA = "kanspice.study/1"


def to_json(result: StudyResult) -> str:
    """JSON text with a fixed order of keys and a final newline. A figure that does not exist is null."""
    return as_text(_document(result))


def _document(result: StudyResult) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "model": {**without("devices", ModelPart.written(result.model)), "notes": result.model_notes},
        "versions": result.versions,
        "request": without("folder", result.request.to_dict()),
        "samples": result.samples,
        "seeds": result.request.seeds,
        "reference_accuracy": result.reference_accuracy,
        **({} if result.reference_loss is None else {"reference_loss": result.reference_loss}),
        "reference_error": result.reference_error and NumericalPart.written(result.reference_error),
        "variation": VariationPart.written(result.variation),
        "metric": result.metric,
        "points": [point_figures(result, each, _of_gap(each)) for each in result.points],
        "worst": worst_draw(result),
        "cross_check": {
            "draws": [_check(check) for check in result.checks],
            "why_none": result.request.no_cross_check or None,
            "passed": None if result.is_unchecked or not result.checks else not result.engines_disagree,
        },
        **verdict(result),
    }


def worst_draw(result: Studied) -> dict[str, Any]:
    """The draw that is worst, and how to measure it alone."""
    point, draw = result.worst
    return {
        "point": point.point.index,
        "trial": draw.trial,
        "seed": draw.seed,
        "metrics": draw.metrics,
        "failed_samples": draw.failed,
        "unresolved": draw.unresolved,
        "command": result.request.command(point.point, draw.seed),
    }


def verdict(result: Studied) -> dict[str, Any]:
    """What all points amount to."""
    return {
        "unresolved_fraction": result.unresolved_fraction,
        "undecided_points": [point.point.index for point in result.undecided],
        "yield_min": result.request.wanted_yield,
        "measured": result.is_measured,
        "passed": result.exit_code == 0,
    }


def _of_gap(point: PointResult) -> dict[str, Any]:
    return {"told_apart_draws": point.told_apart, "numerical_relative_rmse": point.numerical}


def point_figures(result: Studied, point: PointDraws, also: Mapping[str, Any]) -> dict[str, Any]:
    """A point with every draw. also: what else is said of all its draws."""
    metrics = point.draws[0].metrics
    return {
        "name": point.point.named(result.request.sweeps),
        "corner": point.point.corner,
        "values": dict(zip((sweep.key for sweep in result.request.sweeps), point.point.values, strict=True)),
        "technology": finite(point.point.technology.model_dump(), keep_infinite=True),
        "random": point.is_random,
        "yield": _yield(point.yield_),
        "failed_draws": len(point.incomplete),
        "unresolved_draws": len(point.unresolved),
        "unresolved_fraction": len(point.unresolved) / len(point.draws),
        **also,
        "metrics": {metric: _distribution(point.distribution(metric)) for metric in metrics},
        "draws": {
            "trial": [draw.trial for draw in point.draws],
            "seed": [draw.seed for draw in point.draws],
            "good": [point.is_good(draw) for draw in point.draws],
            "failed_samples": [draw.failed for draw in point.draws],
            "unresolved": [draw.unresolved for draw in point.draws],
            **{metric: [draw.metrics[metric] for draw in point.draws] for metric in metrics},
        },
    }


def _yield(found: Yield) -> dict[str, Any]:
    return {"good": found.good, "draws": found.draws, "fraction": found.fraction, "low": found.low, "high": found.high}


def _distribution(found: Distribution | None) -> dict[str, Any] | None:
    if found is None:
        return None
    quantiles = {f"{at:g}": value for at, value in zip(QUANTILES, found.quantiles, strict=True)}
    return {"draws": found.draws, "mean": found.mean, "std": found.std, "quantiles": quantiles}


def _check(check: CheckedDraw) -> dict[str, Any]:
    found = without("worst_sample", CrossCheckPart.written(check.found))
    return {"point": check.point, "trial": check.trial, "seed": check.seed, **found}


def without(key: str, facts: Mapping[str, Any]) -> dict[str, Any]:
    """Facts without one."""
    return {name: value for name, value in facts.items() if name != key}
