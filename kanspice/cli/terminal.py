"""What the command line prints: no text from a stranger can do anything to a terminal but be read."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

from kanspice.base.visible import visible


class Terminal(Console):
    """A console whose texts hold no control characters; its own, for colours and bars, are no text."""

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """Renders as `Console` does."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else Segment(visible(segment.text), segment.style)
