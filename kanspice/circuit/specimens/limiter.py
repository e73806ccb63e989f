"""An input stage as it comes out of production: the references of a clip."""

from __future__ import annotations

from dataclasses import replace

from kanspice.base.draws import Draw
from kanspice.circuit import Limiter
from kanspice.circuit.specimens.parts import reference
from kanspice.technology import Technology


def limiter_specimen(limiter: Limiter, technology: Technology, draw: Draw) -> Limiter:
    """The limiter with the levels that a clip's references really have."""
    if limiter.kind != "clip":
        return limiter
    factor = reference(technology.references.clip_sigma, "references.clip", draw)
    return replace(limiter, low_v=limiter.low_v * factor, high_v=limiter.high_v * factor)
