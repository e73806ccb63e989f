"""What a netlist is to those who simulate it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from kanspice.circuit import Stage
from kanspice.engine.fidelity import Fidelity
from kanspice.engine.netlist.sheet import PartInstance

CIRCUIT = "circuit.cir"
DEVICES = "devices.lib"
Text = Callable[[], Iterable[str]]
"""A text as pieces in order, made anew at every call: banks of many branches are never whole in memory."""


def whole(text: str) -> Text:
    """A short text, in one piece."""
    return lambda: (text,)


@dataclass(frozen=True)
class Netlist:
    """A circuit without stimulus or analysis: what to include, what to drive, what to look at."""

    fidelity: Fidelity
    files: Mapping[str, Text]
    """File name -> text; `circuit.cir` includes the others."""
    inputs: tuple[str, ...]
    """Nodes to drive with voltages."""
    probes: Mapping[str, tuple[str, ...]]
    """Stage name -> its output nodes."""
    columns: Mapping[str, tuple[str, ...]]
    """Crossbar name -> its column nodes, positive and negative in turn."""
    amplifiers: Mapping[str, tuple[str, ...]]
    """Crossbar name -> outputs of its columns' amplifiers, in the same order."""
    reach_v: Mapping[str, float]
    """Crossbar name -> largest column voltage for which its cells are exact."""
    nodes: int
    elements: int
    simulator_bytes: int
    """The most memory that a process of the simulator takes for it, estimated."""
    first_s: float
    """How much time of the processor the simulator takes until the first sample's operating point, estimated."""
    row_sources: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Crossbar name -> the sources that drive its rows; what they deliver is their current with its sign changed."""
    amplifier_sources: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Crossbar name -> the sources through which its columns' currents flow to ground, in the order of the columns."""

    cells: tuple[PartInstance, ...] = ()
    """Instances of amplifiers and clips that are subcircuits."""
    starts: Mapping[str, tuple[str, float]] = field(default_factory=dict)
    """Node -> another node, and the factor of its voltage, that it stands at where amplifiers are ideal."""
    supply_v: Mapping[str, float] = field(default_factory=dict)
    """Sources that supply subcircuits -> their volts; what they deliver is their current with its sign changed."""

    def outputs(self, last: Stage) -> tuple[str, ...]:
        """The nodes of the circuit's last stage; none where the netlist ends before it, as RC networks alone do."""
        nodes = self.probes[last.name]
        return () if self.fidelity == "filter" else nodes

    def text(self, name: str) -> str:
        """A file's whole text."""
        return "".join(self.files[name]())

    def write(self, folder: Path) -> int:
        """Writes every file, piece by piece, and returns how many bytes they have together."""
        for name, text in self.files.items():
            with (folder / name).open("w", encoding="ascii", newline="\n") as file:
                file.writelines(text())
        return sum((folder / name).stat().st_size for name in self.files)

    @property
    def is_windowed(self) -> bool:
        """True when some cells are exact only within their reach."""
        return any(reach < float("inf") for reach in self.reach_v.values())
