"""A chain of crossbars over time: inputs that step from sample to sample, in one transient of the whole circuit."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from kanspice.base.arrays import Array
from kanspice.base.spice_numbers import spice_number
from kanspice.circuit import (
    Design,
)
from kanspice.engine.netlist import CIRCUIT, Netlist, build_netlist
from kanspice.engine.ngspice.attempts import doubt_in
from kanspice.engine.ngspice.deck import one_thread_lines, wrapped
from kanspice.engine.ngspice.process import RAW_FILE, run_deck
from kanspice.engine.ngspice.program import find_ngspice
from kanspice.engine.ngspice.starts import Starts
from kanspice.engine.sequence import Course, Pace, settling_stages
from kanspice.engine.simulators.process import working_folder
from kanspice.engine.simulators.raw import read_plots
from kanspice.engine.solution import FailedSample

_DECK = "run.cir"
_LEAST_V, _LEAST_A = 1.0, 1e-2
"""Of the relative tolerance, in volts and in units of current: what counts as nothing."""
_LEAST_C = 1e-14
"""ngspice's own, where columns have no capacitance."""
_TIME_SLACK = 1e-9


@dataclass(frozen=True)
class Precision:
    """Relative tolerance of ngspice's steps and of Newton's method, and steps of at most so many per sample."""

    reltol: float = 1e-5
    steps: int = 50

    @property
    def finer(self) -> Precision:
        """With half of the largest step and a tenth of the tolerance."""
        return Precision(self.reltol / 10, 2 * self.steps)


@dataclass(frozen=True)
class Trace:
    """The circuit from the first sample's step on. It starts where the last sample leaves it.

    time_s: (points,). stage_v: stage -> (points, width). row_a: crossbar -> (points, rows); amplifier_a: crossbar ->
    (points, columns). failure: why it did not come to the end; then there is nothing. supply_w: (points,), where there
    are supplies.
    """

    time_s: Array
    stage_v: dict[str, Array]
    row_a: dict[str, Array]
    amplifier_a: dict[str, Array]
    failure: FailedSample | None
    simulate_s: float
    supply_w: Array | None = None

    def courses(self, design: Design, pace: Pace, samples: int) -> Iterator[Course]:
        """What each sample's part of it shows."""
        rows_v, shown = self._rows_v(design), {name: self.stage_v[name] for name in settling_stages(design)}
        for index in range(samples):
            start_s, end_s = index * pace.period_s, (index + 1) * pace.period_s
            inside = self.time_s[(self.time_s > start_s) & (self.time_s < end_s)]
            time_s = np.concatenate([[start_s], inside, [end_s]])
            stage_v, row_v = self._at(time_s, shown), self._at(time_s, rows_v)
            row_a, amplifier_a = self._at(time_s, self.row_a), self._at(time_s, self.amplifier_a)
            supply_w = None if self.supply_w is None else np.interp(time_s, self.time_s, self.supply_w)
            yield Course(time_s - start_s, stage_v, row_v, row_a, amplifier_a, supply_w=supply_w)

    def _rows_v(self, design: Design) -> dict[str, Array]:
        """Crossbar -> (points, rows) at what drives it."""
        return {crossbar.name: self.stage_v[before.name] for before, crossbar in design.driven_crossbars}

    def _at(self, time_s: Array, tables: dict[str, Array]) -> dict[str, Array]:
        return {
            name: np.stack([np.interp(time_s, self.time_s, column) for column in table.T], axis=1)
            for name, table in tables.items()
        }


def follow_sequence(
    design: Design, inputs_v: Array, pace: Pace, precision: Precision, *, timeout_s: float | None = None
) -> Trace:
    """All stages while the inputs (samples, inputs), volts, follow each other once around.

    Raises SimulatorError when ngspice is missing or cannot be started.
    """
    netlist = build_netlist(design, "device", dynamic=True)
    started = time.monotonic()
    with working_folder() as folder:
        netlist.write(folder)
        parts = {"current_a": _unit_a(design), "charge_c": _column_c(design)}
        starts = {} if design.realised is None else Starts(design, design.realised, netlist).of(inputs_v[-1])
        deck = sequence_deck(netlist, inputs_v, pace, precision, starts_v=starts, **parts)
        (folder / _DECK).write_text(deck, encoding="ascii")
        deadline = None if timeout_s is None else started + timeout_s
        run = run_deck(find_ngspice(), folder, _DECK, deadline=deadline)
        plots = read_plots(folder / RAW_FILE)
        wanted = ["time", *_vectors(netlist)]
        came = len(plots) == 1 and set(wanted) <= set(plots[0].vectors)
        table = plots[0].table[:, [plots[0].vectors.index(name) for name in wanted]] if came else np.empty((0, 1))
    end_s = len(inputs_v) * pace.period_s
    whole = bool(len(table)) and bool(np.isfinite(table).all()) and table[-1, 0] >= end_s * (1 - _TIME_SLACK)
    failure = doubt_in(run, 0, int(whole), 1)
    return _trace(netlist, np.asarray(table if failure is None else table[:0]), failure, run.wall_s)


def sequence_deck(
    netlist: Netlist,
    inputs_v: Array,
    pace: Pace,
    precision: Precision,
    *,
    current_a: float,
    charge_c: float,
    starts_v: Mapping[str, float] | None = None,
) -> str:
    """The whole run, by Gear's method: the trapezoidal rule makes currents of capacitors across sources ring.

    current_a, charge_c: against which currents and charges that are nearly nothing are measured: a device whose
    capacitor is empty must not set the pace. starts_v: node -> volts, where the search for the first operating point
    begins.
    """
    end_s = len(inputs_v) * pace.period_s
    least_v, least_a = precision.reltol * _LEAST_V, precision.reltol * _LEAST_A * current_a
    longest = spice_number(pace.period_s / precision.steps)
    lines = ["* kanspice run", *(one_thread_lines() if netlist.supply_v else ()), f".include {CIRCUIT}"]
    for node, column in zip(netlist.inputs, inputs_v.T.tolist(), strict=True):
        lines += wrapped(f"v{node} {node} 0", ["pwl(", *_corners(column, pace), ")"])
    lines += [f".nodeset v({node})={spice_number(volts)}" for node, volts in (starts_v or {}).items()]
    lines += [
        f".options method=gear maxord=2 reltol={precision.reltol:g} trtol=1 vntol={least_v:g} abstol={least_a:g}",
        f".options itl1=300 itl4=50 chgtol={charge_c:g}",
        *wrapped(".save", _vectors(netlist)),
        f".tran {longest} {spice_number(end_s)} 0 {longest}",
        ".end",
    ]
    return "\n".join(lines) + "\n"


def _corners(column: Sequence[float], pace: Pace) -> list[str]:
    """Times and volts of one input, which begins where it ends."""
    corners, before = [f"0 {spice_number(column[-1])}"], column[-1]
    for sample, volts in enumerate(column):
        if volts != before:
            start_s = sample * pace.period_s
            if sample:
                corners.append(f"{spice_number(start_s)} {spice_number(before)}")
            corners.append(f"{spice_number(start_s + pace.rise_s)} {spice_number(volts)}")
        before = volts
    return corners


def _unit_a(design: Design) -> float:
    return min(crossbar.current_unit_a for crossbar in design.crossbars)


def _column_c(design: Design) -> float:
    """The charge that one volt puts into a column, on an average."""
    farads = [
        float(np.abs(c.area).sum()) * c.junction_f / (2 * c.width) + c.rows * c.column_f for c in design.crossbars
    ]
    return min((part for part in farads if part > 0), default=_LEAST_C)


def _vectors(netlist: Netlist) -> list[str]:
    nodes = [node for group in netlist.probes.values() for node in group]
    sources = [s for groups in (netlist.row_sources, netlist.amplifier_sources) for g in groups.values() for s in g]
    return [*(f"v({node})" for node in nodes), *(f"i({source})" for source in (*sources, *netlist.supply_v))]


def _trace(netlist: Netlist, table: Array, failure: FailedSample | None, simulate_s: float) -> Trace:
    parts: list[dict[str, Array]] = []
    position = 1
    for groups in (netlist.probes, netlist.row_sources, netlist.amplifier_sources):
        named = {}
        for name, members in groups.items():
            named[name] = table[:, position : position + len(members)]
            position += len(members)
        parts.append(named)
    row_a = {name: -currents_a for name, currents_a in parts[1].items()}
    supplies_v = netlist.supply_v
    supply_w = -table[:, position:] @ np.array([*supplies_v.values()]) if supplies_v else None
    return Trace(table[:, 0], parts[0], row_a, parts[2], failure, simulate_s, supply_w)
