"""A design of periods: the voltages that every sample's nodes reach, period by period, believed only when checked.

A process runs one period for a block of samples; the voltages at its end begin the next period in another process, as
an ideal switch between the banks of branches would. Blocks in doubt are halved as those of operating points are.
"""

from __future__ import annotations

import os
import threading
import time
from dataclasses import asdict, replace
from functools import partial
from itertools import count
from pathlib import Path

import numpy as np
import numpy.typing as npt

from kanspice.design import Design, OdePeriod
from kanspice.design.bounds import output_bounds_v
from kanspice.netlist import Fidelity, build_netlist
from kanspice.netlist.names import layer_of
from kanspice.netlist.periods import bank_file
from kanspice.ngspice.blocks import (
    Found,
    NgspiceOptions,
    Progress,
    chosen_samples,
    doubt_in,
    is_worth_another,
    out_of_range,
    spread,
)
from kanspice.ngspice.deck import period_deck
from kanspice.ngspice.process import RAW_FILE, Run, run_deck
from kanspice.ngspice.program import NgspiceProgram, find_ngspice
from kanspice.ngspice.raw import read_plots
from kanspice.ngspice.stepping import PILOT_STEPS, Stepping, is_asymptotic, relative_error, steps_for
from kanspice.solution import FailedSample, NumericalError, Outcome, Solution

Array = npt.NDArray[np.float64]

_DECK = "run.cir"
_LARGEST_BLOCK = 50
"""Samples per process: loading a bank takes as long as one of them, and progress is reported block by block."""
_TIGHTER = 4
"""How many times shorter steps are that measure the error of the others: 15/16 of it, and the rest theirs."""
_TIME_SLACK = 1e-9
_PILOT_SAMPLES = 24
"""Errors differ widely between samples: 8 asked for 46 steps or 68, depending on which they were."""
_MOST_DOUBLINGS = 6
_GUESSED_STEPS = 100


def solve_periods(
    design: Design,
    inputs: Array,
    fidelity: Fidelity,
    options: NgspiceOptions,
    *,
    progress: Progress | None,
    folder: Path,
) -> Solution:
    """Node voltages at the end of every period, and the read-out, for inputs (samples, inputs) in model units."""
    return _Solver(design, inputs, fidelity, options, progress=progress, folder=folder).solve()


class _Solver:
    """One call of `solve_periods`."""

    def __init__(
        self,
        design: Design,
        inputs: Array,
        fidelity: Fidelity,
        options: NgspiceOptions,
        *,
        progress: Progress | None,
        folder: Path,
    ) -> None:
        self.program: NgspiceProgram = find_ngspice()
        self.design, self.fidelity, self.options, self.progress = design, fidelity, options, progress
        self.inputs_v = inputs * design.input_v_per_unit
        self.folder = folder
        self.run_numbers = count()
        self.stop = threading.Event()
        self.started = time.monotonic()
        self.notes: list[str] = []
        self.netlist = build_netlist(design, fidelity)
        for name, text in self.netlist.files.items():
            (folder / name).write_text(text, encoding="ascii")
        self.netlist_s = time.monotonic() - self.started
        self.normal = Stepping(options.steps or PILOT_STEPS)

    def solve(self) -> Solution:
        if self.options.steps is None:
            self.normal = self._chosen_stepping()
        found = self._spread(list(range(len(self.inputs_v))), self.normal, report=True)
        simulate_s = time.monotonic() - self.started - self.netlist_s
        self._check_bounds(found)
        numerical_error = self._numerical_error(found)
        return self._solution(found, simulate_s, numerical_error)

    def _chosen_stepping(self) -> Stepping:
        """Enough steps for the target, from a few samples solved with n and 2 n steps; n doubles where that is few."""
        options = replace(self.options, check_samples=_PILOT_SAMPLES)
        chosen = chosen_samples(range(len(self.inputs_v)), options)
        coarse: dict[int, Array] = {}
        for doublings in range(_MOST_DOUBLINGS if chosen else 0):
            pilot = Stepping(PILOT_STEPS).finer(2**doublings)
            fine = self._spread(chosen, pilot, report=False).rows
            common = sorted(coarse.keys() & fine.keys())
            if common:
                error = relative_error(self._outputs(coarse, common), self._outputs(fine, common))
                if is_asymptotic(error):
                    return Stepping(steps_for(error, pilot.steps))
            elif not fine:
                break
            coarse = fine
        self.notes.append("the number of time steps is a guess: no number was found that is enough")
        return Stepping(_GUESSED_STEPS)

    def _outputs(self, rows: dict[int, Array], samples: list[int]) -> Array:
        """Voltages (samples, outputs) of the last stage."""
        return self._stages(np.stack([rows[index] for index in samples]))[self.design.stages[-1].name]

    def _spread(self, samples: list[int], stepping: Stepping, *, report: bool) -> Found:
        attempt = partial(self._attempt, stepping, report)
        return spread(samples, attempt, jobs=self.options.jobs, largest=_LARGEST_BLOCK, stop=self.stop)

    def _attempt(
        self, stepping: Stepping, report: bool, block: list[int], *, hinted: bool = False
    ) -> tuple[Found, FailedSample | None]:
        """All periods for one block, with shorter steps if `hinted`. No row is kept where there is doubt of any."""
        found, ends = Found(), []
        before_v = self.inputs_v[block]
        for period in self.design.periods:
            run = self._run(period, period.start_v(before_v), stepping.finer(_TIGHTER) if hinted else stepping)
            found.analysis_s.append(run.wall_s)
            table = _table(period, run)
            doubt = doubt_in(run, block[0], len(table), len(block)) or _unfinished(period, block, table)
            if doubt is not None:
                self._report(report and ((len(block) == 1 and hinted) or not is_worth_another(doubt)), len(block))
                return found, doubt
            before_v = table[:, 1:]
            ends.append(before_v)
        found.rows = dict(zip(block, np.concatenate(ends, axis=1), strict=True))
        self._report(report, len(block))
        return found, None

    def _report(self, finished: bool, samples: int) -> None:
        if finished and self.progress is not None:
            self.progress(samples)

    def _run(self, period: OdePeriod, start_v: Array, stepping: Stepping) -> Run:
        folder = self.folder / f"run{next(self.run_numbers)}"
        folder.mkdir()
        bank = bank_file(layer_of(period.name))
        os.link(self.folder / bank, folder / bank)
        deck = period_deck(period, bank, start_v, stepping, RAW_FILE)
        (folder / _DECK).write_text(deck, encoding="ascii")
        timeout_s = self.options.timeout_s
        deadline = None if timeout_s is None else self.started + timeout_s
        return run_deck(self.program, folder, _DECK, deadline=deadline, stop=self.stop)

    def _check_bounds(self, found: Found) -> None:
        """Turns finite garbage into failures."""
        bounds = output_bounds_v(self.design, np.abs(self.inputs_v).max(axis=0))
        for index, row in list(found.rows.items()):
            for name, volts in self._stages(row[None, :]).items():
                failure = out_of_range(index, name, volts[0], bounds[name])
                if failure is not None:
                    found.failures[index] = failure
                    found.rows.pop(index, None)

    def _numerical_error(self, found: Found) -> NumericalError | None:
        """Solves a few samples again with shorter steps, in reverse order, and compares their outputs."""
        chosen = chosen_samples(sorted(found.rows), self.options)
        if not chosen:
            return None
        again = self._spread(chosen[::-1], self.normal.finer(_TIGHTER), report=False)
        common = [index for index in chosen if index in again.rows]
        if not common:
            self.notes.append("numerical error unknown: the rerun with shorter steps did not converge")
            return None
        difference = self._outputs(found.rows, common) - self._outputs(again.rows, common)
        return NumericalError(tuple(common), float(np.abs(difference).max()), float(np.sqrt(np.mean(difference**2))))

    def _stages(self, table: Array) -> dict[str, Array]:
        """(samples, all periods' nodes) -> every stage's voltages by name."""
        node = {name: i for i, name in enumerate(n for p in self.design.periods for n in self.netlist.probes[p.name])}
        return {name: table[:, [node[n] for n in nodes]] for name, nodes in self.netlist.probes.items()}

    def _solution(self, found: Found, simulate_s: float, numerical_error: NumericalError | None) -> Solution:
        table = np.full((len(self.inputs_v), sum(period.nodes for period in self.design.periods)), np.nan)
        for index, row in found.rows.items():
            table[index] = row
        return Solution(
            engine="ngspice",
            engine_version=self.program.version_text.removeprefix("ngspice-"),
            engine_options={
                "fidelity": self.fidelity,
                **asdict(self.options),
                **asdict(self.normal),
                "reltol": self.normal.reltol,
            },
            samples=len(self.inputs_v),
            failed=tuple(found.failures[index] for index in sorted(found.failures)),
            stage_v=self._stages(table),
            column_v={},
            timing_s={
                "netlist_s": self.netlist_s,
                "load_s": 0.0,
                "simulate_s": simulate_s,
                "per_sample_s": sum(found.analysis_s) / max(len(found.rows), 1),
            },
            notes=tuple(self.notes),
            numerical_error=numerical_error,
            netlist={
                "nodes": self.netlist.nodes,
                "elements": self.netlist.elements,
                "bytes": sum(len(text) for text in self.netlist.files.values()),
            },
        )


def _table(period: OdePeriod, run: Run) -> Array:
    """(samples, 1 + nodes): the time reached and the voltages then; empty when they are not what was asked for."""
    wanted = ["ended", *(f"out{node}" for node in range(1, period.nodes + 1))]
    plots = read_plots(run.folder / RAW_FILE)
    if len(plots) != 1:
        return np.empty((0, len(wanted)))
    place = {name.removeprefix("v(").removesuffix(")"): index for index, name in enumerate(plots[0].vectors)}
    if not set(wanted) <= set(place) or np.iscomplexobj(plots[0].table):
        return np.empty((0, len(wanted)))
    return np.asarray(plots[0].table[:, [place[name] for name in wanted]], dtype=np.float64)


def _unfinished(period: OdePeriod, block: list[int], table: Array) -> FailedSample | None:
    """The first sample that did not get to the period's end, or whose voltages there are no numbers."""
    late = np.abs(table[:, 0] - period.period_s) > _TIME_SLACK * period.period_s
    bad = np.flatnonzero(late | ~np.isfinite(table).all(axis=1))
    if bad.size == 0:
        return None
    seen = f"{period.name} came to {table[bad[0], 0]:.4g} s of {period.period_s:.4g} s with voltages that are no result"
    return FailedSample(block[int(bad[0])], Outcome.DIVERGED, seen)
