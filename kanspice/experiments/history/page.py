"""Results over time, as a page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from kanspice.experiments.compare import wording as compared
from kanspice.experiments.compare.page import checks_of
from kanspice.experiments.history import plots, wording
from kanspice.experiments.history.history import GAP, History
from kanspice.report.blocks import Line, Page, Picture, Pictures, Section, Table
from kanspice.report.checks import Check
from kanspice.report.formatting import plain

_WITH = ("changed since", "measured (UTC)", "network", "samples")
"""What is said of every report after its metrics."""
_ENOUGH = 20
"""Changes, on a terminal or in Markdown."""


def history_page(found: History) -> Page:
    """Where the metrics stand and where they were, what was not the same, then every report."""
    subject = plain(found.last.result.model.path)
    first, *others = (_picture(found, metric) for metric in found.metrics)
    return Page(
        title=f"Sim-to-real gap of {subject}, over time",
        subject=subject,
        command="kanspice report",
        answer=wording.headline(found),
        outcome=None,
        exit_code=found.exit_code,
        lead=[
            wording.highlights(found),
            *(Line(remark) for remark in wording.remarks(found)),
            Pictures([first]),
        ],
        sections=[
            Section("Every report, newest first", (_reports(found),)),
            *([Section("Other metrics", (Pictures(others),))] if others else []),
            *(Section(title, (table,), aside=True) for title, table in _changes(found)),
        ],
        checks=[Check("reports read", None)] if found.judged is None else checks_of(found.judged),
    )


def _picture(found: History, metric: str) -> Picture:
    return Picture.of(f"{wording.title(metric)} of every report", plots.course, found, metric)


def _reports(found: History) -> Table:
    """The newest first, so that those are the last that a short table leaves out."""
    header = ("report", "verdict", *_titles(found), *_WITH)
    places = range(len(found.entries))[::-1]
    last = len(header) - 1
    return Table(
        header,
        [_row(found, place) for place in places],
        texts=frozenset({1, *range(last - len(_WITH) + 1, last)}),
        bad=frozenset(row for row, place in enumerate(places) if found.entries[place].result.exit_code),
        spare=frozenset({last - 3, last - 1, last}),  # another table, and the names of files, say them
    )


def _titles(found: History) -> Iterator[str]:
    for metric in found.metrics:
        yield wording.title(metric)
        if metric == GAP:
            yield "gap, change"


def _row(found: History, place: int) -> Sequence[str]:
    entry, step = found.entries[place], found.step_to(place)
    figures = []
    for metric in found.metrics:
        figures += [wording.figure(metric, entry.value(metric)), *([wording.growth(step)] if metric == GAP else [])]
    network, samples = (wording.short(facts.sha256) for facts in (entry.result.model, entry.result.inputs))
    made = (wording.measured(found, entry), network, f"{entry.result.samples:,} ({samples})")
    return plain(entry.name), wording.verdict(entry), *figures, wording.changed(step), *made


def _changes(found: History) -> Iterator[tuple[str, Table]]:
    """Everything that is not the same as in the report before, report by report, if anything is."""
    rows = [
        (plain(entry.name), *compared.values(change))
        for place, entry in reversed(list(enumerate(found.entries)))
        for change in wording.changes(found.step_to(place))
    ]
    if rows:
        header = ("report", "what", "before", "after")
        yield "What changed, report by report", Table(header, rows, texts=frozenset({1, 2, 3}), enough=_ENOUGH)
