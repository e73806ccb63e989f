"""A column as a KiCad project: the sheet says what the design says, and simulates as kanspice does."""

from __future__ import annotations

import csv
import io
import itertools
import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from circuits import LINE, PEAK, crossbar_output, inputs_for, network, specimen_of
from connections import phykan, phykan_design
from images import cnnkan
from json_schemas import hold
from sheets import Quoted, all_of, nets_of, one_of, parsed, properties
from typer.testing import CliRunner

import kanspice
from kanspice.base.errors import InputError, SimulatorError
from kanspice.circuit import Limiter
from kanspice.cli.commands import app
from kanspice.engine import batched
from kanspice.engine.netlist.named import NamedCell
from kanspice.engine.ngspice.program import find_ngspice
from kanspice.engine.options import RunOptions
from kanspice.engine.running import solve
from kanspice.experiments.export.kicad.bill import bill
from kanspice.experiments.export.kicad.column import Place, column_of, first_place
from kanspice.experiments.export.kicad.deck import output_v
from kanspice.experiments.export.kicad.expressions import Text, form, written
from kanspice.experiments.export.kicad.gathered_sheet import planned
from kanspice.experiments.export.kicad.parts import Component, Resistor, engineering, parameters
from kanspice.experiments.export.kicad.project import BILL, DECK, FILES, PROJECT, SHEET, project_files, proven
from kanspice.families.cnnkan.circuit import compile_cnnkan
from kanspice.technology import load_technology
from kanspice.technology.standard_values import nearest

MODEL = network([9, 6, 3], [PEAK, LINE])
INPUTS = inputs_for(MODEL, 5)
WIRES = ("wires.row_ohm=20.0", "wires.column_ohm=30.0", "wires.driver_ohm=50.0")
TECHNOLOGIES = {
    "ideal": (),
    "finite": ("tia.gain=1000", "tia.offset_sigma_v=1e-3", "tia.output_ohm=200", "tia.swing_v=4.5"),
    "shifted": ("tia.gain=1e4", "devices.shift_sigma_v=5e-3", "devices.area_sigma=0.05", "tia.input_bias_a=1e-9"),
    "wired": (*WIRES, "tia.gain=1000", "tia.gbw_hz=1e7", "wires.column_f=1e-14"),
    "columns": ("wires.column_ohm=100.0",),
    "E96": ("parts.resistors=E96", "tia.gain=1e5"),
}
PLACES = (Place(1, 0, "p"), Place(1, 5, "n"), Place(2, 2, "p"))


def column(*overrides, place=PLACES[0], sample=0):
    design = specimen_of(MODEL, INPUTS, *overrides)
    return column_of(design, place, batched.solve(design, INPUTS[sample : sample + 1], "device"))


def files_of(found, tmp_path=None):
    files = project_files(found, "sample 0", "kanspice")
    for name, text in files.items() if tmp_path is not None else ():
        (tmp_path / name).write_text(text, encoding="ascii")
    return files


# --- what is on the sheet ---


@pytest.mark.parametrize("name", TECHNOLOGIES)
@pytest.mark.parametrize("place", PLACES, ids=str)
def test_every_pin_is_on_its_net(name, place):
    found = column(*TECHNOLOGIES[name], place=place)
    nets = nets_of(parsed(files_of(found)[SHEET]))
    expected = {
        (part.reference, str(number)): net for part in found.parts for number, net in enumerate(part.nets, start=1)
    }
    named = {pin: net for pin, net in nets.items() if not net.startswith("unnamed")}
    assert named.items() <= expected.items()
    groups, wanted = {}, {}
    for pin, net in nets.items():
        groups.setdefault(net, set()).add(pin)
    for pin, net in expected.items():
        wanted.setdefault(net, set()).add(pin)
    assert sorted(map(sorted, groups.values())) == sorted(map(sorted, wanted.values()))


@pytest.mark.parametrize("devices", [1, 7, 8, 9, 40, 304])
def test_symbols_do_not_overlap_and_lie_on_the_paper(devices):
    plan = planned(devices, devices)
    assert (plan.strips - 1) * plan.per_strip < devices <= plan.strips * plan.per_strip
    assert (plan.lines - 1) * plan.per_line < devices <= plan.lines * plan.per_line


def test_a_column_that_is_too_large_for_any_paper_is_refused():
    with pytest.raises(InputError, match="fits on no paper"):
        planned(100_000, 50_000)


def test_the_sheet_has_its_symbols_its_title_and_what_simulates_it():
    sheet = parsed(files_of(column())[SHEET])
    assert sheet[0] == "kicad_sch" and one_of(sheet, "version")[1] == "20211123"
    assert one_of(one_of(sheet, "title_block"), "title")[1] == "Layer 1, output 0: its positive column"
    library = {str(each[1]) for each in all_of(one_of(sheet, "lib_symbols"), "symbol")}
    assert {str(one_of(each, "lib_id")[1]) for each in all_of(sheet, "symbol")} <= library
    uuids = [one_of(each, "uuid")[1] for each in sheet if isinstance(each, list) and list(all_of(each, "uuid"))]
    assert len(uuids) == len(set(uuids)) > 50
    references = [properties(each)["Reference"] for each in all_of(sheet, "symbol")]
    assert len(references) == len(set(references))
    assert {".op"} < {str(each[1]) for each in all_of(sheet, "text")}


def test_lines_are_what_kicad_6_reads():
    """It has lines of two points only outside of symbols, and no version in tables of libraries."""
    files = files_of(column())
    sheet, table = parsed(files[SHEET]), parsed(files["sym-lib-table"])
    lines = [each for head in ("polyline", "wire") for each in all_of(sheet, head)]
    assert {len(list(all_of(one_of(each, "pts"), "xy"))) for each in lines} == {2}
    assert [each[0] for each in table[1:]] == ["lib"]


def test_the_same_column_is_the_same_files():
    assert files_of(column()) == files_of(column())


def test_values_are_simulated_in_full():
    """KiCad rounds -1.23456789 and 1.23456789e-6 to six digits, and leaves what is in braces alone."""
    for part in column(*TECHNOLOGIES["shifted"]).parts:
        assert all(text[0] + text[-1] == "{}" for text in parameters(part.model).values())


def test_texts_are_read_back_as_they_were():
    text = 'a "b" \\ (c)\nd'
    assert parsed(written(form("a", Text(text), form("b", 1.5, -0.0, 3)))) == [
        "a",
        Quoted(text),
        ["b", "1.5", "0", "3"],
    ]


@pytest.mark.parametrize(
    ("value", "text"),
    [(4990.0, "4.99k"), (1e6, "1M"), (0.0, "0"), (-0.012345, "-12.35m"), (9999.9, "10k"), (3e-14, "0.03p"), (47, "47")],
)
def test_values_as_they_are_printed(value, text):
    assert engineering(value) == text


@pytest.mark.parametrize("name", ["opamp_", 'a" (b)\n.include x', "0;rm -rf", "\u00e9{x}"])
def test_devices_may_be_called_anything(name):
    """Nothing of a name becomes a line, and none takes the op-amp's."""
    model = network([2, 1], [replace(PEAK, name=name)])
    inputs = inputs_for(model, 2)
    design = specimen_of(model, inputs)
    found = column_of(design, first_place(design), batched.solve(design, inputs[:1], "device"))
    files = files_of(found)
    assert all(text.isascii() for text in files.values())
    assert parsed(files[SHEET])[0] == "kicad_sch"
    cards = [line.split()[:2] for line in files["models.lib"].splitlines() if line.startswith(".")]
    assert [card for card, _ in cards] == [".subckt", ".ends"] * 2
    assert len({name for _, name in cards}) == 2


# --- what is bought ---


def test_the_bill_counts_every_part_once():
    found = column(*TECHNOLOGIES["E96"], place=PLACES[1])
    built = [part.reference for part in found.built]
    rows = bill(found)
    assert sorted(itertools.chain(*(row.references for row in rows))) == sorted(built)
    table = list(csv.DictReader(io.StringIO(files_of(found)[BILL])))
    assert sum(int(row["quantity"]) for row in table) == len(built)
    assert all(len(row["references"].split()) == int(row["quantity"]) for row in table)


def test_resistors_are_bought_in_e96():
    exact, standard = column(place=PLACES[1]), column("parts.resistors=E96", place=PLACES[1])
    for found in (exact, standard):
        resistors = [row for row in bill(found) if row.part == "resistor, E96"]
        assert {len(row.references) for row in resistors}
        for row in resistors:
            np.testing.assert_allclose(nearest(np.array([row.least, row.most]), "E96"), _ohm(row.value), rtol=1e-12)
    for row in bill(standard):
        if row.part == "resistor, E96":
            assert row.least == pytest.approx(_ohm(row.value), rel=1e-12)


def _ohm(text):
    return float(text[:-1]) * {"k": 1e3, "M": 1e6, "G": 1e9}[text[-1]] if text[-1] in "kMG" else float(text)


def test_the_project_names_its_sheet():
    files = files_of(column())
    assert json.loads(files[PROJECT])["meta"]["filename"] == PROJECT
    assert json.loads(files[PROJECT])["sheets"][0][0] == one_of(parsed(files[SHEET]), "uuid")[1]


# --- what it gives ---


def test_the_pair_of_columns_is_what_the_circuit_gives():
    """Against the equation of each column, which no engine has a part in."""
    design = specimen_of(MODEL, INPUTS, *TECHNOLOGIES["shifted"])
    solution = batched.solve(design, INPUTS[:1], "device")
    pair = [column_of(design, Place(1, 4, sign), solution).expected_v for sign in "pn"]
    rows_v = solution.stage_v["l1.input"]
    expected = crossbar_output(design, design.crossbars[0], rows_v[0])[1][4]
    assert design.crossbars[0].subtractor_gain * (pair[1] - pair[0]) == pytest.approx(expected, rel=1e-9)


@pytest.mark.ngspice
@pytest.mark.parametrize("name", TECHNOLOGIES)
def test_ngspice_finds_the_same_in_the_deck(name, tmp_path):
    for place in PLACES:
        found = column(*TECHNOLOGIES[name], place=place, sample=3)
        files_of(found, tmp_path)
        volts = output_v(find_ngspice(), tmp_path, DECK, found, np.inf)
        assert volts == pytest.approx(found.expected_v, rel=1e-9, abs=1e-12)


@pytest.mark.ngspice
@pytest.mark.slow
@pytest.mark.kicad
@pytest.mark.parametrize("name", ["finite", "shifted", "wired"])
def test_kicads_own_netlist_gives_the_same(name, tmp_path):
    found = column(*TECHNOLOGIES[name], place=PLACES[1])
    files_of(found, tmp_path)
    proof = proven(found, tmp_path, 100.0)
    assert proof.of_kicad and not proof.why_not
    assert proof.volts == pytest.approx(found.expected_v, rel=1e-9)


@pytest.mark.ngspice
@pytest.mark.slow
@pytest.mark.kicad
def test_a_cut_wire_is_found(tmp_path):
    found = column(*TECHNOLOGIES["finite"])
    files_of(found, tmp_path)
    text = (tmp_path / SHEET).read_text(encoding="ascii")
    start = text.index("\n  (wire")
    (tmp_path / SHEET).write_text(text[:start] + text[text.index("\n  (", start + 1) :], encoding="ascii")
    with pytest.raises(SimulatorError, match="electrical rules are broken"):
        proven(found, tmp_path, 100.0)


@pytest.mark.ngspice
def test_without_kicad_it_is_our_own_deck(tmp_path, monkeypatch):
    monkeypatch.setenv("KANSPICE_KICAD_CLI", "/nowhere/kicad-cli")
    found = column()
    files_of(found, tmp_path)
    proof = proven(found, tmp_path, 100.0)
    assert not proof.of_kicad
    assert "KiCad's command line is not installed" in proof.why_not
    assert proof.volts == pytest.approx(found.expected_v, rel=1e-9)


@pytest.mark.ngspice
def test_a_program_that_is_no_kicad_is_not_believed(tmp_path, monkeypatch):
    monkeypatch.setenv("KANSPICE_KICAD_CLI", "/bin/true")
    found = column()
    files_of(found, tmp_path)
    assert "is no kicad-cli" in proven(found, tmp_path, 100.0).why_not


@pytest.mark.ngspice
def test_a_wrong_model_is_seen(tmp_path):
    found = column()
    files_of(found, tmp_path)
    deck = (tmp_path / DECK).read_text(encoding="ascii").replace(found.feedback.reference + " ", "Rwrong ", 1)
    wrong = Component("Rwrong", found.feedback.nets, Resistor(1.001 * found.feedback.model.ohm)).spice_line
    (tmp_path / DECK).write_text("\n".join(wrong if line.startswith("Rwrong") else line for line in deck.splitlines()))
    assert output_v(find_ngspice(), tmp_path, DECK, found, np.inf) != pytest.approx(found.expected_v, rel=1e-6)


# --- what has no column ---


@pytest.mark.parametrize("text", ["", "1", "1:0", "1:0q", "x:0p", "1:-1p", "1:0pp", "0x1:0p"])
def test_what_is_no_place_is_refused(text):
    with pytest.raises(InputError, match="no column is called that"):
        Place.read(text)


def test_places_read_back():
    assert all(Place.read(str(place)) == place for place in PLACES)


@pytest.mark.parametrize(
    ("place", "problem"),
    [(Place(3, 0, "p"), "no such layer"), (Place(2, 3, "n"), "no such column"), (Place(0, 0, "p"), "no such layer")],
)
def test_columns_that_there_are_not(place, problem):
    with pytest.raises(InputError, match=problem):
        column(place=place)


def test_circuits_without_columns_are_refused_by_name():
    with pytest.raises(InputError, match=r"has no column to draw") as refused:
        first_place(phykan_design(phykan()))
    assert "filters" in str(refused.value)
    tiled = compile_cnnkan(cnnkan((1, 1, 2), (2,)), load_technology(None, ["convolution.layout=unrolled"]))
    assert first_place(tiled).layer > 1
    solution = solve("batched", tiled, np.full((1, tiled.input_width), 0.5), "device", RunOptions())
    with pytest.raises(InputError, match="no such layer"):
        column_of(tiled, Place(1, 0, "p"), solution)


def test_the_first_column_has_a_device():
    model = network([4, 3, 2], [PEAK])
    with torch.no_grad():
        next(parameter for name, parameter in model.named_parameters() if parameter.ndim == 3)[:] = -1.0
    inputs = inputs_for(model, 3)
    design = specimen_of(model, inputs)
    assert first_place(design).sign == "n"
    assert isinstance(design.stages[0], Limiter)


# --- the command ---


@pytest.fixture(scope="module")
def circuit():
    return kanspice.compile(MODEL, inputs=INPUTS, set=TECHNOLOGIES["wired"])


def test_a_project_is_written_and_written_again(circuit, tmp_path, monkeypatch):
    monkeypatch.setenv("KANSPICE_KICAD_CLI", "/nowhere/kicad-cli")
    np.save(tmp_path / "inputs.npy", INPUTS)
    folder = tmp_path / "project"
    for sample in (1, 2):
        done = kanspice.export(circuit, "kicad", folder, inputs=INPUTS, sample=sample, part="2:1n")
        assert not done.receipt.simulated
        assert done.outputs[0].node == "l2_t1n"
        assert f"sample {sample}" in (folder / "README.md").read_text(encoding="ascii")
    hold((folder / "receipt.json").read_text(encoding="ascii"), "kanspice.receipt/1")
    assert json.loads((folder / "sheet.json").read_text(encoding="utf-8"))["part"] == "2:1n"
    assert {path.name for path in folder.iterdir()} == {*FILES, "README.md", "receipt.json", "sheet.json"}
    (folder / SHEET).write_text("drawn by hand", encoding="ascii")
    with pytest.raises(InputError, match="in the way"):
        kanspice.export(circuit, "kicad", folder)


def test_only_projects_are_of_a_part(circuit, tmp_path):
    with pytest.raises(InputError, match="only a KiCad project is of one part"):
        kanspice.export(circuit, "ngspice", tmp_path / "out", part="1:0p")
    with pytest.raises(InputError, match="no such sample"):
        kanspice.export(circuit, "kicad", tmp_path / "out", inputs=INPUTS, sample=17)
    assert not (tmp_path / "out").exists()


@pytest.mark.ngspice
@pytest.mark.slow
@pytest.mark.kicad
def test_another_circuit_is_not_written(circuit, tmp_path, monkeypatch):
    """A device's model that is wrong: KiCad draws it all the same, and what ngspice then finds is not kanspice's."""
    right = NamedCell.definition.fget
    wrong = property(lambda self: right(self).replace("m={amps}", "m={1.0001*amps}"))
    monkeypatch.setattr(NamedCell, "definition", wrong)
    with pytest.raises(SimulatorError, match="the sheet is another circuit"):
        kanspice.export(circuit, "kicad", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_the_command_replaces_its_own_folder(circuit, tmp_path, monkeypatch):
    monkeypatch.setenv("KANSPICE_KICAD_CLI", "/nowhere/kicad-cli")
    circuit.write(tmp_path / "circuit")
    words = ["export", str(tmp_path / "circuit"), "--to", "kicad", "-o", str(tmp_path / "out")]
    for _ in range(2):
        done = CliRunner().invoke(app, words)
        assert (done.exit_code, done.output.count("receipt: not simulated here")) == (0, 1)
