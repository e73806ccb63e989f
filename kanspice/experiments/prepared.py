"""What experiments with many draws have in common before the first: network, technologies, and what measures draws."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

from kanspice.engine.progress import Progress
from kanspice.experiments.ensemble.draws import DrawResult, PointDraws
from kanspice.experiments.ensemble.ensemble import Checking, Ensemble, Records, drawn_places
from kanspice.experiments.ensemble.journal import Journal
from kanspice.experiments.ensemble.requests import Request, SampleRequest
from kanspice.experiments.ensemble.variations import Point
from kanspice.experiments.ensemble.workers import Workers
from kanspice.experiments.facts import ModelFacts
from kanspice.families import LoadedModel, load, technology_for

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Asked = TypeVar("Asked", bound=SampleRequest)
Measuring = TypeVar("Measuring", bound=Checking)
Checked = TypeVar("Checked", bound="DataclassInstance")
Drawn = TypeVar("Drawn", bound=PointDraws)


@dataclass(frozen=True)
class PreparedDraws(Generic[Asked, Measuring, Checked]):
    """Everything about a study of samples that is the same for all of its draws. setups: what measures them, by point.

    model_notes: how the network was read. identity: what all results depend on, by name.
    """

    check: ClassVar[type[Any]]
    """The kind of dataclass that is kept of a draw by another engine."""
    request: Asked
    points: tuple[Point, ...]
    setups: tuple[Measuring, ...]
    model: ModelFacts
    model_notes: tuple[str, ...]
    identity: Mapping[str, Any]

    @cached_property
    def ensemble(self) -> Ensemble[DrawResult, Checked]:
        """All draws, and those that another engine looks at too: drawn with the study's seed."""
        trials = tuple(self.request.trials if setup.is_random else 1 for setup in self.setups)
        checked = drawn_places(trials, self.request.cross_check, self.request.seed)
        return Ensemble(self.setups, trials, self.request.seeds, checked, self.identity, DrawResult, self.check)

    def measured(
        self, folder: Path, workers: Workers | None, progress: Progress | None
    ) -> Records[DrawResult, Checked]:
        """Every draw: what the folder's journal does not have yet is measured."""
        with Journal(folder, self.identity) as journal:
            return self.ensemble.run(journal, workers, progress)

    def gathered(self, records: Records[DrawResult, Checked], kind: type[Drawn]) -> tuple[Drawn, ...]:
        """The draws of each point, as `kind`."""
        return tuple(
            kind(
                point,
                setup.is_random,
                tuple(records.draws[point.index, trial] for trial in range(trials)),
                self.request.limits,
            )
            for point, setup, trials in zip(self.points, self.setups, self.ensemble.trials, strict=True)
        )


def network_of(request: Request) -> LoadedModel:
    """The network that is asked about. Raises InputError for files that cannot be used."""
    files = (path and request.at(path) for path in (request.config, request.curves))
    return load(request.at(request.model), *files)


def points_for(request: Request, loaded: LoadedModel) -> tuple[Point, ...]:
    """The request's points, of technologies that fit the network. Raises InputError for those that do not."""
    return tuple(replace(point, technology=technology_for(loaded, point.technology)) for point in request.points())
