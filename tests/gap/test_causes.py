"""Which cause makes which part: bookkeeping with made-up circuits whose gaps add up."""

from __future__ import annotations

import pytest
from circuits import technology

from kanspice.gap import Gap, Trial, attribute, trials_needed
from kanspice.gap.causes import NONE

PARTS = {"tia.gain": 1.0, "switches.on_ohm": 4.0, "switches.off_ohm": 2.0}


def trial(tech):
    rmse = sum(PARTS[cause] for cause in tech.causes)
    return Trial(Gap(rmse, rmse, None, None, None), failed=0)


def attributed(*overrides):
    tech, tried = technology(*overrides), []

    def solve(changed):
        tried.append(changed.causes)
        return trial(changed)

    return attribute(tech, trial(tech), solve), tried, trials_needed(tech)


def test_each_cause_alone_and_everything_without_it_the_largest_first():
    causes, tried, needed = attributed("tia.gain=1000", "switches.on_ohm=10.0", "switches.off_ohm=1e9")
    assert [cause.name for cause in causes] == ["switches.on_ohm", "switches.off_ohm", "tia.gain", NONE]
    assert [cause.alone.gap.rmse for cause in causes] == [4.0, 2.0, 1.0, 0.0]
    assert [cause.without.gap.rmse for cause in causes[:-1]] == [3.0, 5.0, 6.0]
    assert [cause.value for cause in causes] == [10.0, 1e9, 1000.0, None]
    assert len(tried) == len(set(tried)) == needed == 7


@pytest.mark.parametrize(("overrides", "expected"), [((), 0), (("tia.gain=50",), 1)])
def test_nothing_is_tried_twice(overrides, expected):
    causes, tried, needed = attributed(*overrides)
    assert len(tried) == needed == expected
    assert causes[-1].name == NONE
    assert causes[-1].without is None
