"""A period's parts as plain numbers in units: of voltage, of current, and of C V_0 / I_0 for time.

Made of a design whose numbers are traced, they are traced as well.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from kanspice.base.arrays import Array
from kanspice.circuit import Design, NodeLosses, OdePeriod, Switching
from kanspice.circuit.branches import BranchArrays, branches_of
from kanspice.circuit.parts import Schematic


@dataclass(frozen=True)
class SwitchNumbers:
    """Switches between nodes and banks, and the clock of one bank.

    ohm: of a switch that is on. off_leak: conductance to ground of one that is off. others: (nodes,) the same of the
    other banks' that hang on a node. peak: (nodes,) the largest current that pushes charge out while the clock falls.
    rise: how long an edge takes; transfer: how long sampling does, or adding; on, off: when the edges begin.
    """

    ohm: float
    off_leak: float
    others: Array
    peak: Array
    rise: float
    transfer: float
    on: float
    off: float


@dataclass(frozen=True)
class PeriodNumbers:
    """per_current: (nodes,) what a unit of current changes a node by per time. leak, clamp: conductances of a node to
    ground and, beyond supply, to the supply. lag: of the branches' pole; 0 for none. points: when it begins, when its
    clock has corners, and when it is over, or sampled. sampling: how long that takes, 0 where nothing is held.
    """

    unit_v: float
    unit_s: float
    per_current: Array
    leak: float
    supply: float
    clamp: float
    lag: float
    points: tuple[float, ...]
    sampling: float = 0.0
    switches: SwitchNumbers | None = None

    @property
    def clamps(self) -> bool:
        """True where there is a supply that nodes can come to."""
        return math.isfinite(self.supply)


def period_numbers(design: Design, period: OdePeriod) -> PeriodNumbers:
    """Of one of a design's periods."""
    unit_ohm, unit_s = period.unit_v / period.current_unit_a, period.unit_s
    losses = design.losses or NodeLosses(math.inf, math.inf, math.inf)
    numbers = PeriodNumbers(
        unit_v=period.unit_v,
        unit_s=unit_s,
        per_current=changes_per_current(period),
        leak=unit_ohm / losses.leak_ohm,
        supply=losses.supply_v / period.unit_v if losses.clamps else math.inf,
        clamp=unit_ohm / losses.clamp_ohm,
        lag=design.lag_s / unit_s,
        points=(0.0, period.period_s / unit_s),
    )
    if design.switching is None:
        return numbers
    begin_s, end_s = design.spans_s[period.name]
    sampling = design.switching.transfer_s / unit_s if design.holds(period) else 0.0
    switches = _switches(design.switching, period, _banks(design, period))
    rising, falling = (switches.on, switches.on + switches.rise), (switches.off, switches.off + switches.rise / 2)
    points = (0.0, *rising, *falling, switches.off + switches.rise, (end_s - begin_s) / unit_s - sampling)
    return replace(numbers, points=points, sampling=sampling, switches=switches)


def changes_per_current(period: OdePeriod) -> Array:
    """(nodes,) what a unit of current changes them by per time, in units."""
    return period.unit_s * period.current_unit_a / period.unit_v / period.capacitor_f


def driving_branches(period: OdePeriod, schematic: Schematic | None) -> BranchArrays:
    """The period's branches with their gains, ideal sources if there is no schematic."""
    branches = branches_of(period, schematic)
    return replace(branches, weight=period.gain * branches.weight)


def _banks(design: Design, period: OdePeriod) -> Array:
    """(nodes,) how many banks hang on each node's capacitor, its own included."""
    capacitors = design.capacitors
    own = capacitors[[each.name for each in design.periods].index(period.name)]
    return np.array([float(sum(number in numbers for numbers in capacitors)) for number in own])


def _switches(switching: Switching, period: OdePeriod, banks: Array) -> SwitchNumbers:
    unit_s, unit_ohm = period.unit_s, period.unit_v / period.current_unit_a
    off_leak, rise = unit_ohm / switching.off_ohm, switching.rise_s / unit_s
    return SwitchNumbers(
        ohm=switching.on_ohm / unit_ohm,
        off_leak=off_leak,
        others=off_leak * (banks - 1.0),
        peak=period.injected_c / period.current_unit_a / unit_s / (rise / 2),
        rise=rise,
        transfer=switching.transfer_s / unit_s,
        on=period.late_on_s / unit_s,
        off=(period.period_s + period.late_off_s) / unit_s,
    )
