"""What a transient's plot holds: time, node voltages, and what supplies deliver."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from kanspice.base.arrays import Array
from kanspice.circuit import TransistorBranches
from kanspice.engine.ngspice.deck import supply_currents
from kanspice.engine.simulators.raw import Plot


def plot_table(plot: Plot, nodes: Sequence[str], transistors: TransistorBranches | None) -> Array | None:
    """(points, 1 + nodes): time and the nodes' voltages; of transistors one more, the watts that supplies deliver.

    None where a vector is missing, or no real number.
    """
    supplies = supply_currents(transistors)
    wanted = ["time", *(f"v({node})" for node in nodes), *supplies]
    if not set(wanted) <= set(plot.vectors) or np.iscomplexobj(plot.table):
        return None
    table = np.asarray(plot.table[:, [plot.vectors.index(name) for name in wanted]], dtype=np.float64)
    if transistors is None:
        return table
    delivered_w = -transistors.cells.rail_v * table[:, -len(supplies) :].sum(axis=1)
    return np.column_stack([table[:, : -len(supplies)], delivered_w])
