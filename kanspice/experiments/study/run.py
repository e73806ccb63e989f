"""The study itself: prepare every point once, measure every draw that is not in the journal, gather."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from kanspice.base.threads import one_thread
from kanspice.circuit import Design
from kanspice.engine.acceptance import chosen_samples
from kanspice.engine.batched.array_devices import processor_named
from kanspice.engine.engines import engine_named
from kanspice.engine.fidelity import resolve_fidelity
from kanspice.engine.options import RunOptions
from kanspice.engine.progress import Progress
from kanspice.engine.running import check_design, check_device, check_judge_of_subcircuits, check_mismatch
from kanspice.experiments.ensemble import ensemble as ensembles
from kanspice.experiments.ensemble.identity import circuits_sha256, sha256
from kanspice.experiments.ensemble.variations import Point
from kanspice.experiments.ensemble.workers import Workers
from kanspice.experiments.evidence import Evidence, read_evidence
from kanspice.experiments.facts import ModelFacts, versions
from kanspice.experiments.followed import Followed, has_answer
from kanspice.experiments.generator import Generator
from kanspice.experiments.notes import device_notes
from kanspice.experiments.prepared import PreparedDraws, network_of, points_for
from kanspice.experiments.study.plan import StudyRequest
from kanspice.experiments.study.result import PointResult, StudyResult
from kanspice.experiments.study.specimens import CheckedDraw, GapSetup
from kanspice.experiments.verify.projected import original_of
from kanspice.families import LoadedModel, compile_nominal
from kanspice.gap import NumericalGap, accuracy, check_limits, given, mean_squared_error


@dataclass(frozen=True)
class PreparedStudy(PreparedDraws[StudyRequest, GapSetup, CheckedDraw]):
    """A study of gaps that can begin. reference_accuracy, reference_loss: the network's own, where asked for."""

    check = CheckedDraw
    reference_accuracy: float | None
    reference_loss: float | None


def prepare(request: StudyRequest) -> PreparedStudy:
    """Loads, follows the network once, and compiles the nominal circuit of every point.

    Raises InputError for files, technologies or limits that cannot be used.
    """
    loaded = network_of(request)
    evidence = _evidence(request, loaded)
    points = points_for(request, loaded)
    generator, original = Generator.of(loaded), original_of(loaded)
    there = given(
        labels=evidence.labels is not None,
        targets=evidence.targets is not None,
        generates=generator is not None,
        projected=original is not None,
    )
    check_limits(request.limits, there, "--max")
    finest = max((point.technology for point in points), key=lambda technology: technology.converters.adc_bits)
    with one_thread():
        network = Followed.of(loaded, evidence, finest)
        designs = [compile_nominal(loaded, point.technology, network.sizing) for point in points]
        check_device(request.device, designs[0], request.engine, request.checked_by)
        check_design(designs[0], request.engine, request.checked_by)
        for design in designs:
            check_mismatch(design, request.engine)
            if request.checked_by is not None and engine_named(request.engine).has_subcircuits:
                check_judge_of_subcircuits(design, request.engine, request.checked_by)
        everywhere = partial(
            GapSetup,
            device=request.device,
            inputs=network.inputs,
            places=tuple(network.answered),
            without=tuple(network.failures),
            hints=network.hints,
            labels=evidence.labels,
            targets=evidence.targets,
            reference_error=_reference_error(request, network, designs[0]),
            generator=generator,
            learnt=None if original is None else original.outputs(evidence.inputs),
            limits=request.limits,
            judge=request.judge,
        )
        parts = zip(points, designs, strict=True)
        setups = tuple(_at(everywhere, request.engine, network, point, design) for point, design in parts)
    expected, known = setups[0].expected, has_answer(setups[0].expected)
    reference = None if evidence.labels is None else accuracy(expected, evidence.labels, known)
    loss = None if evidence.targets is None else mean_squared_error(expected, evidence.targets, known)
    return PreparedStudy(
        request,
        points,
        setups,
        replace(ModelFacts.of(loaded), path=request.model),
        (*loaded.notes, *device_notes(loaded, designs[0])),
        _identity(request, evidence, setups),
        reference,
        loss,
    )


def _at(everywhere: Callable[..., GapSetup], engine: str, network: Followed, point: Point, design: Design) -> GapSetup:
    return everywhere(
        engine=engine,
        point=point.index,
        design=design,
        technology=point.technology,
        fidelity=resolve_fidelity(design, "auto", engine_named(engine).fidelities),
        expected=network.expected(design),
        scale=network.scale(design),
    )


def start(request: StudyRequest, folder: Path) -> PreparedStudy:
    """Prepares a study and makes its folder. Raises InputError where the folder holds something already."""
    return ensembles.start(request, folder, prepare)


def resume(folder: Path) -> PreparedStudy:
    """Prepares the study of a folder again. Raises InputError where its results would not be the same any more."""
    return ensembles.resume(folder, StudyRequest, prepare)


def run(
    prepared: PreparedStudy, folder: Path, workers: Workers | None = None, progress: Progress | None = None
) -> StudyResult:
    """Measures what the folder's journal does not have yet, and returns everything.

    progress: told of every finished draw, at once of those that the journal has, and of cross-checks.
    Draws are journalled as they finish, in any order: whatever ends this, `resume` and `run` go on from there.
    """
    records = prepared.measured(folder, workers, progress)
    return StudyResult(
        request=prepared.request,
        model=prepared.model,
        model_notes=prepared.model_notes,
        versions=versions(),
        samples=len(prepared.setups[0].expected),
        reference_accuracy=prepared.reference_accuracy,
        reference_error=prepared.setups[0].reference_error,
        variation=prepared.setups[0].variation,
        points=prepared.gathered(records, PointResult),
        checks=records.checks_in_order,
        reference_loss=prepared.reference_loss,
        timing=records.timing,
    )


def _evidence(request: StudyRequest, loaded: LoadedModel) -> Evidence:
    labels, targets = (path and request.at(path) for path in (request.labels, request.targets))
    found = read_evidence(loaded, request.at(request.inputs), labels=labels, targets=targets)
    evidence = replace(found, source=request.inputs).limited(request.limit)
    evidence.check_fit(loaded.input_width, loaded.output_width)
    return evidence


def _reference_error(request: StudyRequest, network: Followed, design: Design) -> NumericalGap | None:
    """The network's own, on samples drawn with the study's seed: it is the same for all draws."""
    chosen = chosen_samples(network.answered, RunOptions(seed=request.seed))
    return network.error(design.stages[-1].compares_to, chosen, network.scale(design))


def _identity(request: StudyRequest, evidence: Evidence, setups: Sequence[GapSetup]) -> dict[str, Any]:
    """Everything that results depend on, by name."""
    labels, targets = (None if rows is None else sha256(rows) for rows in (evidence.labels, evidence.targets))
    return {
        "circuits": circuits_sha256(setup.design for setup in setups),
        "inputs": sha256(evidence.inputs),
        "labels": labels,
        **({} if targets is None else {"targets": targets}),
        "device": processor_named(request.device).name,
        "versions": versions(),
        "request": request.to_dict(),
    }
