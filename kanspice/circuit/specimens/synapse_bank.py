"""A bank of synapses as it comes out of production."""

from __future__ import annotations

from dataclasses import replace

from kanspice.base.arrays import Array
from kanspice.base.draws import Draw
from kanspice.circuit import SynapseBank
from kanspice.circuit.specimens.parts import spread
from kanspice.technology import Technology


def synapse_bank_specimen(bank: SynapseBank, technology: Technology, draw: Draw) -> SynapseBank:
    parts = technology.synapses

    def off(name: str, sigma: float) -> Array:
        return spread(f"{bank.name}.{name}", sigma, bank.gain.shape, draw)

    return replace(
        bank,
        gain=bank.gain * off("gain", parts.gain_sigma),
        load_ohm=bank.load_ohm * off("load_ohm", parts.resistance_sigma),
        input_ohm=bank.input_ohm * off("input_ohm", parts.resistance_sigma),
        series_ohm=bank.series_ohm * off("series_ohm", parts.resistance_sigma),
        alpha_per_v=bank.alpha_per_v * off("alpha_per_v", parts.alpha_sigma),
        saturation_a=bank.saturation_a * off("saturation_a", parts.current_sigma),
    )
