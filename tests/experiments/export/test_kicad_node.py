"""A KirchhoffNet's node as a KiCad project: its branches, which way they go, and what they give it."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from circuits import technology
from sheets import nets_of, parsed

import kanspice
from kanspice.base.draws import Draw
from kanspice.base.errors import InputError
from kanspice.circuit.specimens import draw_specimen
from kanspice.engine.ngspice.program import find_ngspice
from kanspice.experiments.export.bench import own_answer
from kanspice.experiments.export.kicad.bill import bill
from kanspice.experiments.export.kicad.deck import output_v
from kanspice.experiments.export.kicad.node import first_node, node_of
from kanspice.experiments.export.kicad.project import DECK, SHEET, project_files, proven
from kanspice.families.kirchhoffnet.branches import branch_function
from kanspice.families.kirchhoffnet.circuit import compile_kirchhoffnet
from kanspice.families.kirchhoffnet.network import KirchhoffNet
from kanspice.families.kirchhoffnet.topology import topology_from_edges

EDGES = [(0, 1), (1, 0), (1, 2), (2, 1), (2, 0), (3, 1), (1, 2), (3, 2)]
INPUTS = np.array([[0.7, -0.4, 1.1]])
LAWS = "ShiftTanh2", "ShiftRelu1", "Conductance", "ShiftRelu2"
PLACES = "1:v1", "2:v2"


def model(law):
    torch.manual_seed(3)
    topology = topology_from_edges(EDGES)
    return KirchhoffNet([topology, topology], [0.5, 0.25], branch_function(law, {}, "x")).eval()


def node(law="ShiftTanh2", *overrides, place=PLACES[0]):
    settings = technology(*overrides)
    design = draw_specimen(compile_kirchhoffnet(model(law), settings), settings, Draw(1))
    return node_of(design, place, own_answer(design, INPUTS, 0), design.inputs_v(INPUTS, [0])), design


def groups(nets):
    found = {}
    for pin, net in nets.items():
        found.setdefault(net, []).append(pin)
    return sorted(map(sorted, found.values()))


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("place", PLACES)
def test_every_pin_is_on_its_net(law, place):
    found, _ = node(law, place=place)
    nets = nets_of(parsed(project_files(found, "sample 0", "kanspice")[SHEET]))
    expected = {
        (part.reference, str(number)): net for part in found.parts for number, net in enumerate(part.nets, start=1)
    }
    assert groups(nets) == groups(expected)
    assert nets == expected


def test_what_branches_give_is_their_law():
    """Against the formula of the paper, edge by edge."""
    found, design = node("ShiftTanh2", "units.v_unit_v=0.5")
    period = design.periods[0]
    units = np.concatenate([[0.0], INPUTS[0]])
    given = 0.0
    for edge, (source, destination) in enumerate(EDGES):
        current = np.tanh(period.theta[:, edge] @ [units[source], units[destination], 1.0])
        given += current * ((destination == 1) - (source == 1))
    ohm = 0.5 / 1e-6
    assert found.expected_v == pytest.approx(0.5 * INPUTS[0, 0] - ohm * 1e-6 * given, rel=1e-12)


def test_the_board_has_branches_and_a_capacitor():
    found, _ = node()
    rows = bill(found)
    assert {row.part for row in rows} == {"branch shifttanh2", "capacitor, E24"}
    touching = sum((first == 1) != (second == 1) for first, second in EDGES)
    assert sum(len(row.references) for row in rows) == touching + 1


@pytest.mark.ngspice
@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("place", PLACES)
def test_ngspice_finds_the_same_in_the_deck(law, place, tmp_path):
    found, _ = node(law, "branches.gain_sigma=0.05", place=place)
    written(found, tmp_path)
    assert output_v(find_ngspice(), tmp_path, DECK, found, np.inf) == pytest.approx(found.expected_v, rel=1e-9)


@pytest.mark.ngspice
@pytest.mark.slow
@pytest.mark.kicad
def test_kicads_own_netlist_gives_the_same(tmp_path):
    found, _ = node(place=PLACES[1])
    written(found, tmp_path)
    proof = proven(found, tmp_path, 100.0)
    assert proof.of_kicad
    assert proof.volts == pytest.approx(found.expected_v, rel=1e-9)


def written(found, folder):
    for name, text in project_files(found, "sample 0", "kanspice").items():
        (folder / name).write_text(text, encoding="ascii")


@pytest.mark.parametrize(
    ("place", "problem"),
    [("1:0p", "no node is called that"), ("3:v1", "no such layer"), ("1:v4", "no such node"), ("1:v0", "no such node")],
)
def test_nodes_that_there_are_not(place, problem):
    with pytest.raises(InputError, match=problem):
        node(place=place)


@pytest.mark.parametrize("setting", ["branches.realisation=schematic", "branches.bandwidth_hz=1e6"])
def test_branches_that_are_not_their_law_are_refused(setting):
    with pytest.raises(InputError, match="only branches that are their law are drawn"):
        node("ShiftTanh2", setting)


def test_the_first_node_is_exported(tmp_path, monkeypatch):
    monkeypatch.setenv("KANSPICE_KICAD_CLI", "/nowhere/kicad-cli")
    circuit = kanspice.compile(model("ShiftRelu1"))
    assert first_node(circuit.design) == PLACES[0]
    done = kanspice.export(circuit, "kicad", tmp_path / "out", inputs=INPUTS)
    assert done.outputs[0].node == "l1_v1_out"
