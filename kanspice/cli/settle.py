"""`kanspice settle`: how fast a crossbar circuit answers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from kanspice.base.files import refuse_inputs, write_bytes
from kanspice.cli.options import (
    ENGINES,
    Config,
    Curves,
    Deliverable,
    Junit,
    LimitOption,
    Markdown,
    ModelArgument,
    Quiet,
    Set,
    Tech,
    engine_of,
    hand_over,
    page_writers,
)
from kanspice.report.estimate import Workload
from kanspice.report.progress_bar import progress_bar


def settle(
    model: ModelArgument,
    *,
    inputs: Annotated[Path, typer.Option("--inputs", help="Samples (samples, inputs), in order: .npy, .npz or .csv.")],
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
        int, typer.Option("--cross-check", min=0, metavar="N", help="The first N samples by the other engine too.")
    ] = 0,
    timeout: Annotated[
        float | None,
        typer.Option(
            "--timeout", min=0.001, metavar="S", help="Seconds for each time that the transients are followed."
        ),
    ] = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Draws random imperfections.")] = 0,
    quiet: Quiet = False,
) -> None:
    """Step a crossbar circuit's inputs from sample to sample in one transient, and see when its stages settle.

    Exit code: 0 every sample settled; 2 bad input; 3 some did not, or nothing could be measured.

    Example: `kanspice settle model.pt --inputs inputs.npy --limit 5 --set tia.gbw_hz=1e6 --plot settling.png`
    """
    from kanspice.cli.terminal import Terminal  # noqa: PLC0415 - --help stays fast
    from kanspice.engine.engines import engine_named  # noqa: PLC0415
    from kanspice.experiments.settle.document import settling_json  # noqa: PLC0415
    from kanspice.experiments.settle.page import settling_page  # noqa: PLC0415
    from kanspice.experiments.settle.plots import read_out_plot  # noqa: PLC0415
    from kanspice.experiments.settle.run import FINER_STEPS, MEASURED, SettleOptions  # noqa: PLC0415
    from kanspice.experiments.settle.run import settle as run  # noqa: PLC0415
    from kanspice.families import load  # noqa: PLC0415 - torch takes seconds to import
    from kanspice.families.common import load_array  # noqa: PLC0415 - torch takes seconds to import
    from kanspice.report.figures import encoded  # noqa: PLC0415
    from kanspice.report.terminal import print_page  # noqa: PLC0415
    from kanspice.technology import load_technology  # noqa: PLC0415

    wanted = Deliverable(json, markdown, html, junit)
    console = Terminal(stderr=wanted.prints, quiet=quiet)
    tolerances = sorted(within or (1e-2, 1e-3), reverse=True)
    options = SettleOptions(period, rise, tolerances, timeout, seed, engine, cross_check)
    technology = load_technology(tech, set_ or ())
    loaded = load(model, config, curves)
    population = load_array(inputs, "the inputs", loaded.input_width)
    refuse_inputs([*wanted.files, plot])
    samples = population[:limit]
    work = Workload(len(samples), faster="fewer samples (--limit), or a shorter --period", steady=True)
    if engine_named(engine).follows_some:
        work = replace(work, error_parts=FINER_STEPS * min(MEASURED, len(samples)))
    else:
        work = replace(work, error_parts=2.0 * len(samples), faster=f"--engine batched, {work.faster}")
    with progress_bar(Terminal(stderr=True, quiet=quiet), "following", len(samples), work=work) as progress:
        result = run(loaded, technology, samples, options, population=population, progress=progress)
    print_page(settling_page(result), console)
    hand_over(wanted, console, json=lambda: settling_json(result), **page_writers(lambda: settling_page(result)))
    if plot is not None:
        write_bytes(plot, encoded(read_out_plot(result)))
    raise typer.Exit(result.exit_code)
