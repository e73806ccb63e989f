"""Every branch law, as ngspice evaluates it, against torch; and NumPy against torch."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from periods import design_of_periods, period
from schematics import EDGES, SCHEMATIC, SCHEMATICS, VOLTS, parameters

from kanspice.circuit.branch_laws import LAWS, SCHEMATIC_LAWS
from kanspice.engine.netlist import build_netlist, place_of
from kanspice.engine.ngspice.deck import NORMAL, sweep_deck
from kanspice.engine.ngspice.process import RAW_FILE, run_deck
from kanspice.engine.ngspice.program import find_ngspice
from kanspice.engine.simulators.process import working_folder
from kanspice.engine.simulators.raw import read_plots
from kanspice.families.kirchhoffnet.branches import branch_function
from kanspice.families.kirchhoffnet.layer import Layer
from kanspice.families.kirchhoffnet.topology import topology_from_edges


def branch_of(law):
    """torch's branch function of a law."""
    device, _, activation = law.partition(".")
    if not activation:
        return branch_function(law, {}, "x")
    chosen = None if activation == "identity" else activation
    return branch_function("Device", {"negation": device == "Device1", "activation": chosen}, "x")


def currents_into_nodes(law, theta):
    """(samples, nodes) in units, by torch."""
    layer = Layer(topology_from_edges(EDGES), branch_of(law), 1.0)
    layer.theta.data.copy_(torch.from_numpy(theta))
    with torch.no_grad():
        return layer(torch.zeros(()), torch.from_numpy(VOLTS)).numpy()


@pytest.mark.slow
@pytest.mark.ngspice
@pytest.mark.parametrize("v_unit", [1.0, 0.3])
@pytest.mark.parametrize("law", LAWS)
def test_a_bank_in_ngspice_carries_what_torch_says(law, v_unit):
    theta = parameters(law)
    found = currents_in_ngspice(design_of_periods(period(law, EDGES, theta, v_unit=v_unit)), VOLTS * v_unit)
    expected = currents_into_nodes(law, theta)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12 * np.abs(expected).max())


def currents_in_ngspice(design, volts):
    """(samples, nodes) in units."""
    netlist = build_netlist(design, "device")
    sense = "".join(f"vs{n} p{n} l1_v{n} 0\nh{n} out{n} 0 vs{n} -1e6\nr{n} out{n} 0 1\n" for n in (1, 2))
    with working_folder() as folder:
        netlist.write(folder)
        (folder / "circuit.cir").write_text(f".include l1_bank.cir\n{sense}")
        (folder / "run.cir").write_text(sweep_deck(["p1", "p2"], volts, ["out1", "out2"], NORMAL))
        run_deck(find_ngspice(), folder, "run.cir")
        (plot,) = read_plots(folder / RAW_FILE)
    return plot.table[:, [plot.vectors.index(f"v(out{n})") for n in (1, 2)]]


@pytest.mark.ngspice
@pytest.mark.parametrize("v_unit", [1.0, 0.3])
@pytest.mark.parametrize("law", SCHEMATIC_LAWS)
def test_a_schematic_carries_what_its_parts_let_it(law, v_unit):
    """Against the same circuits worked out by hand: one-sided switches, limited VCCS, a pair's tail current."""
    theta = parameters(law)
    in_units = replace(SCHEMATIC, switch_on_ohm=2e4 * v_unit, switch_off_ohm=5e7 * v_unit, source_ohm=4e6 * v_unit)
    design = replace(design_of_periods(period(law, EDGES, theta, v_unit=v_unit)), schematic=in_units)
    found = currents_in_ngspice(design, VOLTS * v_unit)
    expected = np.zeros((len(VOLTS), 3))
    volts = np.pad(VOLTS, ((0, 0), (1, 0)))
    for edge, (s, d) in enumerate(EDGES):
        current = SCHEMATICS[law](volts[:, s], volts[:, d], theta[:, edge])
        expected[:, d] += current
        expected[:, s] -= current
    np.testing.assert_allclose(found, expected[:, 1:], rtol=0, atol=1e-9 * np.abs(expected).max())
    if law != "Conductance":
        assert np.abs(found - currents_into_nodes(law, theta)).max() > 1e-3


def test_every_schematic_of_the_paper_is_tested():
    assert set(SCHEMATICS) == set(SCHEMATIC_LAWS)


@pytest.mark.parametrize("law", LAWS)
def test_numpy_says_the_same_and_currents_stay_below_their_bound(law):
    theta, volts = parameters(law), np.pad(VOLTS, ((0, 0), (1, 0)))
    source, destination = np.array(EDGES).T
    currents = LAWS[law].currents(volts[:, source], volts[:, destination], theta)
    totals = np.zeros((len(VOLTS), 3))
    for edge, (s, d) in enumerate(EDGES):
        totals[:, d] += currents[:, edge]
        totals[:, s] -= currents[:, edge]
    np.testing.assert_allclose(totals[:, 1:], currents_into_nodes(law, theta), rtol=0, atol=1e-14 * 40)
    slope, offset = LAWS[law].growth(theta)
    largest = np.abs(VOLTS).max(axis=1, keepdims=True)
    assert (np.abs(currents) <= slope * largest + offset + 1e-12).all()


def test_names_lead_back_to_the_model():
    assert place_of("timestep too small; trouble with node 'l2_v7'") == "layer 2, node 7"
    assert place_of("trouble with bl2_e17") == "layer 2, branch 17"


def test_branches_that_change_nothing_are_left_out():
    netlist = build_netlist(design_of_periods(period("ShiftRelu1", EDGES, parameters("ShiftRelu1"))), "device")
    assert netlist.elements == 2 + len(EDGES) - 2  # a branch from a node to itself, and one of slope 0
    assert netlist.probes["readout"] == ("l1_v1", "l1_v2")
