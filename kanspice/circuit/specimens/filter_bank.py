"""A bank of filters as it comes out of production."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from kanspice.base.arrays import Array
from kanspice.base.draws import Draw
from kanspice.circuit import FilterBank
from kanspice.circuit.specimens.parts import spread
from kanspice.technology import Technology
from kanspice.technology.standard_values import nearest


def filter_bank_specimen(bank: FilterBank, technology: Technology, draw: Draw) -> FilterBank:
    """The bank with the resistors, capacitors and amplifiers that it really has; a gain is a ratio of resistors."""
    parts, series = technology.filters, technology.parts.resistors

    def off(name: str) -> Array:
        return spread(f"{bank.name}.{name}", parts.component_sigma, bank.gain.shape, draw)

    return replace(
        bank,
        gain=np.sign(bank.gain)
        * nearest(np.abs(bank.gain), series)
        * spread(f"{bank.name}.gain", parts.gain_sigma, bank.gain.shape, draw),
        high_ohm=nearest(bank.high_ohm, series) * off("high_ohm"),
        high_f=bank.high_f * off("high_f"),
        low_ohm=nearest(bank.low_ohm, series) * off("low_ohm"),
        low_f=bank.low_f * off("low_f"),
        offset_v=parts.offset_sigma_v * draw.normal(f"{bank.name}.offset_v", bank.gain.shape),
    )
