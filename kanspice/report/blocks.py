"""A report of any kind as blocks of plain text: what it says and shows, not how that is written down.

An experiment makes one `Page` of its result; writers make HTML (`page_html`), Markdown (`page_markdown`) and JUnit XML
(`page_junit`) of every page. A block is plain text that `formatting.plain` has made safe
to show; markup is the writers'.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, ParamSpec

from kanspice.report.checks import Check
from kanspice.report.figures import encoded
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


@dataclass(frozen=True)
class Facts:
    """What was found or used, by label. Rows without a sentence are left out."""

    rows: Sequence[tuple[str, Verdict | str | None]]

    @property
    def known(self) -> list[tuple[str, Verdict]]:
        """Rows that have a sentence."""
        known = ((label, said) for label, said in self.rows if said is not None)
        return [(label, said if isinstance(said, Verdict) else Verdict(said)) for label, said in known]


@dataclass(frozen=True)
class Table:
    """Figures in columns, of which the first names a row. Lines of a header may be broken.

    texts: which columns are text. bad: which rows must not be overlooked. more: how many rows are left out.
    """

    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    texts: frozenset[int] = frozenset()
    bad: frozenset[int] = frozenset()
    more: int = 0


@dataclass(frozen=True)
class Picture:
    """alt: what a reader who cannot see it is told. draw: makes its address, a `data:` URL.

    figure: makes what is drawn; None for a picture that is no figure, as one that moves.
    """

    alt: str
    draw: Callable[[], str]
    figure: Callable[[], Figure] | None = None

    @classmethod
    def of(cls, alt: str, plot: Callable[Plotted, Figure], *args: Plotted.args, **kwargs: Plotted.kwargs) -> Picture:
        """A PNG that is drawn once it is shown."""
        figure = partial(plot, *args, **kwargs)
        return cls(alt, lambda: inside(encoded(figure())), figure)


@dataclass(frozen=True)
class Pictures:
    """Side by side; none is nothing. Writers whose readers' programs show no pictures leave them out."""

    shown: Sequence[Picture]


@dataclass(frozen=True)
class Notes:
    """A list of sentences."""

    lines: Sequence[str]


@dataclass(frozen=True)
class Literal:
    """Text to copy, such as a command. summary: where it opens with a click."""

    text: str
    summary: str = ""


Block = Line | Facts | Table | Pictures | Notes | Literal


@dataclass(frozen=True)
class Section:
    """Blocks under a heading. aside: whether a summary folds it away."""

    title: str
    blocks: Sequence[Block]
    aside: bool = False


@dataclass(frozen=True)
class Page:
    """title: its heading. subject: what it is about, a model's name. answer: what was asked for, in one sentence.

    command: that measures such a thing. outcome: whether the answer is allowed, where something is. exit_code: of the
    command. lead: blocks before any heading. checks: what has to hold; together they hold where the exit code is 0.
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
