"""`kanspice study`: many draws of a circuit, at corners and along sweeps."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kanspice.cli.ensembles import (
    Corners,
    Out,
    Processes,
    Resume,
    Scheduler,
    YieldMin,
    checks_of,
    kept,
    lacking,
    parsed_corner,
    refuse_others,
    text_of,
    workers_of,
)
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
)
from kanspice.report.estimate import Workload
from kanspice.report.progress_bar import progress_bar

if TYPE_CHECKING:
    from kanspice.experiments.ensemble.workers import Workers
    from kanspice.experiments.study.run import Prepared

_CROSS_CHECKED = 3


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
    corner: Corners = None,
    engine: Annotated[
        str,
        typer.Option(
            "--engine", parser=engine_of, metavar=ENGINES, help="batched: all samples together. ngspice: much slower."
        ),
    ] = "batched",
    device: DeviceOption = "cpu",
    cross_check: Annotated[
        str | None,
        typer.Option(
            "--cross-check",
            metavar="N[:ENGINE]",
            help=f"N draws, 4 samples of each, by the other engine too, or by one that is named; {_CROSS_CHECKED} if"
            " not given.",
        ),
    ] = None,
    max_: Annotated[
        list[str] | None,
        typer.Option("--max", metavar="METRIC=VALUE", help="A good draw keeps this, e.g. relative_rmse=0.1."),
    ] = None,
    yield_min: YieldMin = None,
    jobs: Processes = 1,
    scheduler: Scheduler = None,
    out: Out = None,
    resume: Resume = None,
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

    workers = workers_of(jobs, scheduler, context)
    if resume is None:
        if model is None or inputs is None or out is None:
            raise lacking("study", model=model, inputs=inputs, out=out)
        checks, judge, why_none = checks_of(cross_check, engine, _CROSS_CHECKED)
        request = Request(
            folder=str(Path.cwd()),
            model=str(model),
            inputs=str(inputs),
            config=text_of(config),
            curves=text_of(curves),
            labels=text_of(labels),
            targets=text_of(targets),
            limit=limit,
            tech=text_of(tech),
            set_=tuple(set_ or ()),
            corners=tuple(map(parsed_corner, corner or ())),
            sweeps=tuple(map(parsed_sweep, sweep or ())),
            trials=trials,
            seed=seed,
            engine=engine,
            device=device,
            cross_check=checks,
            no_cross_check=why_none,
            cross_check_needed=cross_check is not None and checks > 0,
            limits=tuple(parse_limits(max_ or [])),
            yield_min=yield_min,
            judge=judge,
        )
        prepared, folder = start(request, out), out
    else:
        refuse_others(context)
        prepared, folder = take_up(resume), resume
    raise typer.Exit(_measure(prepared, folder, workers, quiet))


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
    with kept("study", folder), progress_bar(console, "measuring", prepared.draws, "draws", work) as progress:
        result = run(prepared, folder, workers, progress)
        write(result, folder)
    print_page(study_page(result), Terminal(quiet=quiet))
    return result.exit_code
