"""What is held of a period's voltages, and what adding it comes to: the circuit's equations, integrated by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.integrate import solve_ivp

from kanspice.circuit import OdePeriod
from kanspice.engine.netlist.switching import FOLLOWS
from kanspice.engine.options import RunOptions
from kanspice.engine.running import solve
from kanspice.families.kirchhoffnet.branches import branch_function
from kanspice.families.kirchhoffnet.circuit import compile_kirchhoffnet
from kanspice.families.kirchhoffnet.network import KirchhoffNet
from kanspice.families.kirchhoffnet.topology import FullyConnected
from kanspice.technology import load_technology

pytestmark = pytest.mark.slow

INPUTS = np.array([[0.3, -0.95], [2.0, -0.7]])
LEAK_OHM, OFF_OHM, SUPPLY_V, CAPACITOR_F = 1e7, 1e8, 0.8, 1e-12
OWN = [
    *("switches.mode=monolithic", "switches.rise_s=1e-8", "switches.hold_s=1e-8", f"switches.off_ohm={OFF_OHM}"),
    *(f"kirchhoffnet.leak_ohm={LEAK_OHM}", f"kirchhoffnet.supply_v={SUPPLY_V}"),
]


def circuit(*overrides):
    """Two nodes whose branches carry nothing, and whose voltages are added to themselves after a short period."""
    topology = FullyConnected(num_node=3).build()
    branch = branch_function("ShiftTanh2", {}, "here")
    thetas = [torch.zeros(3, topology.edges)]
    model = KirchhoffNet([topology], [0.05], branch, residual=(1, 1), thetas=thetas).eval()
    return compile_kirchhoffnet(model, load_technology(None, [*OWN, *overrides]))


def integrated_v(slope, start, lasts_s):
    """What a node's and a hold cell's voltages come to: d/dt of (2,) volts, time in units of the whole."""

    def change(part, volts):
        return lasts_s * np.array(slope(part, volts))

    return solve_ivp(change, (0, 1), start, "LSODA", rtol=1e-9, atol=1e-11).y[:, -1]


def by_hand_v(design, start_v, clamp_ohm, late_s=0.0):
    """(2,) what is there before voltages are added, and after it."""
    (period,), switching = design.periods, design.switching
    rise_s, transfer_s = switching.rise_s, switching.transfer_s

    def lost(volts, on=0.0):
        beyond = volts - np.clip(volts, -SUPPLY_V, SUPPLY_V)
        return -(volts / LEAK_OHM + (1 - on) * volts / OFF_OHM + beyond / clamp_ohm) / CAPACITOR_F

    def follows(clock):
        return lambda part, volts: [lost(volts[0]), FOLLOWS / transfer_s * clock(part) * (volts[0] - volts[1])]

    both = np.array([start_v, 0.0])
    for on, lasts_s in ((lambda part: part, rise_s), (lambda _: 1.0, period.period_s - rise_s)):
        both = integrated_v(lambda part, volts, on=on: [lost(volts[0], on(part)), 0.0], both, lasts_s)
    both = integrated_v(lambda part, volts: [lost(volts[0], 1 - part), 0.0], both, rise_s)
    both = integrated_v(follows(lambda _: 1.0), both, switching.hold_s)
    both = integrated_v(follows(lambda part: 1 - part), both, transfer_s)
    added = both[1] / transfer_s
    raised = integrated_v(lambda _, volts: [lost(volts[0]) + added, 0.0], both, transfer_s)
    return both[0], integrated_v(lambda _, volts: [lost(volts[0]), 0.0], raised, late_s)[0]


@pytest.mark.parametrize("clamp_ohm", [1e5, 1e4, 1.0])
def test_nodes_at_their_supply_while_voltages_are_held_and_added(clamp_ohm):
    """Implicit Euler steps, and a straight line for what is held, were up to 0.7 mV off."""
    design = circuit(f"kirchhoffnet.clamp_ohm={clamp_ohm}")
    found = solve("batched", design, INPUTS, "device", RunOptions(check_samples=0)).stage_v
    expected = np.array([[by_hand_v(design, volts, clamp_ohm) for volts in sample] for sample in INPUTS.tolist()])
    np.testing.assert_allclose(found["l1.period"], expected[:, :, 0], atol=2e-6)
    np.testing.assert_allclose(found["readout"], expected[:, :, 1], atol=2e-6)


def test_nodes_that_relax_after_voltages_were_added():
    design = replace(circuit("kirchhoffnet.clamp_ohm=1e4"), jitter_s=5e-9)
    late_s = design.read_late_s(len(INPUTS))
    found = solve("batched", design, INPUTS, "device", RunOptions(check_samples=0)).stage_v["readout"]
    for sample in np.flatnonzero(late_s > 0):
        expected = [by_hand_v(design, volts, 1e4, late_s[sample])[1] for volts in INPUTS[sample]]
        np.testing.assert_allclose(found[sample], expected, atol=2e-6)
    assert (late_s > 0).any()


def test_waveforms_go_on_while_voltages_are_sampled():
    design = circuit("kirchhoffnet.clamp_ohm=1e4")
    found = solve("batched", design, INPUTS, "device", RunOptions(check_samples=0, waveforms=1))
    (waveform,) = found.waveforms
    assert isinstance(design.stages[0], OdePeriod)
    assert waveform.time_s[-1] == pytest.approx(design.ends_s[0], rel=1e-12)
    np.testing.assert_allclose(waveform.node_v[-1], found.stage_v["l1.period"][0], atol=1e-6)
