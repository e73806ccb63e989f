"""What ngspice's messages mean. Its exit code says nothing, so these and the results' completeness decide."""

from __future__ import annotations

import re

from kanspice.engine.solution import Outcome

_SIGNS: tuple[tuple[re.Pattern[str], Outcome], ...] = (
    (re.compile(r"singular matrix", re.I), Outcome.SINGULAR),
    (
        re.compile(
            r"gmin step(ping)? failed|source stepping failed|transient op (started|failed)|timestep too small"
            r"|no convergence|iteration limit|simulation\(s\) aborted|run aborted",
            re.I,
        ),
        Outcome.DIVERGED,
    ),
)
_FATAL = re.compile(
    r"^.*(fatal|no such|unknown|syntax|can't find|could not|cannot|out of memory|error).*$", re.I | re.M
)


def suspicion(messages: str) -> tuple[Outcome, str] | None:
    """The first message that casts doubt on the results and what it means; None when there is none."""
    for line in messages.splitlines():
        for sign, outcome in _SIGNS:
            if sign.search(line):
                return outcome, line.strip()
    return None


def complaint(messages: str) -> str | None:
    """The first line that reads like an error; None where there is none."""
    match = _FATAL.search(messages)
    return match[0].strip()[:300] if match else None


def first_complaint(messages: str) -> str:
    """The first line that reads like an error, or else the last one, for a run that gave nothing."""
    found = complaint(messages)
    if found is not None:
        return found
    lines = [line for line in messages.splitlines() if line.strip()]
    return lines[-1].strip()[:300] if lines else "it printed nothing"
