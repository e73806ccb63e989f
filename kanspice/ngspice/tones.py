"""Networks of filters, layer by layer: each filter's answer to its row's sine is an AC analysis at that frequency.

What detectors, sums and squashing stages make of amplitudes is computed by their laws, as `design.filters` has them.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import partial
from itertools import count
from pathlib import Path

import numpy as np
import numpy.typing as npt

from kanspice.design import Design, FilterBank, Limiter
from kanspice.design.filters import added_v, tones_hz
from kanspice.design.ideal import limited_v
from kanspice.netlist import build_netlist
from kanspice.netlist.filters import SUBCIRCUITS, amplitude_nodes, bank_file, sine_nodes
from kanspice.ngspice.blocks import BlockProgress, Found, NgspiceOptions, Progress, doubt_in, is_final, spread, times
from kanspice.ngspice.deck import wrapped
from kanspice.ngspice.process import RAW_FILE, Run, run_deck
from kanspice.ngspice.program import find_ngspice
from kanspice.ngspice.raw import read_plots
from kanspice.outcomes import Volts, chosen_samples, range_failures
from kanspice.solution import FailedSample, NumericalError, Solution
from kanspice.units import spice_number

Array = npt.NDArray[np.float64]

_DECK = "run.cir"
_LARGEST_BLOCK = 256


def solve_filters(
    design: Design,
    inputs_v: Array,
    options: NgspiceOptions,
    *,
    hints: Mapping[str, Array],
    progress: Progress | None,
    folder: Path,
) -> Solution:
    """Voltages of every stage for inputs (samples, inputs) in volts; failed samples are values in the result."""
    return _Solver(design, inputs_v, options, hints=hints, progress=progress, folder=folder).solve()


class _Solver:
    """One call of `solve_filters`."""

    def __init__(
        self,
        design: Design,
        inputs_v: Array,
        options: NgspiceOptions,
        *,
        hints: Mapping[str, Array],
        progress: Progress | None,
        folder: Path,
    ) -> None:
        self.program = find_ngspice()
        self.design, self.inputs_v, self.options, self.hints = design, inputs_v, options, hints
        self.progress, self.folder = progress, folder
        self.started = time.monotonic()
        self.netlist = build_netlist(design, "filter")
        self.bytes = self.netlist.write(folder)
        self.netlist_s = time.monotonic() - self.started
        self.run_numbers, self.stop = count(), threading.Event()

    def solve(self) -> Solution:
        found, stage_v = self._follow(range(len(self.inputs_v)), report=True)
        simulate_s = time.monotonic() - self.started - self.netlist_s
        for place, failure in range_failures(self.design, np.abs(self.inputs_v).max(axis=0), Volts(stage_v)).items():
            found.failures.setdefault(place, failure)
        for index in found.failures:
            for table in stage_v.values():
                table[index] = np.nan
        return self._solution(found, stage_v, simulate_s, self._numerical_error(found, stage_v))

    def _follow(self, samples: Sequence[int], *, report: bool) -> tuple[Found, dict[str, Array]]:
        """Stages (all samples, width), NaN where a sample is not among these or has failed, and what the runs said."""
        found, volts = Found(), np.full_like(self.inputs_v, np.nan)
        volts[list(samples)] = self.inputs_v[list(samples)]
        stage_v: dict[str, Array] = {}
        for stage in self.design.stages:
            if isinstance(stage, Limiter):
                volts = limited_v(stage, volts)
            elif isinstance(stage, FilterBank):
                alive = [index for index in samples if index not in found.failures]
                volts = self._bank(stage, volts, alive, found, report)
            stage_v[stage.name] = volts
        return found, stage_v

    def _bank(self, bank: FilterBank, rows_v: Array, samples: Sequence[int], found: Found, report: bool) -> Array:
        hz = tones_hz(bank, rows_v)
        if not bank.connections:
            return added_v(bank, hz, np.zeros((len(rows_v), *bank.gain.shape)))
        attempt = partial(self._attempt, bank, hz, report)
        part = spread(samples, attempt, jobs=self.options.jobs, largest=_LARGEST_BLOCK, stop=self.stop)
        found.add(part)
        amplitude_v = np.full((len(rows_v), *bank.gain.shape), np.nan)
        for index, row in part.rows.items():
            amplitude_v[index] = 0.0
            amplitude_v[index][bank.gain != 0] = row
        return added_v(bank, hz, amplitude_v)

    def _attempt(
        self, bank: FilterBank, hz: Array, report: bool, block: list[int], *, hinted: bool = False
    ) -> tuple[Found, FailedSample | None]:
        """One process for a block: an analysis for every sample and row."""
        banks = len(self.design.banks)
        progress = BlockProgress(self.progress if report else None, len(block) / banks)
        run = self._run(bank, hz[block])
        table = _amplitudes(bank, run, hz[block])
        doubt = doubt_in(run, block[0], len(table), len(block))
        progress.end(again=not is_final(block, doubt, hinted=hinted))
        found = Found({}, {}, *times(run), peak_bytes=run.peak_bytes)
        if doubt is None:
            found.rows = {index: row for index, row in zip(block, table, strict=True) if np.isfinite(row).all()}
        return found, doubt

    def _run(self, bank: FilterBank, hz: Array) -> Run:
        folder = self.folder / f"run{next(self.run_numbers)}"
        folder.mkdir()
        (folder / _DECK).write_text(tones_deck(bank, hz), encoding="ascii")
        deadline = None if self.options.timeout_s is None else self.started + self.options.timeout_s
        return run_deck(self.program, folder, _DECK, deadline=deadline, stop=self.stop)

    def _numerical_error(self, found: Found, stage_v: Mapping[str, Array]) -> NumericalError | None:
        """A few samples again, in reverse order. The analysis is linear: it has no error but rounding."""
        last = self.design.stages[-1]
        solved = [index for index in range(len(self.inputs_v)) if index not in found.failures]
        errors_v = None
        if last.compares_to in self.hints:
            expected_v = self.hints[last.compares_to][solved] * last.output_v_per_unit
            errors_v = np.abs(stage_v[last.name][solved] - expected_v).max(axis=1)
        chosen = chosen_samples(solved, self.options, errors_v)
        if not chosen:
            return None
        _, again_v = self._follow(chosen[::-1], report=False)
        difference = (again_v[last.name] - stage_v[last.name])[chosen]
        if not np.isfinite(difference).all():
            return None
        return NumericalError(tuple(chosen), float(np.abs(difference).max()), float(np.sqrt(np.mean(difference**2))))

    def _solution(
        self, found: Found, stage_v: dict[str, Array], simulate_s: float, numerical_error: NumericalError | None
    ) -> Solution:
        samples = len(self.inputs_v)
        return Solution(
            engine="ngspice",
            engine_version=self.program.version_text.removeprefix("ngspice-"),
            engine_options={"fidelity": "filter", **asdict(self.options)},
            samples=samples,
            failed=tuple(found.failures[index] for index in sorted(found.failures)),
            stage_v=stage_v,
            column_v={},
            row_a={},
            amplifier_a={},
            timing_s={
                "netlist_s": self.netlist_s,
                "load_s": max(found.load_s, default=0.0),
                "simulate_s": simulate_s,
                "per_sample_s": sum(found.analysis_s) / max(samples - len(found.failures), 1),
            },
            numerical_error=numerical_error,
            simulator_peak_bytes=found.peak_bytes or None,
            netlist={"nodes": self.netlist.nodes, "elements": self.netlist.elements, "bytes": self.bytes},
        )


def tones_deck(bank: FilterBank, hz: Array) -> str:
    """A deck that analyses a bank at every row's frequency of every sample, (samples, rows), one plot for each."""
    lines = ["* kanspice run", f".include ../{SUBCIRCUITS}", f".include ../{bank_file(bank)}"]
    lines += [f"v{node} {node} 0 dc 0 ac {spice_number(bank.sine_v)}" for node in sine_nodes(bank)]
    lines += [".options acct", *wrapped(".save", [f"v({node})" for node in amplitude_nodes(bank)])]
    lines += [".control", "set appendwrite"]
    for frequency in hz.ravel().tolist():
        text = spice_number(frequency)
        lines += [f"ac lin 1 {text} {text}", f"write {RAW_FILE}", "destroy"]
    return "\n".join([*lines, "rusage", "quit", ".endc", ".end"]) + "\n"


def _amplitudes(bank: FilterBank, run: Run, hz: Array) -> Array:
    """(samples, filters) of those samples of which every row's plot is there, from the first on."""
    places = np.argwhere(bank.gain)
    names = [f"v({node})" for node in amplitude_nodes(bank)]
    plots = read_plots(run.folder / RAW_FILE)
    whole = len(plots) // bank.rows
    table = np.empty((whole, len(places)))
    for sample in range(whole):
        for row in range(bank.rows):
            plot = plots[sample * bank.rows + row]
            own = [index for index in range(len(places)) if places[index, 0] == row]
            if len(plot.table) != 1 or not {names[index] for index in own} <= set(plot.vectors):
                return table[:sample]
            position = {name: index for index, name in enumerate(plot.vectors)}
            table[sample, own] = np.abs(plot.table[0, [position[names[index]] for index in own]])
    return table
