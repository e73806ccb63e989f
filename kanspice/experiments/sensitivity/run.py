"""The whole analysis: prediction, specimens beside it, the worst one, and how rare those beyond a limit are."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial

import numpy as np

from kanspice.base.arrays import Array
from kanspice.base.draws import Draw
from kanspice.base.errors import InputError
from kanspice.circuit.compile.card_spread import spread_notes
from kanspice.circuit.specimens import GivenSpecimen, draw_specimen
from kanspice.engine.options import RunOptions
from kanspice.engine.progress import Advance, Progress
from kanspice.engine.running import judge_of
from kanspice.experiments.ensemble.variations import seed_of
from kanspice.experiments.evidence import Evidence
from kanspice.experiments.facts import InputsFacts, ModelFacts, versions
from kanspice.experiments.followed import Followed
from kanspice.experiments.sensitivity.keys import key_effects
from kanspice.experiments.sensitivity.known_std import KnownStd
from kanspice.experiments.sensitivity.numbers import ENGINE, ByNumbers, MeasuredSpecimen
from kanspice.experiments.sensitivity.plan import SensitivityPlan
from kanspice.experiments.sensitivity.prediction import MOST_SAMPLES, Predicted, predicted
from kanspice.experiments.sensitivity.rare import estimated, tilt_of
from kanspice.experiments.sensitivity.result import (
    Drawn,
    HeatMap,
    PartShare,
    Rare,
    Sensitivity,
    Spread,
    WorstSpecimen,
)
from kanspice.experiments.sensitivity.worst import SearchedSpecimen, worst_specimen
from kanspice.experiments.verify.cross_check import cross_check
from kanspice.experiments.verify.options import VerifyOptions
from kanspice.families import LoadedModel, technology_for
from kanspice.gap import CrossCheck, check_limits, given, judged
from kanspice.technology import Technology

_OF_DEVICES = 3
"""Axes of an array with a number for every device of a crossbar."""


def analyse(
    loaded: LoadedModel,
    technology: Technology,
    evidence: Evidence,
    plan: SensitivityPlan | None = None,
    progress: Progress | None = None,
) -> Sensitivity:
    """Raises InputError for what does not fit together, or where nothing random has a gradient."""
    plan = plan or SensitivityPlan()
    evidence.check_fit(loaded.input_width, loaded.output_width)
    technology = technology_for(loaded, technology)
    spread = spread_notes(loaded.model.curves, technology.devices)
    circuit = ByNumbers(Followed.of(loaded, evidence, technology, plan.timeout_s), technology, plan.seed)
    _check(circuit, plan)
    few, notes = _predicted_on(circuit, loaded, plan)
    prediction = predicted(few)
    drawn, worst_drawn = _drawn(circuit, plan, prediction.kurtosis, progress)
    keys = key_effects(circuit, progress)
    found = worst_specimen(circuit, plan.sigmas, progress)
    rare = tuple(_rare(circuit, plan, worst_drawn, progress))
    return Sensitivity(
        model=ModelFacts.of(loaded),
        inputs=InputsFacts(evidence.source, evidence.sha256),
        samples=len(circuit.reference.answered),
        seed=plan.seed,
        technology=technology.model_dump(),
        prediction=prediction.prediction,
        drawn=drawn,
        parts=tuple(_parts(few, prediction)),
        keys=keys,
        worst=_kept(circuit, found, plan),
        rare=rare,
        fixed=tuple(_fixed(circuit)),
        notes=(*loaded.notes, *spread, *notes, *_notes(circuit, found)),
        versions=versions(),
        sized_for=evidence.sized_for,
        heat=tuple(_heat(few, prediction)),
    )


def _check(circuit: ByNumbers, plan: SensitivityPlan) -> None:
    """Raises InputError before anything long."""
    if not circuit.arrays or circuit.scale == 0:
        problem, expected = "outputs that do not vary have no relative error", "at least two samples that differ"
        raise InputError(problem, where="--inputs", expected=expected)
    if circuit.nominal.is_timed and circuit.nominal.transistors is not None:
        raise InputError("circuits of transistors have no gradients", where="branches.realisation")
    evidence = circuit.reference.evidence
    there = given(
        labels=evidence.labels is not None, targets=evidence.targets is not None, generates=False, projected=False
    )
    check_limits(plan.limits, there, "the limits", [])


def _predicted_on(circuit: ByNumbers, loaded: LoadedModel, plan: SensitivityPlan) -> tuple[ByNumbers, tuple[str, ...]]:
    """The circuit for as many samples as a prediction takes, and what is to be said of that."""
    if len(circuit.reference.answered) <= MOST_SAMPLES:
        return circuit, ()
    evidence = circuit.reference.evidence.limited(MOST_SAMPLES)
    reference = Followed.of(loaded, evidence, circuit.technology, plan.timeout_s)
    return replace(circuit, reference=reference), (f"predicted on the first {MOST_SAMPLES} samples",)


def _drawn(
    circuit: ByNumbers, plan: SensitivityPlan, kurtosis: float, progress: Progress | None
) -> tuple[Drawn | None, tuple[MeasuredSpecimen, ...]]:
    """Specimens as `kanspice study` draws them; None without any. kurtosis: of the gap, as predicted."""
    began, found = time.process_time(), list[MeasuredSpecimen]()
    total, squares = np.zeros(circuit.expected.shape), np.zeros(circuit.expected.shape)
    for trial in range(plan.draws):
        measured = circuit.measured(Draw(seed_of(plan.seed, trial)))
        if not measured.failed:
            total, squares = total + measured.errors, squares + measured.errors**2
        found.append(replace(measured, errors=np.zeros((0, 0))))
        if progress is not None:
            progress(Advance(1))
    whole = [each for each in found if not each.failed]
    if not whole:
        return None, tuple(found)
    gaps = Spread.of(np.array([each.gap for each in whole]))
    known = KnownStd.of(gaps.std, len(whole), kurtosis)
    variances = squares / len(whole) - (total / len(whole)) ** 2
    return Drawn(
        draws=plan.draws,
        failed=plan.draws - len(whole),
        gap=gaps,
        std_error=known.error,
        std_low=known.low,
        std_high=known.high,
        largest=max(each.gap for each in whole),
        spread_rmse=float(np.sqrt(np.maximum(variances, 0.0).mean())),
        accuracy=_accuracies(whole),
        seconds=time.process_time() - began,
    ), tuple(found)


def _accuracies(whole: list[MeasuredSpecimen]) -> Spread | None:
    values = [each.metrics.get("accuracy") for each in whole]
    known = [value for value in values if value is not None]
    return Spread.of(np.array(known)) if known else None


def _parts(circuit: ByNumbers, found: Predicted) -> Iterator[PartShare]:
    """That with the largest share first."""
    total = sum(float(values.sum()) for values in found.squares.values())
    rows = []
    for array in circuit.arrays:
        squares = found.squares.get(array.name)
        if squares is None or total == 0:
            rows.append(PartShare(array.name, _count(array.shape), 0.0, 0.0, 0.0, ()))
            continue
        place = np.unravel_index(int(squares.argmax()), squares.shape)
        of_all, largest = float(squares.sum()), float(squares.max())
        alone, most = (float(np.sqrt(value)) / circuit.scale for value in (of_all, largest))
        rows.append(PartShare(array.name, _count(array.shape), of_all / total, alone, most, tuple(map(int, place))))
    yield from sorted(rows, key=lambda row: -row.share)


def _count(shape: tuple[int, ...]) -> int:
    return int(np.prod(shape))


def _heat(circuit: ByNumbers, found: Predicted) -> Iterator[HeatMap]:
    shapes: Mapping[str, Array] = {name: values for name, values in found.squares.items() if values.ndim == _OF_DEVICES}
    for array in circuit.arrays:
        if array.name in shapes and shapes[array.name].any():
            yield HeatMap(array.name, np.sqrt(shapes[array.name].sum(axis=2)) / circuit.scale)


def _kept(circuit: ByNumbers, found: SearchedSpecimen, plan: SensitivityPlan) -> WorstSpecimen:
    """The worst specimen, in its file if one was wanted, and solved by another engine if that was."""
    draw = circuit.draw(found.numbers)
    specimen = GivenSpecimen.of(draw, circuit.nominal, circuit.technology)
    if plan.worst is not None:
        specimen = specimen.write(plan.worst)
    return WorstSpecimen(
        sigmas=plan.sigmas,
        gap=found.measured.gap,
        accuracy=found.measured.metrics.get("accuracy"),
        path=specimen.path,
        sha256=specimen.sha256,
        steps=found.steps,
        blocked=found.blocked,
        seconds=found.seconds,
        cross_check=_checked(circuit, draw, plan),
    )


def _checked(circuit: ByNumbers, draw: Draw, plan: SensitivityPlan) -> CrossCheck | None:
    """Some samples of it by another engine."""
    judge = judge_of(ENGINE, plan.judge) if plan.cross_check else None
    if judge is None:
        return None
    reference, design = circuit.reference, draw_specimen(circuit.nominal, circuit.technology, draw)
    options = VerifyOptions(
        run=RunOptions(seed=plan.seed), engine=ENGINE, cross_check=plan.cross_check, judge=plan.judge
    )
    solution = circuit.solved(draw)[1]
    return cross_check(
        design,
        reference.inputs,
        solution,
        options,
        judge,
        hints=reference.hints,
        progress=None,
        numbers=reference.answered,
    ).among(reference.answered)


def _rare(
    circuit: ByNumbers, plan: SensitivityPlan, drawn: tuple[MeasuredSpecimen, ...], progress: Progress | None
) -> Iterator[Rare]:
    if not plan.limits:
        return
    tilt = tilt_of(circuit, circuit.measured(circuit.draw()))
    for metric, limit in plan.limits:
        is_beyond = partial(_is_beyond, metric, limit)
        of_gap = limit if metric == "relative_rmse" else None
        found = estimated(circuit, tilt, is_beyond, of_gap, draws=plan.rare_draws, progress=progress)
        yield Rare(
            metric=metric,
            limit=limit,
            probability=found.probability,
            standard_error=found.standard_error,
            draws=found.draws,
            beyond=found.beyond,
            effective=found.effective,
            plain=sum(map(is_beyond, drawn)),
            plain_draws=len(drawn),
            seconds=found.seconds,
        )


def _is_beyond(metric: str, limit: float, measured: MeasuredSpecimen) -> bool:
    """As a study counts: also a specimen with samples without a result is no good one."""
    (kept,) = judged([(metric, limit)], measured.metrics)
    return measured.failed > 0 or not kept.passed


def _fixed(circuit: ByNumbers) -> Iterator[str]:
    """What has no gradient."""
    yield from (array.name for array in circuit.every_array if array.kind != "normal")
    if circuit.nominal.has_noise:
        yield "noise of samples"


def _notes(circuit: ByNumbers, found: SearchedSpecimen) -> Iterator[str]:
    if circuit.nominal.has_mismatch:
        yield "the mismatch of transistors is no number that a gradient reaches, and is left out"
    if found.blocked:
        yield (
            f"farther along, {found.blocked} samples of the worst specimens have no result: the search stayed where all"
            " samples do"
        )
    folds = circuit.folds
    if folds:
        yield f"{folds} samples had no gradient in some step: a column of theirs is about to jump"
