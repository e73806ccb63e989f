"""A crossbar as it comes out of production: its devices, amplifiers and reference currents."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import assert_never

import numpy as np
import numpy.typing as npt

from kanspice.base.arrays import Array
from kanspice.base.draws import Draw
from kanspice.base.errors import InputError
from kanspice.base.traced import asarray, is_traced, number
from kanspice.circuit import Crossbar, Design
from kanspice.circuit.specimens.ageing import fraction_left
from kanspice.circuit.specimens.parts import reference, spread
from kanspice.devices import Device, bent, is_resistance, shorted
from kanspice.technology import CrossbarDevices, Technology
from kanspice.technology.sections import CURVES_C
from kanspice.technology.standard_values import nearest

_SHORT_REACH = 100.0
"""Volts, in units, up to which a shorted device is a resistance."""


def crossbar_specimen(crossbar: Crossbar, design: Design, technology: Technology, draw: Draw) -> Crossbar:
    devices, tia, columns = technology.devices, technology.tia, (2 * crossbar.width,)
    crossbar = _with_standard_amplifiers(crossbar, technology)
    area = _with_standard_resistors(_quantised(crossbar.area, devices), crossbar, design, technology)
    if devices.area_sigma > 0:
        errors = _errors(crossbar, devices, draw) * _parts(design.devices, devices, "area_sigma")
        area = area * np.maximum(1 + devices.area_sigma * errors, 0.0)
    if devices.area_added_sigma > 0:
        added = devices.area_added_sigma * draw.normal(f"{crossbar.name}.area_added", area.shape)
        area = np.where(area == 0, 0.0, area + added)
    area = area * (1 + devices.current_per_k * (devices.temperature_c - CURVES_C))
    area = area * fraction_left(crossbar.name, area.shape, technology.ageing, draw)
    shift_v = np.zeros(area.shape)
    if devices.shift_sigma_v > 0 or is_traced(devices.shift_sigma_v):
        shifts = draw.normal(f"{crossbar.name}.shift_v", area.shape) * _parts(design.devices, devices, "shift_sigma_v")
        shift_v = devices.shift_sigma_v * shifts
        unshifted = [is_resistance(device.curve) for device in design.devices]
        shift_v[:, :, unshifted | ~np.isin(np.arange(len(unshifted)), crossbar.types)] = 0.0
    if devices.stuck_open > 0:
        area = np.where(draw.uniform(f"{crossbar.name}.stuck_open", area.shape) < devices.stuck_open, 0.0, area)
    if devices.stuck_short > 0:
        is_short = draw.uniform(f"{crossbar.name}.stuck_short", area.shape) < devices.stuck_short
        area = _with_shorts(area, is_short, design.input_v_per_unit / devices.short_ohm / crossbar.current_unit_a)
        shift_v = np.concatenate([shift_v, np.zeros_like(shift_v)], axis=2)
    feedback = 1 + tia.feedback_sigma * draw.normal(f"{crossbar.name}.feedback_ohm", columns)
    current = reference(technology.references.current_sigma, "references.current", draw)
    return replace(
        crossbar,
        area=area,
        shift_v=shift_v,
        bias_a=(crossbar.bias_a + tia.input_bias_a) * current - tia.input_bias_a,
        offset_v=tia.offset_v + tia.offset_sigma_v * draw.normal(f"{crossbar.name}.offset_v", columns),
        subtractor_offset_v=_subtractor_offsets_v(crossbar, technology, draw),
        feedback_ohm=crossbar.feedback_ohm * np.abs(feedback),
        feedback_f=crossbar.feedback_f * spread(f"{crossbar.name}.feedback_f", tia.feedback_f_sigma, columns, draw),
    )


def _subtractor_offsets_v(crossbar: Crossbar, technology: Technology, draw: Draw) -> Array:
    """(pairs,) what the offsets of amplifiers that subtract become at their outputs: (1 + ratio) times as much."""
    tia = technology.tia
    if crossbar.subtractor_ratio == 0:
        return crossbar.subtractor_offset_v
    inputs_v = tia.offset_v + tia.offset_sigma_v * draw.normal(f"{crossbar.name}.subtractor_v", (crossbar.width,))
    return asarray(inputs_v * crossbar.subtractor_gain * (1 + 1 / crossbar.subtractor_ratio))


def _with_standard_amplifiers(crossbar: Crossbar, technology: Technology) -> Crossbar:
    """The crossbar with feedback resistors, subtractors and references of standard resistors.

    Subtractors are chosen for the feedback that there is. A reference is a resistor from a rail.
    """
    series, tia = technology.parts.resistors, technology.tia
    if series == "exact":
        return crossbar
    feedback_ohm = nearest(crossbar.feedback_ohm, series)
    off = number(feedback_ohm[0] / crossbar.feedback_ohm[0])
    return replace(
        crossbar,
        feedback_ohm=feedback_ohm,
        subtractor_gain=number(nearest(asarray(crossbar.subtractor_gain / off), series)),
        subtractor_ratio=number(nearest(asarray(crossbar.subtractor_ratio / off), series))
        if crossbar.subtractor_ratio
        else 0.0,
        column_swing_v=crossbar.column_swing_v * off,
        bias_a=_standard_currents(crossbar.bias_a + tia.input_bias_a, tia.rail_v, technology) - tia.input_bias_a,
    )


def _standard_currents(amps: Array, rail_v: float, technology: Technology) -> Array:
    """Currents through standard resistors from a rail."""
    there = amps != 0
    ohm = nearest(rail_v / np.abs(np.where(there, amps, 1.0)), technology.parts.resistors)
    return np.where(there, np.sign(amps) * rail_v / ohm, 0.0)


def _with_standard_resistors(area: Array, crossbar: Crossbar, design: Design, technology: Technology) -> Array:
    """Areas (rows, pairs, devices) of which those of resistors are standard values."""
    if technology.parts.resistors == "exact":
        return area
    slopes = [device.curve.numpy(np.zeros(1))[1][0] * is_resistance(device.curve) for device in design.devices]
    siemens = np.abs(area) * np.array(slopes) * crossbar.current_unit_a / design.input_v_per_unit
    resistors = siemens > 0
    ohm = 1 / np.where(resistors, siemens, 1.0)
    return np.where(resistors, area * ohm / nearest(ohm, technology.parts.resistors), area)


def _errors(crossbar: Crossbar, devices: CrossbarDevices, draw: Draw) -> Array:
    """Of areas, with a standard deviation of 1: KANalogue's second paper trains and tests with all three."""
    name, shape = f"{crossbar.name}.area", crossbar.area.shape
    match devices.area_error:
        case "normal":
            return draw.normal(name, shape)
        case "uniform":
            return math.sqrt(3) * (2 * draw.uniform(name, shape) - 1)
        case "binary":
            return np.where(draw.uniform(name, shape) < 0.5, -1.0, 1.0)
        case _:
            assert_never(devices.area_error)


def _parts(kinds: Sequence[Device], devices: CrossbarDevices, key: str) -> Array:
    """(devices,) how much each kind of device differs, of the technology's standard deviation: all, or as cards say."""
    if devices.mismatch_of == "all":
        return np.ones(len(kinds))
    said = np.array([0.0 if kind.card.spread is None else getattr(kind.card.spread, key) for kind in kinds])
    return asarray(said / (said.max(initial=0.0) or 1.0))


def _quantised(area: Array, devices: CrossbarDevices) -> Array:
    """Areas that can be made."""
    if devices.area_step > 0 and devices.area_levels > 0:
        raise InputError("areas have two grids", where="devices", expected="area_step or area_levels, not both")
    step = devices.area_step
    if devices.area_levels > 0:
        step = number(np.abs(area).max(initial=0.0)) / devices.area_levels
    return asarray(np.round(area / step) * step) if step > 0 else area


def _with_shorts(area: Array, is_short: npt.NDArray[np.bool_], conductance: float) -> Array:
    """Areas (rows, pairs, 2 * devices): shorted devices are gone, and each has a double that is a resistance."""
    shorts = np.where(is_short, np.sign(area) * conductance, 0.0)
    return np.concatenate([np.where(is_short, 0.0, area), shorts], axis=2)


def devices_of(design: Design, technology: Technology) -> tuple[Device, ...]:
    """The device types of a specimen: behind their series resistances, at their temperature, and as shorts."""
    parts = technology.devices
    warmer = parts.temperature_c - CURVES_C
    if warmer and not (parts.current_per_k or parts.voltage_per_k):
        raise InputError(
            "a temperature would have no effect",
            where="devices.temperature_c",
            expected="devices.current_per_k or devices.voltage_per_k, how the devices change with it",
        )
    series = 0.0
    if design.crossbars:
        series = parts.series_ohm * design.crossbars[0].current_unit_a / design.input_v_per_unit
    changed = [bent(device, series, 1 + parts.voltage_per_k * warmer) for device in design.devices]
    if parts.stuck_short > 0 and design.crossbars:
        changed += [shorted(_SHORT_REACH) for _ in design.devices]
    return tuple(changed)
