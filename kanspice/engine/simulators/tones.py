"""Networks of filters, layer by layer: what every filter leaves of its row's sine is asked of a simulator.

What detectors, sums and squashing stages make of amplitudes is computed by their laws, as its stage has them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, assert_never

import numpy as np

from kanspice.base.arrays import Array
from kanspice.circuit import Design, FilterBank, Limiter
from kanspice.circuit.stages.filter_bank import added_v, tones_hz
from kanspice.engine.acceptance import Volts
from kanspice.engine.simulators.blocks import Found
from kanspice.engine.simulators.simulation import SimulatorCall
from kanspice.engine.solution import Solution


def tone_row_width(design: Design) -> int:
    """Of a row: all stages' voltages."""
    return sum(stage.width for stage in design.stages)


def split_tone_rows(design: Design, rows: Array) -> Volts:
    """(samples, width) -> voltages by name."""
    parts = np.split(rows, np.cumsum([stage.width for stage in design.stages])[:-1], axis=1)
    return Volts({stage.name: part for stage, part in zip(design.stages, parts, strict=True)})


class SolveAmplitudes(Protocol):
    """What filters leave of sines at `hz`, (all samples, rows), for some samples.

    A row of what is found is (filters,), volts, in the order of `np.argwhere(gain)`.
    """

    def __call__(self, bank: FilterBank, hz: Array, samples: Sequence[int], *, report: bool) -> Found: ...


class ToneLayers:
    """All layers of a call's circuit, for its samples."""

    def __init__(self, call: SimulatorCall, amplitudes: SolveAmplitudes) -> None:
        self._call, self._amplitudes = call, amplitudes

    def solve(self) -> Solution:
        """A few samples again, in reverse order: the analysis is linear and has no error but rounding."""
        call = self._call
        found = self._follow(range(len(call.inputs_v)), report=True)
        call.end_simulating()
        call.refuse_out_of_range(found)
        chosen = call.farthest_and_others(found)
        again = self._follow(chosen[::-1], report=False)
        return call.solution(found, call.numerical_error(chosen, found, again, "rerun in reverse order"))

    def _follow(self, samples: Sequence[int], *, report: bool) -> Found:
        """Layer by layer: a sample that fails in one is left out of the next."""
        found, volts = Found(), np.full_like(self._call.inputs_v, np.nan)
        volts[list(samples)] = self._call.inputs_v[list(samples)]
        stages_v = []
        for stage in self._call.design.for_tones:
            match stage:
                case Limiter():
                    volts = stage.ideal_v(self._call.design, volts)
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
        part = self._amplitudes(bank, hz, samples, report=report)
        found.add(part)
        amplitude_v = np.full((len(rows_v), *bank.gain.shape), np.nan)
        for index, row in part.rows.items():
            amplitude_v[index] = 0.0
            amplitude_v[index][bank.gain != 0] = row
        return added_v(bank, hz, amplitude_v)
