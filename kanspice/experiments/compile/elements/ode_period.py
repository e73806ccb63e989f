"""Every branch of a period, and its parameters in units."""

from __future__ import annotations

from collections.abc import Iterator

from kanspice.base.spice_numbers import spice_number
from kanspice.circuit import OdePeriod
from kanspice.engine.fidelity import Fidelity
from kanspice.engine.netlist.names import layer_of
from kanspice.engine.netlist.periods import element_names
from kanspice.experiments.compile.elements.table import Elements, Row

_HEADER = ("element", "layer", "source", "destination", "law", "parameters", "gain", "tail")


def ode_period_elements(period: OdePeriod, fidelity: Fidelity) -> Elements:
    """The period's branches. One that needs no element, as one from a node to itself, has no name.

    Parameters include what the branch's inputs are off by; gain and tail are what it was made with.
    """
    return Elements(_HEADER, _rows(period, fidelity))


def _rows(period: OdePeriod, fidelity: Fidelity) -> Iterator[Row]:
    layer, names = layer_of(period.name), element_names(period, fidelity)
    arrays = period.source, period.destination, period.theta.T, period.gain, period.tail
    parts = zip(names, *(array.tolist() for array in arrays), strict=True)
    for element, source, destination, theta, gain, tail in parts:
        parameters = " ".join(map(spice_number, theta))
        yield element, layer, source, destination, period.law, parameters, spice_number(gain), spice_number(tail)
