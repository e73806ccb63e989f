"""The netlist as text: pure, complete, and with names that lead back to the model."""

from __future__ import annotations

import re

import numpy as np
import pytest
from circuits import PEAK, crossbar_design, design_of, inputs_for, load_device, network

from kanspice.engine.netlist import build_netlist, place_of
from kanspice.engine.ngspice.process import run_deck
from kanspice.engine.ngspice.program import find_ngspice


@pytest.fixture(scope="module")
def design():
    model = network([3, 4, 2], [load_device("z21"), PEAK], norm="layer")
    return design_of(model, inputs_for(model, 5), "tia.gain=1000")


@pytest.mark.parametrize("fidelity", ["shared", "device"])
def test_one_source_for_every_device_that_exists(design, fidelity):
    text = build_netlist(design, fidelity).text("circuit.cir")
    letter = "g" if fidelity == "shared" else "b"
    found = re.findall(rf"^{letter}l(\d)_d(\d+)_(\d+)_(\d+) ", text.lower(), re.MULTILINE)
    layers = enumerate(design.crossbars, start=1)
    expected = [(layer, *place) for layer, crossbar in layers for place in np.argwhere(crossbar.area).tolist()]
    assert sorted(tuple(map(int, names)) for names in found) == sorted(expected)


@pytest.mark.parametrize("fidelity", ["shared", "device"])
def test_equal_designs_give_equal_text(design, fidelity):
    first, second = build_netlist(design, fidelity), build_netlist(design, fidelity)
    assert {name: first.text(name) for name in first.files} == {name: second.text(name) for name in second.files}


def test_a_device_of_no_area_is_not_there():
    netlist = build_netlist(crossbar_design([PEAK], [[[1.0], [0.0]]]), "device")
    assert re.findall(r"^Bl1_d0_(\d)_0", netlist.text("circuit.cir"), re.MULTILINE) == ["0"]


def test_names_are_lower_case_as_ngspice_gives_them_back(design):
    netlist = build_netlist(design, "device")
    nodes = [*netlist.inputs, *(n for group in (netlist.probes, netlist.columns) for ns in group.values() for n in ns)]
    assert nodes == [node.lower() for node in nodes]
    assert len(set(nodes)) == len(nodes)


@pytest.mark.parametrize(
    ("message", "place"),
    [
        ("Warning: singular matrix:  check node l1_c17p", "layer 1, output 17, column p"),
        ("singular matrix: check node L2_T3N", "layer 2, output 3, column n"),
        ("check node l1_s5_1", "layer 1, row 5, device 1"),
        ("check node l2_lo15_0", "layer 2, row 5, device 0"),
        ("Error: bl1_d5_3_1: no convergence", "layer 1, row 5, output 3, device 1"),
        ("check node l1_r5_12", "layer 1, row 5"),
        ("check node l1_c3n_12", "layer 1, output 3, column n"),
        ("trouble with b.xl1_in4.bout", "layer 1, row 4"),
        ("check node l1_r5", "layer 1, row 5"),
        ("check node l12_y3", "layer 12, output 3"),
        ("check node in7", "input 7"),
        ("Note: Transient op started", None),
    ],
)
def test_a_message_leads_to_a_place_in_the_model(message, place):
    assert place_of(message) == place


@pytest.mark.ngspice
def test_what_ngspice_itself_says_leads_to_a_place(design, tmp_path):
    """Input 1 is left open, so that ngspice complains about its node or about what hangs on it."""
    build_netlist(design, "device").write(tmp_path)
    deck = "* open input\n.include circuit.cir\nv0 in0 0 1\nv2 in2 0 1\n.op\n.end\n"
    (tmp_path / "open.cir").write_text(deck)
    messages = run_deck(find_ngspice(), tmp_path, "open.cir").messages
    complaint = next(line for line in messages.splitlines() if "singular" in line)
    assert place_of(complaint) == "input 1"
