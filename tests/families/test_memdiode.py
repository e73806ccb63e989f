"""Memdiode synapses: the answers fulfil the circuit's own equations, and their gradients are the true ones."""

import math

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from kanspice.families.memkan.memdiode import (
    KINDS,
    PARAMETERS,
    SynapseConstants,
    SynapseParameters,
    answers,
    bounded,
    wright_omega,
)

CONSTANTS = SynapseConstants()
V = torch.linspace(0.0, 0.5, 41, dtype=torch.float64)


def random_synapses(count, seed=0):
    """(count,) parameters drawn over the whole of their ranges, the ends included."""
    generator = torch.Generator().manual_seed(seed)
    raw = 6 * torch.randn(count, len(PARAMETERS), dtype=torch.float64, generator=generator)
    return bounded(raw, CONSTANTS)


def circuit(kind, v, u, i, p):
    """The two sides of the two equations of models.md, as the paper writes them."""
    if kind == "LP":
        return (u, p.load_ohm * i), (i, p.saturation_a * torch.exp(p.alpha_per_v * (0.5 - v - u - i * p.series_ohm)))
    if kind == "HP":
        return (u, p.load_ohm * i), (i, p.saturation_a * torch.exp(p.alpha_per_v * (v - u - i * p.series_ohm)))
    output = p.load_ohm * ((v - u) / p.divider_ohm - i)
    return (u, output), (i, p.saturation_a * torch.exp(p.alpha_per_v * (u + v - i * p.series_ohm)))


@pytest.mark.parametrize("kind", KINDS)
def test_answers_fulfil_the_equations_of_the_circuit(kind):
    synapses = random_synapses(500)
    v = V[:, None]
    u, i = answers(v, [kind] * 500, synapses, CONSTANTS)
    (u_left, u_right), (i_left, i_right) = circuit(kind, v, u, i, synapses)
    terms = synapses.load_ohm * torch.maximum(i, v / synapses.divider_ohm) if kind == "BP" else u.abs()
    assert float(((u_left - u_right).abs() / torch.maximum(terms, u.abs())).max()) < 1e-12
    assert float(((i_left - i_right).abs() / i_left).max()) < 1e-12
    assert float(i.min()) > 0


@pytest.mark.parametrize("kind", KINDS)
def test_a_published_circuit_against_bisection(kind):
    p = SynapseParameters(*(torch.tensor([value], dtype=torch.float64) for value in (1e3, 300.0, 1.0, 10.0, 2e-6)))

    def left_minus_right(u, v):
        if kind == "BP":
            i = (v - u) / 300.0 - u / 1e3
            return i - 2e-6 * math.exp(10 * (u + v - i))
        i = u / 1e3
        return i - 2e-6 * math.exp(10 * ((v if kind == "HP" else 0.5 - v) - u - i))

    for v in (0.0, 0.1, 0.3, 0.5):
        low, high = -2.0, 2.0
        for _ in range(80):
            middle = (low + high) / 2
            below = left_minus_right(middle, v) < 0
            below = not below if kind == "BP" else below
            low, high = (middle, high) if below else (low, middle)
        u, _ = answers(torch.tensor([v], dtype=torch.float64), [kind], p, CONSTANTS)
        assert float(u[0]) == pytest.approx(middle, rel=1e-12, abs=1e-16)


def test_kinds_pass_low_middle_and_high_voltages():
    p = SynapseParameters(*(torch.tensor([value] * 3, dtype=torch.float64) for value in (1e3, 3.75, 1.0, 30.0, 2e-6)))
    u, _ = answers(V[:, None], KINDS, p, CONSTANTS)
    low_pass, band_pass, high_pass = u.T
    assert bool((low_pass.diff() < 0).all())
    assert float((low_pass.flip(0) - high_pass).abs().max()) < 1e-15
    assert 0.05 < float(V[band_pass.argmax()]) < 0.45
    assert float(band_pass[-1]) < 0.5 * float(band_pass.max())


def test_the_gradient_of_the_implicit_solution():
    raw = torch.randn(2, 3, len(PARAMETERS), dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    v = torch.tensor([[[0.05]], [[0.25]], [[0.45]]], dtype=torch.float64)

    def u(v, raw):
        return answers(v, KINDS, bounded(raw, CONSTANTS), CONSTANTS)[0]

    assert torch.autograd.gradcheck(u, (v.requires_grad_(), raw.requires_grad_()), rtol=1e-6, atol=1e-9)


def test_wright_omega_over_its_whole_range():
    z = torch.cat([torch.linspace(-700, 700, 1401), torch.linspace(-4, 4, 801)]).double()
    w = wright_omega(z)
    small = z < -1
    assert float((torch.exp(-w - torch.log(w) + z)[small] - 1).abs().max()) < 1e-12
    assert float(((w + torch.log(w) - z) / w)[~small].abs().max()) < 1e-14
    assert float(wright_omega(torch.tensor([1.0], dtype=torch.float64))[0]) == 1.0


def test_parameters_stay_within_their_ranges():
    raw = torch.tensor([[-1e3] * 5, [0.0] * 5, [1e3] * 5], dtype=torch.float64)
    for (low, high), found in zip(CONSTANTS.ranges(), bounded(raw, CONSTANTS), strict=True):
        assert found.tolist() == pytest.approx([low, np.sqrt(low * high), high], rel=1e-14)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"low_v": 0.5}, "low_v must be below high_v"),
        ({"alpha_per_v": (50.0, 10.0)}, "lower end of alpha_per_v must not be above"),
        ({"load_ohm": (0.0, 10.0)}, "greater than 0"),
        ({"reference_v": math.nan}, "finite"),
        ({"r_l": 3.0}, "Extra inputs"),
    ],
)
def test_constants_that_cannot_be(changes, message):
    with pytest.raises(ValidationError, match=message):
        SynapseConstants(**changes)
