"""The sorts of circuits: by what they are made of, and so by what their answer is and who can solve them."""

from __future__ import annotations

from enum import Enum, auto


class Sort(Enum):
    """Whoever does one thing with one sort and another with another asks for it, in a `match`."""

    CROSSBARS = auto()
    """A chain of crossbars, or of tiles of them, which settles to an operating point."""
    SYNAPSES = auto()
    """Every connection is a circuit that settles to an operating point."""
    FILTERS = auto()
    """Every connection is a filter, which settles to a sinusoid."""
    PERIODS = auto()
    """Branches charge capacitors: the answer is their voltages after a time."""
