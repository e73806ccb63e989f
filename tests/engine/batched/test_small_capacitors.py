"""What bounds how small a KirchhoffNet's capacitors can be: thermal noise, parasitic capacitance, clocks."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.constants import Boltzmann

from kanspice.engine import batched
from kanspice.engine.ngspice import engine as ngspice
from kanspice.engine.options import RunOptions
from kanspice.families.kirchhoffnet.branches import BRANCHES
from kanspice.families.kirchhoffnet.circuit import compile_kirchhoffnet
from kanspice.families.kirchhoffnet.network import KirchhoffNet
from kanspice.families.kirchhoffnet.topology import Topology
from kanspice.technology import load_technology

FARADS = 1e-16


def network(nodes=2, fill="zeros", periods=1):
    """A conductance of 1 from every node to ground, for one time constant in all."""
    topology = Topology(np.arange(1, nodes + 1), np.zeros(nodes, dtype=np.int64), np.arange(nodes), nodes)
    thetas = [torch.ones(1, nodes, dtype=torch.float64)] * periods
    durations = [1 / periods] * periods
    conductance = BRANCHES["Conductance"]()
    return KirchhoffNet([topology] * periods, durations, conductance, thetas=thetas, fill=fill, input_width=1).eval()


def design(*overrides, **about):
    technology = load_technology(None, [f"kirchhoffnet.capacitance_f={FARADS}", *overrides])
    return compile_kirchhoffnet(network(**about), technology)


def test_thermal_noise_is_kt_over_c_at_the_start_and_when_outputs_are_taken():
    noisy = design("kirchhoffnet.noise_k=300.0")
    outputs_v = batched.solve(noisy, np.zeros((20_000, 1)), "device").stage_v["readout"]
    expected_v = np.sqrt(Boltzmann * 300 / FARADS * (1 + np.exp(-2)))
    assert expected_v == pytest.approx(6.86e-3, rel=1e-3)
    np.testing.assert_allclose(outputs_v.std(axis=0), expected_v, rtol=0.02)
    assert abs(np.corrcoef(outputs_v.T)[0, 1]) < 0.03


@pytest.mark.parametrize("fill", ["zeros", "repeat"])
def test_every_node_has_noise_of_its_own(fill):
    noisy = design("kirchhoffnet.noise_k=300.0", nodes=3, fill=fill)
    start_v = noisy.inputs_v(np.ones((4, 1))) - noisy.periods[0].start_v(np.ones((4, 1)))
    assert start_v.shape == (4, 3)
    assert len(np.unique(start_v)) == 12


def test_a_sample_s_noise_does_not_depend_on_the_samples_beside_it():
    noisy, inputs = design("kirchhoffnet.noise_k=300.0"), np.linspace(-1, 1, 5)[:, None]
    everything = batched.solve(noisy, inputs, "device").stage_v["readout"]
    some = batched.solve(noisy, inputs[[3, 1]], "device", numbers=[3, 1]).stage_v["readout"]
    np.testing.assert_array_equal(some, everything[[3, 1]])


@pytest.mark.ngspice
@pytest.mark.parametrize("mode", ["phased", "monolithic"])
def test_both_engines_have_the_same_noise_parasitics_and_clock(mode):
    overrides = ("noise_k=300.0", "parasitic_f=2e-17", "clock_s=7e-12")
    small = design(
        *(f"kirchhoffnet.{each}" for each in overrides),
        *("branches.parasitic_f=1e-17", f"switches.mode='{mode}'"),
        periods=2,
    )
    inputs = np.linspace(-1, 1, 4)[:, None]
    judge = ngspice.solve(small, inputs, "device", RunOptions(check_samples=0, steps=100))
    found = batched.solve(small, inputs, "device")
    np.testing.assert_allclose(judge.stage_v["readout"], found.stage_v["readout"], rtol=0, atol=1e-5)


def test_parasitics_slow_nodes_down():
    slow = design("kirchhoffnet.parasitic_f=2e-17", "branches.parasitic_f=1e-17", periods=2)
    for period in slow.periods:
        np.testing.assert_allclose(period.capacitor_f, FARADS * (1 + 0.2 + 2 * 0.1))
    volts = batched.solve(slow, np.ones((1, 1)), "device").stage_v["readout"]
    np.testing.assert_allclose(volts[0], [np.exp(-1 / 1.4), 0.0], rtol=1e-6)


@pytest.mark.parametrize(("clock_s", "lasts_s"), [(7e-12, 49e-12), (4e-11, 4e-11), (1e-9, 1e-9), (5e-324, 5e-11)])
def test_periods_last_whole_ticks_of_the_clock(clock_s, lasts_s):
    ticking = design(f"kirchhoffnet.clock_s={clock_s}", periods=2)
    np.testing.assert_allclose([period.period_s for period in ticking.periods], lasts_s)
