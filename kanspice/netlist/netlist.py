"""What a netlist is to those who simulate it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from kanspice.netlist.cells import Fidelity

CIRCUIT = "circuit.cir"


@dataclass(frozen=True)
class Netlist:
    """A circuit without stimulus or analysis: what to include, what to drive, what to look at."""

    fidelity: Fidelity
    files: Mapping[str, str]
    """File name -> text; `circuit.cir` includes the others."""
    inputs: tuple[str, ...]
    """Nodes to drive with voltages."""
    probes: Mapping[str, tuple[str, ...]]
    """Stage name -> its output nodes."""
    columns: Mapping[str, tuple[str, ...]]
    """Crossbar name -> its column nodes, positive and negative in turn."""
    reach_v: Mapping[str, float]
    """Crossbar name -> largest column voltage for which its cells are exact."""
    nodes: int
    elements: int

    @property
    def is_windowed(self) -> bool:
        """True when some cells are exact only within their reach."""
        return any(reach < float("inf") for reach in self.reach_v.values())
