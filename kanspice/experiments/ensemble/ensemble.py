"""Every specimen of an ensemble measured once, wherever that happens to be done, and kept as it is finished."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

import numpy as np

from kanspice.base.errors import InputError
from kanspice.engine.progress import Advance, Progress
from kanspice.experiments.ensemble import journal as journals
from kanspice.experiments.ensemble.journal import Journal, Unkept
from kanspice.experiments.ensemble.requests import Request
from kanspice.experiments.ensemble.specimens import Setup, Specimen
from kanspice.experiments.ensemble.workers import Work, Workers, local
from kanspice.report.codec import as_record, of_record

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Drawn = TypeVar("Drawn", bound="DataclassInstance")
Checked = TypeVar("Checked", bound="DataclassInstance")
Place = tuple[int, int]
"""Point, trial."""


class Checking(Setup, Protocol):
    """One that another engine can check."""

    @property
    def is_random(self) -> bool:
        """Whether two specimens can differ."""

    def check(self, trial: int, seed: int, progress: Progress) -> DataclassInstance:
        """What another engine says of a specimen."""


@dataclass(frozen=True)
class Records(Generic[Drawn, Checked]):
    """What is known of every specimen, and of those that were checked."""

    draws: Mapping[Place, Drawn]
    checks: Mapping[Place, Checked]
    timing: Mapping[str, float]
    """How long it took, in seconds: that is never the same."""

    @property
    def checks_in_order(self) -> tuple[Checked, ...]:
        """By point, then by trial."""
        return tuple(self.checks[place] for place in sorted(self.checks))


@dataclass(frozen=True)
class Ensemble(Generic[Drawn, Checked]):
    """Specimens at points, and what they are measured with.

    setups: by point. trials: how many draws there are at each of them. seeds: of draws, the same at every point.
    checked: the specimens that another engine looks at too. identity: everything that results depend on, by name.
    draw, check: the kinds of dataclasses that are kept of them.
    """

    setups: tuple[Checking, ...]
    trials: tuple[int, ...]
    seeds: tuple[int, ...]
    checked: Sequence[Place]
    identity: Mapping[str, Any]
    draw: type[Drawn]
    check: type[Checked]

    @property
    def size(self) -> int:
        """Draws at all points together."""
        return sum(self.trials)

    @property
    def specimens(self) -> list[Specimen]:
        """All of them, point after point."""
        return [
            Specimen(point, trial, self.seeds[trial])
            for point, trials in enumerate(self.trials)
            for trial in range(trials)
        ]

    def run(
        self, journal: Journal | Unkept, workers: Workers | None = None, progress: Progress | None = None
    ) -> Records[Drawn, Checked]:
        """Measures what the journal does not have yet, and gives everything.

        progress: told of every finished draw, at once of those that the journal has, and of what checks tell.
        Draws are journalled as they finish, in any order: whatever ends this, another run goes on from there.
        """
        told: Progress = progress or (lambda _: None)
        known = _Known(self, journal)
        told(Advance(len(known.draws)))
        for point, trial in self.checked:
            if (point, trial) not in known.checks:
                specimen, began = Specimen(point, trial, self.seeds[trial]), time.monotonic()
                found = self.setups[point].check(trial, specimen.seed, told)
                known.add("check", specimen, found, time.monotonic() - began)
        left = [each for each in self.specimens if each.place not in known.draws]
        work = [Work(self.setups[each.point], each) for each in left]
        with closing((workers or local(1))(work)) as finished:
            for done in finished:
                known.add("draw", done.specimen, done.record, done.seconds)
                told(Advance(1))
        return Records(known.draws, known.checks, known.timing)


def drawn_places(trials: Sequence[int], count: int, seed: int) -> list[Place]:
    """So many specimens, drawn among all."""
    places = [(point, trial) for point, some in enumerate(trials) for trial in range(some)]
    chosen = np.random.default_rng(seed).choice(len(places), min(count, len(places)), replace=False)
    return [places[index] for index in sorted(chosen.tolist())]


@dataclass
class _Known(Generic[Drawn, Checked]):
    """What the journal holds, by (point, trial). Results are taken as they are read back, also those just written."""

    ensemble: Ensemble[Drawn, Checked]
    journal: Journal | Unkept
    draws: dict[Place, Drawn] = field(default_factory=dict)
    checks: dict[Place, Checked] = field(default_factory=dict)
    seconds: dict[str, list[float]] = field(default_factory=lambda: {"draw": [], "check": []})

    def __post_init__(self) -> None:
        for number, record in enumerate(self.journal.records, 1):
            try:
                self._take(record)
            except (KeyError, TypeError, ValueError, IndexError) as error:
                problem = f"line {number} is no result of this study: the file was changed or damaged"
                where = self.journal.path if isinstance(self.journal, Journal) else None
                raise InputError(problem, where=where, found=str(error), hint="begin a new study") from error

    def add(self, kind: str, specimen: Specimen, record: DataclassInstance, seconds: float) -> None:
        """Journals what was found of a specimen, and takes what a reader of the journal gets."""
        about = {"kind": kind, **specimen._asdict(), "seconds": seconds}
        self._take(self.journal.append(about | as_record(record)))

    def _take(self, record: Mapping[str, Any]) -> None:
        """Raises a Python error for what this study cannot have written."""
        values = dict(record)
        kind, seconds = values.pop("kind"), values.pop("seconds")
        point, trial = place = values["point"], values["trial"]
        if trial not in range(self.ensemble.trials[point]) or values["seed"] != self.ensemble.seeds[trial]:
            raise ValueError("no draw of this study")
        if place in (self.checks if kind == "check" else self.draws):
            raise ValueError("a draw that is there already")
        if kind == "check":
            self.checks[place] = of_record(self.ensemble.check, values)
        else:
            self.draws[place] = of_record(self.ensemble.draw, values)
        self.seconds["check" if kind == "check" else "draw"].append(seconds)

    @property
    def timing(self) -> dict[str, float]:
        draws, checks = self.seconds["draw"], self.seconds["check"]
        return {
            "draws": len(draws),
            "sum_s": sum(draws),
            "mean_s": sum(draws) / len(draws),
            "max_s": max(draws),
            "cross_checks": len(checks),
            "cross_checks_s": sum(checks),
        }


class Prepared(Protocol):
    """An experiment that can begin."""

    @property
    def identity(self) -> Mapping[str, Any]:
        """Everything that its results depend on, by name."""


AnyRequest = TypeVar("AnyRequest", bound=Request)
Ready = TypeVar("Ready", bound=Prepared)


def start(request: AnyRequest, folder: Path, prepare: Callable[[AnyRequest], Ready]) -> Ready:
    """Prepares a study and makes its folder. Raises InputError where the folder holds something already."""
    prepared = prepare(request)
    plan = {"request": request.to_dict(), "identity": dict(prepared.identity)}
    journals.begin(folder, request.experiment, plan)
    return prepared


def resume(folder: Path, asked: type[AnyRequest], prepare: Callable[[AnyRequest], Ready]) -> Ready:
    """Prepares the study of a folder again. Raises InputError where its results would not be the same any more."""
    plan = journals.read_plan(folder, asked.experiment)
    known = plan.get("identity")
    if not isinstance(plan.get("request"), dict) or not isinstance(known, dict):
        raise InputError("is not a study's plan", where=folder)
    prepared = prepare(asked.from_dict(plan["request"], folder))
    for name, found in prepared.identity.items():
        if known.get(name) != found:
            raise InputError(
                f"this was another study: its {name} changed",
                where=folder,
                expected=str(known.get(name)),
                found=str(found),
                hint="begin a new study in another folder",
            )
    return prepared
