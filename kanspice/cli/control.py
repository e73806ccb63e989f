"""`kanspice control`: a network and its circuit in the same closed loop."""

from __future__ import annotations

import shlex
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kanspice.base.errors import InputError, SimulatorError
from kanspice.base.files import refuse_inputs
from kanspice.cli.options import (
    Config,
    Curves,
    Deliverable,
    EngineOption,
    FidelityName,
    FidelityOption,
    Junit,
    Markdown,
    ModelArgument,
    Quiet,
    Set,
    Sweeps,
    Tech,
    hand_over,
    page_writers,
    parsed_sweep,
)
from kanspice.report.progress_bar import progress_bar

if TYPE_CHECKING:
    from kanspice.experiments.control import ControlOptions, ControlResult, Draws
    from kanspice.families import LoadedModel
    from kanspice.technology import Technology


def control(
    model: ModelArgument,
    *,
    plant: Annotated[
        str,
        typer.Option(
            "--plant", metavar="NAME", help="cartpole, pv, pv-curves, arm, arm6, or an environment of gymnasium."
        ),
    ],
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
        int | None,
        typer.Option("--spot-check", min=0, metavar="N", help="N of those draws by ngspice too; 1 if not given."),
    ] = None,
    cross_check: Annotated[
        int, typer.Option("--cross-check", min=0, metavar="N", help="Also N actions by the other engine.")
    ] = 0,
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
    quiet: Quiet = False,
) -> None:
    """Let a network control a plant, then its circuit from the same starts, and compare what becomes of both.

    Exit code: 0 measured, and within every --max; 1 a limit exceeded; 2 bad input; 3 could not measure: an episode
    ended because the circuit has no answer, or engines disagree.

    Examples:

    `kanspice control model.pt --plant cartpole --episodes 10 --steps 500 --html loop.html`

    `kanspice control model.pt --plant pv --engine batched --trials 100 --sweep devices.area_sigma=0.01,0.02,0.05`
    """
    from kanspice.cli.terminal import Terminal  # noqa: PLC0415 - --help stays fast
    from kanspice.experiments.control import ControlOptions  # noqa: PLC0415 - torch takes seconds to import
    from kanspice.experiments.control.document import control_json  # noqa: PLC0415
    from kanspice.experiments.control.page import control_page  # noqa: PLC0415
    from kanspice.families import load  # noqa: PLC0415
    from kanspice.gap.limits import parse_limits  # noqa: PLC0415
    from kanspice.report.terminal import print_page  # noqa: PLC0415
    from kanspice.technology import load_technology  # noqa: PLC0415

    wanted = Deliverable(json, markdown, html, junit)
    console = Terminal(stderr=wanted.prints, quiet=quiet)
    draws = _draws(tech, set_ or [], sweep or [], trials, spot_check)
    technology = load_technology(tech, set_ or ())
    loaded = load(model, config, curves)
    refuse_inputs(wanted.files)
    options = ControlOptions(
        episodes=episodes,
        steps=steps,
        seed=seed,
        latency=latency,
        engine=engine,
        fidelity=fidelity.value,
        sample_timeout_s=timeout,
        limits=parse_limits(max_ or []),
        cross_check=cross_check,
        plant_curves=plant_curves,
    )
    result = _measured(loaded, technology, plant, options, draws, quiet)
    print_page(control_page(result), console)
    hand_over(wanted, console, json=lambda: control_json(result), **page_writers(lambda: control_page(result)))
    raise typer.Exit(result.exit_code)


def _measured(
    loaded: LoadedModel, technology: Technology, plant: str, options: ControlOptions, draws: Draws | None, quiet: bool
) -> ControlResult:
    """What becomes of all episodes, with a bar while they last."""
    from kanspice.cli.terminal import Terminal  # noqa: PLC0415 - --help stays fast
    from kanspice.engine.progress import Advance  # noqa: PLC0415
    from kanspice.experiments.control import control as run  # noqa: PLC0415 - torch takes seconds to import

    drawn = 0 if draws is None else draws.periods(options.episodes, options.steps)
    total = 2 * options.episodes * options.steps + drawn
    console = Terminal(stderr=True, quiet=quiet)

    def warn(text: str) -> None:
        console.print(f"warning: {text}", style="yellow", highlight=False, markup=False, soft_wrap=True)

    with progress_bar(console, "controlling", total, "control periods") as move:
        result = run(
            loaded, technology, plant, options, draws, progress=lambda periods: move(Advance(periods)), warn=warn
        )
    return replace(result, command=shlex.join(["kanspice", *sys.argv[1:]]))


def _draws(
    tech: Path | None, set_: list[str], sweeps: list[str], trials: int | None, spot_check: int | None
) -> Draws | None:
    """What is to be drawn; None where nothing is. Raises InputError for what goes together with draws only."""
    if trials is None:
        for option, given in (("--sweep", bool(sweeps)), ("--spot-check", spot_check is not None)):
            if given:
                raise InputError("there are no draws", where=option, hint="say how many with --trials")
        return None
    from kanspice.experiments.control import Draws  # noqa: PLC0415 - --help stays fast
    from kanspice.experiments.ensemble.variations import check_variations, points_of  # noqa: PLC0415

    swept = tuple(map(parsed_sweep, sweeps))
    check_variations(set_, (), swept, trials)
    return Draws(points_of(tech, set_, (), swept), swept, trials, checks=_spot_checks(spot_check))


def _spot_checks(wanted: int | None) -> int:
    """How many draws the other engine tries too: one where it is installed, if nothing else is said."""
    from kanspice.engine.engines import engine_named  # noqa: PLC0415
    from kanspice.engine.running import judge_of  # noqa: PLC0415
    from kanspice.experiments.control.success import Draws  # noqa: PLC0415 - --help stays fast

    if wanted is not None:
        return wanted
    try:
        engine_named(judge_of(Draws.engine)).find()
    except SimulatorError:
        return 0
    return 1
