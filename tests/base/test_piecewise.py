"""Sums of bends: against the bends one by one, whatever was asked before; and the reference that is built on them."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from kanspice.base.piecewise import Bends, PairCurrents, terms
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


def one_by_one_sided(parts):
    """The functions themselves, each a sum of its own."""
    return lambda x: one_by_one(np.arange(BENDS), parts, x)


def along(functions, numbers):
    """Node 0 is ground, so that what flows into node n + 1 is the function n of minus its voltage."""
    owner, parts = functions
    pairs = PairCurrents(FUNCTIONS, np.zeros(len(owner), dtype=np.int64), owner + 1, parts)
    return pairs.into_nodes(-numbers)


@pytest.mark.parametrize("scale", [0.1, 1.0, 10.0])
@pytest.mark.parametrize("samples", [1, 2, 5, 8, 33])
def test_a_sum_of_bends(scale, samples):
    owner, parts = bends()
    numbers = scale * np.random.default_rng(1).normal(size=(samples, FUNCTIONS))
    np.testing.assert_allclose(along((owner, parts), numbers), one_by_one(owner, parts, numbers), atol=1e-12)


def test_other_samples_change_nothing():
    numbers = np.random.default_rng(2).normal(size=(40, FUNCTIONS))
    together = along(bends(), numbers)
    for samples in (1, 2, 3, 8, 13, 32):
        np.testing.assert_array_equal(along(bends(), numbers[-samples:]), together[-samples:])


def test_terms_of_a_line_and_two_ramps():
    """|x|, twice: one ramp each; and a line that has no corner."""
    corner, ones = np.array([-0.5, 0.5, 0.5, np.nan]), np.ones(4)
    of_sum, numbers = terms(np.array([0, 0, 0, 1]), Bends(corner, (-ones, corner), (ones, -corner)))
    assert of_sum.tolist() == [0, 0, 1]
    assert numbers[:, 0].tolist() == [1 - 1 - 1, 0, -1]
    assert numbers[:, 4].tolist() == [1, 1, 0]


def test_what_is_off_carries_exactly_nothing():
    """Wherever its corner is, and whichever way it points."""
    corner = np.array([0.3, -0.3, 1e12, -1e12, np.inf])
    x = np.array([-1.0, -1.0, 5.0, -2e12, 7.0])
    rectified = Bends(corner, (np.zeros(5), np.zeros(5)), (np.ones(5), -corner))
    for parts, at in ((rectified, x), (rectified.reflected(np.ones(5, dtype=bool)), -x)):
        pairs = PairCurrents(5, np.zeros(5, dtype=np.int64), np.arange(1, 6), parts)
        np.testing.assert_array_equal(pairs.into_nodes(-at[None, :]), np.zeros((1, 5)))


@pytest.mark.parametrize("name", ["ShiftRelu1", "ShiftLeakyRelu1"])
def test_infinite_thresholds_are_a_line_everywhere(name):
    """Of the branches themselves, whose other line then has an infinite offset: no subtraction of infinities warns."""
    threshold = np.array([np.inf, -np.inf, np.inf, 0.5])
    theta = np.stack([threshold, np.array([1.0, 1.0, -2.0, 1.0])])
    parts = BRANCHES[name]().bends(theta)
    x = np.array([-2.0, 0.1, 3.0])
    for mirrored, sign in ((False, 1.0), (True, -1.0)):
        reflected = parts.reflected(np.full(4, mirrored))
        pairs = PairCurrents(4, np.zeros(4, dtype=np.int64), np.arange(1, 5), reflected)
        volts = torch.from_numpy(sign * x[:, None] * np.ones(4))
        law = BRANCHES[name]().current(sign * volts, torch.zeros(()), torch.from_numpy(theta)[:, None, :])
        np.testing.assert_allclose(pairs.into_nodes(-volts.numpy()), sign * law.numpy(), rtol=1e-12)


def test_voltages_that_exploded_come_to_an_end():
    found = along(bends(), np.array([[np.inf, -np.inf, np.nan, 0.0, 0.0, 0.0, 0.0]]))
    assert not np.isfinite(found[0, :3]).any()
    assert np.isfinite(found[0, 3:]).all()


def test_reflected_bends():
    _, parts = bends()
    where = np.arange(BENDS) % 2 == 0
    x = np.linspace(-2, 2, 6)[:, None] * np.ones(BENDS)
    each, mirrored = (one_by_one_sided(some) for some in (parts, parts.reflected(where)))
    np.testing.assert_allclose(mirrored(x), np.where(where, -each(-x), each(x)), atol=1e-12)


@pytest.mark.slow
@pytest.mark.parametrize("precision", [torch.float32, torch.float64])
@pytest.mark.parametrize("name", ["ShiftRelu1", "ShiftLeakyRelu1"])
def test_a_reference_without_gradients_has_the_same_derivative(name, precision):
    """Also where edges share parameters, lie between the same nodes, lead to ground, or lead nowhere."""
    rng, edges, nodes = np.random.default_rng(3), 5000, 30
    source, destination = rng.integers(0, nodes + 1, (2, edges))
    topology = Topology(source, destination, np.arange(edges) % 900, nodes)
    layer = Layer(topology, BRANCHES[name](), 1.0)
    layer.initialise()
    layer.to(precision)
    volts = torch.from_numpy(rng.normal(size=(3, nodes)))
    with torch.no_grad():
        evaluated = layer.evaluated()
        assert evaluated is not layer
        expected = layer(None, volts)
        torch.testing.assert_close(evaluated(None, volts), expected, rtol=0, atol=1e-12 * float(expected.abs().max()))
