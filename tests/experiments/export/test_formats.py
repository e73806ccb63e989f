"""The languages of exports: each says the same circuit, in what its simulator reads."""

from __future__ import annotations

import csv
import io
import math
import re

import numpy as np
import pytest
from circuits import DEVICE_NAMES, PEAK, load_device, network
from connections import memkan, phykan, surrogate_memkan

import kanspice
from kanspice.base.errors import SimulatorError
from kanspice.base.resources import NETLISTS
from kanspice.experiments.export.elements import Behavioural, element, subcircuits_of
from kanspice.experiments.export.expressions import parsed
from kanspice.experiments.export.formats.ltspice import LTSPICE
from kanspice.experiments.export.formats.ngspice import NGSPICE
from kanspice.experiments.export.formats.table import EXPORT_FORMATS
from kanspice.experiments.export.formats.verilog_a import modules_text
from kanspice.experiments.export.formats.xyce import XYCE
from kanspice.families.kirchhoffnet.branches import branch_function
from kanspice.families.kirchhoffnet.network import KirchhoffNet
from kanspice.families.kirchhoffnet.topology import topology_from_edges
from kanspice.families.loading import loaded_from

RELU = ("clippers.circuit=rectifiers", "clippers.gain=1e4", "clippers.offset_sigma_v=1e-3")
LOSSY = (
    "kirchhoffnet.leak_ohm=1e9",
    "kirchhoffnet.supply_v=5",
    "kirchhoffnet.clamp_ohm=1e4",
    "branches.parasitic_f=1e-15",
)
LIBRARY = sorted(NETLISTS.glob("*.cir"))


def kirchhoffnet():
    import torch

    torch.manual_seed(1)
    topology = topology_from_edges([(0, 1), (1, 0), (1, 2), (2, 1), (2, 0), (1, 2)])
    return KirchhoffNet([topology, topology], [0.5, 0.25], branch_function("ShiftTanh2", {}, "x")).eval()


MODELS = {
    "kanalogue": (lambda: network([3, 4, 2], [load_device("z21"), PEAK]), ("tia.gain=1000", "wires.row_ohm=1")),
    "layernorm": (lambda: network([2, 2, 2], [PEAK], input_stage="sigmoid", norm="layer"), ()),
    "rectifiers": (lambda: network([2, 3, 2], [PEAK]), RELU),
    "kirchhoffnet": (kirchhoffnet, LOSSY),
    "phykan": (phykan, ("filters.amplifier_hz=1e6", "filters.hold_s=5e-3")),
    "memkan": (memkan, ()),
    "pairs": (surrogate_memkan, ("pairs.thermal_v=0.026", "pairs.current_gain=100")),
}
PROVEN = [
    *(pytest.param("ltspice", name, marks=pytest.mark.ngspice) for name in MODELS),
    *(pytest.param("vacask", name, marks=pytest.mark.vacask) for name in MODELS),
    *(pytest.param("veriloga", name, marks=pytest.mark.vacask) for name in ("kanalogue", "kirchhoffnet")),
]


@pytest.fixture(scope="module")
def compiled():
    made = {}

    def circuit(name):
        if name not in made:
            model, settings = MODELS[name][0](), MODELS[name][1]
            inputs = np.random.default_rng(0).uniform(0.1, 0.6, (2, loaded_from(model).input_width))
            made[name] = kanspice.compile(model, inputs=inputs, set=settings), inputs
        return made[name]

    return circuit


@pytest.mark.slow
@pytest.mark.parametrize(("written", "name"), PROVEN)
def test_a_simulator_finds_what_kanspice_found(compiled, tmp_path, written, name):
    circuit, inputs = compiled(name)
    receipt = kanspice.export(circuit, written, tmp_path / "out", inputs=inputs, sample=1).receipt
    assert receipt.passed, receipt.line()
    assert receipt.worst_relative <= (1e-4 if name == "kirchhoffnet" else 1e-9)


@pytest.mark.vacask
def test_simulate_has_vacask_run_its_exports(compiled, tmp_path):
    circuit, inputs = compiled("kanalogue")
    kanspice.export(circuit, "vacask", tmp_path / "out", inputs=inputs, sample=1)
    back = kanspice.simulate(tmp_path / "out", inputs)
    assert back.solution.engine == "VACASK"
    assert back.outputs == pytest.approx(kanspice.simulate(circuit, inputs, engine="batched").outputs, abs=1e-9)


def test_every_reason_why_nothing_was_simulated_is_said(compiled, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("KANSPICE_NGSPICE", raising=False)
    circuit, inputs = compiled("kanalogue")
    for written in EXPORT_FORMATS:
        result = kanspice.export(circuit, written, tmp_path / written, inputs=inputs)
        assert result.receipt.line().startswith("not simulated here: ")
        assert "not installed" in result.receipt.why_not or "needs a linker" in result.receipt.why_not
        with pytest.raises(SimulatorError):
            kanspice.simulate(tmp_path / written)


FAKE_XYCE = """#!/bin/sh
echo "This is version Xyce Release 7.8.0-opensource"
cp {table} measured.csv
"""


def test_what_xyce_prints_is_read(compiled, tmp_path, monkeypatch):
    """With a program that answers as Xyce does: Xyce itself is on no package index."""
    circuit, inputs = compiled("kanalogue")
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    kanspice.export(circuit, "xyce", tmp_path / "first", inputs=inputs)
    rows = list(csv.DictReader(io.StringIO((tmp_path / "first" / "expected.csv").read_text())))
    nodes, volts = [f"V({row['node'].upper()})" for row in rows], [row["volts"] for row in rows]
    (tmp_path / "table.csv").write_text(",".join(nodes) + "\n" + ",".join(volts) + "\n")
    (tmp_path / "Xyce").write_text(FAKE_XYCE.format(table=tmp_path / "table.csv"))
    (tmp_path / "Xyce").chmod(0o755)
    receipt = kanspice.export(circuit, "xyce", tmp_path / "second", inputs=inputs).receipt
    assert (receipt.passed, receipt.version, receipt.worst_v) == (True, "7.8.0-opensource", 0.0)
    (tmp_path / "table.csv").write_text(",".join(nodes) + "\n")
    with pytest.raises(SimulatorError, match="gave no voltage"):
        kanspice.export(circuit, "xyce", tmp_path / "third", inputs=inputs)


def value_of(text, volts):
    """An expression of LTspice or Xyce as Python has it: `if` is a function of both."""
    python = re.sub(r"v\(a,k\)", "v", text.replace("{", "(").replace("}", ")"), flags=re.I)
    names = {
        "if_": lambda test, yes, no: yes if test else no,
        "v": volts,
        "amps": 1.0,
        "max": max,
        "min": min,
        "abs": abs,
    }
    functions = {"exp": math.exp, "ln": math.log, "tanh": math.tanh, "atan": math.atan, "sqrt": math.sqrt}
    functions |= {"uramp": lambda x: max(x, 0.0)}
    return eval(re.sub(r"\bif\(", "if_(", python, flags=re.I), {"__builtins__": {}}, names | functions)


@pytest.mark.parametrize("dialect", (LTSPICE, XYCE), ids=lambda dialect: dialect.title)
@pytest.mark.parametrize("name", DEVICE_NAMES)
def test_every_card_is_the_same_curve_in_dialects_that_do_not_run_here(dialect, name):
    curve = load_device(name).curve
    source = Behavioural("i", "Bphi", ("a", "k"), parsed(curve.spice("v(a,k)")), parsed("{amps}"))
    text = " ".join(line.removeprefix("+").strip() for line in dialect.element(source)).partition("i=")[2]
    volts = np.random.default_rng(0).uniform(curve.lo_v - 1, curve.hi_v + 1, 200)
    found = np.array([value_of(text, float(each)) for each in volts])
    expected, _ = curve.numpy(volts)
    assert np.abs(found - expected).max() <= 1e-12 * np.abs(expected).max()


@pytest.mark.parametrize("path", LIBRARY, ids=lambda path: path.stem)
def test_every_hand_written_subcircuit_is_read_and_written_again(path):
    (read,) = subcircuits_of(path.read_text())
    (again,) = subcircuits_of("\n".join(NGSPICE.subcircuit_lines(read)).replace("\n+", " "))
    assert (again.name, again.ports, again.parameters, again.models) == (
        read.name,
        read.ports,
        read.parameters,
        read.models,
    )
    assert [(type(each), each.name, each.nodes) for each in again.elements] == [
        (type(each), each.name, each.nodes) for each in read.elements
    ]
    library = [each for file in LIBRARY for each in subcircuits_of(file.read_text())]
    assert f"module {read.name}(" in modules_text("", [read], library)


@pytest.mark.parametrize("text", ("a b", "1 +", "shell(x)", "v(", "(1", "1;2", "`ls`", "x := 1"))
def test_what_is_no_expression_of_ours_is_none(text):
    with pytest.raises(ValueError, match=r"."):
        parsed(text)


@pytest.mark.parametrize("line", ("Ux 1 2 3", ".control", "Rx a b `ls`"))
def test_what_is_no_element_of_ours_is_none(line):
    with pytest.raises(ValueError, match=r"."):
        element(line)


def test_spicelib_reads_decks_of_ltspice(compiled, tmp_path):
    """The library that drives LTspice from Python finds sources and devices where they are."""
    editor = pytest.importorskip("spicelib").SpiceEditor
    circuit, inputs = compiled("kanalogue")
    kanspice.export(circuit, "ltspice", tmp_path / "out", inputs=inputs, timeout=0.001)
    bench = editor(tmp_path / "out" / "bench.cir")
    assert float(bench.get_component_value("Vin1")) == pytest.approx(inputs[0, 1])
    whole = tmp_path / "whole.cir"
    whole.write_text((tmp_path / "out" / "circuit.cir").read_text() + ".end\n")
    read = editor(whole)
    devices = [name for name in read.get_components() if re.fullmatch(r"XL1_R\d+_C\d+[PN]_Z21", name.upper())]
    assert len(devices) == np.count_nonzero(circuit.design.crossbars[0].area[:, :, 0])
    assert read.get_component_value(devices[0]).split()[-1] == "z21" or "z21" in read.get_component_value(devices[0])
