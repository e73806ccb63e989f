"""Devices, branches and filters as subcircuits that bear their names: the same circuit, written for readers.

A name is made of letters, digits and underscores whatever a card calls its device, so that none can be a second line.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from kanspice.base.resources import NETLISTS
from kanspice.base.spice_numbers import spice_number
from kanspice.circuit import Crossbar, FilterBank, OdePeriod
from kanspice.circuit.branch_laws import LAWS, BranchLaw
from kanspice.devices import Curve, Device
from kanspice.engine.netlist.branches import branches_of, carries_current
from kanspice.engine.netlist.cells import Cell, CrossbarRow, Placed
from kanspice.engine.netlist.keywords import RESERVED

FILTER = "filter_law"
_LONGEST = 40
_OURS = "kan_"
"""What modules that stand for elements are called begins so."""
_NO_BRACES = str.maketrans("", "", "{}")
_OTHERS = re.compile(r"[^a-z0-9_]+")


def device_names(devices: Sequence[Device]) -> list[str]:
    """The name of each device type's subcircuit: its card's, as far as it is letters, digits and underscores."""
    taken = RESERVED | {path.stem for path in NETLISTS.glob("*.cir")} | {FILTER}
    names = list[str]()
    for device in devices:
        plain = _OTHERS.sub("_", device.name.lower())[:_LONGEST].strip("_")
        is_free = plain[:1].isalpha() and not plain.startswith(_OURS)
        wanted = plain if is_free else f"device_{plain}".rstrip("_")
        name, number = wanted, 1
        while name in taken:
            number += 1
            name = f"{wanted}_{number}"
        taken |= {name}
        names.append(name)
    return names


def named_cells(
    devices: Sequence[Device], curves: Sequence[Curve], crossbar: Crossbar, *, shifts: bool
) -> tuple[NamedCell, ...]:
    """The cells of the device types that a crossbar has. curves: in volts. shifts: some device has one."""
    names = device_names(devices)
    return tuple(NamedCell(place, curves[place], names[place], shifts=shifts) for place in crossbar.types.tolist())


@dataclass(frozen=True)
class NamedCell(Cell):
    """The whole curve in every device, as a subcircuit of the device's name: exact everywhere."""

    name: str
    shifts: bool

    def row_lines(self, row: CrossbarRow) -> Iterator[str]:
        """Nothing is shared."""
        del row
        yield from ()

    def device(self, placed: Placed) -> str:
        """scale_a * phi(row - column - shift)."""
        row = placed.row
        at = f"{row.layer}_r{row.number}_c{placed.pair}{placed.sign}_{self.name}"
        shift = f" shift={spice_number(placed.shift_v)}" if placed.shift_v else ""
        return f"X{at} {' '.join(placed.ends)} {self.name} amps={spice_number(placed.scale_a)}{shift}"

    def written_out(self, placed: Placed) -> str:
        """The source inside."""
        return self._source(placed, self.curve.spice(f"v({','.join(placed.ends)})"))

    @property
    def function(self) -> str:
        """Name of the subcircuit."""
        return self.name

    @property
    def definition(self) -> str:
        """The subcircuit: from a to k flows amps * phi(v(a,k) - shift)."""
        volts, parameters = ("v(a,k)-{shift}", " shift=0") if self.shifts else ("v(a,k)", "")
        lines = [
            f"* A device: from a to k flow amps * phi({volts.translate(_NO_BRACES)}), phi the curve of its card.",
            "*   amps   its size: one unit of current, times its area",
            *(["*   shift  volts by which its curve is moved"] if self.shifts else []),
            f"* From {self.curve.lo_v:g} V to {self.curve.hi_v:g} V; beyond them the current stays what it is there.",
            f".subckt {self.name} a k params: amps=1e-06{parameters}",
            f"Bphi a k i={self.curve.spice(volts)} m={{amps}}",
            f".ends {self.name}\n",
        ]
        return "\n".join(lines)


def branch_subcircuit(law: BranchLaw) -> str:
    """The name of a branch law's subcircuit: `ShiftRelu1` -> `branch_shiftrelu1`."""
    return "branch_" + _OTHERS.sub("_", law.name.lower())


def branch_definition(law: BranchLaw) -> str:
    """The subcircuit: from s to d flow amps * activation(alpha v(s) + beta v(d) + gamma)."""
    name = branch_subcircuit(law)
    return (
        f"* A branch: from s to d flow amps * law(x), x = alpha v(s) + beta v(d) + gamma, dimensionless.\n"
        f".subckt {name} s d params: amps=1e-06 alpha=1 beta=-1 gamma=0\n"
        "Gs 0 x s 0 {alpha}\n"
        "Gd 0 x d 0 {beta}\n"
        "Ix 0 x {gamma}\n"
        "Rx x 0 1\n"
        f"Blaw s d i={law.activation.text('v(x)')} m={{amps}}\n"
        f".ends {name}\n"
    )


def named_branch_lines(period: OdePeriod, nodes: Sequence[str]) -> Iterator[str]:
    """Every branch that carries a current, as an instance; nodes: those of the bank by their numbers, ground first."""
    branch, law = branches_of(period, nodes), LAWS[period.law]
    for index in np.flatnonzero(carries_current(period)).tolist():
        each = branch(index)
        amps = each.weight * each.gain * period.current_unit_a
        ends, factors = (each.source, each.destination), (each.alpha, each.beta)
        if amps < 0:  # a source's multiplier is not below zero: the current is taken the other way round
            ends, factors = ends[::-1], factors[::-1]
        values = {"amps": abs(amps), "alpha": factors[0] / period.unit_v, "beta": factors[1] / period.unit_v}
        values["gamma"] = each.gamma
        texts = " ".join(f"{key}={spice_number(value)}" for key, value in values.items())
        yield f"X{each.name} {ends[0]} {ends[1]} {branch_subcircuit(law)} {texts}"


def filter_definition(bank: FilterBank) -> str:
    """A filter as its amplitude law: gets the row's frequency as a voltage, and gives its detector's as a current.

    Its parts are those of its RC networks, high-pass and low-pass; gbw and hold: of amplifiers and of its detector,
    where they are not ideal.
    """
    high = "v(tone)*{6.283185307179586*highr*highc}"
    low = "v(tone)*{6.283185307179586*lowr*lowc}"
    text = f"{{gain*sine}}*{high}/sqrt((1+({high})^2)*(1+({low})^2))"
    parameters = "highr=1meg highc=1p lowr=1meg lowc=1p gain=1 sine=1 offset=0"
    if math.isfinite(bank.amplifier_hz):
        parameters += " gbw=1meg"
        text += "/((1+(v(tone)*{1/gbw})^2)*sqrt(1+(v(tone)*{(1+abs(gain))/gbw})^2))"
    if math.isfinite(bank.hold_s):
        parameters += " hold=1"
        text += "*(1-exp(-({0.5/hold}/max(v(tone),1e-6))))/({0.5/hold}/max(v(tone),1e-6))"
    lines = [
        "* A filter and its detector as their law: at v(tone) hertz a sine of so many volts comes out so large.",
        "*   tone         frequency, a volt per hertz",
        "*   col          column: gets an amp per volt of the detector, with the sign of the gain",
        "*   highr, highc resistor and capacitor of its high-pass",
        "*   lowr, lowc   of its low-pass",
        "*   gain, sine   of its amplifier, and of what comes in",
        "*   offset       of its detector",
        f".subckt {FILTER} tone col params: {parameters}",
        f"Blaw 0 col i={text}+{{offset}}",
        f".ends {FILTER}\n",
    ]
    return "\n".join(lines)


def named_filter(bank: FilterBank, at: tuple[int, int, int], name: str, tone: str, column: str) -> str:
    """One filter of a bank, between its row's frequency and its column."""
    sign = math.copysign(1.0, float(bank.gain[at]))
    values = {
        "highr": bank.high_ohm[at],
        "highc": bank.high_f[at],
        "lowr": bank.low_ohm[at],
        "lowc": bank.low_f[at],
        "gain": bank.gain[at],
        "sine": bank.sine_v,
    }
    if bank.offset_v[at]:
        values["offset"] = sign * bank.offset_v[at]
    if math.isfinite(bank.amplifier_hz):
        values["gbw"] = bank.amplifier_hz
    if math.isfinite(bank.hold_s):
        values["hold"] = bank.hold_s
    texts = " ".join(f"{key}={spice_number(float(value))}" for key, value in values.items())
    return f"X{name} {tone} {column} {FILTER} {texts}"
