"""`kanspice.tune`: a network trained through its circuit."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import partial
from pathlib import Path

from kanspice.base.errors import InputError
from kanspice.base.files import check_outputs, inputs_spared
from kanspice.base.files.array_files import Given
from kanspice.engine.progress import Progress
from kanspice.experiments.api.arguments import Model, Overrides, Tech, model_of, technology_of, texts_of
from kanspice.experiments.api.draws import Corners, checks_of, corners_of
from kanspice.experiments.ensemble.variations import Corner, Point, check_variations
from kanspice.experiments.ensemble.workers import local
from kanspice.experiments.evidence import Evidence, read_evidence
from kanspice.experiments.numbers import check_numbers, numbers_of, plain_numbers
from kanspice.experiments.tune import run as tuning
from kanspice.experiments.tune.again import Names, again
from kanspice.experiments.tune.result import TuningResult
from kanspice.experiments.tune.run import TuneOptions, check_points
from kanspice.experiments.tune.samples import split
from kanspice.families import LoadedModel, save, technology_for
from kanspice.nn.training import Schedule
from kanspice.report.estimate import Workload
from kanspice.report.progress_bar import Bar, bar_of
from kanspice.technology import Technology

_CROSS_CHECKED = 3
"""Tuned specimens that another engine looks at too, unless something else is said."""


@inputs_spared()
@plain_numbers
def tune(
    model: Model,
    inputs: Given,
    *,
    output: str | Path | None = None,
    config: str | Path | None = None,
    curves: str | Path | None = None,
    labels: Given | None = None,
    targets: Given | None = None,
    test_inputs: Given | None = None,
    test_labels: Given | None = None,
    test_targets: Given | None = None,
    limit: int | None = None,
    tech: Tech = None,
    set: Overrides = (),
    corner: Corners = (),
    epochs: int = 20,
    seconds: float | None = None,
    rate: float = 0.02,
    input_noise: float = 0.0,
    noise: Sequence[float] = (0.1, 0.3),
    alone: bool = False,
    trials: int = 100,
    seed: int = 0,
    cross_check: int | str | None = None,
    jobs: int = 1,
    progress: bool | Bar = False,
) -> TuningResult:
    """Trains a network through its circuit, over random specimens and corners, and measures what that does.

    inputs: samples (samples, inputs). labels: (samples,) true classes; or targets: (samples, outputs) true answers; the
    network's own outputs if neither. test_...: what is measured; a quarter of the samples, drawn with the seed, if
    None. An eighth of them tells when to stop. output: the checkpoint to write, which is there with the best network so
    far whatever ends the work. seconds: of processor time for each training, at most. rate: the largest step of a
    parameter, of the mean magnitude of its tensor. input_noise: standard deviation of what training adds to inputs.
    noise: relative noise on weights, of the trainings that stand beside; alone: without those. trials: specimens at
    every corner that networks are measured on; training draws none of them. cross_check: so many of the tuned ones, 4
    samples of each, by another engine too. jobs: processes that measure. The result's `network` is the tuned one.
    Raises InputError for what does not fit together, and where there is nothing to tune.
    """
    check_numbers(limit=limit, epochs=epochs, trials=trials, seed=seed, jobs=jobs)
    check_numbers(seconds=seconds, rate=rate, input_noise=input_noise)
    noises = numbers_of("noise", noise)
    loaded = model_of(model, config, curves)
    points = _points(loaded, tech, set, corners_of(corner), trials)
    check_points(points)
    evidence = _evidence(loaded, inputs, labels, targets).limited(limit)
    if test_inputs is None and (test_labels is not None or test_targets is not None):
        raise InputError("there are no samples that these are for", where="--test-labels", expected="--test-inputs too")
    test = None if test_inputs is None else _evidence(loaded, test_inputs, test_labels, test_targets)
    checks, judge, why_none = checks_of(cross_check, "batched", _CROSS_CHECKED)
    options = TuneOptions(
        Schedule(epochs=epochs, seconds=seconds, rate=rate, input_noise=input_noise, seed=seed),
        noises=noises,
        alone=alone,
        trials=trials,
        cross_check=checks,
        judge=judge,
        why_none=why_none,
    )
    check_outputs([output])
    result = tuning.tune(
        loaded,
        split(loaded, evidence, test, seed),
        points,
        options,
        workers=local(jobs),
        begin=partial(_begun, bar_of(progress)),
        keep=None if output is None else partial(save, path=output),
    )
    measured = {"--labels": test_labels, "--targets": test_targets}
    names = Names(output, tech, None if test_inputs is None else inputs, test_inputs, measured)
    result = replace(result, again=again(result, names))
    if output is None:
        return result
    result.save(output)
    return replace(result, written=str(output))


def _begun(bar: Bar, what: str, total: int, unit: str) -> AbstractContextManager[Progress | None]:
    faster = "fewer --epochs, or --seconds" if unit == "epochs" else "--alone, more processes (--jobs), fewer --trials"
    return bar(what, total, unit, Workload(total, unit, faster=faster, steady=unit == "epochs"))


def _points(
    loaded: LoadedModel, tech: Tech, overrides: Overrides, corners: tuple[Corner, ...], trials: int
) -> list[Point]:
    """A corner each, of technologies that fit the network."""
    if isinstance(tech, Technology) and corners:
        problem, hint = "corners need a technology from a file", "tech=FILE, or set=..."
        raise InputError(problem, where="--corner", found="a technology that is loaded already", hint=hint)
    settings = texts_of(overrides)
    check_variations(settings, corners, (), trials)
    found = []
    for index, corner in enumerate(corners or (Corner(""),)):
        texts = (*settings, *corner.settings)
        given = technology_of(tech, texts)
        found.append(Point(index, corner.name or None, (), texts, technology_for(loaded, given)))
    return found


def _evidence(loaded: LoadedModel, inputs: Given, labels: Given | None, targets: Given | None) -> Evidence:
    evidence = read_evidence(loaded, inputs, labels=labels, targets=targets)
    evidence.check_fit(loaded.input_width, loaded.output_width)
    return evidence
