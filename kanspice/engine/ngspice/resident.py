"""A circuit that stays loaded in ngspice: operating points as they are asked for, one sample after the other."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from kanspice.base.arrays import Array
from kanspice.base.spice_numbers import spice_number
from kanspice.circuit import Design
from kanspice.engine.acceptance import Volts, column_failures, range_failures
from kanspice.engine.balance import unbalanced
from kanspice.engine.fidelity import Fidelity
from kanspice.engine.netlist import build_netlist
from kanspice.engine.ngspice.conversation import Conversation
from kanspice.engine.ngspice.deck import NORMAL, resident_deck
from kanspice.engine.ngspice.diagnose import suspicion
from kanspice.engine.ngspice.engine import solve
from kanspice.engine.ngspice.program import find_ngspice
from kanspice.engine.options import RunOptions
from kanspice.engine.progress import Follow
from kanspice.engine.simulators.blocks import OPTIONS
from kanspice.engine.simulators.circuit import CircuitFiles
from kanspice.engine.simulators.memory import announce
from kanspice.engine.simulators.raw import read_plots
from kanspice.engine.solution import FailedSample, Outcome, Size, Solution

_DECK, _RAW = "run.cir", "out.raw"
_LOADING_S = 60.0
_POINTS_OF_ONE = 10_000
"""Points of one process: each leaves a few kilobytes in it."""


class Resident:
    """A design's circuit, loaded once, in a folder.

    Every operating point is found from scratch, whatever came before it. One that casts a doubt is solved again by
    itself, as `solve` does it, and that counts.
    """

    def __init__(
        self,
        design: Design,
        fidelity: Fidelity,
        options: RunOptions,
        *,
        folder: Path,
        sample_timeout_s: float,
        follow: Follow | None = None,
    ) -> None:
        """Raises SimulatorError when ngspice is missing."""
        self.design, self.fidelity, self.options, self.follow = design, fidelity, options, follow
        self.sample_timeout_s = sample_timeout_s
        self._engine_options = {"fidelity": fidelity, **options.named(OPTIONS), **asdict(NORMAL)}
        self._program = find_ngspice()
        netlist = build_netlist(design, fidelity, full_cells=True)
        announce("ngspice", netlist, 1, None)
        self._circuit = CircuitFiles.lay_out(netlist, folder / "circuit")
        klu = self._program.has_klu
        deck = resident_deck(netlist.inputs, self._circuit.nodes, self._circuit.sources, NORMAL, klu=klu)
        (self._circuit.folder / _DECK).write_text(deck, encoding="ascii")
        self._process: Conversation | None = None
        self._points, self.load_s = 0, 0.0

    def solve(self, inputs: Array, numbers: Sequence[int] | None = None) -> Solution:
        """Voltages of every stage for inputs (samples, inputs) in model units; failed samples are values in it."""
        started = time.monotonic()
        inputs_v = self.design.inputs_v(inputs, numbers)
        table = np.full((len(inputs), len(self._circuit.vectors)), np.nan)
        failures: dict[int, FailedSample] = {}
        for index, volts in enumerate(inputs_v):
            row = self._point(volts)
            if isinstance(row, Outcome):
                failures[index] = FailedSample(index, row)
            else:
                table[index] = row
        solved = np.isfinite(table).all(axis=1)
        failures |= self._refused(inputs_v, table, np.flatnonzero(solved))
        table[list(failures)] = np.nan
        found = self._circuit.split(table)
        doubtful = [index for index in failures if failures[index].outcome is not Outcome.TIMED_OUT]
        again = {index: self._again(inputs, index, numbers) for index in doubtful}
        for index, solution in again.items():
            failures.pop(index)
            if solution.failed:
                failures[index] = replace(solution.failed[0], index=index)
            _put(found, index, solution)
        return self._solution(found, failures, time.monotonic() - started)

    @property
    def is_up(self) -> bool:
        """Whether there is a process to talk to."""
        return self._process is not None and not self._process.has_ended

    def close(self) -> None:
        """Ends the process."""
        if self._process is not None:
            self._process.close()
            self._process = None

    def load(self) -> None:
        """Starts a process and loads the circuit. Raises SimulatorError when it cannot be started."""
        self.close()
        started = time.monotonic()
        self._process, self._points = Conversation(self._program, self._circuit.folder), 0
        self._process.ask(["set noaskquit", f"source {_DECK}"], _LOADING_S)
        self.load_s = time.monotonic() - started

    def _point(self, volts: Array) -> Array | Outcome:
        """(vectors,) at one operating point, or why there is none to believe."""
        if self._process is None or self._process.has_ended or self._points >= _POINTS_OF_ONE:
            self.load()
        if self._process is None:
            return Outcome.CRASHED
        raw = self._circuit.folder / _RAW
        raw.unlink(missing_ok=True)
        driven = zip(self._circuit.netlist.inputs, volts.tolist(), strict=True)
        altered = [f"alter v{node}={spice_number(value)}" for node, value in driven]
        said = self._process.ask([*altered, "op", f"write {_RAW}", "destroy all"], self.sample_timeout_s)
        self._points += 1
        if self._process.timed_out:
            return Outcome.TIMED_OUT
        doubt = suspicion(said)
        if doubt is not None:
            return doubt[0]
        table = self._circuit.table(read_plots(raw))
        return table[0] if len(table) == 1 and np.isfinite(table).all() else Outcome.CRASHED

    def _refused(self, inputs_v: Array, table: Array, solved: npt.NDArray[np.int64]) -> dict[int, FailedSample]:
        """Of the solved samples, those whose voltages cannot be, or are not the circuit's only ones."""
        if solved.size == 0:
            return {}
        volts = self._circuit.split(table[solved])
        largest_v = np.abs(inputs_v[solved]).max(axis=0)
        sees = self.fidelity == "device"
        failures = column_failures(self.design, volts, devices_see_columns=sees)
        failures |= range_failures(self.design, largest_v, volts)
        reltol = NORMAL.reltol
        failures |= unbalanced(self.design, inputs_v[solved], volts, reltol=reltol, devices_see_columns=sees)
        return {int(solved[place]): replace(each, index=int(solved[place])) for place, each in failures.items()}

    def _again(self, inputs: Array, index: int, numbers: Sequence[int] | None) -> Solution:
        """One sample by itself, from the reference's own voltages where that helps."""
        one = inputs[index : index + 1]
        hints = None if self.follow is None else self.follow(one)
        which = [index if numbers is None else numbers[index]]
        options = replace(self.options, check_samples=0, waveforms=0, timeout_s=self.sample_timeout_s)
        return solve(self.design, one, self.fidelity, options, hints=hints, numbers=which)

    def _solution(self, found: Volts, failures: Mapping[int, FailedSample], simulate_s: float) -> Solution:
        samples = len(next(iter(found.stage_v.values())))
        netlist = self._circuit.netlist
        return Solution(
            engine="ngspice",
            engine_version=self._program.version_text.removeprefix("ngspice-"),
            engine_options=self._engine_options,
            samples=samples,
            failed=tuple(failures[index] for index in sorted(failures)),
            stage_v=found.stage_v,
            column_v=found.column_v,
            row_a=found.row_a,
            amplifier_a=found.amplifier_a,
            timing_s={
                "load_s": self.load_s,
                "simulate_s": simulate_s,
                "per_sample_s": simulate_s / max(samples - len(failures), 1),
            },
            size=Size(netlist.nodes, netlist.elements, self._circuit.size),
        )


def _put(found: Volts, index: int, solution: Solution) -> None:
    """What was found of one sample by itself, in its place."""
    for kept, parts in (
        (found.stage_v, solution.stage_v),
        (found.column_v, solution.column_v),
        (found.row_a, solution.row_a),
        (found.amplifier_a, solution.amplifier_a),
    ):
        for name, values in parts.items():
            kept[name][index] = values[0]
