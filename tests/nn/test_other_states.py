"""Columns that could be in several states: what they lack is found, has a gradient, and is trained away."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from circuits import PEAK, inputs_for, load_device, network, technology

from kanspice.circuit.uniqueness import solution_counts
from kanspice.nn import Circuit
from kanspice.nn.training import Schedule, ThroughCircuit

SWING = ("tia.gain=1000", "tia.swing_v=1")
OTHERS = ["devices.area_sigma=0.1", "tia.offset_sigma_v=0.02", "devices.shift_sigma_v=0.01"]


@pytest.fixture
def model():
    return network([6, 5, 2], [load_device("z21"), PEAK])


def circuit_of(model, *overrides):
    inputs = inputs_for(model, 20)
    return Circuit(model, technology(*overrides), inputs, prove_states=False, look_for_states=True), inputs


def lacking(circuit, inputs, seed=0):
    circuit(torch.from_numpy(inputs), seed)
    return circuit.other_states


def test_samples_of_several_states_lack_something(model):
    circuit, inputs = circuit_of(model, *SWING)
    found = lacking(circuit, inputs)
    design = circuit.design(0)
    several = (solution_counts(design, design.crossbars[0], np.clip(inputs, 0, None)) > 1).any(axis=1)
    assert several.sum() > 5
    assert (found[torch.from_numpy(several)] > 0).all()


@pytest.mark.parametrize("overrides", [["tia.gain=1000"], ["devices.area_sigma=0.1"]])
def test_columns_that_only_fall_lack_nothing(model, overrides):
    assert not lacking(*circuit_of(model, *overrides)).any()


def test_nobody_asks_unless_told_to(model):
    circuit, inputs = circuit_of(model, *SWING)
    circuit.look_for_states = False
    assert lacking(circuit, inputs) is None


def test_against_its_gradient_less_is_lacking(model):
    """Shifts and offsets included."""
    circuit, inputs = circuit_of(model, *SWING, *OTHERS)
    before = lacking(circuit, inputs).sum()
    before.backward()
    gradients = [each.grad for each in model.parameters()]
    squares = sum(float((each**2).sum()) for each in gradients if each is not None)
    assert squares > 0
    wanted = 1e-3 * float(before.detach())
    with torch.no_grad():
        for each, gradient in zip(model.parameters(), gradients, strict=True):
            if gradient is not None:
                each.sub_(wanted / squares * gradient)
    fallen = float(before.detach()) - float(lacking(circuit, inputs).sum().detach())
    assert 0.3 * wanted < fallen < 3 * wanted


def test_training_counts_it_and_what_judges_it_proves_states(model):
    """Samples of several states have an answer in a step, and none where it is asked how far training is."""
    inputs = torch.from_numpy(inputs_for(model, 20))
    sizing = inputs.numpy()[:1]
    answers = ThroughCircuit(model, [technology(*SWING)], sizing, Schedule(specimens=1))
    outputs = answers.at(0, inputs)
    assert torch.isfinite(outputs).all()
    assert answers.besides() > 0
    (judged,) = answers.validated(inputs)
    several = torch.isnan(judged).any(dim=1)
    assert 5 < several.sum() < 20
    np.testing.assert_array_equal(judged[~several].detach(), outputs[~several].detach())
