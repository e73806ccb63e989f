"""Which imperfection makes which part of the gap, in words and in tables."""

from __future__ import annotations

from collections.abc import Sequence

from kanspice.base.quantities import quantity
from kanspice.experiments.verify.advice import advice
from kanspice.experiments.verify.result import GapResult
from kanspice.experiments.verify.wording import ROUNDING
from kanspice.gap.causes import NONE, NUMERICAL, Cause
from kanspice.report.blocks import Table
from kanspice.report.formatting import NOTHING, counted, number, percent, plain


def singles(causes: Sequence[Cause]) -> list[Cause]:
    """Imperfections one by one, the largest part of the whole first."""
    found = [cause for cause in causes if not cause.is_section and cause.name not in (NONE, NUMERICAL)]
    return sorted(found, key=lambda cause: -1.0 if cause.part is None else -cause.part.fraction)


def main(result: GapResult) -> Cause | None:
    """The imperfection that makes the largest part; None where none makes the gap larger, or nobody asked."""
    found = next(iter(singles(result.causes)), None)
    return found if found is not None and found.part is not None and found.part.fraction > 0 else None


def remedy(cause: Cause) -> str:
    """What is left without it, and what to do."""
    left = "" if cause.without is None else f"without it the gap is {gap(cause.without.gap.relative_rmse)}; "
    return f"{left}{advice(cause.name)}"


def value(cause: Cause) -> str:
    """As engineers read it: 500 µV."""
    if isinstance(cause.value, float):
        return quantity(cause.value, cause.name)
    return NOTHING if cause.value is None else plain(cause.value)


def gap(relative: float | None) -> str:
    """A relative RMSE; what is rounding is 0."""
    return "0" if relative is not None and relative < ROUNDING else number(relative)


def table(causes: Sequence[Cause]) -> Table:
    """Every imperfection by itself, the circuit without any, and numerical error."""
    rows = [*singles(causes), *(cause for cause in causes if cause.name in (NONE, NUMERICAL))]
    has_failed = any(trial is not None and trial.failed for cause in rows for trial in (cause.alone, cause.without))
    header = ("cause", "value", "share of\nthe squared\ngap, %", "gap\nby itself", "gap\nwithout it")
    failed = ("failed\nsamples,\nby itself\n/ without",) if has_failed else ()
    return Table((*header, *failed), [[*_row(cause), *([_failed(cause)] if has_failed else [])] for cause in rows])


def sections(causes: Sequence[Cause]) -> Table | None:
    """What all imperfections of a section do together; None where each stands for itself."""
    if not any(cause.is_section for cause in causes):
        return None
    rows = [cause for cause in causes if cause.share is not None and cause.name not in (NONE, NUMERICAL)]
    header = ("section", "share of\nthe squared\ngap, %", "gap\nby itself", "gap\nwithout it")
    return Table(header, [[name, *figures] for name, _, *figures in map(_row, rows)])


def _row(cause: Cause) -> list[str]:
    without = NOTHING if cause.without is None else gap(cause.without.gap.relative_rmse)
    alone = cause.alone.gap.relative_rmse
    by_itself = number(alone) if cause.name == NUMERICAL else gap(alone)
    return [plain(cause.name), value(cause), _part(cause), by_itself, without]


def _part(cause: Cause) -> str:
    """In percent; what is rounding is 0."""
    part = cause.part
    return "0" if part is not None and abs(part.fraction) < ROUNDING else percent(part)


def _failed(cause: Cause) -> str:
    failed = counted(cause.alone.failed)
    return failed if cause.without is None else f"{failed} / {counted(cause.without.failed)}"
