"""Whether a gap is told from numerical error: of the circuit, of the network, and where outputs hardly vary."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from periods import contracting, design_of_periods, period

from kanspice.engine.options import RunOptions
from kanspice.engine.solution import NumericalError, Solution
from kanspice.experiments.evidence import Evidence
from kanspice.experiments.verify.run import VerifyOptions, verify
from kanspice.families import LoadedModel
from kanspice.gap import Doubt, Gap, Limit, NumericalGap, Variation, numerical_gap, unresolved
from kanspice.technology import Technology

VARIATION = Variation(2.0, 5.0)


def gap(relative):
    return Gap(2 * relative, 6 * relative, relative, 3 * relative, None)


def error(relative):
    return NumericalGap(4, 2 * relative, 6 * relative, relative)


def reasons(relative_gap, circuit, reference=0.0, limits=(), variation=VARIATION):
    doubt = Doubt(gap(relative_gap), error(circuit), error(reference), variation)
    return list(unresolved(doubt, limits, solved=True))


@pytest.mark.parametrize(
    ("relative_gap", "circuit", "reference"),
    [(3e-5, 3e-5, 0.0), (9e-3, 9e-3, 0.0), (0.5, 0.03, 0.01), (1e-15, 1e-16, 1e-8), (0.1, 0.02, 0.02)],
)
def test_small_errors_and_those_far_below_the_gap_are_resolved(relative_gap, circuit, reference):
    assert not reasons(relative_gap, circuit, reference)


@pytest.mark.parametrize(
    ("relative_gap", "circuit", "reference", "whose"),
    [
        (17.0, 25.0, 0.0, "circuit's"),
        (0.02, 0.02, 0.0, "circuit's"),
        (3.1e3, 0.3, 3e3, "reference's"),
        (0.02, 6e-3, 7e-3, "reference's"),
        (1.0, np.nan, 0.0, "circuit's"),
        (1.0, 1e-5, np.inf, "reference's"),
    ],
)
def test_an_error_of_the_gaps_size_is_not_a_gap(relative_gap, circuit, reference, whose):
    (why,) = reasons(relative_gap, circuit, reference)
    assert whose in why


def test_a_report_whose_figures_contradict_each_other_is_believed_in_neither():
    assert list(Doubt(gap(1e-9), NumericalGap(4, 0.0, 0.0, 1e9), None, VARIATION).reasons())
    assert list(Doubt(gap(1.0), NumericalGap(4, 10.0, 10.0, 0.02), None, VARIATION).reasons())


def test_outputs_that_hardly_vary_say_so():
    (why,) = reasons(1e-3, 0.0, variation=Variation(1e-13, 1.0))
    assert "hardly vary" in why
    assert not reasons(1e-3, 0.0, variation=Variation(0.0, 1.0))


def test_without_a_spread_errors_are_held_against_the_outputs():
    alone = Gap(1e-3, 1e-3, None, None, None)
    small, large = (NumericalGap(1, size, size, None) for size in (1e-3, 0.5))
    assert not list(Doubt(alone, small, None, Variation(0.0, 1.0)).reasons())
    assert list(Doubt(alone, large, None, Variation(0.0, 1.0)).reasons())


@pytest.mark.parametrize("metric", ["rmse", "max_abs", "relative_rmse", "max_relative"])
def test_a_limit_below_the_error_is_not_kept_by_chance(metric):
    assert len(reasons(1e-6, 1e-3, limits=[Limit(metric, 1e-6, 1e-5)])) == 1
    assert not reasons(1e-6, 1e-3, limits=[Limit(metric, 1e-6, 1.0), Limit(metric, 1e-4, 1e-5)])


def test_voltages_at_rest_are_off_by_their_rounding_even_where_two_runs_agree():
    design = design_of_periods(period("Conductance", [(1, 0)], [[1.0]]))
    volts = {name: np.array([[8.0], [4.0]]) for name in ("l1.period", "readout")}
    agreed = Solution("ngspice", "1", {}, 2, (), volts, {}, {}, numerical_error=NumericalError((0, 1), 0.0, 0.0))
    assert numerical_gap(design, agreed, 1e-14).relative_rmse == pytest.approx(8 * 2**-50 / 1e-14)


def verified(times, limits=()):
    model = contracting(times)
    loaded = LoadedModel(model, "kirchhoffnet", Path("contracting.pt"), "00" * 32, "kanspice", 48, 3, 3)
    inputs = np.random.default_rng(0).normal(size=(6, 3))
    options = VerifyOptions(engine="batched", run=RunOptions(), limits=limits)
    return model, inputs, verify(loaded, Technology(), Evidence(inputs), options)


@pytest.mark.slow
@pytest.mark.parametrize(("times", "code"), [(1, 0), (10, 0), (60, 3)])
def test_a_network_that_forgets_its_inputs_is_not_measured(times, code):
    model, inputs, result = verified(times)
    assert result.exit_code == code, result.unresolved
    assert bool(result.unresolved) == (code == 3)
    model.integrator = replace(model.integrator, method="dopri5", rtol=1e-10, atol=1e-10)
    truth = model(torch.tensor(inputs)).detach().numpy()
    reference = float(np.sqrt(np.mean((result.reference - truth) ** 2)))
    circuit = float(np.sqrt(np.mean((result.outputs - truth) ** 2)))
    assert reference < 3 * result.reference_error.rmse
    assert circuit < 3 * result.numerical.rmse
