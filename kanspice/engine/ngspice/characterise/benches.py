"""Circuits in which an amplifier is measured; every voltage is from the middle of its supplies, node `mid`.

Feedback is by sources, which load nothing. What a loop does to its amplifier's inputs is read, not assumed, so that a
loop need not be stiff.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from kanspice.base.spice_numbers import spice_number as number
from kanspice.base.spice_numbers import spice_seed
from kanspice.subcircuits.amplifier import Amplifier
from kanspice.subcircuits.characterisation import Load

FED_BACK = 0.1
"""Of the output, in the loop that leads it: inputs are driven apart gently, also where the output has stopped."""
_AT_REST = "reltol=1e-6 vntol=1e-9 abstol=1e-14"
_OVER_TIME = "reltol=1e-4 vntol=1e-7 abstol=1e-12"
LED_TO = 2.0
"""Of half of the supplies' difference: so far the loop leads, which overdrives inputs by a tenth of that half."""


@dataclass(frozen=True)
class ColumnFeedback:
    """What is around a transimpedance amplifier."""

    feedback_ohm: float
    feedback_f: float


@dataclass(frozen=True)
class Ramp:
    """How supplies come up: from this part of what they are, in so many seconds."""

    start: float
    lasts_s: float


@dataclass(frozen=True)
class Benches:
    """The benches of an amplifier. Its nodes: `p` and `m`, its inputs, and `out`."""

    amplifier: Amplifier
    load: Load
    over_time: bool = False
    """Whether transients are run."""

    @property
    def mid_v(self) -> float:
        """The middle of the supplies."""
        return (self.amplifier.vdd_v + self.amplifier.vss_v) / 2

    @property
    def half_v(self) -> float:
        """From there to either supply."""
        return (self.amplifier.vdd_v - self.amplifier.vss_v) / 2

    def loop(self, led_v: float = 0.0, fed_back: float = FED_BACK) -> list[str]:
        """The output is led to where `vt` is: the inverting input gets a tenth of what lacks, or another part of it.

        `vp` and `em` have what the inputs take, `iout` drives the output.
        """
        return [*self._led(number(led_v), fed_back), "Iout mid out dc 0 ac 0"]

    def pulled(self, to: str, led_v: float) -> list[str]:
        """The same, with a resistor to a supply, of 10 to the power of `vu` ohms.

        `vpull` has what the output gives.
        """
        return [
            *self._led(number(led_v), FED_BACK),
            "Vu u 0 9",
            "Bpull out o i=(v(out)-v(o))*pow(10,-v(u))",
            f"Vpull o {to} 0",
        ]

    def _led(self, volts: str, fed_back: float) -> list[str]:
        return [
            *self._part("p", "m", "out"),
            *self._loaded("out"),
            "Vp p mid 0",
            f"Vt t mid dc {volts} ac 1",
            f"Em m mid out t {fed_back}",
        ]

    def follower(self, drive: str = "dc 0") -> list[str]:
        """A wire from the output to the inverting input; `vp` is followed."""
        return [*self._part("p", "out", "out"), *self._loaded("out"), f"Vp p mid {drive}"]

    def inverter(self, drive: str) -> list[str]:
        """A gain of -1 from `vt`, by a divider that loads nothing: as in a network, the inputs stay near the middle."""
        return [
            *self._part("mid", "m", "out"),
            *self._loaded("out"),
            f"Vt t mid {drive}",
            "Bm m mid v=0.5*(v(out,mid)+v(t,mid))",
        ]

    def transimpedance(self, column: ColumnFeedback, drive: str = "dc 0", ramp: Ramp | None = None) -> list[str]:
        """A column: `ii` goes into the inverting input, from which a resistor leads to the output.

        ramp: how the supplies come up; None: they are there.
        """
        capacitor = [f"Cf m out {number(column.feedback_f)}"] if column.feedback_f else []
        return [
            *self._part("mid", "m", "out", ramp),
            *self._loaded("out"),
            f"Rf m out {number(column.feedback_ohm)}",
            *capacitor,
            f"Ii mid m {drive}",
        ]

    def many_loops(self, count: int, seed: int) -> list[str]:
        """As many amplifiers, each in a loop of its own: `m0`, `m1`, ... are their inverting inputs."""
        lines = [*self._around(), f".options seed={spice_seed(seed)}"]
        for index in range(count):
            lines += self._instance(f"dut{index}", "mid", f"m{index}", f"out{index}")
            lines += self._loaded(f"out{index}", str(index))
            lines.append(f"Em{index} m{index} mid out{index} mid {FED_BACK}")
        return lines

    def _part(self, plus: str, minus: str, out: str, ramp: Ramp | None = None) -> list[str]:
        return [*self._around(ramp), *self._instance("dut", plus, minus, out)]

    def _around(self, ramp: Ramp | None = None) -> list[str]:
        """Definitions, tolerances, supplies."""
        amplifier = self.amplifier
        return [
            *amplifier.definition(),
            f".options temp={number(amplifier.temperature_c)} {_OVER_TIME if self.over_time else _AT_REST}",
            f"Vvdd vdd 0 {_supply(amplifier.vdd_v, ramp)}",
            f"Vvss vss 0 {_supply(amplifier.vss_v, ramp)}",
            f"Vmid mid 0 {_supply(self.mid_v, ramp)}",
        ]

    def _instance(self, name: str, plus: str, minus: str, out: str) -> list[str]:
        return self.amplifier.instance(name, plus=plus, minus=minus, out=out, vdd="vdd", vss="vss")

    def _loaded(self, out: str, index: str = "") -> list[str]:
        lines = [f"Cload{index} {out} mid {number(self.load.farad)}"] if self.load.farad else []
        return (
            lines if math.isinf(self.load.ohm) else [*lines, f"Rload{index} {out} mid {number(self.load.ohm)} noisy=0"]
        )


def _supply(volts: float, ramp: Ramp | None) -> str:
    return (
        number(volts) if ramp is None else f"pwl(0 {number(ramp.start * volts)} {number(ramp.lasts_s)} {number(volts)})"
    )
