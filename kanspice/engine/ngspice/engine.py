"""Solving a design's operating points for many inputs with ngspice, and believing only what can be checked.

Samples are points of one sweep per process. A result counts when every expected vector and point is
there, finite and within the design's bounds, and no message casts doubt on it. A block in doubt is halved
until the sample at fault stands alone; that one is tried again from the reference network's own voltages.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from functools import partial
from typing import assert_never, final

import numpy as np

from kanspice.base.arrays import Array
from kanspice.circuit import Design, Sort
from kanspice.circuit.uniqueness import swings_without_wires
from kanspice.engine.acceptance import as_read, column_failures
from kanspice.engine.balance import unbalanced
from kanspice.engine.fidelity import Fidelity
from kanspice.engine.netlist import Netlist, build_netlist
from kanspice.engine.ngspice.attempts import doubt_in, is_final, is_worth_another, times
from kanspice.engine.ngspice.deck import Tolerances, eased, normal, sweep_deck, tightened
from kanspice.engine.ngspice.diagnose import suspicion
from kanspice.engine.ngspice.process import RAW_FILE
from kanspice.engine.ngspice.simulation import EngineCall
from kanspice.engine.ngspice.starts import Starts
from kanspice.engine.ngspice.tone_transients import FilterTransients
from kanspice.engine.ngspice.tones import FilterTones
from kanspice.engine.ngspice.transient import PeriodSimulation
from kanspice.engine.options import RunOptions
from kanspice.engine.progress import Progress
from kanspice.engine.simulators.blocks import BlockProgress, Found
from kanspice.engine.simulators.circuit import CircuitFiles
from kanspice.engine.simulators.process import Run, working_folder
from kanspice.engine.simulators.raw import read_plots
from kanspice.engine.simulators.simulation import Task
from kanspice.engine.solution import FailedSample, NumericalError, Outcome, Solution, columns_hint

_LARGEST_BLOCK = 512
"""Samples per process: ngspice looks for its place in the inputs' tables from their beginning."""


def solve(
    design: Design,
    inputs: Array,
    fidelity: Fidelity,
    options: RunOptions | None = None,
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
    inputs_v, options = design.inputs_v(inputs, numbers), options or RunOptions()
    with working_folder() as folder:
        task = Task(design, inputs_v, fidelity, options, hints or {}, progress, folder)
        sort = design.sort
        match sort:
            case Sort.PERIODS:
                found = PeriodSimulation(task, design.read_late_s(len(inputs), numbers)).solve()
                return as_read(design, found, numbers)
            case Sort.FILTERS if fidelity == "filter":
                return FilterTones(task).solve()
            case Sort.FILTERS if fidelity == "transient":
                return FilterTransients(task).solve()
            case Sort.CROSSBARS | Sort.SYNAPSES | Sort.FILTERS:
                return OperatingPoints(task).solve()
            case _:
                assert_never(sort)


@final
class OperatingPoints(EngineCall):
    """Networks of crossbars, each sample by itself."""

    def __init__(self, task: Task) -> None:
        super().__init__(task)
        self.klu = self.program.has_klu and self.design.realised is None
        self.tolerances = normal(self.design)
        realised = self.design.realised
        self.starts = None if realised is None else Starts(self.design, realised, self.circuit.netlist)
        self.whole_curves: CircuitFiles | None = None
        self.beyond_reach: set[int] = set()

    def solve(self) -> Solution:
        found = self._spread(self.circuit, range(len(self.inputs_v)), self.tolerances, report=True)
        self.end_simulating()
        self._solve_beyond_reach(found)
        if self.klu:
            self._solve_unbalanced(found)
        self.refuse_out_of_range(found)
        self._refuse_unbalanced(found)
        self._refuse_columns(found)
        starts = {} if self.starts is None else {"starts": "macro-model"}
        return self.solution(found, self._numerical_error(found), **asdict(self.tolerances), **starts)

    def _spread(self, circuit: CircuitFiles, samples: Sequence[int], tolerances: Tolerances, *, report: bool) -> Found:
        """Solves the samples in at least as many blocks as there are jobs."""
        attempt = partial(self._attempt, circuit, tolerances, report)
        by_themselves = self.starts is not None or self._begins_at_reference(tolerances)
        return self.spread(samples, attempt, largest=1 if by_themselves else _LARGEST_BLOCK)

    def _attempt(
        self, circuit: CircuitFiles, tolerances: Tolerances, report: bool, block: list[int], *, hinted: bool = False
    ) -> tuple[Found, FailedSample | None]:
        """One process for one block. Rows are kept only where nothing casts doubt on them."""
        begins = hinted != self._begins_at_reference(tolerances)
        hints = self._hints(circuit.netlist, block[0]) if begins else {}
        if self.starts is not None:
            hints = self.starts.of(self.inputs_v[block[0]], elsewhere=tolerances != self.tolerances)
        tolerances = eased(self.design, tolerances) if hinted else tolerances
        progress = BlockProgress(self.progress if report else None, len(block))
        klu = self.klu and not hinted  # some converge with Sparse only
        run = self._run(circuit, block, tolerances, progress, hints, klu=klu)
        table = self._table(circuit, run)
        found = Found({}, {}, *times(run), peak_bytes=run.peak_bytes)
        doubt = doubt_in(run, block[0], len(table), len(block))
        progress.end(again=not is_final(block, doubt, hinted=hinted))
        if not is_worth_another(doubt) and suspicion(run.messages) is None:
            found.rows = {i: row for i, row in zip(block, table, strict=False) if np.isfinite(row).all()}
        return found, doubt

    def _run(
        self,
        circuit: CircuitFiles,
        block: list[int],
        tolerances: Tolerances,
        progress: BlockProgress,
        hints: Mapping[str, float],
        *,
        klu: bool,
    ) -> Run:
        netlist = circuit.netlist
        inputs_v = self.inputs_v[block]
        deck = sweep_deck(
            netlist.inputs,
            inputs_v,
            circuit.nodes,
            tolerances,
            hints,
            klu=klu,
            sources=circuit.sources,
            of_transistors=self.starts is not None,
        )

        def on_point(swept: float, simulator_bytes: int) -> None:
            progress.reach(round(swept) + 1, simulator_bytes)

        return self.run(deck, netlist.files, beside=circuit.folder, on_point=on_point)

    def _table(self, circuit: CircuitFiles, run: Run) -> Array:
        """(points, vectors) in the order of the circuit's vectors; empty when they are not what was asked for.

        The scale, a plot's first vector, must count the samples from 0.
        """
        plots = read_plots(run.folder / RAW_FILE)
        table = circuit.table(plots)
        counts = len(table) and np.array_equal(plots[0].table[:, 0], np.arange(len(table)))
        return table if counts else table[:0]

    def _begins_at_reference(self, tolerances: Tolerances) -> bool:
        """Whether every sample starts at what hints say: amplifiers give no slope beyond their swing, by which Newton's
        method could find its way from nothing. What is solved again, tighter, starts from nothing, and so does a second
        attempt.
        """
        return swings_without_wires(self.design) and bool(self.hints) and tolerances == self.tolerances

    def _hints(self, netlist: Netlist, sample: int) -> dict[str, float]:
        """Voltages of every stage for one sample, where some are known, and of the columns: 0 V where none are."""
        hints = {node: 0.0 for nodes in netlist.columns.values() for node in nodes}
        for name, nodes in netlist.columns.items():
            known_v = self.hints.get(columns_hint(name))
            if known_v is not None and np.isfinite(known_v[sample]).all():
                hints |= zip(nodes, known_v[sample].tolist(), strict=True)
        for stage in self.design.stages:
            if stage.compares_to in self.hints:
                volts = self.hints[stage.compares_to][sample] * stage.output_v_per_unit
                known = zip(netlist.probes[stage.name], volts.tolist(), strict=True)
                hints |= {node: start_v for node, start_v in known if math.isfinite(start_v)}
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
        whole = CircuitFiles.lay_out(build_netlist(self.design, self.fidelity, full_cells=True), self.folder / "whole")
        self.whole_curves, self.beyond_reach = whole, set(beyond)
        for index in beyond:
            found.rows.pop(index, None)
            found.failures.pop(index, None)
        found.add(self._spread(whole, sorted(beyond), self.tolerances, report=False))

    def _solve_unbalanced(self, found: Found) -> None:
        """Samples in which currents do not add up, though KLU found them: once more, and from here on, with Sparse."""
        wrong = set(self._unbalanced(found))
        if not wrong:
            return
        self.notes.append(f"{len(wrong)} samples solved again with Sparse: with KLU their currents did not add up")
        self.klu = False
        for index in wrong:
            found.rows.pop(index)
        found.add(self._spread(self.circuit, sorted(wrong - self.beyond_reach), self.tolerances, report=False))
        if self.whole_curves is not None:
            found.add(self._spread(self.whole_curves, sorted(wrong & self.beyond_reach), self.tolerances, report=False))

    def _refuse_unbalanced(self, found: Found) -> None:
        """Turns into failures samples in which currents do not add up."""
        for index, failure in self._unbalanced(found).items():
            found.rows.pop(index)
            found.failures[index] = failure

    def _unbalanced(self, found: Found) -> dict[int, FailedSample]:
        """The samples in which currents do not add up."""
        solved = sorted(found.rows)
        if not solved:
            return {}
        volts, inputs_v, sees = self.split(found.stack(solved)), self.inputs_v[solved], self.fidelity == "device"
        failures = unbalanced(self.design, inputs_v, volts, reltol=self.tolerances.reltol, devices_see_columns=sees)
        return {solved[place]: replace(failure, index=solved[place]) for place, failure in failures.items()}

    def _leaves_reach(self, row: Array) -> bool:
        columns = self.split(row[None, :]).column_v
        reach = self.circuit.netlist.reach_v
        return any(bool(np.abs(volts).max() >= reach[name]) for name, volts in columns.items())

    def _refuse_columns(self, found: Found) -> None:
        """Turns into failures samples that need more than a rail, or that have several states to settle in."""
        sees = self.fidelity == "device"
        found.refuse(lambda rows: column_failures(self.design, self.split(rows), devices_see_columns=sees))

    def _numerical_error(self, found: Found) -> NumericalError | None:
        """Solves a few samples again, tighter and in reverse order, and compares their outputs.

        All of those, too, that may have several states: if the sweep comes to another one from the other side.
        """
        solved = sorted(found.rows)
        if not solved:
            return None
        chosen = self.farthest_and_others(found)
        doubts = self.doubts(found, solved)
        if not chosen:
            self.note_states(doubts, found, found, "not tested, every sample was solved once")
            return None
        chosen = sorted({*chosen, *(index for doubtful in doubts.values() for index in doubtful)})
        tight = tightened(self.design)
        again = self._spread(self.circuit, [i for i in chosen[::-1] if i not in self.beyond_reach], tight, report=False)
        again.rows = {index: row for index, row in again.rows.items() if not self._leaves_reach(row)}
        if self.whole_curves is not None:
            left = [index for index in chosen[::-1] if index in self.beyond_reach]
            again.add(self._spread(self.whole_curves, left, tight, report=False))
        for name, doubtful in doubts.items():
            self.compare_states(name, doubtful, found, again, "in a sweep the other way")
        self.note_states(doubts, found, again, "each is the same where samples are swept in the other direction")
        return self.numerical_error(chosen, found, again, "tightened rerun")
