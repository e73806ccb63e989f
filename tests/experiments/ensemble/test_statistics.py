"""What draws come to."""

from __future__ import annotations

import pytest
from scipy.stats import binomtest

from kanspice.experiments.ensemble.statistics import Summary, Yield, wilson


@pytest.mark.parametrize(("good", "draws"), [(0, 7), (1, 1), (3, 10), (195, 200), (9999, 10000), (10, 10)])
def test_wilsons_interval_is_scipys(good, draws):
    theirs = binomtest(good, draws).proportion_ci(0.95, method="wilson")
    assert wilson(good, draws) == pytest.approx((theirs.low, theirs.high), abs=1e-12)


def test_a_yield_leaves_open_what_lies_within_its_interval():
    found = Yield.of(18, 20, random=True)
    assert found.fraction == 0.9
    assert found.holds(0.95)
    assert not found.holds(0.5)
    assert not Yield.of(1, 1, random=False).holds(0.95)


def test_a_distribution_is_of_the_figures_that_exist():
    found = Summary.of([3.0, None, 1.0, 2.0])
    assert found is not None
    assert (found.draws, found.mean, found.std, found.median) == (3, 2.0, 1.0, 2.0)
    assert found.quantiles[0] == 1.0
    assert found.quantiles[-1] == 3.0
    assert Summary.of([None]) is None


def test_equal_figures_do_not_vary_by_rounding():
    found = Summary.of([0.98] * 7)
    assert found is not None
    assert found.std == 0
    assert Summary.of([0.98]).std is None
