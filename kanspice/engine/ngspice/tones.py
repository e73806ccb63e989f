"""Networks of filters, layer by layer: each filter's answer to its row's sine is an AC analysis at that frequency.

What detectors, sums and squashing stages make of amplitudes is computed by their laws, as its stage has them.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import assert_never, final

import numpy as np

from kanspice.base.arrays import Array
from kanspice.base.spice_numbers import spice_number
from kanspice.circuit import (
    FilterBank,
    Limiter,
)
from kanspice.circuit.stages.filter_bank import added_v, tones_hz
from kanspice.engine.acceptance import Volts
from kanspice.engine.netlist.filters import SUBCIRCUITS, amplitude_nodes, bank_file, sine_nodes
from kanspice.engine.ngspice.attempts import doubt_in, is_final, times
from kanspice.engine.ngspice.deck import wrapped
from kanspice.engine.ngspice.process import RAW_FILE
from kanspice.engine.ngspice.simulation import EngineCall
from kanspice.engine.simulators.blocks import BlockProgress, Found
from kanspice.engine.simulators.process import Run
from kanspice.engine.simulators.raw import read_plots
from kanspice.engine.solution import FailedSample, Solution

_LARGEST_BLOCK = 256


@final
class FilterTones(EngineCall):
    """Networks of filters; a row is all stages' voltages."""

    @property
    def width(self) -> int:
        return sum(stage.width for stage in self.design.stages)

    def split(self, rows: Array) -> Volts:
        parts = np.split(rows, np.cumsum([stage.width for stage in self.design.stages])[:-1], axis=1)
        return Volts({stage.name: part for stage, part in zip(self.design.stages, parts, strict=True)})

    def solve(self) -> Solution:
        """A few samples again, in reverse order: the analysis is linear and has no error but rounding."""
        found = self._follow(range(len(self.inputs_v)), report=True)
        self.end_simulating()
        self.refuse_out_of_range(found)
        chosen = self.farthest_and_others(found)
        again = self._follow(chosen[::-1], report=False)
        return self.solution(found, self.numerical_error(chosen, found, again, "rerun in reverse order"))

    def _follow(self, samples: Sequence[int], *, report: bool) -> Found:
        """Layer by layer: a sample that fails in one is left out of the next."""
        found, volts = Found(), np.full_like(self.inputs_v, np.nan)
        volts[list(samples)] = self.inputs_v[list(samples)]
        stages_v = []
        for stage in self.design.for_tones:
            match stage:
                case Limiter():
                    volts = stage.ideal_v(self.design, volts)
                case FilterBank():
                    alive = [index for index in samples if index not in found.failures]
                    volts = self._bank(stage, volts, alive, found, report)
                case _:
                    assert_never(stage)
            stages_v.append(volts)
        rows = np.concatenate(stages_v, axis=1)
        found.rows = {index: rows[index] for index in samples if index not in found.failures}
        return found

    def _bank(self, bank: FilterBank, rows_v: Array, samples: Sequence[int], found: Found, report: bool) -> Array:
        hz = tones_hz(bank, rows_v)
        if not bank.device_count:
            return added_v(bank, hz, np.zeros((len(rows_v), *bank.gain.shape)))
        part = self.spread(samples, partial(self._attempt, bank, hz, report), largest=_LARGEST_BLOCK)
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
        run = self.run(tones_deck(bank, hz[block]))
        table = _amplitudes(bank, run, hz[block])
        doubt = doubt_in(run, block[0], len(table), len(block))
        progress.end(again=not is_final(block, doubt, hinted=hinted))
        found = Found({}, {}, *times(run), peak_bytes=run.peak_bytes)
        if doubt is None:
            found.rows = {index: row for index, row in zip(block, table, strict=True) if np.isfinite(row).all()}
        return found, doubt


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
