"""A crossbar on its way to the circuit: its feedback, the scale of its outputs and its capacitors are chosen.

All of that rests on what its rows have: those of the samples that the circuit is sized for, or, without samples,
whatever they can have.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from kanspice.base.arrays import Array
from kanspice.base.errors import InputError
from kanspice.base.traced import asarray, number, plain
from kanspice.circuit import Crossbar
from kanspice.circuit.compile.capacitors import chosen_feedback_f, least_slopes, least_slopes_anywhere
from kanspice.circuit.poles import FeedbackLoop
from kanspice.circuit.stages.crossbar import by_column
from kanspice.devices import Device
from kanspice.technology import Technology, Tia

_BLOCK = 512
"""Samples whose device currents are held at a time."""


@dataclass(frozen=True)
class CrossbarDraft:
    """A crossbar in units of its devices' current, before it is built.

    area: (rows, pairs, devices), signed. bias: (pairs,) units of current. current_unit_a: amps of such a unit.
    current_per_unit: units of current that an output of one model unit is made of.
    output_scale: of the output's voltage, below 1 where it would not fit the rails. has_wires: False for devices that
    stand alone, one to a row, and are no array: their nodes have the capacitance of one crosspoint, and no resistance.
    """

    name: str
    compares_to: str
    area: Array
    bias: Array
    current_unit_a: float
    current_per_unit: float = 1.0
    output_scale: float = 1.0
    feedback_ohm: float = 0.0
    feedback_f: float = 0.0
    column_swing_v: float = 0.0
    has_wires: bool = True


class Drive(ABC):
    """What a crossbar's rows have, in volts per unit of the devices' curves."""

    @abstractmethod
    def column_currents(self, draft: CrossbarDraft, devices: Sequence[Device]) -> tuple[Array, Array]:
        """Those of positive and of negative columns, each (cases, pairs), bias included, in units of current."""

    @abstractmethod
    def row_currents(self, draft: CrossbarDraft, devices: Sequence[Device]) -> Array:
        """(rows,) what each row takes at most if its devices' currents have one sign, in units of current."""

    @abstractmethod
    def outputs(self, draft: CrossbarDraft, devices: Sequence[Device]) -> Array:
        """(cases, pairs) in model units."""

    @abstractmethod
    def least_slopes(self, draft: CrossbarDraft, devices: Sequence[Device]) -> Array:
        """The most negative slope of every column's current, (2 * pairs,) in units of current per unit of voltage."""


@dataclass(frozen=True)
class SampleRows(Drive):
    """Rows of samples, (samples, rows)."""

    rows: Array

    def column_currents(self, draft: CrossbarDraft, devices: Sequence[Device]) -> tuple[Array, Array]:
        blocks = [self.rows[start : start + _BLOCK] for start in range(0, len(self.rows), _BLOCK)]
        pairs = [_pair(_basis(devices, block), draft) for block in blocks]
        positive, negative = zip(*pairs, strict=True)
        return np.concatenate(positive), np.concatenate(negative)

    def row_currents(self, draft: CrossbarDraft, devices: Sequence[Device]) -> Array:
        blocks = [self.rows[start : start + _BLOCK] for start in range(0, len(self.rows), _BLOCK)]
        areas = np.abs(draft.area).sum(axis=1)
        most = [np.einsum("crk,rk->cr", np.abs(_basis(devices, block)), areas).max(axis=0) for block in blocks]
        return asarray(np.max(most, axis=0))

    def outputs(self, draft: CrossbarDraft, devices: Sequence[Device]) -> Array:
        positive, negative = self.column_currents(draft, devices)
        outputs: Array = (positive - negative) / draft.current_per_unit
        return outputs

    def least_slopes(self, draft: CrossbarDraft, devices: Sequence[Device]) -> Array:
        return least_slopes(devices, by_column(draft.area), self.rows)


@dataclass(frozen=True)
class AnyRows(Drive):
    """Rows between two voltages, each by itself; infinite ends are those of the curves.

    currents: (2, devices), the least and the greatest that a device of each type can carry.
    """

    low: float
    high: float
    currents: Array

    def column_currents(self, draft: CrossbarDraft, devices: Sequence[Device]) -> tuple[Array, Array]:
        return _pair(np.broadcast_to(self.currents[:, None, :], (2, draft.area.shape[0], len(devices))), draft)

    def row_currents(self, draft: CrossbarDraft, devices: Sequence[Device]) -> Array:
        return asarray(np.abs(draft.area).sum(axis=1) @ np.abs(self.currents).max(axis=0))

    def outputs(self, draft: CrossbarDraft, devices: Sequence[Device]) -> Array:
        positive, negative = self.column_currents(draft, devices)
        outputs: Array = (positive - np.flip(negative, axis=0)) / draft.current_per_unit
        return outputs

    def least_slopes(self, draft: CrossbarDraft, devices: Sequence[Device]) -> Array:
        return least_slopes_anywhere(devices, by_column(draft.area), self.low, self.high)


def check_resistor_rows(resistor: Device, layer: int, rows: Array) -> None:
    """Raises InputError for rows of a layer, in units of voltage, beyond what a resistor of a crossbar is meant for."""
    largest, most = plain(np.abs(rows).max()), resistor.curve.hi_v
    if largest > most:
        raise InputError(
            f"the inputs of layer {layer} are larger than a resistor of a crossbar is meant for",
            expected=f"at most {most:g} in units of voltage, of either sign",
            found=f"{largest:.4g}",
            hint="train the network on inputs of about 1, or put the scale into its first layer's weights",
        )


def check_amplifiers(tia: Tia) -> None:
    """Raises InputError for amplifiers of which one property needs another."""
    if math.isfinite(tia.gbw_hz):
        return
    if math.isfinite(tia.slew_v_per_s):
        problem = "an amplifier that slews has a bandwidth"
        raise InputError(problem, where="tia.slew_v_per_s", expected="also tia.gbw_hz", hint="set tia.gbw_hz")
    if tia.feedback_f not in ("chosen", 0.0):
        problem = "a feedback capacitor acts on an amplifier with a bandwidth"
        raise InputError(problem, where="tia.feedback_f", expected="also tia.gbw_hz", hint="set tia.gbw_hz")


def with_feedback(
    draft: CrossbarDraft, drive: Drive, devices: Sequence[Device], technology: Technology
) -> CrossbarDraft:
    """Chooses the feedback so that the largest column current stays within rail x headroom.

    The nominal feedback, one voltage unit for the current of a model unit, is kept where it fits; the subtractor
    restores the scale.
    """
    nominal_ohm = technology.units.v_unit_v / (draft.current_unit_a * draft.current_per_unit)
    peak = max(np.abs(side).max() for side in drive.column_currents(draft, devices))
    peak_a = number(peak) * draft.current_unit_a
    feedback_ohm = min(nominal_ohm, _limit_v(technology) / peak_a) if peak_a > 0 else nominal_ohm
    return replace(draft, feedback_ohm=feedback_ohm, column_swing_v=feedback_ohm * peak_a)


def with_output_scale(
    draft: CrossbarDraft, drive: Drive, devices: Sequence[Device], technology: Technology
) -> CrossbarDraft:
    """Shrinks outputs to fit the rails, for what follows and can take them so."""
    peak_v = number(np.abs(drive.outputs(draft, devices)).max()) * technology.units.v_unit_v
    return replace(draft, output_scale=min(1.0, _limit_v(technology) / peak_v) if peak_v > 0 else 1.0)


def with_feedback_capacitor(
    draft: CrossbarDraft, drive: Drive, devices: Sequence[Device], technology: Technology
) -> CrossbarDraft:
    """Chooses the feedback capacitor for the steepest fall that the currents of a column take together."""
    technology = technology.plain()  # no answer depends on a capacitor
    tia = technology.tia
    if math.isinf(tia.gbw_hz):
        return draft
    if tia.feedback_f != "chosen":
        return replace(draft, feedback_f=float(tia.feedback_f))
    draft, drive, whole = plain(draft), plain(drive), draft
    stage = built(draft, technology)
    siemens = drive.least_slopes(draft, devices) * draft.current_unit_a / technology.units.v_unit_v
    loop = FeedbackLoop(draft.feedback_ohm, 0.0, stage.output_ohm, stage.open_loop_gain, tia.gbw_hz)
    return replace(whole, feedback_f=chosen_feedback_f(siemens, stage.column_capacitance_f, loop))


def of_one_type(area: Array, place: int, types: int) -> Array:
    """Areas (rows, pairs) of one type of devices, at its place among all types: (rows, pairs, types)."""
    before, after = (np.zeros((*area.shape, count)) for count in (place, types - place - 1))
    return np.concatenate([before, area[:, :, None], after], axis=2)


def built(draft: CrossbarDraft, technology: Technology) -> Crossbar:
    """The nominal stage."""
    units, tia, wires = technology.units, technology.tia, technology.wires
    (rows, pairs, _), present = draft.area.shape, float(draft.has_wires)
    crosspoints_f = (1.0, 1.0) if draft.has_wires else (1 / (2 * pairs), 1 / rows)  # of a row, of a column: one in all
    output_v_per_unit = units.v_unit_v * draft.output_scale
    current_a = draft.current_unit_a * draft.current_per_unit
    ratio = output_v_per_unit / current_a / draft.feedback_ohm
    are_amplifiers = tia.used_for == "all"
    loaded = _loaded(tia, ratio, draft.feedback_ohm) if are_amplifiers else _Loaded(tia.gain, tia.output_ohm, ratio)
    return Crossbar(
        name=draft.name,
        compares_to=draft.compares_to,
        area=draft.area,
        shift_v=np.zeros_like(draft.area),
        bias_a=by_column(draft.bias[None, :, None])[0, :, 0] * draft.current_unit_a - tia.input_bias_a,
        current_unit_a=draft.current_unit_a,
        feedback_ohm=draft.feedback_ohm * np.ones(2 * pairs),
        feedback_f=draft.feedback_f * np.ones(2 * pairs),
        offset_v=np.zeros(2 * pairs),
        open_loop_gain=loaded.gain,
        subtractor_gain=loaded.subtractor_gain,
        subtractor_ratio=ratio if are_amplifiers else 0.0,
        subtractor_ohm=tia.subtractor_ohm,
        output_v_per_unit=output_v_per_unit,
        column_swing_v=draft.column_swing_v,
        rail_v=tia.rail_v,
        output_ohm=loaded.output_ohm,
        swing_v=tia.swing_v,
        driver_ohm=wires.driver_ohm * present,
        row_ohm=wires.row_ohm * present,
        column_ohm=wires.column_ohm * present,
        gbw_hz=tia.gbw_hz,
        slew_v_per_s=tia.slew_v_per_s,
        junction_f=technology.devices.junction_f,
        row_f=wires.row_f * crosspoints_f[0],
        column_f=wires.column_f * crosspoints_f[1],
    )


class _Loaded(NamedTuple):
    """Amplifiers of columns with what subtractors take of them, and what subtractors make of differences."""

    gain: float
    output_ohm: float
    subtractor_gain: float


def _loaded(tia: Tia, ratio: float, feedback_ohm: float) -> _Loaded:
    """Where subtractors are amplifiers, whose resistors load both columns' alike if these have about the same voltage.

    Loads, the feedback among them, divide the gain; they are no resistance behind the pole: with a capacitor from its
    output back to its first stage an amplifier has less gain into a load, and the same bandwidth. A subtractor's own
    output drives its feedback.
    """
    if math.isinf(tia.gain):
        return _Loaded(tia.gain, 0.0, ratio)
    in_ohm = tia.subtractor_ohm * max(1.0, 1.0 / ratio)
    of_subtractor = tia.output_ohm / (in_ohm * (1 + ratio))
    own_gain = tia.gain / (1 + of_subtractor)
    gain = tia.gain / (1 + of_subtractor + tia.output_ohm / feedback_ohm)
    return _Loaded(gain, 0.0, ratio / (1 + (1 + ratio) / own_gain))


def row_siemens(draft: CrossbarDraft, devices: Sequence[Device], technology: Technology) -> Array:
    """(rows,) what each row takes per volt, from it to columns at 0 V: on average over its devices' ranges."""
    per_volt = np.array([_siemens(device) for device in devices])
    siemens: Array = np.abs(draft.area).sum(axis=1) @ per_volt * draft.current_unit_a / technology.units.v_unit_v
    return siemens


def _siemens(device: Device) -> float:
    currents, volts = np.abs(device.sampled[0]).mean(), np.abs([device.curve.lo_v, device.curve.hi_v]).max()
    return float(2 * currents / volts)


def _limit_v(technology: Technology) -> float:
    """What an amplifier's largest expected output may be."""
    return technology.tia.rail_v * technology.tia.headroom


def _pair(basis: Array, draft: CrossbarDraft) -> tuple[Array, Array]:
    return _sum(basis, draft, 1.0), _sum(basis, draft, -1.0)


def _sum(basis: Array, draft: CrossbarDraft, sign: float) -> Array:
    area = np.maximum(sign * draft.area, 0.0)
    columns = area.transpose(0, 2, 1).reshape(-1, area.shape[1])
    current: Array = basis.reshape(len(basis), -1) @ columns + np.maximum(sign * draft.bias, 0.0)
    return current


def _basis(devices: Sequence[Device], volts: Array) -> Array:
    return np.stack([device.curve.currents(volts) for device in devices], axis=-1)
