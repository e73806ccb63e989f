"""A netlist laid out in a folder, and what of a run's results means what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from kanspice.base.arrays import Array
from kanspice.engine.acceptance import Volts
from kanspice.engine.netlist import Netlist
from kanspice.engine.simulators.raw import Plot

_SUPPLIES = "supplies"


@dataclass(frozen=True)
class CircuitFiles:
    """A netlist laid out in a folder."""

    netlist: Netlist
    folder: Path
    nodes: tuple[str, ...]
    sources: tuple[str, ...]
    size: int
    """Bytes of all files together."""

    @classmethod
    def lay_out(cls, netlist: Netlist, folder: Path) -> CircuitFiles:
        """Writes its files into a new folder."""
        folder.mkdir()
        size = netlist.write(folder)
        return cls(netlist, folder, _together(_nodes(netlist)), _together(_sources(netlist)), size)

    @property
    def vectors(self) -> list[str]:
        """What a run keeps, as ngspice names it."""
        return [*(f"v({node})" for node in self.nodes), *(f"i({source})" for source in self.sources)]

    def table(self, plots: Sequence[Plot]) -> Array:
        """(points, vectors) of the one plot, in the order of `vectors`; empty when it is not what was asked for."""
        wanted = self.vectors
        if len(plots) != 1 or not set(wanted) <= set(plots[0].vectors):
            return np.empty((0, len(wanted)))
        place = {name: index for index, name in enumerate(plots[0].vectors)}
        return np.asarray(plots[0].table[:, [place[name] for name in wanted]], dtype=np.float64)

    def split(self, table: Array) -> Volts:
        """(samples, vectors) -> voltages and currents by name."""
        position = 0
        parts: list[dict[str, Array]] = []
        for group in (*_nodes(self.netlist), *_sources(self.netlist)):
            named = {}
            for name, members in group.items():
                named[name] = table[:, position : position + len(members)]
                position += len(members)
            parts.append(named)
        stage_v, column_v, amplifier_v, row_a, amplifier_a, supplied = parts
        row_a = {name: -currents_a for name, currents_a in row_a.items()}
        supplies_v = [*self.netlist.supply_v.values()]
        supply_w = np.asarray(-supplied[_SUPPLIES] @ supplies_v) if supplies_v else None
        return Volts(stage_v, column_v, amplifier_v, row_a, amplifier_a, supply_w)


def _nodes(netlist: Netlist) -> tuple[Mapping[str, tuple[str, ...]], ...]:
    return netlist.probes, netlist.columns, netlist.amplifiers


def _sources(netlist: Netlist) -> tuple[Mapping[str, tuple[str, ...]], ...]:
    return netlist.row_sources, netlist.amplifier_sources, {_SUPPLIES: tuple(netlist.supply_v)}


def _together(groups: tuple[Mapping[str, tuple[str, ...]], ...]) -> tuple[str, ...]:
    return tuple(name for group in groups for names in group.values() for name in names)
