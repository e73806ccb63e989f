"""A PhyKAN's filter as a KiCad project: its pins, its parts, and what it gives at its row's tone."""

from __future__ import annotations

import numpy as np
import pytest
from connections import memkan, memkan_design, phykan, phykan_design
from sheets import nets_of, parsed

import kanspice
from kanspice.base.errors import InputError
from kanspice.engine import batched
from kanspice.engine.ngspice.program import find_ngspice
from kanspice.experiments.export.kicad.bill import bill
from kanspice.experiments.export.kicad.column import first_place
from kanspice.experiments.export.kicad.deck import output_v
from kanspice.experiments.export.kicad.filter import filter_of, first_filter
from kanspice.experiments.export.kicad.parts import Capacitor, Resistor
from kanspice.experiments.export.kicad.project import DECK, SHEET, project_files, proven

INPUTS = np.array([[0.3, -0.4], [1.1, 0.2]])
TECHNOLOGIES = {
    "ideal": (),
    "slow": ("filters.amplifier_hz=1e6", "filters.component_sigma=0.05", "filters.gain_sigma=0.1"),
    "E96": ("parts.resistors=E96",),
}
PLACES = "1:0,0,0", "2:1,0,1"


def path(*overrides, place=PLACES[0], sample=0):
    design = phykan_design(phykan(), *overrides)
    return filter_of(design, place, batched.solve(design, INPUTS[sample : sample + 1], "behavioural"))


@pytest.mark.parametrize("name", TECHNOLOGIES)
@pytest.mark.parametrize("place", PLACES)
def test_every_pin_is_on_its_net(name, place):
    found = path(*TECHNOLOGIES[name], place=place)
    nets = nets_of(parsed(project_files(found, "sample 0", "kanspice")[SHEET]))
    expected = {
        (part.reference, str(number)): net for part in found.parts for number, net in enumerate(part.nets, start=1)
    }
    assert groups(nets) == groups(expected)
    assert all(expected[pin] == net for pin, net in nets.items() if not net.startswith("unnamed"))


def groups(nets):
    found = {}
    for pin, net in nets.items():
        found.setdefault(net, []).append(pin)
    return sorted(map(sorted, found.values()))


def test_its_amplitude_is_that_of_its_passes():
    """Against the impedances of its parts, one by one."""
    found = path("filters.sine_v=0.5", place=PLACES[1], sample=1)
    ohm = {part.reference: part.model.ohm for part in found.built if isinstance(part.model, Resistor)}
    farads = {part.reference: part.model.farads for part in found.built if isinstance(part.model, Capacitor)}
    s = 2j * np.pi * found.hz
    high = ohm["R1"] / (ohm["R1"] + 1 / (s * farads["C1"]))
    low = 1 / (s * farads["C2"]) / (ohm["R2"] + 1 / (s * farads["C2"]))
    assert found.expected_v == pytest.approx(0.5 * abs(high * low) * ohm["R4"] / ohm["R3"], rel=1e-12)


def test_the_bill_counts_every_part_once():
    found = path()
    built = [part.reference for part in found.built]
    assert sorted(reference for row in bill(found) for reference in row.references) == sorted(built)
    assert len(built) == 9


@pytest.mark.ngspice
@pytest.mark.parametrize("name", TECHNOLOGIES)
@pytest.mark.parametrize("place", PLACES)
def test_ngspice_finds_the_same_in_the_deck(name, place, tmp_path):
    found = path(*TECHNOLOGIES[name], place=place)
    written(found, tmp_path)
    assert output_v(find_ngspice(), tmp_path, DECK, found, np.inf) == pytest.approx(found.expected_v, rel=1e-9)


@pytest.mark.ngspice
@pytest.mark.slow
@pytest.mark.kicad
def test_kicads_own_netlist_gives_the_same(tmp_path):
    found = path(*TECHNOLOGIES["slow"], place=PLACES[1])
    written(found, tmp_path)
    proof = proven(found, tmp_path, 100.0)
    assert proof.of_kicad
    assert proof.volts == pytest.approx(found.expected_v, rel=1e-9)


def written(found, folder):
    for name, text in project_files(found, "sample 0", "kanspice").items():
        (folder / name).write_text(text, encoding="ascii")


@pytest.mark.parametrize(
    ("place", "problem"),
    [
        ("1:0p", "no filter is called that"),
        ("1:0,0", "no filter is called that"),
        ("3:0,0,0", "no such layer"),
        ("1:2,0,0", "no such filter"),
        ("1:1,2,0", "no such filter"),
    ],
)
def test_filters_that_there_are_not(place, problem):
    """The last of them has no gain: its connection is left out."""
    with pytest.raises(InputError, match=problem):
        path(place=place)


def test_the_first_filter_is_exported(tmp_path, monkeypatch):
    monkeypatch.setenv("KANSPICE_KICAD_CLI", "/nowhere/kicad-cli")
    assert first_filter(phykan_design(phykan())) == PLACES[0]
    done = kanspice.export(kanspice.compile(phykan()), "kicad", tmp_path / "out", inputs=INPUTS)
    assert done.outputs[0].node == "l1_a0_0_0"
    assert "filter 0 from row 0 to output 0" in (tmp_path / "out" / "README.md").read_text(encoding="ascii")


def test_synapses_have_no_sheet():
    with pytest.raises(InputError, match="has no column to draw") as refused:
        first_place(memkan_design(memkan()))
    assert "synapses" in str(refused.value)
