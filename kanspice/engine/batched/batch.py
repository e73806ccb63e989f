"""What is found for a block of samples, by whichever method suits the design."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from kanspice.base.arrays import Array
from kanspice.engine.acceptance import Volts
from kanspice.engine.solution import FailedSample


@dataclass
class Batch(Volts):
    """Voltages, and failures by place in the block.

    residual_a: the largest current that an operating point leaves unbalanced. unproven: (crossbar, what was tested) ->
    places where nothing speaks against the state found, but it may not be the only one.
    """

    residual_a: float = 0.0
    failures: dict[int, FailedSample] = field(default_factory=dict)
    unproven: dict[tuple[str, str], list[int]] = field(default_factory=dict)


class BatchSolver(Protocol):
    """A way to solve a design."""

    @property
    def block(self) -> int:
        """How many samples are best solved at a time."""

    def bytes(self, samples: int) -> int:
        """What solving so many samples at a time takes, at most."""

    @property
    def facts(self) -> Mapping[str, object]:
        """What a reader should know about it."""

    def solve(
        self, inputs_v: Array, late_s: Array, /, *, tighter: bool = False, deadline: float | None = None
    ) -> Batch:
        """Voltages for inputs (samples, inputs) in volts, whose outputs are taken so much later than usual, (samples,).

        tighter: again, with a smaller numerical error, to measure that of the usual way. deadline: of time.monotonic.
        """


def blocks(samples: Sequence[int], size: int) -> list[list[int]]:
    """The samples, at most `size` at a time, in order."""
    return [list(samples[first : first + size]) for first in range(0, len(samples), size)]
