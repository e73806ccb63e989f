"""`kanspice lifetime`: chips of a circuit followed from second to year."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from kanspice.cli.ensembles import Out, Processes, Resume, Scheduler, bar_keeping, jobs_of, refuse_others
from kanspice.cli.options import (
    ENGINES,
    Config,
    Curves,
    DeviceOption,
    Labels,
    Quiet,
    Set,
    SizedForOption,
    Targets,
    Tech,
    engine_of,
)

_CROSS_CHECKED = 3


class TrimsName(StrEnum):
    """What of a chip is set anew."""

    OUTPUTS = "outputs"
    COLUMNS = "columns"


def lifetime(
    context: typer.Context,
    model: Annotated[
        Path | None, typer.Argument(metavar="MODEL", help="A kanspice checkpoint, or an authors' with --config.")
    ] = None,
    *,
    inputs: Annotated[
        Path | None, typer.Option("--inputs", help="Samples (samples, inputs): .npy, .npz or .csv.")
    ] = None,
    from_: Annotated[str, typer.Option("--from", metavar="AGE", help="First age: 1s, 30min, 2h, 1d, 10y.")] = "1s",
    to: Annotated[str, typer.Option("--to", metavar="AGE", help="Last age.")] = "10y",
    points: Annotated[
        int, typer.Option("--points", min=2, max=200, metavar="N", help="Ages, evenly over the logarithm of time.")
    ] = 10,
    recalibrate: Annotated[
        str | None, typer.Option("--recalibrate", metavar="AGE", help="Set every chip anew when it is as old as that.")
    ] = None,
    trims: Annotated[
        TrimsName,
        typer.Option(
            "--trims",
            help="What is set then. outputs: gain and offset of each output once it is read. columns: those of every"
            " column pair, which have to be read one by one.",
        ),
    ] = TrimsName.OUTPUTS,
    calibration: Annotated[
        int,
        typer.Option(
            "--calibration", min=2, metavar="N", help="Samples for that: those after the ones that chips are judged by."
        ),
    ] = 50,
    config: Config = None,
    curves: Curves = None,
    labels: Labels = None,
    targets: Targets = None,
    limit: Annotated[
        int | None, typer.Option("--limit", min=1, metavar="N", help="Judge chips by the first N samples.")
    ] = None,
    sized_for: SizedForOption = None,
    tech: Tech = None,
    set_: Set = None,
    trials: Annotated[int, typer.Option("--trials", min=1, metavar="N", help="Chips.")] = 100,
    seed: Annotated[int, typer.Option("--seed", min=0, metavar="S", help="Draws the chips.")] = 0,
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
            help=f"N chips at their oldest, 4 samples of each, by the other engine too, or by one that is named;"
            f" {_CROSS_CHECKED} if not given.",
        ),
    ] = None,
    max_: Annotated[
        list[str] | None,
        typer.Option("--max", metavar="METRIC=VALUE", help="A good chip keeps this, e.g. accuracy_drop=0.02."),
    ] = None,
    min_: Annotated[
        list[str] | None,
        typer.Option("--min", metavar="METRIC=VALUE", help="A good chip reaches this, e.g. accuracy=0.9."),
    ] = None,
    yield_min: Annotated[
        float | None,
        typer.Option(
            "--yield-min", min=0, max=1, metavar="F", help="Fraction of chips wanted good at every age; 1 with --max."
        ),
    ] = None,
    jobs: Processes = 1,
    scheduler: Scheduler = None,
    out: Out = None,
    resume: Resume = None,
    quiet: Quiet = False,
) -> None:
    """Follow many chips of a model's circuit through their lives: what becomes of the gap, and how long they are good.

    What time takes from a chip is `[ageing]` of the technology: drift, retention, read disturb, temperatures. A chip is
    the same one at every age. Finished chips are kept at once: after a crash, a kill or Ctrl-C, `--resume DIR` goes
    on without losing or repeating any.

    Exit code: 0 measured, and as many chips good at every age as wanted; 1 too few; 2 bad input; 3 could not measure.

    Examples:

    `kanspice lifetime model.pt --inputs x.npy --labels y.npy --set ageing.drift_nu=0.05 -o life`

    `kanspice lifetime model.pt --inputs x.npy --tech memory.toml --to 10y --points 20 --recalibrate 1y --trims columns
    -o life`

    `kanspice lifetime model.pt --inputs x.npy --labels y.npy --tech memory.toml --max accuracy_drop=0.02
    --yield-min 0.9 -o life`

    `kanspice lifetime --resume life --jobs 4`
    """
    from kanspice.cli.terminal import Terminal  # noqa: PLC0415 - --help stays fast
    from kanspice.experiments.api.lifetime import lifetime as run  # noqa: PLC0415 - torch takes seconds to import
    from kanspice.report.terminal import print_page  # noqa: PLC0415

    if resume is not None:
        refuse_others(context)
    jobs, folder = jobs_of(jobs, scheduler, context), resume or out
    result = run(
        model,
        inputs,
        out,
        from_=from_,
        to=to,
        points=points,
        recalibrate=recalibrate,
        trims=trims.value,
        calibration=calibration,
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
        engine=engine,
        device=device,
        cross_check=cross_check,
        max=max_ or (),
        min=min_ or (),
        yield_min=yield_min,
        jobs=jobs,
        scheduler=scheduler,
        resume=resume,
        progress=bar_keeping("lifetime", folder, [], quiet),
    )
    print_page(result.page(), Terminal(quiet=quiet))
    raise typer.Exit(result.exit_code)
