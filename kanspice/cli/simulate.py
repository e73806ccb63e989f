"""`kanspice simulate`: run a compiled circuit, or a netlist from elsewhere."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kanspice.base.errors import InputError
from kanspice.base.files import is_folder, is_there, write_bytes
from kanspice.cli.options import EngineOption, Jobs, LimitOption, Quiet, SimulationTimeout, bar_before, say
from kanspice.engine.options import KEPT_WAVEFORMS

if TYPE_CHECKING:
    from kanspice.experiments.simulate.simulation import NetlistResult, Simulation


def simulate(
    circuit: Annotated[Path, typer.Argument(metavar="DIR|NETLIST", help="A compiled folder, an export, or a netlist.")],
    *,
    inputs: Annotated[Path | None, typer.Option("--inputs", help="Samples for a compiled folder.")] = None,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="Results: .npz, or .csv.")] = None,
    limit: LimitOption = None,
    waveforms: Annotated[
        int | None,
        typer.Option(
            "--waveforms",
            min=0,
            metavar="N",
            help="Keep node voltages over time of the first N samples solved, where the circuit answers after a time"
            f" (.npz only; {KEPT_WAVEFORMS} if not given).",
        ),
    ] = None,
    engine: EngineOption = "ngspice",
    jobs: Jobs = 1,
    timeout: SimulationTimeout = None,
    trust: Annotated[
        bool, typer.Option("--trust", help="Run a netlist that could run commands. Only for files you have read.")
    ] = False,
    quiet: Quiet = False,
) -> None:
    """Simulate a compiled folder for given inputs, or run the analyses in a netlist.

    A folder gives `outputs` (samples, outputs) in model units, every stage's voltages, and for circuits that answer
    after a time `waveforms.<sample>.<stage>.time_s` (points,) and `.node_v` (points, nodes); a netlist its vectors.

    Examples: `kanspice simulate circuit --inputs inputs.npy -o outputs.npz`, `kanspice simulate divider.cir -o op.csv`
    """
    if output is not None and output.suffix not in (".npz", ".csv"):
        raise InputError("unknown kind of results file", where=output, expected=".npz or .csv")
    from kanspice.experiments.api.simulate import simulate as run  # noqa: PLC0415 - torch takes seconds to import
    from kanspice.experiments.simulate.simulation import Simulation  # noqa: PLC0415

    target = output or _free(
        Path(f"{circuit.resolve().name}.npz") if is_folder(circuit) else circuit.with_suffix(".npz")
    )
    if waveforms and target.suffix != ".npz":
        raise InputError("waveforms do not fit into this file", where=target, expected=".npz", found="--waveforms")
    result = run(
        circuit,
        inputs,
        limit=limit,
        waveforms=0 if waveforms is None and target.suffix != ".npz" and is_folder(circuit) else waveforms,
        engine=engine,
        jobs=jobs,
        timeout=timeout,
        trust=trust,
        results=target,
        progress=bar_before([], quiet),
    )
    _write(target, result)
    if isinstance(result, Simulation):
        solution = result.solution
        for failure in solution.failed:
            say(f"sample {failure.index}: {failure.outcome.value}: {failure.advice}", err=True)
        told = [f"solved {int(solution.solved.sum())} of {solution.samples} samples; wrote {target}"]
        notes = [f"note: {note}" for note in solution.notes]
    else:
        told, notes = [*result.lines(), f"wrote {target}"], []
    if not quiet:
        for note in notes:
            say(note, err=True)
        for line in told:
            say(line)
    raise typer.Exit(result.exit_code)


def _free(target: Path) -> Path:
    """Where results go without -o. Raises InputError where anything would be overwritten."""
    if is_there(target):
        raise InputError("exists already", where=target, hint="name the results file with -o")
    return target


def _write(target: Path, result: Simulation | NetlistResult) -> None:
    """Everything as .npz, or one table as .csv. Raises InputError for plots that are several tables."""
    import numpy as np  # noqa: PLC0415 - --help stays fast

    content = io.BytesIO()
    if target.suffix == ".npz":
        np.savez(content, **result.tables())  # type: ignore[arg-type]
    else:
        table, names = result.csv(target)
        np.savetxt(content, table, "%.17g", ",", header=",".join(names), comments="")
    write_bytes(target, content.getvalue())
