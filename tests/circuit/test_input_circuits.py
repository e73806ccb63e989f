"""Input stages that are circuits: precision rectifiers, and differential pairs of bipolar transistors."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from circuits import technology
from torch import nn

import kanspice
from kanspice.base.draws import Draw
from kanspice.base.errors import InputError, SimulatorError
from kanspice.circuit import DifferentialPairs, Limiter, Rectifier
from kanspice.circuit.compile.inputs import input_stage
from kanspice.circuit.specimens import draw_specimen
from kanspice.engine.batched import solve
from kanspice.engine.ngspice import engine as ngspice
from kanspice.engine.options import RunOptions
from kanspice.engine.solution import Outcome
from kanspice.families.compiling import sizing_of
from kanspice.families.mlp.circuit import compile_mlp
from kanspice.gap import physical_cost
from kanspice.technology import load_technology

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
        cost = physical_cost(design, solution, technology("supply.quiescent_a=1e-5"))
        assert {stage.name: stage for stage in cost.stages}["l2.input"].power_w == pytest.approx(expected, rel=1e-12)
        assert cost.assumptions[-1].startswith("an operating point has no duration")


def test_what_no_circuit_can_have_is_refused():
    for settings, message in (
        (("clippers.gain=1e4",), "circuit 'rectifiers'"),
        (("clippers.load_ohm=1e4",), "circuit 'rectifiers'"),
        (("clippers.saturation_a=1e-300",), "saturation_a"),
        (("clippers.load_ohm=1e-30",), "load_ohm"),
    ):
        with pytest.raises(InputError, match=message):
            technology(*settings)
    with pytest.raises(InputError, match="driven by more than its input"):
        stage_of("tanh", *PAIRS, unit=0.05)
    with pytest.raises(InputError, match="no room"):
        stage_of("tanh", *PAIRS, "tia.rail_v=1.5")
    with pytest.raises(InputError, match="would have no effect"):
        compile_mlp(perceptron(nn.ReLU), technology(*PAIRS))
    for setting in ("pairs.tail_sigma=0.01", "pairs.source_ohm=1e4"):
        with pytest.raises(InputError, match="thermal_v above 0"):
            compile_mlp(perceptron(nn.Tanh), technology(setting))


def test_a_general_technology_s_pairs_can_be_left_out():
    general = load_technology("typical", ["pairs.thermal_v=0"])
    design = compile_mlp(perceptron(nn.Tanh), general)
    assert isinstance(design.stages[2], Limiter)
    assert '"tail_sigma": 0.0' in design.technology_json
    with pytest.raises(InputError, match="would have no effect"):
        compile_mlp(perceptron(nn.Tanh), load_technology("typical", ["pairs.thermal_v=0", "pairs.tail_sigma=0.1"]))


@pytest.mark.parametrize("general", ["general=true", ""])
def test_settings_of_what_a_circuit_has_not_got_are_refused(general, tmp_path):
    """No imperfections: whoever sets them believes that they do something all the same."""
    file = tmp_path / "tech.toml"
    file.write_text(f"{general}\n[convolution]\nlayout='unrolled'\n")
    model = perceptron(nn.ReLU)
    with pytest.raises(InputError, match=r"convolution\.layout would have no effect"):
        compile_mlp(model, load_technology(None if general else file, ["convolution.layout=unrolled"]))
    if general:
        assert compile_mlp(model, load_technology(file)).stages
        with pytest.raises(InputError, match=r"convolution\.average_ohm would have no effect"):
            compile_mlp(model, load_technology(file, ["convolution.average_ohm=1e3"]))


def test_rectifiers_have_a_level_and_a_leak():
    assert isinstance(stage_of("clip", *RECTIFIERS, levels=(-math.inf, math.inf)), Limiter)
    stage = stage_of("clip", *RECTIFIERS)
    assert stage.fits(1, 0)
    assert not replace(stage, low_v=-math.inf, high_v=math.inf).fits(1, 0)
    assert not replace(stage, saturation_a=1e-200, load_ohm=1e-200).fits(1, 0)


@pytest.mark.parametrize(
    ("activation", "settings"),
    [(nn.Tanh, PAIRS[:1]), (nn.Sigmoid, PAIRS), (nn.ReLU, RECTIFIERS), (nn.ReLU, RECTIFIERS[:1])],
)
def test_a_compiled_folder_answers_as_the_design_does(activation, settings, tmp_path):
    """Also with what is not said: an infinite current gain, an infinite open-loop gain."""
    model, x = perceptron(activation), np.random.default_rng(1).uniform(-1, 1, (3, 5))
    kanspice.compile(model, output=tmp_path / "circuit", inputs=x, set=settings)
    found = kanspice.simulate(tmp_path / "circuit", x, engine="batched")
    np.testing.assert_array_equal(found.outputs, kanspice.verify(model, x, engine="batched", set=settings).outputs)


# --- rails ---


def steep(activation, peak):
    """Sums of up to `peak`, either way, for inputs of up to 1."""
    layers = nn.Linear(1, 4), activation(), nn.Linear(4, 2)
    with torch.no_grad():
        layers[0].weight.fill_(peak)
        layers[0].bias.zero_()
    return kanspice.convert(nn.Sequential(*layers).double())


def failures_of(activation, peak, **settings):
    inputs = np.linspace(-1, 1, 9)[:, None]
    result = kanspice.verify(steep(activation, peak), inputs, set=settings, engine="batched", seed=3)
    assert {failure.outcome for failure in result.failed} <= {Outcome.BEYOND_RAIL}
    assert np.isnan(result.outputs[[failure.index for failure in result.failed]]).all()
    return {failure.index: failure.detail for failure in result.failed}


@pytest.mark.parametrize(("activation", "peak"), [(nn.Sigmoid, 70.0), (nn.Tanh, 35.0)])
def test_samples_that_saturate_a_transistor_have_failed(activation, peak):
    """A base at nearly 2 V, whose collector's load takes 1 V of a rail of 2 V: ngspice's pair is 9 % off by then."""
    rails = {"pairs.thermal_v": 0.02585, "tia.rail_v": 2.0, "tia.headroom": 1.0}
    found = failures_of(activation, peak, **rails)
    assert list(found) == [7, 8]
    assert "above its collector" in found[8]
    assert failures_of(activation, peak, **rails | {"tia.rail_v": 5.0}) == {}


def test_a_tail_that_takes_more_than_the_rail_fails_what_it_saturates():
    tails = {"pairs.thermal_v": 0.02585, "tia.rail_v": 2.0}
    assert failures_of(nn.Tanh, 1.5, **tails, **{"pairs.tail_sigma": 2.0}).keys() >= {0, 8}
    assert failures_of(nn.Tanh, 1.5, **tails, **{"pairs.tail_sigma": 0.02}) == {}


def test_an_op_amp_gives_what_its_diode_takes_on_top():
    """4.8 V out are 4.8 V + 0.05 V ln(4.8 V / 1 nV) = 5.91 V in front of the diode."""
    settings = {"clippers.circuit": "rectifiers", "clippers.gain": 1e4, "tia.headroom": 0.96}
    assert list(failures_of(nn.ReLU, 10.0, **settings, **{"clippers.knee_v": 0.05})) == [8]
    assert failures_of(nn.ReLU, 10.0, **settings, **{"clippers.knee_v": 0.005}) == {}
    stage = stage_of("clip", *RECTIFIERS, levels=(-0.5, 1.0))
    drop_v = 0.026 * math.log1p(1.5 / (stage.load_ohm * stage.saturation_a))
    np.testing.assert_allclose(stage.op_amps_v(np.array([[1.0], [-0.5]]))[:, 0], [1.0 + drop_v, 0.5 + drop_v])


def test_nothing_settles_to_what_no_rail_allows():
    overrides = {"pairs.thermal_v": 0.02585, "tia.rail_v": 2.0, "tia.headroom": 1.0, "tia.gbw_hz": 1e8}
    with pytest.raises(SimulatorError, match="2 of 9 samples have no operating point"):
        kanspice.settle(steep(nn.Tanh, 35.0), np.linspace(-1, 1, 9)[:, None], set=overrides, engine="batched")


def test_whoever_reads_settling_times_is_told_what_is_not_in_them():
    model, x = perceptron(nn.Tanh), np.random.default_rng(0).uniform(-1, 1, (2, 5))
    settings = {"pairs.thermal_v": 0.02585, "tia.gbw_hz": 1e8}
    notes = kanspice.settle(model, x, set=settings, engine="batched", period=1e-6).notes
    assert any(note.startswith("l2.input, l4.input: ") and "follow at once" in note for note in notes)


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
