"""Networks of filters over time: oscillators, filters, detectors and sums of all layers in one transient per sample."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import final

import numpy as np

from kanspice.base.arrays import Array
from kanspice.base.errors import InputError
from kanspice.base.spice_numbers import spice_number
from kanspice.circuit import Design, Limiter
from kanspice.engine.acceptance import chosen_samples
from kanspice.engine.netlist import CIRCUIT
from kanspice.engine.ngspice.attempts import doubt_in, is_final, times
from kanspice.engine.ngspice.deck import wrapped
from kanspice.engine.ngspice.process import RAW_FILE
from kanspice.engine.ngspice.simulation import EngineCall
from kanspice.engine.simulators.blocks import BlockProgress, Found
from kanspice.engine.simulators.raw import read_plots
from kanspice.engine.simulators.simulation import Task
from kanspice.engine.solution import FailedSample, Solution

_STEPS = 100
"""Per turn of the fastest sine there can be."""
_SETTLED = 0.01
"""Of the outputs' standard deviation, or of a volt: within it an output is where it will be."""
_TIME_SLACK = 1e-9


@final
class FilterTransients(EngineCall):
    """Networks of filters over time; a row is all stages' voltages when the inference is over.

    options.steps: time steps per turn of the fastest sine. The numerical error is measured with twice as many.
    """

    def __init__(self, task: Task) -> None:
        super().__init__(task)
        _check_tones(self.design, self.inputs_v)
        self.steps = task.options.steps or _STEPS
        self.settled_s: dict[int, float] = {}

    def solve(self) -> Solution:
        found = self._spread(range(len(self.inputs_v)), self.steps, report=True)
        self.end_simulating()
        self.refuse_out_of_range(found)
        chosen = chosen_samples(sorted(found.rows), self.options)
        again = self._spread(chosen, 2 * self.steps, report=False)
        error = self.numerical_error(chosen, found, again, "rerun with twice as many time steps")
        if found.rows:
            self.notes.append(self._settling())
        return self.solution(found, error, steps=self.steps)

    def _spread(self, samples: Sequence[int], steps: int, *, report: bool) -> Found:
        return self.spread(samples, partial(self._attempt, steps, report), largest=1)

    def _attempt(
        self, steps: int, report: bool, block: list[int], *, hinted: bool = False
    ) -> tuple[Found, FailedSample | None]:
        (sample,) = block
        end_s, progress = self.design.inference_s, BlockProgress(self.progress if report else None, 1)

        def on_point(time_s: float, simulator_bytes: int) -> None:
            progress.reach(time_s / end_s, simulator_bytes)

        nodes, inputs = self.circuit.nodes, self.circuit.netlist.inputs
        deck = transient_deck(self.design, inputs, self.inputs_v[sample], nodes, steps * (1 + hinted))
        run = self.run(deck, on_point=on_point)
        plots = read_plots(run.folder / RAW_FILE)
        wanted = ["time", *self.circuit.vectors]
        came = len(plots) == 1 and set(wanted) <= set(plots[0].vectors) and len(plots[0].table) > 0
        table = plots[0].table[:, [plots[0].vectors.index(name) for name in wanted]] if came else None
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
        outputs_v = self.outputs(table[:, 1:])
        apart = np.abs(outputs_v - outputs_v[-1]).max(axis=1) > _SETTLED * self.design.stages[-1].output_v_per_unit
        last = np.flatnonzero(apart)
        return float(table[last[-1] + 1, 0]) if last.size else 0.0

    def _settling(self) -> str:
        slowest_s = max(self.settled_s.values(), default=0.0)
        return (
            f"inference takes {self.design.inference_s:.4g} s; the last outputs come within {_SETTLED:g} units of where"
            f" they end after {slowest_s:.4g} s"
        )


def _check_tones(design: Design, inputs_v: Array) -> None:
    """Steps and slots are for tones within the range; inputs that nothing squashes can set others.

    Raises InputError for those.
    """
    first, bank = design.for_tones[0], design.filter_banks[0]
    if not isinstance(first, Limiter) or first.kind != "none":
        return
    controls = (inputs_v[:, : bank.rows] - first.shift_v) / bank.control_v
    beyond = (controls < 0) | (controls > 1)
    if beyond.any():
        sample, row = np.argwhere(beyond)[0].tolist()
        raise InputError(
            "inputs that set tones beyond their range cannot be followed over time",
            where=f"sample {sample}, input {row}",
            expected="0 to 1, less the threshold: this network does not squash its inputs",
            found=f"{controls[sample, row]:.6g}",
            hint="use `--fidelity filter`",
        )


def transient_deck(design: Design, inputs: tuple[str, ...], inputs_v: Array, nodes: Sequence[str], steps: int) -> str:
    """A deck that follows one sample, inputs_v (inputs,), for its whole inference, in even steps."""
    highest_hz = max(bank.highest_hz for bank in design.filter_banks)
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
