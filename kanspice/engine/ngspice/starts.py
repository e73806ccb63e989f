"""Where Newton's method begins in a circuit of amplifiers that are subcircuits: at what its macro-model would have.

From 0 V ngspice finds no way through hundreds of loops of transistors but by steps, thousands of iterations. Every
node outside of the amplifiers stands, but for millivolts, where ideal ones would have it. What is inside follows from
that: a part by itself is led through all of its inputs and outputs, once, and its nodes are looked up.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from kanspice.base.arrays import Array
from kanspice.base.spice_numbers import spice_number
from kanspice.circuit import Crossbar, Design, Realised, Rectifier
from kanspice.circuit.columns import column_currents_a
from kanspice.engine.netlist import Netlist
from kanspice.engine.netlist.names import layer_of
from kanspice.engine.netlist.realised import library_lines
from kanspice.engine.netlist.sheet import PartInstance
from kanspice.engine.ngspice.analyses import Analysis, Vectors, analyse
from kanspice.subcircuits.amplifier import Amplifier
from kanspice.subcircuits.subcircuit import SubcircuitDefinition

_POINTS = 13
"""Of an amplifier's non-inverting input, and of its output, from one supply to the other."""
_CLIP_POINTS, _LEVEL_POINTS, _AROUND_V = 331, 101, 5e-3
"""Of a clip's input from one supply to the other, and around each of its levels, where its loop opens."""
_TIMEOUT_S = 60.0
_CELL = "cell"
_INSIDE = f"x{_CELL}."
_JUST_V = 1e-4
_ELSEWHERE = 0.998
_LED = 1.0
"""Volts that the inverting input gets for each that the output lacks."""


@dataclass(frozen=True)
class _Inside:
    """Voltages of a part's inner nodes over those of its terminals, on a grid: one axis for each terminal."""

    axes: tuple[Array, ...]
    nodes: tuple[str, ...]
    """Names within the part."""
    volts: Array
    """(points of the first axis, ..., nodes)."""
    knees: tuple[float, ...] = ()
    """Of a single terminal: where a loop opens, upwards the first and downwards the second. Mismatch moves them; beside
    them the loop is taken for just open: from there Newton's method finds both states, and from no other."""

    def at(self, terminals_v: Sequence[float]) -> dict[str, float]:
        """Node -> volts, linear between the grid's points; beyond its ends as at them."""
        volts = self.volts
        for knee, side in zip(self.knees, (1.0, -1.0), strict=False):
            terminals_v = [knee - side * _JUST_V if abs(v - knee) < _AROUND_V else v for v in terminals_v]
        for axis, terminal_v in zip(self.axes, terminals_v, strict=True):
            place = float(np.interp(terminal_v, axis, np.arange(len(axis))))
            lower = min(int(place), len(axis) - 2)
            volts = volts[lower] + (place - lower) * (volts[lower + 1] - volts[lower])
        return dict(zip(self.nodes, volts.tolist(), strict=True))


class Starts:
    """Of a design's samples. Raises SimulatorError where ngspice is missing."""

    def __init__(self, design: Design, realised: Realised, netlist: Netlist) -> None:
        self._design, self._netlist, self._realised = design, netlist, realised
        stages = {layer_of(stage.name): stage for stage in design.stages if isinstance(stage, Rectifier)}
        self._known: dict[tuple[str, float, float], _Inside | None] = {}
        self._keys = {cell.name: self._key(cell, stages) for cell in netlist.cells}
        for kind, low_v, high_v in sorted(set(self._keys.values())):
            levels = tuple(level for level in (low_v, high_v) if math.isfinite(level))
            match kind:
                case "amplifier":
                    found = _amplifier(realised, realised.amplifier)
                case "clip":
                    found = _clip(realised, realised.clip, levels)
                case _:
                    found = _clip(realised, realised.rectifier, levels)
            self._known[kind, low_v, high_v] = found

    @staticmethod
    def _key(cell: PartInstance, stages: Mapping[str, Rectifier]) -> tuple[str, float, float]:
        """Which parts have the same inner voltages: those of one kind, and clips of the same levels."""
        if cell.kind == "amplifier":
            return cell.kind, math.inf, math.inf
        stage = stages[cell.name.partition("_")[0]]
        return cell.kind, stage.low_v, stage.high_v

    def of(self, inputs_v: Array, *, elsewhere: bool = False) -> dict[str, float]:
        """Node -> volts, for the inputs (inputs,) of one sample. elsewhere: some per mille beside."""
        volts = self._outside(inputs_v)
        for node, (other, factor) in self._netlist.starts.items():
            volts[node] = factor * volts[other]
        for cell in self._netlist.cells:
            inside = self._known[self._keys[cell.name]]
            if inside is not None:
                terminals = [volts.get(node, 0.0) for node in cell.terminals]
                volts |= {f"x{cell.name}.{node}": value for node, value in inside.at(terminals).items()}
        return {node: _ELSEWHERE * value for node, value in volts.items()} if elsewhere else volts

    def _outside(self, inputs_v: Array) -> dict[str, float]:
        """Of stages' outputs, and of crossbars' columns and their amplifiers."""
        found = dict(zip(self._netlist.inputs, inputs_v.tolist(), strict=True))
        signal = inputs_v[None, : self._design.input_width]
        for stage in self._design.chain:
            if isinstance(stage, Crossbar):
                columns_a = column_currents_a(self._design, stage, signal[:1], np.zeros(1))[0]
                columns, outputs = self._netlist.columns[stage.name], self._netlist.amplifiers[stage.name]
                found |= zip(columns, stage.offset_v.tolist(), strict=True)
                found |= zip(outputs, (stage.offset_v - stage.feedback_ohm * columns_a).tolist(), strict=True)
            signal = stage.ideal_v(self._design, signal)
            found |= zip(self._netlist.probes[stage.name], signal[0].tolist(), strict=True)
        return found


def _amplifier(realised: Realised, amplifier: Amplifier) -> _Inside | None:
    """Its non-inverting input and its output from one supply to the other; None where it cannot be led so."""
    axis = np.linspace(amplifier.vss_v, amplifier.vdd_v, _POINTS)
    circuit = [
        *_around(realised, amplifier),
        *amplifier.instance(_CELL, plus="p", minus="m", out="out", vdd="vdd", vss="vss"),
        "Vp p 0 0",
        "Vt t 0 0",
        f"Bm m 0 v=v(p)+{_LED}*(v(out)-v(t))",
    ]
    ways = [
        Analysis(f"p{place}", _sweep(axis), ("all",), (f"alter vp = {spice_number(plus_v)}",))
        for place, plus_v in enumerate(axis.tolist())
    ]
    found = analyse(circuit, ways, _TIMEOUT_S).found
    tables = [_inner(found[way.name], _POINTS) if way.name in found else None for way in ways]
    known = [place for place, table in enumerate(tables) if table is not None]
    if not known:
        return None
    nearest = [tables[min(known, key=lambda there: abs(there - place))] for place in range(_POINTS)]
    names = tuple(sorted(nearest[0] or {}))
    return _Inside(
        (axis, axis), names, np.array([[table[name] for name in names] for table in nearest if table]).swapaxes(1, 2)
    )


def _clip(realised: Realised, part: SubcircuitDefinition | None, levels: Sequence[float]) -> _Inside | None:
    """Its input from one supply to the other; levels: the lower one first."""
    if part is None:
        return None
    amplifier = realised.own_amplifier or realised.amplifier
    axis = np.linspace(amplifier.vss_v, amplifier.vdd_v, _CLIP_POINTS)
    nodes = [f"l{place}" for place in range(len(levels))]
    circuit = [
        *_around(realised, amplifier),
        *(f"V{node} {node} 0 {spice_number(level)}" for node, level in zip(nodes, levels, strict=True)),
        f"X{_CELL} t out {' '.join(nodes)} vdd vss {part.name}",
        "Vt t 0 0",
    ]
    axes = [axis, *(np.linspace(level - _AROUND_V, level + _AROUND_V, _LEVEL_POINTS) for level in levels)]
    ways = [Analysis(f"t{place}", _sweep(each), ("all",)) for place, each in enumerate(axes)]
    found = analyse(circuit, ways, _TIMEOUT_S).found
    tables = [
        _inner(found[way.name], len(each)) if way.name in found else None for way, each in zip(ways, axes, strict=True)
    ]
    known = [table for table in tables if table is not None]
    if len(known) < len(axes):
        return None
    points, order = np.unique(np.concatenate(axes), return_index=True)
    names = tuple(sorted(known[0]))
    volts = np.array([np.concatenate([table[name] for table in known])[order] for name in names])
    moved = amplifier.models is not None and amplifier.models.mismatch
    return _Inside((points,), names, volts.T, tuple(levels) if moved else ())


def _sweep(axis: Array) -> str:
    return f"dc vt {spice_number(axis[0])} {spice_number(axis[-1])} {spice_number(axis[1] - axis[0])}"


def _around(realised: Realised, amplifier: Amplifier) -> list[str]:
    return [
        *library_lines(realised),
        f".options temp={spice_number(amplifier.temperature_c)} seed=1",
        f"Vvdd vdd 0 {spice_number(amplifier.vdd_v)}",
        f"Vvss vss 0 {spice_number(amplifier.vss_v)}",
    ]


def _inner(table: Vectors, points: int) -> dict[str, Array] | None:
    """Of the part's inner nodes, but for those inside of its devices; None where points are missing."""
    names = {name: name.removeprefix("v(").removesuffix(")") for name in table}
    found = {
        inner.removeprefix(_INSIDE): np.asarray(table[name].real)
        for name, inner in names.items()
        if inner.startswith(_INSIDE) and "#" not in inner
    }
    return found if found and all(len(values) == points for values in found.values()) else None
