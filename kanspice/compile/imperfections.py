"""One specimen of a design: the same circuit with its parts as they come out of production.

Names of draws: the stage and the array, `l1.crossbar.area`; what a specimen has once has a name of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from kanspice.design import Crossbar, Design, FilterBank, Limiter, OdePeriod, Stage, SynapseBank
from kanspice.design.branches import with_offsets
from kanspice.devices import Device, PiecewisePolynomial, behind, shorted
from kanspice.draws import Draw
from kanspice.errors import InputError
from kanspice.technology import CrossbarDevices, Filters, Synapses, Technology
from kanspice.technology.sections import CURVES_C

Array = npt.NDArray[np.float64]

_SHORT_REACH = 100.0
"""Volts, in units, up to which a shorted device is a resistance."""

_LEAST = 0.05
"""Of what a part should be: one that would come out smaller would be thrown away."""


def made(design: Design, technology: Technology, draw: Draw) -> Design:
    """The specimen of a nominal design that `draw` draws, and the noise that its inputs have.

    Raises InputError for imperfections that contradict each other, or what the devices are.
    """
    stages = _with_kept_capacitors([_stage(stage, design, technology, draw) for stage in design.stages])
    devices = _devices(design, technology)
    if technology.devices.stuck_short > 0 and design.crossbars:
        devices = (*devices, *(shorted(_SHORT_REACH) for _ in devices))
    return replace(design, stages=stages, devices=devices, seed=draw.seed)


def _stage(stage: Stage, design: Design, technology: Technology, draw: Draw) -> Stage:
    if isinstance(stage, Crossbar):
        return _crossbar(stage, design, technology, draw)
    if isinstance(stage, Limiter) and stage.kind == "clip":
        factor = _reference(technology.references.clip_sigma, "references.clip", draw)
        return replace(stage, low_v=stage.low_v * factor, high_v=stage.high_v * factor)
    if isinstance(stage, FilterBank):
        return _filters(stage, technology.filters, draw)
    if isinstance(stage, SynapseBank):
        return _synapses(stage, technology.synapses, draw)
    return _period(stage, technology, draw) if isinstance(stage, OdePeriod) else stage


def _reference(sigma: float, name: str, draw: Draw) -> float:
    """What a reference is, relative to what it should be."""
    return float(1 + sigma * draw.normal(name, (1,))[0])


def _crossbar(crossbar: Crossbar, design: Design, technology: Technology, draw: Draw) -> Crossbar:
    devices, tia, columns = technology.devices, technology.tia, (2 * crossbar.width,)
    area = _quantised(crossbar.area, devices)
    if devices.area_sigma > 0:
        area = area * np.maximum(1 + devices.area_sigma * draw.normal(f"{crossbar.name}.area", area.shape), 0.0)
    area = area * (1 + devices.current_per_k * (devices.temperature_c - CURVES_C))
    shift_v = devices.shift_sigma_v * draw.normal(f"{crossbar.name}.shift_v", area.shape)
    if devices.stuck_open > 0:
        area = np.where(draw.uniform(f"{crossbar.name}.stuck_open", area.shape) < devices.stuck_open, 0.0, area)
    if devices.stuck_short > 0:
        is_short = draw.uniform(f"{crossbar.name}.stuck_short", area.shape) < devices.stuck_short
        area = _with_shorts(area, is_short, design.input_v_per_unit / devices.short_ohm / crossbar.current_unit_a)
        shift_v = np.concatenate([shift_v, np.zeros_like(shift_v)], axis=2)
    feedback = 1 + tia.feedback_sigma * draw.normal(f"{crossbar.name}.feedback_ohm", columns)
    reference = _reference(technology.references.current_sigma, "references.current", draw)
    return replace(
        crossbar,
        area=area,
        shift_v=shift_v,
        bias_a=(crossbar.bias_a + tia.input_bias_a) * reference - tia.input_bias_a,
        offset_v=tia.offset_sigma_v * draw.normal(f"{crossbar.name}.offset_v", columns),
        feedback_ohm=crossbar.feedback_ohm * np.abs(feedback),
        feedback_f=crossbar.feedback_f * _spread(f"{crossbar.name}.feedback_f", tia.feedback_f_sigma, columns, draw),
    )


def _quantised(area: Array, devices: CrossbarDevices) -> Array:
    """Areas that can be made."""
    if devices.area_step > 0 and devices.area_levels > 0:
        raise InputError("areas have two grids", where="devices", expected="area_step or area_levels, not both")
    step = devices.area_step
    if devices.area_levels > 0:
        step = float(np.abs(area).max(initial=0.0)) / devices.area_levels
    return np.asarray(np.round(area / step) * step) if step > 0 else area


def _with_shorts(area: Array, is_short: npt.NDArray[np.bool_], conductance: float) -> Array:
    """Areas (rows, pairs, 2 * devices): shorted devices are gone, and each has a double that is a resistance."""
    shorts = np.where(is_short, np.sign(area) * conductance, 0.0)
    return np.concatenate([np.where(is_short, 0.0, area), shorts], axis=2)


def _devices(design: Design, technology: Technology) -> tuple[Device, ...]:
    """The devices behind their series resistances, at their temperature."""
    parts = technology.devices
    warmer = parts.temperature_c - CURVES_C
    if warmer and not (parts.current_per_k or parts.voltage_per_k):
        raise InputError(
            "a temperature would have no effect",
            where="devices.temperature_c",
            expected="devices.current_per_k or devices.voltage_per_k, how the devices change with it",
        )
    changed = []
    for device in design.devices:
        curve = device.curve
        if parts.series_ohm > 0:
            curve = behind(curve, parts.series_ohm * design.crossbars[0].current_unit_a / design.input_v_per_unit)
        if warmer and parts.voltage_per_k:
            curve = curve.stretched(1 + parts.voltage_per_k * warmer)
        if curve is device.curve:
            changed.append(device)
        else:
            changed.append(device.with_curve(curve if isinstance(curve, PiecewisePolynomial) else behind(curve, 0.0)))
    return tuple(changed)


def _period(period: OdePeriod, technology: Technology, draw: Draw) -> OdePeriod:
    nodes, branches, switches = technology.kirchhoffnet, technology.branches, technology.switches
    each, ends = (period.branches,), (2, period.branches)
    off = 1 + nodes.capacitor_sigma * draw.normal(f"{period.name}.capacitor_f", (period.nodes,))
    theta = period.theta
    if branches.offset_sigma_v > 0:
        offsets_v = branches.offset_sigma_v * draw.normal(f"{period.name}.offset_v", ends)
        theta = with_offsets(period.law, theta, offsets_v / period.unit_v)
    charge = draw.normal(f"{period.name}.injected_c", (period.nodes,))
    late_on, late_off = switches.skew_s * draw.uniform(f"{period.name}.late_s", (2,))
    return replace(
        period,
        theta=theta,
        capacitor_f=period.capacitor_f * np.maximum(off, _LEAST),
        gain=np.maximum(1 + branches.gain_sigma * draw.normal(f"{period.name}.gain", each), 0.0),
        tail=np.maximum(1 + branches.pair_sigma * draw.normal(f"{period.name}.tail", each), _LEAST),
        injected_c=switches.injected_c + switches.injected_sigma_c * charge,
        late_on_s=float(late_on),
        late_off_s=float(late_off),
    )


def _filters(bank: FilterBank, parts: Filters, draw: Draw) -> FilterBank:
    def spread(name: str) -> Array:
        return _spread(f"{bank.name}.{name}", parts.component_sigma, bank.gain.shape, draw)

    return replace(
        bank,
        gain=bank.gain * _spread(f"{bank.name}.gain", parts.gain_sigma, bank.gain.shape, draw),
        high_ohm=bank.high_ohm * spread("high_ohm"),
        high_f=bank.high_f * spread("high_f"),
        low_ohm=bank.low_ohm * spread("low_ohm"),
        low_f=bank.low_f * spread("low_f"),
        offset_v=parts.offset_sigma_v * draw.normal(f"{bank.name}.offset_v", bank.gain.shape),
    )


def _synapses(bank: SynapseBank, parts: Synapses, draw: Draw) -> SynapseBank:
    def spread(name: str, sigma: float) -> Array:
        return _spread(f"{bank.name}.{name}", sigma, bank.gain.shape, draw)

    return replace(
        bank,
        gain=bank.gain * spread("gain", parts.gain_sigma),
        load_ohm=bank.load_ohm * spread("load_ohm", parts.resistance_sigma),
        input_ohm=bank.input_ohm * spread("input_ohm", parts.resistance_sigma),
        series_ohm=bank.series_ohm * spread("series_ohm", parts.resistance_sigma),
        alpha_per_v=bank.alpha_per_v * spread("alpha_per_v", parts.alpha_sigma),
        saturation_a=bank.saturation_a * spread("saturation_a", parts.current_sigma),
    )


def _spread(name: str, sigma: float, shape: tuple[int, ...], draw: Draw) -> Array:
    """What parts are, of what they should be."""
    return np.maximum(1 + sigma * draw.normal(name, shape), _LEAST)


def _with_kept_capacitors(stages: Sequence[Stage]) -> tuple[Stage, ...]:
    """The same, where the nodes that a period and the one before it both have are the same capacitors."""
    kept: list[Stage] = []
    for stage in stages:
        before = next((earlier for earlier in reversed(kept) if isinstance(earlier, OdePeriod)), None)
        if isinstance(stage, OdePeriod) and before is not None:
            known_f = before.capacitor_f[: stage.nodes]
            kept.append(replace(stage, capacitor_f=np.concatenate([known_f, stage.capacitor_f[len(known_f) :]])))
        else:
            kept.append(stage)
    return tuple(kept)
