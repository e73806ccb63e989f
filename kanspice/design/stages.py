"""What a compiled circuit is made of: a chain of stages, each a frozen bundle of arrays in SI units.

Nothing here knows SPICE or torch. Both engines read this and nothing else.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy.constants import Boltzmann

from kanspice.design.branches import LawName
from kanspice.design.connections import FilterBank, SynapseBank
from kanspice.devices import Device
from kanspice.draws import Draw

Array = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]
LimiterKind = Literal["none", "clip", "sigmoid", "tanh"]
FillName = Literal["zeros", "repeat"]
_MOST_LEFT_OUT = 0.9


@dataclass(frozen=True)
class Limiter:
    """Element-wise input stage of a layer: clipper, sigmoid, tanh or a plain wire.

    What arrives is first lowered by `shift_v`. `none` passes it on; `clip` limits to [low_v, high_v]; `sigmoid` and
    `tanh` act on the voltage in units of `input_v_per_unit` and give units of `unit_v`. With a knee k a clip is a
    resistor and two diodes: its output v solves `v + k exp((v - high) / k) - k exp((low - v) / k) = input`.
    """

    name: str
    compares_to: str
    width: int
    kind: LimiterKind
    low_v: float
    high_v: float
    input_v_per_unit: float
    unit_v: float
    shift_v: Array
    """(width,)"""
    knee_v: float = 0.0
    """n k T / q of a clip's diodes, volts; 0 is an ideal clip."""
    reach: float = math.inf
    """What a sigmoid acts on is limited to so many units of `input_v_per_unit`, of either sign."""

    @property
    def output_v_per_unit(self) -> float:
        """Volts at the output per model unit."""
        return self.unit_v

    @property
    def is_behavioural(self) -> bool:
        """Whether it is its formula, and no circuit."""
        return self.kind in ("sigmoid", "tanh")


@dataclass(frozen=True)
class Crossbar:
    """Devices between rows and differential pairs of columns, one TIA per column, and the pair's subtractor.

    The current of device k between row i (voltage r) and its column (voltage c) is
    `|area[i, j, k]| * current_unit_a * phi_k(r - c - shift_v[i, j, k])`, from row to column; a positive area puts it
    on the positive column of pair j, a negative one on the negative column. Devices of the same row and column share a
    crosspoint; `wires` says what lies between crosspoints. `bias_a` enters the columns besides.
    A TIA with feedback R, open-loop gain A and offset V0 holds its column at V0 (A = inf) and turns its current I into
    V0 - R I; `amplifiers` says what it does in general. The pair's output is
    `subtractor_gain * (V_negative - V_positive)`.
    """

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


def by_column(area: Array) -> Array:
    """Signed areas (rows, pairs, devices) as what each column holds: (rows, 2 * pairs, devices), at least 0."""
    rows, pairs, devices = area.shape
    both = np.stack([np.maximum(area, 0), np.maximum(-area, 0)], axis=2)
    columns: Array = both.reshape(rows, 2 * pairs, devices)
    return columns


@dataclass(frozen=True)
class LayerNorm:
    """Behavioural block: normalises a sample over the layer's outputs (no circuit for it exists in the papers).

    `out_j = gain_v[j] * (in_j - mean) / sqrt(variance + eps_v2) + offset_v[j]`, biased variance.
    """

    name: str
    compares_to: str
    gain_v: Array
    offset_v: Array
    eps_v2: float
    output_v_per_unit: float

    @property
    def width(self) -> int:
        """Number of outputs."""
        return int(self.gain_v.shape[0])


@dataclass(frozen=True)
class OdePeriod:
    """Branches between node capacitors that are left alone for a time; node 0 is ground, at 0 V.

    The current of branch e, from node source[e] to node destination[e], is `current_unit_a * gain[e] *
    g(v_source / unit_v, v_destination / unit_v, theta[:, e])`, g the law's dimensionless function.
    Nodes start at the voltages of the stage before, node 1 at the first of them. What is too much is dropped; new
    nodes start at 0 V (`zeros`), or take the voltages from the first on over again (`repeat`).
    """

    name: str
    compares_to: str
    inputs: int
    nodes: int
    fill: FillName
    law: LawName
    source: Indices
    destination: Indices
    theta: Array
    """(parameters, branches), in the order of the law's rows."""
    current_unit_a: float
    unit_v: float
    unit_s: float
    """What model time 1 takes with capacitors as they should be."""
    capacitor_f: Array
    """(nodes,) from every node to ground."""
    period_s: float
    gain: Array
    """(branches,) what a branch carries, of what it should; 0 or more."""
    tail: Array
    """(branches,) tail current of a schematic's differential pair, of what it should be, at the same transconductance;
    above 0."""
    injected_c: Array
    """(nodes,) coulombs that switching the bank off pushes onto each node, while its clock falls."""
    late_on_s: float
    """By how much the clock's rising edge comes late, seconds; 0 or more."""
    late_off_s: float
    """The same of its falling edge."""

    @property
    def width(self) -> int:
        """Number of nodes, ground left out."""
        return self.nodes

    @property
    def branches(self) -> int:
        """Number of branches."""
        return int(self.source.shape[0])

    @property
    def output_v_per_unit(self) -> float:
        """Volts at a node per model unit."""
        return self.unit_v

    def start_v(self, before_v: Array) -> Array:
        """The nodes' voltages (samples, nodes) at the beginning for those of the stage before, (samples, inputs).

        Voltages of all nodes (samples, nodes) are what it begins with.
        """
        given = before_v.shape[1]
        if given >= self.nodes:
            return before_v[:, : self.nodes]
        if self.fill == "zeros":
            return np.pad(before_v, ((0, 0), (0, self.nodes - given)))
        return np.tile(before_v, (1, -(-self.nodes // given)))[:, : self.nodes]


@dataclass(frozen=True)
class HeldSum:
    """A residual: the voltages of the period before, and those that an earlier one ended with, which were held since.

    A node's capacitor stands on a buffer of the voltage that was held for it, which is switched on here and left on: so
    its upper plate rises by that voltage, and no charge flows into it.
    """

    name: str
    compares_to: str
    held: str
    """The name of the period whose ends are held."""
    width: int
    unit_v: float

    @property
    def output_v_per_unit(self) -> float:
        """Volts at a node per model unit."""
        return self.unit_v


@dataclass(frozen=True)
class ReadOut:
    """The outputs: `width` nodes of the stage before, the first of them its output `start` (from 0)."""

    name: str
    compares_to: str
    start: int
    width: int
    unit_v: float

    @property
    def output_v_per_unit(self) -> float:
        """Volts per model unit."""
        return self.unit_v


@dataclass(frozen=True)
class DigitalLayer:
    """A linear layer that a computer makes of what the read-out gives: no part of the circuit, and in no netlist.

    `out_j = sum_i weight[i, j] in_i + offset_v[j]`. Its outputs are numbers; they are kept in volts, `unit_v` each, as
    those of the stages before are.
    """

    name: str
    compares_to: str
    weight: Array
    """(inputs, outputs)"""
    offset_v: Array
    """(outputs,)"""
    unit_v: float

    @property
    def width(self) -> int:
        """Number of outputs."""
        return int(self.offset_v.shape[0])

    @property
    def output_v_per_unit(self) -> float:
        """Volts per model unit."""
        return self.unit_v

    def computed_v(self, volts: Array) -> Array:
        """Its outputs (samples, outputs) for voltages read out, (samples, inputs)."""
        return np.asarray(volts @ self.weight + self.offset_v)


@dataclass(frozen=True)
class Schematic:
    """Branches built as Fig. 5 of the KirchhoffNet paper draws them; without one they are ideal sources.

    Resistances of the one-sided switches of ReLUs, the output resistance of a general ReLU's current sources, a
    differential pair's tail current and a VCCS's largest current in units of current.
    """

    switch_on_ohm: float
    switch_off_ohm: float
    source_ohm: float
    pair_saturation: float
    vccs_saturation: float


@dataclass(frozen=True)
class Switching:
    """All periods in one circuit: switches between the nodes and the banks, and clocks that do not overlap.

    A bank is switched on and off along a straight line that takes rise_s, so that it is on for its period if rise and
    fall count half; then every node is left alone for hold_s, less what its clock is late. A bank that is on is behind
    on_ohm; one that is off draws v / off_ohm from each of its nodes. Where voltages are held for later, sampling them
    takes transfer_s after that, and adding them another.
    """

    on_ohm: float
    off_ohm: float
    rise_s: float
    hold_s: float
    transfer_s: float = 0.0
    """Above 0 where there is a `HeldSum`."""


@dataclass(frozen=True)
class NodeLosses:
    """What hangs on every node of a KirchhoffNet besides its capacitor and its branches, at all times.

    A node at v loses v / leak_ohm; beyond supply_v, of either sign, also (|v| - supply_v) / clamp_ohm towards it.
    """

    leak_ohm: float
    supply_v: float
    clamp_ohm: float

    @property
    def clamps(self) -> bool:
        """True where there is a supply that nodes can come to."""
        return math.isfinite(self.supply_v)


@dataclass(frozen=True)
class Converter:
    """An ideal DAC or ADC: 2**bits levels from low_v to high_v, both included; what is beyond them becomes an end."""

    bits: int
    low_v: float
    high_v: float

    def convert(self, volts: Array) -> Array:
        """The nearest levels."""
        step_v = (self.high_v - self.low_v) / (2**self.bits - 1)
        levels = np.round((np.clip(volts, self.low_v, self.high_v) - self.low_v) / step_v)
        converted: Array = self.low_v + levels * step_v
        return converted


Stage = Limiter | Crossbar | LayerNorm | OdePeriod | HeldSum | ReadOut | DigitalLayer | FilterBank | SynapseBank
Connections = FilterBank | SynapseBank


@dataclass(frozen=True)
class Design:
    """A whole circuit: its device types and its chain of stages, from input voltages to output voltages.

    After it there may be a `DigitalLayer`, which an `adc` comes before.
    """

    family: str
    model_sha256: str
    technology_json: str
    devices: tuple[Device, ...]
    """Device types, in the order of the last axis of every crossbar's areas."""
    input_width: int
    input_v_per_unit: float
    swing_basis: str
    """Where the expected swings come from: sample inputs or the worst case."""
    stages: tuple[Stage, ...]
    schematic: Schematic | None = None
    """How branches are built; ideal sources if None."""
    switching: Switching | None = None
    """How periods follow each other; by ideal switches, and so each by itself, if None."""
    losses: NodeLosses | None = None
    """What the nodes of periods lose; nothing if None."""
    jitter_s: float = 0.0
    """Standard deviation of when the outputs of periods are taken. A bank that no switch ends is on until then."""
    dac: Converter | None = None
    adc: Converter | None = None
    input_noise_v: float = 0.0
    """Standard deviation of the noise on every input."""
    noise_k: float = 0.0
    """Temperature of the thermal noise on the capacitors of periods, kelvin."""
    seed: int = 0
    """Which specimen of the technology this is, and which noise its inputs have."""

    @property
    def has_noise(self) -> bool:
        """Whether `seed` also draws something for every sample, besides the specimen that the stages already are."""
        return max(self.input_noise_v, self.jitter_s, self.noise_k) > 0 or bool(self.noisy_banks)

    @property
    def noisy_banks(self) -> tuple[SynapseBank, ...]:
        """The banks whose outputs are noisy, in order."""
        return tuple(bank for bank in self.banks if isinstance(bank, SynapseBank) and bank.is_noisy)

    def inputs_v(self, inputs: Array, numbers: Sequence[int] | None = None) -> Array:
        """The voltages (samples, inputs) that inputs in model units arrive as: converted, and with their noise.

        After them, the noise on the outputs of `noisy_banks`: what an engine drives a circuit with. With thermal noise,
        what all nodes of the first period begin at, (samples, nodes).
        numbers: which samples these are, for what is drawn for each of them; 0 and on if None.
        """
        volts = inputs * self.input_v_per_unit
        if self.dac is not None:
            volts = self.dac.convert(volts)
        if self.input_noise_v > 0:
            volts = volts + self.input_noise_v * self._drawn("inputs", numbers, volts.shape)
        if self.noise_k > 0 and self.periods:
            first = self.periods[0]
            volts = first.start_v(volts)
            noise_v = np.sqrt(Boltzmann * self.noise_k / first.capacitor_f)
            volts = volts + noise_v * self._drawn(f"{first.name}.start_v", numbers, volts.shape)
        noises = [
            bank.read_noise_v * self._drawn(f"{bank.name}.read_v", numbers, (len(inputs), bank.width))
            for bank in self.noisy_banks
        ]
        return np.concatenate([volts, *noises], axis=1) if noises else volts

    def read_noise_v(self, samples: int, numbers: Sequence[int] | None = None) -> Array:
        """(samples, nodes read out) what reading periods out adds to them: thermal noise of their capacitors.

        numbers: as for `inputs_v`.
        """
        last, readout = self.periods[-1], self.last_of_circuit
        chosen = slice(readout.start, readout.start + readout.width) if isinstance(readout, ReadOut) else slice(None)
        noise_v = np.sqrt(Boltzmann * self.noise_k / last.capacitor_f[chosen])
        drawn = self._drawn(f"{readout.name}.read_v", numbers, (samples, len(noise_v)))
        return np.asarray(noise_v * drawn)

    def read_late_s(self, samples: int, numbers: Sequence[int] | None = None) -> Array:
        """(samples,) by how much later than `inference_s` each sample's outputs are taken: jitter, of either sign.

        numbers: as for `inputs_v`. At most nine tenths of the last period are left out.
        """
        if self.jitter_s == 0:
            return np.zeros(samples)
        last_s = self.periods[-1].period_s
        if self.switching is not None and self.sum_after(self.periods[-1]) is not None:
            last_s = self.switching.transfer_s
        earliest_s = -_MOST_LEFT_OUT * last_s
        return np.maximum(self.jitter_s * self._drawn("readout.late_s", numbers, (samples,)), earliest_s)

    def _drawn(self, name: str, numbers: Sequence[int] | None, shape: tuple[int, ...]) -> Array:
        """Standard normal numbers (samples, ...) of samples: the same for a sample, whatever others are with it."""
        if numbers is None:
            return Draw(self.seed).normal(name, shape)
        return Draw(self.seed).normal(name, (max(numbers, default=-1) + 1, *shape[1:]))[list(numbers)]

    @property
    def crossbars(self) -> tuple[Crossbar, ...]:
        """The crossbar stages, in order."""
        return tuple(stage for stage in self.stages if isinstance(stage, Crossbar))

    @property
    def periods(self) -> tuple[OdePeriod, ...]:
        """The periods of a circuit whose answers are voltages after a time, in order; none for operating points."""
        return tuple(stage for stage in self.stages if isinstance(stage, OdePeriod))

    @property
    def banks(self) -> tuple[Connections, ...]:
        """The stages whose connections are circuits of their own, in order."""
        return tuple(stage for stage in self.stages if isinstance(stage, FilterBank | SynapseBank))

    def sum_after(self, period: OdePeriod) -> HeldSum | None:
        """The sum that a period's voltages go into, if one does."""
        pairs = pairwise(self.stages)
        after = next((after for before, after in pairs if before.name == period.name), None)
        return after if isinstance(after, HeldSum) else None

    def carried_v(self, period: OdePeriod, ends_v: Mapping[str, Array]) -> Array:
        """What is carried on from a period, (samples, nodes) volts, where switches and buffers are ideal.

        ends_v: period -> the voltages that it ended with, this one's among them.
        """
        held = self.sum_after(period)
        return ends_v[period.name] if held is None else ends_v[period.name] + ends_v[held.held]

    @cached_property
    def spans_s(self) -> dict[str, tuple[float, float]]:
        """When each period and each sum begins and has come to its voltages, seconds since the inference began."""
        held = {stage.held for stage in self.stages if isinstance(stage, HeldSum)}
        spans_s, at_s, off_s, transfer_s = {}, 0.0, 0.0, 0.0
        if self.switching is not None:
            off_s, transfer_s = self.switching.rise_s + self.switching.hold_s, self.switching.transfer_s
        for stage in self.stages:
            if isinstance(stage, OdePeriod | HeldSum):
                lasts_s = transfer_s
                if isinstance(stage, OdePeriod):
                    lasts_s = stage.period_s + off_s + transfer_s * (stage.name in held)
                spans_s[stage.name] = at_s, at_s + lasts_s
                at_s += lasts_s
        return spans_s

    @property
    def begins_s(self) -> tuple[float, ...]:
        """When each period begins."""
        return tuple(self.spans_s[period.name][0] for period in self.periods)

    @property
    def ends_s(self) -> tuple[float, ...]:
        """When each period is over, and held if there are switches."""
        return tuple(self.spans_s[period.name][1] for period in self.periods)

    @property
    def inference_s(self) -> float:
        """How long all periods, or all banks of filters, take together, seconds; 0 where there are none."""
        if self.periods:
            return max(end_s for _, end_s in self.spans_s.values())
        return sum(bank.slot_s for bank in self.banks if isinstance(bank, FilterBank))

    @property
    def output_width(self) -> int:
        """Number of outputs of the last stage."""
        return self.stages[-1].width

    @property
    def digital(self) -> DigitalLayer | None:
        """What the circuit's outputs go through outside of it, if there is anything."""
        last = self.stages[-1]
        return last if isinstance(last, DigitalLayer) else None

    @property
    def last_of_circuit(self) -> Stage:
        """The stage whose outputs leave the circuit."""
        return self.stages[-1] if self.digital is None else self.stages[-2]

    @property
    def device_count(self) -> int:
        """Devices in all crossbars, branches in all periods, and filters or synapses in all connections."""
        devices = sum(crossbar.device_count for crossbar in self.crossbars) + sum(p.branches for p in self.periods)
        return devices + sum(bank.connections for bank in self.banks)

    @property
    def is_ideal(self) -> bool:
        """True when every device on a row sees the row's voltage, so that `shared` and `device` are one circuit."""
        return bool(self.crossbars) and all(crossbar.sees_rows_only for crossbar in self.crossbars)
