"""What every call of a simulator is made of: processes, the time they have, and the solution that they amount to."""

from __future__ import annotations

import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import final

import numpy as np

from kanspice.base.arrays import Array
from kanspice.circuit import Design
from kanspice.engine.acceptance import (
    Volts,
    chosen_samples,
    expected_outputs_v,
    range_failures,
    unproven_note,
    unproven_states,
)
from kanspice.engine.fidelity import Fidelity
from kanspice.engine.netlist import Netlist
from kanspice.engine.options import RunOptions
from kanspice.engine.progress import Progress
from kanspice.engine.simulators.blocks import OPTIONS, Found
from kanspice.engine.simulators.circuit import CircuitFiles
from kanspice.engine.simulators.memory import announce
from kanspice.engine.solution import FailedSample, NumericalError, Outcome, Size, Solution

_SAME_STATE = 1e-3
"""Of an amplifier's voltage: more is no numerical error any more."""


@dataclass(frozen=True)
class Task:
    """What is to be solved, and how.

    inputs_v: (samples, inputs), volts. hints: reference stages by name, (samples, width) in model units; may be empty.
    folder: where to work; empty.
    """

    design: Design
    inputs_v: Array
    fidelity: Fidelity
    options: RunOptions
    hints: Mapping[str, Array]
    progress: Progress | None
    folder: Path


class SimulatorCall(ABC):
    """One call of a simulator's engine. A sample's row is what a run finds of it: of the circuit's vectors, if nothing
    else.
    """

    def __init__(self, task: Task, engine: str, version: str, build: Callable[[], Netlist]) -> None:
        """engine, version: which, as solutions say it. build: writes the circuit."""
        self._engine, self._version = engine, version
        self.design, self.inputs_v, self.fidelity = task.design, task.inputs_v, task.fidelity
        self.options, self.hints, self.progress = task.options, task.hints, task.progress
        self.folder = task.folder
        self.expected_v = expected_outputs_v(task.design, task.hints)
        self.notes: list[str] = []
        self.stop, self._run_numbers = threading.Event(), count()
        self._started = time.monotonic()
        netlist = build()
        announce(engine, netlist, max(min(task.options.jobs, len(task.inputs_v)), 1), task.progress)
        self.circuit = CircuitFiles.lay_out(netlist, task.folder / "circuit")
        self._netlist_s, self._simulate_s = self._elapsed_s, 0.0

    @abstractmethod
    def solve(self) -> Solution:
        """Voltages of every stage; failed samples are values in the result."""

    @property
    def width(self) -> int:
        """Of a row."""
        return len(self.circuit.vectors)

    def split(self, rows: Array) -> Volts:
        """(samples, width) -> voltages and currents by name."""
        return self.circuit.split(rows)

    @final
    def outputs(self, rows: Array) -> Array:
        """(samples, width) -> voltages (samples, outputs) of the last stage."""
        return self.split(rows).stage_v[self.design.stages[-1].name]

    @final
    def run_folder(self, beside: Path | None = None) -> Path:
        """A new folder for one run, in the circuit's or in another."""
        folder = (beside or self.circuit.folder) / f"run{next(self._run_numbers)}"
        folder.mkdir()
        return folder

    @property
    def is_late(self) -> bool:
        """True when there is no time left."""
        deadline = self.deadline
        return deadline is not None and time.monotonic() > deadline

    @property
    def deadline(self) -> float | None:
        """The value of time.monotonic() at which there is no time left; None where there is no limit."""
        timeout_s = self.options.timeout_s
        return None if timeout_s is None else self._started + timeout_s

    @property
    def _elapsed_s(self) -> float:
        return time.monotonic() - self._started

    @final
    def end_simulating(self) -> None:
        """From here on only what was found is looked at."""
        self._simulate_s = self._elapsed_s - self._netlist_s

    @final
    def refuse_out_of_range(self, found: Found) -> None:
        """Turns finite garbage into failures."""
        largest_v = np.abs(self.inputs_v).max(axis=0)
        found.refuse(lambda rows: range_failures(self.design, largest_v, self.split(rows)))

    @final
    def farthest_and_others(self, found: Found) -> list[int]:
        """The samples to solve again: half of them those that differ most from the reference, where there is one."""
        solved = sorted(found.rows)
        if not solved or self.expected_v is None:
            return chosen_samples(solved, self.options)
        apart_v = self.outputs(found.stack(solved)) - self.expected_v[solved]
        return chosen_samples(solved, self.options, np.abs(apart_v).max(axis=1))

    @final
    def numerical_error(
        self,
        chosen: Sequence[int],
        found: Found,
        again: Found,
        rerun: str,
        *,
        times: float = 1.0,
        least: float = 0.0,
    ) -> NumericalError | None:
        """How far outputs move where the chosen samples were solved again. rerun: how, for a note if none was.

        times: how much larger an error may be than what moves. least: what it may be in any case, of the largest
        output.
        """
        common = [index for index in chosen if index in found.rows and index in again.rows]
        if common:
            outputs_v = self.outputs(found.stack(common))
            moved_v = np.abs(outputs_v - self.outputs(again.stack(common)))
            return NumericalError.of(common, times * moved_v + least * np.abs(outputs_v).max(initial=0.0))
        if chosen:
            self.notes.append(f"numerical error unknown: the {rerun} did not converge")
        return None

    @final
    def doubts(self, found: Found, solved: Sequence[int]) -> dict[str, list[int]]:
        """Crossbar -> the samples of which nothing proves that they have one state there."""
        if self.fidelity != "device":
            return {}
        volts = self.split(found.stack(solved))
        unproven = unproven_states(self.design, volts)
        return {name: [solved[place] for place in np.flatnonzero(which).tolist()] for name, which in unproven.items()}

    @final
    def compare_states(self, name: str, doubtful: Sequence[int], found: Found, again: Found, when: str) -> None:
        """Turns into failures samples for which a crossbar is in another state when it is solved again. when: how."""
        for index in [index for index in doubtful if index in found.rows and index in again.rows]:
            there, back = (self.split(rows[index][None]).amplifier_v[name] for rows in (found.rows, again.rows))
            apart_v = float(np.abs(there - back).max())
            if apart_v > _SAME_STATE * float(np.abs(there).max()):
                seen = f"{name} has another state, its amplifiers up to {apart_v:.3g} V away, {when}"
                found.rows.pop(index)
                found.failures[index] = FailedSample(index, Outcome.MULTISTABLE, seen)

    @final
    def note_states(self, doubts: Mapping[str, Sequence[int]], found: Found, again: Found, tested: str) -> None:
        """Says of samples that are left what is known of their states. tested: that."""
        for name, doubtful in doubts.items():
            left = sum(index in found.rows and index in again.rows for index in doubtful)
            if left:
                self.notes.append(unproven_note(name, left, tested))

    @final
    def solution(self, found: Found, numerical_error: NumericalError | None, **settings: object) -> Solution:
        """What was found, as every engine says it. settings: of the simulator, beyond the options."""
        samples, netlist = len(self.inputs_v), self.circuit.netlist
        volts = self.split(found.table(samples, self.width))
        return Solution(
            engine=self._engine,
            engine_version=self._version,
            engine_options={"fidelity": self.fidelity, **self.options.named(OPTIONS), **settings},
            samples=samples,
            failed=tuple(found.failures[index] for index in sorted(found.failures)),
            stage_v=volts.stage_v,
            column_v=volts.column_v,
            row_a=volts.row_a,
            amplifier_a=volts.amplifier_a,
            supply_w=volts.supply_w,
            timing_s={
                "netlist_s": self._netlist_s,
                "load_s": max(found.load_s, default=0.0),
                "simulate_s": self._simulate_s,
                "per_sample_s": sum(found.analysis_s) / max(len(found.rows), 1),
            },
            notes=tuple(self.notes),
            numerical_error=numerical_error,
            simulator_peak_bytes=found.peak_bytes or None,
            engine_at_most_bytes=netlist.simulator_bytes,
            size=Size(netlist.nodes, netlist.elements, self.circuit.size),
        )
