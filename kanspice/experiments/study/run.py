"""The study itself: prepare every point once, measure every draw that is not in the journal, gather."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from kanspice.engine.batched.array_devices import processor_named
from kanspice.engine.progress import Progress
from kanspice.experiments.ensemble import ensemble as ensembles
from kanspice.experiments.ensemble.identity import circuits_sha256, sha256
from kanspice.experiments.ensemble.workers import Workers
from kanspice.experiments.evidence import Evidence, read_evidence
from kanspice.experiments.facts import ModelFacts, versions
from kanspice.experiments.followed import has_answer
from kanspice.experiments.notes import device_notes
from kanspice.experiments.prepared import PreparedDraws, network_of, points_for
from kanspice.experiments.study.plan import StudyRequest
from kanspice.experiments.study.result import PointResult, StudyResult
from kanspice.experiments.study.setups import gap_setups
from kanspice.experiments.study.specimens import CheckedDraw, GapSetup
from kanspice.families import LoadedModel
from kanspice.gap import accuracy, mean_squared_error


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
    setups = gap_setups(request, loaded, evidence, points)
    expected, known = setups[0].expected, has_answer(setups[0].expected)
    reference = None if evidence.labels is None else accuracy(expected, evidence.labels, known)
    loss = None if evidence.targets is None else mean_squared_error(expected, evidence.targets, known)
    return PreparedStudy(
        request,
        points,
        setups,
        replace(ModelFacts.of(loaded), path=request.model),
        (*loaded.notes, *device_notes(loaded, setups[0].design)),
        _identity(request, evidence, setups),
        reference,
        loss,
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
    names = (request.labels, request.targets, request.sized_for)
    labels, targets, sized_for = (path and request.at(path) for path in names)
    found = read_evidence(loaded, request.at(request.inputs), labels=labels, targets=targets, sized_for=sized_for)
    evidence = replace(found, source=request.inputs).limited(request.limit)
    evidence.check_fit(loaded.input_width, loaded.output_width)
    return evidence


def _identity(request: StudyRequest, evidence: Evidence, setups: Sequence[GapSetup]) -> dict[str, Any]:
    """Everything that results depend on, by name."""
    labels, targets = (None if rows is None else sha256(rows) for rows in (evidence.labels, evidence.targets))
    return {
        "circuits": circuits_sha256(setup.design for setup in setups),
        "inputs": sha256(evidence.inputs),
        "labels": labels,
        **({} if targets is None else {"targets": targets}),
        **({} if evidence.sized_for is None else {"sized_for": evidence.sized_for.sha256}),
        "device": processor_named(request.device).name,
        "versions": versions(),
        "request": request.to_dict(),
    }
