"""What each stage would do if it were ideal: the stage's own error is what its output differs from this."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from scipy.special import wrightomega

from kanspice.design.connections import FilterBank, SynapseBank
from kanspice.design.filters import filtered_v
from kanspice.design.stages import (
    Array,
    Connections,
    Crossbar,
    Design,
    DigitalLayer,
    HeldSum,
    LayerNorm,
    Limiter,
    OdePeriod,
    ReadOut,
    Stage,
)
from kanspice.design.synapses import connected_v
from kanspice.design.trajectory import period_end_v

_BLOCK_NUMBERS = 8_000_000
_CLAMP_STEPS = 6


def ideal_output_v(design: Design, stage: Stage, input_v: Array, before_v: Mapping[str, Array] | None = None) -> Array:
    """The ideal stage's outputs (samples, width) in volts for the voltages (samples, inputs) at its inputs.

    before_v: earlier stages' voltages by name, for a stage that adds what was held of one of them.
    """
    if isinstance(stage, Limiter):
        return limited_v(stage, input_v)
    if isinstance(stage, LayerNorm):
        return normalised_v(stage, input_v)
    if isinstance(stage, HeldSum | ReadOut | DigitalLayer):
        return carried_v(stage, input_v, before_v or {})
    if isinstance(stage, OdePeriod):
        return period_end_v(stage, input_v)
    if isinstance(stage, FilterBank | SynapseBank):
        return bank_v(stage, input_v)
    block = max(1, _BLOCK_NUMBERS // (stage.rows * len(design.devices)))
    parts = [input_v[start : start + block] for start in range(0, len(input_v), block)]
    return np.concatenate([_crossbar(design, stage, part) for part in parts])


def carried_v(stage: HeldSum | ReadOut | DigitalLayer, input_v: Array, before_v: Mapping[str, Array]) -> Array:
    """What becomes of voltages (..., inputs) between periods and after them. before_v: earlier stages' by name."""
    if isinstance(stage, HeldSum):
        return input_v + before_v[stage.held]
    if isinstance(stage, DigitalLayer):
        return stage.computed_v(input_v)
    return input_v[..., stage.start : stage.start + stage.width]


def limited_v(stage: Limiter, volts: Array) -> Array:
    """What the limiter makes of voltages (samples, width)."""
    volts = volts - stage.shift_v
    units = volts / stage.input_v_per_unit
    if stage.kind == "clip":
        return _clamped_v(stage, volts) if stage.knee_v > 0 else np.clip(volts, stage.low_v, stage.high_v)
    if stage.kind == "sigmoid":
        return stage.unit_v * 0.5 * (1 + np.tanh(np.clip(units, -stage.reach, stage.reach) / 2))
    return stage.unit_v * np.tanh(units) if stage.kind == "tanh" else volts


def _clamped_v(stage: Limiter, volts: Array) -> Array:
    """A clip with diodes: of each by itself Wright's omega function is the answer, Newton's method adds the other."""
    knee_v, high_v, low_v = stage.knee_v, stage.high_v, stage.low_v
    above = volts > 0.5 * (low_v + high_v)
    beyond_v = np.where(above, volts - high_v, low_v - volts)
    left_v = knee_v * np.real(wrightomega(beyond_v / knee_v))
    clamped_v: Array = np.where(above, volts - left_v, volts + left_v)
    for _ in range(_CLAMP_STEPS):
        upper, lower = np.exp((clamped_v - high_v) / knee_v), np.exp((low_v - clamped_v) / knee_v)
        clamped_v = clamped_v - (clamped_v + knee_v * (upper - lower) - volts) / (1 + upper + lower)
    return clamped_v


def bank_v(bank: Connections, volts: Array) -> Array:
    """What connections make of voltages (samples, rows): (samples, columns)."""
    return filtered_v(bank, volts) if isinstance(bank, FilterBank) else connected_v(bank, volts)


def normalised_v(stage: LayerNorm, volts: Array) -> Array:
    """What the block makes of voltages (samples, width)."""
    centred: Array = volts - volts.mean(axis=1, keepdims=True)
    variance = np.mean(centred**2, axis=1, keepdims=True)
    outputs: Array = stage.gain_v * centred / np.sqrt(variance + stage.eps_v2) + stage.offset_v
    return outputs


def _crossbar(design: Design, stage: Crossbar, volts: Array) -> Array:
    """All columns at 0 V: sum_i sum_k area phi_k(row) and the bias, through feedback and subtractor."""
    units = volts / design.input_v_per_unit
    basis = np.stack([device.curve.numpy(units)[0] for device in design.devices], axis=-1)
    areas = stage.column_area.transpose(0, 2, 1).reshape(-1, 2 * stage.width)
    amps = basis.reshape(len(volts), -1) @ areas * stage.current_unit_a + stage.bias_a
    columns_v: Array = amps * stage.feedback_ohm
    return (columns_v[:, ::2] - columns_v[:, 1::2]) * stage.subtractor_gain
