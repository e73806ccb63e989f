"""The converters of a circuit, as fine as the technology says, over the ranges that the samples need."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from kanspice.design import Converter, Design
from kanspice.errors import InputError
from kanspice.models import Network
from kanspice.models.reference import followed_stages
from kanspice.technology import Technology

Array = npt.NDArray[np.float64]


def add_converters(
    design: Design,
    technology: Technology,
    model: Network,
    sample_inputs: Array | None,
    sample_stages: Callable[[], Mapping[str, Array]] | None = None,
) -> Design:
    """The design with converters and input noise.

    sample_inputs: (samples, inputs) in model units. sample_stages: what the network makes of them, stage by stage, if
    somebody knows; else it is followed here.

    Raises InputError for converters without samples, which give them their range.
    """
    converters = technology.converters
    design = replace(design, input_noise_v=converters.input_noise_v)
    if not (converters.dac_bits or converters.adc_bits):
        return design
    if sample_inputs is None or len(sample_inputs) == 0:
        raise InputError(
            "converters need sample inputs for their range", where="converters", hint="pass --inputs X.npy"
        )
    dac = _over(converters.dac_bits, sample_inputs * design.input_v_per_unit) if converters.dac_bits else None
    adc = None
    if converters.adc_bits:
        last = design.last_of_circuit
        stages = followed_stages(model, sample_inputs)[0] if sample_stages is None else sample_stages()
        outputs = stages[last.compares_to]
        adc = _over(converters.adc_bits, outputs[np.isfinite(outputs)] * last.output_v_per_unit)
    return replace(design, dac=dac, adc=adc)


def _over(bits: int, volts: Array) -> Converter:
    low_v, high_v = float(volts.min()), float(volts.max())
    if low_v == high_v:
        raise InputError("a converter needs samples that differ", where="converters", found=f"{low_v:.4g} V only")
    return Converter(bits, low_v, high_v)
