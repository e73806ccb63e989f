"""`kanspice.study`: the gaps of many draws of a circuit."""

from __future__ import annotations

from pathlib import Path

from kanspice.engine.engines import engine_named
from kanspice.experiments.api.arguments import Limits, Overrides, limits_of, texts_of
from kanspice.experiments.api.draws import (
    FASTER,
    Corners,
    Sweeps,
    checks_of,
    corners_of,
    file_of,
    lacking,
    optional_file,
    refuse_beside,
    sweeps_of,
    workers_of,
)
from kanspice.experiments.ensemble.files import write
from kanspice.experiments.numbers import check_numbers, plain_numbers
from kanspice.experiments.study.document import to_json
from kanspice.experiments.study.plan import StudyRequest
from kanspice.experiments.study.result import StudyResult
from kanspice.experiments.study.run import resume as resume_study
from kanspice.experiments.study.run import run as run_study
from kanspice.experiments.study.run import start as start_study
from kanspice.report.estimate import Workload
from kanspice.report.progress_bar import Bar, bar_of

_CROSS_CHECKED = 3
"""Draws that another engine looks at too, unless something else is said."""


@plain_numbers
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
    sized_for: str | Path | None = None,
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
    min: Limits = (),
    yield_min: float | None = None,
    jobs: int = 1,
    scheduler: str | None = None,
    resume: str | Path | None = None,
    progress: bool | Bar = False,
) -> StudyResult:
    """Measures many draws of a network's circuit: how the gap is distributed, and which fraction keeps a limit.

    out: a new folder, which keeps every finished draw at once; resume: one to go on with, instead of all the rest.
    sized_for: samples that circuits are sized for, if those are others than the inputs. A point is a corner with one
    value of each sweep; every point gets the same `trials` draws. cross_check: so many draws, 4 samples of each, by
    another engine too; 3 if None and that engine is installed. max,
    min: what a good draw keeps; yield_min: the fraction of
    good draws wanted. jobs: processes; scheduler: a Dask cluster's address instead.
    Raises InputError for what does not fit together, SimulatorError without a simulator.
    """
    check_numbers(limit=limit, trials=trials, seed=seed, jobs=jobs, yield_min=yield_min)
    workers = workers_of(jobs, scheduler)
    if resume is not None:
        refuse_beside("study", model=model, inputs=inputs, out=out)
        prepared, folder = resume_study(Path(resume)), Path(resume)
    else:
        if model is None or inputs is None or out is None:
            raise lacking("study", model=model, inputs=inputs, out=out)
        checks, judge, why_none = checks_of(cross_check, engine, _CROSS_CHECKED)
        request = StudyRequest(
            folder=str(Path.cwd()),
            model=file_of("MODEL", model),
            inputs=file_of("--inputs", inputs),
            config=optional_file("--config", config),
            curves=optional_file("--curves", curves),
            labels=optional_file("--labels", labels),
            targets=optional_file("--targets", targets),
            limit=limit,
            sized_for=optional_file("--sized-for", sized_for),
            tech=optional_file("--tech", tech),
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
            limits=tuple(limits_of(None, max, min)),
            yield_min=yield_min,
            judge=judge,
        )
        prepared, folder = start_study(request, Path(out)), Path(out)
    faster = FASTER
    if not engine_named(prepared.request.engine).solves_together:
        faster = f"--engine batched, {faster}"
    draws = prepared.ensemble.size
    work = Workload(draws, "draws", faster=faster)
    with bar_of(progress)("measuring", draws, "draws", work) as told:
        result = run_study(prepared, folder, workers, told)
        write(folder, "study", to_json(result), result.page(), result.timing)
    return result
