"""Periods of a KirchhoffNet: voltage times current of every branch, over the waveforms that were kept."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.integrate import trapezoid

from kanspice.base.arrays import Array
from kanspice.circuit import Design, OdePeriod, Switching
from kanspice.circuit.branches import branch_currents_a
from kanspice.engine.solution import Solution, Waveform
from kanspice.gap.costs.cost import MeasuredCost, StageCost, largest_of, mean_of

_BLOCK_NUMBERS = 2**22


def ode_period_cost(design: Design, period: OdePeriod, solution: Solution) -> MeasuredCost:
    """Of the samples whose waveforms were kept, in their order."""
    start_s = design.spans_s[period.name][0]
    waveforms = [waveform for waveform in solution.waveforms if waveform.stage == period.name]
    exchanged = np.array([_of_sample(design, period, waveform, start_s) for waveform in waveforms]).reshape(-1, 2)
    energy_j, charge_c = exchanged.T
    powers_w = energy_j / design.inference_s
    cost = StageCost(
        name=period.name,
        devices=period.branches,
        amplifiers=0,
        areas=None,
        power_w=mean_of(powers_w),
        largest_power_w=largest_of(powers_w),
        parts_w=_parts_w(powers_w, of_supplies=design.transistors is not None),
        energy_j=mean_of(energy_j),
        charge_c=mean_of(charge_c),
    )
    assumptions = _assumptions(waveforms, of_supplies=design.transistors is not None)
    return MeasuredCost(cost, len(waveforms), lasts=True, assumptions=assumptions, energy_j=energy_j, charge_c=charge_c)


def _parts_w(powers_w: Array, *, of_supplies: bool) -> dict[str, float]:
    mean_w = mean_of(powers_w)
    return {} if mean_w is None else {"supplies" if of_supplies else "branches": mean_w}


def _assumptions(waveforms: Sequence[Waveform], *, of_supplies: bool) -> tuple[str, ...]:
    if not waveforms:
        return ("energy is measured over waveforms, and none were kept: `--waveforms N` keeps those of N samples",)
    if of_supplies:
        return (
            "the energy is what the two supplies of the transistors deliver while a period lasts, that of its"
            " amplifiers included; read-out and setting the nodes are not counted",
            "the charge is what flows from one supply to the other",
        )
    return (
        "the energy of a branch is the integral of |voltage across it times its current|: what it takes becomes heat,"
        " what it gives comes from a supply",
        "the charge is the integral of all branches' |currents|: times a supply's voltage, what class-A branches draw",
        "branches are seen at the voltages of their nodes; read-out, setting the nodes, holding and"
        " adding voltages, digital layers and what else hangs on them are not counted",
    )


def _of_sample(design: Design, period: OdePeriod, waveform: Waveform, start_s: float) -> tuple[float, float]:
    """A period's energy in one sample, joules, and charge: of its supplies, where they are known, else of branches."""
    if design.transistors is None or waveform.supply_w is None:
        return _exchanged(design, period, waveform, start_s)
    delivered_j = float(trapezoid(waveform.supply_w, waveform.time_s))
    return delivered_j, delivered_j / (2 * design.transistors.cells.rail_v)


def _exchanged(design: Design, period: OdePeriod, waveform: Waveform, start_s: float) -> tuple[float, float]:
    """What a period's branches exchange with its nodes in one sample, joules, and the charge that they carry."""
    time_s, node_v = waveform.time_s, waveform.node_v
    size = max(2, _BLOCK_NUMBERS // max(period.branches, 1))
    on = _on(period, design.switching, time_s - start_s)
    powers_w, currents_a = np.empty(len(time_s)), np.empty(len(time_s))
    pole = _Pole(design.lag_s, start_s + period.late_on_s, period.branches)
    for first in range(0, len(time_s), size):
        part = slice(first, first + size)
        current_a, across_v = branch_currents_a(period, design.schematic, node_v[part])
        if design.lag_s > 0:
            current_a = pole.through(time_s[part], current_a)
        powers_w[part] = on[part] * np.abs(current_a * across_v).sum(axis=1)
        currents_a[part] = on[part] * np.abs(current_a).sum(axis=1)
    return float(trapezoid(powers_w, time_s)), float(trapezoid(currents_a, time_s))


class _Pole:
    """What a pole makes of the currents of branches, point by point: they are idle until a moment, then begin at 0."""

    def __init__(self, lag_s: float, begins_s: float, branches: int) -> None:
        self.lag_s, self.time_s = lag_s, begins_s
        self.law_a: Array | None = None
        self.late_a = np.zeros(branches)

    def through(self, time_s: Array, law_a: Array) -> Array:
        """(points, branches) amps for those of the laws, straight lines between the points (points,) in time."""
        late_a = np.empty_like(law_a)
        for place, (now_s, now_a) in enumerate(zip(time_s.tolist(), law_a, strict=True)):
            step = max(now_s - self.time_s, 0.0) / self.lag_s
            if step > 0:
                before_a = now_a if self.law_a is None else self.law_a
                left, mean = np.exp(-step), -np.expm1(-step) / step
                self.late_a = left * self.late_a + (mean - left) * before_a + (1 - mean) * now_a
                self.time_s = now_s
            self.law_a = now_a
            late_a[place] = self.late_a
        return late_a


def _on(period: OdePeriod, switching: Switching | None, since_s: Array) -> Array:
    """(points,) the part of its branches' currents that a period's clock lets through."""
    if switching is None:
        return np.ones_like(since_s)
    rise_s = switching.rise_s
    on: Array = np.clip(np.minimum(since_s / rise_s, 1 - (since_s - period.period_s) / rise_s), 0, 1)
    return on
