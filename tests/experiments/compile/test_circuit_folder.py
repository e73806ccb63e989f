"""The compiled folder: complete, the same bytes every time, all or nothing, and read back only as it was written."""

from __future__ import annotations

import csv
import errno
import hashlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from circuits import PEAK, design_of, inputs_for, load_device, network

import kanspice
from kanspice.base.errors import InputError
from kanspice.engine.netlist import build_netlist
from kanspice.experiments.compile import MANIFEST, read_compiled, write_compiled
from kanspice.families import save
from kanspice.families.kirchhoffnet.branches import branch_function
from kanspice.families.kirchhoffnet.network import KirchhoffNet
from kanspice.families.kirchhoffnet.topology import topology_from_edges


@pytest.fixture(scope="module")
def model():
    return network([3, 4, 2], [load_device("z21"), PEAK], norm="layer")


@pytest.fixture(scope="module")
def design(model):
    return design_of(model, inputs_for(model, 5), "tia.gain=1000", "tia.rail_v=1.5")


@pytest.fixture(params=["shared", "device"])
def folder(request, design, tmp_path):
    write_compiled(design, request.param, tmp_path / "circuit")
    return tmp_path / "circuit"


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def table(path):
    with path.open() as file:
        return list(csv.DictReader(file))


def test_the_folder_holds_everything_and_the_manifest_names_it(folder):
    manifest = json.loads((folder / MANIFEST).read_text())
    names = {"circuit.cir", "subcircuits.lib", "devices.lib", "design.npz", "nodes.csv", "elements.csv"}
    names |= {"bench.cir", "README.md"}
    assert set(manifest["files"]) == names
    assert {path.name for path in folder.iterdir()} == names | {MANIFEST}


def test_the_manifest_states_the_facts(folder, design):
    manifest = json.loads((folder / MANIFEST).read_text())
    assert manifest["schema"] == "kanspice.manifest/1"
    assert manifest["devices"] == sum(np.count_nonzero(crossbar.area) for crossbar in design.crossbars)
    assert manifest["device_types"] == ["z21", "peak"]
    assert manifest["technology"]["tia"].items() >= {"gain": 1000.0, "headroom": 0.8, "rail_v": 1.5}.items()
    assert manifest["inputs"] == {"nodes": ["in0", "in1", "in2"], "volts_per_unit": 1.0}
    assert manifest["outputs"]["nodes"] == ["l2_y0", "l2_y1"]
    assert manifest["outputs"]["volts_per_unit"] == design.stages[-1].output_v_per_unit
    assert [stage["name"] for stage in manifest["stages"]] == [stage.name for stage in design.stages]


def test_infinite_values_and_odd_names_survive_the_manifest(tmp_path, model):
    from dataclasses import replace

    design = design_of(model)
    named = replace(design, technology_json=design.technology_json.replace('"ideal"', '"Infinity, or \\"inf\\""'))
    technology = write_compiled(named, "shared", tmp_path / "circuit")["technology"]
    assert technology["name"] == 'Infinity, or "inf"'
    assert technology["tia"]["gain"] == "inf"


def test_every_probed_node_has_its_row(folder, design):
    netlist = build_netlist(design, json.loads((folder / MANIFEST).read_text())["fidelity"])
    rows = {row["node"]: (row["stage"], int(row["index"])) for row in table(folder / "nodes.csv")}
    assert len(rows) == len(table(folder / "nodes.csv"))
    for name, nodes in netlist.probes.items():
        assert [rows.pop(node) for node in nodes] == [(name, index) for index in range(len(nodes))]
    for name, nodes in netlist.columns.items():
        expected = [(f"{name} column {sign}", pair) for pair in range(len(nodes) // 2) for sign in "pn"]
        assert [rows.pop(node) for node in nodes] == expected
    assert sorted(rows.values()) == [("input", index) for index in range(3)]


def test_every_device_of_the_netlist_has_its_row_and_the_other_way_round(folder, design):
    """Element name, the column it hangs on, and its area, read from the netlist's own text."""
    text = (folder / "circuit.cir").read_text()
    found = {}
    for line in text.splitlines():
        words = line.lower().split()
        if re.match(r"[bg]l\d_d\d+_\d+_\d+ ", line.lower()):
            scale = re.search(r"m=(\S+)$", line) or re.search(r"(\S+)$", line)
            found[words[0][1:]] = (words[1], words[2], float(scale[1]))
    rows = table(folder / "elements.csv")
    assert {row["element"] for row in rows} == set(found)
    assert len(rows) == len(found)
    names = [device.name for device in design.devices]
    for row in rows:
        crossbar = next(c for c in design.crossbars if c.name.startswith(row["layer"] + "."))
        area = crossbar.area[int(row["row"]), int(row["output"]), names.index(row["device"])]
        assert float(row["area"]) == abs(area)
        assert row["column"] == ("p" if area > 0 else "n")
        node_row, node_column, scale = found[row["element"]]
        layer = row["layer"]
        assert (node_row, node_column) == (f"{layer}_r{row['row']}", f"{layer}_c{row['output']}{row['column']}")
        assert scale == abs(area) * crossbar.current_unit_a


@pytest.mark.slow
def test_two_processes_write_the_same_bytes(tmp_path, model):
    """This one, and one whose sets and dictionaries hash otherwise."""
    save(model, tmp_path / "model.pt")
    kanspice.compile(tmp_path / "model.pt", tmp_path / "here", set=["tia.gain=500"])
    command = [
        sys.executable,
        "-c",
        "from kanspice.cli import main; main()",
        "compile",
        "model.pt",
        "-q",
        "-o",
        "there",
    ]
    environment = os.environ | {"PYTHONHASHSEED": "2" if os.environ.get("PYTHONHASHSEED") == "1" else "1"}
    subprocess.run([*command, "--set", "tia.gain=500"], cwd=tmp_path, check=True, env=environment, timeout=60)
    assert contents(tmp_path / "here") == contents(tmp_path / "there")


def test_a_folder_reads_back(folder, design):
    compiled = read_compiled(folder)
    assert compiled.fidelity in ("shared", "device")
    assert compiled.design.technology_json == design.technology_json
    for stage, other in zip(compiled.design.crossbars, design.crossbars, strict=True):
        np.testing.assert_array_equal(stage.area, other.area)


# --- what is in the way ---


def test_an_earlier_circuit_is_replaced(folder, design):
    before = contents(folder)
    write_compiled(design, "device", folder)
    assert read_compiled(folder).fidelity == "device"
    assert set(contents(folder)) == set(before)
    assert [path.name for path in folder.parent.iterdir()] == ["circuit"]


def test_an_empty_folder_is_filled(tmp_path, design):
    (tmp_path / "circuit").mkdir()
    write_compiled(design, "shared", tmp_path / "circuit")
    assert read_compiled(tmp_path / "circuit").fidelity == "shared"


def strangers(folder: Path, kind: str) -> None:
    if kind == "a file":
        folder.write_text("mine")
        return
    folder.mkdir()
    if kind == "a link":
        folder.rename(folder.with_name("elsewhere"))
        folder.symlink_to("elsewhere")
    elif kind == "a folder of somebody's":
        (folder / "thesis.txt").write_text("mine")
    elif kind == "another program's manifest":
        (folder / MANIFEST).write_text('{"name": "an extension", "files": []}')
    elif kind == "a manifest of nothing":
        (folder / MANIFEST).write_text("")


@pytest.mark.parametrize(
    "kind",
    ["a file", "a link", "a folder of somebody's", "another program's manifest", "a manifest of nothing"],
)
def test_what_is_a_strangers_is_left_alone(tmp_path, design, kind):
    folder = tmp_path / "circuit"
    strangers(folder, kind)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    with pytest.raises(InputError, match="is in the way"):
        write_compiled(design, "shared", folder)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before
    assert not list(tmp_path.glob(".circuit*"))


def test_a_file_put_into_a_circuit_is_left_alone(folder, design):
    (folder / "notes.txt").write_text("mine")
    before = contents(folder)
    with pytest.raises(InputError, match="is in the way"):
        write_compiled(design, "shared", folder)
    assert contents(folder) == before


@pytest.mark.parametrize("there_already", [False, True])
@pytest.mark.parametrize("failing", ["write_text", "rename", "chmod"])
def test_a_disk_that_fills_up_leaves_what_was_there(tmp_path, design, monkeypatch, failing, there_already):
    folder = tmp_path / "circuit"
    if there_already:
        write_compiled(design, "shared", folder)
    before = contents(folder) if there_already else None

    def full(*_args, **_options):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, failing, full)
    with pytest.raises(InputError, match="cannot be written") as raised:
        write_compiled(design, "device", folder)
    monkeypatch.undo()
    assert "No space left" in raised.value.message
    assert (contents(folder) if folder.exists() else None) == before
    assert not list(tmp_path.glob(".circuit*"))


def test_a_move_that_fails_half_way_puts_the_old_circuit_back(tmp_path, design, monkeypatch):
    folder = tmp_path / "circuit"
    write_compiled(design, "shared", folder)
    before, rename, calls = contents(folder), Path.rename, []

    def second_fails(self, target):
        calls.append(target)
        if len(calls) == 2:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", second_fails)
    with pytest.raises(InputError, match="cannot be written"):
        write_compiled(design, "device", folder)
    assert len(calls) == 3
    assert contents(folder) == before


# --- what is not believed ---


@pytest.mark.parametrize("name", ["circuit.cir", "subcircuits.lib", "devices.lib", "design.npz", "nodes.csv"])
def test_a_file_that_was_changed_or_lost_is_noticed(folder, name):
    content = (folder / name).read_bytes()
    (folder / name).write_bytes(content + b"\n")
    with pytest.raises(InputError, match="was changed after compiling") as refused:
        read_compiled(folder)
    assert refused.value.where == str(folder / name)
    (folder / name).unlink()
    with pytest.raises(InputError, match="is missing"):
        read_compiled(folder)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda m: m.clear(), "is not a compiled folder"),
        (lambda m: m.update(schema="kanspice.manifest/2"), "by another version"),
        (lambda m: m.update(fidelity="exact"), r"manifest\.json, fidelity: is none that there is"),
        (lambda m: m.update(fidelity="filter"), r"manifest\.json, fidelity: does not fit the design beside it"),
        (lambda m: m.update(files={}), "was changed after compiling"),
        (lambda m: m["files"].pop("design.npz"), "was changed after compiling"),
        (lambda m: m.update(files=3), "is not a compiled folder"),
        (lambda m: m["files"].update({"more.txt": "0"}), "is missing"),
    ],
)
def test_a_manifest_that_does_not_fit_is_refused(folder, change, message):
    manifest = json.loads((folder / MANIFEST).read_text())
    change(manifest)
    (folder / MANIFEST).write_text(json.dumps(manifest))
    with pytest.raises(InputError, match=message):
        read_compiled(folder)


def test_what_is_no_folder_is_refused(tmp_path):
    with pytest.raises(InputError, match="is not a compiled folder"):
        read_compiled(tmp_path)
    with pytest.raises(InputError, match="is not a compiled folder"):
        read_compiled(tmp_path / "gone")


def test_a_netlist_that_is_not_the_designs_is_refused(folder):
    """Files and hashes agree, as another version or a stranger may have left them: the engines solve the design."""
    netlist, manifest = folder / "circuit.cir", folder / MANIFEST
    netlist.write_text(netlist.read_text(encoding="ascii") + "R1 in0 0 1\n", encoding="ascii")
    facts = json.loads(manifest.read_text(encoding="utf-8"))
    facts["files"]["circuit.cir"] = hashlib.sha256(netlist.read_bytes()).hexdigest()
    manifest.write_text(json.dumps(facts), encoding="utf-8")
    with pytest.raises(InputError, match="not the netlist of the design"):
        read_compiled(folder)


@pytest.mark.ngspice
def test_the_folder_is_run_by_hand(model, tmp_path):
    inputs = inputs_for(model, 5)
    circuit = kanspice.compile(model, tmp_path / "circuit", inputs=inputs, set=["tia.gain=1000"])
    command = ["ngspice", "-n", "-b", "bench.cir"]
    done = subprocess.run(command, cwd=tmp_path / "circuit", capture_output=True, text=True, check=False)
    printed = [float(volts) for volts in re.findall(r"^y\d+\s+=\s+(\S+)", done.stdout, re.M)]
    outputs = kanspice.simulate(circuit, inputs[:1], engine="batched").outputs[0]
    assert printed == pytest.approx((outputs * circuit.design.stages[-1].output_v_per_unit).tolist(), rel=1e-5)


def test_a_bench_that_was_changed_is_kept_and_does_not_matter(model, tmp_path):
    inputs = inputs_for(model, 5)
    kanspice.compile(model, tmp_path / "circuit", inputs=inputs)
    bench = tmp_path / "circuit" / "bench.cir"
    bench.write_text(bench.read_text().replace("Vin0 in0 0", "* Vin0 in0 0"))
    changed = bench.read_text()
    assert kanspice.simulate(tmp_path / "circuit", inputs, engine="batched").outputs.shape == (5, 2)
    with pytest.raises(InputError, match="is in the way"):
        kanspice.compile(model, tmp_path / "circuit", inputs=inputs)
    assert bench.read_text() == changed


def test_a_folder_without_a_bench_says_what_has_one(tmp_path):
    model = KirchhoffNet([topology_from_edges([(0, 1), (1, 0)])], [0.5], branch_function("ShiftTanh2", {}, "x")).eval()
    kanspice.compile(model, tmp_path / "circuit")
    assert not (tmp_path / "circuit" / "bench.cir").exists()
    assert "kanspice export" in (tmp_path / "circuit" / "README.md").read_text()
