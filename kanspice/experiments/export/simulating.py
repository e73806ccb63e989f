"""What an export's own simulator finds with it, for its sample or for other inputs, as the solution of any engine."""

from __future__ import annotations

import time

import numpy as np

from kanspice.base.arrays import Array
from kanspice.circuit import Design
from kanspice.engine.solution import Size, Solution
from kanspice.experiments.export.bench import bench_of
from kanspice.experiments.export.folder import ExportFolder
from kanspice.experiments.export.formats.format import ExportPlan
from kanspice.experiments.export.receipt import run_files


def simulated_export(export: ExportFolder, inputs: Array | None, timeout_s: float) -> Solution:
    """Voltages of every stage for inputs (samples, inputs) in model units, those of the export's bench if None.

    The deck is made anew for each sample and run by the format's simulator. timeout_s: for all of them. Raises
    SimulatorError without the simulator, or where a sample has no result.
    """
    export.written.find()
    circuit, deadline = export.circuit, time.monotonic() + timeout_s
    samples = export.inputs if inputs is None else inputs
    numbers = [export.sample or 0] if inputs is None else range(len(samples))
    rows: dict[str, list[list[float]]] = {}
    program, version, begun = export.written.name, "", time.monotonic()
    for place, number in enumerate(numbers):
        row = samples[place : place + 1]
        plan = ExportPlan(export.written, circuit, bench_of(circuit, row, None, answered=False, number=number))
        found = run_files(plan, max(deadline - time.monotonic(), 0.0))
        program, version = found.program, found.version
        for name, volts in _by_stage(plan, found.volts).items():
            rows.setdefault(name, []).append(volts)
    return Solution(
        engine=program,
        engine_version=version,
        engine_options={"fidelity": circuit.netlist.fidelity, "export": export.written.name},
        samples=len(samples),
        failed=(),
        stage_v={name: np.array(table) for name, table in rows.items()} | _nothing(circuit.compiled, len(samples)),
        column_v={},
        timing_s={"simulate": time.monotonic() - begun},
        notes=circuit.notes,
        size=Size(circuit.netlist.nodes, circuit.netlist.elements, 0),
    )


def _by_stage(plan: ExportPlan, volts: tuple[float, ...]) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {}
    for each, value in zip(plan.bench.stages, volts, strict=True):
        found.setdefault(each.stage, []).append(value)
    return found


def _nothing(design: Design, samples: int) -> dict[str, Array]:
    """Of what is not in the circuit, and so has no voltages."""
    return {} if design.digital is None else {design.digital.name: np.full((samples, design.digital.width), np.nan)}
