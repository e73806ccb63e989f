"""`kanspice.lifetime`: what becomes of a circuit's chips with time."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

from kanspice.base.errors import InputError
from kanspice.experiments.api.arguments import Limits, Overrides, limits_of, texts_of
from kanspice.experiments.api.draws import (
    FASTER,
    checks_of,
    file_of,
    lacking,
    optional_file,
    refuse_beside,
    workers_of,
)
from kanspice.experiments.ensemble.files import write
from kanspice.experiments.lifetime.ages import ages_between, seconds_of
from kanspice.experiments.lifetime.document import lifetime_json
from kanspice.experiments.lifetime.plan import LifetimeRequest, Trimmed, sweep_of
from kanspice.experiments.lifetime.result import LifetimeResult
from kanspice.experiments.lifetime.run import resume as resume_lifetime
from kanspice.experiments.lifetime.run import run as run_lifetime
from kanspice.experiments.lifetime.run import start as start_lifetime
from kanspice.experiments.numbers import check_numbers, plain_numbers
from kanspice.report.estimate import Workload
from kanspice.report.progress_bar import Bar, bar_of

_CROSS_CHECKED = 3
"""Chips that another engine looks at too, unless something else is said."""


@plain_numbers
def lifetime(
    model: str | Path | None = None,
    inputs: str | Path | None = None,
    out: str | Path | None = None,
    *,
    from_: str | float = "1s",
    to: str | float = "10y",
    points: int = 10,
    recalibrate: str | float | None = None,
    trims: Trimmed = "outputs",
    calibration: int = 50,
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
) -> LifetimeResult:
    """Follows `trials` chips of a network's circuit through their lives: every chip at so many ages, `points`, from one
    to another, evenly over the logarithm of time.

    Ages are seconds, or texts such as "30min", "1d", "10y"; `[ageing]` of the technology says what time takes.
    recalibrate: the age at which chips are set anew. trims: "outputs", gain and offset of each once it is read, or
    "columns", those of every column pair; fitted to what a chip gives for `calibration` samples, which follow the
    `limit` first ones that it is judged by: without a limit, all others. out: a new folder, which keeps every finished
    chip at once; resume: one to go on with, instead of all the rest. max, min: what a good chip keeps; yield_min: the
    fraction of chips that are to be good at every age. The rest is as for `study`.
    Raises InputError for what does not fit together, SimulatorError without a simulator.
    """
    check_numbers(
        limit=limit, trials=trials, seed=seed, jobs=jobs, yield_min=yield_min, points=points, calibration=calibration
    )
    workers = workers_of(jobs, scheduler)
    if resume is not None:
        refuse_beside("lifetime", model=model, inputs=inputs, out=out)
        prepared, folder = resume_lifetime(Path(resume)), Path(resume)
    else:
        if model is None or inputs is None or out is None:
            raise lacking("lifetime", model=model, inputs=inputs, out=out)
        if trims not in get_args(Trimmed):
            known = ", ".join(get_args(Trimmed))
            raise InputError("there are no such trims", where="--trims", expected=known, found=f"{trims!r}"[:80])
        checks, judge, why_none = checks_of(cross_check, engine, _CROSS_CHECKED)
        again_s = None if recalibrate is None else seconds_of(recalibrate, "--recalibrate")
        ages_s = ages_between(seconds_of(from_, "--from"), seconds_of(to, "--to"), points, again_s)
        request = LifetimeRequest(
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
            sweeps=(sweep_of(ages_s),),
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
            recalibrate_s=again_s,
            trims=trims,
            calibration=calibration,
        )
        prepared, folder = start_lifetime(request, Path(out)), Path(out)
    chips = prepared.ensemble.size
    with bar_of(progress)(
        "following", chips, "chips", Workload(chips, "chips", faster=f"{FASTER}, fewer --points")
    ) as told:
        result = run_lifetime(prepared, folder, workers, told)
        write(folder, "lifetime", lifetime_json(result), result.page(), result.timing)
    return result
