"""Branch functions against their formulas, and what is refused."""

import math

import pytest
import torch

from kanspice.base.errors import InputError
from kanspice.families.kirchhoffnet.branches import ACTIVATIONS, BRANCHES, branch_function

FORMULAS = {
    "ShiftRelu1": lambda s, d, p: p[1] * max(s - d - p[0], 0),
    "ShiftLeakyRelu1": lambda s, d, p: p[1] * leaky(s - d - p[0]),
    "ShiftRelu2": lambda s, d, p: max(p[0] * s + p[1] * d + p[2], 0),
    "ShiftLeakyRelu2": lambda s, d, p: leaky(p[0] * s + p[1] * d + p[2]),
    "ShiftTanh1": lambda s, d, p: math.tanh(p[1] * (s - d) + p[0]),
    "ShiftTanh2": lambda s, d, p: math.tanh(p[0] * s + p[1] * d + p[2]),
    "Conductance": lambda s, d, p: p[0] * (s - d),
}
ROWS = {
    "ShiftRelu1": (2, 2),
    "ShiftLeakyRelu1": (2, 2),
    "ShiftRelu2": (3, 3),
    "ShiftLeakyRelu2": (3, 3),
    "ShiftTanh1": (2, 3),
    "ShiftTanh2": (3, 3),
    "Conductance": (1, 3),
}


def leaky(x):
    return x if x > 0 else 0.01 * x


def random(*shape, seed=0):
    return torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def check(branch, formula):
    source, destination, theta = random(5, 40), random(5, 40, seed=1), random(branch.rows, 40, seed=2)
    current = branch.current(source, destination, theta)
    assert current.shape == (5, 40)
    for sample in range(5):
        for edge in range(40):
            at = float(source[sample, edge]), float(destination[sample, edge])
            expected = formula(*at, theta[:, edge].tolist())
            assert float(current[sample, edge]) == pytest.approx(expected, rel=1e-14, abs=1e-15)


@pytest.mark.parametrize("name", FORMULAS)
def test_formula(name):
    check(branch_function(name, {}, "x"), FORMULAS[name])


@pytest.mark.parametrize("name", FORMULAS)
def test_rows(name):
    branch = branch_function(name, {}, "x")
    assert (branch.rows, branch.stored_rows, branch.name) == (*ROWS[name], name)


def test_every_branch_function_is_tested():
    assert set(BRANCHES) == {*FORMULAS, "Device"}


def test_device_with_negation():
    branch = branch_function("Device", {"negation": True, "activation": "tanh"}, "x")
    assert branch.rows == 2
    check(branch, lambda s, d, p: math.tanh(p[1] * (s - d) + p[0]))


def test_device_without_negation():
    branch = branch_function("Device", {"negation": False, "activation": "relu"}, "x")
    assert branch.rows == 3
    check(branch, lambda s, d, p: max(p[0] * s + p[1] * d + p[2], 0))


def test_device_without_activation():
    check(branch_function("Device", {"negation": True, "activation": None}, "x"), lambda s, d, p: p[1] * (s - d) + p[0])


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_every_activation_is_elementwise_and_torch_s_own(activation):
    branch = branch_function("Device", {"negation": False, "activation": activation}, "x")
    drive = random(4, 7)
    theta = torch.tensor([[1.0], [0.0], [0.0]], dtype=torch.float64).expand(3, 7)
    expected = getattr(torch.nn.functional, activation)(drive)
    assert torch.equal(branch.current(drive, torch.zeros_like(drive), theta), expected)


def test_branch_functions_are_frozen_values():
    branch = branch_function("Device", {"negation": True, "activation": "relu"}, "x")
    assert branch == branch_function("Device", {"negation": True, "activation": "relu"}, "x")
    with pytest.raises(ValueError, match="frozen"):
        branch.negation = False


def refused(name, args, *parts):
    with pytest.raises(InputError) as caught:
        branch_function(name, args, "config.yaml")
    for part in ("config.yaml", *parts):
        assert part in str(caught.value), str(caught.value)


def test_unknown_branch_function():
    refused("ShiftTanh3", {}, "unknown branch function", "'ShiftTanh3'", "did you mean 'ShiftTanh")
    refused("os", {}, "unknown branch function", "expected: one of ", "Conductance")


@pytest.mark.parametrize(
    ("name", "args", "parts"),
    [
        ("Device", {}, ("'negation'", "Field required")),
        ("Device", {"negation": 1, "activation": "relu"}, ("'negation'",)),
        ("Device", {"negation": True, "activation": "__import__"}, ("'activation'", "'__import__'")),
        ("Device", {"negation": True, "activation": "dropout"}, ("'activation'", "'dropout'")),
        ("ShiftRelu1", {"slope": 1}, ("unknown key 'slope'",)),
    ],
)
def test_arguments_that_cannot_be_used(name, args, parts):
    refused(name, args, *parts)
