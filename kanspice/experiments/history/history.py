"""Results of one question over time: their metrics in order, and what changed from each of them to the next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from itertools import pairwise

from kanspice.base.errors import InputError
from kanspice.base.validation import nearest
from kanspice.experiments.compare.comparison import Comparison
from kanspice.experiments.verify.result import GapResult
from kanspice.gap.resolution import Limit
from kanspice.report.blocks import Page
from kanspice.report.formatting import plain
from kanspice.report.frames import Columns
from kanspice.report.shown import Shown

GAP = "relative_rmse"
"""What neighbours are told apart by, beyond numerical error."""
_USUAL = (GAP, "accuracy", "loss")
"""Metrics that are shown where none is asked for."""


@dataclass(frozen=True)
class HistoryEntry:
    """One result, and what readers know it by: the name of its file."""

    name: str
    result: GapResult

    def value(self, metric: str) -> float | None:
        """What the metric was; None where there is no figure."""
        return self.result.values.get(metric)

    def of_network(self, metric: str) -> float | None:
        """What the metric was of the network itself, where it is one that networks have."""
        compared = {"accuracy": self.result.accuracy, "loss": self.result.loss}.get(metric)
        return None if compared is None else compared.get("reference")

    def bound(self, metric: str) -> float | None:
        """The limit that it was held to, if it was."""
        return next((limit.bound for limit in self.result.limits if limit.metric == metric), None)


@dataclass(frozen=True, repr=False)
class History(Shown):
    """Results in order, at least one, all of one family of networks.

    by_date: whether that is the order in which they were measured; else some do not say when, and it is the one in
    which they were given. metrics: what is shown of them. max_growth: by how much the gap of the last may have grown
    since the one before it, as a fraction, if that is asked.
    """

    entries: tuple[HistoryEntry, ...]
    by_date: bool
    metrics: tuple[str, ...]
    max_growth: float | None = None

    def page(self) -> Page:
        from kanspice.experiments.history.page import history_page  # noqa: PLC0415 - which shows this

        return history_page(self)

    def columns(self) -> Columns:
        """A row for each result, in order: its name, when, with what, and every metric that any of them has."""
        found = [entry.result for entry in self.entries]
        return {
            "report": [entry.name for entry in self.entries],
            "date": [result.date for result in found],
            "network": [result.model.sha256 for result in found],
            "samples": [result.inputs.sha256 for result in found],
            "exit_code": [result.exit_code for result in found],
            **{name: [entry.value(name) for entry in self.entries] for name in known_metrics(self.entries)},
        }

    @property
    def has_equal_dates(self) -> bool:
        """Whether some were measured in the same second: these are in the order in which they were given."""
        dates = [entry.result.date for entry in self.entries if entry.result.date is not None]
        return len(set(dates)) < len(dates)

    @property
    def yet_to_come(self) -> list[HistoryEntry]:
        """Those whose dates are more than a day ahead of this machine's: a clock was wrong, or the date is made up."""
        latest = (datetime.now(UTC) + timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
        return [entry for entry in self.entries if entry.result.date is not None and entry.result.date > latest]

    @cached_property
    def steps(self) -> tuple[Comparison, ...]:
        """Each result against the one before it; one less than there are results."""
        return tuple(Comparison(before.result, after.result) for before, after in pairwise(self.entries))

    def step_to(self, place: int) -> Comparison | None:
        """From the result before it to that at a place; None for the first."""
        return self.steps[place - 1] if place else None

    @property
    def last(self) -> HistoryEntry:
        """The latest result."""
        return self.entries[-1]

    @cached_property
    def stretches(self) -> tuple[range, ...]:
        """The places of results in a row that can be compared: at every end samples change."""
        return self.stretches_of(GAP)

    def stretches_of(self, metric: str) -> tuple[range, ...]:
        """The same of a metric: accuracies and losses have an end also where the true answers change."""
        breaks = [place for place, step in enumerate(self.steps, 1) if not step.compares(metric)]
        return tuple(range(low, high) for low, high in pairwise([0, *breaks, len(self.entries)]))

    @property
    def judged(self) -> Comparison | None:
        """The last result against the one before it, where growth is asked for."""
        if self.max_growth is None:
            return None
        before, after = self.entries[-2:]
        return Comparison(before.result, after.result, self.max_growth)

    @property
    def limit(self) -> Limit | None:
        """What is allowed and what was found."""
        return None if self.judged is None else self.judged.limit

    @property
    def exit_code(self) -> int:
        """0 shown, or grown by no more than allowed; 1 grown by more, 3 that cannot be told."""
        return 0 if self.judged is None else self.judged.exit_code

    @property
    def passed(self) -> bool:
        """Whether the exit code is 0."""
        return self.exit_code == 0


def history_of(
    reports: Sequence[HistoryEntry], metrics: Sequence[str] = (), max_growth: float | None = None
) -> History:
    """Results by their dates, or as they are given where one of them has no date. metrics: by name; the usual if none.

    Raises InputError for results of different families, for metrics that none has, and for one result whose growth
    is asked for.
    """
    if not reports or (max_growth is not None and len(reports) < 2):
        expected = "a report" if not reports else "two reports, where --max-growth is given"
        raise InputError("there is no history", where="kanspice report", expected=expected, found=str(len(reports)))
    families = {entry.result.model.family: entry.name for entry in reports}
    if len(families) > 1:
        found = ", ".join(f"{plain(family)} ({plain(name)})" for family, name in families.items())
        hint = "a history for each of them"
        raise InputError("reports of several families of networks have no history", found=found, hint=hint)
    by_date = all(entry.result.date is not None for entry in reports)
    ordered = sorted(reports, key=lambda entry: entry.result.date or "") if by_date else reports
    known = known_metrics(ordered)
    for metric in metrics:
        if metric not in known:
            problem = f"no report has a metric '{metric}'"
            raise InputError(problem, where="--metric", hint=nearest(metric, known))
    shown = tuple(dict.fromkeys(metrics)) or tuple(metric for metric in _USUAL if metric in known) or ("rmse",)
    return History(tuple(ordered), by_date, shown, max_growth)


def known_metrics(entries: Sequence[HistoryEntry]) -> list[str]:
    """The metrics that any result has a figure of, in the order of the table."""
    every = [entry.result.values for entry in entries]
    names = dict.fromkeys(name for values in every for name in values)
    return [name for name in names if any(values.get(name) is not None for values in every)]
