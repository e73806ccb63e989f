"""A bank of synapses as it comes out of production."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from kanspice.base.arrays import Array
from kanspice.base.draws import Draw
from kanspice.circuit import SynapseBank
from kanspice.circuit.specimens.parts import spread
from kanspice.technology import Technology
from kanspice.technology.standard_values import nearest


def synapse_bank_specimen(bank: SynapseBank, technology: Technology, draw: Draw) -> SynapseBank:
    """The bank with the memdiodes, resistors and amplifiers that it really has; a gain is a ratio of resistors."""
    parts, series = technology.synapses, technology.parts.resistors

    def off(name: str, sigma: float) -> Array:
        return spread(f"{bank.name}.{name}", sigma, bank.gain.shape, draw)

    return replace(
        bank,
        gain=np.sign(bank.gain) * nearest(np.abs(bank.gain), series) * off("gain", parts.gain_sigma),
        load_ohm=nearest(bank.load_ohm, series) * off("load_ohm", parts.resistance_sigma),
        input_ohm=nearest(bank.input_ohm, series) * off("input_ohm", parts.resistance_sigma),
        series_ohm=nearest(bank.series_ohm, series) * off("series_ohm", parts.resistance_sigma),
        alpha_per_v=bank.alpha_per_v * off("alpha_per_v", parts.alpha_sigma),
        saturation_a=bank.saturation_a * off("saturation_a", parts.current_sigma),
    )
