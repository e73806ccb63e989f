"""Circuits of standard resistors: every one is of the series, nothing else changes, and both engines agree."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from circuits import LINE, PEAK, inputs_for, network, specimen_of, technology
from connections import memkan, memkan_design, phykan, phykan_design
from images import cnnkan
from torch import nn

import kanspice
from kanspice.base.draws import Draw
from kanspice.base.errors import InputError
from kanspice.circuit.file import design_bytes
from kanspice.circuit.specimens import draw_specimen
from kanspice.engine import batched
from kanspice.engine.ngspice import engine as ngspice
from kanspice.engine.options import RunOptions
from kanspice.families.cnnkan.circuit import compile_cnnkan
from kanspice.families.compiling import sizing_of
from kanspice.families.kirchhoffnet.branches import branch_function
from kanspice.families.kirchhoffnet.circuit import compile_kirchhoffnet
from kanspice.families.kirchhoffnet.network import KirchhoffNet
from kanspice.families.kirchhoffnet.topology import recipe
from kanspice.families.mlp.circuit import compile_mlp
from kanspice.technology.standard_values import nearest

E96 = "parts.resistors=E96"
WITHIN = 0.0147
"""No value is farther from one of E96: half of the step from 1.02 to 1.05."""
MODEL = network([6, 5, 3], [PEAK, LINE])
SAMPLES = inputs_for(MODEL, 8)
SCHEMATIC = "branches.realisation=schematic"


def is_standard(values):
    values = np.abs(np.asarray(values))
    return bool((np.abs(values / nearest(values, "E96") - 1) <= 1e-12).all())


def outputs_v(engine, design, inputs):
    solution = engine.solve(design, inputs, "device", RunOptions(check_samples=0))
    assert not solution.failed
    return solution.stage_v[design.last_of_circuit.name]


def perceptron(activation):
    torch.manual_seed(0)
    return kanspice.convert(nn.Sequential(nn.Linear(5, 6), activation(), nn.Linear(6, 3)).double())


def mlp_designs(activation, *overrides):
    """The exact circuit, that of standard resistors, and inputs."""
    model, inputs = perceptron(activation), np.random.default_rng(0).normal(size=(4, 5))
    nominal = compile_mlp(model, technology(*overrides), sizing_of(model, inputs))
    return nominal, draw_specimen(nominal, technology(E96, *overrides), Draw()), inputs


def test_it_is_a_cause_and_exact_without_it():
    built = technology(E96)
    assert built.causes == ("parts.resistors",)
    assert not built.without(built.causes).causes
    exact = specimen_of(MODEL, SAMPLES, "parts.resistors=exact")
    assert design_bytes(replace(exact, technology_json="")) == design_bytes(
        replace(specimen_of(MODEL, SAMPLES), technology_json="")
    )
    with pytest.raises(InputError, match=r"bad value for 'parts\.resistors'"):
        technology("parts.resistors=E97")


def test_amplifiers_and_references_of_a_crossbar():
    for exact, made in zip(
        specimen_of(MODEL, SAMPLES).crossbars, specimen_of(MODEL, SAMPLES, E96).crossbars, strict=True
    ):
        assert is_standard(made.feedback_ohm)
        assert is_standard(made.subtractor_gain)
        both = made.feedback_ohm * made.subtractor_gain / (exact.feedback_ohm * exact.subtractor_gain)
        np.testing.assert_allclose(both, 1, atol=WITHIN)
        biased = exact.bias_a != 0
        assert biased.any()
        assert is_standard(exact.rail_v / made.bias_a[biased])
        np.testing.assert_allclose(made.bias_a[biased] / exact.bias_a[biased], 1, atol=WITHIN)
        assert (made.bias_a[~biased] == 0).all()

    assert not is_standard(specimen_of(MODEL, SAMPLES).crossbars[0].feedback_ohm)


def test_what_an_amplifiers_input_takes_is_no_resistors():
    taken = specimen_of(MODEL, SAMPLES, E96, "tia.input_bias_a=1e-9").crossbars[0]
    np.testing.assert_allclose(taken.bias_a, specimen_of(MODEL, SAMPLES, E96).crossbars[0].bias_a - 1e-9, rtol=1e-12)


def test_devices_that_are_resistors_and_no_others():
    exact, made = (specimen_of(MODEL, SAMPLES, *some).crossbars[0] for some in ((), (E96,)))
    np.testing.assert_array_equal(made.area[:, :, 0], exact.area[:, :, 0])
    there = exact.area[:, :, 1] != 0
    assert is_standard(1 / (made.area[:, :, 1][there] * made.current_unit_a))
    np.testing.assert_allclose(made.area[:, :, 1][there] / exact.area[:, :, 1][there], 1, atol=WITHIN)


def test_production_spreads_around_standard_values():
    spread, standard = (specimen_of(MODEL, SAMPLES, "tia.feedback_sigma=0.01", *some) for some in ((), (E96,)))
    exact, nominal = specimen_of(MODEL, SAMPLES), specimen_of(MODEL, SAMPLES, E96)
    for before, after, base, rounded in zip(*(d.crossbars for d in (spread, standard, exact, nominal)), strict=True):
        drawn = before.feedback_ohm / base.feedback_ohm
        np.testing.assert_allclose(after.feedback_ohm / rounded.feedback_ohm, drawn, rtol=1e-12)


@pytest.mark.parametrize("activation", [nn.Tanh, nn.Sigmoid])
def test_differential_pairs(activation):
    nominal, made, _ = mlp_designs(activation, "pairs.thermal_v=0.02585", "pairs.current_gain=50")
    exact, built = nominal.stages[2], made.stages[2]
    assert is_standard([built.upper_ohm, built.lower_ohm, built.load_ohm])
    assert built.attenuation == pytest.approx(built.lower_ohm / (built.upper_ohm + built.lower_ohm), rel=1e-12)
    assert built.load_ohm == pytest.approx(exact.load_ohm, rel=WITHIN)
    most_v = built.ideal_v(made, np.full((1, 6), 1e3))
    np.testing.assert_allclose(most_v[0], 50 / 51 * built.tail_a * built.load_ohm, rtol=1e-9)


def test_rectifiers():
    _, made, _ = mlp_designs(nn.ReLU, "clippers.circuit=rectifiers", "clippers.knee_v=0.026", "clippers.load_ohm=1e5")
    assert made.stages[2].load_ohm == 1e5
    _, made, _ = mlp_designs(
        nn.ReLU, "clippers.circuit=rectifiers", "clippers.knee_v=0.026", "clippers.load_ohm=1.28e5"
    )
    assert made.stages[2].load_ohm == 127e3


def test_filters_and_synapses():
    for bank, exact in zip(phykan_design(phykan(), E96).banks, phykan_design(phykan()).banks, strict=True):
        there = exact.gain != 0
        for name in ("gain", "high_ohm", "low_ohm"):
            assert is_standard(getattr(bank, name)[there])
            np.testing.assert_allclose(getattr(bank, name)[there] / getattr(exact, name)[there], 1, atol=WITHIN)
        np.testing.assert_array_equal(bank.gain[~there], 0)
        np.testing.assert_array_equal(bank.high_f, exact.high_f)
    for bank, exact in zip(memkan_design(memkan(), E96).banks, memkan_design(memkan()).banks, strict=True):
        for name in ("gain", "load_ohm", "input_ohm", "series_ohm"):
            assert is_standard(getattr(bank, name))
            np.testing.assert_allclose(getattr(bank, name) / getattr(exact, name), 1, atol=WITHIN)
        np.testing.assert_array_equal(bank.alpha_per_v, exact.alpha_per_v)


def test_averages():
    model, overrides = cnnkan((1, 1, 2), (2,)), ("convolution.layout=unrolled", "convolution.average_ohm=1.28e6")
    made = draw_specimen(compile_cnnkan(model, technology(*overrides)), technology(E96, *overrides), Draw())
    averages = [stage.ohm for stage in made.stages if stage.KIND == "average"]
    assert averages
    assert all((ohm == 1.27e6).all() for ohm in averages)
    assert all(is_standard(crossbar.feedback_ohm) for crossbar in made.all_crossbars)


def kirchhoffnet(law):
    torch.manual_seed(2)
    topology = recipe("_fully_connect", {"num_node": 3}, "x").build()
    return KirchhoffNet([topology], [0.5], branch_function(law, {}, "x")).eval()


@pytest.mark.parametrize(("law", "row"), [("Conductance", 0), ("ShiftRelu1", 1)])
def test_conductances_of_schematics(law, row):
    nominal = compile_kirchhoffnet(kirchhoffnet(law), technology(SCHEMATIC))
    (period,) = draw_specimen(nominal, technology(SCHEMATIC, E96), Draw()).periods
    there = period.theta[row] != 0
    assert is_standard(1 / (period.theta[row] * period.gain * period.current_unit_a)[there])
    np.testing.assert_allclose(period.gain, 1, atol=WITHIN)
    assert (period.gain != 1).any()


@pytest.mark.parametrize(
    ("law", "overrides"), [("ShiftTanh2", (SCHEMATIC,)), ("Conductance", ()), ("ShiftRelu2", (SCHEMATIC,))]
)
def test_branches_without_resistors_refuse(law, overrides):
    with pytest.raises(InputError, match=r"parts\.resistors would have no effect"):
        compile_kirchhoffnet(kirchhoffnet(law), technology(E96, *overrides))


@pytest.mark.ngspice
@pytest.mark.parametrize(
    ("activation", "overrides"),
    [
        (nn.Tanh, ("pairs.thermal_v=0.02585", "pairs.current_gain=50")),
        (nn.ReLU, ("clippers.circuit=rectifiers", "clippers.knee_v=0.026", "clippers.gain=2000", "tia.gain=1000")),
    ],
)
def test_ngspice_agrees_on_perceptrons(activation, overrides):
    nominal, made, inputs = mlp_designs(activation, *overrides)
    own, judged = outputs_v(batched, made, inputs), outputs_v(ngspice, made, inputs)
    np.testing.assert_allclose(own, judged, rtol=0, atol=1e-7 * np.abs(judged).max())
    assert np.abs(own - outputs_v(batched, nominal, inputs)).max() > 1e-4 * np.abs(judged).max()


@pytest.mark.ngspice
@pytest.mark.parametrize("law", ["Conductance", "ShiftRelu1"])
def test_ngspice_agrees_on_schematics(law):
    nominal = compile_kirchhoffnet(kirchhoffnet(law), technology(SCHEMATIC))
    made, inputs = draw_specimen(nominal, technology(SCHEMATIC, E96), Draw()), np.array([[0.5, -1.0, 0.3]])
    own, judged = outputs_v(batched, made, inputs), outputs_v(ngspice, made, inputs)
    np.testing.assert_allclose(own, judged, rtol=0, atol=1e-4)
