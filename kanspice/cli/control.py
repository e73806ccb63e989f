"""`kanspice control`: a network and its circuit in the same closed loop."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from kanspice.cli.deliverables import Deliverables, deliver, delivers
from kanspice.cli.ensembles import OptionalModel, Out, Processes, Resume, Scheduler, bar_keeping, jobs_of, refuse_others
from kanspice.cli.options import (
    Config,
    Curves,
    EngineOption,
    FidelityName,
    FidelityOption,
    Quiet,
    Set,
    Sweeps,
    Tech,
    command_line,
)

_SPOT_CHECKED = 1


@delivers()
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
    sized_for: Annotated[
        Path | None,
        typer.Option(
            "--sized-for",
            metavar="F",
            help="Samples that circuits are sized for, in place of what the network meets.",
        ),
    ] = None,
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
    min_: Annotated[
        list[str] | None,
        typer.Option("--min", metavar="METRIC=VALUE", help="Fail (exit 1) below it, e.g. success_rate=0.9."),
    ] = None,
    timeout: Annotated[
        float, typer.Option("--timeout", min=0.001, metavar="S", help="Seconds for one operating point in ngspice.")
    ] = 10.0,
    wanted: Deliverables,
    jobs: Processes = 1,
    scheduler: Scheduler = None,
    out: Out = None,
    resume: Resume = None,
    quiet: Quiet = False,
) -> None:
    """Let a network control a plant, then its circuit from the same starts, and compare what becomes of both.

    Exit code: 0 measured, and within every limit; 1 a limit not kept; 2 bad input; 3 could not measure: an episode
    ended because the circuit has no answer, or engines disagree.

    With --out every finished draw is kept at once: after a crash, a kill or Ctrl-C, `--resume DIR` goes on without
    losing or repeating any.

    Examples:

    `kanspice control model.pt --plant cartpole --episodes 10 --steps 500 --html loop.html`

    `kanspice control model.pt --plant pv --engine batched --trials 100 --sweep devices.area_sigma=0.01,0.02,0.05`

    `kanspice control model.pt --plant cartpole --tech typical --trials 1000 --jobs 4 -o loops`

    `kanspice control --resume loops --jobs 4`
    """
    from kanspice.cli.terminal import Terminal  # noqa: PLC0415 - --help stays fast
    from kanspice.experiments.api.control import control as run  # noqa: PLC0415 - torch takes seconds to import
    from kanspice.experiments.control.document import control_json  # noqa: PLC0415

    beside = Terminal(stderr=True, quiet=quiet)
    if resume is not None:
        refuse_others(context)

    def warn(text: str) -> None:
        beside.print(f"warning: {text}", style="yellow", highlight=False, markup=False, soft_wrap=True)

    result = run(
        model,
        plant,
        plant_curves=plant_curves,
        config=config,
        curves=curves,
        sized_for=sized_for,
        tech=tech,
        set=set_ or (),
        engine=engine,
        fidelity=fidelity.value,
        episodes=episodes,
        steps=steps,
        seed=seed,
        latency=latency,
        trials=trials,
        sweep=sweep or (),
        spot_check=spot_check,
        cross_check=cross_check,
        max=max_ or (),
        min=min_ or (),
        timeout=timeout,
        jobs=jobs_of(jobs, scheduler, context),
        scheduler=scheduler,
        out=out,
        resume=resume,
        progress=bar_keeping("control", resume or out, wanted.files, quiet),
        warn=warn,
    )
    if out is None and resume is None:
        result = replace(result, command=command_line())
    deliver(result.page(), wanted, quiet, lambda: control_json(result))
    raise typer.Exit(result.exit_code)
