"""What a study is asked to do: technologies at its points, and the seeds of the specimens that all points share."""

from __future__ import annotations

import itertools
import json
import math
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from pydantic import AfterValidator, ConfigDict, Field, TypeAdapter, ValidationError

from kanspice.base.errors import InputError
from kanspice.engine.engines import engine_named
from kanspice.engine.names import HOMES
from kanspice.engine.running import judge_of
from kanspice.technology import Technology, load_technology, shipped_technologies

CHECKED_SAMPLES = 4
"""Of every draw that the other engine solves too."""
MOST_SWEEPS = 2
MOST_POINTS = 1000
"""Each has a circuit of its own, compiled and kept while the study lasts."""
MOST_DRAWS = 1_000_000
"""At all points together: each is a line of the journal, and a row of the result."""
_SEED_BITS = 53
"""Integers that every reader of JSON keeps."""


def _known_engine(name: str) -> str:
    if name not in HOMES:
        raise ValueError(f"unknown engine: one of {', '.join(HOMES)}")
    return name


_EngineName = Annotated[str, AfterValidator(_known_engine)]
_Counted = Annotated[int, Field(ge=1)]
_NotNegative = Annotated[int, Field(ge=0)]


@dataclass(frozen=True)
class Corner:
    """A named variant of the technology. settings: `SECTION.KEY=VALUE` texts."""

    __pydantic_config__ = ConfigDict(extra="forbid")

    name: str
    settings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Sweep:
    """One technology value, `SECTION.KEY`, and what it is to be in turn, as written."""

    __pydantic_config__ = ConfigDict(extra="forbid")

    key: str
    values: tuple[str, ...]


@dataclass(frozen=True)
class Point:
    """One technology of a study. values: of the swept keys, as written. overrides: all that is set, in order."""

    index: int
    corner: str | None
    values: tuple[str, ...]
    overrides: tuple[str, ...]
    technology: Technology

    def named(self, sweeps: tuple[Sweep, ...]) -> str:
        """A name for readers: "slow, tia.gain=1000"; "as given" where nothing varies."""
        swept = [f"{sweep.key}={value}" for sweep, value in zip(sweeps, self.values, strict=True)]
        return ", ".join(([self.corner] if self.corner else []) + swept) or "as given"


@dataclass(frozen=True)
class Request:
    """Everything that was asked for, as plain values. Files are named as they were given, from `folder`.

    limit: the first so many samples. set_, corners, sweeps: `SECTION.KEY=VALUE` texts.
    trials: draws at every point. cross_check: so many draws by the other engine too.
    limits: (metric, largest) that a good draw keeps. yield_min: fraction of good draws wanted at every point, if any.
    """

    __pydantic_config__ = ConfigDict(extra="forbid")

    folder: str
    model: str
    inputs: str
    config: str | None = None
    curves: str | None = None
    labels: str | None = None
    targets: str | None = None
    limit: _Counted | None = None
    tech: str | None = None
    set_: tuple[str, ...] = ()
    corners: tuple[Corner, ...] = ()
    sweeps: tuple[Sweep, ...] = ()
    trials: _Counted = 100
    seed: _NotNegative = 0
    engine: _EngineName = "batched"
    device: str = "cpu"
    cross_check: _NotNegative = 0
    no_cross_check: str = ""
    """Why there is none, where there should be one."""
    cross_check_needed: bool = False
    """Without it nothing counts as measured: it was asked for."""
    limits: tuple[tuple[str, Annotated[float, Field(ge=0, allow_inf_nan=False)]], ...] = ()
    yield_min: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] | None = None

    def __post_init__(self) -> None:
        check_variations(self.set_, self.corners, self.sweeps, self.trials)

    def at(self, path: str) -> Path:
        """Where a file of the request is now."""
        return Path(self.folder) / path

    @property
    def checked_by(self) -> str | None:
        """The engine that some draws are checked by; None where none are."""
        return judge_of(self.engine) if self.cross_check else None

    @property
    def engine_and_device(self) -> str:
        """For a reader, who takes the central processor for granted."""
        return " on ".join([self.engine, *self._computes_with])

    @property
    def _computes_with(self) -> list[str]:
        """The device, where it is another than the central processor and draws are measured with it."""
        return [self.device] if engine_named(self.engine).check_device is not None and self.device != "cpu" else []

    @property
    def wanted_yield(self) -> float | None:
        """The fraction of good draws that every point needs: with limits all of them, unless something else is said."""
        return 1.0 if self.yield_min is None and self.limits else self.yield_min

    @cached_property
    def seeds(self) -> tuple[int, ...]:
        """Of every draw, the same at every point: specimens differ by what is done to them alone."""
        return tuple(seed_of(self.seed, trial) for trial in range(self.trials))

    def points(self) -> tuple[Point, ...]:
        """Corners times swept values, the last sweep's changing fastest. Raises InputError for a bad technology."""
        return points_of(self._technology, self.set_, self.corners, self.sweeps)

    @property
    def _technology(self) -> str | Path | None:
        """Where its file is now, or the name of a shipped one."""
        if self.tech is None:
            return None
        file = self.at(self.tech)
        return self.tech if self.tech in shipped_technologies() and not file.exists() else file

    def command(self, point: Point, seed: int) -> str:
        """The command line that measures one draw by itself."""
        words = ["kanspice", "verify", self.model, "--inputs", self.inputs]
        for option in ("config", "curves", "labels", "targets", "limit", "tech"):
            value = getattr(self, option)
            words += [] if value is None else [f"--{option}", str(value)]
        for override in point.overrides:
            words += ["--set", override]
        words += ["--engine", self.engine, *(word for device in self._computes_with for word in ("--device", device))]
        return shlex.join([*words, "--seed", str(seed)])

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON; without targets no word of them, as before there were any."""
        found: dict[str, Any] = json.loads(json.dumps(asdict(self)))
        if self.targets is None:
            del found["targets"]
        return found

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], where: Path) -> Request:
        """What `to_dict` made. Raises InputError for anything else."""
        try:
            return TypeAdapter(cls).validate_python(dict(data))
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            place = ".".join(map(str, first["loc"]))
            found = f"{place}: {first['msg']}, not {repr(first.get('input'))[:100]}"
            raise InputError("is not a study's plan", where=where, found=found) from error


def seed_of(seed: int, trial: int) -> int:
    """The seed of one draw: studies of different seeds share no specimens."""
    words = np.random.SeedSequence([seed, trial]).generate_state(1, np.uint64)
    return int(words[0]) >> (64 - _SEED_BITS)


def points_of(
    tech: str | Path | None, set_: Sequence[str], corners: Sequence[Corner], sweeps: Sequence[Sweep]
) -> tuple[Point, ...]:
    """Corners times swept values, the last sweep's changing fastest. Raises InputError for a bad technology."""
    points: list[Point] = []
    for corner in corners or (Corner(""),):
        for values in itertools.product(*(sweep.values for sweep in sweeps)):
            swept = [f"{sweep.key}={value}" for sweep, value in zip(sweeps, values, strict=True)]
            overrides = (*set_, *corner.settings, *swept)
            technology = load_technology(tech, overrides)
            points.append(Point(len(points), corner.name or None, values, overrides, technology))
    return tuple(points)


def check_variations(set_: Sequence[str], corners: Sequence[Corner], sweeps: Sequence[Sweep], trials: int) -> None:
    """Raises InputError for corners and sweeps that contradict each other or what is set, or are too many.

    trials: draws at each of their points.
    """
    _check_counts(math.prod(len(sweep.values) for sweep in sweeps) * max(len(corners), 1), trials)
    if len(sweeps) > MOST_SWEEPS:
        found = ", ".join(sweep.key for sweep in sweeps)
        raise InputError("too many sweeps", where="--sweep", expected=f"at most {MOST_SWEEPS}", found=found)
    names = [corner.name for corner in corners]
    for name in names:
        if names.count(name) > 1:
            raise InputError(f"two corners are called '{name}'", where="--corner", expected="a name for each")
    keys = [sweep.key for sweep in sweeps]
    for sweep in sweeps:
        if keys.count(sweep.key) > 1:
            raise InputError(f"'{sweep.key}' is swept twice", where="--sweep", hint="one list with all values")
        if len(set(sweep.values)) < len(sweep.values):
            raise InputError(f"a value of '{sweep.key}' is given twice", where="--sweep", found=", ".join(sweep.values))
        for option, texts in (("--set", set_), *((f"--corner {c.name}", c.settings) for c in corners)):
            if any(text.partition("=")[0].strip() == sweep.key for text in texts):
                raise InputError(f"'{sweep.key}' is swept and set", where=option, hint="leave one of them out")


def _check_counts(points: int, trials: int) -> None:
    if points > MOST_POINTS:
        hint = "fewer values, or several studies"
        raise InputError(
            "too many points", where="--sweep", expected=f"at most {MOST_POINTS:,}", found=f"{points:,}", hint=hint
        )
    if points * trials > MOST_DRAWS:
        found = f"{points * trials:,} at {points:,} point{'s' * (points > 1)}"
        raise InputError("too many draws", where="--trials", expected=f"at most {MOST_DRAWS:,}", found=found)
