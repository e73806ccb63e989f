"""Solving operating points with VACASK, and believing only what can be checked.

Samples are analyses of one process, each for itself. Those that fail are tried once more, with more patience and from
columns at 0 V. The numerical error is measured on samples that are solved again to the same tolerances, from columns at
the opposite voltages and from a circuit whose elements are written in the opposite order: what is rounded then, and
where Newton's method stops, is different. Only columns can be a start: every other voltage follows from an amplifier.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from typing import final

import numpy as np

from kanspice.base.arrays import Array
from kanspice.engine.acceptance import column_failures
from kanspice.engine.balance import unbalanced
from kanspice.engine.simulators.blocks import BlockProgress, Found, solve_blocks
from kanspice.engine.simulators.raw import Plot
from kanspice.engine.simulators.simulation import Task
from kanspice.engine.solution import NumericalError, Solution
from kanspice.engine.vacask.call import VacaskCall
from kanspice.engine.vacask.deck import LoadedCircuit, block_deck, tolerances
from kanspice.engine.vacask.emit import CIRCUIT, build_circuit
from kanspice.engine.vacask.results import believed, columns_of

_LARGEST_BLOCK = 200
"""Samples per process: each has a file of its own."""
_BACKWARDS = "backwards.inc"
_ALIKE = 4.0
"""How much larger an error may be than what two ways of solving differ by: some of it is the same in both."""
Start = Callable[[int], Mapping[str, float]]
"""Node -> volts, where a sample starts; none where it may start anywhere."""


def _anywhere(_sample: int) -> Mapping[str, float]:
    return {}


@final
class OperatingPointCall(VacaskCall):
    """One circuit that settles, each sample by itself."""

    def __init__(self, task: Task) -> None:
        super().__init__(task, lambda: build_circuit(task.design, task.fidelity))
        self.accepted = tolerances(task.design, np.abs(task.inputs_v).max(axis=0, initial=0.0))
        self._beside = LoadedCircuit(CIRCUIT, self.loaded, self.circuit.netlist.inputs, self.circuit.vectors)

    def solve(self) -> Solution:
        everything = range(len(self.inputs_v))
        found = self._spread(everything, self._beside, report=True)
        again = [index for index, failure in found.failures.items() if not failure.outcome.is_of_the_simulator]
        if again:
            found.failures = {index: each for index, each in found.failures.items() if index not in set(again)}
            found.add(self._spread(sorted(again), self._beside, self._at_ground, patient=True))
        self.end_simulating()
        self.refuse_out_of_range(found)
        found.refuse(lambda rows: column_failures(self.design, self.split(rows), devices_see_columns=True))
        self._refuse_unbalanced(found)
        return self.solution(found, self._numerical_error(found), **asdict(self.accepted))

    def _refuse_unbalanced(self, found: Found) -> None:
        """Turns into failures samples in which currents do not add up, by the devices' curves in NumPy."""
        inputs_v = self.inputs_v[sorted(found.rows)]
        told = {"reltol": self.accepted.reltol, "least_a": self.accepted.abstol}
        found.refuse(lambda rows: unbalanced(self.design, inputs_v, self.split(rows), devices_see_columns=True, **told))

    def _spread(
        self,
        samples: Sequence[int],
        circuit: LoadedCircuit,
        start: Start = _anywhere,
        *,
        report: bool = False,
        patient: bool = False,
    ) -> Found:
        """Solves the samples in at least as many blocks as there are jobs."""

        def attempt(block: list[int]) -> Found:
            return self._attempt(block, circuit, start, report=report, patient=patient)

        return solve_blocks(samples, attempt, jobs=self.options.jobs, largest=_LARGEST_BLOCK, stop=self.stop)

    def _attempt(self, block: list[int], circuit: LoadedCircuit, start: Start, *, report: bool, patient: bool) -> Found:
        """One process for one block."""
        starts = [start(sample) for sample in block]
        deck = block_deck(circuit, self.inputs_v[block], starts, self.accepted, patient=patient)
        progress = BlockProgress(self.progress if report else None, len(block))
        run = self.run(deck, progress.reach)
        progress.end(again=False)
        rows, failures = believed(run, block, self._row)
        return Found(rows, failures, [], [run.wall_s], run.peak_bytes)

    def _row(self, _sample: int, plot: Plot) -> Array | None:
        """A sample's only point."""
        table = columns_of(plot, self.circuit.vectors)
        return table[0] if table is not None and len(table) == 1 else None

    def _free_columns(self) -> list[str]:
        """The crossbars whose columns no ideal amplifier holds, by name: all others leave no choice of a start."""
        return [crossbar.name for crossbar in self.design.crossbars if not crossbar.holds_columns]

    def _at_ground(self, _sample: int) -> Mapping[str, float]:
        """Columns at 0 V, where good amplifiers hold them."""
        return {node: 0.0 for name in self._free_columns() for node in self.circuit.netlist.columns[name]}

    def _numerical_error(self, found: Found) -> NumericalError | None:
        """Solves a few samples again, written the other way round and from another start, and compares their outputs.

        All of those, too, that may have several states: if the other start leads to another one.
        """
        solved = sorted(found.rows)
        if not solved:
            return None
        chosen, doubts = self.farthest_and_others(found), self.doubts(found, solved)
        if not chosen:
            self.note_states(doubts, found, found, "not tested, every sample was solved once")
            return None
        chosen = sorted({*chosen, *(index for doubtful in doubts.values() for index in doubtful)})

        def opposite(sample: int) -> Mapping[str, float]:
            found_v, nodes = self.split(found.rows[sample][None]).column_v, self.circuit.netlist.columns
            pairs = ((nodes[name], found_v[name][0].tolist()) for name in self._free_columns())
            return {node: -volts for names, column_v in pairs for node, volts in zip(names, column_v, strict=True)}

        again = self._spread(chosen, self._backwards(), opposite)
        for name, doubtful in doubts.items():
            self.compare_states(name, doubtful, found, again, "from another start")
        self.note_states(doubts, found, again, "each is the same where its columns start at the opposite voltages")
        return self.numerical_error(
            chosen, found, again, "rerun from another start", times=_ALIKE, least=self.accepted.reltol
        )

    def _backwards(self) -> LoadedCircuit:
        """The circuit from its last element to its first: currents are added up, and unknowns eliminated, in another
        order."""
        text = "".join(reversed(self.circuit.netlist.text(CIRCUIT).splitlines(keepends=True)))
        (self.circuit.folder / _BACKWARDS).write_text(text, encoding="ascii")
        return replace(self._beside, file=_BACKWARDS)
