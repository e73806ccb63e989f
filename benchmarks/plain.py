"""The plain way with ngspice, as PySpice's examples have it: what kanspice is compared with.

PySpice is optional, and needs ngspice's shared library: `pip install PySpice`, `apt-get install libngspice0`.
"""

from __future__ import annotations

import ctypes.util
import re
from typing import Any

import numpy as np
from PySpice.Spice.Netlist import Circuit
from PySpice.Spice.NgSpice.Shared import NgSpiceShared

from benchmarks.report import cpu_s, relative_rmse
from kanspice.base.spice_numbers import spice_number
from kanspice.circuit import Design
from kanspice.engine.netlist import Netlist, build_netlist

_DEVICE = re.compile(r"[BG]l\d+_d\d+_\d+_\d+ ")


def row(design: Design, inputs: np.ndarray, reference: dict) -> dict:
    """One circuit, one parse, one operating point per sample, through PySpice's shared-library simulator."""
    library = {"LIBRARY_PATH": ctypes.util.find_library("ngspice")}
    shared = type("Bound", (NgSpiceShared,), library)(send_data=False)
    netlist = build_netlist(design, "shared")
    nodes = netlist.probes[design.stages[-1].name]
    build_s = parse_s = 0.0
    outputs = []
    for sample in inputs:
        text, built_s = cpu_s(lambda sample=sample: _deck(netlist, sample))
        row, solved_s = cpu_s(lambda text=text: _answer(shared, text, nodes))
        outputs.append(row)
        build_s, parse_s = build_s + built_s, parse_s + solved_s
    last = design.stages[-1]
    return {
        "samples": len(inputs),
        "cpu_per_sample_s": (build_s + parse_s) / len(inputs),
        "build_per_sample_s": build_s / len(inputs),
        "parse_and_solve_per_sample_s": parse_s / len(inputs),
        "relative_rmse": relative_rmse(np.array(outputs) / last.output_v_per_unit, reference),
    }


def _deck(netlist: Netlist, sample: np.ndarray) -> str:
    circuit = _circuit({name: netlist.text(name) for name in netlist.files})
    for node, volts in zip(netlist.inputs, sample, strict=True):
        circuit.V(node, node, 0, spice_number(volts))
    return f"{circuit}.options reltol=1e-6 vntol=1e-9 abstol=1e-15\n.op\n.end\n"


def _answer(shared: Any, text: str, nodes: tuple[str, ...]) -> list[float]:
    shared.load_circuit(text)
    shared.run()
    plot = shared.plot(None, shared.last_plot)
    row = [float(plot[node]._data[0]) for node in nodes]
    shared.destroy()
    shared.remove_circuit()
    return row


def _circuit(files: dict[str, str]) -> Circuit:
    """The shared circuit, one PySpice object per device, as somebody would write it by hand."""
    circuit, rest = Circuit("plain"), []
    for line in files["circuit.cir"].splitlines():
        words = line.split()
        if _DEVICE.match(line):
            circuit.VCCS(words[0][1:], *words[1:5], transconductance=words[5])
        elif not line.startswith(".include"):
            rest.append(line)
    circuit.raw_spice = f"{files['devices.lib']}\n{files['subcircuits.lib']}\n" + "\n".join(rest) + "\n"
    return circuit
