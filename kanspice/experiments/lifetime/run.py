"""Chips followed through their lives: prepare every age once, measure every chip that is not in the journal, gather."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from kanspice.base.errors import InputError
from kanspice.circuit import Crossbar, Design
from kanspice.engine.progress import Progress
from kanspice.experiments.ensemble import ensemble as ensembles
from kanspice.experiments.ensemble.draws import DrawResult
from kanspice.experiments.ensemble.ensemble import Ensemble, drawn_places
from kanspice.experiments.ensemble.identity import sha256
from kanspice.experiments.ensemble.journal import Journal
from kanspice.experiments.ensemble.workers import Workers
from kanspice.experiments.facts import versions
from kanspice.experiments.lifetime.plan import LifetimeRequest, sweep_of
from kanspice.experiments.lifetime.result import LifetimeResult
from kanspice.experiments.lifetime.specimens import Life, LifeSetup, Recalibration
from kanspice.experiments.study.result import PointResult
from kanspice.experiments.study.run import PreparedStudy
from kanspice.experiments.study.run import prepare as prepare_study
from kanspice.experiments.study.specimens import CheckedDraw
from kanspice.technology import Technology


@dataclass(frozen=True)
class PreparedLifetime:
    """A study of lifetimes that can begin.

    request: as it was asked for, with the number of samples that are judged. study: every age as the point of a study.
    """

    request: LifetimeRequest
    study: PreparedStudy
    setup: LifeSetup
    identity: dict[str, object]

    @cached_property
    def ensemble(self) -> Ensemble[Life, CheckedDraw]:
        """All chips, and those that another engine looks at too: drawn with the study's seed."""
        trials = (self.request.trials if self.setup.is_random else 1,)
        checked = drawn_places(trials, self.request.cross_check, self.request.seed)
        return Ensemble((self.setup,), trials, self.request.seeds, checked, self.identity, Life, CheckedDraw)


def prepare(request: LifetimeRequest) -> PreparedLifetime:
    """Loads, follows the network once, and compiles the circuit of every age.

    Raises InputError for files, technologies or limits that cannot be used, and where nothing ages.
    """
    _check_ageing(request.technology)
    asked, again = request, None
    if request.recalibrate_s is not None:
        asked, again = _with_recalibration(request, request.recalibrate_s)
    study = prepare_study(asked)
    setup = LifeSetup(study.setups, again)
    identity = {**study.identity, "request": request.to_dict()}
    if again is not None:
        identity["calibration"] = sha256(again.setup.inputs)
    return PreparedLifetime(asked, study, setup, identity)


def _check_ageing(technology: Technology) -> None:
    if not technology.ageing.is_something_lost:
        raise InputError(
            "nothing ages",
            where="technology",
            expected="[ageing] with drift_nu, drift_nu_sigma, retention_s or read_disturb",
            hint="--set ageing.drift_nu=0.05 --set ageing.drift_nu_sigma=0.01",
        )


def _with_recalibration(request: LifetimeRequest, age_s: float) -> tuple[LifetimeRequest, Recalibration]:
    """The request with as many samples as chips are judged by, and how they are set anew, with those after them."""
    most = None if request.limit is None else request.limit + request.calibration
    there = prepare_study(replace(request, limit=most, sweeps=(sweep_of([age_s]),), recalibrate_s=None))
    setup = there.setups[0]
    rows = len(setup.expected)
    judged = rows - request.calibration
    if judged < (request.limit or 1):
        raise InputError(
            "there are too few samples",
            where=request.inputs,
            expected=f"{request.limit or 1:,} to judge chips by, and {request.calibration:,} to set them anew with",
            found=f"{rows:,}",
            hint="fewer with --calibration, or a smaller --limit",
        )
    if request.trims == "columns":
        _check_columns(setup.design)
    (place,) = (place for place, age in enumerate(request.ages_s) if age == age_s)
    few = replace(setup.among(range(judged, rows)), point=place)
    return replace(request, limit=judged), Recalibration(few, request.trims)


def _check_columns(design: Design) -> None:
    if not any(isinstance(stage, Crossbar) for stage in design.stages) or design.tiles:
        raise InputError(
            "only columns of crossbars that are used once are trimmed",
            where="--trims columns",
            expected="a KANalogue or a perceptron",
            found=f"a {design.family}",
            hint="--trims outputs",
        )


def start(request: LifetimeRequest, folder: Path) -> PreparedLifetime:
    """Prepares a study and makes its folder. Raises InputError where the folder holds something already."""
    return ensembles.start(request, folder, prepare)


def resume(folder: Path) -> PreparedLifetime:
    """Prepares the study of a folder again. Raises InputError where its results would not be the same any more."""
    return ensembles.resume(folder, LifetimeRequest, prepare)


def run(
    prepared: PreparedLifetime, folder: Path, workers: Workers | None = None, progress: Progress | None = None
) -> LifetimeResult:
    """Measures what the folder's journal does not have yet, and returns everything.

    progress: told of every finished chip, at once of those that the journal has, and of cross-checks.
    """
    with Journal(folder, prepared.identity) as journal:
        records = prepared.ensemble.run(journal, workers, progress)
    study, lives = prepared.study, [records.draws[place] for place in sorted(records.draws)]
    first = prepared.request.recalibrated_from
    oldest = len(study.points) - 1
    return LifetimeResult(
        request=prepared.request,
        model=study.model,
        model_notes=study.model_notes,
        versions=versions(),
        samples=len(study.setups[0].expected),
        reference_accuracy=study.reference_accuracy,
        reference_error=study.setups[0].reference_error,
        variation=study.setups[0].variation,
        points=_points(prepared, [life.ages for life in lives], 0),
        checks=tuple(replace(check, point=oldest) for check in records.checks_in_order),
        reference_loss=study.reference_loss,
        timing=records.timing,
        recalibrated=() if first is None else _points(prepared, [life.recalibrated for life in lives], first),
    )


def _points(prepared: PreparedLifetime, lives: Sequence[Sequence[DrawResult]], first: int) -> tuple[PointResult, ...]:
    """What was measured of every chip, age by age from the first of them on."""
    return tuple(
        PointResult(point, prepared.setup.is_random, tuple(life[place] for life in lives), prepared.request.limits)
        for place, point in enumerate(prepared.study.points[first:])
    )
