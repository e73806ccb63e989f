"""Figures that are no numbers: of a network's answers, of voltages that an engine calls solved, and of the gap."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from circuits import LINE, design_of, network, technology

from kanspice.engine.options import RunOptions
from kanspice.engine.solution import Outcome
from kanspice.experiments.evidence import Evidence
from kanspice.experiments.verify.run import VerifyOptions, verify
from kanspice.families import LoadedModel
from kanspice.families.common.following import followed_stages
from kanspice.families.common.network import DivergenceError
from kanspice.families.memkan.network import MemKAN
from kanspice.families.phykan.network import PhyKAN
from kanspice.gap import Doubt, Gap, Variation

INPUTS = np.array([[0.1, 0.2], [0.3, -1.0], [0.5, 0.6], [-0.4, 1.0]])


def kanalogue():
    """A network whose outputs are the first input times a large number."""
    model = network([2, 2], [LINE], input_stage="None")
    with torch.no_grad():
        model.crossbars[0].coeffs.zero_()
        model.crossbars[0].coeffs[0] = 1.0
    return model


def phykan():
    torch.manual_seed(1)
    return PhyKAN((2, 3, 2), 2).eval()


def memkan():
    torch.manual_seed(1)
    return MemKAN((2, 2)).eval()


def loaded(model):
    family = type(model).__name__.lower()
    return LoadedModel(model, family, Path(f"{family}.pt"), "00" * 32, "kanspice", 1, 2, 2)


def verified(model, *overrides, inputs=INPUTS, **options):
    run = VerifyOptions(engine="batched", run=RunOptions(), **options)
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        return verify(loaded(model), technology(*overrides), Evidence(inputs), run)


@pytest.fixture
def spoiled(monkeypatch):
    """Makes a network's last values of some samples what is no number: they are known by their first input."""

    def spoil(model, values):
        whole = model.stages

        def stages(x):
            found = dict(whole(x))
            last = list(found)[-1]
            found[last] = found[last].clone()
            for first, value in values.items():
                found[last][x[:, 0] == first, 1] = value
            return found

        monkeypatch.setattr(model, "stages", stages)
        return model

    return spoil


# --- the network's answers ---


@pytest.mark.parametrize("make", [kanalogue, phykan, memkan])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_sample_that_the_network_has_no_answer_for_fails_and_the_others_are_kept(spoiled, make, value):
    result = verified(spoiled(make(), {0.3: value}), attribute=True)
    assert [(each.index, each.outcome) for each in result.failed] == [(1, Outcome.NO_REFERENCE)]
    assert "the network's own values are not finite" in result.failed[0].advice
    assert result.exit_code == 3
    assert result.gap.is_finite
    assert np.isnan(result.outputs[1]).all()
    assert np.isfinite(np.delete(result.outputs, 1, axis=0)).all()


@pytest.mark.parametrize("make", [kanalogue, phykan, memkan])
def test_a_network_without_any_answer_is_not_measured(spoiled, make):
    model = spoiled(make(), dict.fromkeys(INPUTS[:, 0].tolist(), np.nan))
    with pytest.raises(DivergenceError, match=r"sample 0, .*: the network's own values are not finite") as raised:
        verified(model)
    assert raised.value.exit_code == 3


def test_a_circuit_is_sized_by_the_samples_that_have_an_answer():
    """Devices' curves end, so that sums overflow only with huge coefficients."""
    model = kanalogue()
    with torch.no_grad():
        model.crossbars[0].coeffs[0] = 3e307
    inputs = np.array([[0.5, 0.0], [9.0, 0.0], [1.0, 0.0]])
    stages, without = followed_stages(model, inputs)
    assert list(without) == [1]
    assert np.isnan(stages["l1.crossbar"][1]).all()
    assert np.isfinite(stages["l1.crossbar"][[0, 2]]).all()
    peaks = design_of(model, inputs).crossbars[0], design_of(model, inputs[[0, 2]]).crossbars[0]
    assert np.array_equal(peaks[0].feedback_ohm, peaks[1].feedback_ohm)


# --- the circuit's answers, and the gap ---


def test_voltages_that_are_no_numbers_are_no_result():
    with np.errstate(all="ignore"):
        result = verified(phykan(), "filters.sine_v=5e-324")
    assert {each.outcome for each in result.failed} == {Outcome.OUT_OF_RANGE}
    assert "at nan V" in result.failed[0].advice
    assert result.exit_code == 3


@pytest.mark.parametrize(
    ("make", "setting"),
    [
        (phykan, "filters.gain_sigma=1e300"),
        (memkan, "synapses.gain_sigma=1e300"),
        (memkan, "synapses.read_noise_v=1e300"),
    ],
)
def test_a_gap_that_is_no_finite_number_is_not_measured(make, setting):
    result = verified(make(), setting, limits=[("max_abs", 1e303)])
    assert result.failed == ()
    assert np.isfinite(result.outputs).all()
    assert not result.gap.is_finite
    assert "the gap is no finite number" in result.unresolved
    assert result.exit_code == 3


def test_outputs_that_vary_beyond_all_numbers_make_no_gap_small():
    """A standard deviation that is infinite would make every relative figure 0."""
    (why,) = Doubt(Gap(1.0, 1.0, 0.0, 0.0, None), None, None, Variation(np.inf, 1e300)).reasons()
    assert "vary is more than" in why
