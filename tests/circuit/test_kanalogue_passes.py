"""A compiled design is the trained network, stage by stage in NumPy for random networks, and fits its amplifiers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from circuits import LINE, PEAK, design_of, inputs_for, load_device, network, specimen_of, technology
from hypothesis import given, settings
from hypothesis import strategies as st

from kanspice.base.errors import InputError
from kanspice.circuit import Crossbar
from kanspice.circuit.bounds import output_bounds_v
from kanspice.circuit.poles import FEEDBACK_F, crossbar_poles, damping
from kanspice.families.common.following import reference_stages
from kanspice.families.kanalogue.circuit import compile_kanalogue

DEVICES = {name: load_device(name) for name in ("z21", "a21", "rtd", "nmos_2n7002")} | {"peak": PEAK, "line": LINE}

networks = st.fixed_dictionaries(
    {
        "widths": st.lists(st.integers(1, 5), min_size=2, max_size=4),
        "names": st.lists(st.sampled_from(sorted(DEVICES)), min_size=1, max_size=3, unique=True),
        "input_stage": st.sampled_from(["PosHC", "NegHC", "sigmoid", "tanh", "None"]),
        "norm": st.sampled_from(["batch", "layer", "none"]),
        "seed": st.integers(0, 2**31),
    }
)
units = st.floats(1e-3, 1e3)


def build(drawn):
    devices = [DEVICES[name] for name in drawn["names"]]
    return network(drawn["widths"], devices, input_stage=drawn["input_stage"], norm=drawn["norm"], seed=drawn["seed"])


def stage_outputs(design, inputs):
    """Stage name -> outputs in model units, every stage ideal and fed by the one before."""
    volts, outputs = inputs * design.input_v_per_unit, {}
    for stage in design.stages:
        volts = stage.ideal_v(design, volts)
        outputs[stage.name] = volts / stage.output_v_per_unit
    return outputs


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(networks, units, st.floats(1e-9, 1e-1), st.booleans())
def test_every_ideal_stage_is_the_networks(drawn, v_unit, i_unit, from_samples):
    model = build(drawn)
    inputs = inputs_for(model, 7, drawn["seed"] % 1000)
    settings_ = (f"units.v_unit_v={v_unit!r}", f"units.i_unit_a={i_unit!r}", "tia.rail_v=3.3")
    design = design_of(model, inputs if from_samples else None, *settings_)
    reference = reference_stages(model, inputs)
    assert design.stages[-1].compares_to == list(reference)[-1]
    volts = inputs * design.input_v_per_unit
    for stage in design.stages:
        volts = stage.ideal_v(design, volts)
        expected = reference[stage.compares_to]
        scale = np.abs(expected).max() + 1.0
        np.testing.assert_allclose(volts / stage.output_v_per_unit, expected, rtol=0, atol=1e-12 * scale)
        volts = expected * stage.output_v_per_unit  # each stage alone: a corner may turn rounding into a step


def amplifier_volts(design, crossbar, rows_v):
    """Largest |output| of every TIA, and of every subtractor that no input stage follows, in volts."""
    basis = np.stack([d.curve.numpy(rows_v / design.input_v_per_unit)[0] for d in design.devices], axis=-1)
    sums = [
        np.einsum("sik,ijk->sj", basis, np.maximum(sign * crossbar.area, 0)) * crossbar.current_unit_a + bias_a
        for sign, bias_a in ((1, crossbar.bias_a[::2]), (-1, crossbar.bias_a[1::2]))
    ]
    return np.abs(np.array(sums)).max() * crossbar.feedback_ohm[0]


def unlimited(design, crossbar):
    following = design.stages[design.stages.index(crossbar) + 1 :]
    return not following or not following[0].name.endswith(".input")


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(networks, units, st.floats(0.5, 20.0), st.floats(0.1, 1.0))
def test_samples_keep_every_amplifier_within_rail_and_headroom(drawn, v_unit, rail, headroom):
    model = build(drawn)
    inputs = inputs_for(model, 7)
    overrides = (f"units.v_unit_v={v_unit!r}", f"tia.rail_v={rail!r}", f"tia.headroom={headroom!r}")
    design = design_of(model, inputs, *overrides)
    assert design.swing_basis == "7 sample inputs"
    volts, limit = inputs * design.input_v_per_unit, rail * headroom * (1 + 1e-9)
    for stage in design.stages:
        if isinstance(stage, Crossbar):
            swing = amplifier_volts(design, stage, volts)
            assert swing <= limit
            assert swing == pytest.approx(stage.column_swing_v, rel=1e-6)
        volts = stage.ideal_v(design, volts)
        if isinstance(stage, Crossbar) and unlimited(design, stage):
            assert np.abs(volts).max() <= limit


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(networks, st.floats(0.5, 20.0))
def test_the_worst_case_keeps_every_amplifier_within_rail_and_headroom_whatever_the_inputs(drawn, rail):
    """Currents of either sign included: then the two columns of a pair add up."""
    model = build(drawn)
    design = design_of(model, None, f"tia.rail_v={rail!r}")
    volts = np.random.default_rng(1).uniform(-3.0, 3.0, (200, model.input_width))
    limit = rail * 0.8 * (1 + 1e-5)
    for stage in design.stages:
        if isinstance(stage, Crossbar):
            assert amplifier_volts(design, stage, volts) <= limit
        volts = stage.ideal_v(design, volts)
        if isinstance(stage, Crossbar) and unlimited(design, stage):
            assert np.abs(volts).max() <= limit


def test_the_worst_case_of_currents_of_both_signs_by_hand():
    """I = V of -10 to 10 units on both columns: the difference reaches 20 units, four times the rail's 4 V and more."""
    model = network([2, 1], [LINE], input_stage="None", norm="none")
    for parameter, values in zip(model.crossbars[0].parameters(), [[[[1.0]], [[-1.0]]], [0.0]], strict=True):
        parameter.data.copy_(parameter.data.new_tensor(values))
    design = design_of(model, None)
    (crossbar,) = design.crossbars
    assert crossbar.feedback_ohm == pytest.approx(np.full(2 * crossbar.width, 0.4e6))
    assert crossbar.column_swing_v == pytest.approx(4.0)
    assert crossbar.output_v_per_unit == pytest.approx(4.0 / 20.0)


def test_a_layer_that_fits_keeps_one_volt_per_unit():
    model = network([1, 1], [PEAK], norm="none")
    model.crossbars[0].coeffs.data[:] = 1.5
    model.crossbars[0].bias.data[:] = -0.5
    (crossbar,) = design_of(model, np.array([[0.5]])).crossbars
    assert (crossbar.feedback_ohm == 1e6).all()
    assert crossbar.subtractor_gain == pytest.approx(1.0)
    assert crossbar.column_swing_v == pytest.approx(1.5)
    assert crossbar.bias_a == pytest.approx([0.0, 0.5e-6])


def test_swings_are_measured_on_every_sample_whatever_their_order():
    model = network([2, 2], [PEAK])
    inputs = inputs_for(model, 1300)
    design, reverse = design_of(model, inputs), design_of(model, inputs[::-1])
    assert design.swing_basis == "1300 sample inputs"
    for crossbar, other in zip(design.crossbars, reverse.crossbars, strict=True):
        np.testing.assert_array_equal(crossbar.feedback_ohm, other.feedback_ohm)
    assert design_of(model).swing_basis == "worst case over all inputs"


@settings(max_examples=25, deadline=None)
@given(networks)
def test_ideal_outputs_are_within_the_bounds(drawn):
    model = build(drawn)
    inputs = inputs_for(model, 20)
    design = design_of(model, inputs)
    bounds = output_bounds_v(design, np.abs(inputs).max(axis=0) * design.input_v_per_unit)
    for name, outputs in stage_outputs(design, inputs).items():
        per_unit = next(stage.output_v_per_unit for stage in design.stages if stage.name == name)
        assert np.all(np.abs(outputs * per_unit).max(axis=0) <= bounds[name])
        assert np.isfinite(bounds[name]).all()


@pytest.mark.parametrize("override", ["switches.on_ohm=100.0", "branches.pair_saturation=2.0"])
def test_imperfections_of_other_circuits_are_refused(override):
    with pytest.raises(InputError, match=f"{override.partition('=')[0]} would have no effect"):
        compile_kanalogue(network([2, 1], [LINE]), technology(override))


FALLING = ("tia.gain=1e4", "tia.gbw_hz=1e6", "wires.column_f=1e-14", "tia.output_ohm=100.0")


def growing(design, inputs):
    """(samples,) where some column's deviation grows, columns being where ideal amplifiers hold them."""
    reached, volts = np.zeros(len(inputs), dtype=bool), inputs * design.input_v_per_unit
    for stage in design.stages:
        if isinstance(stage, Crossbar):
            poles = crossbar_poles(design, stage, volts, np.zeros((len(inputs), 2 * stage.width))).poles
            reached |= (poles.real > 0).any(axis=(1, 2))
        volts = stage.ideal_v(design, volts)
    return reached


@pytest.mark.slow
@pytest.mark.parametrize("from_samples", [True, False])
def test_capacitors_are_chosen_so_that_nothing_grows(from_samples):
    """For the samples that a circuit is sized for, or for whatever inputs there are; without them much does."""
    model = network([6, 8, 4], [PEAK, DEVICES["z21"]], seed=5)
    inputs = inputs_for(model, 40)
    sizing = inputs if from_samples else None
    chosen = design_of(model, sizing, *FALLING)
    none = design_of(model, sizing, *FALLING, "tia.feedback_f=0")
    assert growing(none, inputs).any()
    assert not growing(chosen, inputs).any()
    if not from_samples:
        assert not growing(chosen, inputs_for(model, 500, seed=9)).any()
    for crossbar in chosen.crossbars:
        assert crossbar.feedback_f.min() == crossbar.feedback_f.max() > 0
        assert crossbar.feedback_f[0] in FEEDBACK_F
    assert not any(crossbar.feedback_f.any() for crossbar in none.crossbars)


def test_a_chosen_capacitor_damps_the_steepest_column_as_wanted():
    model = network([6, 8, 4], [PEAK, DEVICES["z21"]], seed=5)
    inputs = inputs_for(model, 40)
    crossbar = design_of(model, inputs, *FALLING).crossbars[0]
    design = design_of(model, inputs, *FALLING)
    place = int(np.argwhere(crossbar.feedback_f[0] == FEEDBACK_F)[0, 0])
    volts = design.stages[0].ideal_v(design, inputs)
    reached = []
    for farads in FEEDBACK_F[[place - 3, place]]:
        changed = replace(crossbar, feedback_f=np.full(2 * crossbar.width, farads))
        poles = crossbar_poles(design, changed, volts, np.zeros((len(inputs), 2 * crossbar.width))).poles
        reached.append(damping(poles).min())
    assert reached[0] < 0.7 <= reached[1] + 1e-6


def test_specimens_have_capacitors_of_their_own():
    model = network([3, 4, 2], [PEAK])
    inputs = inputs_for(model, 10)
    given = specimen_of(model, inputs, *FALLING, "tia.feedback_f=1e-13", "tia.feedback_f_sigma=0.1", seed=3)
    farads = np.concatenate([crossbar.feedback_f for crossbar in given.crossbars])
    assert len(set(farads)) == len(farads)
    assert 0.02 < np.std(farads / 1e-13) < 0.2
    bare = specimen_of(model, inputs, *FALLING, "tia.feedback_f=0", "tia.feedback_f_sigma=0.1")
    assert not any(crossbar.feedback_f.any() for crossbar in bare.crossbars)


def test_a_capacitor_without_a_bandwidth_is_refused():
    model = network([3, 2], [PEAK])
    with pytest.raises(InputError, match="a feedback capacitor acts on an amplifier with a bandwidth"):
        design_of(model, None, "tia.feedback_f=1e-13")
    ideal = design_of(model, None, "tia.feedback_f=0")
    assert not ideal.crossbars[0].feedback_f.any()
    with pytest.raises(InputError, match=r"bad value for 'tia\.feedback_f'\n"):
        technology("tia.feedback_f=-1e-13")
