"""Every synapse of a bank."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from kanspice.base.spice_numbers import spice_number
from kanspice.circuit import SynapseBank
from kanspice.circuit.stages.synapse_bank import KIND_NAMES
from kanspice.engine.netlist.names import connection_element, layer_of
from kanspice.experiments.compile.elements.table import CONNECTIONS, Elements, Row


def synapse_bank_elements(bank: SynapseBank) -> Elements:
    """The bank's synapses, each with its resistors, its memdiode and its bias."""
    return Elements(CONNECTIONS, _rows(bank))


def _rows(bank: SynapseBank) -> Iterator[Row]:
    memdiode = (bank.alpha_per_v, bank.saturation_a)
    layer, parts = layer_of(bank.name), (bank.load_ohm, bank.input_ohm, bank.series_ohm, *memdiode, bank.input_bias_v)
    for row, column, place in np.argwhere(bank.gain).tolist():
        at = row, column, place
        parameters = " ".join(spice_number(float(part[at])) for part in parts)
        element, gain = connection_element(layer, *at), spice_number(float(bank.gain[at]))
        yield element, layer, row, column, place, KIND_NAMES[int(bank.kind[at])], parameters, gain
