"""The table of all elements of a circuit."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import assert_never

from kanspice.circuit import (
    Average,
    Crossbar,
    Design,
    DifferentialPairs,
    DigitalLayer,
    Drivers,
    FilterBank,
    HeldSum,
    LayerNorm,
    Limiter,
    OdePeriod,
    ReadOut,
    Rectifier,
    SynapseBank,
    Tiles,
)
from kanspice.engine.fidelity import Fidelity
from kanspice.experiments.compile.elements.crossbar import crossbar_elements
from kanspice.experiments.compile.elements.filter_bank import filter_bank_elements
from kanspice.experiments.compile.elements.ode_period import ode_period_elements
from kanspice.experiments.compile.elements.synapse_bank import synapse_bank_elements
from kanspice.experiments.compile.elements.table import Elements


def elements_of(design: Design, fidelity: Fidelity) -> Elements:
    """All elements of a circuit, stage by stage.

    Raises ValueError for one whose stages have nothing in common that a table could show.
    """
    parts = list(_parts(design, fidelity))
    headers = {part.header for part in parts}
    if len(headers) != 1:
        raise ValueError(f"elements of {len(headers)} sorts do not fit into one table")
    return Elements(headers.pop(), chain.from_iterable(part.rows for part in parts))


def _parts(design: Design, fidelity: Fidelity) -> Iterator[Elements]:
    for stage in design.stages:
        match stage:
            case Crossbar():
                yield crossbar_elements(design, stage)
            case OdePeriod():
                yield ode_period_elements(stage, fidelity)
            case FilterBank():
                yield filter_bank_elements(stage)
            case SynapseBank():
                yield synapse_bank_elements(stage)
            case Tiles():
                yield from (crossbar_elements(design, crossbar) for crossbar in stage.crossbars)
            case (
                Average()
                | Limiter()
                | Rectifier()
                | Drivers()
                | DifferentialPairs()
                | LayerNorm()
                | HeldSum()
                | ReadOut()
                | DigitalLayer()
            ):
                pass
            case _:
                assert_never(stage)
