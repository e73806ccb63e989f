"""Settling times of many draws as JSON, `kanspice.settling-study/1`: the same bytes whoever measured them."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from kanspice.experiments.parts import ModelPart
from kanspice.experiments.settle.specimens import CheckedSettling
from kanspice.experiments.settle.study import SettlingStudy
from kanspice.experiments.study.document import point_figures, verdict, without, worst_draw
from kanspice.report.codec import as_text

SCHEMA = "kanspice.settling-study/1"


def settling_study_json(result: SettlingStudy) -> str:
    """JSON text with a fixed order of keys and a final newline. A figure that does not exist is null."""
    return as_text(
        {
            "schema": SCHEMA,
            "model": {**without("devices", ModelPart.written(result.model)), "notes": result.model_notes},
            "versions": result.versions,
            "request": without("folder", result.request.to_dict()),
            "samples": result.samples,
            "seeds": result.request.seeds,
            "metric": result.metric,
            "points": [point_figures(result, each, {}) for each in result.points],
            "worst": worst_draw(result),
            "cross_check": [_check(check) for check in result.checks],
            **verdict(result),
        }
    )


def _check(check: CheckedSettling) -> dict[str, Any]:
    return {"point": check.point, "trial": check.trial, "seed": check.seed, **asdict(check.found)}
