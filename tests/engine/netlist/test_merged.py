"""Branches between the same two nodes as one source: the same currents, everywhere, and names that lead back."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from circuits import PEAK, crossbar_design
from periods import design_of_periods, period

from kanspice.base.errors import InputError
from kanspice.circuit import Schematic
from kanspice.circuit.branch_laws import LAWS
from kanspice.engine.netlist import build_netlist, place_of
from kanspice.engine.netlist.elimination import elimination_order
from kanspice.engine.netlist.merged import parallel_branches
from kanspice.engine.ngspice.deck import TIGHT, sweep_deck
from kanspice.engine.ngspice.engine import solve
from kanspice.engine.ngspice.process import RAW_FILE, run_deck
from kanspice.engine.ngspice.program import find_ngspice
from kanspice.engine.options import RunOptions
from kanspice.engine.simulators.process import working_folder
from kanspice.engine.simulators.raw import read_plots
from kanspice.experiments.compile import write_compiled
from kanspice.experiments.verify.run import resolve_fidelity

# Both directions, duplicates, ground at either end, one from a node to itself, and a pair with a single branch.
EDGES = [(0, 1), (1, 0), (1, 2), (2, 1), (2, 2), (2, 0), (1, 2), (3, 1), (1, 3), (1, 3), (3, 0), (2, 3)]
SCHEMATIC = Schematic(1e3, 1e12, 1e9, 1.0, 10.0)
PAIRS = {(1, 0): [0, 1], (2, 1): [2, 3, 6], (2, 0): [5], (3, 1): [7, 8, 9], (3, 0): [10], (3, 2): [11]}


PIECEWISE_LINEAR = ("ShiftRelu1", "ShiftLeakyRelu1", "Conductance")
"""In the difference of the voltages."""


def circuit(law, *, v_unit=1.0, seed=3):
    theta = np.random.default_rng(seed).normal(size=(LAWS[law].rows, len(EDGES)))
    theta[0, 6] = theta[0, 2]  # two branches with one kink
    return design_of_periods(period(law, EDGES, theta, v_unit=v_unit))


@pytest.mark.slow
@pytest.mark.ngspice
@pytest.mark.parametrize("v_unit", [1.0, 0.3])
@pytest.mark.parametrize("law", LAWS)
def test_merging_changes_no_voltage(law, v_unit):
    design = circuit(law, v_unit=v_unit)
    inputs = np.random.default_rng(4).normal(0, 2, (6, 3))
    options = RunOptions(steps=40, check_samples=0)
    apart, together = (solve(design, inputs, fidelity, options) for fidelity in ("device", "merged"))
    assert apart.failed == together.failed == ()
    expected = apart.stage_v["readout"]
    np.testing.assert_allclose(together.stage_v["readout"], expected, rtol=0, atol=1e-9 * np.abs(expected).max())
    assert together.size.elements == apart.size.elements - (len(EDGES) - 1 - len(PAIRS))


@pytest.mark.ngspice
@pytest.mark.parametrize("law", ["ShiftRelu1", "ShiftLeakyRelu1"])
def test_a_table_is_the_law_at_its_kinks_between_them_and_far_beyond(law):
    """One pair, six branches; shifts that cancel nothing, two of them closer than single precision tells apart."""
    edges = [(1, 0), (0, 1), (1, 0), (0, 1), (1, 0), (1, 0)]
    theta = np.array([[0.02, -0.3, 0.02 + 1e-9, 0.11, -0.17, 40.0], [0.5, -1.3, 0.25, 0.7, -0.4, 1e-3]])
    design = design_of_periods(period(law, edges, theta))
    kinks = np.concatenate([sign * theta[0, [s == sign for s in (1, -1, 1, -1, 1, 1)]] for sign in (1, -1)])
    volts = np.concatenate([kinks, kinks + 1e-10, np.linspace(-1, 1, 41), [-3600.0, -45.0, 39.0, 41.5, 3600.0]])
    netlist = build_netlist(design, "merged")
    with working_folder() as folder:
        netlist.write(folder)
        sense = "vs p l1_v1 0\nh1 out 0 vs 1e6\nr1 out 0 1\n"
        (folder / "circuit.cir").write_text(f".include l1_bank.cir\n{sense}")
        (folder / "run.cir").write_text(sweep_deck(["p"], volts[:, None], ["out"], TIGHT))
        run_deck(find_ngspice(), folder, "run.cir")
        (plot,) = read_plots(folder / RAW_FILE)
    ends = np.array([[v if node else 0.0 for node in nodes] for v in volts for nodes in zip(*edges, strict=True)])
    source, destination = ends.reshape(len(volts), 2, len(edges)).transpose(1, 0, 2)
    out_of_node = np.where([s == 1 for s, _ in edges], 1, -1)
    expected = (LAWS[law].currents(source, destination, theta) * out_of_node).sum(axis=1)
    found = plot.table[:, plot.vectors.index("v(out)")]
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-13)


def test_every_branch_that_carries_a_current_is_in_the_element_of_its_nodes():
    (own,) = circuit("ShiftTanh1").periods
    assert parallel_branches(own) == PAIRS
    dead = period("ShiftRelu1", [(1, 2), (2, 1), (1, 0)], [[0.1, 0.2, 0.3], [1.0, 0.0, 0.0]])
    assert parallel_branches(dead) == {(2, 1): [0]}


@pytest.mark.parametrize("law", PIECEWISE_LINEAR)
def test_elements_are_counted_as_they_are_written(law):
    netlist = build_netlist(circuit(law), "merged")
    written = [line for line in netlist.text("l1_bank.cir").splitlines() if line[0] not in "*+."]
    assert netlist.elements == 3 + len(written) == 3 + len(PAIRS)


def test_the_list_of_elements_says_which_branches_are_in_which(tmp_path):
    design = circuit("ShiftRelu1")
    write_compiled(design, "merged", tmp_path / "circuit")
    rows = [line.split(",")[0] for line in (tmp_path / "circuit" / "elements.csv").read_text().splitlines()[1:]]
    element = {index: f"l1_p{pair[0]}_{pair[1]}" for pair, branches in PAIRS.items() for index in branches}
    assert rows == [element.get(index, "") for index in range(len(EDGES))]
    names = {line.split()[0][1:] for line in build_netlist(design, "merged").text("l1_bank.cir").splitlines()}
    assert {row for row in rows if row} <= names


def test_a_message_about_merged_branches_leads_to_their_nodes():
    assert place_of("trouble with bl2_p17_0") == "layer 2, branches between nodes 17 and 0"


@pytest.mark.parametrize("fidelity", ["device", "merged"])
def test_a_netlist_is_written_piece_by_piece_and_the_same_each_time(tmp_path, fidelity):
    netlist = build_netlist(circuit("ShiftTanh2"), fidelity)
    assert len(list(netlist.files["l1_bank.cir"]())) > len(PAIRS)
    size = netlist.write(tmp_path)
    texts = {name: (tmp_path / name).read_bytes() for name in netlist.files}
    assert texts == {name: netlist.text(name).encode() for name in netlist.files}
    assert size == sum(map(len, texts.values()))


def test_fidelities_that_do_not_fit_are_refused():
    with pytest.raises(InputError, match="for KirchhoffNets"):
        build_netlist(crossbar_design([PEAK], [[[1.0]]]), "merged")
    with pytest.raises(InputError, match="for crossbars"):
        build_netlist(circuit("ShiftRelu1"), "shared")


def test_the_branches_of_a_schematic_are_never_merged():
    design = replace(circuit("ShiftRelu1"), schematic=SCHEMATIC)
    with pytest.raises(InputError, match="built by itself") as raised:
        build_netlist(design, "merged")
    assert raised.value.found == "merged"


@pytest.mark.parametrize(("law", "chosen"), [(law, "merged" if law in PIECEWISE_LINEAR else "device") for law in LAWS])
def test_auto_merges_where_that_is_faster(law, chosen):
    assert resolve_fidelity(circuit(law), "auto") == chosen
    assert resolve_fidelity(circuit(law), "device") == "device"
    assert resolve_fidelity(replace(circuit(law), schematic=SCHEMATIC), "auto") == "device"


# --- the order of elimination ---


def test_a_tree_is_eliminated_from_its_leaves():
    assert elimination_order(5, [(1, 2), (2, 3), (2, 4), (4, 5), (0, 2)]) == [1, 3, 2, 4, 5]


def test_every_node_is_eliminated_once_also_alone_ones():
    assert sorted(elimination_order(7, combinations(range(1, 6), 2))) == list(range(1, 8))
