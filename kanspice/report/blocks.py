"""A report of any kind as blocks of plain text: what it says and shows, not how that is written down.

An experiment makes one `Page` of its result; writers make HTML (`page_html`), Markdown (`page_markdown`), JUnit XML
(`junit`) of every page, and print it (`terminal`). A block is plain text that `formatting.plain` has made safe to show;
markup is the writers', and so is what they leave out: HTML has everything, Markdown folds what is aside, a terminal has
what is not `long`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, ParamSpec

from kanspice.engine.solution import FailedSample
from kanspice.gap.resolution import Limit
from kanspice.report.charts import Chart
from kanspice.report.checks import Check
from kanspice.report.figures import encoded
from kanspice.report.formatting import pair, plain
from kanspice.report.templates import inside
from kanspice.report.verdict import Verdict

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Plotted = ParamSpec("Plotted")


@dataclass(frozen=True)
class Line:
    """A paragraph. small: what qualifies the text before it."""

    said: Verdict
    small: bool = False


Fact = tuple[str, Verdict | str | None]
"""A label and what is said of it; None where there is nothing to say."""


@dataclass(frozen=True)
class Facts:
    """What was found or used, by label. Rows without a sentence are left out."""

    rows: Sequence[Fact]

    @property
    def known(self) -> list[tuple[str, Verdict]]:
        """Rows that have a sentence."""
        known = ((label, said) for label, said in self.rows if said is not None)
        return [(label, said if isinstance(said, Verdict) else Verdict(said)) for label, said in known]


@dataclass(frozen=True)
class Highlight:
    """What is seen before anything is read: a label, a figure or a few words, and a sentence that explains them.

    again: whether a section says it, too; then only a page shows it here.
    """

    label: str
    figure: str
    said: Verdict
    again: bool = False


@dataclass(frozen=True)
class Highlights:
    """Side by side, the most important first."""

    shown: Sequence[Highlight]

    @property
    def only_here(self) -> list[tuple[str, Verdict]]:
        """Label and sentence of those that no section has."""
        return [
            (each.label, Verdict(f"{each.figure}: {each.said.text}", each.said.warning))
            for each in self.shown
            if not each.again
        ]


@dataclass(frozen=True)
class Table:
    """Figures in columns, of which the first names a row. Lines of a header may be broken.

    texts: which columns are text. bad: which rows must not be overlooked. more: how many rows are left out. under: what
    is said of each row, below its name. fold: what Markdown folds it under. enough: of so many rows whoever reads on
    the way has enough. spare: columns that a narrow terminal leaves out.
    """

    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    texts: frozenset[int] = frozenset()
    bad: frozenset[int] = frozenset()
    more: int = 0
    under: Sequence[str] = ()
    fold: str = ""
    enough: int | None = None
    spare: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Limits:
    """What is allowed at most, or at least, and whether that is kept."""

    limits: Sequence[Limit]

    @property
    def rows(self) -> list[tuple[str, str, str, str]]:
        """Metric, measured, "at most" or "at least" what, what that amounts to."""
        return [_judged(limit) for limit in self.limits]


def _judged(limit: Limit) -> tuple[str, str, str, str]:
    value, bound = pair(limit.value, limit.bound)
    return plain(limit.metric), value, f"at {'least' if limit.is_minimum else 'most'} {bound}", _kept(limit)


def _kept(limit: Limit) -> str:
    if limit.passed:
        return "kept"
    if math.isnan(limit.value):
        return "NOT MEASURED"
    return "NOT REACHED" if limit.is_minimum else "EXCEEDED"


@dataclass(frozen=True)
class Failures:
    """Samples without a result; writers show the first of them."""

    failed: Sequence[FailedSample]

    def first(self, most: int) -> list[tuple[str, str, str]]:
        """Sample, outcome, advice of so many."""
        return [(str(each.index), each.outcome.value, plain(each.advice)) for each in self.failed[:most]]


@dataclass(frozen=True)
class Picture:
    """alt: what a reader who cannot see it is told. draw: makes its address, a `data:` URL.

    figure: makes what is drawn; None for a picture that is no figure, as one that moves. chart: makes what a page shows
    in its stead where scripts run; None where there is only the picture.
    """

    alt: str
    draw: Callable[[], str]
    figure: Callable[[], Figure] | None = None
    chart: Callable[[], Chart] | None = None

    @classmethod
    def of(cls, alt: str, plot: Callable[Plotted, Figure], *args: Plotted.args, **kwargs: Plotted.kwargs) -> Picture:
        """A PNG that is drawn once it is shown."""
        figure = partial(plot, *args, **kwargs)
        return cls(alt, lambda: inside(encoded(figure())), figure)

    def live(self, chart: Callable[Plotted, Chart], *args: Plotted.args, **kwargs: Plotted.kwargs) -> Picture:
        """The same with a chart, which is made once a page shows it."""
        return replace(self, chart=partial(chart, *args, **kwargs))


@dataclass(frozen=True)
class Pictures:
    """Side by side; none is nothing. Writers whose readers' programs show no pictures leave them out."""

    shown: Sequence[Picture]


@dataclass(frozen=True)
class ChainBox:
    """A part of a chain. symbol: which drawing stands for it, if one is known. lines: what it is.

    figures: what it is judged by, and level: how much of the chain's largest the last of them is, 0 to 1; None where
    nothing is known.
    """

    name: str
    symbol: str
    lines: Sequence[str]
    figures: Sequence[tuple[str, str]] = ()
    level: float | None = None


@dataclass(frozen=True)
class BoxChain:
    """Boxes that a signal goes through one after the other. Only a page draws them."""

    boxes: Sequence[ChainBox]


@dataclass(frozen=True)
class Notes:
    """A list of sentences. fold: what Markdown folds it under."""

    lines: Sequence[str]
    fold: str = ""


@dataclass(frozen=True)
class Literal:
    """Text to copy, such as a command. summary: where it opens with a click."""

    text: str
    summary: str = ""


@dataclass(frozen=True)
class Detail:
    """What only a page has room for: neither a terminal nor Markdown shows it."""

    blocks: Sequence[Block]


Block = Line | Facts | Highlights | Table | Limits | Failures | Pictures | BoxChain | Notes | Literal | Detail


@dataclass(frozen=True)
class Section:
    """Blocks under a heading. aside: whether a summary folds it away. long: whether a terminal leaves it out."""

    title: str
    blocks: Sequence[Block]
    aside: bool = False
    long: bool = False


@dataclass(frozen=True)
class Page:
    """title: its heading. subject: what it is about, a model's name. answer: what was asked for, in one sentence.

    command: that measures such a thing. outcome: whether the answer is allowed, where something is. exit_code: of the
    command. lead: blocks before any heading. checks: what has to hold; together they hold where the exit code is 0.
    setup: what was measured with what, in a few facts, with which a terminal begins; a section has them, too.
    """

    title: str
    subject: str
    command: str
    answer: Verdict
    outcome: Verdict | None
    exit_code: int
    lead: Sequence[Block]
    sections: Sequence[Section]
    checks: Sequence[Check]
    setup: Facts = field(default_factory=lambda: Facts(()))

    def pictures(self) -> Iterator[Picture]:
        """All of them, in order."""
        yield from _pictures([*self.lead, *(block for section in self.sections for block in section.blocks)])


def _pictures(blocks: Sequence[Block]) -> Iterator[Picture]:
    for block in blocks:
        if isinstance(block, Pictures):
            yield from block.shown
        elif isinstance(block, Detail):
            yield from _pictures(block.blocks)
