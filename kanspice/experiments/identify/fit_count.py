"""How many of a chip's fits are done, for whoever waits."""

from __future__ import annotations

from dataclasses import dataclass

from kanspice.engine.progress import Advance, Progress, SideRun


@dataclass
class FitCount:
    """Fits of one chip. most: how many there can be. side_run: what they are for, if not for the chip itself."""

    most: int
    progress: Progress | None = None
    side_run: SideRun | None = None
    done: float = 0.0

    def advance(self, fits: float = 1.0) -> None:
        """Tells of a fit, or of a part of one."""
        self.done += fits
        if self.progress is not None:
            self.progress(Advance(fits, side_run=self.side_run))

    def finish(self) -> None:
        """Tells of those that were not needed."""
        self.advance(self.most - self.done)
