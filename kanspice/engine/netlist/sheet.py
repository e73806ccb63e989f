"""What a circuit of operating points is written on, stage by stage: its lines, and what all stages share."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from kanspice.base.spice_numbers import spice_number
from kanspice.circuit import Design
from kanspice.engine.fidelity import Fidelity
from kanspice.engine.netlist.weight import Tally

Lines = Callable[[], Iterable[str]]
"""The elements of a stage's array, made anew at every call: they are never whole in memory."""


@dataclass(frozen=True)
class PartInstance:
    """An instance of an amplifier or a clip.

    name: without the letter that SPICE has in front of it. kind: `amplifier`, `clip` or `rectifier`. terminals: the
    nodes that its inner voltages follow from: an amplifier's non-inverting input and its output, a clip's input.
    """

    name: str
    kind: str
    terminals: tuple[str, ...]


def none() -> Iterable[str]:
    """Of a stage without an array."""
    return ()


class Sheet:
    """Collects the elements around the stages' arrays, and what each stage tells about itself.

    full_cells: write whole curves into devices. dynamic: with everything of crossbars that takes time. named: devices
    and filters are instances of subcircuits that bear their names, for readers.
    """

    def __init__(
        self, design: Design, fidelity: Fidelity, *, full_cells: bool, dynamic: bool, named: bool = False
    ) -> None:
        self.design = design
        self.fidelity: Fidelity = fidelity
        self.full_cells = full_cells
        self.dynamic = dynamic
        self.named = named
        self.curves = [device.curve.stretched(design.input_v_per_unit) for device in design.devices]
        self.shifts = any(crossbar.shift_v.any() for crossbar in design.all_crossbars)
        """Whether any device's curve is moved along its voltage."""
        self.lines: list[str] = []
        self.used: set[str] = set()
        self.functions: dict[str, str] = {}
        self.noises: list[str] = []
        self.now_s = 0.0
        self.reach_v: dict[str, float] = {}
        self.nodes: set[str] = set()
        self.inner_nodes = 0
        self.tally = Tally()
        self.drivers: dict[str, str] = {}
        """Row of a crossbar -> the source that drives it. The stage before a crossbar says it."""
        self.row_sources: dict[str, tuple[str, ...]] = {}
        self.amplifier_sources: dict[str, tuple[str, ...]] = {}
        self._foreign: list[str] = []
        self.cells: list[PartInstance] = []
        """Instances of subcircuits that are no library's."""
        self.starts: dict[str, tuple[str, float]] = {}
        """Node -> another node, and the factor of its voltage, that it stands at where amplifiers are ideal."""

    def instance(self, name: str, subcircuit: str, *nodes: str, **parameters: float) -> None:
        """An instance of a subcircuit of the library."""
        self.used.add(subcircuit)
        self.nodes.update(nodes)
        values = "".join(f" {key}={spice_number(value)}" for key, value in sorted(parameters.items()))
        self.lines.append(f"X{name} {' '.join(nodes)} {subcircuit}{values}")

    def foreign(self, name: str, kind: str, lines: Sequence[str], terminals: Sequence[str], inner: int) -> None:
        """An instance of a subcircuit that is no library's. As `PartInstance`; inner: how many elements it has."""
        self.nodes.update(terminals)
        self.cells.append(PartInstance(name.lower(), kind, tuple(terminals)))
        self._foreign += lines
        self.tally.add_foreign(inner)

    def cut(self) -> str:
        """The lines since the last cut, as one text."""
        text = "\n".join([*self.lines, *self._foreign])
        self.tally.add_lines(self.lines)
        self.lines, self._foreign = [], []
        return text
