"""Networks of filters: each filter's answer to its row's sine is an AC analysis at that frequency."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import final

import numpy as np

from kanspice.base.arrays import Array
from kanspice.base.spice_numbers import spice_number
from kanspice.circuit import FilterBank
from kanspice.engine.acceptance import Volts
from kanspice.engine.netlist.filters import SUBCIRCUITS, amplitude_nodes, bank_file, sine_nodes
from kanspice.engine.ngspice.attempts import doubt_in, is_final, times
from kanspice.engine.ngspice.deck import wrapped
from kanspice.engine.ngspice.process import RAW_FILE
from kanspice.engine.ngspice.simulation import EngineCall
from kanspice.engine.simulators.blocks import BlockProgress, Found
from kanspice.engine.simulators.process import Run
from kanspice.engine.simulators.raw import read_plots
from kanspice.engine.simulators.tones import ToneLayers, split_tone_rows, tone_row_width
from kanspice.engine.solution import FailedSample, Solution

_LARGEST_BLOCK = 256


@final
class FilterTones(EngineCall):
    """Networks of filters; a row is all stages' voltages."""

    @property
    def width(self) -> int:
        return tone_row_width(self.design)

    def split(self, rows: Array) -> Volts:
        return split_tone_rows(self.design, rows)

    def solve(self) -> Solution:
        return ToneLayers(self, self._amplitudes).solve()

    def _amplitudes(self, bank: FilterBank, hz: Array, samples: Sequence[int], *, report: bool) -> Found:
        return self.spread(samples, partial(self._attempt, bank, hz, report), largest=_LARGEST_BLOCK)

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
