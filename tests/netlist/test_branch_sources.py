"""Every branch law, as ngspice evaluates it, against torch; and NumPy against torch."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from periods import design_of_periods, period

from kanspice.design.branches import LAWS, branch_currents, growth, law_rows
from kanspice.models.branches import branch_function
from kanspice.models.kirchhoffnet_layer import Layer
from kanspice.models.topology import topology_from_edges
from kanspice.netlist import build_netlist, place_of
from kanspice.ngspice.deck import NORMAL, sweep_deck
from kanspice.ngspice.process import RAW_FILE, run_deck, working_folder
from kanspice.ngspice.program import find_ngspice
from kanspice.ngspice.raw import read_plots

EDGES = [(0, 1), (1, 0), (1, 2), (2, 1), (2, 2), (2, 0), (1, 2)]
VOLTS = np.random.default_rng(1).normal(0, 2, (40, 2))


def parameters(law):
    theta = np.random.default_rng(2).normal(size=(law_rows(law), len(EDGES)))
    theta[:, -1] = 0.0
    return theta


def currents_into_nodes(law, theta):
    """(samples, nodes) in units, by torch."""
    layer = Layer(topology_from_edges(EDGES), branch_function(law, {}, "x"), 1.0)
    layer.theta.data.copy_(torch.from_numpy(theta))
    with torch.no_grad():
        return layer(torch.zeros(()), torch.from_numpy(VOLTS)).numpy()


@pytest.mark.ngspice
@pytest.mark.parametrize("v_unit", [1.0, 0.3])
@pytest.mark.parametrize("law", LAWS)
def test_a_bank_in_ngspice_carries_what_torch_says(law, v_unit):
    theta = parameters(law)
    netlist = build_netlist(design_of_periods(period(law, EDGES, theta, v_unit=v_unit)), "device")
    sense = "".join(f"vs{n} p{n} l1_v{n} 0\nh{n} out{n} 0 vs{n} -1e6\nr{n} out{n} 0 1\n" for n in (1, 2))
    with working_folder() as folder:
        for name, text in netlist.files.items():
            (folder / name).write_text(text)
        (folder / "circuit.cir").write_text(f".include l1_bank.cir\nxl1_bank l1_v1 l1_v2 l1_bank\n{sense}")
        (folder / "run.cir").write_text(sweep_deck(["p1", "p2"], VOLTS * v_unit, ["out1", "out2"], NORMAL))
        run_deck(find_ngspice(), folder, "run.cir")
        (plot,) = read_plots(folder / RAW_FILE)
    found = plot.table[:, [plot.vectors.index(f"v(out{n})") for n in (1, 2)]]
    expected = currents_into_nodes(law, theta)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12 * np.abs(expected).max())


@pytest.mark.parametrize("law", LAWS)
def test_numpy_says_the_same_and_currents_stay_below_their_bound(law):
    theta, volts = parameters(law), np.pad(VOLTS, ((0, 0), (1, 0)))
    source, destination = np.array(EDGES).T
    currents = branch_currents(law, volts[:, source], volts[:, destination], theta)
    totals = np.zeros((len(VOLTS), 3))
    for edge, (s, d) in enumerate(EDGES):
        totals[:, d] += currents[:, edge]
        totals[:, s] -= currents[:, edge]
    np.testing.assert_allclose(totals[:, 1:], currents_into_nodes(law, theta), rtol=0, atol=1e-14 * 40)
    slope, offset = growth(law, theta)
    largest = np.abs(VOLTS).max(axis=1, keepdims=True)
    assert (np.abs(currents) <= slope * largest + offset + 1e-12).all()


def test_names_lead_back_to_the_model():
    assert place_of("timestep too small; trouble with node 'l2_v7'") == "layer 2, node 7"
    assert place_of("trouble with xl2_bank: b.xl2_bank.be17") == "layer 2, branch 17"


def test_branches_that_change_nothing_are_left_out():
    netlist = build_netlist(design_of_periods(period("ShiftRelu1", EDGES, parameters("ShiftRelu1"))), "device")
    assert netlist.elements == 2 + len(EDGES) - 2  # a branch from a node to itself, and one of slope 0
    assert netlist.probes["readout"] == ("l1_v1", "l1_v2")
