"""Which imperfection makes which part of the gap: each alone, and everything but each."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from kanspice.gap.metrics import Gap
from kanspice.technology import Technology


@dataclass(frozen=True)
class Trial:
    """The gap of the same samples with another technology, and how many of them failed."""

    gap: Gap
    failed: int


@dataclass(frozen=True)
class Cause:
    """What one imperfection does.

    name: `section.key` of the technology; "no imperfection" for the circuit that has none.
    alone: with this imperfection and no other. without: with all the others; None for "no imperfection".
    """

    name: str
    value: float | None
    alone: Trial
    without: Trial | None


NONE = "no imperfection"


def trials_needed(technology: Technology) -> int:
    """How many circuits `attribute` solves besides the one with all imperfections."""
    causes = technology.causes
    alone = {(cause,) for cause in causes}
    without = {tuple(other for other in causes if other != cause) for cause in causes}
    return len((alone | without | {()}) - {causes})


def attribute(technology: Technology, full: Trial, solve: Callable[[Technology], Trial]) -> tuple[Cause, ...]:
    """Every imperfection of the technology, that with the largest gap of its own first; then the circuit without any.

    full: the trial with all of them. solve: makes another. Nothing is tried twice.
    """
    known: dict[tuple[str, ...], Trial] = {technology.causes: full}

    def tried(changed: Technology) -> Trial:
        return known[changed.causes] if changed.causes in known else known.setdefault(changed.causes, solve(changed))

    causes = []
    for name in technology.causes:
        section, _, key = name.partition(".")
        alone = technology.without(other for other in technology.causes if other != name)
        value = float(getattr(getattr(technology, section), key))
        causes.append(Cause(name, value, tried(alone), tried(technology.without([name]))))
    causes.sort(key=lambda cause: (math.isnan(cause.alone.gap.rmse), -cause.alone.gap.rmse))
    none = Cause(NONE, None, tried(technology.without(technology.causes)), None)
    return (*causes, none)
