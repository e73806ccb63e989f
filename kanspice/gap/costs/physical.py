"""What an inference costs: power, energy and time, from the currents and voltages that were simulated."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import assert_never

import numpy as np

from kanspice.base.arrays import Array
from kanspice.circuit import (
    Average,
    Crossbar,
    Design,
    DifferentialPairs,
    DigitalLayer,
    Drivers,
    FilterBank,
    HeldSum,
    LayerNorm,
    Limiter,
    OdePeriod,
    ReadOut,
    Rectifier,
    SynapseBank,
    Tiles,
)
from kanspice.engine.solution import Solution
from kanspice.gap.costs.cost import MeasuredCost, PhysicalCost, largest_of, mean_of, parts_of
from kanspice.gap.costs.crossbar import crossbar_cost, references_power_w
from kanspice.gap.costs.differential_pairs import differential_pairs_cost
from kanspice.gap.costs.filter_bank import filter_bank_cost
from kanspice.gap.costs.ode_period import ode_period_cost
from kanspice.gap.costs.rectifier import rectifier_cost
from kanspice.gap.costs.synapse_bank import synapse_bank_cost
from kanspice.gap.costs.tiles import average_cost, tiles_cost
from kanspice.technology import Technology

_AT_SUPPLIES = (
    "the power of the whole is voltage times current at the supplies of the simulated amplifiers, and that of the"
    " reference currents, which are ideal; the stages' parts are figures of macro-models"
)


def physical_cost(design: Design, solution: Solution, technology: Technology) -> PhysicalCost:
    """The cost of an inference as far as the solution tells.

    technology: what its parts draw, where the design does not say it.
    """
    parts = list(_parts(design, solution, technology))
    costs = tuple(part.cost for part in parts)
    energy_j, charge_c = _total([part.energy_j for part in parts]), _total([part.charge_c for part in parts])
    power_w = _total([part.power_w for part in parts]) if energy_j is None else energy_j / design.inference_s
    assumptions, modelled_w = [line for part in parts for line in part.assumptions], None
    if solution.supply_w is not None and energy_j is None:
        modelled_w, power_w = power_w, _measured_w(design, solution)
        assumptions = [_AT_SUPPLIES, *assumptions]
    around, cost_j = _around(design, technology), dict[str, float]()
    if energy_j is not None and energy_j.size:
        cost_j = {name: power_w * design.inference_s for name, power_w in parts_of(costs).items()}
    cost_j |= around.parts_j
    return PhysicalCost(
        samples=min((part.samples for part in parts), default=0),
        latency_s=design.inference_s if any(part.lasts for part in parts) else None,
        power_w=mean_of(power_w),
        largest_power_w=largest_of(power_w),
        energy_j=mean_of(None if energy_j is None else energy_j + sum(around.parts_j.values())),
        charge_c=mean_of(charge_c),
        stages=costs,
        assumptions=_each_once([*around.assumptions, *assumptions]),
        modelled_w=mean_of(modelled_w),
        parts_j=cost_j,
    )


@dataclass(frozen=True)
class _Around:
    """What every inference takes beside the stages, whatever the sample is, and what is said of it."""

    parts_j: dict[str, float]
    assumptions: tuple[str, ...]


def _around(design: Design, technology: Technology) -> _Around:
    """Conversions of all inputs and outputs, and the clocks of bank switches."""
    converters, gate_j = technology.converters, technology.switches.gate_j
    converted_j = converters.dac_j * design.input_width + converters.adc_j * design.last_of_circuit.width
    parts_j = {"converters": converted_j} if converted_j > 0 else {}
    said = ["converters are not counted (converters.dac_j and converters.adc_j are 0)"]
    if converted_j > 0:
        said = [
            f"converting an input takes {converters.dac_j:g} J (converters.dac_j), an output {converters.adc_j:g} J"
            " (converters.adc_j), beside the power"
        ]
    if design.switching is not None and gate_j > 0:
        parts_j["clocks"] = gate_j * sum(period.nodes for period in design.periods)
        said.append(f"a switch takes {gate_j:g} J to be on and off once (switches.gate_j), beside the power")
    elif design.periods:
        said.append("clocks are not counted (switches.gate_j is 0, or periods are `phased`)")
    return _Around(parts_j, tuple(said))


def _measured_w(design: Design, solution: Solution) -> Array:
    """(solved samples,) what supplies deliver, and what reference currents, which are ideal sources, take beside it."""
    references_w = sum(references_power_w(crossbar) for crossbar in design.all_crossbars)
    return np.asarray(solution.supply_w)[solution.solved] + references_w


def _each_once(lines: Sequence[str]) -> tuple[str, ...]:
    """Where they are said last: what is known of the whole is said behind all that is known of its parts."""
    return tuple(reversed(dict.fromkeys(reversed(lines))))


def _parts(design: Design, solution: Solution, technology: Technology) -> Iterator[MeasuredCost]:
    """Of every stage whose cost is counted, in order."""
    quiescent_a = technology.supply.quiescent_a
    before_v = np.full((solution.samples, design.input_width), np.nan)  # a solution does not keep what drives a circuit
    for stage in design.stages:
        match stage:
            case Crossbar():
                yield crossbar_cost(stage, before_v, solution, quiescent_a)
            case Tiles():
                yield tiles_cost(stage, before_v, solution, quiescent_a)
            case Average():
                yield average_cost(stage, before_v, solution)
            case OdePeriod():
                yield ode_period_cost(design, stage, solution)
            case FilterBank():
                yield filter_bank_cost(design, stage, before_v, solution, technology)
            case SynapseBank():
                yield synapse_bank_cost(stage, before_v, solution, technology)
            case Rectifier():
                yield rectifier_cost(stage, solution, quiescent_a)
            case DifferentialPairs():
                yield differential_pairs_cost(stage, solution)
            case Limiter() | Drivers() | LayerNorm() | HeldSum() | ReadOut() | DigitalLayer():
                pass
            case _:
                assert_never(stage)
        before_v = solution.stage_v[stage.name]


def _total(parts: Sequence[Array | None]) -> Array | None:
    """(samples,) of all parts together; None where one of them is not known."""
    known = [part for part in parts if part is not None]
    return np.sum(known, axis=0) if known and len(known) == len(parts) else None
