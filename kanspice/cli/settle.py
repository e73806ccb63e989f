"""`kanspice settle`: how fast a crossbar circuit answers."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kanspice.base.errors import InputError
from kanspice.base.files import refuse_inputs, write_bytes
from kanspice.cli.ensembles import (
    Corners,
    OptionalModel,
    Out,
    Processes,
    Resume,
    Scheduler,
    YieldMin,
    kept,
    lacking,
    parsed_corner,
    refuse_others,
    text_of,
    without_draws,
    workers_of,
)
from kanspice.cli.options import (
    ENGINES,
    Config,
    Curves,
    Deliverable,
    Junit,
    LimitOption,
    Markdown,
    Quiet,
    Set,
    Sweeps,
    Tech,
    engine_of,
    hand_over,
    page_writers,
    parsed_sweep,
)
from kanspice.engine.names import check_of
from kanspice.report.estimate import Workload
from kanspice.report.progress_bar import progress_bar

if TYPE_CHECKING:
    from kanspice.experiments.ensemble.workers import Workers
    from kanspice.experiments.settle.run import SettleOptions
    from kanspice.experiments.settle.study import Prepared


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
    tech: Tech = None,
    set_: Set = None,
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
    json: Annotated[str | None, typer.Option("--json", metavar="F", help="Write JSON; - prints it.")] = None,
    markdown: Markdown = None,
    html: Annotated[Path | None, typer.Option("--html", metavar="F.html", help="Write a self-contained page.")] = None,
    junit: Junit = None,
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
    Finished draws are on disk at once, as those of `kanspice study`.

    Exit code: 0 every sample settled, and every point's yield as wanted; 1 a yield too low; 2 bad input; 3 some did not
    settle, or nothing could be measured.

    Examples:

    `kanspice settle model.pt --inputs inputs.npy --limit 5 --set tia.gbw_hz=1e6 --plot settling.png`

    `kanspice settle model.pt --inputs inputs.npy --limit 5 --tech typical --trials 50 --jobs 4 -o specimens`

    `kanspice settle --resume specimens --jobs 4`
    """
    from kanspice.experiments.settle.run import SettleOptions  # noqa: PLC0415 - torch takes seconds to import

    workers = workers_of(jobs, scheduler, context)
    if resume is not None:
        from kanspice.experiments.settle.study import resume as take_up  # noqa: PLC0415 - --help stays fast

        refuse_others(context)
        raise typer.Exit(_studied(take_up(resume), resume, workers, quiet))
    if model is None or inputs is None:
        raise lacking("settle", model=model, inputs=inputs)
    tolerances = tuple(sorted(within or (1e-2, 1e-3), reverse=True))
    checks, judge = check_of(cross_check)
    if trials is None:
        without_draws(sweep=sweep, corner=corner, max=max_, yield_min=yield_min, out=out, jobs=jobs - 1)
        wanted = Deliverable(json, markdown, html, junit)
        options = SettleOptions(period, rise, tolerances, timeout, seed, engine, checks, judge)
        files = _Files(model, inputs, config, curves, limit, tech, set_ or [])
        raise typer.Exit(_followed(files, options, wanted, plot, quiet))
    if out is None:
        raise lacking("settle", model=model, inputs=inputs, out=out)
    _refuse_files(json=json, markdown=markdown, html=html, junit=junit, plot=plot)
    from kanspice.experiments.settle.plan import Request  # noqa: PLC0415 - torch takes seconds to import
    from kanspice.experiments.settle.study import start  # noqa: PLC0415
    from kanspice.gap.limits import parse_limits  # noqa: PLC0415

    request = Request(
        folder=str(Path.cwd()),
        model=str(model),
        inputs=str(inputs),
        config=text_of(config),
        curves=text_of(curves),
        limit=limit,
        tech=text_of(tech),
        set_=tuple(set_ or ()),
        corners=tuple(map(parsed_corner, corner or ())),
        sweeps=tuple(map(parsed_sweep, sweep or ())),
        trials=trials,
        seed=seed,
        engine=engine,
        period=period,
        rise=rise,
        within=tolerances,
        timeout=timeout,
        cross_check=checks,
        judge=judge,
        limits=tuple(parse_limits(max_ or [])),
        yield_min=yield_min,
    )
    raise typer.Exit(_studied(start(request, out), out, workers, quiet))


@dataclass(frozen=True)
class _Files:
    """What is read."""

    model: Path
    inputs: Path
    config: Path | None
    curves: Path | None
    limit: int | None
    tech: Path | None
    set_: list[str]


def _followed(files: _Files, options: SettleOptions, wanted: Deliverable, plot: Path | None, quiet: bool) -> int:
    """Follows one circuit, shows and writes how it settles; the exit code."""
    from kanspice.cli.terminal import Terminal  # noqa: PLC0415 - --help stays fast
    from kanspice.engine.engines import engine_named  # noqa: PLC0415
    from kanspice.experiments.settle.document import settling_json  # noqa: PLC0415
    from kanspice.experiments.settle.page import settling_page  # noqa: PLC0415
    from kanspice.experiments.settle.plots import read_out_plot  # noqa: PLC0415
    from kanspice.experiments.settle.run import FINER_STEPS, MEASURED  # noqa: PLC0415
    from kanspice.experiments.settle.run import settle as run  # noqa: PLC0415
    from kanspice.families import load  # noqa: PLC0415 - torch takes seconds to import
    from kanspice.families.common import load_array  # noqa: PLC0415 - torch takes seconds to import
    from kanspice.report.figures import encoded  # noqa: PLC0415
    from kanspice.report.terminal import print_page  # noqa: PLC0415
    from kanspice.technology import load_technology  # noqa: PLC0415

    technology = load_technology(files.tech, files.set_)
    loaded = load(files.model, files.config, files.curves)
    population = load_array(files.inputs, "the inputs", loaded.input_width)
    refuse_inputs([*wanted.files, plot])
    samples = population[: files.limit]
    work = Workload(len(samples), faster="fewer samples (--limit), or a shorter --period", steady=True)
    if engine_named(options.engine).follows_some:
        work = replace(work, error_parts=FINER_STEPS * min(MEASURED, len(samples)))
    else:
        work = replace(work, error_parts=2.0 * len(samples), faster=f"--engine batched, {work.faster}")
    with progress_bar(Terminal(stderr=True, quiet=quiet), "following", len(samples), work=work) as progress:
        result = run(loaded, technology, samples, options, population=population, progress=progress)
    console = Terminal(stderr=wanted.prints, quiet=quiet)
    print_page(settling_page(result), console)
    hand_over(wanted, console, json=lambda: settling_json(result), **page_writers(lambda: settling_page(result)))
    if plot is not None:
        write_bytes(plot, encoded(read_out_plot(result)))
    return result.exit_code


def _studied(prepared: Prepared, folder: Path, workers: Workers, quiet: bool) -> int:
    """Follows the draws that are missing, writes and shows what all of them amount to; the exit code."""
    from kanspice.cli.terminal import Terminal  # noqa: PLC0415 - --help stays fast
    from kanspice.experiments.ensemble.files import write  # noqa: PLC0415
    from kanspice.experiments.settle.study import run  # noqa: PLC0415
    from kanspice.experiments.settle.study_document import settling_study_json  # noqa: PLC0415
    from kanspice.report.terminal import print_page  # noqa: PLC0415

    draws = prepared.ensemble.size
    faster = "more processes (--jobs), fewer --trials, or fewer samples (--limit)"
    work, console = Workload(draws, "draws", faster=faster), Terminal(stderr=True, quiet=quiet)
    with kept("settle", folder), progress_bar(console, "following", draws, "draws", work) as progress:
        result = run(prepared, folder, workers, progress)
        page = result.page()
        write(folder, "settle", settling_study_json(result), page, result.timing)
    print_page(page, Terminal(quiet=quiet))
    return result.exit_code


def _refuse_files(**given: object) -> None:
    """Raises InputError for a file that is wanted beside the folder."""
    for name, value in given.items():
        if value is not None:
            hint = "leave it out: the folder has JSON, pages and JUnit XML of all draws"
            raise InputError("many draws are written to a folder", where=f"--{name}", hint=hint)
