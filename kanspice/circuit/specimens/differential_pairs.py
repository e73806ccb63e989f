"""Differential pairs as they come out of production: tail currents and transistors that differ."""

from __future__ import annotations

from dataclasses import replace

from kanspice.base.draws import Draw
from kanspice.circuit import DifferentialPairs
from kanspice.circuit.specimens.parts import spread
from kanspice.technology import Technology


def differential_pairs_specimen(pairs: DifferentialPairs, technology: Technology, draw: Draw) -> DifferentialPairs:
    """The pairs with the tail currents and offsets that they really have."""
    parts, width = technology.pairs, (pairs.width,)
    return replace(
        pairs,
        tail_a=pairs.nominal_tail_a * spread(f"{pairs.name}.tail_a", parts.tail_sigma, width, draw),
        offset_v=parts.offset_sigma_v * draw.normal(f"{pairs.name}.offset_v", width),
    )
