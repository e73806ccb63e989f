"""Solving a design's operating points for many inputs with ngspice, and believing only what can be checked.

Samples are points of one sweep per process. A result counts when every expected vector and point is
there, finite and within the design's bounds, and no message casts doubt on it. A block in doubt is halved
until the sample at fault stands alone; that one is tried again from the reference network's own voltages.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from functools import partial
from itertools import count
from pathlib import Path

import numpy as np
import numpy.typing as npt

from kanspice.design import Design
from kanspice.netlist import Fidelity, Netlist, build_netlist
from kanspice.ngspice.blocks import (
    BlockProgress,
    Found,
    NgspiceOptions,
    Progress,
    doubt_in,
    is_final,
    is_worth_another,
    spread,
    times,
)
from kanspice.ngspice.circuit import Circuit
from kanspice.ngspice.deck import NORMAL, Tolerances, sweep_deck, tightened
from kanspice.ngspice.diagnose import suspicion
from kanspice.ngspice.process import RAW_FILE, Run, run_deck, working_folder
from kanspice.ngspice.program import NgspiceProgram, find_ngspice
from kanspice.ngspice.raw import read_plots
from kanspice.ngspice.tone_transients import solve_transients
from kanspice.ngspice.tones import solve_filters
from kanspice.ngspice.transient import solve_periods
from kanspice.outcomes import (
    Volts,
    chosen_samples,
    column_failures,
    range_failures,
    unproven_note,
    unproven_states,
)
from kanspice.solution import FailedSample, NumericalError, Outcome, Solution

Array = npt.NDArray[np.float64]

_DECK = "run.cir"
_LARGEST_BLOCK = 512
"""Samples per process: ngspice looks for its place in the inputs' tables from their beginning."""
_SAME_STATE = 1e-3
"""Of an amplifier's voltage: more is no numerical error any more."""


def solve(
    design: Design,
    inputs: Array,
    fidelity: Fidelity,
    options: NgspiceOptions | None = None,
    *,
    hints: Mapping[str, Array] | None = None,
    progress: Progress | None = None,
    numbers: Sequence[int] | None = None,
) -> Solution:
    """Voltages of every stage of the design for inputs (samples, inputs) in model units.

    Operating points, or, for a design of periods, the voltages at the end of each.

    hints: reference stages by name, (samples, width) in model units: where hard points may start.
    progress: told of what was done since its last call, in parts of samples; from several threads.
    numbers: which samples these are, for what is drawn for each of them; 0 and on if None.
    Raises SimulatorError when ngspice is missing or cannot be started; failed samples are values in the result.
    """
    options = options or NgspiceOptions()
    with working_folder() as folder:
        told = hints or {}
        if design.periods:
            return solve_periods(
                design, inputs, fidelity, options, hints=told, progress=progress, folder=folder, numbers=numbers
            )
        inputs_v = design.inputs_v(inputs, numbers)
        if fidelity == "filter":
            return solve_filters(design, inputs_v, options, hints=told, progress=progress, folder=folder)
        if fidelity == "transient":
            return solve_transients(design, inputs_v, options, progress=progress, folder=folder)
        return _Solver(design, inputs_v, fidelity, options, hints=told, progress=progress, folder=folder).solve()


class _Solver:
    """One call of `solve`."""

    def __init__(
        self,
        design: Design,
        inputs_v: Array,
        fidelity: Fidelity,
        options: NgspiceOptions,
        *,
        hints: Mapping[str, Array],
        progress: Progress | None,
        folder: Path,
    ) -> None:
        self.program: NgspiceProgram = find_ngspice()
        self.design, self.fidelity, self.options, self.hints = design, fidelity, options, hints
        self.inputs_v = inputs_v
        self.progress = progress
        self.folder = folder
        self.run_numbers = count()
        self.stop = threading.Event()
        self.started = time.monotonic()
        self.notes: list[str] = []
        started = time.monotonic()
        self.circuit = Circuit.lay_out(build_netlist(design, fidelity), folder / "circuit")
        self.netlist_s = time.monotonic() - started
        self.whole_curves: Circuit | None = None
        self.beyond_reach: set[int] = set()

    @property
    def deadline(self) -> float | None:
        timeout_s = self.options.timeout_s
        return None if timeout_s is None else self.started + timeout_s

    def solve(self) -> Solution:
        found = self._spread(self.circuit, range(len(self.inputs_v)), NORMAL, report=True)
        simulate_s = time.monotonic() - self.started - self.netlist_s
        self._solve_beyond_reach(found)
        self._check_bounds(found)
        self._check_columns(found)
        numerical_error = self._numerical_error(found)
        return self._solution(found, simulate_s, numerical_error)

    def _spread(self, circuit: Circuit, samples: Sequence[int], tolerances: Tolerances, *, report: bool) -> Found:
        """Solves the samples in at least as many blocks as there are jobs."""
        attempt = partial(self._attempt, circuit, tolerances, report)
        return spread(samples, attempt, jobs=self.options.jobs, largest=_LARGEST_BLOCK, stop=self.stop)

    def _attempt(
        self, circuit: Circuit, tolerances: Tolerances, report: bool, block: list[int], *, hinted: bool = False
    ) -> tuple[Found, FailedSample | None]:
        """One process for one block. Rows are kept only where nothing casts doubt on them."""
        hints = self._hints(circuit.netlist, block[0]) if hinted else {}
        progress = BlockProgress(self.progress if report else None, len(block))
        run = self._run(circuit, block, tolerances, progress, hints)
        table = self._table(circuit, run)
        found = Found({}, {}, *times(run), peak_bytes=run.peak_bytes)
        doubt = doubt_in(run, block[0], len(table), len(block))
        progress.end(again=not is_final(block, doubt, hinted=hinted))
        if not is_worth_another(doubt) and suspicion(run.messages) is None:
            found.rows = {i: row for i, row in zip(block, table, strict=False) if np.isfinite(row).all()}
        return found, doubt

    def _run(
        self,
        circuit: Circuit,
        block: list[int],
        tolerances: Tolerances,
        progress: BlockProgress,
        hints: Mapping[str, float],
    ) -> Run:
        folder = circuit.folder / f"run{next(self.run_numbers)}"
        folder.mkdir()
        for name in circuit.netlist.files:
            os.link(circuit.folder / name, folder / name)
        netlist = circuit.netlist
        inputs_v = self.inputs_v[block]
        klu = self.program.has_klu
        saved = {"saved": circuit.nodes, "sources": circuit.sources}
        deck = sweep_deck(netlist.inputs, inputs_v, tolerances=tolerances, hints_v=hints, klu=klu, **saved)
        (folder / _DECK).write_text(deck, encoding="ascii")

        def on_point(swept: float, simulator_bytes: int) -> None:
            progress.reach(round(swept) + 1, simulator_bytes)

        return run_deck(self.program, folder, _DECK, deadline=self.deadline, stop=self.stop, on_point=on_point)

    def _table(self, circuit: Circuit, run: Run) -> Array:
        """(points, vectors) in the order of the circuit's vectors; empty when they are not what was asked for.

        The scale, a plot's first vector, must count the samples from 0.
        """
        plots = read_plots(run.folder / RAW_FILE)
        table = circuit.table(plots)
        counts = len(table) and np.array_equal(plots[0].table[:, 0], np.arange(len(table)))
        return table if counts else table[:0]

    def _hints(self, netlist: Netlist, sample: int) -> dict[str, float]:
        """Reference voltages of every stage for one sample, and 0 V for the columns."""
        hints = {node: 0.0 for nodes in netlist.columns.values() for node in nodes}
        for stage in self.design.stages:
            if stage.compares_to in self.hints:
                volts = self.hints[stage.compares_to][sample] * stage.output_v_per_unit
                hints |= dict(zip(netlist.probes[stage.name], volts.tolist(), strict=True))
        return hints

    def _solve_beyond_reach(self, found: Found) -> None:
        """Samples whose columns left the reach of the short cells, or that did not converge with them: whole curves."""
        if not self.circuit.netlist.is_windowed:
            return
        beyond = [index for index, row in found.rows.items() if self._leaves_reach(row)]
        beyond += [i for i, failure in found.failures.items() if failure.outcome is Outcome.DIVERGED]
        if not beyond:
            return
        self.notes.append(
            f"{len(beyond)} samples solved with whole curves: columns beyond the reach of the short cells"
        )
        whole = Circuit.lay_out(build_netlist(self.design, self.fidelity, full_cells=True), self.folder / "whole")
        self.whole_curves, self.beyond_reach = whole, set(beyond)
        for index in beyond:
            found.rows.pop(index, None)
            found.failures.pop(index, None)
        found.add(self._spread(whole, sorted(beyond), NORMAL, report=False))

    def _leaves_reach(self, row: Array) -> bool:
        columns = self._split(row[None, :]).column_v
        reach = self.circuit.netlist.reach_v
        return any(bool(np.abs(volts).max() >= reach[name]) for name, volts in columns.items())

    def _check_bounds(self, found: Found) -> None:
        """Turns finite garbage into failures."""
        largest_v = np.abs(self.inputs_v).max(axis=0)
        self._refuse(found, lambda volts: range_failures(self.design, largest_v, volts))

    def _check_columns(self, found: Found) -> None:
        """Turns into failures samples that need more than a rail, or that have several states to settle in."""
        sees = self.fidelity == "device"
        self._refuse(found, lambda volts: column_failures(self.design, volts, devices_see_columns=sees))

    def _refuse(self, found: Found, check: Callable[[Volts], dict[int, FailedSample]]) -> None:
        """Turns into failures what `check` finds in the voltages of the solved samples."""
        solved = sorted(found.rows)
        if not solved:
            return
        volts = self._split(np.stack([found.rows[index] for index in solved]))
        for place, failure in check(volts).items():
            found.rows.pop(solved[place])
            found.failures[solved[place]] = replace(failure, index=solved[place])

    def _numerical_error(self, found: Found) -> NumericalError | None:
        """Solves a few samples again, tighter and in reverse order, and compares their outputs.

        All of those, too, that may have several states: if the sweep comes to another one from the other side.
        """
        solved = sorted(found.rows)
        if not solved:
            return None
        chosen = chosen_samples(solved, self.options, self._errors_v(found, solved))
        doubts = self._doubts(found, solved)
        if not chosen:
            self._note_states(doubts, found, found, "not tested, every sample was solved once")
            return None
        chosen = sorted({*chosen, *(index for doubtful in doubts.values() for index in doubtful)})
        tight = tightened(self.design)
        again = self._spread(self.circuit, [i for i in chosen[::-1] if i not in self.beyond_reach], tight, report=False)
        again.rows = {index: row for index, row in again.rows.items() if not self._leaves_reach(row)}
        if self.whole_curves is not None:
            left = [index for index in chosen[::-1] if index in self.beyond_reach]
            again.add(self._spread(self.whole_curves, left, tight, report=False))
        for name, doubtful in doubts.items():
            self._compare_states(name, doubtful, found, again)
        self._note_states(doubts, found, again, "each is the same where samples are swept in the other direction")
        common = [index for index in chosen if index in again.rows and index in found.rows]
        if not common:
            self.notes.append("numerical error unknown: the tightened rerun did not converge")
            return None
        last = self.design.stages[-1].name
        first_v, second_v = (
            self._split(np.stack([rows[index] for index in common])).stage_v[last] for rows in (found.rows, again.rows)
        )
        difference = first_v - second_v
        return NumericalError(tuple(common), float(np.abs(difference).max()), float(np.sqrt(np.mean(difference**2))))

    def _doubts(self, found: Found, solved: Sequence[int]) -> dict[str, list[int]]:
        """Crossbar -> the samples of which nothing proves that they have one state there."""
        if self.fidelity != "device":
            return {}
        volts = self._split(np.stack([found.rows[index] for index in solved]))
        unproven = unproven_states(self.design, volts)
        return {name: [solved[place] for place in np.flatnonzero(which).tolist()] for name, which in unproven.items()}

    def _compare_states(self, name: str, doubtful: Sequence[int], found: Found, again: Found) -> None:
        """Turns into failures samples for which a crossbar is in another state when the sweep comes from elsewhere."""
        for index in [index for index in doubtful if index in found.rows and index in again.rows]:
            there, back = (self._split(rows[index][None]).amplifier_v[name] for rows in (found.rows, again.rows))
            apart_v = float(np.abs(there - back).max())
            if apart_v > _SAME_STATE * float(np.abs(there).max()):
                seen = f"{name} has another state, its amplifiers up to {apart_v:.3g} V away, in a sweep the other way"
                found.rows.pop(index)
                found.failures[index] = FailedSample(index, Outcome.MULTISTABLE, seen)

    def _note_states(self, doubts: Mapping[str, Sequence[int]], found: Found, again: Found, tested: str) -> None:
        for name, doubtful in doubts.items():
            left = sum(index in found.rows and index in again.rows for index in doubtful)
            if left:
                self.notes.append(unproven_note(name, left, tested))

    def _errors_v(self, found: Found, solved: list[int]) -> Array | None:
        """Largest |output - reference| of every solved sample, volts; None without a reference."""
        last = self.design.stages[-1]
        if last.compares_to not in self.hints:
            return None
        outputs_v = self._split(np.stack([found.rows[index] for index in solved])).stage_v[last.name]
        errors_v: Array = np.abs(outputs_v - self.hints[last.compares_to][solved] * last.output_v_per_unit).max(axis=1)
        return errors_v

    def _split(self, table: Array) -> Volts:
        """(samples, vectors) -> voltages and currents by name."""
        return self.circuit.split(table)

    def _solution(self, found: Found, simulate_s: float, numerical_error: NumericalError | None) -> Solution:
        table = np.full((len(self.inputs_v), len(self.circuit.vectors)), np.nan)
        for index, row in found.rows.items():
            table[index] = row
        volts = self._split(table)
        netlist = self.circuit.netlist
        analysis_s = sum(found.analysis_s)
        return Solution(
            engine="ngspice",
            engine_version=self.program.version_text.removeprefix("ngspice-"),
            engine_options={"fidelity": self.fidelity, **asdict(self.options), **asdict(NORMAL)},
            samples=len(self.inputs_v),
            failed=tuple(found.failures[index] for index in sorted(found.failures)),
            stage_v=volts.stage_v,
            column_v=volts.column_v,
            row_a=volts.row_a,
            amplifier_a=volts.amplifier_a,
            timing_s={
                "netlist_s": self.netlist_s,
                "load_s": max(found.load_s, default=0.0),
                "simulate_s": simulate_s,
                "per_sample_s": analysis_s / max(len(found.rows), 1),
            },
            notes=tuple(self.notes),
            numerical_error=numerical_error,
            simulator_peak_bytes=found.peak_bytes or None,
            netlist={
                "nodes": netlist.nodes,
                "elements": netlist.elements,
                "bytes": self.circuit.size,
            },
        )
