"""`kanspice.control`: a network and its circuit, or many draws of it, in the same closed loop."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from kanspice.base.errors import InputError
from kanspice.base.files.array_files import Given
from kanspice.engine.fidelity import FidelityChoice
from kanspice.engine.names import check_of
from kanspice.engine.progress import Advance
from kanspice.experiments.api.arguments import (
    Limits,
    Model,
    Overrides,
    Tech,
    limits_of,
    model_of,
    technology_of,
    texts_of,
)
from kanspice.experiments.api.draws import (
    Sweeps,
    checks_of,
    file_of,
    lacking,
    optional_file,
    refuse_beside,
    refuse_without_draws,
    sweeps_of,
    workers_of,
)
from kanspice.experiments.control import ControlResult
from kanspice.experiments.control import measure as loops
from kanspice.experiments.control import run as kept_loops
from kanspice.experiments.control.document import control_json
from kanspice.experiments.control.plan import LoopRequest
from kanspice.experiments.control.plants.named import PlantMaker
from kanspice.experiments.control.result import BY_NAME
from kanspice.experiments.control.success import Draws
from kanspice.experiments.ensemble.files import write
from kanspice.experiments.ensemble.journal import Unkept
from kanspice.experiments.ensemble.workers import Workers
from kanspice.experiments.numbers import check_numbers, plain_numbers
from kanspice.experiments.sizing import SizingSamples
from kanspice.report.progress_bar import Bar, bar_of

_SPOT_CHECKED = 1
"""Draws that another engine looks at too, unless something else is said."""


@plain_numbers
def control(
    model: Model | None = None,
    plant: str | PlantMaker | None = None,
    *,
    plant_curves: str | Path | None = None,
    config: str | Path | None = None,
    curves: str | Path | None = None,
    sized_for: Given | None = None,
    tech: Tech = None,
    set: Overrides = (),
    engine: str = "ngspice",
    fidelity: FidelityChoice = "auto",
    episodes: int = 10,
    steps: int = 500,
    seed: int = 0,
    latency: int = 0,
    trials: int | None = None,
    sweep: Sweeps = (),
    spot_check: int | str | None = None,
    cross_check: int | str = 0,
    max: Limits = (),
    min: Limits = (),
    timeout: float = 10.0,
    jobs: int = 1,
    scheduler: str | None = None,
    out: str | Path | None = None,
    resume: str | Path | None = None,
    progress: bool | Bar = False,
    warn: Callable[[str], None] | None = None,
) -> ControlResult:
    """Lets a network control a plant, then its circuit from the same starts, and compares what becomes of both.

    plant: a name, or what makes a plant (then without `out`). sized_for: samples (samples, inputs) that circuits are
    sized for, if those are not what the network comes by. trials: also so many drawn circuits, at every value of
    `sweep`; out: a new folder that keeps their episodes; resume: one to go on with, instead of all the rest.
    spot_check: so many of these draws by another engine too; 1 if None and that is installed. cross_check: so many
    actions by another engine too. timeout: seconds for one operating point in ngspice. warn: told, before the
    circuit's episodes begin, where they will take long.
    Raises InputError for a plant that does not fit, SimulatorError without a simulator.
    """
    check_numbers(episodes=episodes, steps=steps, seed=seed, latency=latency, trials=trials, timeout=timeout, jobs=jobs)
    workers = workers_of(jobs, scheduler)
    if resume is not None:
        refuse_beside("control", model=model, plant=plant, out=out)
        found = kept_loops.resume(Path(resume))
        return _looped(found, Path(resume), workers, progress, warn)
    if model is None or plant is None:
        raise lacking("control", model=model, plant=plant)
    if scheduler is not None and out is None:
        raise InputError("a cluster measures for a folder", where="--scheduler", hint="with --out DIR")
    if trials is None:
        refuse_without_draws(sweep=sweep, spot_check=spot_check, out=out)
    checks, judge = check_of(cross_check)
    spots, spot_judge = (0, None) if trials is None else _spot_checks(spot_check)
    in_memory = out is None
    request = LoopRequest(
        folder=str(Path.cwd()),
        model=str(model) if in_memory else file_of("MODEL", model),
        plant=plant if isinstance(plant, str) else "" if in_memory else file_of("--plant", plant),
        plant_curves=optional_file("--plant-curves", plant_curves),
        config=optional_file("--config", config),
        curves=optional_file("--curves", curves),
        tech=None if in_memory else optional_file("--tech", tech),
        set_=tuple(texts_of(set)),
        sweeps=sweeps_of(sweep),
        trials=trials or 1,
        seed=seed,
        engine=engine,
        fidelity=fidelity,
        episodes=episodes,
        steps=steps,
        latency=latency,
        timeout=timeout,
        cross_check=checks,
        judge=judge,
        spot_check=spots,
        spot_judge=spot_judge,
        limits=tuple(limits_of(None, max, min, BY_NAME)),
        sized_for=None if in_memory else optional_file("--sized-for", sized_for),
    )
    if out is not None:
        return _looped(kept_loops.start(request, Path(out)), Path(out), workers, progress, warn)
    technology, loaded = technology_of(tech, set), model_of(model, config, curves)
    draws = None if trials is None else replace(request, tech=optional_file("--tech", tech)).draws()
    with bar_of(progress)("controlling", request.periods(draws), "control periods") as told:
        move = _by_periods(told)
        apart = SizingSamples.read(loaded, sized_for)
        prepared = loops.prepare(loaded, technology, plant, request.options, draws, sized_for=apart, progress=move)
        return prepared.run(Unkept(), workers, move, warn)


def _spot_checks(wanted: int | str | None) -> tuple[int, str | None]:
    return checks_of(wanted, Draws.engine, _SPOT_CHECKED, "--spot-check")[:2]


def _looped(
    found: kept_loops.Kept,
    folder: Path,
    workers: Workers,
    progress: bool | Bar,
    warn: Callable[[str], None] | None,
) -> ControlResult:
    with bar_of(progress)("controlling", found.request.periods(found.request.draws()), "control periods") as told:
        result = kept_loops.run(found, folder, workers, _by_periods(told), warn)
        write(folder, "control", control_json(result), result.page(), result.timing)
    return result


def _by_periods(told: Callable[[Advance], None] | None) -> Callable[[int], None]:
    return lambda periods: None if told is None else told(Advance(periods))
