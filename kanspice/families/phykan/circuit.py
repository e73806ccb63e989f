"""PhyKAN -> Design: per layer, squashing stages whose outputs set tones, and a bank of filters."""

from __future__ import annotations

import numpy as np

from kanspice.base.arrays import Array
from kanspice.base.traced import is_traced, number, plain, replaced
from kanspice.circuit import Design, FilterBank, Limiter, Stage
from kanspice.circuit.compile import Sizing
from kanspice.circuit.compile.effects import fitting
from kanspice.circuit.stages.filter_bank import RESET_SHARE
from kanspice.families.phykan.arrays import FilterArrays, filter_arrays
from kanspice.families.phykan.network import PhyKAN
from kanspice.technology import Technology

_SETTLED = 12.0
"""Time constants after which a filter is where it will be: to 6e-6."""
_CONTROL_V = 1.0
"""What squashing stages give for 1, and tones go their whole range for."""


def technology_for_phykan(_model: PhyKAN, technology: Technology) -> Technology:
    """What of a general technology the network's circuit can have. InputError for another that has more."""
    return fitting(technology, "a PhyKAN's circuit", ("filters", "parts", "supply"))


def compile_phykan(model: PhyKAN, technology: Technology, _sizing: Sizing | None = None) -> Design:
    """The nominal circuit of a trained PhyKAN: `l<m>.input` and `l<m>.filters` for each layer.

    Raises InputError for imperfections that the circuit cannot have.
    """
    technology = technology_for_phykan(model, technology)
    stages: list[Stage] = []
    v_per_unit = technology.units.v_unit_v
    for index, layer in enumerate(filter_arrays(model), start=1):
        squash = _squash(model, layer, index, v_per_unit)
        bank = _bank(model, technology, layer, index, squash.output_v_per_unit)
        stages += [squash, bank]
        v_per_unit = bank.output_v_per_unit
    return Design(
        family="phykan",
        technology_json=technology.to_json(),
        devices=(),
        input_width=model.input_width,
        input_v_per_unit=technology.units.v_unit_v,
        swing_basis="the worst case over all inputs",
        stages=tuple(stages),
    )


def _squash(model: PhyKAN, layer: FilterArrays, index: int, v_per_unit: float) -> Limiter:
    """What a value becomes before it sets a tone; a first layer that squashes nothing has a wire here."""
    squashes, limit = index > 1 or model.input_sigmoid, model.constants.squash_limit
    return Limiter(
        name=f"l{index}.input",
        compares_to=f"l{index}.encoder",
        width=len(layer.threshold),
        kind="sigmoid" if squashes else "none",
        low_v=-np.inf,
        high_v=np.inf,
        input_v_per_unit=v_per_unit * model.constants.sigma,
        unit_v=_CONTROL_V if squashes else v_per_unit,
        shift_v=layer.threshold * v_per_unit,
        reach=limit / model.constants.sigma if squashes and limit is not None else np.inf,
    )


def _bank(model: PhyKAN, technology: Technology, layer: FilterArrays, index: int, control_v: float) -> FilterBank:
    """Sums are scaled so that no input drives them beyond the part of the rails that they may use."""
    constants, parts, tia = model.constants, technology.filters, technology.tia
    gain = np.round(layer.gain / parts.gain_step) * parts.gain_step if parts.gain_step > 0 else layer.gain
    high_hz, low_hz = _nearest(layer.high_hz, parts.high_cutoffs_hz), _nearest(layer.low_hz, parts.low_cutoffs_hz)
    largest = np.abs(layer.scale) * np.abs(gain).sum(axis=(0, 2)) + np.abs(layer.offset)
    largest_v = parts.sine_v * number(largest.max())
    sum_gain = min(1.0, tia.rail_v * tia.headroom / largest_v) if largest_v > 0 else 1.0
    return FilterBank(
        name=f"l{index}.filters",
        compares_to=f"l{index}.filters",
        gain=gain,
        high_ohm=1 / (2 * np.pi * high_hz * parts.capacitor_f),
        high_f=parts.capacitor_f * np.ones(np.shape(gain)),
        low_ohm=1 / (2 * np.pi * low_hz * parts.capacitor_f),
        low_f=parts.capacitor_f * np.ones(np.shape(gain)),
        offset_v=np.zeros_like(gain),
        scale=layer.scale,
        bias_v=layer.offset * (sum_gain * parts.sine_v),
        sine_v=parts.sine_v,
        decade=constants.frequency_offset,
        decades=constants.frequency_span,
        control_v=control_v,
        clock_hz=np.inf if constants.clock_hz is None else constants.clock_hz,
        sum_gain=sum_gain,
        amplifier_hz=parts.amplifier_hz,
        hold_s=parts.hold_s,
        slot_s=parts.slot_s or _slot_s(model, high_hz, low_hz),
        gain_ohm=parts.gain_ohm,
    )


def _slot_s(model: PhyKAN, high_hz: Array, low_hz: Array) -> float:
    """Long enough for the slowest filter to settle, and for the slowest tone to go round once."""
    slowest_s = 1 / (2 * np.pi * min(plain(high_hz).min(), plain(low_hz).min()))
    turn_s = 10**-model.constants.frequency_offset
    return float(max(_SETTLED * slowest_s / RESET_SHARE, turn_s / (1 - RESET_SHARE)))


def _nearest(wanted_hz: Array, offered_hz: tuple[float, ...] | str) -> Array:
    """The cut-offs nearest in hertz of those offered, the lower of two as near; what is wanted if any can be had."""
    if not offered_hz:
        return wanted_hz
    if is_traced(wanted_hz):
        return replaced(wanted_hz, _nearest(plain(wanted_hz), offered_hz))
    offered = np.sort(np.asarray(offered_hz, dtype=np.float64))
    above = np.minimum(np.searchsorted(offered, wanted_hz), len(offered) - 1)
    below = np.maximum(above - 1, 0)
    nearer_below = wanted_hz - offered[below] <= offered[above] - wanted_hz
    return np.where(nearer_below, offered[below], offered[above])
