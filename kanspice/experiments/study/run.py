"""The study itself: prepare every point once, measure every draw that is not in the journal, gather."""

from __future__ import annotations

import hashlib
import platform
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from kanspice.base.errors import InputError
from kanspice.circuit import Design
from kanspice.circuit.file import design_bytes
from kanspice.engine.acceptance import chosen_samples
from kanspice.engine.batched.array_devices import processor_named
from kanspice.engine.fidelity import resolve_fidelity
from kanspice.engine.options import RunOptions
from kanspice.engine.progress import Advance, Progress
from kanspice.engine.running import check_device
from kanspice.experiments.evidence import Evidence, read_evidence
from kanspice.experiments.followed import Followed, has_answer, scale_of
from kanspice.experiments.generator import Generator
from kanspice.experiments.notes import device_notes
from kanspice.experiments.study.journal import Journal, begin, read_plan
from kanspice.experiments.study.plan import Point, Request
from kanspice.experiments.study.result import CheckedDraw, PointResult, StudyResult
from kanspice.experiments.study.specimens import Bench, DrawResult, check, one_thread
from kanspice.experiments.study.workers import Work, Workers, local
from kanspice.experiments.verify.measured import PACKAGES
from kanspice.families import LoadedModel, compile_nominal, load, technology_for
from kanspice.gap import CrossCheck, NumericalGap, accuracy, check_limits, given, mean_squared_error
from kanspice.gap.cross_check import NotChecked, OtherOutcome


@dataclass(frozen=True)
class Prepared:
    """Everything about a study that is the same for all of its draws.

    trials: how many draws there are at each point. identity: what all results depend on, by name.
    """

    request: Request
    points: tuple[Point, ...]
    benches: tuple[Bench, ...]
    trials: tuple[int, ...]
    reference_accuracy: float | None
    reference_loss: float | None
    facts: Mapping[str, object]
    identity: Mapping[str, Any]

    @property
    def draws(self) -> int:
        """At all points together."""
        return sum(self.trials)


def prepare(request: Request) -> Prepared:
    """Loads, follows the network once, and compiles the nominal circuit of every point.

    Raises InputError for files, technologies or limits that cannot be used.
    """
    loaded = load(request.at(request.model), *(path and request.at(path) for path in (request.config, request.curves)))
    evidence = _evidence(request, loaded)
    points = tuple(replace(point, technology=technology_for(loaded, point.technology)) for point in request.points())
    generator = Generator.of(loaded)
    there = given(
        labels=evidence.labels is not None, targets=evidence.targets is not None, generates=generator is not None
    )
    check_limits(request.limits, there, "--max")
    finest = max((point.technology for point in points), key=lambda technology: technology.converters.adc_bits)
    with one_thread():
        network = Followed.of(loaded, evidence, finest)
        designs = [compile_nominal(loaded, point.technology, network.sizing) for point in points]
        check_device(request.device, designs[0], request.engine, request.checked_by)
        everywhere = partial(
            Bench,
            engine=request.engine,
            device=request.device,
            inputs=network.inputs,
            places=tuple(network.answered),
            without=tuple(network.failures),
            hints=network.hints,
            labels=evidence.labels,
            targets=evidence.targets,
            reference_error=_reference_error(request, network, designs[0]),
            generator=generator,
            limits=request.limits,
        )
        parts = zip(points, designs, strict=True)
        benches = tuple(_at(everywhere, network, point, design) for point, design in parts)
    expected, known = benches[0].expected, has_answer(benches[0].expected)
    reference = None if evidence.labels is None else accuracy(expected, evidence.labels, known)
    loss = None if evidence.targets is None else mean_squared_error(expected, evidence.targets, known)
    trials = tuple(request.trials if bench.is_random else 1 for bench in benches)
    return Prepared(
        request,
        points,
        benches,
        trials,
        reference,
        loss,
        _facts(request, loaded, designs[0]),
        _identity(request, evidence, benches),
    )


def _at(everywhere: Callable[..., Bench], network: Followed, point: Point, design: Design) -> Bench:
    expected = network.stages[design.stages[-1].compares_to]
    return everywhere(
        point=point.index,
        design=design,
        technology=point.technology,
        fidelity=resolve_fidelity(design, "auto"),
        expected=expected,
        scale=scale_of(expected, network.evidence),
    )


def start(request: Request, folder: Path) -> Prepared:
    """Prepares a study and makes its folder. Raises InputError where the folder holds something already."""
    prepared = prepare(request)
    begin(folder, {"request": request.to_dict(), "identity": dict(prepared.identity)})
    return prepared


def resume(folder: Path) -> Prepared:
    """Prepares the study of a folder again. Raises InputError where its results would not be the same any more."""
    plan = read_plan(folder)
    request = Request.from_dict(plan["request"], folder) if isinstance(plan.get("request"), dict) else None
    if request is None or not isinstance(plan.get("identity"), dict):
        raise InputError("is not a study's plan", where=folder)
    prepared = prepare(request)
    for name, found in prepared.identity.items():
        if plan["identity"].get(name) != found:
            raise InputError(
                f"this was another study: its {name} changed",
                where=folder,
                expected=str(plan["identity"].get(name)),
                found=str(found),
                hint="begin a new study in another folder",
            )
    return prepared


def run(
    prepared: Prepared, folder: Path, workers: Workers | None = None, progress: Progress | None = None
) -> StudyResult:
    """Measures what the folder's journal does not have yet, and returns everything.

    progress: told of every finished draw, at once of those that the journal has, and of cross-checks.
    Draws are journalled as they finish, in any order: whatever ends this, `resume` and `run` go on from there.
    """
    told: Progress = progress or (lambda _: None)
    with Journal(folder, prepared.identity) as journal:
        known = _Known(prepared, journal)
        told(Advance(len(known.draws)))
        for point, trial in _checked(prepared):
            if (point, trial) not in known.checks:
                seed = prepared.request.seeds[trial]
                began = time.monotonic()
                found = check(prepared.benches[point], seed, told)
                checked = CheckedDraw(point, trial, seed, found, time.monotonic() - began)
                known.take(journal.append({"kind": "check", **asdict(checked)}))
        with closing((workers or local(1))(_work(prepared, known.draws))) as draws:
            for draw in draws:
                known.take(journal.append({"kind": "draw", **draw.to_dict()}))
                told(Advance(1))
    return _gathered(prepared, known)


def _work(prepared: Prepared, done: Mapping[tuple[int, int], DrawResult]) -> Sequence[Work]:
    seeds = prepared.request.seeds
    return [
        Work(bench, trial, seeds[trial])
        for bench, trials in zip(prepared.benches, prepared.trials, strict=True)
        for trial in range(trials)
        if (bench.point, trial) not in done
    ]


def _checked(prepared: Prepared) -> list[tuple[int, int]]:
    """The draws, (point, trial), that the other engine solves too: drawn with the study's seed."""
    pairs = [(point, trial) for point, trials in enumerate(prepared.trials) for trial in range(trials)]
    count = min(prepared.request.cross_check, len(pairs))
    chosen = np.random.default_rng(prepared.request.seed).choice(len(pairs), count, replace=False)
    return [pairs[index] for index in sorted(chosen.tolist())]


class _Known:
    """What the journal holds, by (point, trial). Results are taken as they are read back, also those just written."""

    def __init__(self, prepared: Prepared, journal: Journal) -> None:
        self.prepared = prepared
        self.checks: dict[tuple[int, int], CheckedDraw] = {}
        self.draws: dict[tuple[int, int], DrawResult] = {}
        for number, record in enumerate(journal.records, 1):
            try:
                self.take(record)
            except (KeyError, TypeError, ValueError, IndexError) as error:
                problem = f"line {number} is no result of this study: the file was changed or damaged"
                raise InputError(problem, where=journal.path, found=str(error), hint="begin a new study") from error

    def take(self, record: Mapping[str, Any]) -> None:
        """Raises a Python error for what this study cannot have written."""
        kind, values = record["kind"], {key: value for key, value in record.items() if key != "kind"}
        point, trial = place = values["point"], values["trial"]
        if trial not in range(self.prepared.trials[point]) or values["seed"] != self.prepared.request.seeds[trial]:
            raise ValueError("no draw of this study")
        if place in (self.checks if kind == "check" else self.draws):
            raise ValueError("a draw that is there already")
        if kind == "check":
            self.checks[place] = CheckedDraw(**values | {"found": _cross_check(values["found"])})
        else:
            self.draws[place] = DrawResult.from_dict(values)


def _cross_check(values: Mapping[str, Any]) -> CrossCheck:
    outcomes = tuple(OtherOutcome(**each) for each in values["outcomes"])
    untried = tuple(NotChecked(**each) for each in values.get("not_checked", ()))
    return CrossCheck(**{**values, "samples": tuple(values["samples"]), "outcomes": outcomes, "not_checked": untried})


def _gathered(prepared: Prepared, known: _Known) -> StudyResult:
    points = tuple(
        PointResult(
            point,
            bench.is_random,
            tuple(known.draws[point.index, trial] for trial in range(trials)),
            prepared.request.limits,
        )
        for point, bench, trials in zip(prepared.points, prepared.benches, prepared.trials, strict=True)
    )
    return StudyResult(
        request=prepared.request,
        facts=prepared.facts,
        samples=len(prepared.benches[0].expected),
        reference_accuracy=prepared.reference_accuracy,
        reference_error=prepared.benches[0].reference_error,
        variation=prepared.benches[0].variation,
        points=points,
        checks=tuple(known.checks[place] for place in sorted(known.checks)),
        reference_loss=prepared.reference_loss,
    )


def _evidence(request: Request, loaded: LoadedModel) -> Evidence:
    labels, targets = (path and request.at(path) for path in (request.labels, request.targets))
    found = read_evidence(loaded, request.at(request.inputs), labels=labels, targets=targets)
    evidence = replace(found, source=request.inputs).limited(request.limit)
    evidence.check_fit(loaded.input_width, loaded.output_width)
    return evidence


def _reference_error(request: Request, network: Followed, design: Design) -> NumericalGap | None:
    """The network's own, on samples drawn with the study's seed: it is the same for all draws."""
    chosen = chosen_samples(network.answered, RunOptions(seed=request.seed))
    stage = design.stages[-1].compares_to
    return network.error(stage, chosen, scale_of(network.stages[stage], network.evidence))


def _facts(request: Request, loaded: LoadedModel, design: Design) -> dict[str, object]:
    return {
        "model": {
            "path": request.model,
            "family": loaded.family,
            "format": loaded.format,
            "sha256": loaded.sha256,
            "parameters": loaded.parameters,
            "notes": [*loaded.notes, *device_notes(loaded, design)],
        },
        "versions": {name: version(name) for name in PACKAGES} | {"python": platform.python_version()},
    }


def _identity(request: Request, evidence: Evidence, benches: Sequence[Bench]) -> dict[str, Any]:
    """Everything that results depend on: the circuits hold the model, its devices and the technologies."""
    circuits = hashlib.sha256(b"".join(hashlib.sha256(design_bytes(bench.design)).digest() for bench in benches))
    labels, targets = (None if rows is None else _sha256(rows) for rows in (evidence.labels, evidence.targets))
    return {
        "circuits": circuits.hexdigest(),
        "inputs": _sha256(evidence.inputs),
        "labels": labels,
        **({} if targets is None else {"targets": targets}),
        "device": processor_named(request.device).name,
        "versions": {name: version(name) for name in PACKAGES} | {"python": platform.python_version()},
        "request": request.to_dict(),
    }


def _sha256(values: Any) -> str:
    return hashlib.sha256(np.ascontiguousarray(values).tobytes()).hexdigest()
