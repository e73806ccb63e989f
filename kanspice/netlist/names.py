"""Names of nodes and elements, all lower case as ngspice gives them back, and the way back to the model."""

from __future__ import annotations

import re


def layer_of(stage: str) -> str:
    """`l1.crossbar` -> `l1`."""
    return stage.partition(".")[0]


def input_node(index: int) -> str:
    """Input `index` of the whole circuit."""
    return f"in{index}"


def stage_node(stage: str, index: int) -> str:
    """Output `index` of a stage: `l1.input` 5 -> `l1_r5` (a row); `l1.crossbar` 3 -> `l1_y3`; `.norm` -> `l1_n3`."""
    layer, _, kind = stage.partition(".")
    return f"{layer}_{ {'input': 'r', 'norm': 'n'}.get(kind, 'y') }{index}"


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


def connection_element(row: int, column: int, place: int) -> str:
    """Element of one filter or synapse inside its bank, without SPICE's leading letter: `k5_3_1`."""
    return f"k{row}_{column}_{place}"


def column_node(layer: str, pair: int, sign: str) -> str:
    """Column of a differential pair; `sign` is `p` or `n`: `l1_c3p`."""
    return f"{layer}_c{pair}{sign}"


def tia_node(layer: str, pair: int, sign: str) -> str:
    """Output of a column's TIA: `l1_t3p`."""
    return f"{layer}_t{pair}{sign}"


def source_inside(subcircuit_instance: str, source: str) -> str:
    """A source inside an instance (its name without the leading letter), as ngspice names it: `b.xl1_in0.bout`."""
    return f"{source[0]}.x{subcircuit_instance}.{source}"


def device_element(row: int, pair: int, device: int) -> str:
    """Element of one device inside its crossbar, without SPICE's leading letter: `d5_3_1`."""
    return f"d{row}_{pair}_{device}"


def period_node(layer: str, node: int) -> str:
    """Node of a KirchhoffNet's layer, from 1, as in the model: `l1_v3`; 0 is ground."""
    return f"{layer}_v{node}" if node else "0"


def plate_node(node: str) -> str:
    """The other plate of a node's capacitor, where voltages are added to the node's: `l1_v3_p`."""
    return f"{node}_p"


def bank(layer: str) -> str:
    """The subcircuit of a KirchhoffNet layer's branches."""
    return f"{layer}_bank"


def branch_element(branch: int) -> str:
    """Element of one branch inside its bank, without SPICE's leading letter; branches count from 0: `e17`."""
    return f"e{branch}"


def pair_element(first: int, second: int) -> str:
    """Element of all branches between two nodes inside a bank, without SPICE's leading letter: `p7_3`."""
    return f"p{first}_{second}"


def inner_node(branch: int) -> str:
    """Node inside a branch of a bank, local to the bank: `x17`."""
    return f"x{branch}"


_PLACES = (
    (re.compile(r"\b[a-z]\.xl(\d+)_bank\.[a-z]?e(\d+)"), "layer {0}, branch {1}"),
    (re.compile(r"\b[a-z]\.xl(\d+)_bank\.[a-z]?p(\d+)_(\d+)"), "layer {0}, branches between nodes {1} and {2}"),
    (re.compile(r"\bxl(\d+)_bank\.x(\d+)"), "layer {0}, branch {1}"),
    (re.compile(r"\bl(\d+)_v(\d+)\b"), "layer {0}, node {1}"),
    (re.compile(r"\b[bg]\.xl(\d+)_crossbar\.[bg]?d(\d+)_(\d+)_(\d+)"), "layer {0}, row {1}, output {2}, device {3}"),
    (
        re.compile(r"\bx?l(\d+)_(?:(?:filters|synapses)\.[a-z]?)?[ka](\d+)_(\d+)_(\d+)"),
        "layer {0}, input {1}, output {2}, connection {3}",
    ),
    (re.compile(r"\bl(\d+)_[sge](\d+)\b"), "layer {0}, output {1}"),
    (re.compile(r"\bl(\d+)_o(\d+)\b"), "layer {0}, input {1}"),
    (re.compile(r"\bl(\d+)_[ctq](\d+)([pn])\b"), "layer {0}, output {1}, column {2}"),
    (re.compile(r"\bl(\d+)_r(\d+)\b"), "layer {0}, row {1}"),
    (re.compile(r"\bl(\d+)_[yn](\d+)\b"), "layer {0}, output {1}"),
    (re.compile(r"\bxl(\d+)_crossbar\b"), "layer {0}, inside the crossbar"),
    (re.compile(r"\bin(\d+)\b"), "input {0}"),
)


def place_of(message: str) -> str | None:
    """The place in the model that an ngspice message speaks of, from the first node or element name in it."""
    text = message.lower()
    for pattern, place in _PLACES:
        match = pattern.search(text)
        if match:
            return place.format(*match.groups())
    return None
