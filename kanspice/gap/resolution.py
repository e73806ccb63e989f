"""Whether a gap can be told from what computing adds to it: errors of circuit and network, and how outputs vary."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from kanspice.base.arrays import Array
from kanspice.gap.metrics import Gap, spread

RESOLVED = 1e-2
"""Of the outputs' standard deviation: a numerical error below it is small whatever the gap is."""
OF_THE_GAP = 0.5
"""A numerical error above this fraction of the gap is of the gap's size."""
HARDLY = 1e-9
"""Of the largest output: a standard deviation below it is no more than what rounding may do to outputs."""


@dataclass(frozen=True)
class Variation:
    """How the network's outputs vary over the samples, in model units.

    standard_deviation: what relative figures are divided by. largest: magnitude of the largest output.
    """

    standard_deviation: float
    largest: float

    @classmethod
    def of(cls, outputs: Array, standard_deviation: float | None = None) -> Variation:
        """Of outputs (samples, outputs); rows that are not finite have no say."""
        scale = spread(outputs) if standard_deviation is None else standard_deviation
        finite = np.abs(outputs[np.isfinite(outputs)])
        return cls(scale, float(finite.max(initial=0.0)))

    @property
    def hardly(self) -> bool:
        """True where outputs vary, but by less than 64-bit numbers can tell."""
        return 0 < self.standard_deviation < HARDLY * self.largest

    def reasons(self) -> Iterator[str]:
        """Why nothing can be told relatively to it; nothing where it can."""
        if not math.isfinite(self.standard_deviation):
            yield "how much the network's outputs vary is more than a 64-bit number can hold"
        if self.hardly:
            yield (
                f"the network's outputs hardly vary over the samples: by {self.standard_deviation:.2g} (standard"
                f" deviation) of {self.largest:.2g}, which rounding may do as well"
            )


@dataclass(frozen=True)
class NumericalGap:
    """A numerical error at the outputs, in model units: `samples` of them were solved again, tighter if possible."""

    samples: int
    rmse: float
    max_abs: float
    relative_rmse: float | None


@dataclass(frozen=True)
class Limit:
    """One `--max METRIC=VALUE`, or `--min METRIC=VALUE`, and what was measured: one of the two is None."""

    metric: str
    value: float
    max: float | None = None
    min: float | None = None

    @property
    def bound(self) -> float:
        """What the value is allowed to be, at most or at least; NaN, which nothing keeps, where neither is said."""
        return next((bound for bound in (self.max, self.min) if bound is not None), math.nan)

    @property
    def is_minimum(self) -> bool:
        """Whether the value has to be so large at least."""
        return self.min is not None

    @property
    def passed(self) -> bool:
        """False also when the value is not a number."""
        return self.value >= self.bound if self.is_minimum else self.value <= self.bound


@dataclass(frozen=True)
class Doubt:
    """What is known of a result's numerical errors. reference: of the network's own integration, where it has one.

    loss: mean squared errors of network and circuit from true answers, where those are known.
    """

    gap: Gap
    numerical: NumericalGap | None
    reference: NumericalGap | None
    variation: Variation | None
    loss: Mapping[str, float] | None = None

    @property
    def rmse(self) -> float:
        """Both errors together, in model units."""
        return sum(error.rmse for error in self._errors)

    @property
    def max_abs(self) -> float:
        """The largest of either, together, in model units."""
        return sum(error.max_abs for error in self._errors)

    @property
    def relative_rmse(self) -> float | None:
        """Both together, in the outputs' standard deviation; None where they have no such figure."""
        found = [error.relative_rmse for error in self._errors if error.relative_rmse is not None]
        return sum(found) if found else None

    @property
    def _errors(self) -> list[NumericalGap]:
        return [error for error in (self.numerical, self.reference) if error is not None]

    def reasons(self) -> Iterator[str]:
        """Why the result says nothing about the circuit; nothing where it does."""
        if self.variation is not None:
            yield from self.variation.reasons()
        yield from self._large_error()

    def _large_error(self) -> Iterator[str]:
        """An error of the gap's size that is not small beside the outputs."""
        parts, unit = self._in_parts()
        whole = sum(parts.values())
        if unit is None or whole <= RESOLVED or self._is_far_below_the_gap:
            return
        most = max(parts, key=lambda name: parts[name])
        yield f"the {most}'s numerical error is {parts[most]:.2g} of {unit}, as large as the gap"

    @property
    def _is_far_below_the_gap(self) -> bool:
        """In model units, and relatively where there are such figures: a report that was read may contradict itself."""
        error, gap = self.relative_rmse, self.gap.relative_rmse
        relatively = error is None or gap is None or error <= OF_THE_GAP * gap
        return relatively and self.rmse <= OF_THE_GAP * self.gap.rmse

    def _in_parts(self) -> tuple[dict[str, float], str | None]:
        """Whose error is how large, and of what: of the standard deviation, of the largest output without one."""
        named = {"circuit": self.numerical, "reference": self.reference}
        errors = {name: error for name, error in named.items() if error is not None}
        relative = {name: error.relative_rmse for name, error in errors.items() if error.relative_rmse is not None}
        if relative:
            return relative, "the outputs' standard deviation"
        largest = self.variation.largest if self.variation is not None else 0.0
        if not largest:
            return {}, None
        return {name: error.rmse / largest for name, error in errors.items()}, "the largest output"
