"""The stages around crossbars and synapses: what a layer begins with, and the norm behind it."""

from __future__ import annotations

from kanspice.base.arrays import Array
from kanspice.circuit import LayerNorm, Limiter
from kanspice.circuit.stages.limiter import LimiterKind
from kanspice.technology import Technology


def input_stage(
    layer: int,
    technology: Technology,
    shift_v: Array,
    levels_v: tuple[float, float],
    *,
    kind: LimiterKind = "clip",
    input_v_per_unit: float = 1.0,
    unit_v: float = 1.0,
) -> Limiter:
    """`l<layer>.input`, as wide as shift_v (width,); levels_v: of a clip, the lower first."""
    name, (low_v, high_v) = f"l{layer}.input", levels_v
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
