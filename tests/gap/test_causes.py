"""Which cause makes which part: bookkeeping with made-up circuits whose errors add up."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from circuits import technology

from kanspice.base.draws import Draw
from kanspice.gap import Gap, Trial
from kanspice.gap.causes import (
    NONE,
    NUMERICAL,
    PROJECTION,
    Share,
    attributed,
    attribution,
    numerical_cause,
    planned,
    solve_all,
)

ERRORS = {
    "tia.gain": (1.0, 0.0),
    "switches.on_ohm": (0.0, 3.0),
    "switches.off_ohm": (0.0, -1.0),
}
ALL = ("tia.gain=1000", "switches.on_ohm=10.0", "switches.off_ohm=1e9")


def trial(tech, errors=ERRORS, failing=()):
    """Two samples, whose errors are the sum of what the causes do to each."""
    error = np.sum([errors[cause] for cause in tech.causes], axis=0) if tech.causes else np.zeros(2)
    squared = np.where([sample in failing for sample in range(2)], np.nan, error**2)
    rmse = float("nan") if len(failing) == 2 else float(np.sqrt(np.nanmean(squared)))
    return Trial(Gap(rmse, rmse, rmse / 2, None, None), len(failing), squared)


PROJECTED = np.array([2.0, 1.0])


def projected_trial(tech, errors):
    """The same against the network that this one was made of, whose own error adds."""
    error = np.sum([np.zeros(2), *(errors[cause] for cause in tech.causes)], axis=0)
    trials = []
    for each in (error, error + PROJECTED):
        rmse = float(np.sqrt(np.mean(each**2)))
        trials.append(Trial(Gap(rmse, rmse, rmse / 2, None, None), 0, each**2))
    return replace(trials[0], projected=trials[1])


def solved(*overrides, errors=ERRORS, failing=lambda tech: ()):
    tech, tried = technology(*overrides), []

    def solve(changed):
        tried.append(changed.causes)
        return trial(changed, errors, failing(changed))

    plan = planned(tech, Draw())
    trials = solve_all(plan, tech, solve, trial(tech, errors, failing(tech)))
    return plan, tech, trials, tried


def test_shares_add_up_and_the_largest_comes_first():
    plan, tech, trials, tried = solved(*ALL)
    causes = attributed(plan, tech, trials)
    assert [cause.name for cause in causes] == ["switches.on_ohm", "tia.gain", "switches.off_ohm", NONE]
    assert [cause.value for cause in causes] == [10.0, 1000.0, 1e9, None]
    squares = np.array([3.0 * (3 - 1), 1.0, -1.0 * (3 - 1), 0.0])  # each error times the sum of all
    assert [cause.share.fraction for cause in causes] == pytest.approx(squares / squares.sum())
    assert [cause.alone.gap.rmse for cause in causes] == pytest.approx(np.sqrt([4.5, 0.5, 0.5, 0.0]))
    assert [cause.without.gap.rmse for cause in causes[:-1]] == pytest.approx(np.sqrt([1.0, 2.0, 5.0]))
    assert len(tried) == len(set(tried)) == len(plan.trials) - 1 == 7
    found = attribution(plan, trials, "batched", 2.0)
    assert (found.engine, found.trials, found.orders, found.samples) == ("batched", 8, 0, 2)
    assert found.relative_rmse == pytest.approx(np.sqrt(2.5) / 2)


@pytest.mark.parametrize(("overrides", "expected"), [((), 0), (("tia.gain=50",), 1)])
def test_nothing_is_tried_twice(overrides, expected):
    plan, tech, trials, tried = solved(*overrides)
    assert len(tried) == len(plan.trials) - 1 == expected
    last = attributed(plan, tech, trials)[-1]
    assert (last.name, last.without) == (NONE, None)


def test_a_list_is_told_by_its_length():
    errors = {"filters.low_cutoffs_hz": (1.0, 0.0)}
    plan, tech, trials, _ = solved("filters.low_cutoffs_hz=[1e3, 2e3]", errors=errors)
    assert attributed(plan, tech, trials)[0].value == "2 values"


def test_what_rows_are_made_of_is_solved_first():
    """So that a time limit leaves them."""
    tried = solved(*ALL)[-1]
    assert [len(causes) for causes in tried] == [0, 1, 1, 1, 2, 2, 2]


def test_shares_are_of_samples_that_every_trial_solved():
    plan, tech, trials, _ = solved(*ALL, failing=lambda tech: (1,) if tech.causes == ("tia.gain",) else ())
    causes = attributed(plan, tech, trials)
    assert {cause.name: cause.share.fraction for cause in causes} == pytest.approx(
        {"tia.gain": 1.0, "switches.on_ohm": 0.0, "switches.off_ohm": 0.0, NONE: 0.0}
    )
    found = attribution(plan, trials, "ngspice", 1.0)
    assert (found.samples, found.relative_rmse) == (1, 1.0)


def test_without_a_common_sample_or_an_error_there_are_no_shares():
    for plan, tech, trials, _ in (
        solved(*ALL, failing=lambda tech: (0, 1) if len(tech.causes) == 1 else ()),
        solved(*ALL, errors=dict.fromkeys(ERRORS, (0.0, 0.0))),
    ):
        assert {cause.share for cause in attributed(plan, tech, trials)} == {None}
        assert numerical_cause(Gap(0.1, 0.1, None, None, None), plan, trials).share is None


def test_numerical_error_is_within_the_others():
    plan, _, trials, _ = solved(*ALL)
    found = numerical_cause(Gap(0.5, 0.7, 0.25, 0.35, None), plan, trials)
    assert (found.name, found.without, found.alone.gap.rmse) == (NUMERICAL, None, 0.5)
    assert found.share == Share(0.25 / 2.5, 0.0)


MANY = {
    f"{section}.{key}": value
    for section, keys in {
        "tia": {"gain": "1000", "offset_sigma_v": "0.001", "feedback_sigma": "0.01"},
        "devices": {"area_sigma": "0.1", "area_step": "0.1", "stuck_open": "0.1", "curve": "points"},
        "converters": {"dac_bits": "8", "adc_bits": "8", "input_noise_v": "0.01"},
        "switches": {"on_ohm": "1.0", "off_ohm": "1e6", "hold_s": "1e-9"},
    }.items()
    for key, value in keys.items()
}


def test_many_causes_share_by_section():
    errors = {name: (1.0 + place, 0.0) for place, name in enumerate(MANY)}
    plan, tech, trials, _ = solved(*(f"{name}={value}" for name, value in MANY.items()), errors=errors)
    causes = attributed(plan, tech, trials)
    names = [cause.name for cause in causes]
    assert names[:4] == ["switches.*", "switches.hold_s", "switches.off_ohm", "switches.on_ohm"]
    assert [name for name in names if name.endswith("*")] == ["switches.*", "converters.*", "devices.*", "tia.*"]
    assert len(names) == len(MANY) + 4 + 1
    heads = [cause for cause in causes if cause.share is not None]
    assert [cause.share.fraction for cause in heads] == pytest.approx(np.array([36, 27, 22, 6, 0]) / 91)
    assert heads[0].alone.gap.rmse == pytest.approx(36 / np.sqrt(2))
    assert heads[0].without.gap.rmse == pytest.approx(55 / np.sqrt(2))
    assert next(cause.value for cause in causes if cause.name == "devices.curve") == "points"
    own = {cause.name: cause.own for cause in causes if cause.own is not None}
    assert own == pytest.approx({name: (1 + place) / 91 for place, name in enumerate(MANY)})
    assert all(cause.part.fraction == cause.own for cause in causes if cause.name in own)
    assert {cause.own for cause in heads} == {None}
    assert names[5:8] == ["converters.input_noise_v", "converters.adc_bits", "converters.dac_bits"]


def test_several_causes_are_sampled_with_their_errors():
    names = list(MANY)[:9]
    errors = {name: (1.0 + place, 0.5) for place, name in enumerate(names)}
    plan, tech, trials, _ = solved(*(f"{name}={MANY[name]}" for name in names), errors=errors)
    causes = attributed(plan, tech, trials)
    assert attribution(plan, trials, "batched", 0.0).orders == 16
    assert attribution(plan, trials, "batched", 0.0).relative_rmse is None
    assert sum(cause.share.fraction for cause in causes) == pytest.approx(1.0)
    assert all(cause.share.standard_error < 1e-12 for cause in causes)  # errors that add up: pairs are exact


@pytest.mark.parametrize("count", [3, 9])
def test_projection_shares_the_error_from_the_other_network(count):
    """Errors that add up: each has its product with all of them together, whether orders are drawn or not."""
    names = list(MANY)[:count]
    errors = {name: (1.0 + place, 0.5) for place, name in enumerate(names)}
    tech, tried = technology(*(f"{name}={MANY[name]}" for name in names)), []

    def solve(changed):
        tried.append(changed.causes)
        return projected_trial(changed, errors)

    plan = planned(tech, Draw())
    trials = solve_all(plan, tech, solve)
    causes = {cause.name: cause for cause in attributed(plan, tech, trials)}
    every = {**{name: np.array(error) for name, error in errors.items()}, PROJECTION: PROJECTED}
    whole = sum(every.values())
    for name, error in every.items():
        assert causes[name].share.fraction == pytest.approx((error @ whole) / (whole @ whole))
        assert causes[name].share.standard_error < 1e-12
        assert causes[name].alone.gap.rmse == pytest.approx(np.sqrt(np.mean(error**2)))
        assert causes[name].without.gap.rmse == pytest.approx(np.sqrt(np.mean((whole - error) ** 2)))
    assert len(tried) == len(set(tried)) == len(plan.trials)
    assert attribution(plan, trials, "batched", 1.0).relative_rmse == pytest.approx(np.sqrt(np.mean(whole**2)))
    numerical = numerical_cause(Gap(0.5, 0.7, 0.25, 0.35, None), plan, trials)
    assert numerical.share.fraction == pytest.approx(0.25 / np.mean(whole**2))
