"""Whether a design read from a file is one: names become nodes of a netlist, so they are never taken on trust."""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Sequence
from typing import get_args

import numpy as np

from kanspice.design.branches import LAWS, law_rows
from kanspice.design.connections import BAND_PASS, HIGH_PASS, LOW_PASS, FilterBank, SynapseBank
from kanspice.design.stages import (
    Connections,
    Converter,
    Crossbar,
    Design,
    DigitalLayer,
    FillName,
    HeldSum,
    LayerNorm,
    Limiter,
    LimiterKind,
    NodeLosses,
    OdePeriod,
    ReadOut,
    Schematic,
    Stage,
    Switching,
)

_STAGE_NAME = re.compile(
    r"l[1-9]\d{0,3}\.(input|encoder|crossbar|norm|period|residual|filters|synapses)|readout|projector"
)
_KINDS: dict[type[Stage], str] = {
    Limiter: "input",
    Crossbar: "crossbar",
    LayerNorm: "norm",
    OdePeriod: "period",
    HeldSum: "residual",
    ReadOut: "readout",
    DigitalLayer: "projector",
    FilterBank: "filters",
    SynapseBank: "synapses",
}
_MOST_BITS = 32
_UNBOUNDED = frozenset(
    {
        *("open_loop_gain", "low_v", "high_v", "switch_off_ohm", "vccs_saturation", "off_ohm", "swing_v"),
        *("gbw_hz", "slew_v_per_s"),
        *("leak_ohm", "supply_v"),
        *("clock_hz", "amplifier_hz", "hold_s", "reach"),
    }
)


def check_design(design: Design) -> None:
    """Raises ValueError, saying where, unless names, types, shapes and numbers are those of a compiled design."""
    _demand(isinstance(design.input_width, int) and design.input_width > 0, "the input width is not a width")
    _demand(_is_number(design.input_v_per_unit) and design.input_v_per_unit > 0, "the input scale is not a number")
    texts = (design.family, design.model_sha256, design.technology_json, design.swing_basis)
    _demand(all(isinstance(text, str) for text in texts), "a description is not text")
    _demand(
        bool(design.stages) and bool(design.devices or design.periods or design.banks),
        "there are no stages or no devices",
    )
    names = [stage.name for stage in design.stages]
    _demand(len(set(names)) == len(names), "two stages have the same name")
    if design.periods:
        _check_periods(design.stages if design.digital is None else design.stages[:-1])
    else:
        _demand(not any(isinstance(stage, DigitalLayer) for stage in design.stages), "a digital layer has no periods")
    parts = [part for part in (design.schematic, design.switching, design.losses) if part is not None]
    _demand(bool(design.periods) or not parts, "there are no branches")
    for part in parts:
        _check_part(part)
    adds = any(isinstance(stage, HeldSum) for stage in design.stages)
    _demand(not adds or design.switching is None or design.switching.transfer_s > 0, "there is no time to add voltages")
    for converter in (design.dac, design.adc):
        _demand(converter is None or _is_converter(converter), "a converter has no levels")
    _demand(_is_number(design.input_noise_v) and design.input_noise_v >= 0, "the input noise is not a number")
    _demand(_is_number(design.jitter_s) and design.jitter_s >= 0, "the jitter is not a number")
    _demand(_is_number(design.noise_k) and design.noise_k >= 0, "the noise's temperature is not a number")
    _demand(isinstance(design.seed, int) and design.seed >= 0, "the seed is not a whole number")
    width = design.input_width
    for stage in design.stages:
        _check_stage(stage, width, len(design.devices))
        width = stage.width


def _check_periods(stages: Sequence[Stage]) -> None:
    known: dict[str, int] = {}
    for index, stage in enumerate(stages[:-1]):
        if isinstance(stage, HeldSum):
            follows = index > 0 and isinstance(stages[index - 1], OdePeriod)
            _demand(follows and known.get(stage.held) == stage.width, f"{stage.name} has nothing to add")
        else:
            _demand(isinstance(stage, OdePeriod), "periods stand alone, before one read-out")
            known[stage.name] = stage.width
    _demand(isinstance(stages[-1], ReadOut), "periods stand alone, before one read-out")


def _is_converter(converter: Converter) -> bool:
    if not isinstance(converter.bits, int) or not 1 <= converter.bits <= _MOST_BITS:
        return False
    return _is_number(converter.low_v) and _is_number(converter.high_v) and converter.low_v < converter.high_v


def _check_part(part: Schematic | Switching | NodeLosses) -> None:
    for field in dataclasses.fields(part):
        value = getattr(part, field.name)
        _demand(_is_number(value, unbounded=field.name in _UNBOUNDED), f"{field.name} is not a number")
        _demand(value > 0 or (value == 0 and isinstance(part, Switching)), f"{field.name} is too small")


def _check_stage(stage: Stage, width: int, devices: int) -> None:
    for name in (stage.name, stage.compares_to):
        _demand(isinstance(name, str) and bool(_STAGE_NAME.fullmatch(name)), f"{name!r} is not the name of a stage")
    kind = _KINDS[type(stage)]
    _demand(stage.name.rpartition(".")[2] == kind, f"{stage.name!r} is not the name of a stage of kind '{kind}'")
    for field in dataclasses.fields(stage):
        value = getattr(stage, field.name)
        where = f"{stage.name}: {field.name}"
        if field.type == "Array":
            _demand(isinstance(value, np.ndarray) and value.dtype == np.float64, f"{where} is not an array of floats")
            _demand(bool(np.isfinite(value).all()), f"{where} holds numbers that are not finite")
        elif field.type == "Indices":
            _demand(isinstance(value, np.ndarray) and value.dtype == np.int64, f"{where} does not hold whole numbers")
        elif field.type == "int":
            _demand(isinstance(value, int) and value >= 0, f"{where} is not a whole number")
        elif field.type == "float":
            _demand(_is_number(value, unbounded=field.name in _UNBOUNDED), f"{where} is not a number")
    _demand(_fits(stage, width, devices), f"{stage.name} does not fit the stage before it, or the devices")


def _fits(stage: Stage, width: int, devices: int) -> bool:
    if isinstance(stage, Limiter):
        known = stage.kind in get_args(LimiterKind) and stage.knee_v >= 0 and stage.input_v_per_unit > 0
        known = known and stage.reach > 0 and (stage.kind == "sigmoid" or math.isinf(stage.reach))
        return known and stage.width == width and stage.shift_v.shape == (width,)
    if isinstance(stage, Crossbar):
        return _is_a_crossbar(stage, width, devices)
    if isinstance(stage, LayerNorm):
        return stage.gain_v.shape == stage.offset_v.shape == (width,)
    if isinstance(stage, HeldSum | ReadOut | DigitalLayer):
        return _carries_on(stage, width) and stage.width > 0 and stage.unit_v > 0
    if isinstance(stage, FilterBank | SynapseBank):
        return stage.gain.ndim == 3 and stage.rows == width and _is_a_bank(stage)
    return stage.inputs == width and _is_a_graph(stage)


def _carries_on(stage: HeldSum | ReadOut | DigitalLayer, width: int) -> bool:
    if isinstance(stage, DigitalLayer):
        return stage.offset_v.ndim == 1 and stage.weight.shape == (width, *stage.offset_v.shape)
    return stage.width == width if isinstance(stage, HeldSum) else stage.start + stage.width <= width


def _is_a_crossbar(stage: Crossbar, width: int, devices: int) -> bool:
    if stage.area.ndim != 3 or stage.area.shape[::2] != (width, devices):
        return False
    if stage.shift_v.shape != stage.area.shape:
        return False
    columns = (2 * stage.width,)
    per_column = stage.bias_a, stage.feedback_ohm, stage.feedback_f, stage.offset_v
    if any(part.shape != columns for part in per_column):
        return False
    if min(stage.output_ohm, stage.driver_ohm, stage.row_ohm, stage.column_ohm) < 0:
        return False
    if bool((stage.feedback_f < 0).any()) or (stage.feedback_f.any() and not stage.has_slow_amplifiers):
        return False
    return bool((stage.feedback_ohm > 0).all()) and stage.swing_v > 0


def _is_a_graph(stage: OdePeriod) -> bool:
    if stage.law not in LAWS or stage.fill not in get_args(FillName):
        return False
    if min(stage.current_unit_a, stage.unit_v, stage.unit_s, stage.period_s) <= 0:
        return False
    if min(stage.late_on_s, stage.late_off_s) < 0 or not _has_parts(stage):
        return False
    ends = np.stack([stage.source, stage.destination]) if stage.source.shape == stage.destination.shape else None
    if ends is None or ends.ndim != 2 or ends.size == 0:
        return False
    in_range = ends.min() >= 0 and max(int(ends.max()), 1) <= stage.nodes
    return bool(in_range) and stage.theta.shape == (law_rows(stage.law), stage.branches)


def _is_a_bank(stage: Connections) -> bool:
    if isinstance(stage, FilterBank):
        parts = [stage.high_ohm, stage.high_f, stage.low_ohm, stage.low_f]
        least = min(stage.sine_v, stage.control_v, stage.clock_hz, stage.sum_gain, stage.amplifier_hz, stage.hold_s)
        least = min(least, stage.slot_s)
        sums = (stage.width,)
        others = stage.offset_v.shape == stage.gain.shape and stage.scale.shape == stage.bias_v.shape == sums
    else:
        parts = [stage.load_ohm, stage.input_ohm, stage.series_ohm, stage.alpha_per_v, stage.saturation_a]
        least = stage.output_v_per_unit if stage.read_noise_v >= 0 else stage.read_noise_v
        known = bool(np.isin(stage.kind, (LOW_PASS, BAND_PASS, HIGH_PASS)).all())
        own = stage.kind.shape == stage.input_bias_v.shape == stage.gain.shape
        others = own and known and stage.bias_v.shape == (stage.width,)
    return others and least > 0 and all(p.shape == stage.gain.shape and (p > 0).all() for p in parts)


def _has_parts(stage: OdePeriod) -> bool:
    """Whether every node has a capacitor and a charge, and every branch a gain and a tail."""
    if not stage.capacitor_f.shape == stage.injected_c.shape == (stage.nodes,):
        return False
    if not stage.gain.shape == stage.tail.shape == stage.source.shape:
        return False
    return bool((stage.capacitor_f > 0).all() and (stage.gain >= 0).all() and (stage.tail > 0).all())


def _is_number(value: object, *, unbounded: bool = False) -> bool:
    return isinstance(value, float) and not math.isnan(value) and (unbounded or math.isfinite(value))


def _demand(condition: bool, problem: str) -> None:
    if not condition:
        raise ValueError(problem)
