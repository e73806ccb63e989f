"""`kanspice.settle`: how fast a circuit answers, or many draws of it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from kanspice.base.files.array_files import Given, load_array
from kanspice.engine.names import check_of
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
    FASTER,
    Corners,
    Sweeps,
    corners_of,
    file_of,
    lacking,
    optional_file,
    refuse_beside,
    refuse_without_draws,
    sweeps_of,
    workers_of,
)
from kanspice.experiments.ensemble.files import write
from kanspice.experiments.ensemble.workers import Workers
from kanspice.experiments.numbers import check_numbers, numbers_of, plain_numbers
from kanspice.experiments.settle import run as settling
from kanspice.experiments.settle import study as settling_studies
from kanspice.experiments.settle.plan import SettlingRequest
from kanspice.experiments.settle.settling import Settling
from kanspice.experiments.settle.specimens import metrics_within
from kanspice.experiments.settle.study import SettlingStudy
from kanspice.experiments.settle.study_document import settling_study_json
from kanspice.experiments.settle.transients import SettleOptions
from kanspice.experiments.sizing import SizingSamples, source_of
from kanspice.report.estimate import Workload
from kanspice.report.progress_bar import Bar, bar_of
from kanspice.technology.loading import Realisation


@plain_numbers
def settle(
    model: Model | None = None,
    inputs: Given | None = None,
    *,
    config: str | Path | None = None,
    curves: str | Path | None = None,
    limit: int | None = None,
    sized_for: Given | None = None,
    tech: Tech = None,
    set: Overrides = (),
    realisation: Realisation | None = None,
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
    outputs. cross_check: the first so many samples by another engine too, or so many draws. sized_for: samples
    (samples, inputs) that circuits are sized for, if those are others than the inputs. The rest is as in `study`.
    Raises InputError for what takes no time or does not fit together, SimulatorError where nothing can be followed.
    """
    check_numbers(
        limit=limit, timeout=timeout, seed=seed, trials=trials, jobs=jobs, period=period, rise=rise, yield_min=yield_min
    )
    workers = workers_of(jobs, scheduler)
    if resume is not None:
        refuse_beside("settle", model=model, inputs=inputs, out=out)
        return _settled(settling_studies.resume(Path(resume)), Path(resume), workers, progress)
    if model is None or inputs is None:
        raise lacking("settle", model=model, inputs=inputs)
    checks, judge = check_of(cross_check)
    tolerances = tuple(sorted(numbers_of("within", within), reverse=True))
    if trials is None:
        refuse_without_draws(sweep=sweep, corner=corner, max=max, yield_min=yield_min, out=out, jobs=jobs - 1)
        options = SettleOptions(period, rise, tolerances, timeout, seed, engine, checks, judge)
        technology, loaded = technology_of(tech, set, realisation), model_of(model, config, curves)
        population = load_array(inputs, "the inputs", loaded.input_width, loaded.model.input_axes)
        apart, samples = SizingSamples.read(loaded, sized_for), population[:limit]
        with bar_of(progress)("following", len(samples), work=options.work(len(samples))) as told:
            return settling.settle(
                loaded,
                technology,
                samples,
                options,
                population=population,
                sized_for=apart,
                source=source_of(inputs),
                progress=told,
            )
    if out is None:
        raise lacking("settle", model=model, inputs=inputs, out=out)
    request = SettlingRequest(
        folder=str(Path.cwd()),
        model=file_of("MODEL", model),
        inputs=file_of("--inputs", inputs),
        config=optional_file("--config", config),
        curves=optional_file("--curves", curves),
        limit=limit,
        tech=optional_file("--tech", tech),
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
        limits=tuple(limits_of(None, max, metrics={each.name: each for each in metrics_within(tolerances)})),
        yield_min=yield_min,
        sized_for=optional_file("--sized-for", sized_for),
    )
    return _settled(settling_studies.start(request, Path(out)), Path(out), workers, progress)


def _settled(
    prepared: settling_studies.PreparedSettlingStudy, folder: Path, workers: Workers, progress: bool | Bar
) -> SettlingStudy:
    draws = prepared.ensemble.size
    with bar_of(progress)("following", draws, "draws", Workload(draws, "draws", faster=FASTER)) as told:
        result = settling_studies.run(prepared, folder, workers, told)
        write(folder, "settle", settling_study_json(result), result.page(), result.timing)
    return result
