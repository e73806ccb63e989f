"""What the figures of a run are said to mean: the one place where the sentences of `verify` are held to a wording."""

from __future__ import annotations

from dataclasses import replace

import pytest
from synthetic_results import NAN, attributed, cross_checked, gap_of, synthetic, with_failures

from kanspice.experiments.verify import wording
from kanspice.gap.cross_check import OtherOutcome
from kanspice.gap.resolution import NumericalGap


@pytest.mark.parametrize(
    ("gap", "error", "expected", "warns"),
    [
        (1e-3, 0.9e-4, "the gap is the circuit's", False),
        (1e-3, 2e-4, "part of the gap is numerical error, not circuit", True),
        (1e-3, 9e-4, "the gap is numerical error, not circuit", True),
        (1e-3, 1.0, "not resolved: the circuit's numerical error is 1 of the outputs' standard deviation", True),
        (5e-7, 5e-7, "the circuit agrees with the network: below 1e-06", False),
        (0.0, 0.0, "the circuit agrees with the network to within rounding", False),
        (1e-14, 0.0, "the circuit agrees with the network to within rounding", False),
        (5e-7, 2e-6, "the gap is numerical error, not circuit", True),
        (5e-7, 1e-9, "the circuit agrees with the network: below 1e-06", False),
        (1e-3, NAN, "numerical error could not be compared", True),
    ],
)
def test_numerical_error_is_judged_beside_the_gap(gap, error, expected, warns):
    found = wording.numerical(replace(synthetic(), gap=gap_of(gap), numerical=NumericalGap(5, error, error, error)))
    assert expected in found.text
    assert found.warning is warns


def test_without_a_relative_figure_the_absolute_ones_are_judged():
    result = synthetic()
    constant = replace(result.gap, relative_rmse=None, max_relative=None, rmse=1e-3)
    open_ = wording.numerical(replace(result, gap=constant, numerical=NumericalGap(1, 1e-3, 1e-3, None)))
    assert (open_.warning, open_.text[:20]) == (True, "the gap is numerical")
    none = replace(result, gap=replace(constant, rmse=0.0), numerical=NumericalGap(1, 0.0, 0.0, None))
    assert "to within rounding" in wording.numerical(none).text


def test_numerical_error_that_was_not_measured_is_a_warning():
    found = wording.numerical_error(replace(synthetic(), numerical=None))
    assert found.warning
    assert "was not measured" in found.text


@pytest.mark.parametrize(
    ("engine", "family", "fidelity", "how"),
    [
        ("ngspice", "memkan", "device", ", in reverse order, with tighter tolerances"),
        ("ngspice", "kirchhoffnet", "device", ", with other time steps"),
        ("ngspice", "phykan", "filter", ", in reverse order: the analyses are linear, nothing in them can be tighter"),
        ("ngspice", "phykan", "transient", ", with twice as many time steps"),
        ("batched", "kanalogue", "shared", ", from another start, with whole curves in every device"),
        ("batched", "kirchhoffnet", "device", ", with a tenth of the error in every step"),
        ("batched", "phykan", "filter", ": nothing in its formulae can be tighter"),
        ("batched", "memkan", "device", ": nothing in its formulae can be tighter"),
        ("another", "memkan", "device", ""),
    ],
)
def test_how_samples_were_solved_again(engine, family, fidelity, how):
    result = synthetic()
    found = replace(
        result,
        engine=replace(result.engine, name=engine),
        model=replace(result.model, family=family),
        design=replace(result.design, fidelity=fidelity),
    )
    assert wording.solved_again(found) == f"5 samples solved again{how}"


def test_the_weakest_stage_is_not_made_up():
    result = synthetic()
    assert wording.weakest(result).text == "l2.crossbar adds most: relative RMSE 0.008"
    assert wording.weakest(replace(result, stages=result.stages[:1])).text == "no stage adds more than rounding"
    assert wording.weakest(with_failures(synthetic(2), 0, 1)).text == "no stage was measured"


@pytest.mark.parametrize(
    ("changes", "expected", "warns"),
    [
        ({}, "± one standard error of 16 orders", False),
        ({"orders": 0}, "exact; 99 circuits, batched engine", False),
        ({"samples": 40}, "only of the 40 samples solved in all of them", True),
        ({"samples": 0}, "No shares: no sample was solved in all of 99 circuits", True),
    ],
)
def test_shares_say_what_they_are(changes, expected, warns):
    result = attributed(**changes)
    found = wording.attribution(result.attribution, result.samples)
    assert expected in found.text
    assert found.warning is warns


@pytest.mark.parametrize(
    ("worst", "outcomes", "expected"),
    [
        (2e-7, (), "ngspice 42 on 2 samples agrees to 2e-07 of the outputs' standard deviation"),
        (2e-5, (), "disagrees by 2e-05 of the outputs' standard deviation at most (sample 8), allowed 1e-06"),
        (2e-7, (OtherOutcome(3, "multistable", "converged"),), "1 outcome: sample 3 is multistable here and converged"),
        (None, (), "no sample has a result in either engine"),
    ],
)
def test_what_another_engine_says(worst, outcomes, expected):
    result = cross_checked(synthetic(), worst, *outcomes)
    assert expected in wording.cross_check(result.cross_check).text
    assert ("the engines disagree" in wording.outcome(result).text) is result.engines_disagree


def test_the_last_word():
    """Nothing is called passed without a limit, nor where samples have no result."""
    result = synthetic()
    assert wording.outcome(result).text == "passed: 1 limit kept"
    assert wording.outcome(replace(result, limits=())).text == "measured; no limit was given"
    failed = with_failures(result, 3, 7)
    assert wording.outcome(failed).text == "FAILED: not every sample was solved"
    assert wording.failures(failed).text.startswith("2 of 50 samples without a result: in no average; counted as wrong")
