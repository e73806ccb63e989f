"""`kanspice.compare`: two results of `verify` held against each other."""

from __future__ import annotations

from pathlib import Path

from kanspice.base.errors import InputError
from kanspice.experiments.compare import Comparison
from kanspice.experiments.numbers import plain_numbers
from kanspice.experiments.verify.reading import read_report
from kanspice.experiments.verify.result import GapResult
from kanspice.gap.limits import parse_growth


@plain_numbers
def compare(
    before: str | Path | GapResult, after: str | Path | GapResult, *, max_growth: str | float | None = None
) -> Comparison:
    """Two results of `verify`, or the JSON of two, held against each other.

    max_growth: by how much the gap may have grown, "10%" or 0.1. Raises InputError for a file that is no report.
    """
    allowed = None if max_growth is None else parse_growth(str(max_growth))
    return Comparison(report_of(before), report_of(after), allowed)


def report_of(given: str | Path | GapResult) -> GapResult:
    """A result, or that of a file. Raises InputError for what is neither."""
    if not isinstance(given, str | Path | GapResult):
        expected = "what verify returned, or the path of its JSON"
        raise InputError("this is no result of verify", expected=expected, found=f"a {type(given).__name__}")
    return given if isinstance(given, GapResult) else read_report(given)
