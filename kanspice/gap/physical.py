"""What an inference costs: power, energy and time, from the currents and voltages that were simulated.

Crossbars: what their drivers deliver into the rows (voltage times current), and what class-AB amplifiers draw from
their rails for the currents they give. KirchhoffNets: voltage times current of every branch, over the waveforms.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from scipy.integrate import trapezoid

from kanspice.design import Crossbar, Design, FilterBank, Limiter, OdePeriod, Switching, SynapseBank
from kanspice.solution import Solution, Waveform
from kanspice.solver.branches import branch_currents_a

Array = npt.NDArray[np.float64]

_BLOCK_NUMBERS = 2**22
_AMPLIFIERS: Mapping[type, int] = {FilterBank: 3, SynapseBank: 1}
"""Per connection: two followers and an inverting amplifier of a filter, the gain stage of a synapse."""


@dataclass(frozen=True)
class Areas:
    """Of a crossbar's devices that exist, in units of the reference device."""

    total: float
    largest: float
    smallest: float


@dataclass(frozen=True)
class StageCost:
    """One crossbar with the drivers of its rows, or one period of a KirchhoffNet.

    devices: of a crossbar, or branches. amplifiers: of columns, subtractors and row drivers.
    power_w, largest_power_w: mean over the samples, and of the sample that takes most; None where not measured.
    parts_w: what the mean is the sum of. energy_j, charge_c: per inference, mean over the samples; None likewise.
    """

    name: str
    devices: int
    amplifiers: int
    areas: Areas | None
    power_w: float | None = None
    largest_power_w: float | None = None
    parts_w: Mapping[str, float] = field(default_factory=dict)
    energy_j: float | None = None
    charge_c: float | None = None


@dataclass(frozen=True)
class PhysicalCost:
    """Of a whole inference. What is None is not known, and the last of `assumptions` says why.

    samples: how many it was measured on. latency_s: from the inputs to the outputs. power_w, largest_power_w,
    energy_j, charge_c: as of a stage, all together.
    """

    samples: int
    latency_s: float | None
    power_w: float | None
    largest_power_w: float | None
    energy_j: float | None
    charge_c: float | None
    stages: tuple[StageCost, ...]
    assumptions: tuple[str, ...]

    @property
    def devices(self) -> int:
        """Devices of all crossbars, or branches of all periods."""
        return sum(stage.devices for stage in self.stages)

    @property
    def amplifiers(self) -> int:
        """Of all stages."""
        return sum(stage.amplifiers for stage in self.stages)


def physical_cost(design: Design, solution: Solution, quiescent_a: float) -> PhysicalCost:
    """The cost of an inference as far as the solution tells. quiescent_a: from both rails, per amplifier."""
    if design.banks:
        return _of_banks(design, solution)
    return _of_periods(design, solution) if design.periods else _of_crossbars(design, solution, quiescent_a)


def crossbar_powers_w(crossbar: Crossbar, rows_v: Array, row_a: Array, amplifier_a: Array) -> dict[str, Array]:
    """What a crossbar takes but for quiescent currents, part by part, (samples,) watts each.

    rows_v, row_a: (samples, rows) at what drives the rows; amplifier_a: (samples, columns) what output stages take.
    """
    delivered = rows_v * row_a
    drawn = crossbar.rail_v * np.abs(row_a)
    references_w = crossbar.rail_v * float(np.abs(crossbar.bias_a).sum())
    return {
        "rows": delivered.sum(axis=1),
        "drivers": np.maximum(drawn - delivered, 0.0).sum(axis=1),
        "references": np.full(len(row_a), references_w),
        "amplifiers": crossbar.rail_v * np.abs(amplifier_a).sum(axis=1),
    }


def amplifier_count(crossbar: Crossbar) -> int:
    """One per row, one per column, one per pair of columns."""
    return crossbar.rows + 3 * crossbar.width


def quiescent_w(crossbar: Crossbar, quiescent_a: float) -> float:
    """What a crossbar's amplifiers take when they give nothing."""
    return 2 * crossbar.rail_v * quiescent_a * amplifier_count(crossbar)


def areas_of(crossbar: Crossbar) -> Areas | None:
    """None for a crossbar without devices."""
    area = np.abs(crossbar.area[crossbar.area != 0])
    return Areas(float(area.sum()), float(area.max()), float(area.min())) if area.size else None


def _of_crossbars(design: Design, solution: Solution, quiescent_a: float) -> PhysicalCost:
    solved, stages, totals = solution.solved, [], []
    for before, crossbar in zip(design.stages, design.stages[1:], strict=False):
        if not (isinstance(before, Limiter) and isinstance(crossbar, Crossbar)):
            continue
        rows_v = solution.stage_v[before.name][solved]
        row_a, amplifier_a = solution.row_a[crossbar.name][solved], solution.amplifier_a[crossbar.name][solved]
        parts = crossbar_powers_w(crossbar, rows_v, row_a, amplifier_a)
        parts["quiescent"] = np.full(len(rows_v), quiescent_w(crossbar, quiescent_a))
        total = np.sum(list(parts.values()), axis=0)
        totals.append(total)
        stages.append(
            StageCost(
                name=crossbar.name,
                devices=crossbar.device_count,
                amplifiers=amplifier_count(crossbar),
                areas=areas_of(crossbar),
                power_w=_mean(total),
                largest_power_w=_largest(total),
                parts_w={name: float(part.mean()) for name, part in parts.items() if part.size},
            )
        )
    whole = np.sum(totals, axis=0)
    return PhysicalCost(
        samples=int(solved.sum()),
        latency_s=None,
        power_w=_mean(whole),
        largest_power_w=_largest(whole),
        energy_j=None,
        charge_c=None,
        stages=tuple(stages),
        assumptions=crossbar_assumptions(design, quiescent_a),
    )


def crossbar_assumptions(design: Design, quiescent_a: float) -> tuple[str, ...]:
    """What a power of crossbars rests on."""
    rail_v = design.crossbars[0].rail_v
    return (
        "amplifiers, row drivers included, have class-AB output stages and draw the current that they give from rails"
        f" of plus and minus {rail_v:g} V (tia.rail_v), and {quiescent_a:g} A each besides (supply.quiescent_a)",
        "reference currents come from a rail",
        "converters, LayerNorm and digital control are not counted",
        "an operating point has no duration",
    )


def _of_banks(design: Design, solution: Solution) -> PhysicalCost:
    """What connections are made of; what they draw depends on parts that no published circuit names."""
    stages = tuple(
        StageCost(bank.name, bank.connections, _AMPLIFIERS[type(bank)] * bank.connections + bank.width, None)
        for bank in design.banks
    )
    unknown = "the power of amplifiers, detectors and oscillators is not known: none is published"
    latency_s = design.inference_s if solution.engine_options["fidelity"] == "transient" else None
    return PhysicalCost(int(solution.solved.sum()), latency_s, None, None, None, None, stages, (unknown,))


def _of_periods(design: Design, solution: Solution) -> PhysicalCost:
    samples = sorted({waveform.sample for waveform in solution.waveforms})
    found: dict[str, list[tuple[float, float]]] = {period.name: [] for period in design.periods}
    starts_s = dict(zip((period.name for period in design.periods), design.begins_s, strict=True))
    periods = {period.name: period for period in design.periods}
    for waveform in solution.waveforms:
        period = periods[waveform.stage]
        found[waveform.stage].append(_exchanged(design, period, waveform, starts_s[waveform.stage]))
    stages = tuple(_period_cost(period, np.array(found[period.name]), design.inference_s) for period in design.periods)
    energies = np.array([[energy for energy, _ in found[period.name]] for period in design.periods]).sum(axis=0)
    charges = np.array([[charge for _, charge in found[period.name]] for period in design.periods]).sum(axis=0)
    return PhysicalCost(
        samples=len(samples),
        latency_s=design.inference_s,
        power_w=_mean(energies / design.inference_s),
        largest_power_w=_largest(energies / design.inference_s),
        energy_j=_mean(energies),
        charge_c=_mean(charges),
        stages=stages,
        assumptions=_period_assumptions(samples),
    )


def _period_assumptions(samples: Sequence[int]) -> tuple[str, ...]:
    if not samples:
        return ("energy is measured over waveforms, and none were kept: `--waveforms N` keeps those of N samples",)
    return (
        "the energy of a branch is the integral of |voltage across it times its current|: what it takes becomes heat,"
        " what it gives comes from a supply",
        "the charge is the integral of all branches' |currents|: times a supply's voltage, what class-A branches draw",
        "branches are seen at the voltages of their nodes; clocks, read-out, setting the nodes, holding and"
        " adding voltages, digital layers and what else hangs on them are not counted",
    )


def _period_cost(period: OdePeriod, exchanged: Array, inference_s: float) -> StageCost:
    """exchanged: (samples, 2), joules and coulombs."""
    powers_w = exchanged[:, 0] / inference_s if exchanged.size else np.empty(0)
    return StageCost(
        name=period.name,
        devices=period.branches,
        amplifiers=0,
        areas=None,
        power_w=_mean(powers_w),
        largest_power_w=_largest(powers_w),
        energy_j=_mean(exchanged[:, 0]) if exchanged.size else None,
        charge_c=_mean(exchanged[:, 1]) if exchanged.size else None,
    )


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


def _mean(values: Array) -> float | None:
    return float(values.mean()) if values.size and math.isfinite(values.mean()) else None


def _largest(values: Array) -> float | None:
    return float(values.max()) if values.size and math.isfinite(values.max()) else None
