"""What is varied: the technologies at points, and the seeds of the specimens that all points share."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pydantic import ConfigDict

from kanspice.base.errors import InputError
from kanspice.technology import Technology, load_technology

MOST_SWEEPS = 2
MOST_POINTS = 1000
"""Each has a circuit of its own, compiled and kept while the work lasts."""
MOST_DRAWS = 1_000_000
"""At all points together: each is a line of the journal, and a row of the result."""
_SEED_BITS = 53
"""Integers that every reader of JSON keeps."""


@dataclass(frozen=True)
class Corner:
    """A named variant of the technology. settings: `SECTION.KEY=VALUE` texts."""

    __pydantic_config__ = ConfigDict(extra="forbid")

    name: str
    settings: tuple[str, ...] = ()

    @classmethod
    def parsed(cls, text: str) -> Corner:
        """`NAME:SECTION.KEY=V,...`, or a name alone for the technology as it is. Raises InputError for others."""
        name, _, settings = text.partition(":")
        if not name.strip() or "=" in name:
            expected = "NAME:SECTION.KEY=VALUE,..., as in slow:tia.gain=500; or a NAME alone"
            raise InputError(f"bad corner '{text}'", where="--corner", expected=expected)
        return cls(name.strip(), _parts(settings) if settings.strip() else ())


@dataclass(frozen=True)
class Sweep:
    """One technology value, `SECTION.KEY`, and what it is to be in turn, as written."""

    __pydantic_config__ = ConfigDict(extra="forbid")

    key: str
    values: tuple[str, ...]

    @classmethod
    def parsed(cls, text: str) -> Sweep:
        """`SECTION.KEY=V1,V2,...`. Raises InputError for anything else."""
        key, equals, values = text.partition("=")
        if not equals or not key.strip() or not all(_parts(values)):
            expected = "SECTION.KEY=V1,V2,..., as in devices.area_sigma=0,0.05,0.1"
            raise InputError(f"bad sweep '{text}'", where="--sweep", expected=expected)
        return cls(key.strip(), _parts(values))


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


def _parts(text: str) -> tuple[str, ...]:
    """What commas separate."""
    return tuple(part.strip() for part in text.split(","))


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
