"""Sums of bends: against the bends one by one, whatever was asked before; and the reference that is built on them."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from kanspice.base.piecewise import Bends, Piecewise
from kanspice.families.kirchhoffnet.branches import BRANCHES
from kanspice.families.kirchhoffnet.layer import Layer
from kanspice.families.kirchhoffnet.topology import Topology

FUNCTIONS, BENDS = 7, 40


def bends(seed=0):
    """Random ones, a few of them without a corner, and which function each is part of."""
    rng = np.random.default_rng(seed)
    owner = np.sort(np.append(np.arange(FUNCTIONS), rng.integers(0, FUNCTIONS, BENDS - FUNCTIONS)))
    corner = rng.normal(size=BENDS)
    corner[::9] = np.nan
    slopes = rng.normal(size=(2, BENDS))
    offset = rng.normal(size=BENDS)
    at_corner = np.where(np.isnan(corner), 0.0, corner)
    left = slopes[0], offset - slopes[0] * at_corner
    return owner, Bends(corner, left, (slopes[1], offset - slopes[1] * at_corner))


def one_by_one(owner, parts, numbers):
    total = np.zeros_like(numbers)
    for bend, function in enumerate(owner):
        x = numbers[:, function]
        slope, offset = (
            np.where(x >= parts.corner[bend], *(side[k][bend] for side in (parts.right, parts.left))) for k in (0, 1)
        )
        total[:, function] += slope * x + offset
    return total


@pytest.mark.parametrize("scale", [0.1, 1.0, 10.0])
def test_a_sum_of_bends(scale):
    owner, parts = bends()
    numbers = scale * np.random.default_rng(1).normal(size=(5, FUNCTIONS))
    np.testing.assert_allclose(Piecewise(owner, parts).values(numbers), one_by_one(owner, parts, numbers), atol=1e-12)


def test_what_was_asked_before_changes_nothing():
    owner, parts = bends()
    rng = np.random.default_rng(2)
    used = Piecewise(owner, parts)
    for samples in (1, 4, 2, 6, 3):
        numbers = 2 * rng.normal(size=(samples, FUNCTIONS))
        np.testing.assert_array_equal(used.values(numbers), Piecewise(owner, parts).values(numbers))


def test_voltages_that_exploded_come_to_an_end():
    owner, parts = bends()
    used = Piecewise(owner, parts)
    with np.errstate(invalid="ignore"):
        found = used.values(np.array([[np.inf, -np.inf, np.nan, 0.0, 0.0, 0.0, 0.0]]))
    assert not np.isfinite(found[0, :3]).any()
    assert np.isfinite(found[0, 3:]).all()


def test_reflected_bends():
    _, parts = bends()
    where = np.arange(BENDS) % 2 == 0
    x = np.linspace(-2, 2, 6)[:, None] * np.ones(BENDS)
    each, mirrored = (Piecewise(np.arange(BENDS), some) for some in (parts, parts.reflected(where)))
    expected = np.where(where, -each.values(-x), each.values(x))
    np.testing.assert_allclose(mirrored.values(x), expected, atol=1e-12)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["ShiftRelu1", "ShiftLeakyRelu1"])
def test_a_reference_without_gradients_has_the_same_derivative(name):
    """Also where edges share parameters, lie between the same nodes, lead to ground, or lead nowhere."""
    rng, edges, nodes = np.random.default_rng(3), 5000, 30
    source, destination = rng.integers(0, nodes + 1, (2, edges))
    topology = Topology(source, destination, np.arange(edges) % 900, nodes)
    layer = Layer(topology, BRANCHES[name](), 1.0)
    layer.initialise()
    volts = torch.from_numpy(rng.normal(size=(3, nodes)))
    with torch.no_grad():
        evaluated = layer.evaluated()
        assert evaluated is not layer
        expected = layer(None, volts)
        torch.testing.assert_close(evaluated(None, volts), expected, rtol=0, atol=1e-12 * float(expected.abs().max()))
