"""What every call of this engine is made of: processes, the time they have, and the solution that they amount to."""

from __future__ import annotations

import os
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import final

import numpy as np

from kanspice.base.arrays import Array
from kanspice.circuit import Design
from kanspice.engine.acceptance import Volts, chosen_samples, expected_outputs_v, range_failures
from kanspice.engine.fidelity import Fidelity
from kanspice.engine.netlist import build_netlist
from kanspice.engine.ngspice.blocks import OPTIONS, Attempt, Found, spread
from kanspice.engine.ngspice.circuit import CircuitFiles
from kanspice.engine.ngspice.memory import announce
from kanspice.engine.ngspice.process import OnPoint, Run, run_deck
from kanspice.engine.ngspice.program import find_ngspice
from kanspice.engine.options import RunOptions
from kanspice.engine.progress import Progress
from kanspice.engine.solution import NumericalError, Size, Solution

_DECK = "run.cir"


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


class EngineCall(ABC):
    """One call of the engine. A sample's row is what a run finds of it: of the circuit's vectors, if nothing else.

    Raises SimulatorError when ngspice is missing.
    """

    def __init__(self, task: Task) -> None:
        self.program = find_ngspice()
        self.design, self.inputs_v, self.fidelity = task.design, task.inputs_v, task.fidelity
        self.options, self.hints, self.progress = task.options, task.hints, task.progress
        self.folder = task.folder
        self.expected_v = expected_outputs_v(task.design, task.hints)
        self.notes: list[str] = []
        self._stop, self._run_numbers = threading.Event(), count()
        self._started = time.monotonic()
        netlist = build_netlist(task.design, task.fidelity)
        announce(netlist, max(min(task.options.jobs, len(task.inputs_v)), 1), task.progress)
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
    def spread(self, samples: Sequence[int], attempt: Attempt, *, largest: int) -> Found:
        """What attempts at blocks of at most `largest` of the samples find."""
        return spread(samples, attempt, jobs=self.options.jobs, largest=largest, stop=self._stop)

    @final
    def run(
        self, deck: str, files: Iterable[str] = (), *, beside: Path | None = None, on_point: OnPoint | None = None
    ) -> Run:
        """Runs a deck in a folder of its own in the circuit's, or in another, with some of the files that lie there."""
        above = beside or self.circuit.folder
        folder = above / f"run{next(self._run_numbers)}"
        folder.mkdir()
        for name in files:
            os.link(above / name, folder / name)
        (folder / _DECK).write_text(deck, encoding="ascii")
        return run_deck(self.program, folder, _DECK, deadline=self._deadline, stop=self._stop, on_point=on_point)

    @property
    def is_late(self) -> bool:
        """True when there is no time left."""
        deadline = self._deadline
        return deadline is not None and time.monotonic() > deadline

    @property
    def _deadline(self) -> float | None:
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
    def numerical_error(self, chosen: Sequence[int], found: Found, again: Found, rerun: str) -> NumericalError | None:
        """How far outputs move where the chosen samples were solved again. rerun: how, for a note if none was."""
        common = [index for index in chosen if index in found.rows and index in again.rows]
        if common:
            return NumericalError.of(common, self.outputs(found.stack(common)) - self.outputs(again.stack(common)))
        if chosen:
            self.notes.append(f"numerical error unknown: the {rerun} did not converge")
        return None

    @final
    def solution(self, found: Found, numerical_error: NumericalError | None, **settings: object) -> Solution:
        """What was found, as every engine says it. settings: of ngspice, beyond the options."""
        samples, netlist = len(self.inputs_v), self.circuit.netlist
        volts = self.split(found.table(samples, self.width))
        return Solution(
            engine="ngspice",
            engine_version=self.program.version_text.removeprefix("ngspice-"),
            engine_options={"fidelity": self.fidelity, **self.options.named(OPTIONS), **settings},
            samples=samples,
            failed=tuple(found.failures[index] for index in sorted(found.failures)),
            stage_v=volts.stage_v,
            column_v=volts.column_v,
            row_a=volts.row_a,
            amplifier_a=volts.amplifier_a,
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
