"""Networks of filters in VACASK: an AC analysis for every sample, at the frequencies of all rows."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import final

import numpy as np

from kanspice.base.arrays import Array
from kanspice.circuit import Design, FilterBank
from kanspice.engine.acceptance import Volts
from kanspice.engine.netlist import Netlist
from kanspice.engine.netlist.names import amplitude_node, layer_of, sine_node
from kanspice.engine.netlist.netlist import whole
from kanspice.engine.simulators.blocks import BlockProgress, Found, solve_blocks
from kanspice.engine.simulators.raw import Plot
from kanspice.engine.simulators.simulation import Task
from kanspice.engine.simulators.tones import ToneLayers, split_tone_rows, tone_row_width
from kanspice.engine.solution import Solution
from kanspice.engine.vacask.call import VacaskCall
from kanspice.engine.vacask.connections import band_pass_lines
from kanspice.engine.vacask.deck import saved_lines
from kanspice.engine.vacask.elements import GROUND, element, model_lines
from kanspice.engine.vacask.emit import ELEMENT_BYTES, PROGRAM_BYTES, SECONDS_PER_ELEMENT
from kanspice.engine.vacask.results import believed
from kanspice.engine.vacask.verilog import number

_LARGEST_BLOCK = 200
"""Samples per process: each has a file of its own."""


@final
class FilterCall(VacaskCall):
    """One network of filters; a row is all stages' voltages."""

    def __init__(self, task: Task) -> None:
        super().__init__(task, lambda: (filter_circuit(task.design), []))

    @property
    def width(self) -> int:
        return tone_row_width(self.design)

    def split(self, rows: Array) -> Volts:
        return split_tone_rows(self.design, rows)

    def solve(self) -> Solution:
        return ToneLayers(self, self._amplitudes).solve()

    def _amplitudes(self, bank: FilterBank, hz: Array, samples: Sequence[int], *, report: bool) -> Found:
        attempt = partial(self._attempt, bank, hz, report)
        return solve_blocks(samples, attempt, jobs=self.options.jobs, largest=_LARGEST_BLOCK, stop=self.stop)

    def _attempt(self, bank: FilterBank, hz: Array, report: bool, block: list[int]) -> Found:
        """One process for a block."""
        banks = len(self.design.filter_banks)
        progress = BlockProgress(self.progress if report else None, len(block) / banks)
        run = self.run(
            tones_deck(bank, self.loaded, hz[block]), lambda ended, held: progress.reach(ended / banks, held)
        )
        progress.end(again=False)
        rows, failures = believed(run, block, lambda sample, plot: _amplitudes(bank, plot, hz[sample]))
        return Found(rows, failures, [], [run.wall_s], run.peak_bytes)


def filter_circuit(design: Design) -> Netlist:
    """The filters of every bank, a file each, between the sines of their rows and what their detectors see."""
    banks = design.filter_banks
    models = list(model_lines(["vsource", "kan_band_pass", "kan_band_pass_real"]))
    lines = {bank.name: [*models, *band_pass_lines(bank)] for bank in banks}
    inputs = tuple(node for bank in banks for node in _sines(bank))
    elements = sum(map(len, lines.values()))
    return Netlist(
        fidelity="filter",
        files={_file(bank): whole("\n".join([*lines[bank.name], ""])) for bank in banks},
        inputs=inputs,
        probes={bank.name: _detected(bank) for bank in banks},
        columns={},
        amplifiers={},
        reach_v={},
        nodes=len(inputs) + sum(bank.device_count for bank in banks),
        elements=elements,
        simulator_bytes=PROGRAM_BYTES + ELEMENT_BYTES * elements,
        first_s=SECONDS_PER_ELEMENT * elements,
    )


def tones_deck(bank: FilterBank, loaded: Sequence[str], hz: Array) -> str:
    """A deck that analyses a bank at all rows' frequencies, (samples, rows): analysis `p<sample>` has a point for every
    row, in their order."""
    lines = ["kanspice", "ground 0", *(f'load "../{name}"' for name in loaded), f'include "../{_file(bank)}"']
    sine = number(bank.sine_v)
    lines += [f"{element(f'v{node}', (node, GROUND), 'vsource', dc=0.0)} mag={sine}" for node in _sines(bank)]
    lines += ["control", "  abort except analysis", '  options rawfile="binary" strictoutput=0']
    lines += saved_lines([f"v({node})" for node in _detected(bank)])
    for sample, tones in enumerate(hz.tolist()):
        lines.append(f"  analysis p{sample} ac values=[{', '.join(map(number, tones))}]")
    return "\n".join([*lines, "endc", ""])


def _file(bank: FilterBank) -> str:
    return f"{layer_of(bank.name)}_filters.inc"


def _sines(bank: FilterBank) -> list[str]:
    return [sine_node(layer_of(bank.name), row) for row in range(bank.rows)]


def _detected(bank: FilterBank) -> tuple[str, ...]:
    """The filters' outputs, in the order of `np.argwhere(gain)`."""
    return tuple(amplitude_node(layer_of(bank.name), *place) for place in np.argwhere(bank.gain).tolist())


def _amplitudes(bank: FilterBank, plot: Plot, hz: Array) -> Array | None:
    """(filters,) of a plot that has a point at every row's frequency."""
    names = ["frequency", *(f"v({node})" for node in _detected(bank))]
    if not set(names) <= set(plot.vectors) or len(plot.table) != bank.rows:
        return None
    frequency, *filters = (plot.vectors.index(name) for name in names)
    if not np.array_equal(plot.table[:, frequency].real, hz):
        return None
    rows = np.argwhere(bank.gain)[:, 0]
    return np.asarray(np.abs(plot.table[rows, filters]))
