"""`kanspice.simulate`: the answers of a compiled circuit, or what a netlist gives."""

from __future__ import annotations

from pathlib import Path

from kanspice.base.errors import InputError
from kanspice.base.files import check_outputs, is_folder, is_there
from kanspice.base.files.array_files import Given, load_array
from kanspice.engine.engines import engine_named
from kanspice.engine.fidelity import Fidelity, resolve_fidelity
from kanspice.engine.ngspice.foreign import run_netlist
from kanspice.engine.options import KEPT_WAVEFORMS, RunOptions
from kanspice.engine.running import solve
from kanspice.experiments.compile.circuit import Circuit
from kanspice.experiments.export.folder import ExportFolder, is_export, read_export
from kanspice.experiments.export.simulating import simulated_export
from kanspice.experiments.numbers import check_numbers, plain_numbers
from kanspice.experiments.simulate.simulation import NetlistResult, Simulation
from kanspice.report.estimate import Workload
from kanspice.report.progress_bar import Bar, bar_of

_OF_VACASK = {".sim", ".va", ".osdi"}
EXPORT_TIMEOUT_S = 600.0
"""How long the simulator of an export may take for all samples."""


@plain_numbers
def simulate(
    circuit: str | Path | Circuit,
    inputs: Given | None = None,
    *,
    limit: int | None = None,
    waveforms: int | None = None,
    engine: str = "ngspice",
    jobs: int = 1,
    timeout: float | None = None,
    trust: bool = False,
    results: str | Path | None = None,
    progress: bool | Bar = False,
) -> Simulation | NetlistResult:
    """The answers of a compiled circuit for inputs (samples, inputs), or what the analyses of a netlist file give.

    circuit: a folder that `compile` wrote, what it returned, one that `export` wrote, which its own simulator runs, for
    its own sample without inputs, or a netlist from elsewhere, which has its own sources.
    waveforms: of so many samples node voltages over time are kept, where the circuit answers after a time; 3 if None.
    timeout: seconds for the whole simulation. trust: runs a netlist that could run commands. results: a file that is
    going to be written, which no input may be.
    Raises InputError for what cannot be simulated, SimulatorError without a simulator or a result.
    """
    check_numbers(limit=limit, waveforms=waveforms, jobs=jobs, timeout=timeout)
    if not isinstance(circuit, Circuit):
        if not isinstance(circuit, str | Path):
            hint = "kanspice.compile(model) makes a circuit of a network"
            raise InputError("this is no circuit", found=f"a {type(circuit).__name__}", hint=hint)
        path = Path(circuit)
        if not is_there(path):
            hint = "kanspice compile MODEL -o FOLDER makes one"
            raise InputError("no such folder or netlist", where=path, hint=hint)
        if not is_folder(path):
            _refuse_vacask(path)
            if inputs is not None or limit is not None or waveforms is not None:
                problem, found = "a plain netlist has its own sources and analyses", "--inputs, --limit or --waveforms"
                raise InputError(problem, where=path, found=found)
            kept = None if results is None else Path(results)
            return NetlistResult(str(path), run_netlist(path, trust=trust, timeout_s=timeout, results=kept))
        if is_export(path):
            export = read_export(path)
            _check_export(export, waveforms, engine)
            if results is not None:
                check_outputs([results])
            return _of_export(export, inputs, limit, timeout)
        circuit = Circuit.read(path)
    design = circuit.design
    if inputs is None:
        raise InputError("a compiled circuit needs inputs", hint="pass --inputs X.npy")
    if waveforms and not design.is_timed:
        raise InputError("operating points have no waveforms", where="--waveforms", hint="leave it out")
    samples = load_array(inputs, "the inputs", design.input_width)[:limit]
    if results is not None:
        check_outputs([results])
    fewer = "fewer samples (--limit)"
    faster = fewer if engine_named(engine).solves_together else f"--engine batched, or {fewer}"
    options = RunOptions(jobs=jobs, timeout_s=timeout, waveforms=KEPT_WAVEFORMS if waveforms is None else waveforms)
    with bar_of(progress)("simulating", len(samples), work=Workload(len(samples), faster=faster)) as told:
        return Simulation(design, solve(engine, design, samples, _fidelity(circuit, engine), options, progress=told))


def _refuse_vacask(path: Path) -> None:
    """Raises InputError for a netlist that says by its name that it is in VACASK's language, whoever it is from."""
    if path.suffix.lower() in _OF_VACASK:
        raise InputError(
            "netlists in VACASK's language are not run: they can run programs, and read, load and write files",
            where=path,
            expected="a netlist for ngspice, or a folder that `kanspice compile` or `kanspice export` wrote",
            hint="if you believe it, run vacask yourself",
        )


def _of_export(export: ExportFolder, inputs: Given | None, limit: int | None, timeout: float | None) -> Simulation:
    """What the simulator of an export finds with it."""
    design = export.circuit.compiled
    samples = None if inputs is None else load_array(inputs, "the inputs", design.input_width)[:limit]
    return Simulation(design, simulated_export(export, samples, EXPORT_TIMEOUT_S if timeout is None else timeout))


def _check_export(export: ExportFolder, waveforms: int | None, engine: str) -> None:
    """Raises InputError for what its own simulator is not asked for."""
    own = export.written.name
    if waveforms:
        hint = f"run it: {export.written.by_hand}"
        raise InputError("an export keeps no waveforms here", where="--waveforms", hint=hint)
    if engine not in ("ngspice", own):
        problem, hint = "an export is run by its own simulator", "simulate the compiled folder instead"
        raise InputError(problem, where="--engine", expected=own, found=engine, hint=hint)


def _fidelity(circuit: Circuit, engine: str) -> Fidelity:
    """The circuit's; of an ideal one `device`, which is the same circuit, for an engine that has not got `shared`."""
    is_either = circuit.fidelity == "shared" and circuit.design.is_ideal
    return resolve_fidelity(circuit.design, "auto", engine_named(engine).fidelities) if is_either else circuit.fidelity
