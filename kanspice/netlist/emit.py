"""Design -> netlist. Pure: the same design and fidelity give the same text.

The circuit is written from its outputs to its inputs, and crossbars row by row. ngspice numbers its unknowns as it sets
elements up, type by type and from the last to the first; its solver then finds what it can eliminate where it looks
first. With 784 x 256 pairs it took a third of the time of another order, most of which was moving rows of the matrix.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import chain

import numpy as np
from PySpice.Spice.Netlist import Circuit

from kanspice.design import Crossbar, Design, FilterBank, LayerNorm, Limiter, Stage, SynapseBank
from kanspice.design.stages import Connections
from kanspice.netlist.arrays import Array
from kanspice.netlist.cells import FullCell, choose_cells
from kanspice.netlist.connections import bank_lines, subcircuits_of
from kanspice.netlist.fidelity import Fidelity, check_fidelity
from kanspice.netlist.filters import filter_netlist
from kanspice.netlist.library import library_text
from kanspice.netlist.names import (
    column_node,
    input_node,
    layer_of,
    noise_node,
    quiet_node,
    source_inside,
    stage_node,
    sum_node,
    tia_node,
)
from kanspice.netlist.netlist import CIRCUIT, Netlist, Text, whole
from kanspice.netlist.periods import period_netlist
from kanspice.netlist.weight import Tally, estimated_bytes
from kanspice.units import spice_number

_TITLE = "* kanspice circuit: drive the input nodes named in manifest.json, add an analysis and .end"
_UNLIMITED_V = 1e30
Lines = Callable[[], Iterable[str]]
_OUTPUT_SOURCES = {
    "buffer": "eout",
    "clipper": "bout",
    "clamp": "bout",
    "sigmoid_stage": "bout",
    "sigmoid_stage_limited": "bout",
    "tanh_stage": "bout",
}
"""What drives the output of an input stage."""
_COLUMN_SOURCES = {
    "tia_ideal": "vsense",
    "tia_ideal_limited": "vsense",
    "tia_finite": "eopamp",
    "tia_real": "vsense",
    "tia_pole": "vsense",
}
"""Through what a column's current flows to ground, in each amplifier."""


def build_netlist(design: Design, fidelity: Fidelity, *, full_cells: bool = False, dynamic: bool = False) -> Netlist:
    """The netlist of a design at a fidelity that its family has, InputError for another.

    full_cells: write whole curves into the devices even where a shorter cell would do.
    dynamic: with everything of crossbars that takes time, for transients; operating points are the same.
    """
    check_fidelity(design, fidelity)
    if design.periods:
        return period_netlist(design, fidelity)
    if fidelity == "filter":
        return filter_netlist(design)
    return _Builder(design, fidelity, full_cells or dynamic, dynamic).build()


def _one_after_the_other(texts: Iterable[Text]) -> Iterator[str]:
    return chain.from_iterable(text() for text in texts)


def _section(around: str, lines: Lines) -> Iterator[str]:
    """A stage: what stands around its array, and the array's elements."""
    return chain([around], (f"{line}\n" for line in lines()))


def _none() -> Iterable[str]:
    return ()


class _Builder:
    """Collects the top-level circuit stage by stage."""

    def __init__(self, design: Design, fidelity: Fidelity, full_cells: bool, dynamic: bool) -> None:
        self.design = design
        self.fidelity: Fidelity = fidelity
        self.full_cells = full_cells
        self.dynamic = dynamic
        self.circuit = Circuit("")
        self.sections: list[Text] = []
        self.used: set[str] = set()
        self.functions: dict[str, str] = {}
        self.noises: list[str] = []
        self.now_s = 0.0
        self.reach_v: dict[str, float] = {}
        self.curves = [device.curve.stretched(design.input_v_per_unit) for device in design.devices]
        self.nodes: set[str] = set()
        self.inner_nodes = 0
        self.tally = Tally()
        self.drivers: tuple[str, ...] = ()
        self.row_sources: dict[str, tuple[str, ...]] = {}
        self.amplifier_sources: dict[str, tuple[str, ...]] = {}

    def build(self) -> Netlist:
        signal = [input_node(index) for index in range(self.design.input_width)]
        inputs, probes = tuple(signal), {}
        for stage in self.design.stages:
            signal = self._add(stage, signal)
            probes[stage.name] = tuple(signal)
        return Netlist(
            fidelity=self.fidelity,
            files=self._files(),
            inputs=(*inputs, *self.noises),
            probes=probes,
            columns={crossbar.name: _of_columns(crossbar, column_node) for crossbar in self.design.crossbars},
            amplifiers={crossbar.name: _of_columns(crossbar, tia_node) for crossbar in self.design.crossbars},
            reach_v=self.reach_v,
            nodes=len(self.nodes) + self.inner_nodes,
            elements=self.tally.elements,
            simulator_bytes=estimated_bytes(self.tally.simulator_bytes),
            row_sources=self.row_sources,
            amplifier_sources=self.amplifier_sources,
        )

    def _files(self) -> dict[str, Text]:
        head = whole(f"{_TITLE}\n.include subcircuits.lib\n.include devices.lib\n")
        functions = "\n".join(self.functions.values())
        return {
            CIRCUIT: partial(_one_after_the_other, (head, *reversed(self.sections))),
            "subcircuits.lib": whole(f"* kanspice subcircuits\n{library_text(self.used)}"),
            "devices.lib": whole(f"* device curves as functions of volts, in current units\n{functions}\n"),
        }

    def _add(self, stage: Stage, signal: list[str]) -> list[str]:
        outputs = [stage_node(stage.name, index) for index in range(stage.width)]
        self.circuit = Circuit("")
        lines: Lines = _none
        if isinstance(stage, Limiter):
            self._add_limiter(stage, signal, outputs)
        elif isinstance(stage, Crossbar):
            lines = self._add_crossbar(stage, signal, outputs)
        elif isinstance(stage, LayerNorm):
            self._add_layer_norm(stage, signal, outputs)
        elif isinstance(stage, FilterBank | SynapseBank):
            lines = self._add_bank(stage, signal, outputs)
        around = str(self.circuit).partition("\n")[2].strip("\n")
        self.tally.add_lines(around.splitlines())
        self.sections.append(partial(_section, f"* {stage.name}\n{around}\n", lines))
        return outputs

    def _instance(self, name: str, subcircuit: str, *nodes: str, **parameters: float) -> None:
        self.used.add(subcircuit)
        self._count(nodes)
        self.circuit.X(name, subcircuit, *nodes, **{key: spice_number(value) for key, value in parameters.items()})

    def _count(self, nodes: tuple[str, ...]) -> None:
        self.nodes.update(nodes)

    def _add_limiter(self, stage: Limiter, signal: list[str], outputs: list[str]) -> None:
        names = [f"{layer_of(stage.name)}_in{index}" for index in range(stage.width)]
        subcircuit, parameters = _limiter(stage)
        for name, source, output, shift_v in zip(names, signal, outputs, stage.shift_v.tolist(), strict=True):
            shifted = self._shifted(name, source, shift_v) if shift_v else source
            self._instance(name, subcircuit, shifted, output, **parameters)
        self.drivers = tuple(source_inside(name, _OUTPUT_SOURCES[subcircuit]) for name in names)

    def _shifted(self, name: str, source: str, shift_v: float) -> str:
        """A node whose voltage is so much lower than that of `source`."""
        shifted = f"{name}_shifted"
        self._count((source, shifted))
        self.circuit.V(f"{name}_shift", source, shifted, spice_number(shift_v))
        return shifted

    def _add_layer_norm(self, stage: LayerNorm, signal: list[str], outputs: list[str]) -> None:
        layer = layer_of(stage.name)
        mean, variance = f"{layer}_mean", f"{layer}_var"
        for node in (mean, variance):
            self.circuit.R(node, node, 0, "1")
        for index, (source, output) in enumerate(zip(signal, outputs, strict=True)):
            lane = {"n": float(stage.width), "gain": stage.gain_v[index], "offset": stage.offset_v[index]}
            self._instance(
                f"{layer}_norm{index}", "layernorm_lane", source, output, mean, variance, **lane, eps=stage.eps_v2
            )

    def _add_crossbar(self, stage: Crossbar, signal: list[str], outputs: list[str]) -> Lines:
        layer = layer_of(stage.name)
        cells = choose_cells(self.curves, stage, self.fidelity, full=self.full_cells)
        self.functions |= {cell.function: cell.definition for cell in cells if isinstance(cell, FullCell)}
        array = Array(stage, cells, tuple(signal), self.dynamic)
        self.reach_v[stage.name] = array.reach_v
        if array.is_windowed:
            self.used.add("column_sense")
        self.nodes.update(signal, _of_columns(stage, column_node))
        array.count(self.tally)
        self.inner_nodes += array.inner_nodes
        for pair, output in enumerate(outputs):
            self._add_pair(stage, layer, pair, output)
        self.row_sources[stage.name] = self.drivers
        amplifiers, source = _of_columns(stage, tia_node), _COLUMN_SOURCES[self._tia(stage)[0]]
        self.amplifier_sources[stage.name] = tuple(source_inside(name, source) for name in amplifiers)
        return array.lines

    def _add_bank(self, stage: Connections, signal: list[str], outputs: list[str]) -> Lines:
        layer, begins_s = layer_of(stage.name), self.now_s if self.fidelity == "transient" else None
        lines = partial(bank_lines, stage, tuple(signal), begins_s)
        self.used |= subcircuits_of(stage, begins_s)
        columns = [sum_node(layer, index) for index in range(stage.width)]
        self.nodes.update(signal, columns)
        self.tally.add_lines(lines())
        gains = stage.sum_gain * stage.scale if isinstance(stage, FilterBank) else np.ones(stage.width)
        self.now_s += stage.slot_s if isinstance(stage, FilterBank) else 0.0
        is_noisy = isinstance(stage, SynapseBank) and stage.is_noisy
        sums = zip(columns, outputs, gains.tolist(), stage.bias_v.tolist(), strict=True)
        for index, (column, output, gain, bias_v) in enumerate(sums):
            quiet = self._with_noise(layer, index, output) if is_noisy else output
            self._instance(column, "summer", column, quiet, gain=gain, bias=bias_v)
        return lines

    def _with_noise(self, layer: str, index: int, output: str) -> str:
        """A node from which `output` differs by what a new input is driven to."""
        quiet, noise = quiet_node(layer, index), noise_node(layer, index)
        self._count((quiet, noise))
        self.circuit.VCVS(f"{layer}_noise{index}", output, quiet, noise, 0, voltage_gain=1)
        self.noises.append(noise)
        return quiet

    def _tia(self, stage: Crossbar) -> tuple[str, dict[str, float]]:
        if self.dynamic and math.isfinite(stage.gbw_hz):
            return "tia_pole", _pole(stage)
        return _tia(stage)

    def _add_pair(self, stage: Crossbar, layer: str, pair: int, output: str) -> None:
        tia, tia_values = self._tia(stage)
        for place, sign in enumerate("pn", start=2 * pair):
            column, output_node = column_node(layer, pair, sign), tia_node(layer, pair, sign)
            own = {"rf": float(stage.feedback_ohm[place]), "offset": float(stage.offset_v[place])}
            if tia == "tia_pole":
                own |= {"cf": float(stage.feedback_f[place])}
            self._instance(output_node, tia, column, output_node, **own, **tia_values)
            bias_a = float(stage.bias_a[place])
            if bias_a:
                self.circuit.I(f"{layer}_b{pair}{sign}", 0, column, spice_number(bias_a))
        subtractor, values = "subtractor", {"gain": stage.subtractor_gain}
        if math.isfinite(stage.swing_v):
            subtractor, values = "subtractor_limited", values | {"swing": stage.swing_v}
        both = tia_node(layer, pair, "p"), tia_node(layer, pair, "n")
        self._instance(f"{layer}_sub{pair}", subtractor, *both, output, **values)


def _limiter(stage: Limiter) -> tuple[str, dict[str, float]]:
    """The subcircuit of a limiter, and its parameters."""
    if stage.kind == "clip":
        levels = {"low": stage.low_v, "high": stage.high_v}
        return ("clamp", levels | {"knee": stage.knee_v}) if stage.knee_v > 0 else ("clipper", levels)
    if stage.kind == "none":
        return "buffer", {}
    units = {"in_unit": stage.input_v_per_unit, "unit": stage.unit_v}
    if math.isfinite(stage.reach):
        return f"{stage.kind}_stage_limited", units | {"reach": stage.reach}
    return f"{stage.kind}_stage", units


def _pole(stage: Crossbar) -> dict[str, float]:
    """The parameters of amplifiers with one pole that are the same for all of them."""
    reach_v = stage.slew_v_per_s / (2 * math.pi * stage.gbw_hz)
    return {
        "leak": 1 / stage.open_loop_gain,
        "gbw": stage.gbw_hz,
        "reach": min(reach_v, _UNLIMITED_V),
        "rout": stage.output_ohm,
        "swing": min(stage.swing_v, _UNLIMITED_V),
    }


def _tia(stage: Crossbar) -> tuple[str, dict[str, float]]:
    """The subcircuit of a crossbar's amplifiers, and the parameters that are the same for all of them."""
    limited = math.isfinite(stage.swing_v)
    if stage.holds_columns:
        return ("tia_ideal_limited", {"swing": stage.swing_v}) if limited else ("tia_ideal", {})
    if not limited and stage.output_ohm == 0:
        return "tia_finite", {"gain": stage.open_loop_gain}
    swing_v = stage.swing_v if limited else _UNLIMITED_V
    return "tia_real", {"gain": stage.open_loop_gain, "rout": stage.output_ohm, "swing": swing_v}


def _of_columns(stage: Crossbar, node: Callable[[str, int, str], str]) -> tuple[str, ...]:
    """A node of every column, positive and negative in turn."""
    return tuple(node(layer_of(stage.name), pair, sign) for pair in range(stage.width) for sign in "pn")
