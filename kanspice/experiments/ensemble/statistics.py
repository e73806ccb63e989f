"""What many draws come to: distributions, and yields with what is known about them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

QUANTILES = (0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0)
_Z = 1.959963984540054
"""Standard normal: 95 % lie within so many standard deviations."""


@dataclass(frozen=True)
class Summary:
    """Of one metric over draws. std: of single draws (n - 1); None for one draw. quantiles: at QUANTILES."""

    draws: int
    mean: float
    std: float | None
    quantiles: tuple[float, ...]

    @property
    def median(self) -> float:
        """Half of the draws are at most this."""
        return self.quantiles[QUANTILES.index(0.5)]

    @property
    def quantiles_by_level(self) -> dict[str, float]:
        """The same by the fraction of draws that are at most so large."""
        return {f"{at:g}": value for at, value in zip(QUANTILES, self.quantiles, strict=True)}

    @classmethod
    def of(cls, values: Sequence[float | None]) -> Summary | None:
        """Of the values that exist; None where none does."""
        known = np.array([value for value in values if value is not None])
        if known.size == 0:
            return None
        std = float((known - known[0]).std(ddof=1)) if known.size > 1 else None
        quantiles = tuple(np.quantile(known, QUANTILES).tolist())
        return cls(known.size, float(known.mean()), std, quantiles)


@dataclass(frozen=True)
class Yield:
    """Good draws of all; low, high: what the fraction of all specimens ever made is, with 95 % confidence.

    None where nothing is drawn at random: then there is one specimen, and it is good or not. doubtful: draws of which
    it is not known whether they are good ones; they count as others, but the interval is for either case.
    """

    good: int
    draws: int
    low: float | None
    high: float | None
    doubtful: int = 0

    @property
    def fraction(self) -> float:
        """Of the draws, that are good."""
        return self.good / self.draws

    @property
    def at_most(self) -> float:
        """Of the draws, that are or may be good."""
        return (self.good + self.doubtful) / self.draws

    def holds(self, fraction: float) -> bool:
        """Whether the draws leave it open on which side of the fraction the yield is."""
        return self.low is not None and self.high is not None and self.low < fraction < self.high

    @classmethod
    def of(cls, good: int, draws: int, doubtful: int = 0, *, random: bool) -> Yield:
        """The interval is Wilson's: it holds what it promises also near 0 and 1, and for few draws."""
        if not random:
            return cls(good, draws, None, None, doubtful)
        return cls(good, draws, wilson(good, draws)[0], wilson(good + doubtful, draws)[1], doubtful)


def wilson(good: int, draws: int) -> tuple[float, float]:
    """The 95 % score interval of a fraction (Wilson 1927)."""
    fraction, weight = good / draws, _Z**2 / draws
    middle = (fraction + weight / 2) / (1 + weight)
    half = _Z / (1 + weight) * np.sqrt(fraction * (1 - fraction) / draws + weight / (4 * draws))
    low = 0.0 if good == 0 else float(middle - half)
    return low, 1.0 if good == draws else float(middle + half)
