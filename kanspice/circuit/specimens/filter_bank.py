"""A bank of filters as it comes out of production."""

from __future__ import annotations

from dataclasses import replace

from kanspice.base.arrays import Array
from kanspice.base.draws import Draw
from kanspice.circuit import FilterBank
from kanspice.circuit.specimens.parts import spread
from kanspice.technology import Technology


def filter_bank_specimen(bank: FilterBank, technology: Technology, draw: Draw) -> FilterBank:
    parts = technology.filters

    def off(name: str) -> Array:
        return spread(f"{bank.name}.{name}", parts.component_sigma, bank.gain.shape, draw)

    return replace(
        bank,
        gain=bank.gain * spread(f"{bank.name}.gain", parts.gain_sigma, bank.gain.shape, draw),
        high_ohm=bank.high_ohm * off("high_ohm"),
        high_f=bank.high_f * off("high_f"),
        low_ohm=bank.low_ohm * off("low_ohm"),
        low_f=bank.low_f * off("low_f"),
        offset_v=parts.offset_sigma_v * draw.normal(f"{bank.name}.offset_v", bank.gain.shape),
    )
