"""The test bench of an export: what drives a sample, what is measured, and what kanspice itself found there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from kanspice.base.arrays import Array
from kanspice.base.errors import InputError, SimulatorError
from kanspice.circuit import Design, Sort
from kanspice.engine.engines import engine_named
from kanspice.engine.fidelity import resolve_fidelity
from kanspice.engine.netlist.switching import capacitor_nodes
from kanspice.engine.options import RunOptions
from kanspice.engine.running import solve
from kanspice.engine.solution import Solution
from kanspice.experiments.export.circuit import PlainCircuit

_STEPS = 1000
"""Of the shortest period: the trapezoidal rule's error is then some 1e-6 of the voltages."""
_STEPS_OF_SINES = 100
"""Of the shortest sine's period, where filters answer over time."""


@dataclass(frozen=True)
class Probe:
    """A voltage that is measured. at_s: when; None for an operating point. expected_v: what kanspice found; None where
    it was not asked."""

    stage: str
    index: int
    node: str
    expected_v: float | None
    v_per_unit: float
    at_s: float | None = None


@dataclass(frozen=True)
class TransientRun:
    """An analysis over time. step_s: the longest step. end_s: beyond what is measured last, so that it is within."""

    end_s: float
    step_s: float


@dataclass(frozen=True)
class Bench:
    """One sample of a circuit.

    sample: its number among the inputs that were given; None for the example that kanspice chose. inputs: (inputs,) in
    model units. drives: node -> volts. starts: node -> volts, of capacitors. transient: None for an operating point.
    outputs: what leaves the circuit; stages: that and what all stages give.
    """

    sample: int | None
    inputs: Array
    drives: Mapping[str, float]
    starts: Mapping[str, float]
    transient: TransientRun | None
    outputs: tuple[Probe, ...]
    stages: tuple[Probe, ...]


def example_inputs(design: Design) -> Array:
    """Inputs (1, inputs) in model units for a circuit of which none are known: between 0 and 1, all different."""
    width = design.input_width
    return (np.arange(1, width + 1) / (width + 1))[None, :]


def bench_of(
    circuit: PlainCircuit, inputs: Array, sample: int | None, *, answered: bool, number: int | None = None
) -> Bench:
    """The bench of one sample of inputs (samples, inputs) in model units.

    answered: with what kanspice itself finds. number: of the sample, for what is drawn for each; its place if None.
    Raises InputError for a sample that there is not, SimulatorError where
    kanspice finds no answer.
    """
    place = 0 if sample is None else sample
    if not 0 <= place < len(inputs):
        expected = f"0 to {len(inputs) - 1}"
        raise InputError("there is no such sample", where="--sample", expected=expected, found=str(sample))
    design, chosen = circuit.compiled, inputs[place : place + 1]
    number = place if number is None else number
    over_time = circuit.netlist.fidelity == "transient"
    solution = own_answer(design, chosen, number, over_time=over_time) if answered else None
    given_v = design.inputs_v(chosen, [number])
    nodes, starts = circuit.netlist.inputs, dict[str, float]()
    drives = dict(zip(nodes, given_v[0].tolist(), strict=False))
    if design.sort is Sort.PERIODS:
        drives, starts = {}, _starts(circuit.design, given_v)
    stages = tuple(_measured(circuit, solution))
    last = circuit.design.last_of_circuit.name
    outputs = tuple(each for each in stages if each.stage == last)
    return Bench(sample, chosen[0], drives, starts, _transient(circuit), outputs, stages)


def own_answer(design: Design, inputs: Array, number: int, *, over_time: bool = False) -> Solution:
    """What kanspice finds without the deck: by the batched engine, or by ngspice what that does not solve.

    inputs: (1, inputs), sample `number`. over_time: of filters as a transient. Raises SimulatorError for no answer.
    """
    engine = "ngspice" if over_time else "batched"
    known = engine_named(engine).fidelities
    fidelity = "transient" if over_time else resolve_fidelity(design, "auto", known)
    found = solve(engine, design, inputs, fidelity, RunOptions(), numbers=[number])
    if found.failed:
        failure = found.failed[0]
        said = f"{failure.outcome.value}: {failure.advice}"
        raise SimulatorError("the circuit has no answer to export with it", where=f"sample {number}", found=said)
    return found


def _starts(design: Design, given_v: Array) -> dict[str, float]:
    """Every capacitor's voltage at first; those of later periods begin at 0 V."""
    nodes = capacitor_nodes(design)
    starts = {node: 0.0 for names in nodes for node in names}
    return starts | dict(zip(nodes[0], design.periods[0].start_v(given_v)[0].tolist(), strict=True))


def _transient(circuit: PlainCircuit) -> TransientRun | None:
    design = circuit.design
    if design.sort is Sort.PERIODS:
        step_s = min(period.period_s for period in design.periods) / _STEPS
        return TransientRun(design.inference_s + step_s, step_s)
    if circuit.netlist.fidelity == "transient":
        fastest_hz = max(bank.highest_hz for bank in design.filter_banks)
        step_s = 1 / (fastest_hz * _STEPS_OF_SINES)
        return TransientRun(design.inference_s + step_s, step_s)
    return None


def _measured(circuit: PlainCircuit, solution: Solution | None) -> Sequence[Probe]:
    design, found = circuit.design, list[Probe]()
    volts_of = {stage.name: stage.output_v_per_unit for stage in design.stages}
    for name, nodes in circuit.netlist.probes.items():
        at_s = _at_s(design, name) if design.sort is Sort.PERIODS else None
        if circuit.netlist.fidelity == "transient":
            at_s = design.inference_s
        answers = [None] * len(nodes) if solution is None else solution.stage_v[name][0].tolist()
        for index, (node, volts) in enumerate(zip(nodes, answers, strict=True)):
            found.append(Probe(name, index, node, volts, volts_of[name], at_s))
    return found


def _at_s(design: Design, name: str) -> float:
    """When a stage of a circuit of periods has come to its voltages: its own end, or that of the one before it."""
    ended = 0.0
    for stage in design.stages:
        ended = design.spans_s.get(stage.name, (0.0, ended))[1]
        if stage.name == name:
            return ended
    raise ValueError(f"no stage {name}")
