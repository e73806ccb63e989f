"""A whole circuit of periods in one transient: its deck, and its results at the end of each period."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from kanspice.base.arrays import Array
from kanspice.circuit import Design
from kanspice.engine.netlist import CIRCUIT
from kanspice.engine.netlist.switching import capacitor_nodes
from kanspice.engine.ngspice.deck import (
    ONE_THREAD,
    start_commands,
    supply_currents,
    transient_command,
    transient_options,
    wrapped,
)
from kanspice.engine.ngspice.tables import plot_table
from kanspice.engine.simulators.raw import read_plots
from kanspice.engine.simulators.stepping import Stepping

_TIME_SLACK = 1e-9


def switched_deck(design: Design, inputs_v: Array, late_s: Array, stepping: Stepping, raw: str) -> str:
    """A deck that runs all periods for every row of `inputs_v` (samples, inputs; volts) in one process.

    `raw` gets a plot per sample: time, and every node's voltage at every point of it. late_s: (samples,) how much
    later than usual each ends.
    """
    first, shortest = design.periods[0], min(design.periods, key=lambda period: period.period_s)
    start_nodes = capacitor_nodes(design)[0]
    step_s, settles = shortest.period_s / stepping.steps, design.transistors is not None
    lines = [
        "* kanspice run",
        f".include {CIRCUIT}",
        *transient_options(first, stepping),
        *wrapped(".save", [*(f"v({node})" for node in _nodes(design)), *supply_currents(design.transistors)]),
        ".control",
        ONE_THREAD,
        "set appendwrite",
    ]
    for start_v, late in zip(first.start_v(inputs_v).tolist(), late_s.tolist(), strict=True):
        lines += start_commands(start_nodes, start_v, settles=settles)
        lines += [
            transient_command(design.inference_s + late, step_s, settles=settles),
            f"write {raw} all",
            "destroy $curplot",
        ]
    return "\n".join([*lines, "quit", ".endc", ".end"]) + "\n"


def switched_plots(design: Design, raw: Path) -> list[Array]:
    """A table (points, 1 + nodes) per sample: time and the voltages of all capacitors; none that lacks a vector.

    Of transistors there is a column more: what the supplies deliver, watts.
    """
    tables = (plot_table(plot, _nodes(design), design.transistors) for plot in read_plots(raw))
    return [table for table in tables if table is not None]


def marks_s(design: Design, late_s: float) -> dict[str, float]:
    """When each period, and each sum, has come to its voltages, for a sample whose outputs are taken so late."""
    ends_s = {name: end_s for name, (_, end_s) in design.spans_s.items()}
    if design.switching is None:
        ends_s[design.periods[-1].name] += late_s
    else:
        last = max(ends_s, key=lambda name: ends_s[name])
        ends_s[last] += late_s
    return ends_s


def stage_ends_v(design: Design, table: Array, late_s: float) -> Array:
    """All periods' and sums' node voltages (all nodes,), each at its end; NaN where there is no such point in time."""
    place = {node: index for index, node in enumerate(_nodes(design), start=1)}
    nodes = dict(zip((period.name for period in design.periods), capacitor_nodes(design), strict=True))
    nodes |= {s.name: nodes[p.name] for p in design.periods if (s := design.sum_after(p)) is not None}
    parts = []
    for name, end_s in marks_s(design, late_s).items():
        ended = np.flatnonzero(np.abs(table[:, 0] - end_s) <= _TIME_SLACK * end_s)
        volts = table[ended[0]] if ended.size else np.full(table.shape[1], np.nan)
        parts.append(volts[[place[node] for node in nodes[name]]])
    return np.concatenate(parts)


def tables_of_periods(design: Design, table: Array, start_v: Array, late_s: float) -> list[Array]:
    """For each period its points (points, 1 + nodes) of a sample's table, from its beginning to its end.

    start_v: (nodes,) what the first period's capacitors are set to: ngspice begins with the end of its first step, or
    of transistors with the operating point.
    """
    place = {node: index for index, node in enumerate(_nodes(design), start=1)}
    begin = np.zeros((0 if design.transistors is not None else 1, table.shape[1]))
    begin[:, 1 : 1 + len(start_v)] = start_v
    whole = np.concatenate([begin, table])
    tables, ends_s = [], marks_s(design, late_s)
    for period, nodes, start_s in zip(design.periods, capacitor_nodes(design), design.begins_s, strict=True):
        end_s = ends_s[period.name]
        slack_s = _TIME_SLACK * end_s
        within = (whole[:, 0] >= start_s - slack_s) & (whole[:, 0] <= end_s + slack_s)
        extra = range(1 + len(place), table.shape[1])
        tables.append(whole[within][:, [0, *(place[node] for node in nodes), *extra]])
    return tables


def _nodes(design: Design) -> list[str]:
    """Every capacitor's node, once."""
    return list(dict.fromkeys(node for nodes in capacitor_nodes(design) for node in nodes))
