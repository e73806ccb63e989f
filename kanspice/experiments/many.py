"""`settle`, `study` and `control` as functions: one circuit, or many draws of it that a folder keeps.

What a folder keeps is named by files, so that draws are measured by several processes and the work can be resumed:
there models, samples and technologies are files.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from kanspice.base.errors import InputError, SimulatorError
from kanspice.base.files.array_files import Given, is_file, load_array
from kanspice.engine.engines import engine_named
from kanspice.engine.fidelity import FidelityChoice
from kanspice.engine.names import check_of
from kanspice.engine.progress import Advance
from kanspice.engine.running import judge_of
from kanspice.experiments.api import Limits, Model, Overrides, Tech, limits_of, model_of, technology_of, texts_of
from kanspice.experiments.control import ControlResult
from kanspice.experiments.control import measure as loops
from kanspice.experiments.control import run as kept_loops
from kanspice.experiments.control.document import control_json
from kanspice.experiments.control.plan import LoopRequest
from kanspice.experiments.control.plants.named import PlantMaker
from kanspice.experiments.control.success import Draws
from kanspice.experiments.ensemble.files import write
from kanspice.experiments.ensemble.journal import Unkept
from kanspice.experiments.ensemble.variations import Corner, Sweep
from kanspice.experiments.ensemble.workers import Workers, cluster, local
from kanspice.experiments.numbers import check_numbers
from kanspice.experiments.settle import run as settling
from kanspice.experiments.settle import study as settling_studies
from kanspice.experiments.settle.plan import SettlingRequest
from kanspice.experiments.settle.settling import Settling
from kanspice.experiments.settle.study import SettlingStudy
from kanspice.experiments.settle.study_document import settling_study_json
from kanspice.experiments.settle.transients import SettleOptions
from kanspice.experiments.study.document import to_json
from kanspice.experiments.study.plan import StudyRequest
from kanspice.experiments.study.result import StudyResult
from kanspice.experiments.study.run import resume as resume_study
from kanspice.experiments.study.run import run as run_study
from kanspice.experiments.study.run import start as start_study
from kanspice.report.estimate import Workload
from kanspice.report.progress_bar import Bar, bar_of
from kanspice.report.shown import Shown

Sweeps = Sequence[str] | Mapping[str, Sequence[object]]
"""`SECTION.KEY=V1,V2,...` texts, or values by `SECTION.KEY`."""
Corners = Sequence[str] | Mapping[str, Overrides]
"""`NAME:SECTION.KEY=VALUE,...` texts, or what is set by name."""
_CROSS_CHECKED, _SPOT_CHECKED = 3, 1
"""Draws that another engine looks at too, unless something else is said."""
_FASTER = "more processes (--jobs), fewer --trials, or fewer samples (--limit)"


def settle(
    model: Model | None = None,
    inputs: Given | None = None,
    *,
    config: str | Path | None = None,
    curves: str | Path | None = None,
    limit: int | None = None,
    tech: Tech = None,
    set: Overrides = (),
    period: float | None = None,
    rise: float | None = None,
    within: Sequence[float] = (1e-2, 1e-3),
    engine: str = "batched",
    cross_check: int | str = 0,
    timeout: float | None = None,
    seed: int = 0,
    trials: int | None = None,
    sweep: Sweeps = (),
    corner: Corners = (),
    max: Limits = (),
    yield_min: float | None = None,
    jobs: int = 1,
    scheduler: str | None = None,
    out: str | Path | None = None,
    resume: str | Path | None = None,
    progress: bool | Bar = False,
) -> Settling | SettlingStudy:
    """Steps a crossbar circuit's inputs from sample to sample in one transient, and sees when its stages settle.

    With `trials`, or `resume`, that of many draws in the folder `out`: a SettlingStudy. period, rise: seconds, for each
    sample and of the inputs; found if None. within: what counts as settled, in standard deviations of a stage's
    outputs. cross_check: the first so many samples by another engine too, or so many draws. The rest is as in `study`.
    Raises InputError for what takes no time or does not fit together, SimulatorError where nothing can be followed.
    """
    check_numbers(limit=limit, timeout=timeout, seed=seed, trials=trials, jobs=jobs, period=period, rise=rise)
    workers = _workers(jobs, scheduler)
    if resume is not None:
        _alone("settle", model=model, inputs=inputs, out=out)
        return _settled(settling_studies.resume(Path(resume)), Path(resume), workers, progress)
    if model is None or inputs is None:
        raise _lacking("settle", model=model, inputs=inputs)
    checks, judge = check_of(cross_check)
    tolerances = tuple(sorted(within, reverse=True))
    if trials is None:
        _without_draws(sweep=sweep, corner=corner, max=max, yield_min=yield_min, out=out, jobs=jobs - 1)
        options = SettleOptions(period, rise, tolerances, timeout, seed, engine, checks, judge)
        technology, loaded = technology_of(tech, set), model_of(model, config, curves)
        population = load_array(inputs, "the inputs", loaded.input_width)
        samples = population[:limit]
        with bar_of(progress)("following", len(samples), work=options.work(len(samples))) as told:
            return settling.settle(loaded, technology, samples, options, population=population, progress=told)
    if out is None:
        raise _lacking("settle", model=model, inputs=inputs, out=out)
    request = SettlingRequest(
        folder=str(Path.cwd()),
        model=_file("MODEL", model),
        inputs=_file("--inputs", inputs),
        config=_optional("--config", config),
        curves=_optional("--curves", curves),
        limit=limit,
        tech=_optional("--tech", tech),
        set_=tuple(texts_of(set)),
        corners=corners_of(corner),
        sweeps=sweeps_of(sweep),
        trials=trials,
        seed=seed,
        engine=engine,
        period=period,
        rise=rise,
        within=tolerances,
        timeout=timeout,
        cross_check=checks,
        judge=judge,
        limits=tuple(limits_of(None, max)),
        yield_min=yield_min,
    )
    return _settled(settling_studies.start(request, Path(out)), Path(out), workers, progress)


def study(
    model: str | Path | None = None,
    inputs: str | Path | None = None,
    out: str | Path | None = None,
    *,
    config: str | Path | None = None,
    curves: str | Path | None = None,
    labels: str | Path | None = None,
    targets: str | Path | None = None,
    limit: int | None = None,
    tech: str | Path | None = None,
    set: Overrides = (),
    trials: int = 100,
    seed: int = 0,
    sweep: Sweeps = (),
    corner: Corners = (),
    engine: str = "batched",
    device: str = "cpu",
    cross_check: int | str | None = None,
    max: Limits = (),
    yield_min: float | None = None,
    jobs: int = 1,
    scheduler: str | None = None,
    resume: str | Path | None = None,
    progress: bool | Bar = False,
) -> StudyResult:
    """Measures many draws of a network's circuit: how the gap is distributed, and which fraction keeps a limit.

    out: a new folder, which keeps every finished draw at once; resume: one to go on with, instead of all the rest. A
    point is a corner with one value of each sweep; every point gets the same `trials` draws. cross_check: so many
    draws, 4 samples of each, by another engine too; 3 if None and that engine is installed. max: what a good draw
    keeps; yield_min: the fraction of good draws wanted. jobs: processes; scheduler: a Dask cluster's address instead.
    Raises InputError for what does not fit together, SimulatorError without a simulator.
    """
    check_numbers(limit=limit, trials=trials, seed=seed, jobs=jobs)
    workers = _workers(jobs, scheduler)
    if resume is not None:
        _alone("study", model=model, inputs=inputs, out=out)
        prepared, folder = resume_study(Path(resume)), Path(resume)
    else:
        if model is None or inputs is None or out is None:
            raise _lacking("study", model=model, inputs=inputs, out=out)
        checks, judge, why_none = _checks(cross_check, engine, _CROSS_CHECKED)
        request = StudyRequest(
            folder=str(Path.cwd()),
            model=_file("MODEL", model),
            inputs=_file("--inputs", inputs),
            config=_optional("--config", config),
            curves=_optional("--curves", curves),
            labels=_optional("--labels", labels),
            targets=_optional("--targets", targets),
            limit=limit,
            tech=_optional("--tech", tech),
            set_=tuple(texts_of(set)),
            corners=corners_of(corner),
            sweeps=sweeps_of(sweep),
            trials=trials,
            seed=seed,
            engine=engine,
            device=device,
            cross_check=checks,
            no_cross_check=why_none,
            cross_check_needed=cross_check is not None and checks > 0,
            limits=tuple(limits_of(None, max)),
            yield_min=yield_min,
            judge=judge,
        )
        prepared, folder = start_study(request, Path(out)), Path(out)
    faster = _FASTER
    if not engine_named(prepared.request.engine).solves_together:
        faster = f"--engine batched, {faster}"
    work = Workload(prepared.draws, "draws", faster=faster)
    with bar_of(progress)("measuring", prepared.draws, "draws", work) as told:
        result = run_study(prepared, folder, workers, told)
        _kept_in(folder, "study", to_json(result), result, result.timing)
    return result


def control(
    model: Model | None = None,
    plant: str | PlantMaker | None = None,
    *,
    plant_curves: str | Path | None = None,
    config: str | Path | None = None,
    curves: str | Path | None = None,
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
    timeout: float = 10.0,
    jobs: int = 1,
    scheduler: str | None = None,
    out: str | Path | None = None,
    resume: str | Path | None = None,
    progress: bool | Bar = False,
    warn: Callable[[str], None] | None = None,
) -> ControlResult:
    """Lets a network control a plant, then its circuit from the same starts, and compares what becomes of both.

    plant: a name, or what makes a plant (then without `out`). trials: also so many drawn circuits, at every value of
    `sweep`; out: a new folder that keeps their episodes; resume: one to go on with, instead of all the rest.
    spot_check: so many of these draws by another engine too; 1 if None and that is installed. cross_check: so many
    actions by another engine too. timeout: seconds for one operating point in ngspice. warn: told, before the
    circuit's episodes begin, where they will take long.
    Raises InputError for a plant that does not fit, SimulatorError without a simulator.
    """
    check_numbers(episodes=episodes, steps=steps, seed=seed, latency=latency, trials=trials, timeout=timeout, jobs=jobs)
    workers = _workers(jobs, scheduler)
    if resume is not None:
        _alone("control", model=model, plant=plant, out=out)
        found = kept_loops.resume(Path(resume))
        return _looped(found, Path(resume), workers, progress, warn)
    if model is None or plant is None:
        raise _lacking("control", model=model, plant=plant)
    if scheduler is not None and out is None:
        raise InputError("a cluster measures for a folder", where="--scheduler", hint="with --out DIR")
    if trials is None:
        _without_draws(sweep=sweep, spot_check=spot_check, out=out)
    checks, judge = check_of(cross_check)
    spots, spot_judge = (
        (0, None) if trials is None else _checks(spot_check, Draws.engine, _SPOT_CHECKED, "--spot-check")[:2]
    )
    in_memory = out is None
    request = LoopRequest(
        folder=str(Path.cwd()),
        model=str(model) if in_memory else _file("MODEL", model),
        plant=plant if isinstance(plant, str) else "" if in_memory else _file("--plant", plant),
        plant_curves=_optional("--plant-curves", plant_curves),
        config=_optional("--config", config),
        curves=_optional("--curves", curves),
        tech=None if in_memory else _optional("--tech", tech),
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
        limits=tuple(limits_of(None, max)),
    )
    if out is not None:
        return _looped(kept_loops.start(request, Path(out)), Path(out), workers, progress, warn)
    technology, loaded = technology_of(tech, set), model_of(model, config, curves)
    draws = None if trials is None else replace(request, tech=_optional("--tech", tech)).draws()
    with bar_of(progress)("controlling", request.periods(draws), "control periods") as told:
        move = _by_periods(told)
        prepared = loops.prepare(loaded, technology, plant, request.options, draws, progress=move)
        return prepared.run(Unkept(), workers, move, warn)


def sweeps_of(given: Sweeps) -> tuple[Sweep, ...]:
    """As a request keeps them. Raises InputError for a text that is none."""
    if isinstance(given, Mapping):
        for key, values in given.items():
            if isinstance(values, str) or not isinstance(values, Sequence) or len(values) == 0:
                where = f"sweep of {key}"
                raise InputError("has no values", where=where, expected="a list of them", found=f"{values!r}"[:80])
        return tuple(Sweep(key, tuple(map(str, values))) for key, values in given.items())
    return tuple(map(Sweep.parsed, given))


def corners_of(given: Corners) -> tuple[Corner, ...]:
    """As a request keeps them. Raises InputError for a text that is none."""
    if isinstance(given, Mapping):
        return tuple(Corner(name, tuple(texts_of(settings))) for name, settings in given.items())
    return tuple(map(Corner.parsed, given))


def _settled(
    prepared: settling_studies.PreparedSettlingStudy, folder: Path, workers: Workers, progress: bool | Bar
) -> SettlingStudy:
    draws = prepared.ensemble.size
    with bar_of(progress)("following", draws, "draws", Workload(draws, "draws", faster=_FASTER)) as told:
        result = settling_studies.run(prepared, folder, workers, told)
        _kept_in(folder, "settle", settling_study_json(result), result, result.timing)
    return result


def _looped(
    found: kept_loops.Kept,
    folder: Path,
    workers: Workers,
    progress: bool | Bar,
    warn: Callable[[str], None] | None,
) -> ControlResult:
    with bar_of(progress)("controlling", found.request.periods(found.request.draws()), "control periods") as told:
        result = kept_loops.run(found, folder, workers, _by_periods(told), warn)
        _kept_in(folder, "control", control_json(result), result, result.timing)
    return result


def _kept_in(folder: Path, experiment: str, document: str, result: Shown, timing: Mapping[str, float]) -> None:
    write(folder, experiment, document, result.page(), timing)


def _by_periods(told: Callable[[Advance], None] | None) -> Callable[[int], None]:
    return lambda periods: None if told is None else told(Advance(periods))


def _workers(jobs: int, scheduler: str | None) -> Workers:
    return local(jobs) if scheduler is None else cluster(scheduler)


def _checks(
    wanted: int | str | None, engine: str, default: int, option: str = "--cross-check"
) -> tuple[int, str | None, str]:
    """How many draws another engine looks at too, which, and why none where some should.

    wanted: as `N[:ENGINE]`; None for so many as are usual, where that engine is installed.
    Raises InputError for anything else, SimulatorError where some were asked for that cannot be.
    """
    count, judge = (default, None) if wanted is None else check_of(wanted, option)
    if count == 0:
        return 0, judge, "it was not wanted"
    try:
        engine_named(judge_of(engine, judge)).find()
    except SimulatorError as error:
        if wanted is not None:
            raise
        return 0, judge, error.problem
    return count, judge, ""


def _spot_checks(wanted: int | str | None) -> tuple[int, str | None]:
    return _checks(wanted, Draws.engine, _SPOT_CHECKED, "--spot-check")[:2]


def _file(option: str, given: object) -> str:
    """A file's name. Raises InputError for what is in one: a folder could not name it."""
    if not is_file(given):  # type: ignore[arg-type]
        problem, found = "draws that a folder keeps are measured from files", f"a {type(given).__name__}"
        raise InputError(problem, where=option, expected="a path", found=found)
    return str(given)


def _optional(option: str, given: object) -> str | None:
    return None if given is None else _file(option, given)


def _alone(command: str, **given: object) -> None:
    """Raises InputError for what stands beside a folder to go on with."""
    named = [name for name, value in given.items() if value is not None]
    if named:
        raise InputError(
            "the folder says what is measured", where=command, expected="resume alone", found=", ".join(named)
        )


def _lacking(command: str, **given: object) -> InputError:
    """What to raise where new work lacks what it cannot do without: by name, None where not given."""
    names = {name: "MODEL" if name == "model" else f"--{name}" for name in given}
    missing = ", ".join(f"no {names[name]}" for name, value in given.items() if value is None)
    *others, last = names.values()
    expected = f"{', '.join(others)} and {last}; or --resume alone"
    what = "a study needs more" if command == "study" else "more is needed"
    return InputError(what, where=command, expected=expected, found=missing)


def _without_draws(**given: object) -> None:
    """Raises InputError for what goes together with draws only."""
    for name, value in given.items():
        if value:
            where = f"--{name.replace('_', '-')}"
            raise InputError("there are no draws", where=where, hint="say how many with --trials")
