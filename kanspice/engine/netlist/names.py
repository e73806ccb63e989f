"""Names of nodes and elements, all lower case as ngspice gives them back, and the way back to the model."""

from __future__ import annotations

import re


def layer_of(stage: str) -> str:
    """`l1.crossbar` -> `l1`."""
    return stage.partition(".")[0]


def input_node(index: int) -> str:
    """Input `index` of the whole circuit."""
    return f"in{index}"


_SHORT = {"input": "r", "norm": "n", "crossbar": "y", "filters": "y", "synapses": "y"}
"""Kind of a stage -> what its nodes are called, where that is not the kind itself. A layer has one array at most."""


def stage_node(stage: str, index: int) -> str:
    """Output `index` of a stage: `l1.input` 5 -> `l1_r5` (a row); `l1.crossbar` 3 -> `l1_y3`; `.norm` -> `l1_n3`."""
    layer, _, kind = stage.partition(".")
    return f"{layer}_{_SHORT.get(kind, kind)}{index}"


def sum_node(layer: str, column: int) -> str:
    """Where a column of connections is added up: `l1_s3`."""
    return f"{layer}_s{column}"


def quiet_node(layer: str, index: int) -> str:
    """Output `index` of a noisy bank, without its noise: `l1_g3`."""
    return f"{layer}_g{index}"


def noise_node(layer: str, index: int) -> str:
    """The noise on output `index` of a bank: `l1_e3`."""
    return f"{layer}_e{index}"


def sine_node(layer: str, row: int) -> str:
    """The sine of a row of filters: `l1_o3`."""
    return f"{layer}_o{row}"


def amplitude_node(layer: str, row: int, column: int, place: int) -> str:
    """What the detector of a filter sees: `l1_a5_3_1`."""
    return f"{layer}_a{row}_{column}_{place}"


def peak_node(layer: str, row: int, column: int, place: int) -> str:
    """What the detector of a filter has seen at most: `l1_p5_3_1`."""
    return f"{layer}_p{row}_{column}_{place}"


def tone_node(layer: str, row: int) -> str:
    """The frequency of a row of filters: `l1_f3`."""
    return f"{layer}_f{row}"


def connection_element(layer: str, row: int, column: int, place: int) -> str:
    """Element of one filter or synapse, without SPICE's leading letter: `l1_k5_3_1`."""
    return f"{layer}_k{row}_{column}_{place}"


def column_node(layer: str, pair: int, sign: str) -> str:
    """Column of a differential pair; `sign` is `p` or `n`: `l1_c3p`."""
    return f"{layer}_c{pair}{sign}"


def sense_node(layer: str, pair: int, sign: str) -> str:
    """Where a column's voltage is, as far as short cells are exact: `l1_q3p`."""
    return f"{layer}_q{pair}{sign}"


def tia_node(layer: str, pair: int, sign: str) -> str:
    """Output of a column's TIA: `l1_t3p`."""
    return f"{layer}_t{pair}{sign}"


def source_inside(subcircuit_instance: str, source: str) -> str:
    """A source inside an instance (its name without the leading letter), as ngspice names it: `b.xl1_in0.bout`."""
    return f"{source[0]}.x{subcircuit_instance}.{source}"


def device_element(layer: str, row: int, pair: int, device: int) -> str:
    """Element of one device of a crossbar, without SPICE's leading letter: `l1_d5_3_1`."""
    return f"{layer}_d{row}_{pair}_{device}"


def cell_node(layer: str, name: str, row: int, device: int) -> str:
    """What all devices of a type on a row share: `l1_phi5_1`."""
    return f"{layer}_{name}{row}_{device}"


def period_node(layer: str, node: int) -> str:
    """Node of a KirchhoffNet's layer, from 1, as in the model: `l1_v3`; 0 is ground."""
    return f"{layer}_v{node}" if node else "0"


def plate_node(node: str) -> str:
    """The other plate of a node's capacitor, where voltages are added to the node's: `l1_v3_p`."""
    return f"{node}_p"


def bank_node(layer: str, node: int) -> str:
    """Node of a KirchhoffNet's layer on the branches' side of the switches, where there are some: `l1_b3`."""
    return f"{layer}_b{node}" if node else "0"


def branches_node(layer: str, node: int) -> str:
    """Node of a KirchhoffNet's layer on the branches' side of their pole, where they have one: `l1_u3`."""
    return f"{layer}_u{node}" if node else "0"


def clock_node(layer: str) -> str:
    """What switches a KirchhoffNet's layer on: `l1_clock`."""
    return f"{layer}_clock"


def branch_element(layer: str, branch: int) -> str:
    """Element of one branch, without SPICE's leading letter; branches count from 0: `l1_e17`."""
    return f"{layer}_e{branch}"


def pair_element(layer: str, first: int, second: int) -> str:
    """Element of all branches between two nodes, without SPICE's leading letter: `l1_p7_3`."""
    return f"{layer}_p{first}_{second}"


def inner_node(layer: str, branch: int) -> str:
    """Node inside a branch: `l1_x17`."""
    return f"{layer}_x{branch}"


def start_node(node: str) -> str:
    """What a node is held at until a run begins: `l1_v3_start`."""
    return f"{node}_start"


def line_node(node: str, sign: float) -> str:
    """What gates see of a node: a multiple of its voltage, of this sign: `l1_v3_plus`, `l1_v3_minus`."""
    return f"{node}_plus" if sign > 0 else f"{node}_minus"


def copy_node(node: str) -> str:
    """A copy of a node's voltage, where banks that are off lead their currents: `l1_v3_copy`."""
    return f"{node}_copy"


def level_nodes(layer: str) -> tuple[str, str]:
    """The clock of a layer's bank between the supplies, and its complement: `l1_on`, `l1_off`."""
    return f"{layer}_on", f"{layer}_off"


def bus_node(layer: str, node: int, sign: float) -> str:
    """Where drains of pairs meet whose current flows into a node, or out of it where the sign is below 0: `l1_i3`."""
    return f"{layer}_i{node}" if sign > 0 else f"{layer}_o{node}"


_PLACES = (
    (re.compile(r"\b[a-z]l(\d+)_e(\d+)(?:_\d)?\b"), "layer {0}, branch {1}"),
    (re.compile(r"\b[a-z]l(\d+)_p(\d+)_(\d+)\b"), "layer {0}, branches between nodes {1} and {2}"),
    (re.compile(r"\b[a-z]?l(\d+)_x(\d+)[bm]?\b"), "layer {0}, branch {1}"),
    (re.compile(r"\b(?:x\.?)?l(\d+)_(?:[vbu]|pole)(\d+)(?:_p)?\b"), "layer {0}, node {1}"),
    (re.compile(r"\b[a-z]l(\d+)_d(\d+)_(\d+)_(\d+)\b"), "layer {0}, row {1}, output {2}, device {3}"),
    (re.compile(r"\b[a-z]?l(\d+)_(?:phi|g|s|k0|lo\d|up\d)(\d+)_(\d+)\b"), "layer {0}, row {1}, device {2}"),
    (re.compile(r"\b[a-z]?l(\d+)_[kapilm](\d+)_(\d+)_(\d+)\b"), "layer {0}, input {1}, output {2}, connection {3}"),
    (re.compile(r"\bl(\d+)_[sge](\d+)\b"), "layer {0}, output {1}"),
    (re.compile(r"\b[a-z]?l(\d+)_(?:[ofklm]|tone|sine)(\d+)\b"), "layer {0}, input {1}"),
    (re.compile(r"\b[a-z]?l(\d+)_[ctq](\d+)([pn])(?:_\d+)?\b"), "layer {0}, output {1}, column {2}"),
    (re.compile(r"\b[a-z]?l(\d+)_(?:r|d|in)(\d+)(?:_\d+)?\b"), "layer {0}, row {1}"),
    (re.compile(r"\b[a-z]?l(\d+)_(?:[yn]|noise)(\d+)\b"), "layer {0}, output {1}"),
    (re.compile(r"\bin(\d+)\b"), "input {0}"),
    (re.compile(r"\bl(\d+)_([a-z]{2,})(\d+)\b"), "layer {0}, {1} {2}"),
)


def place_of(message: str) -> str | None:
    """The place in the model that an ngspice message speaks of, from the first node or element name in it."""
    text = message.lower()
    for pattern, place in _PLACES:
        match = pattern.search(text)
        if match:
            return place.format(*match.groups())
    return None
