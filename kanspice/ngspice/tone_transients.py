"""Networks of filters over time: oscillators, filters, detectors and sums of all layers in one transient per sample."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import asdict
from functools import partial
from itertools import count
from pathlib import Path

import numpy as np
import numpy.typing as npt

from kanspice.design import Design, FilterBank
from kanspice.netlist import CIRCUIT, build_netlist
from kanspice.ngspice.blocks import BlockProgress, Found, NgspiceOptions, Progress, doubt_in, is_final, spread, times
from kanspice.ngspice.deck import wrapped
from kanspice.ngspice.process import RAW_FILE, run_deck
from kanspice.ngspice.program import find_ngspice
from kanspice.ngspice.raw import read_plots
from kanspice.outcomes import Volts, chosen_samples, range_failures
from kanspice.solution import FailedSample, NumericalError, Solution
from kanspice.units import spice_number

Array = npt.NDArray[np.float64]

_DECK = "run.cir"
_STEPS = 100
"""Per turn of the fastest sine there can be."""
_SETTLED = 0.01
"""Of the outputs' standard deviation, or of a volt: within it an output is where it will be."""
_TIME_SLACK = 1e-9


def solve_transients(
    design: Design, inputs_v: Array, options: NgspiceOptions, *, progress: Progress | None, folder: Path
) -> Solution:
    """Voltages of every stage when the inference is over, for inputs (samples, inputs) in volts.

    options.steps: time steps per turn of the fastest sine. The numerical error is measured with twice as many.
    """
    return _Solver(design, inputs_v, options, progress, folder).solve()


class _Solver:
    """One call of `solve_transients`."""

    def __init__(
        self, design: Design, inputs_v: Array, options: NgspiceOptions, progress: Progress | None, folder: Path
    ) -> None:
        self.program = find_ngspice()
        self.design, self.inputs_v, self.options = design, inputs_v, options
        self.progress, self.folder = progress, folder
        self.started = time.monotonic()
        self.netlist = build_netlist(design, "transient")
        self.bytes = self.netlist.write(folder)
        self.netlist_s = time.monotonic() - self.started
        self.run_numbers, self.stop = count(), threading.Event()
        self.steps = options.steps or _STEPS
        self.settled_s: dict[int, float] = {}

    def solve(self) -> Solution:
        samples = range(len(self.inputs_v))
        found = self._spread(samples, self.steps, report=True)
        simulate_s = time.monotonic() - self.started - self.netlist_s
        stage_v = self._split(found.rows)
        for place, failure in range_failures(self.design, np.abs(self.inputs_v).max(axis=0), Volts(stage_v)).items():
            found.failures.setdefault(place, failure)
        for index in found.failures:
            for table in stage_v.values():
                table[index] = np.nan
        return self._solution(found, stage_v, simulate_s, self._numerical_error(found, stage_v))

    def _spread(self, samples: range | list[int], steps: int, *, report: bool) -> Found:
        attempt = partial(self._attempt, steps, report)
        return spread(list(samples), attempt, jobs=self.options.jobs, largest=1, stop=self.stop)

    def _attempt(
        self, steps: int, report: bool, block: list[int], *, hinted: bool = False
    ) -> tuple[Found, FailedSample | None]:
        (sample,) = block
        end_s, progress = self.design.inference_s, BlockProgress(self.progress if report else None, 1)
        folder = self.folder / f"run{next(self.run_numbers)}"
        folder.mkdir()
        nodes = [node for nodes in self.netlist.probes.values() for node in nodes]
        deck = transient_deck(self.design, self.netlist.inputs, self.inputs_v[sample], nodes, steps * (1 + hinted))
        (folder / _DECK).write_text(deck, encoding="ascii")
        deadline = None if self.options.timeout_s is None else self.started + self.options.timeout_s

        def on_point(time_s: float, simulator_bytes: int) -> None:
            progress.reach(time_s / end_s, simulator_bytes)

        run = run_deck(self.program, folder, _DECK, deadline=deadline, stop=self.stop, on_point=on_point)
        plots = read_plots(folder / RAW_FILE)
        names = [f"v({node})" for node in nodes]
        came = len(plots) == 1 and {"time", *names} <= set(plots[0].vectors) and len(plots[0].table) > 0
        table = plots[0].table[:, [plots[0].vectors.index(name) for name in ("time", *names)]] if came else None
        ended = table is not None and table[-1, 0] >= end_s * (1 - _TIME_SLACK) and bool(np.isfinite(table[-1]).all())
        doubt = doubt_in(run, sample, int(ended), 1)
        progress.end(again=not is_final(block, doubt, hinted=hinted))
        found = Found({}, {}, *times(run), peak_bytes=run.peak_bytes)
        if doubt is None and table is not None:
            found.rows = {sample: np.asarray(table[-1, 1:], dtype=np.float64)}
            if report:
                self.settled_s[sample] = self._settled_s(np.asarray(table, dtype=np.float64))
        return found, doubt

    def _settled_s(self, table: Array) -> float:
        """From when on the outputs are within `_SETTLED` volts of where they end; table: time and stages."""
        outputs_v = table[:, -self.design.output_width :]
        apart = np.abs(outputs_v - outputs_v[-1]).max(axis=1) > _SETTLED * self.design.stages[-1].output_v_per_unit
        last = np.flatnonzero(apart)
        return float(table[last[-1] + 1, 0]) if last.size else 0.0

    def _split(self, rows: Mapping[int, Array]) -> dict[str, Array]:
        """Stages (samples, width) from rows of all probes."""
        stage_v, position = {}, 0
        for name, nodes in self.netlist.probes.items():
            table = np.full((len(self.inputs_v), len(nodes)), np.nan)
            for index, row in rows.items():
                table[index] = row[position : position + len(nodes)]
            stage_v[name], position = table, position + len(nodes)
        return stage_v

    def _numerical_error(self, found: Found, stage_v: Mapping[str, Array]) -> NumericalError | None:
        """A few samples again, with twice as many steps."""
        last = self.design.stages[-1].name
        solved = [index for index in range(len(self.inputs_v)) if index not in found.failures]
        chosen = chosen_samples(solved, self.options)
        if not chosen:
            return None
        again_v = self._split(self._spread(chosen, 2 * self.steps, report=False).rows)[last]
        difference = (again_v - stage_v[last])[chosen]
        if not np.isfinite(difference).all():
            return None
        return NumericalError(tuple(chosen), float(np.abs(difference).max()), float(np.sqrt(np.mean(difference**2))))

    def _solution(
        self, found: Found, stage_v: dict[str, Array], simulate_s: float, numerical_error: NumericalError | None
    ) -> Solution:
        solved = len(self.inputs_v) - len(found.failures)
        slowest_s = max(self.settled_s.values(), default=0.0)
        note = (
            f"inference takes {self.design.inference_s:.4g} s; the last outputs come within {_SETTLED:g} units of where"
            f" they end after {slowest_s:.4g} s"
        )
        return Solution(
            engine="ngspice",
            engine_version=self.program.version_text.removeprefix("ngspice-"),
            engine_options={"fidelity": "transient", **asdict(self.options), "steps": self.steps},
            samples=len(self.inputs_v),
            failed=tuple(found.failures[index] for index in sorted(found.failures)),
            stage_v=stage_v,
            column_v={},
            row_a={},
            amplifier_a={},
            timing_s={
                "netlist_s": self.netlist_s,
                "load_s": max(found.load_s, default=0.0),
                "simulate_s": simulate_s,
                "per_sample_s": sum(found.analysis_s) / max(solved, 1),
            },
            notes=(note,) if solved else (),
            numerical_error=numerical_error,
            simulator_peak_bytes=found.peak_bytes or None,
            netlist={"nodes": self.netlist.nodes, "elements": self.netlist.elements, "bytes": self.bytes},
        )


def transient_deck(design: Design, inputs: tuple[str, ...], inputs_v: Array, nodes: list[str], steps: int) -> str:
    """A deck that follows one sample, inputs_v (inputs,), for its whole inference, in even steps."""
    highest_hz = max(bank.highest_hz for bank in design.banks if isinstance(bank, FilterBank))
    step = spice_number(1 / (steps * highest_hz))
    lines = ["* kanspice run", f".include ../{CIRCUIT}"]
    lines += [f"v{node} {node} 0 {spice_number(v)}" for node, v in zip(inputs, inputs_v.tolist(), strict=True)]
    lines += [
        ".options method=trap reltol=1e-6 vntol=1e-9 abstol=1e-15 trtol=1e9 acct",
        *wrapped(".save", [f"v({node})" for node in nodes]),
        f".tran {step} {spice_number(design.inference_s)} 0 {step} uic",
        ".end",
    ]
    return "\n".join(lines) + "\n"
