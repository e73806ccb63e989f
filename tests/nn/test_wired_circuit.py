"""The circuit as a torch module where crossbars have wires: gradients of what nobody else can differentiate."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from circuits import inputs_for, network, polynomial_device, technology
from gradients import error_of
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from images import cnnkan, images_for

from kanspice.devices import load_device
from kanspice.nn import Circuit
from kanspice.nn.values import part, part_names

WIRED = (
    *("wires.row_ohm=200.0", "wires.column_ohm=100.0", "wires.driver_ohm=500.0", "units.i_unit_a=2e-6"),
    *("tia.gain=300", "tia.output_ohm=50", "tia.offset_sigma_v=0.005", "devices.area_sigma=0.05"),
    *("devices.shift_sigma_v=0.003", "clippers.knee_v=0.02"),
)
SEEN = {"row_ohm", "column_ohm", "driver_ohm", "area", "shift_v", "offset_v", "swing_v", "current_unit_a"}
BY_KEY = ("row_ohm", "column_ohm", "driver_ohm")


def small(seed=0):
    """A network of published curves, whose layers see each other: rows of the second are seldom at its clip."""
    model = network([3, 4, 2], [load_device("z21"), load_device("a21")], seed=seed)
    with torch.no_grad():
        model.norms[0].weight.fill_(0.3)
        model.norms[0].bias.fill_(0.5)
    return model


def circuit_of(model, inputs, *overrides):
    circuit = Circuit(model, technology(*overrides), inputs, prove_states=False)
    for parameter in circuit.network.parameters():
        parameter.requires_grad_(requires_grad=False)
    return circuit


def ohm(value):
    return torch.tensor(value, dtype=torch.float64)


def test_by_what_the_network_was_trained_to_and_by_inputs():
    model = small()
    inputs = torch.from_numpy(inputs_for(model, 8, seed=1))
    circuit = circuit_of(model, inputs_for(model, 12), *WIRED)
    assert error_of(circuit, inputs, *circuit.network.parameters(), seed=5) < 1e-6
    assert error_of(circuit, inputs, inputs, scale=1.0) < 1e-6


def test_by_every_part_of_a_specimen():
    model = small()
    inputs = torch.from_numpy(inputs_for(model, 8, seed=1))
    circuit = circuit_of(model, inputs_for(model, 12), *WIRED, "tia.swing_v=3.0")
    errors = {}
    for name in part_names(circuit.design(0)):
        value, field = part(circuit.design(0), name), name.rpartition(".")[2]
        if name.startswith("l1.crossbar") and field in SEEN:
            errors[name] = error_of(circuit, inputs, value, parts={name: value})
    assert len(errors) == len(SEEN)
    assert max(errors.values()) < 1e-6, errors


@pytest.mark.parametrize("name", BY_KEY)
def test_by_wires_that_there_are_not_yet(name):
    """One-sided: a resistance cannot be less than zero."""
    model = small()
    inputs = torch.from_numpy(inputs_for(model, 8, seed=1))
    circuit = circuit_of(model, inputs_for(model, 12), *WIRED[3:])
    weights = torch.from_numpy(np.random.default_rng(0).normal(size=(8, 2)))

    def loss(value):
        return (circuit(inputs, keys={f"wires.{name}": ohm(value)}) * weights).sum().item()

    value = ohm(0.0).requires_grad_()
    (circuit(inputs, keys={f"wires.{name}": value}) * weights).sum().backward()
    first, second = ((loss(2 * step) - loss(0.0)) / (2 * step) for step in (1.0, 2.0))
    third = (loss(1.0) - loss(0.0)) / 1.0
    expected = (8 * third - 6 * first + second) / 3
    assert abs(value.grad.item() - expected) < 1e-5 * abs(expected)


@pytest.mark.parametrize("layout", ["reused", "unrolled"])
def test_convolutions(layout):
    """Positions are samples of a crossbar that is reused, and have crossbars of their own where none is."""
    model = cnnkan()
    values = images_for(model, 2)
    images, overrides = torch.from_numpy(values), (*WIRED[:3], "tia.gain=300", f"convolution.layout={layout}")
    circuit = circuit_of(model, values, *overrides)
    assert error_of(circuit, images, *circuit.network.parameters()) < 1e-6
    value = ohm(100.0)
    assert error_of(circuit, images, value, keys={"wires.column_ohm": value}) < 1e-6


@settings(deadline=None, derandomize=True, max_examples=3, phases=[Phase.generate])
@given(
    ohms=st.tuples(*[st.sampled_from([0.0, 2.0, 300.0])] * 3).filter(any),
    gain=st.sampled_from(["inf", "5", "1e3"]),
    swing=st.sampled_from(["inf", "2.5"]),
    stuck=st.sampled_from(["0", "0.03"]),
    seed=st.integers(0, 20),
)
def test_random_technologies(ohms, gain, swing, stuck, seed):
    model = small(seed=seed)
    inputs = torch.from_numpy(inputs_for(model, 6, seed=seed + 1))
    wires = [f"wires.{name}={value}" for name, value in zip(BY_KEY, ohms, strict=True)]
    others = [f"tia.gain={gain}", f"tia.swing_v={swing}", f"devices.stuck_short={stuck}", "clippers.knee_v=0.03"]
    others += ["tia.rail_v=1000.0", "tia.headroom=0.01"]
    circuit = circuit_of(model, inputs_for(model, 12), *wires, *others, "devices.area_sigma=0.1")
    coefficients = next(circuit.network.parameters())
    assert error_of(circuit, inputs, coefficients, seed=seed) < 1e-6
    assert len(circuit.failed) < len(inputs)


@pytest.mark.parametrize("overrides", [WIRED, WIRED[3:]], ids=["wires", "columns"])
def test_a_gpus_code_gives_the_same(overrides):
    found = []
    for device in ("cpu", "torch"):
        model = small()
        inputs = torch.from_numpy(inputs_for(model, 8, seed=1)).requires_grad_()
        circuit = Circuit(model, technology(*overrides), inputs_for(model, 12), device=device)
        circuit(inputs).square().sum().backward()
        found.append([inputs.grad, *(parameter.grad for parameter in circuit.network.parameters())])
    for expected, gradient in zip(*found, strict=True):
        np.testing.assert_allclose(gradient, expected, rtol=0, atol=1e-9 * expected.abs().max().item())


def test_samples_at_a_fold_are_counted():
    """Currents that fall by 3 uA/V behind 1/3 Mohm: at 1 V they leave nothing to go by."""
    falls = polynomial_device("falls", [0.0, 2.0], [[0.0, 6.0, -9.0, 3.0]])
    model = network([1, 1], [falls], input_stage="None", norm="none")
    with torch.no_grad():
        model.crossbars[0].coeffs.fill_(1.0)
        model.crossbars[0].bias.fill_(0.0)
    inputs = torch.tensor([[0.8], [1.0], [1.2]], dtype=torch.float64)
    circuit = Circuit(model, technology(f"wires.driver_ohm={1e6 / 3!r}", "units.i_unit_a=1e-6"), prove_states=False)
    circuit(inputs).sum().backward()
    assert circuit.folds.by_stage == {"l1.crossbar": 1}
    assert circuit.folds.without.tolist() == [False, True, False]
    assert torch.isfinite(model.crossbars[0].coeffs.grad).all()
