"""Ages as they are written, spread over time, and shown."""

from __future__ import annotations

import numpy as np
import pytest

from kanspice.base.errors import InputError
from kanspice.experiments.lifetime.ages import YEAR_S, ages_between, seconds_of, shown_age


@pytest.mark.parametrize(
    ("age", "seconds"),
    [
        ("1s", 1.0),
        ("1", 1.0),
        (" 1.5 h ", 5400.0),
        ("30min", 1800.0),
        ("250ms", 0.25),
        ("1e3us", 1e-3),
        ("2d", 172_800.0),
        ("10y", 10 * 365.25 * 86_400),
        (90, 90.0),
        (0.5, 0.5),
    ],
)
def test_an_age_is_a_number_with_its_unit(age, seconds):
    assert seconds_of(age, "--to") == pytest.approx(seconds, rel=1e-15)


@pytest.mark.parametrize(
    "age",
    ["", "y", "-1s", "0", "0s", "1 fortnight", "1..2s", "nan", "inf", "1e30y", "١s", "1s1", True, None, -3.0, [1]],
)
def test_what_is_no_age_is_refused(age):
    with pytest.raises(InputError, match="this is no age") as refused:
        seconds_of(age, "--from")
    assert "--from" in str(refused.value)
    assert "10y" in str(refused.value)


def test_ages_are_evenly_spread_over_the_logarithm_of_time():
    ages = ages_between(1.0, 10 * YEAR_S, 10)
    assert len(ages) == 10
    assert (ages[0], ages[-1]) == (1.0, 10 * YEAR_S)
    steps = np.diff(np.log(ages))
    np.testing.assert_allclose(steps, steps.mean(), rtol=1e-3)
    assert ages_between(1.0, 2.0, 2) == (1.0, 2.0)


def test_one_more_age_takes_the_place_of_one_that_is_near():
    without = ages_between(1.0, 10 * YEAR_S, 10)
    ages = ages_between(1.0, 10 * YEAR_S, 10, YEAR_S)
    assert YEAR_S in ages
    assert len(ages) == 10
    assert set(ages) - {YEAR_S} < set(without)
    between = ages_between(1.0, 10 * YEAR_S, 10, float(np.sqrt(without[3] * without[4])))
    assert len(between) == 11
    assert ages_between(1.0, 100.0, 3, 100.0) == ages_between(1.0, 100.0, 3)


def test_lives_that_end_before_they_begin_are_refused():
    with pytest.raises(InputError, match="a life ends before it begins"):
        ages_between(10.0, 1.0, 3)
    with pytest.raises(InputError, match="a life ends before it begins"):
        ages_between(10.0, 10.0, 3)
    with pytest.raises(InputError, match="nobody looks at chips of that age"):
        ages_between(1.0, 10.0, 3, 11.0)


def test_readers_get_the_largest_unit_that_there_is_a_whole_one_of():
    seconds = (1e-6, 2.5e-4, 0.25, 1.0, 59.0, 60.0, 5989.0, 86_400.0, YEAR_S, 10 * YEAR_S, 1e-9)
    said = ["1 us", "250 us", "250 ms", "1 s", "59 s", "1 min", "1.66 h", "1 d", "1 y", "10 y", "0.001 us"]
    assert [shown_age(each) for each in seconds] == said
    assert all(seconds_of(shown_age(each), "") == pytest.approx(each, rel=5e-3) for each in seconds)
