"""How well a standard deviation is known of some draws, of a few as of many.

To first order (the delta method) it has the standard error s / sqrt(2 (n - 1)). Of few draws that says too little: s is
as uncertain itself, and more often too small than too large. Of normal figures (n - 1) s^2 / sigma^2 has a chi-squared
distribution with n - 1 degrees of freedom. Of others it is near to one with as many as give s^2 its variance,
sigma^4 (k / n + 2 / (n - 1)), k being the excess kurtosis. (Satterthwaite, An approximate distribution of estimates of
variance components, 1946; Box, Non-normality and tests on variances, 1953.)
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy import stats
from scipy.special import gammaln

_OUTSIDE = 0.05
"""Of each end of an interval."""


@dataclass(frozen=True)
class KnownStd:
    """error: standard error of a standard deviation. low, high: its 90 % interval. NaN of fewer than two draws."""

    error: float
    low: float
    high: float

    @classmethod
    def of(cls, std: float, draws: int, kurtosis: float) -> KnownStd:
        """std: of so many draws. kurtosis: excess over a normal distribution's, as the distribution of draws has it."""
        if draws < 2:
            return cls(math.nan, math.nan, math.nan)
        freedom = 2 / (kurtosis / draws + 2 / (draws - 1))
        low, high = (
            std * float(np.sqrt(freedom / stats.chi2.ppf(level, freedom))) for level in (1 - _OUTSIDE, _OUTSIDE)
        )
        mean = float(np.exp(0.5 * np.log(2 / freedom) + gammaln((freedom + 1) / 2) - gammaln(freedom / 2)))
        return cls(std * math.sqrt(max(1 - mean**2, 0.0)) / mean, low, high)
