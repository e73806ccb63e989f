"""How a circuit settles, as JSON (`kanspice.settling/1`)."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kanspice.experiments.settle.settling import Settling

SCHEMA = "kanspice.settling/1"


def settling_json(result: Settling) -> str:
    """JSON text; a figure that does not exist is null."""
    document = {"schema": SCHEMA, **asdict(replace(result, worst=None)), "settled": not result.failed}
    document["unresolved"] = list(result.unresolved)
    document["worst"] = None if result.worst is None else result.worst.index
    document["failed"] = [
        {"index": failure.index, "outcome": failure.outcome.value, "advice": failure.advice}
        for failure in result.failed
    ]
    return json.dumps(_finite(document), indent=2, allow_nan=False) + "\n"


def _finite(value: object) -> object:
    """The same with null for what is not finite: the noise of a column that no feedback holds."""
    if isinstance(value, dict):
        return {key: _finite(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(part) for part in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
