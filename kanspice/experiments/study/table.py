"""A study as the table that ends `kanspice study` on a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from kanspice.experiments.study import wording
from kanspice.experiments.study.result import StudyResult
from kanspice.report.formatting import many, plain
from kanspice.report.terminal import Row, labelled, listed, said
from kanspice.report.verdict import Verdict

_WIDEST_PLACE = 16
_GOOD, _BAD = "green", "bold red"


def print_study(result: StudyResult, console: Console) -> None:
    """Print every point and what they mean. Plain where the console is no terminal."""
    console.print(labelled(_header(result)))
    console.print(_points(result))
    console.print(labelled(_summary(result)))
    _, command = wording.worst(result)
    # Not folded: it is there to be copied.
    console.print(Text(f"again: {command}"), soft_wrap=True, highlight=False)


def _header(result: StudyResult) -> Iterator[Row]:
    request = result.request
    yield "model", Text(plain(request.model))
    model = result.facts["model"]
    assert isinstance(model, dict)  # noqa: S101 - of our own making
    yield from listed("read", (plain(note) for note in model["notes"]))
    yield "engine", Text(f"{request.engine_and_device}, {many(result.samples, 'sample')} a draw, seed {request.seed}")
    yield from listed("network", (f"{title} {value}" for title, value in wording.network(result)))


def _points(result: StudyResult) -> Table:
    """One line a point, brief where several columns say which it is."""
    brief = len(wording.place(result)) > 1
    table = Table(box=box.SIMPLE, pad_edge=False, padding=(0, 1, 0, 0))
    places = [wording.place_of(result, point) for point in result.points]
    for column, heading in enumerate(wording.place(result)):
        lines = heading.replace(".", ".\n", 1)
        widest = max(len(text) for text in (*lines.split("\n"), *(place[column] for place in places)))
        table.add_column(lines, overflow="fold", min_width=min(widest, _WIDEST_PLACE))
    for heading in wording.columns(result, brief=brief):
        lines = heading.replace(", ", "\n").replace("relative ", "relative\n")
        table.add_column(lines, justify="right", no_wrap=True)
    for place, point in zip(places, result.points, strict=True):
        texts = [*place, *wording.cells(result, point, brief=brief)]
        bad = point.incomplete or point.unresolved or point in result.short
        table.add_row(*map(Text, texts), style=_BAD if bad else None)
    return table


def _summary(result: StudyResult) -> Iterator[Row]:
    yield "answer", said(wording.answer(result))
    if result.request.wanted_yield is not None:
        yield "good", Text(wording.limits(result))
    yield from _optional("", wording.certainty(result))
    yield from _optional("note", wording.fixed(result))
    yield from _optional("generated", wording.generated(result))
    yield from _optional("unresolved", wording.unresolved(result))
    yield "samples", said(wording.failures(result))
    yield "numerical", said(wording.numerical(result))
    label = "other"
    for checked in wording.cross_check(result):
        yield label, said(checked)
        label = ""
    yield "worst", Text(wording.worst(result)[0].text)
    found = wording.outcome(result)
    yield "result", Text(found.text, style=_BAD if found.warning else _GOOD)


def _optional(label: str, found: Verdict | None) -> Iterator[Row]:
    if found is not None:
        yield label, said(found)
