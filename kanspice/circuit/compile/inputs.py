"""The stages around crossbars and synapses: what a layer begins with, and the norm behind it."""

from __future__ import annotations

import math
from typing import assert_never

import numpy as np

from kanspice.base.arrays import Array
from kanspice.base.errors import InputError
from kanspice.circuit import DifferentialPairs, Drivers, InputStage, LayerNorm, Limiter, Rectifier
from kanspice.circuit.stages.differential_pairs import PairShape
from kanspice.circuit.stages.limiter import LimiterKind
from kanspice.technology import Technology

_COLLECTOR_V = 1.0
"""What transistors need at least between the rail's part that their load leaves and their bases."""


def input_stage(
    layer: int,
    technology: Technology,
    shift_v: Array,
    levels_v: tuple[float, float],
    *,
    kind: LimiterKind = "clip",
    input_v_per_unit: float = 1.0,
    unit_v: float = 1.0,
) -> InputStage:
    """`l<layer>.input`, as wide as shift_v (width,); levels_v: of a clip, the lower first.

    A clip becomes rectifiers, a sigmoid or tanh differential pairs, where the technology says so. Raises InputError
    where no pair could be driven, or supplied.
    """
    name = f"l{layer}.input"
    match kind:
        case "clip" if technology.clippers.circuit != "diodes" and any(map(math.isfinite, levels_v)):
            return _rectifier(name, technology, shift_v, levels_v, unit_v)
        case "sigmoid" | "tanh" if technology.pairs.thermal_v > 0:
            return _pairs(name, technology, shift_v, kind, (input_v_per_unit, unit_v))
        case "none" | "clip" | "sigmoid" | "tanh":
            low_v, high_v = levels_v
            return Limiter(
                name=name,
                compares_to=name,
                width=len(shift_v),
                kind=kind,
                low_v=low_v,
                high_v=high_v,
                input_v_per_unit=input_v_per_unit,
                unit_v=unit_v,
                shift_v=shift_v,
                knee_v=technology.clippers.knee_v if kind == "clip" else 0.0,
            )
        case _:
            assert_never(kind)


def drivers(before: InputStage, technology: Technology, row_siemens: Array) -> list[Drivers]:
    """What drives rows behind an input stage: amplifiers, where the technology says so.

    row_siemens: (width,) what each row takes, on average, per volt.
    """
    tia = technology.tia
    if tia.used_for == "columns":
        return []
    return [
        Drivers(
            name=f"{before.name.partition('.')[0]}.drivers",
            compares_to=before.compares_to,
            leak=(1 + tia.output_ohm * row_siemens) / tia.gain,
            offset_v=np.zeros(before.width),
            output_v_per_unit=before.output_v_per_unit,
            swing_v=tia.swing_v,
        )
    ]


def _rectifier(
    name: str, technology: Technology, shift_v: Array, levels_v: tuple[float, float], unit_v: float
) -> Rectifier:
    parts, (low_v, high_v) = technology.clippers, levels_v
    return Rectifier(
        name=name,
        compares_to=name,
        low_v=low_v,
        high_v=high_v,
        shift_v=shift_v,
        low_offset_v=np.zeros(len(shift_v)),
        high_offset_v=np.zeros(len(shift_v)),
        open_loop_gain=parts.gain,
        knee_v=parts.knee_v,
        saturation_a=parts.saturation_a,
        load_ohm=parts.load_ohm,
        output_v_per_unit=unit_v,
        rail_v=technology.tia.rail_v,
        switch_ohm=parts.switch_ohm,
        one_amplifier=parts.circuit == "limiters",
    )


def _pairs(
    name: str, technology: Technology, shift_v: Array, shape: PairShape, units_v: tuple[float, float]
) -> DifferentialPairs:
    """units_v: volts per model unit at the inputs and the outputs."""
    parts, (input_v_per_unit, unit_v) = technology.pairs, units_v
    pairs = DifferentialPairs(
        name=name,
        compares_to=name,
        shape=shape,
        input_v_per_unit=input_v_per_unit,
        unit_v=unit_v,
        shift_v=shift_v,
        offset_v=np.zeros(len(shift_v)),
        tail_a=parts.tail_a * np.ones(len(shift_v)),
        nominal_tail_a=parts.tail_a,
        thermal_v=parts.thermal_v,
        current_gain=parts.current_gain,
        source_ohm=parts.source_ohm,
        rail_v=technology.tia.rail_v,
    )
    _check_pairs(pairs)
    return pairs


def _check_pairs(pairs: DifferentialPairs) -> None:
    where = f"differential pairs of {pairs.name}"
    if pairs.attenuation >= 1:
        needed_v = pairs.attenuation * pairs.input_v_per_unit
        raise InputError(
            "a pair would have to be driven by more than its input",
            where=where,
            expected=f"inputs of more than {needed_v:.4g} V per unit",
            found=f"{pairs.input_v_per_unit:.4g} V, which fits sums within tia.rail_v",
            hint="raise tia.rail_v, or set pairs.thermal_v=0 for a behavioural block",
        )
    if pairs.rail_v < pairs.unit_v + _COLLECTOR_V:
        raise InputError(
            "a rail leaves no room for the pair's transistors",
            where=where,
            expected=f"a tia.rail_v of at least {pairs.unit_v + _COLLECTOR_V:.4g} V",
            found=f"{pairs.rail_v:.4g} V",
        )


def layer_norm_stage(
    layer: int, gain: Array, offset: Array, eps: float, *, input_v_per_unit: float, unit_v: float
) -> LayerNorm:
    """`l<layer>.norm` behind outputs of so many volts per model unit; gain and offset (width,) in model units."""
    name = f"l{layer}.norm"
    return LayerNorm(
        name=name,
        compares_to=name,
        gain_v=gain * unit_v,
        offset_v=offset * unit_v,
        eps_v2=eps * input_v_per_unit**2,
        output_v_per_unit=unit_v,
    )
