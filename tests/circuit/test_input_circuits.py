"""Input stages that are circuits: precision rectifiers, and differential pairs of bipolar transistors."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from circuits import technology
from torch import nn

import kanspice
from kanspice.base.draws import Draw
from kanspice.base.errors import InputError
from kanspice.circuit import DifferentialPairs, Limiter, Rectifier
from kanspice.circuit.compile.inputs import input_stage
from kanspice.circuit.specimens import draw_specimen
from kanspice.engine.batched import solve
from kanspice.engine.ngspice import engine as ngspice
from kanspice.engine.options import RunOptions
from kanspice.families.compiling import sizing_of
from kanspice.families.mlp.circuit import compile_mlp
from kanspice.gap import physical_cost

RECTIFIERS = ("clippers.circuit=rectifiers", "clippers.knee_v=0.026", "clippers.gain=2000")
PAIRS = ("pairs.thermal_v=0.02585", "pairs.current_gain=50", "pairs.source_ohm=5000")
VOLTS = np.linspace(-3.0, 3.0, 601)[:, None]


def stage_of(kind, *settings, levels=(-0.5, 1.0), unit=1.0):
    return input_stage(1, technology(*settings), np.zeros(1), levels, kind=kind, input_v_per_unit=unit)


def perceptron(activation, seed=0):
    torch.manual_seed(seed)
    layers = nn.Linear(5, 6), activation(), nn.Linear(6, 6), activation(), nn.Linear(6, 3)
    return kanspice.convert(nn.Sequential(*layers).double())


# --- what they are ---


def test_technologies_say_which_circuit_an_input_stage_is():
    assert isinstance(stage_of("clip"), Limiter)
    assert isinstance(stage_of("clip", *RECTIFIERS), Rectifier)
    assert isinstance(stage_of("none", *RECTIFIERS, *PAIRS), Limiter)
    for kind in ("sigmoid", "tanh"):
        assert stage_of(kind).is_behavioural
        pairs = stage_of(kind, *PAIRS)
        assert isinstance(pairs, DifferentialPairs)
        assert not pairs.is_behavioural


def test_ideal_ones_are_the_functions():
    clipped = stage_of("clip", "clippers.circuit=rectifiers").ideal_v(None, VOLTS)
    assert np.array_equal(clipped, np.clip(VOLTS, -0.5, 1.0))
    for kind, function in (("tanh", np.tanh), ("sigmoid", lambda x: 1 / (1 + np.exp(-x)))):
        found = stage_of(kind, "pairs.thermal_v=0.03", unit=0.2).ideal_v(None, VOLTS)
        np.testing.assert_allclose(found, function(VOLTS / 0.2), rtol=0, atol=1e-15)


# --- the laws, put into the equations that they solve ---


@pytest.mark.parametrize("gain", [10.0, 1e4, 1e6])
def test_a_rectifier_balances_its_op_amp_its_diode_and_its_load(gain):
    stage = stage_of(
        "clip", *RECTIFIERS[:2], f"clippers.gain={gain}", "clippers.saturation_a=1e-12", levels=(0.3, math.inf)
    )
    out = stage.ideal_v(None, VOLTS)
    load_a = (out - 0.3) / stage.load_ohm
    on = load_a[:, 0] > 1e-9
    across = (gain * (VOLTS - out) - out)[on]
    np.testing.assert_allclose(across, 0.026 * np.log1p(load_a[on] / 1e-12), rtol=0, atol=3e-16 * gain + 1e-6)
    assert on.any()
    np.testing.assert_allclose(out[~on], 0.3, rtol=0, atol=2e-4)
    assert (np.diff(out[:, 0]) >= 0).all()


def test_two_levels_are_two_rectifiers():
    both = stage_of("clip", *RECTIFIERS).ideal_v(None, VOLTS)
    low = stage_of("clip", *RECTIFIERS, levels=(-0.5, math.inf)).ideal_v(None, VOLTS)
    high = stage_of("clip", *RECTIFIERS, levels=(-math.inf, 1.0)).ideal_v(None, low)
    assert np.array_equal(both, high)
    assert (stage_of("clip", *RECTIFIERS).amplifiers, both.max() < 1 + 1e-8, both.min() > -0.51) == (2, True, True)


@pytest.mark.parametrize("kind", ["sigmoid", "tanh"])
@pytest.mark.parametrize("source_ohm", [1e3, 1e6])
def test_base_currents_move_the_bases_of_a_pair(kind, source_ohm):
    """Each collector has its exponential, the tail is both emitters', and bases are moved by what they take."""
    stage = stage_of(kind, *PAIRS[:2], f"pairs.source_ohm={source_ohm}", unit=0.4)
    out = stage.ideal_v(None, VOLTS)
    ratio = out if kind == "sigmoid" else (1 + out) / 2  # of the first collector
    emitters_a = np.stack([ratio, 1 - ratio]) * stage.nominal_tail_a
    bases_a = emitters_a / 51
    driven_v = stage.attenuation * VOLTS
    inside = (ratio > 1e-9) & (ratio < 1 - 1e-9)
    junction_v = 0.02585 * np.log(emitters_a[0][inside] / emitters_a[1][inside])
    moved_v = source_ohm * (bases_a[0] - bases_a[1])[inside]
    np.testing.assert_allclose(junction_v, driven_v[inside] - moved_v, rtol=0, atol=1e-7)


# --- specimens, costs, refusals ---


def test_specimens_differ_in_what_the_technology_names():
    model, x = perceptron(nn.Tanh), np.random.default_rng(0).uniform(-1, 1, (8, 5))
    chosen = technology(*PAIRS, "pairs.tail_sigma=0.02", "pairs.offset_sigma_v=1e-3")
    design = compile_mlp(model, chosen, sizing_of(model, x))
    first, second = (draw_specimen(design, chosen, Draw(seed)) for seed in (1, 2))
    pairs = next(stage for stage in first.stages if isinstance(stage, DifferentialPairs))
    expected = 1 + 0.02 * Draw(1).normal(f"{pairs.name}.tail_a", (6,))
    np.testing.assert_allclose(pairs.tail_a / pairs.nominal_tail_a, expected, rtol=1e-15)
    assert np.array_equal(pairs.offset_v, 1e-3 * Draw(1).normal(f"{pairs.name}.offset_v", (6,)))
    assert not np.array_equal(pairs.tail_a, next(s for s in second.stages if isinstance(s, DifferentialPairs)).tail_a)


def test_tails_and_op_amps_take_power():
    x = np.random.default_rng(0).uniform(-1, 1, (8, 5))
    for activation, settings, expected in (
        (nn.Tanh, PAIRS, 2 * 5.0 * 6 * 1e-4),
        (nn.ReLU, RECTIFIERS, 2 * 5.0 * 6 * 1e-5),
    ):
        model = perceptron(activation)
        design = compile_mlp(model, technology(*settings), sizing_of(model, x))
        solution = solve(design, x, "device", RunOptions(check_samples=0))
        cost = physical_cost(design, solution, 1e-5)
        assert {stage.name: stage for stage in cost.stages}["l2.input"].power_w == pytest.approx(expected, rel=1e-12)
        assert cost.assumptions[-1] == "an operating point has no duration"


def test_what_no_circuit_can_have_is_refused():
    for settings, message in (
        (("clippers.gain=1e4",), "circuit 'rectifiers'"),
        (("pairs.tail_sigma=0.01",), "thermal_v above 0"),
    ):
        with pytest.raises(InputError, match=message):
            technology(*settings)
    with pytest.raises(InputError, match="driven by more than its input"):
        stage_of("tanh", *PAIRS, unit=0.05)
    with pytest.raises(InputError, match="no room"):
        stage_of("tanh", *PAIRS, "tia.rail_v=1.5")
    with pytest.raises(InputError, match="would have no effect"):
        compile_mlp(perceptron(nn.ReLU), technology(*PAIRS))


# --- in circuits: ngspice's own diodes and transistors are the oracle ---


@pytest.mark.ngspice
@pytest.mark.parametrize(
    ("activation", "settings"),
    [
        (nn.ReLU, (*RECTIFIERS, "clippers.offset_sigma_v=2e-3")),
        (nn.Tanh, (*PAIRS, "pairs.tail_sigma=0.02", "pairs.offset_sigma_v=1e-3")),
        (nn.Sigmoid, (*PAIRS, "pairs.tail_sigma=0.02", "pairs.offset_sigma_v=1e-3")),
    ],
)
def test_ngspice_agrees(activation, settings):
    model, x = perceptron(activation), np.random.default_rng(1).uniform(-1, 1, (5, 5))
    chosen = technology(*settings, "tia.gain=1000")
    design = draw_specimen(compile_mlp(model, chosen, sizing_of(model, x)), chosen, Draw(3))
    judge = ngspice.solve(design, x, "device", RunOptions(check_samples=2))
    found = solve(design, x, "device", RunOptions(check_samples=2))
    assert not judge.failed and not found.failed
    for name, volts in judge.stage_v.items():
        np.testing.assert_allclose(found.stage_v[name], volts, rtol=0, atol=1e-8 * max(float(volts.std()), 1e-3))
