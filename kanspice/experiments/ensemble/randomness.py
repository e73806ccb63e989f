"""Whether specimens of a circuit differ at all: where none does, one draw is all there is."""

from __future__ import annotations

from dataclasses import replace

from kanspice.base.draws import Highest, Lowest
from kanspice.circuit import Design
from kanspice.circuit.file import design_bytes
from kanspice.circuit.specimens import draw_specimen
from kanspice.technology import Technology


def can_differ(design: Design, technology: Technology) -> bool:
    """Whether two specimens of a nominal design can: drawn as far apart as can be, they are not the same circuit."""
    extremes = [draw_specimen(design, technology, extreme) for extreme in (Lowest(), Highest())]
    low, high = (design_bytes(replace(extreme, seed=0)) for extreme in extremes)
    return low != high or design.has_noise or design.has_mismatch
