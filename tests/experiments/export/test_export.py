"""Exports: complete, run by hand and by kanspice, proven or honest about it, read back only as they were written."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
import shutil
import subprocess
from dataclasses import replace

import numpy as np
import pytest
import torch
from circuits import PEAK, load_device, network
from connections import memkan, phykan, surrogate_memkan
from fake_ngspice import write_fake
from images import cnnkan
from json_schemas import hold

import kanspice
from kanspice.base.errors import InputError, SimulatorError
from kanspice.engine.netlist.named import device_names
from kanspice.experiments.export.bench import bench_of
from kanspice.experiments.export.circuit import plain_circuit
from kanspice.experiments.export.folder import MANIFEST
from kanspice.experiments.export.formats.table import EXPORT_FORMATS
from kanspice.families.kirchhoffnet.branches import branch_function
from kanspice.families.kirchhoffnet.network import KirchhoffNet
from kanspice.families.kirchhoffnet.topology import topology_from_edges
from kanspice.families.loading import loaded_from

WIRED = (
    "tia.gain=1000",
    "wires.row_ohm=1",
    "wires.column_ohm=2",
    "devices.shift_sigma_v=1e-3",
    "tia.offset_sigma_v=1e-3",
)


def moons():
    torch.manual_seed(1)
    topology = topology_from_edges([(0, 1), (1, 0), (1, 2), (2, 1), (2, 0), (1, 2)])
    return KirchhoffNet([topology, topology], [0.5, 0.25], branch_function("ShiftTanh2", {}, "x")).eval()


def growing():
    """A second period with one more node, of straight lines with a corner."""
    torch.manual_seed(2)
    edges = [(0, 1), (1, 0), (1, 2), (2, 1), (2, 0)], [(1, 3), (3, 2), (2, 0), (0, 3)]
    law = branch_function("ShiftRelu1", {}, "x")
    return KirchhoffNet([*map(topology_from_edges, edges)], [0.5, 0.25], law, readout="last2").eval()


def residual():
    """A residual, whose voltages are held."""
    torch.manual_seed(3)
    topology = topology_from_edges([(0, 1), (1, 0), (1, 2), (2, 1)])
    return KirchhoffNet([topology] * 2, [0.5, 0.25], branch_function("ShiftTanh2", {}, "x"), residual=(1, 2)).eval()


FAMILIES = {
    "kanalogue": (lambda: network([3, 4, 2], [load_device("z21"), PEAK], norm="layer"), ()),
    "kanalogue-wired": (lambda: network([3, 4, 2], [load_device("z21"), PEAK]), WIRED),
    "phykan": (phykan, ("filters.amplifier_hz=1e6", "filters.hold_s=5e-3", "filters.offset_sigma_v=1e-3")),
    "memkan": (memkan, ()),
    "surrogate": (surrogate_memkan, ("pairs.thermal_v=0.026", "pairs.current_gain=100")),
    "kirchhoffnet": (moons, ()),
    "kirchhoffnet-growing": (growing, ("kirchhoffnet.leak_ohm=1e9",)),
    "kirchhoffnet-residual": (residual, ()),
    "phykan-transient": (lambda: phykan((1, 1), 1), ()),
    "cnnkan": (lambda: cnnkan((1, 2, 2), (2,)), ("convolution.layout=unrolled",)),
}


def samples_for(model, samples=3):
    return np.random.default_rng(0).uniform(0.1, 0.6, (samples, loaded_from(model).input_width))


@pytest.fixture(scope="module")
def compiled():
    """A function that gives a family's circuit, and samples for it."""
    made = {}

    def circuit(name):
        if name not in made:
            model, settings = FAMILIES[name][0](), FAMILIES[name][1]
            inputs = samples_for(model)
            fidelity = "transient" if name == "phykan-transient" else "auto"
            made[name] = kanspice.compile(model, inputs=inputs, set=settings, fidelity=fidelity), inputs
        return made[name]

    return circuit


@pytest.fixture(scope="module")
def folder(compiled, tmp_path_factory):
    """A compiled folder of a small KANalogue, and its samples in a file."""
    above = tmp_path_factory.mktemp("compiled")
    circuit, inputs = compiled("kanalogue")
    circuit.write(above / "circuit")
    np.save(above / "x.npy", inputs)
    return above


@pytest.fixture(scope="module")
def exported(folder, tmp_path_factory):
    """An export of it for ngspice, which nobody changes."""
    target = tmp_path_factory.mktemp("exported") / "ngspice"
    kanspice.export(folder / "circuit", "ngspice", target, inputs=folder / "x.npy", sample=2)
    return target


@pytest.mark.slow
@pytest.mark.ngspice
@pytest.mark.parametrize("name", FAMILIES)
def test_ngspice_finds_with_an_export_what_kanspice_found(compiled, tmp_path, name):
    circuit, inputs = compiled(name)
    result = kanspice.export(circuit, "ngspice", tmp_path / "out", inputs=inputs, sample=1)
    receipt = result.receipt
    assert receipt.passed, receipt.line()
    assert receipt.program == "ngspice"
    over_time = circuit.design.is_timed or circuit.fidelity == "transient"
    assert receipt.worst_relative <= (1e-4 if over_time else 1e-9)
    if circuit.fidelity == "transient":
        return
    outputs = kanspice.simulate(circuit, inputs, engine="batched").outputs[1]
    expected = [each.expected_v / each.v_per_unit for each in result.outputs]
    assert expected == pytest.approx(outputs.tolist(), rel=1e-6)


@pytest.mark.ngspice
def test_the_folder_is_run_by_hand_and_prints_what_is_expected(exported, tmp_path):
    shutil.copytree(exported, tmp_path / "by_hand")
    done = subprocess.run(
        ["ngspice", "-n", "-b", "bench.cir"], check=False, cwd=tmp_path / "by_hand", capture_output=True, text=True
    )
    printed = {key: float(value) for key, value in re.findall(r"^(y\d+(?:_off)?)\s+=\s+(\S+)", done.stdout, re.M)}
    table = csv.DictReader(io.StringIO((exported / "expected.csv").read_text()))
    rows = [row for row in table if row["stage"] == "l2.crossbar"]
    assert len(rows) == 2
    for row in rows:
        assert printed[f"y{row['index']}"] == pytest.approx(float(row["volts"]), abs=1e-6)
        assert abs(printed[f"y{row['index']}_off"]) < 1e-12


@pytest.mark.ngspice
def test_what_is_measured_at_the_end_of_a_transient_is_within_it(compiled, tmp_path):
    circuit, inputs = compiled("kirchhoffnet")
    kanspice.export(circuit, "ngspice", tmp_path / "out", inputs=inputs, sample=1)
    deck = (tmp_path / "out" / "bench.cir").read_text()
    (end_s,) = re.findall(r"^\.tran \S+ (\S+)", deck, re.M)
    assert all(float(at_s) < float(end_s) * (1 - 1e-6) for at_s in re.findall(r"at=(\S+)", deck))
    command = ["ngspice", "-n", "-b", "bench.cir"]
    done = subprocess.run(command, check=False, cwd=tmp_path / "out", capture_output=True, text=True)
    apart = re.findall(r"^y\d+_off\s+=\s+(\S+)", done.stdout, re.M)
    assert len(apart) == 2
    assert all(abs(float(volts)) < 1e-4 for volts in apart)


@pytest.mark.ngspice
def test_simulate_takes_an_export_back(exported, folder):
    inputs = np.load(folder / "x.npy")
    ours = kanspice.simulate(folder / "circuit", inputs, engine="batched")
    back = kanspice.simulate(exported)
    assert back.outputs[0] == pytest.approx(ours.outputs[2], abs=1e-9)
    again = kanspice.simulate(exported, inputs)
    assert again.outputs == pytest.approx(ours.outputs, abs=1e-9)
    assert again.solution.engine == "ngspice"


@pytest.mark.ngspice
def test_the_netlist_of_an_export_passes_as_one_from_elsewhere(exported):
    result = kanspice.simulate(exported / "bench.cir")
    assert result.plots[0].table.shape[0] == 1


@pytest.mark.ngspice
def test_devices_are_subcircuits_of_their_names_grouped_by_column(exported):
    text = (exported / "circuit.cir").read_text()
    assert re.search(r"^Xl1_r0_c0[pn]_z21 l1_r0 l1_c0[pn] z21 amps=", text, re.M)
    groups = [line for line in text.splitlines() if line.startswith("* ---")]
    assert groups[0] == "* --- output 0, positive column ---"
    assert text.index("l1.input") < text.index("l1.crossbar") < text.index("l2.crossbar")
    assert re.search(r"^\.subckt z21 a k params: amps=", (exported / "devices.lib").read_text(), re.M)


@pytest.mark.ngspice
def test_the_receipt_is_a_document(exported):
    text = (exported / "receipt.json").read_text()
    hold(text, "kanspice.receipt/1")
    receipt = json.loads(text)
    assert receipt["passed"] and receipt["sample"] == 2 and receipt["program"] == "ngspice"
    readme = (exported / "README.md").read_text()
    assert "ngspice -b bench.cir" in readme and "gives kanspice's own answer" in readme


def test_without_the_simulator_the_receipt_says_so(folder, tmp_path, monkeypatch):
    monkeypatch.setenv("KANSPICE_NGSPICE", str(tmp_path / "nowhere"))
    result = kanspice.export(folder / "circuit", "ngspice", tmp_path / "out")
    assert not result.receipt.simulated and not result.receipt.passed
    assert result.receipt.line().startswith("not simulated here: the simulator that KANSPICE_NGSPICE names")
    assert json.loads((tmp_path / "out" / "receipt.json").read_text())["why_not"]
    hold((tmp_path / "out" / "receipt.json").read_text(), "kanspice.receipt/1")
    assert "an example that kanspice chose" in (tmp_path / "out" / "README.md").read_text()


@pytest.mark.ngspice
def test_a_simulator_that_takes_too_long_is_said_and_one_that_fails_leaves_nothing(folder, tmp_path, monkeypatch):
    monkeypatch.setenv("KANSPICE_NGSPICE", str(write_fake(tmp_path, "sleep 100\n")))
    result = kanspice.export(folder / "circuit", "ngspice", tmp_path / "slow", timeout=0.5)
    assert "not at its end in time" in result.receipt.why_not
    monkeypatch.setenv("KANSPICE_NGSPICE", str(write_fake(tmp_path, "echo broken\n")))
    with pytest.raises(SimulatorError, match="no result that can be believed"):
        kanspice.export(folder / "circuit", "ngspice", tmp_path / "broken")
    assert not (tmp_path / "broken").exists()


@pytest.mark.ngspice
def test_an_export_of_another_circuit_is_not_written(folder, tmp_path, monkeypatch):
    written = EXPORT_FORMATS["ngspice"]

    def wrong(circuit, bench):
        files = dict(written.files(circuit, bench))
        text = "".join(files["devices.lib"]())
        files["devices.lib"] = lambda: (
            text.replace("(v(a,k) < ", "(v(a,k)-0.01 < ", 1).replace("Bphi a k", "Bphi k a"),
        )
        return files

    monkeypatch.setitem(EXPORT_FORMATS, "ngspice", replace(written, files=wrong))
    with pytest.raises(SimulatorError, match="the export is another circuit"):
        kanspice.export(folder / "circuit", "ngspice", tmp_path / "wrong")
    assert not (tmp_path / "wrong").exists()


@pytest.mark.ngspice
def test_nothing_but_an_export_is_replaced(exported, folder, tmp_path):
    target = tmp_path / "out"
    shutil.copytree(exported, target)
    kanspice.export(folder / "circuit", "ngspice", target, inputs=folder / "x.npy")  # an earlier one
    (target / "bench.cir").write_text("* mine\n")
    with pytest.raises(InputError, match="is in the way"):
        kanspice.export(folder / "circuit", "ngspice", target)
    assert (target / "bench.cir").read_text() == "* mine\n"


@pytest.mark.ngspice
def test_a_changed_export_is_not_simulated(exported, tmp_path):
    target = tmp_path / "out"
    shutil.copytree(exported, target)
    (target / "bench.cir").write_text("* mine\n.control\nshell touch hacked\n.endc\n.end\n")
    with pytest.raises(InputError, match="was changed after exporting"):
        kanspice.simulate(target)
    manifest = json.loads((target / MANIFEST).read_text())
    lines = (exported / "circuit.cir").read_text()
    (target / "circuit.cir").write_text(lines.replace("amps=", "amps=1", 1))
    for name in ("circuit.cir", "bench.cir"):
        manifest["files"][name] = hashlib.sha256((target / name).read_bytes()).hexdigest()
    (target / MANIFEST).write_text(json.dumps(manifest))
    with pytest.raises(InputError, match="is not what is made of the design beside it"):
        kanspice.simulate(target)


@pytest.mark.ngspice
def test_changed_inputs_and_a_bench_that_is_gone_are_seen(exported, tmp_path):
    target = tmp_path / "out"
    shutil.copytree(exported, target)
    manifest = json.loads((target / MANIFEST).read_text())
    changed = manifest | {"inputs": [value + 0.01 for value in manifest["inputs"]]}
    (target / MANIFEST).write_text(json.dumps(changed))
    with pytest.raises(InputError, match="inputs that were changed after exporting"):
        kanspice.simulate(target)
    (target / "bench.cir").unlink()
    del manifest["files"]["bench.cir"]
    (target / MANIFEST).write_text(json.dumps(manifest))
    with pytest.raises(InputError, match="is missing"):
        kanspice.simulate(target)


@pytest.mark.ngspice
@pytest.mark.parametrize(
    ("key", "value", "problem"),
    [
        ("schema", "kanspice.export/9", "another version"),
        ("format", "hspice", "names what there is not"),
        ("format", ["ngspice"], "names what there is not"),
        ("fidelity", "rough", "names what there is not"),
        ("inputs", [0.5], "other inputs than its design"),
        ("inputs", "many", "is not an export"),
        ("sample", -1, "other inputs than its design"),
        ("files", {}, "is missing|was changed"),
    ],
)
def test_a_manifest_that_does_not_fit_is_refused(exported, tmp_path, key, value, problem):
    target = tmp_path / "out"
    shutil.copytree(exported, target)
    manifest = json.loads((target / MANIFEST).read_text()) | {key: value}
    (target / MANIFEST).write_text(json.dumps(manifest))
    with pytest.raises(InputError, match=problem):
        kanspice.simulate(target)


def test_an_unknown_engine_or_waveforms_are_not_for_an_export(exported):
    with pytest.raises(InputError, match="run by its own simulator"):
        kanspice.simulate(exported, engine="batched")
    with pytest.raises(InputError, match="keeps no waveforms"):
        kanspice.simulate(exported, waveforms=2)


HOSTILE = "x\n.control\nshell touch hacked\n.endc\n* `rm`"


def test_no_name_of_a_card_becomes_a_line_or_a_word(tmp_path):
    named = [device("z21"), device("clipper"), device("Z21"), device("7 up"), device("rt d.1")]
    names = device_names(named)
    assert len(set(names)) == len(names)
    assert names == ["z21", "clipper_2", "z21_2", "device_7_up", "rt_d_1"]


def test_no_name_of_a_card_is_a_word_of_a_language_or_a_module_of_ours():
    named = [device("small"), device("nmos"), device("load"), device("kan_resistor")]
    assert device_names(named) == ["small_2", "nmos_2", "load_2", "device_kan_resistor"]


def device(name):
    """A device as if its card had this name, whatever cards may be called."""
    return replace(PEAK, name=name)


def test_a_hostile_name_is_harmless():
    (name,) = device_names([device(HOSTILE)])
    assert re.fullmatch(r"[a-z][a-z0-9_]*", name)


@pytest.mark.parametrize("written", EXPORT_FORMATS)
def test_no_hostile_card_comes_into_an_export(compiled, written):
    circuit, inputs = compiled("kanalogue")
    hostile = tuple(replace(each, name=f"{HOSTILE} {place}") for place, each in enumerate(circuit.design.devices))
    plain = plain_circuit(replace(circuit.design, devices=hostile), "device")
    files = EXPORT_FORMATS[written].files(plain, bench_of(plain, inputs, 1, answered=True))
    for name, text in files.items():
        lines = "".join(text()).splitlines()
        assert not [line for line in lines if re.match(r"\s*(\.control|shell|\*\s*`)", line) or "`rm" in line], name


def test_what_no_run_has_is_refused_by_name(tmp_path):
    model = phykan()
    circuit = kanspice.compile(model, inputs=samples_for(model), fidelity="filter")
    with pytest.raises(InputError, match="RC networks alone have no answers"):
        kanspice.export(circuit, "ngspice", tmp_path / "out")
