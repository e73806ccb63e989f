"""A session of a simulator that keeps nothing from one call to the next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from kanspice.base.arrays import Array
from kanspice.circuit import Design
from kanspice.engine.fidelity import Fidelity
from kanspice.engine.options import RunOptions
from kanspice.engine.solution import Solution


class SolveAnew(Protocol):
    """A simulator's `solve`, with nothing but what it cannot do without."""

    def __call__(
        self,
        design: Design,
        inputs: Array,
        fidelity: Fidelity,
        options: RunOptions,
        *,
        numbers: Sequence[int] | None,
    ) -> Solution: ...


@dataclass(frozen=True)
class Anew:
    """Every call begins with loading."""

    solve_anew: SolveAnew
    design: Design
    fidelity: Fidelity
    options: RunOptions
    sample_timeout_s: float

    def solve(self, inputs: Array, numbers: Sequence[int] | None = None) -> Solution:
        """As `Session.solve`."""
        limited = replace(self.options, timeout_s=self.sample_timeout_s * len(inputs))
        return self.solve_anew(self.design, inputs, self.fidelity, limited, numbers=numbers)
