"""Banks of synapses, flat in the circuit: what arrives at a column is added as a current into a node held at 0 V."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from functools import partial

import numpy as np

from kanspice.base.spice_numbers import spice_number
from kanspice.circuit import SynapseBank
from kanspice.circuit.stages.synapse_bank import BAND_PASS, LOW_PASS
from kanspice.engine.netlist.names import connection_element, layer_of, noise_node, quiet_node, sum_node
from kanspice.engine.netlist.sheet import Lines, Sheet

_LARGEST_DRIVE_V = 10.0
"""More drives no memdiode: its current is at most this over what is in its way."""


def write_synapse_bank(sheet: Sheet, bank: SynapseBank, signal: Sequence[str], outputs: Sequence[str]) -> Lines:
    """Between its rows and the outputs of its sums; the synapses are returned."""
    layer = layer_of(bank.name)
    lines = partial(_synapses, bank, tuple(signal))
    sheet.used |= {"synapse_band" if kind == BAND_PASS else "synapse" for kind in np.unique(bank.kind[bank.gain != 0])}
    columns = [sum_node(layer, index) for index in range(bank.width)]
    sheet.nodes.update(signal, columns)
    sheet.tally.add_lines(lines())
    for index, (column, output, bias_v) in enumerate(zip(columns, outputs, bank.bias_v.tolist(), strict=True)):
        quiet = _with_noise(sheet, layer, index, output) if bank.is_noisy else output
        sheet.instance(column, "summer", column, quiet, gain=1.0, bias=bias_v)
    return lines


def _with_noise(sheet: Sheet, layer: str, index: int, output: str) -> str:
    """A node from which `output` differs by what a new input is driven to."""
    quiet, noise = quiet_node(layer, index), noise_node(layer, index)
    sheet.nodes.update((quiet, noise))
    sheet.lines.append(f"E{layer}_noise{index} {output} {quiet} {noise} 0 1")
    sheet.noises.append(noise)
    return quiet


def _synapses(bank: SynapseBank, rows: Sequence[str]) -> Iterator[str]:
    """Memdiodes, as circuits that ngspice solves; low-pass ones are driven by what their row lacks of the reference."""
    layer, exists = layer_of(bank.name), bank.gain != 0
    shared = exists & (bank.input_bias_v == 0)
    for row, node in enumerate(rows):
        kinds = {int(kind) for kind in np.unique(bank.kind[row][shared[row]])}
        for kind in sorted(kinds):
            yield from _drives(bank, kind, node, str(row))
    for row, column, place in np.argwhere(exists).tolist():
        at = row, column, place
        if shared[at]:
            yield _synapse(bank, at, rows[row], str(row))
        else:
            own = "_".join(map(str, at))
            biased = f"{layer}_i{own}"
            yield f"v{biased} {biased} {rows[row]} {spice_number(float(bank.input_bias_v[at]))}"
            yield from _drives(bank, int(bank.kind[at]), biased, own)
            yield _synapse(bank, at, biased, own)


def _drives(bank: SynapseBank, kind: int, source: str, name: str) -> Iterator[str]:
    """What synapses of a kind need beside their input: `k`, what it lacks of the reference, or `m`, its negative."""
    lacking, lack, minus = (f"{layer_of(bank.name)}_{letter}{name}" for letter in "klm")
    if kind == LOW_PASS:
        yield f"v{lacking} {lacking} {lack} {spice_number(bank.reference_v)}"
        yield f"e{lack} {lack} 0 {source} 0 -1"
    elif kind == BAND_PASS:
        yield f"e{minus} {minus} 0 {source} 0 -1"


def _synapse(bank: SynapseBank, place: tuple[int, int, int], source: str, name: str) -> str:
    """A synapse whose input is the node `source`; name: of what `_drives` made of it."""
    layer, column = layer_of(bank.name), place[1]
    parameters = {
        "load": bank.load_ohm[place],
        "series": bank.series_ohm[place],
        "alpha": bank.alpha_per_v[place],
        "sat": bank.saturation_a[place],
        "gain": bank.gain[place],
    }
    path_ohm = float(bank.load_ohm[place] + bank.series_ohm[place])
    if bank.kind[place] == BAND_PASS:
        ends, subcircuit = f"{source} {layer}_m{name}", "synapse_band"
        parameters["input"] = input_ohm = bank.input_ohm[place]
        path_ohm = float(1 / (1 / bank.load_ohm[place] + 1 / input_ohm) + bank.series_ohm[place])
    else:
        ends, subcircuit = f"{layer}_k{name}" if bank.kind[place] == LOW_PASS else source, "synapse"
    parameters["top"] = max(math.log(_LARGEST_DRIVE_V / path_ohm / bank.saturation_a[place]), 0.0) + 1
    values = " ".join(f"{key}={spice_number(float(value))}" for key, value in parameters.items())
    return f"x{connection_element(layer, *place)} {ends} {sum_node(layer, column)} {subcircuit} {values}"
