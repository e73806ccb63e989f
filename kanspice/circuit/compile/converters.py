"""The converters of a circuit, as fine as the technology says, over the ranges that the samples need."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from kanspice.base.arrays import Array
from kanspice.base.errors import InputError
from kanspice.base.traced import number
from kanspice.circuit import Converter, Design
from kanspice.circuit.compile.sizing import Sizing
from kanspice.technology import Technology


def add_converters(design: Design, technology: Technology, sizing: Sizing | None) -> Design:
    """The design with converters and input noise. sizing: an ADC needs the network's outputs, too.

    Raises InputError for converters without samples, which give them their range.
    """
    converters = technology.converters
    design = replace(design, input_noise_v=converters.input_noise_v)
    if not (converters.dac_bits or converters.adc_bits):
        return design
    if sizing is None:
        raise InputError(
            "converters need sample inputs for their range", where="converters", hint="pass --inputs X.npy"
        )
    dac = _over(converters.dac_bits, sizing.inputs * design.input_v_per_unit) if converters.dac_bits else None
    adc = None
    if converters.adc_bits:
        last = design.last_of_circuit
        outputs = sizing.stages[last.compares_to]
        adc = _over(converters.adc_bits, outputs[np.isfinite(outputs)] * last.output_v_per_unit)
    return replace(design, dac=dac, adc=adc)


def _over(bits: int, volts: Array) -> Converter:
    low_v, high_v = number(volts.min()), number(volts.max())
    if low_v == high_v:
        raise InputError("a converter needs samples that differ", where="converters", found=f"{low_v:.4g} V only")
    return Converter(bits, low_v, high_v)
