"""`kanspice settle`: how fast a crossbar circuit answers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from kanspice.base.errors import InputError
from kanspice.base.files import write_bytes
from kanspice.cli.deliverables import Deliverables, deliver, delivers
from kanspice.cli.ensembles import (
    Corners,
    OptionalModel,
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
    LimitOption,
    Quiet,
    RealisationOption,
    Set,
    SizedForOption,
    Sweeps,
    Tech,
    command_line,
    engine_of,
)


@delivers(html={"help": "Write a self-contained page.", "metavar": "F.html"})
def settle(
    context: typer.Context,
    model: OptionalModel = None,
    *,
    inputs: Annotated[
        Path | None, typer.Option("--inputs", help="Samples (samples, inputs), in order: .npy, .npz or .csv.")
    ] = None,
    config: Config = None,
    curves: Curves = None,
    limit: LimitOption = None,
    sized_for: SizedForOption = None,
    tech: Tech = None,
    set_: Set = None,
    realisation: RealisationOption = None,
    period: Annotated[
        float | None,
        typer.Option("--period", min=1e-15, metavar="S", help="Of each sample; found if not given."),
    ] = None,
    rise: Annotated[
        float | None,
        typer.Option("--rise", min=1e-18, metavar="S", help="Of the inputs; a thousandth if not given."),
    ] = None,
    within: Annotated[
        list[float] | None,
        typer.Option("--within", min=1e-9, metavar="X", help="What is settled, in standard deviations: 1e-2, 1e-3."),
    ] = None,
    wanted: Deliverables,
    plot: Annotated[Path | None, typer.Option("--plot", metavar="F.png", help="Draw the gap over time.")] = None,
    engine: Annotated[
        str,
        typer.Option(
            "--engine", parser=engine_of, metavar=ENGINES, help="The batched solver, or ngspice: small networks only."
        ),
    ] = "batched",
    cross_check: Annotated[
        str,
        typer.Option(
            "--cross-check",
            metavar="N[:ENGINE]",
            help="The first N samples by the other engine too, or by one that is named; with --trials N draws.",
        ),
    ] = "0",
    timeout: Annotated[
        float | None,
        typer.Option(
            "--timeout", min=0.001, metavar="S", help="Seconds for each time that the transients are followed."
        ),
    ] = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Draws random imperfections.")] = 0,
    trials: Annotated[
        int | None, typer.Option("--trials", min=1, metavar="N", help="Follow N drawn circuits, at every point.")
    ] = None,
    sweep: Sweeps = None,
    corner: Corners = None,
    max_: Annotated[
        list[str] | None,
        typer.Option("--max", metavar="METRIC=VALUE", help="A good draw keeps this, e.g. latency_s=1e-6."),
    ] = None,
    yield_min: YieldMin = None,
    jobs: Processes = 1,
    scheduler: Scheduler = None,
    out: Out = None,
    resume: Resume = None,
    quiet: Quiet = False,
) -> None:
    """Step a crossbar circuit's inputs from sample to sample in one transient, and see when its stages settle.

    With --trials many drawn circuits are followed: how settling times are distributed, which fraction keeps a limit.
    Finished draws are kept at once, as those of `kanspice study`.

    Exit code: 0 every sample settled, and every point's yield as wanted; 1 a yield too low; 2 bad input; 3 some did not
    settle, or nothing could be measured.

    Examples:

    `kanspice settle model.pt --inputs inputs.npy --limit 5 --set tia.gbw_hz=1e6 --plot settling.png`

    `kanspice settle model.pt --inputs inputs.npy --limit 5 --tech typical --trials 50 --jobs 4 -o specimens`

    `kanspice settle --resume specimens --jobs 4`
    """
    from kanspice.experiments.api.settle import settle as run  # noqa: PLC0415 - torch takes seconds to import
    from kanspice.experiments.settle.document import settling_json  # noqa: PLC0415
    from kanspice.experiments.settle.plots import read_out_plot  # noqa: PLC0415
    from kanspice.experiments.settle.settling import Settling  # noqa: PLC0415
    from kanspice.report.figures import encoded  # noqa: PLC0415

    if resume is not None:
        refuse_others(context)
    elif trials is not None:
        _refuse_files(**wanted.places, plot=plot)
    result = run(
        model,
        inputs,
        config=config,
        curves=curves,
        limit=limit,
        sized_for=sized_for,
        tech=tech,
        set=set_ or (),
        realisation=None if realisation is None else realisation.value,
        period=period,
        rise=rise,
        within=within or (1e-2, 1e-3),
        engine=engine,
        cross_check=cross_check,
        timeout=timeout,
        seed=seed,
        trials=trials,
        sweep=sweep or (),
        corner=corner or (),
        max=max_ or (),
        yield_min=yield_min,
        jobs=jobs_of(jobs, scheduler, context),
        scheduler=scheduler,
        out=out,
        resume=resume,
        progress=bar_keeping("settle", resume or out, [*wanted.files, plot], quiet),
    )
    if isinstance(result, Settling):
        result = replace(result, command=command_line())
        deliver(result.page(), wanted, quiet, lambda: settling_json(result))
        if plot is not None:
            write_bytes(plot, encoded(read_out_plot(result)))
    else:
        deliver(result.page(), wanted, quiet)
    raise typer.Exit(result.exit_code)


def _refuse_files(**given: object) -> None:
    """Raises InputError for a file that is wanted beside the folder."""
    for name, value in given.items():
        if value is not None:
            hint = "leave it out: the folder has JSON, pages and JUnit XML of all draws"
            raise InputError("many draws are written to a folder", where=f"--{name}", hint=hint)
