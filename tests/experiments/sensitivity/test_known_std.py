"""What few draws know of a standard deviation, against as many repetitions as one likes."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats
from scipy.special import gammaln

from kanspice.experiments.sensitivity.known_std import KnownStd
from kanspice.experiments.sensitivity.prediction import _gap, _Moments

REPETITIONS = 10_000
DRAWS = pytest.mark.parametrize("draws", [2, 3, 5, 10, 40])
SHAPES = pytest.mark.parametrize("shape", [0.5, 3.0, 100.0], ids=["one part", "some parts", "normal"])


def repeated(shape, draws):
    """(repetitions, draws) gaps, roots of mean squares that are gamma distributed; their true standard deviation."""
    gaps = np.sqrt(np.random.default_rng(draws).gamma(shape, size=(REPETITIONS, draws)))
    return gaps, math.sqrt(shape - math.exp(gammaln(shape + 0.5) - gammaln(shape)) ** 2)


def kurtosis_of(shape):
    gaps = np.sqrt(stats.gamma(shape).ppf((np.arange(2000) + 0.5) / 2000))
    return float(stats.kurtosis(gaps))


def test_all_of_it_is_in_proportion_to_the_standard_deviation():
    found, double = (KnownStd.of(std, 5, 0.3) for std in (1.0, 2.0))
    assert (double.error, double.low, double.high) == (2 * found.error, 2 * found.low, 2 * found.high)


@DRAWS
@SHAPES
def test_nine_of_ten_intervals_hold_the_standard_deviation(draws, shape):
    """Nearly as many are above it as below it. Of 10,000 repetitions the shares are known to 0.3 %."""
    gaps, true = repeated(shape, draws)
    unit, stds = KnownStd.of(1.0, draws, kurtosis_of(shape)), gaps.std(axis=1, ddof=1)
    above, below = np.mean(unit.low * stds > true), np.mean(unit.high * stds < true)
    assert 0.88 < 1 - above - below < 0.935
    assert 0.03 < above < 0.067
    assert 0.025 < below < 0.067


def test_to_first_order_few_draws_would_seem_to_know_more():
    gaps, true = repeated(3.0, 4)
    stds = gaps.std(axis=1, ddof=1)
    assert np.mean(np.abs(stds - true) < stats.norm.ppf(0.95) * stds / math.sqrt(6)) < 0.8


@DRAWS
@SHAPES
def test_the_standard_error_is_what_repetitions_have(draws, shape):
    """On average."""
    stds = repeated(shape, draws)[0].std(axis=1, ddof=1)
    assert KnownStd.of(float(stds.mean()), draws, kurtosis_of(shape)).error == pytest.approx(stds.std(), rel=0.06)


def test_many_draws_know_as_much_as_to_first_order():
    found = KnownStd.of(2.0, 2001, 0.0)
    assert found.error == pytest.approx(2 / math.sqrt(4000), rel=1e-3)
    assert (found.high - found.low) / 2 == pytest.approx(stats.norm.ppf(0.95) * found.error, rel=2e-3)


def test_one_draw_knows_nothing():
    found = KnownStd.of(0.0, 1, 0.0)
    assert np.isnan([found.error, found.low, found.high]).all()


def test_a_prediction_knows_its_kurtosis():
    """One number alone behind all outputs: the gap is the size of a standard normal number, |z|."""
    moments = _Moments(trace=1.0, trace_of_square=1.0, by_bias=0.0, squares={})
    spread, kurtosis = _gap(moments, np.zeros(1), 1.0)
    assert spread.mean == pytest.approx(math.sqrt(2 / math.pi), rel=1e-3)
    assert kurtosis == pytest.approx(stats.halfnorm.stats(moments="k"), abs=0.06)
