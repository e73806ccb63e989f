"""How a circuit settles, as JSON (`kanspice.settling/1`)."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import TYPE_CHECKING

from kanspice.experiments.parts import FailedPart
from kanspice.report.codec import as_text

if TYPE_CHECKING:
    from kanspice.experiments.settle.settling import Settling

SCHEMA = "kanspice.settling/1"


def settling_json(result: Settling) -> str:
    """JSON text; a figure that does not exist is null."""
    changed = {
        "failed": [FailedPart.written(failure) for failure in result.failed],
        "worst": None if result.worst is None else result.worst.index,
        "settled": not result.failed,
        "unresolved": result.unresolved,
    }
    return as_text({"schema": SCHEMA, **asdict(replace(result, worst=None)), **changed})
