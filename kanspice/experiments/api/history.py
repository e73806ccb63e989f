"""`kanspice.history`: results of `verify` over time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from kanspice.experiments.api.compare import report_of
from kanspice.experiments.history import History, HistoryEntry, history_of
from kanspice.experiments.numbers import plain_numbers
from kanspice.experiments.verify.result import GapResult
from kanspice.gap.limits import parse_growth


@plain_numbers
def history(
    reports: Sequence[str | Path | GapResult], *, metric: Sequence[str] = (), max_growth: str | float | None = None
) -> History:
    """Results of `verify`, or the JSON of some, in the order in which they were measured.

    metric: which are shown, by the names that limits know; the gap, accuracy and loss if none is named. max_growth: by
    how much the last gap may have grown since the one before it, "10%" or 0.1. Raises InputError for a file that is no
    report, for results of several families of networks, and for metrics that none of them has.
    """
    allowed = None if max_growth is None else parse_growth(str(max_growth))
    stems = Counter(Path(report).stem for report in reports if not isinstance(report, GapResult))
    entries = []
    for place, report in enumerate(reports, 1):
        result = report_of(report)
        if isinstance(report, GapResult):
            name = f"result {place}"
        else:
            name = Path(report).stem if stems[Path(report).stem] == 1 else str(report)
        entries.append(HistoryEntry(name, result))
    return history_of(entries, metric, allowed)
