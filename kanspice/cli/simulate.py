"""`kanspice simulate`: run a compiled circuit, or a netlist from elsewhere."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kanspice.base.errors import InputError
from kanspice.base.files import is_folder, is_there, refuse_inputs, write_bytes
from kanspice.cli.options import EngineOption, Jobs, LimitOption, Quiet, SimulationTimeout, say
from kanspice.report.estimate import Workload
from kanspice.report.progress_bar import progress_bar

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import numpy as np
    import numpy.typing as npt

    from kanspice.engine.ngspice.foreign import NetlistRun
    from kanspice.engine.ngspice.raw import Plot
    from kanspice.engine.solution import Waveform

_FAILED = 3
_WAVEFORMS = 3
"""For how many samples waveforms are kept unless said otherwise: to look at, not to fill the disk with."""


def simulate(
    circuit: Annotated[Path, typer.Argument(metavar="DIR|NETLIST", help="A compiled folder, or a netlist file.")],
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
            f" (.npz only; {_WAVEFORMS} if not given).",
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
    if not is_there(circuit):
        raise InputError("no such folder or netlist", where=circuit, hint="kanspice compile MODEL -o FOLDER makes one")
    if is_folder(circuit):
        _simulate_folder(
            circuit,
            inputs,
            output,
            limit=limit,
            waveforms=waveforms,
            jobs=jobs,
            timeout=timeout,
            quiet=quiet,
            engine=engine,
        )
    elif inputs is not None or limit is not None or waveforms is not None:
        found = "--inputs, --limit or --waveforms"
        raise InputError("a plain netlist has its own sources and analyses", where=circuit, found=found)
    else:
        _simulate_netlist(circuit, output, timeout=timeout, trust=trust, quiet=quiet)


def _simulate_folder(
    folder: Path,
    inputs: Path | None,
    output: Path | None,
    *,
    limit: int | None,
    waveforms: int | None,
    jobs: int,
    timeout: float | None,
    quiet: bool,
    engine: str,
) -> None:
    from kanspice.cli.terminal import Terminal  # noqa: PLC0415 - --help stays fast
    from kanspice.engine.engines import engine_named  # noqa: PLC0415
    from kanspice.engine.options import RunOptions  # noqa: PLC0415
    from kanspice.engine.running import solve  # noqa: PLC0415
    from kanspice.experiments.compile import read_compiled  # noqa: PLC0415 - torch takes seconds to import
    from kanspice.families.common import load_array  # noqa: PLC0415
    from kanspice.gap import decoded_outputs  # noqa: PLC0415

    compiled = read_compiled(folder)
    if inputs is None:
        raise InputError("a compiled circuit needs inputs", where=folder, hint="pass --inputs X.npy")
    target = _target(output, Path(f"{folder.resolve().name}.npz"))
    kept = _kept_waveforms(waveforms, target, answers_after_a_time=bool(compiled.design.periods))
    samples = load_array(inputs, "the inputs", compiled.design.input_width)[:limit]
    refuse_inputs([target])
    fewer = "fewer samples (--limit)"
    faster = fewer if engine_named(engine).solves_together else f"--engine batched, or {fewer}"
    work = Workload(len(samples), faster=faster)
    with progress_bar(Terminal(stderr=True, quiet=quiet), "simulating", len(samples), work=work) as progress:
        options = RunOptions(jobs=jobs, timeout_s=timeout, waveforms=kept)
        solution = solve(engine, compiled.design, samples, compiled.fidelity, options, progress=progress)
    tables = {"outputs": decoded_outputs(compiled.design, solution), "solved": solution.solved}
    tables |= {f"{name}_v": volts for name, volts in solution.stage_v.items()}
    tables |= {f"{name}.columns_v": volts for name, volts in solution.column_v.items()}
    tables |= _waveform_tables(solution.waveforms)
    _write(target, tables, tables["outputs"], [f"output{index}" for index in range(compiled.design.output_width)])
    for failure in solution.failed:
        say(f"sample {failure.index}: {failure.outcome.value}: {failure.advice}", err=True)
    if not quiet:
        for note in solution.notes:
            say(f"note: {note}", err=True)
        say(f"solved {int(solution.solved.sum())} of {solution.samples} samples; wrote {target}")
    raise typer.Exit(_FAILED if solution.failed else 0)


def _kept_waveforms(wanted: int | None, target: Path, *, answers_after_a_time: bool) -> int:
    """Of how many samples waveforms are kept. Raises InputError where they were asked for and cannot be had."""
    if wanted and target.suffix != ".npz":
        raise InputError("waveforms do not fit into this file", where=target, expected=".npz", found="--waveforms")
    if wanted and not answers_after_a_time:
        raise InputError("operating points have no waveforms", where="--waveforms", hint="leave it out")
    default = _WAVEFORMS if answers_after_a_time and target.suffix == ".npz" else 0
    return default if wanted is None else wanted


def _waveform_tables(waveforms: Iterable[Waveform]) -> dict[str, npt.NDArray[np.generic]]:
    tables: dict[str, npt.NDArray[np.generic]] = {}
    for waveform in waveforms:
        name = f"waveforms.{waveform.sample}.{waveform.stage}"
        tables |= {f"{name}.time_s": waveform.time_s, f"{name}.node_v": waveform.node_v}
    return tables


def _simulate_netlist(path: Path, output: Path | None, *, timeout: float | None, trust: bool, quiet: bool) -> None:
    from kanspice.engine.ngspice.foreign import run_netlist  # noqa: PLC0415 - --help stays fast

    target = _target(output, path.with_suffix(".npz"))
    run = run_netlist(path, trust=trust, timeout_s=timeout, results=target)
    tables = _netlist_tables(run)
    if target.suffix == ".csv" and len(run.plots) != 1:
        raise InputError("a .csv file holds one plot", where=target, found=f"{len(run.plots)} plots", hint="use .npz")
    _write(target, tables, *_csv_columns(run.plots[0]))
    if not quiet:
        for plot in run.plots:
            say(f"{plot.name}: {plot.table.shape[0]} points of {', '.join(plot.vectors[:8])}")
        say(f"wrote {target}")


def _target(output: Path | None, default: Path) -> Path:
    """Where results go. Raises InputError where, without -o, anything would be overwritten."""
    if output is None and is_there(default):
        raise InputError("exists already", where=default, hint="name the results file with -o")
    return output or default


def _netlist_tables(run: NetlistRun) -> dict[str, npt.NDArray[np.generic]]:
    """Vector name -> (points,); prefixed with the plot's number where there are several."""
    several = len(run.plots) > 1
    return {
        f"{number}.{name}" if several else name: plot.table[:, column]
        for number, plot in enumerate(run.plots, 1)
        for column, name in enumerate(plot.vectors)
    }


def _csv_columns(plot: Plot) -> tuple[npt.NDArray[np.generic], list[str]]:
    """A plot's table and the names of its columns; a complex vector becomes a real and an imaginary column."""
    import numpy as np  # noqa: PLC0415 - --help stays fast

    if not np.iscomplexobj(plot.table):
        return plot.table, list(plot.vectors)
    parts = np.stack([plot.table.real, plot.table.imag], axis=2).reshape(len(plot.table), -1)
    return parts, [f"{part}({name})" for name in plot.vectors for part in ("re", "im")]


def _write(
    target: Path,
    tables: Mapping[str, npt.NDArray[np.generic]],
    csv_table: npt.NDArray[np.generic],
    csv_names: list[str],
) -> None:
    import numpy as np  # noqa: PLC0415 - --help stays fast

    content = io.BytesIO()
    if target.suffix == ".npz":
        np.savez(content, **tables)  # type: ignore[arg-type]
    else:
        np.savetxt(content, csv_table, "%.17g", ",", header=",".join(csv_names), comments="")
    write_bytes(target, content.getvalue())
