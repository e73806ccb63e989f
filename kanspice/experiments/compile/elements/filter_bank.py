"""Every filter of a bank."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from kanspice.base.spice_numbers import spice_number
from kanspice.circuit import FilterBank
from kanspice.engine.netlist.names import connection_element, layer_of
from kanspice.experiments.compile.elements.table import CONNECTIONS, Elements, Row


def filter_bank_elements(bank: FilterBank) -> Elements:
    """The bank's filters, each with its resistors, capacitors and what its output is off by."""
    return Elements(CONNECTIONS, _rows(bank))


def _rows(bank: FilterBank) -> Iterator[Row]:
    layer, parts = layer_of(bank.name), (bank.high_ohm, bank.high_f, bank.low_ohm, bank.low_f, bank.offset_v)
    for row, column, place in np.argwhere(bank.gain).tolist():
        at = row, column, place
        parameters = " ".join(spice_number(float(part[at])) for part in parts)
        element, gain = connection_element(layer, *at), spice_number(float(bank.gain[at]))
        yield element, layer, row, column, place, "filter", parameters, gain
