"""Traced values: NumPy's functions of them are torch's, and nothing turns them into plain ones in silence."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from scipy.special import wrightomega

from kanspice.base.traced import (
    TracedArray,
    TracedFloat,
    UntraceableError,
    asarray,
    number,
    plain,
    replaced,
    tensor_of,
    traced,
)

VALUES = np.array([[0.3, -1.2, 2.0], [0.7, 0.1, -0.4]])
FUNCTIONS = {
    "sums": lambda x: np.concatenate([x.sum(axis=0), x.mean(axis=1)]),
    "ends": lambda x: np.stack([x.max(axis=1), x.min(axis=1), np.max(x, axis=1, initial=1.0)]),
    "parts": lambda x: np.where(x > 0, x * 2, -x[::1]) + np.abs(x),
    "clips": lambda x: np.clip(x, -0.5, 0.5) + np.maximum(x, 0) - np.minimum(x, 0.2),
    "powers": lambda x: 10**x + x**2 + np.exp(x) + np.tanh(x) / (1 + np.sqrt(x * x + 1)),
    "shapes": lambda x: np.repeat(x.T, 2, axis=1).reshape(-1) + np.broadcast_to(x, (2, 2, 3)).ravel(),
    "products": lambda x: np.einsum("ij,kj->ik", x, np.ones((4, 3))) @ np.ones((4, 2)),
    "padded": lambda x: np.pad(x, ((0, 1), (2, 0))) + np.full_like(np.pad(x, ((0, 1), (2, 0))), x[0, 0]),
    "omega": lambda x: np.real(wrightomega(x)),
    "plain beside": lambda x: np.ones((2, 3)) / (VALUES + 3 - x) - np.float64(2.0) * x,
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_have_numpys_values_and_the_derivatives_of_differences(name):
    function, weights = FUNCTIONS[name], np.random.default_rng(0)
    tensor = torch.from_numpy(VALUES.copy()).requires_grad_()
    found = function(TracedArray(tensor))
    expected = function(VALUES)
    assert isinstance(found, TracedArray)
    assert np.allclose(plain(found), expected, rtol=1e-15, atol=1e-15)
    weight = weights.normal(size=expected.shape)
    (found * weight).sum().tensor.backward()
    step = 1e-6
    for place in np.ndindex(VALUES.shape):
        up, down = VALUES.copy(), VALUES.copy()
        up[place] += step
        down[place] -= step
        difference = float(((function(up) - function(down)) * weight).sum()) / (2 * step)
        assert tensor.grad[place] == pytest.approx(difference, rel=1e-7, abs=1e-8)


def test_a_number_is_a_float_that_cannot_lose_its_gradient():
    value = traced(torch.tensor(2.5, dtype=torch.float64, requires_grad=True))
    assert isinstance(value, TracedFloat)
    assert math.isfinite(value)
    assert value > 2
    assert min(value, 3.0) is value
    assert isinstance(1 / value - abs(-value) ** 2, TracedFloat)
    assert isinstance(np.ones(2) * value, TracedArray)
    assert number(value) is value
    for loss in (
        float,
        np.asarray,
        lambda x: np.full(2, x),
        lambda x: np.array([x]),
        lambda x: np.zeros(2) + np.array(x),
        int,
        round,
        lambda x: round(x, 1),
        math.floor,
        lambda x: x // 2,
        lambda x: 7 % x,
        lambda x: divmod(x, 2),
    ):
        with pytest.raises(UntraceableError):
            loss(value)


def test_an_array_cannot_lose_its_gradient_and_what_is_unknown_says_so():
    value = traced(torch.ones(3, dtype=torch.float64, requires_grad=True))
    for loss in (
        lambda x: np.sum(x, initial=1.0),
        np.asarray,
        np.fft.fft,
        np.linalg.norm,
        np.floor,
        lambda x: np.zeros(3).__setitem__(slice(None), x),
    ):
        with pytest.raises((UntraceableError, TypeError)):
            loss(value)


def test_what_is_rounded_changes_as_if_it_were_not():
    tensor = torch.tensor([0.4, 1.6], dtype=torch.float64, requires_grad=True)
    rounded = np.round(TracedArray(tensor))
    assert plain(rounded).tolist() == [0.0, 2.0]
    replaced(rounded, np.array([7.0, 8.0])).sum().tensor.backward()
    assert tensor.grad.tolist() == [1.0, 1.0]


@dataclass(frozen=True)
class _Record:
    parts: tuple[object, ...]
    name: str = "x"


def test_plain_leaves_alone_what_has_no_graph():
    record = _Record((np.ones(2), 1.0))
    assert plain(record) is record
    mixed = plain(_Record((traced(torch.ones(2)), {"a": traced(torch.tensor(2.0))})))
    assert isinstance(mixed.parts[0], np.ndarray)
    assert mixed.parts[1] == {"a": 2.0}
    assert type(mixed.parts[1]["a"]) is float
    assert asarray([1.0]).tolist() == tensor_of([1.0]).tolist() == [1.0]
