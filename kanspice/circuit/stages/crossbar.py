"""Devices between rows and differential pairs of columns, with the amplifiers that read the columns."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from kanspice.base.arrays import Array, Indices
from kanspice.circuit.stages.earlier import NONE_EARLIER
from kanspice.devices import Device

if TYPE_CHECKING:
    from kanspice.circuit.design import Design

_BLOCK_NUMBERS = 8_000_000


@dataclass(frozen=True)
class Crossbar:
    """Devices between rows and differential pairs of columns, one TIA per column, and the pair's subtractor.

    The current of device k between row i (voltage r) and its column (voltage c) is
    `|area[i, j, k]| * current_unit_a * phi_k(r - c - shift_v[i, j, k])`, from row to column; a positive area puts it
    on the positive column of pair j, a negative one on the negative column. Devices of the same row and column share a
    crosspoint; `wires` says what lies between crosspoints. `bias_a` enters the columns besides.
    A TIA with feedback R, open-loop gain A and offset V0 holds its column at V0 (A = inf) and turns its current I into
    V0 - R I; `amplifiers` says what it does in general. The pair's output is
    `subtractor_gain * (V_negative - V_positive)`, and `subtractor_offset_v` besides.
    """

    KIND: ClassVar[str] = "crossbar"
    is_behavioural: ClassVar[bool] = False
    name: str
    compares_to: str
    area: Array
    """(rows, pairs, devices), signed, in units of the reference device."""
    shift_v: Array
    """(rows, pairs, devices), by which devices' curves are shifted along their voltage."""
    bias_a: Array
    """(2 * pairs,), into every column, amps: reference currents, less what the amplifiers' inputs take."""
    current_unit_a: float
    feedback_ohm: Array
    """(2 * pairs,), positive and negative columns in turn."""
    feedback_f: Array
    """(2 * pairs,), across each feedback resistor. Like all capacitances it acts in transients, and for stability."""
    offset_v: Array
    """(2 * pairs,), input-referred, volts."""
    open_loop_gain: float
    subtractor_gain: float
    output_v_per_unit: float
    column_swing_v: float
    """Largest TIA output expected, volts: what the feedback was chosen for."""
    rail_v: float
    """Largest output that amplifiers are meant to give, volts, either sign: a sample that needs more has failed."""
    output_ohm: float = 0.0
    """Output resistance of the amplifiers."""
    swing_v: float = math.inf
    """Where the amplifiers' outputs, and the subtractors', really stop, volts, either sign; then no sample fails."""
    driver_ohm: float = 0.0
    """Between a row's voltage and the row."""
    row_ohm: float = 0.0
    """Of a row's wire from one crosspoint to the next, and from its driver to the first."""
    column_ohm: float = 0.0
    """Of a column's wire from one crosspoint to the next, and from the last to its amplifier."""
    gbw_hz: float = math.inf
    """Gain-bandwidth product of the amplifiers. This and what follows act in transients only."""
    slew_v_per_s: float = math.inf
    """How fast the amplifiers' outputs change at most."""
    junction_f: float = 0.0
    """Across a device of area 1."""
    row_f: float = 0.0
    """Of a row to ground at every crosspoint."""
    column_f: float = 0.0
    """Of a column to ground at every crosspoint."""
    subtractor_offset_v: Array = field(default_factory=lambda: np.zeros(1))
    """(pairs,) what a subtractor gives besides, volts; one value for all will do."""
    subtractor_ratio: float = 0.0
    """Of an amplifier as subtractor: of its resistors, which its gain comes near; 0 for an ideal one."""
    subtractor_ohm: float = 1e5
    """The smaller of them."""

    @property
    def width(self) -> int:
        """Number of outputs (column pairs)."""
        return int(self.area.shape[1])

    @property
    def rows(self) -> int:
        """Number of inputs."""
        return int(self.area.shape[0])

    @cached_property
    def column_area(self) -> Array:
        """What each column holds, positive and negative in turn: (rows, 2 * pairs, devices), at least 0."""
        return by_column(self.area)

    @cached_property
    def _areas_of_columns(self) -> Array:
        """What each column holds of each device type, (2 * pairs, devices)."""
        areas: Array = self.column_area.sum(axis=0)
        return areas

    @cached_property
    def types(self) -> Indices:
        """The device types that it has any of, by their places on the last axis of `area`; all if it has no device."""
        used = np.flatnonzero(self.area.any(axis=(0, 1)))
        return used if used.size else np.arange(self.area.shape[2])

    @property
    def device_count(self) -> int:
        """Devices that exist: those with a non-zero area."""
        return int(np.count_nonzero(self.area))

    @property
    def holds_columns(self) -> bool:
        """True when the columns sit at exactly their amplifiers' offsets, whatever the devices do."""
        return math.isinf(self.open_loop_gain)

    @property
    def has_wires(self) -> bool:
        """True when rows or columns are not at one voltage each."""
        return max(self.driver_ohm, self.row_ohm, self.column_ohm) > 0

    @property
    def unknowns(self) -> int:
        """How many voltages are solved for: each column's and each amplifier's."""
        return 2 * self.width

    @property
    def amplifies_rounding(self) -> bool:
        """True where a solution in double precision is rounded by more than its last digits: along wires."""
        return max(self.row_ohm, self.column_ohm) > 0

    @property
    def takes_time(self) -> bool:
        """True when its outputs follow its inputs with a delay."""
        return math.isfinite(self.gbw_hz) or max(self.junction_f, self.row_f, self.column_f) > 0

    @property
    def has_slow_amplifiers(self) -> bool:
        """True when amplifiers have a bandwidth, so that devices whose currents fall can make columns grow."""
        return math.isfinite(self.gbw_hz)

    @cached_property
    def column_capacitance_f(self) -> Array:
        """(2 * pairs,) of every column to nodes that are driven: wires and devices."""
        farads: Array = self.column_f * self.rows + self.junction_f * self.column_area.sum(axis=(0, 2))
        return farads

    @property
    def sees_rows_only(self) -> bool:
        """True when every device is between its row's voltage and exactly 0 V, whatever the others do."""
        return self.holds_columns and not self.offset_v.any() and not self.has_own_voltages

    @property
    def has_own_voltages(self) -> bool:
        """True when devices of the same row, type and column voltage need not see the same voltage."""
        return self.has_wires or bool(self.shift_v.any())

    def fits(self, width: int, devices: int) -> bool:
        """Whether it can stand behind so many outputs, with so many types of devices."""
        if self.area.ndim != 3 or self.area.shape[::2] != (width, devices) or self.shift_v.shape != self.area.shape:
            return False
        columns = (2 * self.width,)
        if any(part.shape != columns for part in (self.bias_a, self.feedback_ohm, self.feedback_f, self.offset_v)):
            return False
        if min(self.output_ohm, self.driver_ohm, self.row_ohm, self.column_ohm, self.subtractor_ratio) < 0:
            return False
        if self.subtractor_offset_v.shape not in ((1,), (self.width,)) or self.subtractor_ohm <= 0:
            return False
        if bool((self.feedback_f < 0).any()) or (self.feedback_f.any() and not self.has_slow_amplifiers):
            return False
        return bool((self.feedback_ohm > 0).all()) and self.swing_v > 0

    def ideal_v(self, design: Design, input_v: Array, _earlier_v: Mapping[str, Array] = NONE_EARLIER) -> Array:
        """The outputs (samples, pairs) for rows (samples, rows) where every column is at 0 V."""
        size = max(1, _BLOCK_NUMBERS // (self.rows * len(design.devices)))
        parts = [input_v[start : start + size] for start in range(0, len(input_v), size)]
        return np.concatenate([self._at_ground_v(design, part) for part in parts])

    def lasts_s(self, _design: Design) -> None:
        """It follows what is before it at once."""

    def largest_v(self, design: Design, _before_v: Array, _earlier_v: Mapping[str, Array]) -> Array:
        """(pairs,) what its outputs cannot exceed, either sign, whatever the rows do."""
        columns_a = self.largest_column_currents_a(largest_currents(design.devices))
        columns_v: Array = columns_a * np.maximum(self.feedback_ohm, self._passed_ohm) + np.abs(self.offset_v)
        outputs_v: Array = columns_v.reshape(-1, 2).sum(axis=1) * self.subtractor_gain
        return outputs_v + np.abs(self.subtractor_offset_v)

    @property
    def _passed_ohm(self) -> float:
        """What a column's current makes of an amplifier's output through the feedback resistor, past its output stage.

        An output stage of resistance Ro that gives e lets the output at e + Ro I; within its swing that is
        I (Ro - A R) / (1 + A), R being the feedback.
        """
        if self.holds_columns:
            return 0.0
        return self.output_ohm / (1.0 if math.isfinite(self.swing_v) else 1 + self.open_loop_gain)

    def largest_column_currents_a(self, largest: Array) -> Array:
        """Worst-case |current| of every column, (2 * pairs,) amps, bias included; largest: of every device type."""
        currents_a: Array = self._areas_of_columns @ largest * self.current_unit_a
        return currents_a + np.abs(self.bias_a)

    def _at_ground_v(self, design: Design, rows_v: Array) -> Array:
        """sum_i sum_k area phi_k(row) and the bias, through feedback and subtractor."""
        units = rows_v / design.input_v_per_unit
        basis = np.stack([device.curve.numpy(units)[0] for device in design.devices], axis=-1)
        areas = self.column_area.transpose(0, 2, 1).reshape(-1, 2 * self.width)
        amps = basis.reshape(len(rows_v), -1) @ areas * self.current_unit_a + self.bias_a
        columns_v: Array = amps * self.feedback_ohm
        return (columns_v[:, ::2] - columns_v[:, 1::2]) * self.subtractor_gain + self.subtractor_offset_v


def by_column(area: Array) -> Array:
    """Signed areas (rows, pairs, devices) as what each column holds: (rows, 2 * pairs, devices), at least 0."""
    rows, pairs, devices = area.shape
    both = np.stack([np.maximum(area, 0), np.maximum(-area, 0)], axis=2)
    columns: Array = both.reshape(rows, 2 * pairs, devices)
    return columns


def largest_currents(devices: Sequence[Device]) -> Array:
    """max |phi_k| of every device type over its range, in current units, (K,)."""
    largest: Array = np.abs(current_ranges(devices)).max(axis=0)
    return largest


def current_ranges(devices: Sequence[Device]) -> Array:
    """Smallest and largest phi_k of every device type over its range, in current units, (2, K)."""
    return np.array([device.current_range for device in devices]).reshape(len(devices), 2).T
