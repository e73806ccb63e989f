"""What every result can: show itself in a line, on a terminal, in a notebook, as a data frame, as figures."""

from __future__ import annotations

from abc import ABC, abstractmethod
from html import escape
from typing import TYPE_CHECKING, Any

from kanspice.report.blocks import Page
from kanspice.report.frames import Columns, frame

if TYPE_CHECKING:
    from collections.abc import Iterator

    from matplotlib.figure import Figure
    from rich.console import Console, ConsoleOptions
    from rich.text import Text

_HEIGHT_PX = 640


class Shown(ABC):
    """Base of results. Whoever inherits says what is on the page, in the columns and in the figures."""

    @abstractmethod
    def page(self) -> Page:
        """The result as blocks of plain text, which `report` writes as HTML, Markdown, JUnit or on a terminal."""

    @abstractmethod
    def columns(self) -> Columns:
        """What a data frame of it holds."""

    def figures(self) -> dict[str, Figure]:
        """The page's pictures as matplotlib's figures, by what a reader who cannot see them is told."""
        pictures = self.page().pictures()
        return {picture.alt: picture.figure() for picture in pictures if picture.figure is not None}

    def to_frame(self, library: str | None = None) -> Any:
        """`columns` as a `DataFrame` of pandas or polars; of the first that is installed if None.

        Raises InputError where there is none.
        """
        return frame(self.columns(), library)

    def __repr__(self) -> str:
        page = self.page()
        said = [verdict.text for verdict in (page.answer, page.outcome) if verdict is not None]
        return f"<{type(self).__name__} of {page.subject}: {'; '.join(said)}>"

    def __rich_console__(self, console: Console, _options: ConsoleOptions) -> Iterator[Text]:
        from rich.text import Text  # noqa: PLC0415 - most results are on no terminal

        from kanspice.report.terminal import print_page  # noqa: PLC0415

        with console.capture() as captured:
            print_page(self.page(), console)
        yield Text.from_ansi(captured.get())

    def _repr_html_(self) -> str:
        """The page in a frame of its own, so that its style and the notebook's leave each other alone."""
        from kanspice.report.page_html import page_html  # noqa: PLC0415 - most results are in no notebook

        page = escape(page_html(self.page()), quote=True)
        return f'<iframe srcdoc="{page}" style="width: 100%; height: {_HEIGHT_PX}px; border: 0"></iframe>'
