"""Every device of a crossbar: what it is, and its area."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from kanspice.base.spice_numbers import spice_number
from kanspice.circuit import Crossbar, Design
from kanspice.engine.netlist.names import device_element, layer_of
from kanspice.experiments.compile.elements.table import Elements, Row


def crossbar_elements(design: Design, crossbar: Crossbar) -> Elements:
    """The crossbar's devices, output by output."""
    return Elements(("element", "layer", "row", "output", "column", "device", "area"), _rows(design, crossbar))


def _rows(design: Design, crossbar: Crossbar) -> Iterator[Row]:
    layer = layer_of(crossbar.name)
    for pair, row, device in np.argwhere(crossbar.area.transpose(1, 0, 2)).tolist():
        area = float(crossbar.area[row, pair, device])
        name, sign = design.devices[device].name, "p" if area > 0 else "n"
        yield device_element(layer, row, pair, device), layer, row, pair, sign, name, spice_number(abs(area))
