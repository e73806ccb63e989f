"""Banks of filters as RC networks and amplifiers between sines and detectors."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from kanspice.base.spice_numbers import spice_number
from kanspice.circuit import Design, FilterBank
from kanspice.engine.netlist.library import library_text
from kanspice.engine.netlist.names import amplitude_node, connection_element, layer_of, sine_node
from kanspice.engine.netlist.netlist import CIRCUIT, Netlist, whole
from kanspice.engine.netlist.weight import Tally, estimated_bytes

SUBCIRCUITS = "subcircuits.lib"


def bank_file(bank: FilterBank) -> str:
    """The file with a bank's filters."""
    return f"{layer_of(bank.name)}_filters.cir"


def filter_netlist(design: Design) -> Netlist:
    """All filters, between the sines of their rows and what their detectors see.

    Inputs: the sines' nodes, bank by bank. Probes: of a bank, the outputs of its filters in the order of
    `np.argwhere(gain)`.
    """
    banks = design.filter_banks
    lines = {bank.name: list(filter_lines(bank)) for bank in banks}
    used = {name for bank in banks for name in filter_subcircuits(bank)}
    files = {SUBCIRCUITS: f"* kanspice subcircuits\n{library_text(used)}"}
    files |= {bank_file(bank): "".join(f"{line}\n" for line in lines[bank.name]) for bank in banks}
    title = "* kanspice circuit: drive the sines' nodes named in manifest.json, add an analysis and .end"
    files[CIRCUIT] = "\n".join([title, *(f".include {name}" for name in files)]) + "\n"
    inputs = tuple(node for bank in banks for node in sine_nodes(bank))
    tally = Tally()
    tally.add_lines(line for each in lines.values() for line in each)
    return Netlist(
        fidelity="filter",
        files={name: whole(text) for name, text in files.items()},
        inputs=inputs,
        probes={bank.name: amplitude_nodes(bank) for bank in banks},
        columns={},
        amplifiers={},
        reach_v={},
        nodes=len(inputs) + sum(bank.device_count for bank in banks),
        elements=tally.elements,
        simulator_bytes=estimated_bytes(tally.simulator_bytes),
        first_s=tally.first_s,
    )


def sine_nodes(bank: FilterBank) -> tuple[str, ...]:
    """Where the rows' sines arrive."""
    return tuple(sine_node(layer_of(bank.name), row) for row in range(bank.rows))


def amplitude_nodes(bank: FilterBank) -> tuple[str, ...]:
    """The filters' outputs, in the order of `np.argwhere(gain)`."""
    return tuple(amplitude_node(layer_of(bank.name), *place) for place in np.argwhere(bank.gain).tolist())


def filter_lines(bank: FilterBank) -> Iterator[str]:
    """Every filter between its row's sine and its detector."""
    layer = layer_of(bank.name)
    for row, column, place in np.argwhere(bank.gain).tolist():
        at = row, column, place
        name = f"x{connection_element(layer, *at)}"
        yield filter_line(bank, at, name, sine_node(layer, row), amplitude_node(layer, *at))


def filter_line(bank: FilterBank, at: tuple[int, int, int], name: str, sine: str, output: str) -> str:
    """One filter between two nodes."""
    parameters = {
        "highr": bank.high_ohm[at],
        "highc": bank.high_f[at],
        "lowr": bank.low_ohm[at],
        "lowc": bank.low_f[at],
        "gain": abs(bank.gain[at]),
    }
    if math.isfinite(bank.amplifier_hz):
        parameters |= {"gbw": bank.amplifier_hz, "gainr": bank.gain_ohm}
    values = " ".join(f"{key}={spice_number(float(value))}" for key, value in parameters.items())
    return f"{name} {sine} {output} {filter_subcircuits(bank)[0]} {values}"


def filter_subcircuits(bank: FilterBank) -> tuple[str, ...]:
    """The library's subcircuits that a filter takes, its own first."""
    return ("band_pass_real", "operational") if math.isfinite(bank.amplifier_hz) else ("band_pass",)
