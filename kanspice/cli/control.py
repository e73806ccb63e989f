"""`kanspice control`: a network and its circuit in the same closed loop."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kanspice.base.errors import InputError
from kanspice.base.files import refuse_inputs
from kanspice.cli.ensembles import (
    OptionalModel,
    Out,
    Processes,
    Resume,
    Scheduler,
    checks_of,
    kept,
    lacking,
    refuse_others,
    text_of,
    without_draws,
    workers_of,
)
from kanspice.cli.options import (
    Config,
    Curves,
    Deliverable,
    EngineOption,
    FidelityName,
    FidelityOption,
    Junit,
    Markdown,
    Quiet,
    Set,
    Sweeps,
    Tech,
    hand_over,
    page_writers,
    parsed_sweep,
)
from kanspice.engine.names import check_of
from kanspice.report.progress_bar import progress_bar

if TYPE_CHECKING:
    from kanspice.experiments.control import ControlResult
    from kanspice.experiments.control.plan import Request
    from kanspice.experiments.control.run import Kept
    from kanspice.experiments.ensemble.workers import Workers

_SPOT_CHECKED = 1


def control(
    context: typer.Context,
    model: OptionalModel = None,
    *,
    plant: Annotated[
        str | None,
        typer.Option(
            "--plant", metavar="NAME", help="cartpole, pv, pv-curves, arm, arm6, or an environment of gymnasium."
        ),
    ] = None,
    plant_curves: Annotated[
        Path | None,
        typer.Option("--plant-curves", metavar="F", help="Of pv-curves: currents in A, (curves, points), 0.2 V apart."),
    ] = None,
    config: Config = None,
    curves: Curves = None,
    tech: Tech = None,
    set_: Set = None,
    engine: EngineOption = "ngspice",
    fidelity: FidelityOption = FidelityName.AUTO,
    episodes: Annotated[int, typer.Option("--episodes", min=1, metavar="N", help="Starts, the same for both.")] = 10,
    steps: Annotated[
        int, typer.Option("--steps", min=1, metavar="N", help="Control periods of an episode at most.")
    ] = 500,
    seed: Annotated[int, typer.Option("--seed", min=0, metavar="S", help="Draws starts and specimens.")] = 0,
    latency: Annotated[
        int, typer.Option("--latency", min=0, max=1, metavar="0|1", help="Control periods until an action acts.")
    ] = 0,
    trials: Annotated[
        int | None,
        typer.Option("--trials", min=1, metavar="N", help="Also try N drawn circuits, at every value of --sweep."),
    ] = None,
    sweep: Sweeps = None,
    spot_check: Annotated[
        str | None,
        typer.Option(
            "--spot-check",
            metavar="N[:ENGINE]",
            help=f"N of those draws by ngspice too, or by an engine that is named; {_SPOT_CHECKED} if not given.",
        ),
    ] = None,
    cross_check: Annotated[
        str,
        typer.Option(
            "--cross-check",
            metavar="N[:ENGINE]",
            help="Also N actions by the other engine, or by one that is named.",
        ),
    ] = "0",
    max_: Annotated[
        list[str] | None,
        typer.Option("--max", metavar="METRIC=VALUE", help="Fail (exit 1) above it, e.g. success_drop=0."),
    ] = None,
    timeout: Annotated[
        float, typer.Option("--timeout", min=0.001, metavar="S", help="Seconds for one operating point in ngspice.")
    ] = 10.0,
    json: Annotated[str | None, typer.Option("--json", metavar="F", help="Write JSON; - prints it.")] = None,
    markdown: Markdown = None,
    html: Annotated[Path | None, typer.Option("--html", metavar="F", help="Write a page to read.")] = None,
    junit: Junit = None,
    jobs: Processes = 1,
    scheduler: Scheduler = None,
    out: Out = None,
    resume: Resume = None,
    quiet: Quiet = False,
) -> None:
    """Let a network control a plant, then its circuit from the same starts, and compare what becomes of both.

    Exit code: 0 measured, and within every --max; 1 a limit exceeded; 2 bad input; 3 could not measure: an episode
    ended because the circuit has no answer, or engines disagree.

    With --out every finished draw is on disk at once: after a crash, a kill or Ctrl-C, `--resume DIR` goes on without
    losing or repeating any.

    Examples:

    `kanspice control model.pt --plant cartpole --episodes 10 --steps 500 --html loop.html`

    `kanspice control model.pt --plant pv --engine batched --trials 100 --sweep devices.area_sigma=0.01,0.02,0.05`

    `kanspice control model.pt --plant cartpole --tech typical --trials 1000 --jobs 4 -o loops`

    `kanspice control --resume loops --jobs 4`
    """
    from kanspice.experiments.control.plan import Request  # noqa: PLC0415 - torch takes seconds to import
    from kanspice.experiments.control.run import resume as take_up  # noqa: PLC0415
    from kanspice.experiments.control.run import start  # noqa: PLC0415
    from kanspice.gap.limits import parse_limits  # noqa: PLC0415 - --help stays fast

    wanted = Deliverable(json, markdown, html, junit)
    workers = workers_of(jobs, scheduler, context)
    if resume is not None:
        refuse_others(context)
        raise typer.Exit(_delivered(_in_folder(take_up(resume), resume, workers, quiet), wanted, quiet))
    if model is None or plant is None:
        raise lacking("control", model=model, plant=plant)
    if scheduler is not None and out is None:
        raise InputError("a cluster measures for a folder", where="--scheduler", hint="with --out DIR")
    if trials is None:
        without_draws(sweep=sweep, spot_check=spot_check, out=out)
    checks, judge = check_of(cross_check)
    spots, spot_judge = (0, None) if trials is None else _spot_checks(spot_check)
    request = Request(
        folder=str(Path.cwd()),
        model=str(model),
        plant=plant,
        plant_curves=text_of(plant_curves),
        config=text_of(config),
        curves=text_of(curves),
        tech=text_of(tech),
        set_=tuple(set_ or ()),
        sweeps=tuple(map(parsed_sweep, sweep or ())),
        trials=trials or 1,
        seed=seed,
        engine=engine,
        fidelity=fidelity.value,
        episodes=episodes,
        steps=steps,
        latency=latency,
        timeout=timeout,
        cross_check=checks,
        judge=judge,
        spot_check=spots,
        spot_judge=spot_judge,
        limits=tuple(parse_limits(max_ or [])),
    )
    if out is None:
        result = _measured(request, trials is not None, workers, wanted, quiet)
    else:
        kept_there = start(request, out)
        refuse_inputs(wanted.files)
        result = _in_folder(kept_there, out, workers, quiet)
    raise typer.Exit(_delivered(result, wanted, quiet))


def _measured(request: Request, with_draws: bool, workers: Workers, wanted: Deliverable, quiet: bool) -> ControlResult:
    """What becomes of all episodes, which nothing keeps."""
    from kanspice.experiments.control.measure import prepare  # noqa: PLC0415 - torch takes seconds to import
    from kanspice.experiments.ensemble.journal import Unkept  # noqa: PLC0415
    from kanspice.families import load  # noqa: PLC0415
    from kanspice.technology import load_technology  # noqa: PLC0415

    draws = request.draws() if with_draws else None
    technology = load_technology(None if request.tech is None else Path(request.tech), request.set_)
    loaded = load(request.model, request.config, request.curves)
    refuse_inputs(wanted.files)
    with _bar(request, with_draws, quiet) as (progress, warn):
        prepared = prepare(loaded, technology, request.plant, request.options, draws, progress=progress)
        result = prepared.run(Unkept(), workers, progress, warn)
    return replace(result, command=shlex.join(["kanspice", *sys.argv[1:]]))


def _in_folder(found: Kept, folder: Path, workers: Workers, quiet: bool) -> ControlResult:
    """What becomes of all episodes, with the draws that the folder does not have yet; written to it."""
    from kanspice.experiments.control.document import control_json  # noqa: PLC0415 - --help stays fast
    from kanspice.experiments.control.page import control_page  # noqa: PLC0415
    from kanspice.experiments.control.run import run  # noqa: PLC0415
    from kanspice.experiments.ensemble.files import write  # noqa: PLC0415

    with kept("control", folder), _bar(found.request, True, quiet) as (progress, warn):
        result = run(found, folder, workers, progress, warn)
        write(folder, "control", control_json(result), control_page(result), result.timing)
    return result


@contextmanager
def _bar(
    request: Request, with_draws: bool, quiet: bool
) -> Iterator[tuple[Callable[[int], None], Callable[[str], None]]]:
    """What moves a bar on by control periods, and what warns beside it."""
    from kanspice.cli.terminal import Terminal  # noqa: PLC0415 - --help stays fast
    from kanspice.engine.progress import Advance  # noqa: PLC0415

    console = Terminal(stderr=True, quiet=quiet)
    drawn = request.draws().periods(request.episodes, request.steps) if with_draws else 0
    total = 2 * request.episodes * request.steps + drawn

    def warn(text: str) -> None:
        console.print(f"warning: {text}", style="yellow", highlight=False, markup=False, soft_wrap=True)

    with progress_bar(console, "controlling", total, "control periods") as move:
        yield lambda periods: move(Advance(periods)), warn


def _delivered(result: ControlResult, wanted: Deliverable, quiet: bool) -> int:
    """Shows and writes it; the exit code."""
    from kanspice.cli.terminal import Terminal  # noqa: PLC0415 - --help stays fast
    from kanspice.experiments.control.document import control_json  # noqa: PLC0415
    from kanspice.experiments.control.page import control_page  # noqa: PLC0415
    from kanspice.report.terminal import print_page  # noqa: PLC0415

    console = Terminal(stderr=wanted.prints, quiet=quiet)
    print_page(control_page(result), console)
    hand_over(wanted, console, json=lambda: control_json(result), **page_writers(lambda: control_page(result)))
    return result.exit_code


def _spot_checks(wanted: str | None) -> tuple[int, str | None]:
    """How many draws another engine tries too, and which: one where it is installed, if nothing else is said."""
    from kanspice.experiments.control.success import Draws  # noqa: PLC0415 - --help stays fast

    return checks_of(wanted, Draws.engine, _SPOT_CHECKED, "--spot-check")[:2]
