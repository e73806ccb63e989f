"""Differential pairs as they come out of production: tail currents and transistors that differ."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from kanspice.base.draws import Draw
from kanspice.circuit import DifferentialPairs
from kanspice.circuit.specimens.parts import spread
from kanspice.technology import Technology
from kanspice.technology.standard_values import nearest


def differential_pairs_specimen(pairs: DifferentialPairs, technology: Technology, draw: Draw) -> DifferentialPairs:
    """The pairs with the resistors, tail currents and offsets that they really have."""
    parts, width = technology.pairs, (pairs.width,)
    return replace(
        _with_standard_resistors(pairs, technology),
        tail_a=pairs.nominal_tail_a * spread(f"{pairs.name}.tail_a", parts.tail_sigma, width, draw),
        offset_v=parts.offset_sigma_v * draw.normal(f"{pairs.name}.offset_v", width),
    )


def _with_standard_resistors(pairs: DifferentialPairs, technology: Technology) -> DifferentialPairs:
    """The pairs with dividers and loads of standard resistors; what the other base sees is those of a divider, too."""
    if technology.parts.resistors == "exact":
        return pairs
    wanted_ohm = np.array([pairs.upper_ohm, pairs.lower_ohm, pairs.load_ohm])
    upper_ohm, lower_ohm, load_ohm = nearest(wanted_ohm, technology.parts.resistors).tolist()
    attenuation = lower_ohm / (upper_ohm + lower_ohm)
    return replace(
        pairs,
        input_v_per_unit=pairs.input_v_per_unit * pairs.attenuation / attenuation,
        source_ohm=upper_ohm * attenuation,
        nominal_tail_a=pairs.nominal_tail_a * pairs.load_ohm / load_ohm,
    )
