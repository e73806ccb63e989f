"""What the numbers say, in plain sentences: one wording for the terminal and for the page."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Verdict:
    """A sentence, and whether the reader must not overlook it."""

    text: str
    warning: bool = False
