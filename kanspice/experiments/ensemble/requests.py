"""What an experiment on many specimens is asked to do, as plain values that a folder can keep."""

from __future__ import annotations

import json
import shlex
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import asdict
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, ClassVar, Self

from pydantic import AfterValidator, ConfigDict, Field, TypeAdapter, ValidationError

from kanspice.base.errors import InputError
from kanspice.engine.engines import engine_named
from kanspice.engine.names import HOMES
from kanspice.engine.running import judge_of
from kanspice.experiments.ensemble.variations import Corner, Point, Sweep, check_variations, points_of, seed_of
from kanspice.technology import Technology, load_technology, shipped_technologies


def _known_engine(name: str) -> str:
    if name not in HOMES:
        raise ValueError(f"unknown engine: one of {', '.join(HOMES)}")
    return name


EngineName = Annotated[str, AfterValidator(_known_engine)]
Counted = Annotated[int, Field(ge=1)]
NotNegative = Annotated[int, Field(ge=0)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Fraction = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Limits = tuple[tuple[str, Annotated[float, Field(ge=0, allow_inf_nan=False)]], ...]


class Request:
    """What requests have in common; each is a frozen dataclass of plain values that has at least these fields.

    Files are named as they were given, from `folder`. set_, corners, sweeps: `SECTION.KEY=VALUE` texts. trials: draws
    at every point. seed: of all draws.
    """

    __pydantic_config__ = ConfigDict(extra="forbid")
    experiment: ClassVar[str]
    """The command that is asked: `kanspice EXPERIMENT`."""
    optional: ClassVar[tuple[str, ...]] = ()
    """Fields that are no part of the plain values where they are None."""
    folder: str
    model: str
    config: str | None
    curves: str | None
    tech: str | None
    set_: tuple[str, ...]
    corners: tuple[Corner, ...] = ()
    sweeps: tuple[Sweep, ...]
    trials: int
    seed: int
    engine: str

    def __post_init__(self) -> None:
        check_variations(self.set_, self.corners, self.sweeps, self.trials)

    def at(self, path: str) -> Path:
        """Where a file of the request is now."""
        return Path(self.folder) / path

    @cached_property
    def seeds(self) -> tuple[int, ...]:
        """Of every draw, the same at every point: specimens differ by what is done to them alone."""
        return tuple(seed_of(self.seed, trial) for trial in range(self.trials))

    def points(self) -> tuple[Point, ...]:
        """Corners times swept values, the last sweep's changing fastest. Raises InputError for a bad technology."""
        return points_of(self._technology_file, self.set_, self.corners, self.sweeps)

    @property
    def technology(self) -> Technology:
        """The one that is varied. Raises InputError for a bad one."""
        return load_technology(self._technology_file, self.set_)

    @property
    def _technology_file(self) -> str | Path | None:
        """Where it is now, or the name of a shipped one."""
        if self.tech is None:
            return None
        file = self.at(self.tech)
        return self.tech if self.tech in shipped_technologies() and not file.exists() else file

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        found: dict[str, Any] = json.loads(json.dumps(asdict(self)))  # type: ignore[call-overload]
        return {name: value for name, value in found.items() if value is not None or name not in self.optional}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], where: Path) -> Self:
        """What `to_dict` made. Raises InputError for anything else."""
        try:
            return TypeAdapter(cls).validate_python(dict(data))
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            place = ".".join(map(str, first["loc"]))
            found = f"{place}: {first['msg']}, not {repr(first.get('input'))[:100]}"
            raise InputError("is not a study's plan", where=where, found=found) from error


class SampleRequest(Request, ABC):
    """What requests that measure how circuits answer samples have in common.

    limit: the first so many samples. sized_for: samples that circuits are sized for, if those are others. cross_check:
    so many draws by another engine too: `judge`, or the usual one.
    limits: (metric, bound) that a good draw keeps. yield_min: fraction of good draws wanted at every point, if any.
    """

    inputs: str
    limit: int | None
    sized_for: str | None = None
    device: str = "cpu"
    cross_check: int
    cross_check_needed: bool
    judge: str | None
    limits: Limits
    yield_min: float | None

    def __post_init__(self) -> None:
        super().__post_init__()
        judge_of(self.engine, self.judge)

    @property
    def checked_by(self) -> str | None:
        """The engine that some draws are checked by; None where none are."""
        return judge_of(self.engine, self.judge) if self.cross_check else None

    @property
    def engine_and_device(self) -> str:
        """For a reader, who takes the central processor for granted."""
        return " on ".join([self.engine, *self._computes_with])

    @property
    def _computes_with(self) -> list[str]:
        """The device, where it is another than the central processor and draws are measured with it."""
        return [self.device] if engine_named(self.engine).check_device is not None and self.device != "cpu" else []

    @abstractmethod
    def command(self, point: Point, seed: int) -> str:
        """The command line that measures one draw by itself."""

    @property
    def wanted_yield(self) -> float | None:
        """The fraction of good draws that every point needs: with limits all of them, unless something else is said."""
        return 1.0 if self.yield_min is None and self.limits else self.yield_min

    def command_line(self, command: str, options: tuple[str, ...], point: Point, seed: int) -> str:
        """What measures one draw by itself. options: fields that are options of the command too."""
        words = ["kanspice", command, self.model, "--inputs", self.inputs]
        for option in options:
            value = getattr(self, option)
            words += [] if value is None else [f"--{option.replace('_', '-')}", str(value)]
        for override in point.overrides:
            words += ["--set", override]
        words += ["--engine", self.engine, *(word for device in self._computes_with for word in ("--device", device))]
        return shlex.join([*words, "--seed", str(seed)])
