"""`kanspice study`: many draws of a circuit, at corners and along sweeps."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kanspice.cli.ensembles import (
    Corners,
    Out,
    Processes,
    Resume,
    Scheduler,
    YieldMin,
    bar_keeping,
    jobs_of,
    refuse_others,
)
from kanspice.cli.options import (
    ENGINES,
    Config,
    Curves,
    DeviceOption,
    Labels,
    LimitOption,
    Quiet,
    Set,
    SizedForOption,
    Sweeps,
    Targets,
    Tech,
    engine_of,
)

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
    labels: Labels = None,
    targets: Targets = None,
    limit: LimitOption = None,
    sized_for: SizedForOption = None,
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
    min_: Annotated[
        list[str] | None,
        typer.Option("--min", metavar="METRIC=VALUE", help="A good draw reaches this, e.g. accuracy=0.9."),
    ] = None,
    yield_min: YieldMin = None,
    jobs: Processes = 1,
    scheduler: Scheduler = None,
    out: Out = None,
    resume: Resume = None,
    quiet: Quiet = False,
) -> None:
    """Measure many draws of a model's circuit: how the gap is distributed, and which fraction keeps a limit.

    A point is a corner with one value of each sweep; every point gets the same draws. Finished draws are kept at
    once: after a crash, a kill or Ctrl-C, `--resume DIR` goes on without losing or repeating any.

    Exit code: 0 measured, and every point's yield as wanted; 1 a yield too low; 2 bad input; 3 could not measure.

    Examples:

    `kanspice study model.pt --inputs x.npy --set devices.area_sigma=0.05 --trials 1000 --max relative_rmse=0.1 -o mc`

    `kanspice study model.pt --inputs x.npy --labels y.npy --sweep devices.area_sigma=0,0.02,0.05,0.1 -o sigma`

    `kanspice study model.pt --inputs x.npy --corner cold:tia.gain=2000 --corner hot:tia.gain=500 -o corners`

    `kanspice study --resume sigma --jobs 4`
    """
    from kanspice.cli.terminal import Terminal  # noqa: PLC0415 - --help stays fast
    from kanspice.experiments.api.study import study as run  # noqa: PLC0415 - torch takes seconds to import
    from kanspice.report.terminal import print_page  # noqa: PLC0415

    if resume is not None:
        refuse_others(context)
    jobs, folder = jobs_of(jobs, scheduler, context), resume or out
    result = run(
        model,
        inputs,
        out,
        config=config,
        curves=curves,
        labels=labels,
        targets=targets,
        limit=limit,
        sized_for=sized_for,
        tech=tech,
        set=set_ or (),
        trials=trials,
        seed=seed,
        sweep=sweep or (),
        corner=corner or (),
        engine=engine,
        device=device,
        cross_check=cross_check,
        max=max_ or (),
        min=min_ or (),
        yield_min=yield_min,
        jobs=jobs,
        scheduler=scheduler,
        resume=resume,
        progress=bar_keeping("study", folder, [], quiet),
    )
    print_page(result.page(), Terminal(quiet=quiet))
    raise typer.Exit(result.exit_code)
