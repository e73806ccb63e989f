"""What has to hold of a result, one by one: what CI systems show as tests."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from kanspice.gap.resolution import Limit
from kanspice.report.formatting import pair


@dataclass(frozen=True)
class Problem:
    """Why a check does not hold.

    kind: its sort, one word. is_measured: whether something was found that is not allowed; else nothing was found.
    """

    kind: str
    message: str
    is_measured: bool = False
    detail: str = ""


@dataclass(frozen=True)
class Check:
    """What has to hold, and why it does not, if so. seconds: that it took; 0 where another's time has it."""

    name: str
    problem: Problem | None
    seconds: float | None = None


def limit_check(limit: Limit) -> Check:
    """Whether a limit is kept; one on a figure that does not exist is not measured."""
    value, bound = pair(limit.value, limit.bound)
    way, sign = ("min", ">=") if limit.is_minimum else ("max", "<=")
    name = f"{limit.metric} {sign} {bound}"
    detail = f"metric {limit.metric}\nvalue  {limit.value!r}\n{way}    {limit.bound!r}"
    if limit.passed:
        return Check(name, None)
    if math.isnan(limit.value):
        message = f"{limit.metric} has no value; relative figures need two samples"
        return Check(name, Problem("NotMeasured", message, detail=detail))
    kind, beyond = ("LimitNotReached", "below") if limit.is_minimum else ("LimitExceeded", "above")
    message = f"{limit.metric} is {value}, {beyond} the limit {bound}"
    return Check(name, Problem(kind, message, is_measured=True, detail=detail))


def unresolved_problem(reasons: Sequence[str]) -> Problem | None:
    """None where nothing is in doubt."""
    return Problem("NotResolved", "; ".join(reasons)) if reasons else None


def engines_problem(disagree: bool, unchecked: bool, said: str) -> Problem | None:
    """Of engines that disagree, or one that could not try everything; said: what is known of that."""
    if disagree:
        return Problem("EnginesDisagree", said)
    return Problem("NotChecked", said) if unchecked else None
