"""Whether a design read from a file is one: names become nodes of a netlist, so they are never taken on trust."""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Sequence
from typing import get_args

import numpy as np
from scipy.constants import zero_Celsius

from kanspice.circuit.branch_laws import LAWS
from kanspice.circuit.design import Design
from kanspice.circuit.parts import Converter, NodeLosses, Schematic, Switching
from kanspice.circuit.stages import DigitalLayer, HeldSum, OdePeriod, ReadOut, Stage, Tiles
from kanspice.circuit.transistor_branches import CELLS, TransistorBranches, has_transistors
from kanspice.subcircuits.process import CORNERS

_KINDS = "|".join(kind.KIND for kind in get_args(Stage))
_STAGE_NAME = re.compile(rf"l[1-9]\d{{0,3}}(p\d{{1,7}})?\.({_KINDS}|encoder)|readout|projector")
"""Of a stage, or of what it is compared with in the network."""
_FAMILY = re.compile(r"[A-Za-z][A-Za-z0-9 _.-]{0,63}")
_MOST_BITS = 32
_UNBOUNDED = frozenset(
    {
        *("open_loop_gain", "low_v", "high_v", "switch_off_ohm", "vccs_saturation", "off_ohm", "swing_v"),
        *("gbw_hz", "slew_v_per_s", "current_gain"),
        *("leak_ohm", "supply_v"),
        *("clock_hz", "amplifier_hz", "hold_s", "reach"),
    }
)


def check_design(design: Design) -> None:
    """Raises ValueError, saying where, unless names, types, shapes and numbers are those of a compiled design."""
    _demand(isinstance(design.input_width, int) and design.input_width > 0, "the input width is not a width")
    _demand(_is_number(design.input_v_per_unit) and design.input_v_per_unit > 0, "the input scale is not a number")
    texts = (
        *(design.family, design.model_sha256, design.technology_json),
        *(design.swing_basis, design.specimen_sha256),
    )
    _demand(all(isinstance(text, str) for text in texts), "a description is not text")
    _demand(bool(_FAMILY.fullmatch(design.family)), f"{design.family!r} is not the name of a family")
    _demand(
        bool(design.stages) and bool(design.devices or design.periods or design.banks),
        "there are no stages or no devices",
    )
    names = [stage.name for stage in design.stages]
    _demand(len(set(names)) == len(names), "two stages have the same name")
    if design.is_timed:
        _check_periods(design.stages if design.digital is None else design.stages[:-1])
    else:
        _demand(not any(isinstance(stage, DigitalLayer) for stage in design.stages), "a digital layer has no periods")
    parts = [part for part in (design.schematic, design.switching, design.losses) if part is not None]
    _demand(design.is_timed or not parts, "there are no branches")
    for part in parts:
        _check_part(part)
    if design.transistors is not None:
        _check_transistors(design, design.transistors)
    _demand(
        not design.sums or design.switching is None or design.switching.transfer_s > 0,
        "there is no time to add voltages",
    )
    for converter in (design.dac, design.adc):
        _demand(converter is None or _is_converter(converter), "a converter has no levels")
    _demand(_is_number(design.input_noise_v) and design.input_noise_v >= 0, "the input noise is not a number")
    _demand(_is_number(design.jitter_s) and design.jitter_s >= 0, "the jitter is not a number")
    _demand(_is_number(design.noise_k) and design.noise_k >= 0, "the noise's temperature is not a number")
    _demand(_is_number(design.lag_s) and design.lag_s >= 0, "the branches' lag is not a number")
    _demand(design.is_timed or design.lag_s == 0, "there are no branches")
    _demand(isinstance(design.seed, int) and design.seed >= 0, "the seed is not a whole number")
    width = design.input_width
    for stage in design.stages:
        _check_stage(stage, width, len(design.devices))
        width = stage.width
    laws = [LAWS[period.law] for period in design.periods]
    _demand(design.schematic is None or all(law.schematic for law in laws), "branches of this law have no schematic")


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


def _check_transistors(design: Design, transistors: TransistorBranches) -> None:
    _demand(design.is_timed and design.schematic is None, "there are no branches of transistors")
    _demand(all(has_transistors(period.law) for period in design.periods), "branches of this law have no transistors")
    _demand(transistors.process in CELLS, "there are no branches of this process's transistors")
    _demand(transistors.corner in CORNERS, "there is no such corner")
    for flag in ("mismatch", "proportional"):
        _demand(isinstance(getattr(transistors, flag), bool), f"{flag} is neither true nor false")
    celsius = transistors.temperature_c
    _demand(_is_number(celsius) and celsius > -zero_Celsius, "the temperature is none")


def _check_stage(stage: Stage, width: int, devices: int) -> None:
    for name in (stage.name, stage.compares_to):
        _demand(isinstance(name, str) and bool(_STAGE_NAME.fullmatch(name)), f"{name!r} is not the name of a stage")
    kind = stage.KIND
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
    if isinstance(stage, Tiles):
        _demand(stage.seen.ndim == 2 and bool(stage.crossbars), f"{stage.name} has no positions, or no crossbars")
        names = {crossbar.name for crossbar in stage.crossbars}
        _demand(len(names) == len(stage.crossbars), f"two crossbars of {stage.name} have the same name")
        for crossbar in stage.crossbars:
            _check_stage(crossbar, stage.seen.shape[1], devices)
    _demand(stage.fits(width, devices), f"{stage.name} does not fit the stage before it, or the devices")


def _is_number(value: object, *, unbounded: bool = False) -> bool:
    return isinstance(value, float) and not math.isnan(value) and (unbounded or math.isfinite(value))


def _demand(condition: bool, problem: str) -> None:
    if not condition:
        raise ValueError(problem)
