"""`kanspice study`: many draws of a circuit, at corners and along sweeps."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kanspice.base.errors import InputError
from kanspice.cli.options import (
    ENGINES,
    Config,
    Curves,
    DeviceOption,
    LimitOption,
    Quiet,
    Set,
    Sweeps,
    Tech,
    engine_of,
    parsed_sweep,
    parts_of,
    say,
)
from kanspice.report.estimate import Workload
from kanspice.report.progress_bar import progress_bar

if TYPE_CHECKING:
    from kanspice.experiments.ensemble.workers import Workers
    from kanspice.experiments.study import Corner
    from kanspice.experiments.study.run import Prepared

_CROSS_CHECKED = 3
_WITH_RESUME = {"resume", "jobs", "scheduler", "quiet"}


def study(
    context: typer.Context,
    model: Annotated[
        Path | None, typer.Argument(metavar="MODEL", help="A kanspice checkpoint, or an authors' with --config.")
    ] = None,
    *,
    inputs: Annotated[
        Path | None, typer.Option("--inputs", help="Samples (samples, inputs): .npy, .npz or .csv.")
    ] = None,
    config: Config = None,
    curves: Curves = None,
    labels: Annotated[Path | None, typer.Option("--labels", help="True classes, for accuracies.")] = None,
    targets: Annotated[
        Path | None, typer.Option("--targets", help="True answers of a regression, for the mean squared error.")
    ] = None,
    limit: LimitOption = None,
    tech: Tech = None,
    set_: Set = None,
    trials: Annotated[int, typer.Option("--trials", min=1, metavar="N", help="Draws at every point.")] = 100,
    seed: Annotated[int, typer.Option("--seed", min=0, metavar="S", help="Draws the specimens.")] = 0,
    sweep: Sweeps = None,
    corner: Annotated[
        list[str] | None,
        typer.Option("--corner", metavar="NAME[:SECTION.KEY=V,...]", help="A variant of the technology; repeatable."),
    ] = None,
    engine: Annotated[
        str,
        typer.Option(
            "--engine", parser=engine_of, metavar=ENGINES, help="batched: all samples together. ngspice: much slower."
        ),
    ] = "batched",
    device: DeviceOption = "cpu",
    cross_check: Annotated[
        int | None,
        typer.Option(
            "--cross-check",
            min=0,
            metavar="N",
            help=f"N draws, 4 samples of each, by the other engine too; {_CROSS_CHECKED} if not given.",
        ),
    ] = None,
    max_: Annotated[
        list[str] | None,
        typer.Option("--max", metavar="METRIC=VALUE", help="A good draw keeps this, e.g. relative_rmse=0.1."),
    ] = None,
    yield_min: Annotated[
        float | None,
        typer.Option("--yield-min", min=0, max=1, metavar="F", help="Fraction of good draws wanted; 1 with --max."),
    ] = None,
    jobs: Annotated[int, typer.Option("--jobs", min=1, max=256, help="Processes that measure at a time.")] = 1,
    scheduler: Annotated[
        str | None, typer.Option("--scheduler", metavar="ADDRESS", help="Measure on the Dask cluster there instead.")
    ] = None,
    out: Annotated[Path | None, typer.Option("-o", "--out", metavar="DIR", help="A new folder for the study.")] = None,
    resume: Annotated[
        Path | None, typer.Option("--resume", metavar="DIR", help="Go on with the study in this folder.")
    ] = None,
    quiet: Quiet = False,
) -> None:
    """Measure many draws of a model's circuit: how the gap is distributed, and which fraction keeps a limit.

    A point is a corner with one value of each sweep; every point gets the same draws. Finished draws are on disk at
    once: after a crash, a kill or Ctrl-C, `--resume DIR` goes on without losing or repeating any.

    Exit code: 0 measured, and every point's yield as wanted; 1 a yield too low; 2 bad input; 3 could not measure.

    Examples:

    `kanspice study model.pt --inputs x.npy --set devices.area_sigma=0.05 --trials 1000 --max relative_rmse=0.1 -o mc`

    `kanspice study model.pt --inputs x.npy --labels y.npy --sweep devices.area_sigma=0,0.02,0.05,0.1 -o sigma`

    `kanspice study model.pt --inputs x.npy --corner cold:tia.gain=2000 --corner hot:tia.gain=500 -o corners`

    `kanspice study --resume sigma --jobs 4`
    """
    from kanspice.experiments.study import Request, start  # noqa: PLC0415 - torch takes seconds to import
    from kanspice.experiments.study import resume as take_up  # noqa: PLC0415
    from kanspice.gap.limits import parse_limits  # noqa: PLC0415 - --help stays fast

    workers = _workers(jobs, scheduler, context)
    if resume is None:
        model, inputs, folder = _needed(model, inputs, out)
        checks, why_none = _cross_checks(cross_check, engine)
        request = Request(
            folder=str(Path.cwd()),
            model=str(model),
            inputs=str(inputs),
            config=_text(config),
            curves=_text(curves),
            labels=_text(labels),
            targets=_text(targets),
            limit=limit,
            tech=_text(tech),
            set_=tuple(set_ or ()),
            corners=tuple(map(_corner, corner or ())),
            sweeps=tuple(map(parsed_sweep, sweep or ())),
            trials=trials,
            seed=seed,
            engine=engine,
            device=device,
            cross_check=checks,
            no_cross_check=why_none,
            cross_check_needed=bool(cross_check),
            limits=tuple(parse_limits(max_ or [])),
            yield_min=yield_min,
        )
        prepared = start(request, folder)
    else:
        _refuse_others(context)
        prepared, folder = take_up(resume), resume
    raise typer.Exit(_measure(prepared, folder, workers, quiet))


def _needed(model: Path | None, inputs: Path | None, out: Path | None) -> tuple[Path, Path, Path]:
    """What a new study cannot do without. Raises InputError for what is missing."""
    if model is None or inputs is None or out is None:
        needed = (("MODEL", model), ("--inputs", inputs), ("--out", out))
        missing = ", ".join(f"no {name}" for name, value in needed if value is None)
        expected = "MODEL, --inputs and --out; or --resume alone"
        raise InputError("a study needs more", where="study", expected=expected, found=missing)
    return model, inputs, out


def _measure(prepared: Prepared, folder: Path, workers: Workers, quiet: bool) -> int:
    """Measures the draws that are missing, writes and shows what all of them amount to; the exit code."""
    from kanspice.cli.terminal import Terminal  # noqa: PLC0415 - --help stays fast
    from kanspice.engine.engines import engine_named  # noqa: PLC0415
    from kanspice.experiments.study import run  # noqa: PLC0415
    from kanspice.experiments.study.files import write  # noqa: PLC0415
    from kanspice.experiments.study.page import study_page  # noqa: PLC0415
    from kanspice.report.terminal import print_page  # noqa: PLC0415

    console = Terminal(stderr=True, quiet=quiet)
    faster = "more processes (--jobs), fewer --trials, or fewer samples (--limit)"
    if not engine_named(prepared.request.engine).solves_together:
        faster = f"--engine batched, {faster}"
    work = Workload(prepared.draws, "draws", faster=faster)
    with _kept(folder), progress_bar(console, "measuring", prepared.draws, "draws", work) as progress:
        result = run(prepared, folder, workers, progress)
        write(result, folder)
    print_page(study_page(result), Terminal(quiet=quiet))
    return result.exit_code


def _text(path: Path | None) -> str | None:
    return None if path is None else str(path)


def _corner(text: str) -> Corner:
    """`NAME:SECTION.KEY=V,...`, or a name alone for the technology as it is."""
    from kanspice.experiments.study import Corner  # noqa: PLC0415

    name, _, settings = text.partition(":")
    if not name.strip() or "=" in name:
        expected = "NAME:SECTION.KEY=VALUE,..., as in slow:tia.gain=500; or a NAME alone"
        raise InputError(f"bad corner '{text}'", where="--corner", expected=expected)
    return Corner(name.strip(), parts_of(settings) if settings.strip() else ())


def _cross_checks(wanted: int | None, engine: str) -> tuple[int, str]:
    """How many draws the other engine solves too, and why none where some should.

    Raises SimulatorError where some were asked for that cannot be.
    """
    from kanspice.base.errors import SimulatorError  # noqa: PLC0415
    from kanspice.engine.engines import engine_named  # noqa: PLC0415
    from kanspice.engine.running import judge_of  # noqa: PLC0415

    count = _CROSS_CHECKED if wanted is None else wanted
    if count == 0:
        return 0, "it was not wanted"
    try:
        engine_named(judge_of(engine)).find()
    except SimulatorError as error:
        if wanted is not None:
            raise
        return 0, error.problem
    return count, ""


def _workers(jobs: int, scheduler: str | None, context: typer.Context) -> Workers:
    from kanspice.experiments.ensemble.workers import cluster, local  # noqa: PLC0415

    if scheduler is None:
        return local(jobs)
    if _was_given(context, "jobs"):
        raise InputError("a cluster has as many workers as it has", where="--jobs", hint="leave out --jobs")
    return cluster(scheduler)


def _refuse_others(context: typer.Context) -> None:
    """Raises InputError where --resume stands beside what the folder says already."""
    given = [name for name in context.params if name not in _WITH_RESUME and _was_given(context, name)]
    if given:
        names = ", ".join("MODEL" if name == "model" else f"--{name.strip('_').replace('_', '-')}" for name in given)
        expected = "--resume DIR with --jobs, --scheduler or -q alone"
        raise InputError("the folder says what the study is", where="--resume", expected=expected, found=names)


def _was_given(context: typer.Context, name: str) -> bool:
    source = context.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"


@contextmanager
def _kept(folder: Path) -> Iterator[None]:
    """Whatever ends the work: says what is kept, and how to go on."""
    try:
        yield
    except BaseException:
        command = shlex.join(["kanspice", "study", "--resume", str(folder)])
        say(f"finished draws are kept in {folder}; to go on: {command}", err=True)
        raise
