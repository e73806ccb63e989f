"""Operating points of a chain of stages, for a block of samples."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import assert_never

import numpy as np

from kanspice.base.arrays import Array, Flags, Indices
from kanspice.base.errors import InputError
from kanspice.circuit import (
    Average,
    Crossbar,
    Design,
    DifferentialPairs,
    Drivers,
    FilterBank,
    LayerNorm,
    Limiter,
    Rectifier,
    SynapseBank,
)
from kanspice.circuit.amplifiers import differences_v
from kanspice.circuit.bounds import column_bounds_v
from kanspice.circuit.stages.crossbar import largest_currents
from kanspice.circuit.uniqueness import wires_leave_one_state
from kanspice.devices import Curve
from kanspice.engine.batched.array_devices import HOST, Processor
from kanspice.engine.batched.batch import Batch
from kanspice.engine.batched.columns import Reach, Settled, settle
from kanspice.engine.batched.crosspoints import Crosspoints, LocalCrosspoints, WholeCrosspoints
from kanspice.engine.batched.currents import AT_A_TIME, AtRows, Currents, EveryDevice, LocalCurrents, WholeCurves
from kanspice.engine.batched.linear import LinearCrossbar, Resistances
from kanspice.engine.batched.memory import crossbar_bytes
from kanspice.engine.batched.row_expansions import KnownRows, Rows
from kanspice.engine.batched.states import States
from kanspice.engine.batched.wired import IsLate, Wired, WiredState, joined, never, settle_wires, solved_numbers
from kanspice.engine.fidelity import Fidelity, check_shared
from kanspice.engine.solution import FailedSample, Outcome

_BLOCK_NUMBERS = 2**20
"""Coefficients of curves in a block: 8 MB, and a few times as much for what is made of them."""
_COEFFICIENTS = 8
_LARGEST_BLOCK = 256
_AWAY_V = 1e-3
"""How far from where the search for a state begins at first the one begins that measures its numerical error."""
_WIRED_NUMBERS = 2**18
"""Crosspoints behind wires at a time: 2 MB for each number that is kept of them."""
_SAMPLES_PER_ROWS_SQUARED = 5e-4
"""Resistances are eliminated for at least so many samples: it takes columns times the cube of rows, and a sample's
steps some dozens of times columns times rows."""


@dataclass(frozen=True)
class _Pass:
    """One time through the stages: what is found, by which curves, and when to stop."""

    found: Batch
    is_first: bool
    """Not the check of the numerical error."""
    away_v: float
    whole_curves: bool
    processor: Processor
    is_late: IsLate


class StageChain:
    """A design's stages, ready for blocks of samples."""

    def __init__(
        self,
        design: Design,
        fidelity: Fidelity,
        known: KnownRows | None = None,
        *,
        row_currents: bool = True,
        prove_states: bool = True,
        processor: Processor = HOST,
        samples: int | None = None,
    ) -> None:
        """known: rows that other circuits with the same inputs have too; nothing is kept if None.

        samples: how many there will be in all, for what is done once for all of them; any number if None.
        row_currents: find what rows take too. prove_states: look for other states behind wires. processor: for
        crossbars; the rest takes next to no time.
        """
        if fidelity == "transient":
            hint = "a circuit of --fidelity behavioural, or --engine ngspice"
            raise InputError("filters over time are ngspice's alone", where="--fidelity", found=fidelity, hint=hint)
        self.design, self.fidelity, self.known, self.row_currents = design, fidelity, known, row_currents
        self.prove_states, self.processor, self.samples = prove_states, processor, samples
        for crossbar in design.crossbars if fidelity == "shared" else ():
            check_shared(crossbar)
        self.curves = tuple(device.curve.stretched(design.input_v_per_unit) for device in design.devices)
        columns_v, largest = column_bounds_v(design), largest_currents(design.devices)
        self.reach = {
            crossbar.name: Reach(columns_v[crossbar.name], crossbar.largest_column_currents_a(largest))
            for crossbar in design.crossbars
        }
        self.area = {c.name: _of_types(c, c.column_area) for c in design.crossbars}
        self.linear: dict[str, LinearCrossbar] = {}
        self.one_state: dict[str, bool] = {}
        """Crossbar with wires -> whether it certainly has one state, whatever its rows are driven with."""
        self.used = HOST

    @property
    def block(self) -> int:
        """How many samples are solved at a time."""
        if self.processor.numbers is not None:
            largest = max(2 * crossbar.rows * crossbar.width for crossbar in self.design.crossbars)
            return max(1, self.processor.numbers // largest)
        widest = max((self._numbers(crossbar) for crossbar in self.design.crossbars), default=1)
        return max(1, min(_LARGEST_BLOCK, _BLOCK_NUMBERS // (_COEFFICIENTS * widest)))

    def _numbers(self, crossbar: Crossbar) -> int:
        """How many polynomials a sample needs."""
        return crossbar.rows * len(crossbar.types) + 2 * crossbar.width

    def _curves(self, crossbar: Crossbar) -> tuple[Curve, ...]:
        """Of the device types that it has."""
        return tuple(self.curves[place] for place in crossbar.types)

    def bytes(self, samples: int) -> int:
        """What solving so many samples at a time takes, at most: one crossbar after the other."""
        needed = [0]
        for crossbar in self.design.crossbars:
            size = {
                "at_a_time": self.processor.numbers or (_WIRED_NUMBERS if crossbar.has_wires else AT_A_TIME),
                "solved_at_a_time": solved_numbers(self.processor),
            }
            reach_v = float(self.reach[crossbar.name].largest_v.max())
            needed.append(crossbar_bytes(crossbar, self._curves(crossbar), reach_v, samples, **size))
        return max(needed)

    @property
    def facts(self) -> Mapping[str, object]:
        """What computed; nothing to choose, since what is left is rounding."""
        return {"device": self.used.name}

    def solve(
        self, inputs_v: Array, _late_s: Array, /, *, tighter: bool = False, deadline: float | None = None
    ) -> Batch:
        """Voltages for inputs (samples, inputs) in volts, whenever they are taken.

        tighter: from another start, and the other of two ways that share nothing: curves evaluated in every device, as
        on a GPU, and curves as seen from their rows, the faster one here; shifted devices know the first alone.
        deadline: for crossbars with wires; blocks without them are too short for one.
        """
        found, (volts, *noises_v) = Batch(), self._driven(inputs_v)
        whole_curves = tighter if self.processor is HOST else not tighter
        processor = HOST if tighter else self.processor
        is_late = partial(_is_past, deadline)
        now = _Pass(found, not tighter, _AWAY_V if tighter else 0.0, whole_curves, processor, is_late)
        for stage in self.design.to_operating_point:
            match stage:
                case Crossbar():
                    volts = self._crossbar(stage, volts, now)
                case Limiter() | Rectifier() | DifferentialPairs() | Drivers() | LayerNorm() | FilterBank() | Average():
                    volts = stage.ideal_v(self.design, volts)
                case SynapseBank():
                    volts = stage.ideal_v(self.design, volts)
                    if stage.is_noisy:
                        volts = volts + noises_v.pop(0)
                case _:
                    assert_never(stage)
            found.stage_v[stage.name] = volts
        return found

    def currents(self, crossbar: Crossbar, rows_v: Array, *, every_device: bool = False) -> Currents:
        """Into the columns of a crossbar without wires, also where these are at 0 V: what they do once they move.

        every_device: from each by itself, and of all types, also those that the crossbar has none of.
        """
        if every_device:
            return WholeCurves(rows_v, self.curves, crossbar.column_area, np.repeat(crossbar.shift_v, 2, axis=1))
        return self._currents(crossbar, rows_v, _Pass(Batch(), False, 0.0, False, self.processor, lambda: False))

    def _driven(self, inputs_v: Array) -> list[Array]:
        """The inputs, and the noise of each noisy bank."""
        ends = np.cumsum([self.design.input_width, *(bank.width for bank in self.design.noisy_banks)])
        return np.split(inputs_v, ends[:-1], axis=1)

    def _crossbar(self, crossbar: Crossbar, rows_v: Array, now: _Pass) -> Array:
        found = now.found
        settled: Settled
        linear = self._linear(crossbar, rows_v) if now.is_first else None
        if linear is None and now.is_first:
            self.used = now.processor
        if linear is not None:
            settled = linear.settle(rows_v)
        elif crossbar.has_wires:
            settled = self._settle_wires(crossbar, rows_v, now)
        else:
            currents = self._currents(crossbar, rows_v, now)
            settled = settle(crossbar, currents, len(rows_v), self.reach[crossbar.name], now.away_v)
            if self.row_currents:
                rows_a = currents.from_rows(settled.columns_v) * crossbar.current_unit_a
                settled = replace(settled, rows_a=rows_a)
        for place in np.flatnonzero(~settled.converged).tolist():
            outcome = Outcome.TIMED_OUT if now.is_late() else Outcome.DIVERGED
            found.failures.setdefault(place, FailedSample(place, outcome, f"{crossbar.name} {_seen(settled, place)}"))
        known = settled.residual_a[settled.converged]
        found.residual_a = max(found.residual_a, float(known.max(initial=0.0)))
        found.column_v[crossbar.name] = settled.columns_v
        if settled.rows_a is not None:
            found.row_a[crossbar.name] = settled.rows_a
        found.amplifier_v[crossbar.name] = settled.amplifiers_v
        found.amplifier_a[crossbar.name] = settled.drawn_a
        return differences_v(crossbar, settled.amplifiers_v)

    def _linear(self, crossbar: Crossbar, rows_v: Array) -> LinearCrossbar | None:
        """Where all that is behind wires is resistances, as far as they go: eliminated once, for all samples."""
        if not crossbar.has_wires or math.isfinite(crossbar.swing_v):
            return None
        if self.samples is not None and self.samples < _SAMPLES_PER_ROWS_SQUARED * crossbar.rows**2:
            return None
        area_a = self.area[crossbar.name] * crossbar.current_unit_a
        parts = Resistances.of(self._curves(crossbar), area_a, _shifts_by_column(crossbar))
        farthest_v = max(np.abs(rows_v).max(initial=0.0), self.reach[crossbar.name].largest_v.max())
        if parts is None or farthest_v > parts.reach_v:
            return None
        if crossbar.name not in self.linear:
            self.linear[crossbar.name] = LinearCrossbar.of(crossbar, parts)
        return self.linear[crossbar.name]

    def _settle_wires(self, crossbar: Crossbar, rows_v: Array, now: _Pass) -> Wired:
        """A few samples at a time, so that what is known of their crosspoints stays in the processor's cache."""
        parts = _parts(crossbar, rows_v, now.processor)
        return joined([self._settle_few(crossbar, part, now, first) for first, part in parts])

    def wired_states(self, crossbar: Crossbar, rows_v: Array) -> Iterator[WiredState]:
        """The states of a crossbar with wires that `solve` finds for rows (samples, rows), volts, found again.

        Some samples at a time, since what every crosspoint loses is much.
        """
        whole_curves = self.processor is not HOST
        now = _Pass(Batch(), True, 0.0, whole_curves, self.processor, never)
        for _, part in _parts(crossbar, rows_v, self.processor):
            crosspoints, _, settled, lost = self._found(crossbar, part, now)
            yield WiredState(crossbar, part, crosspoints, settled, lost, self.curves, self.design.input_v_per_unit)

    def _settle_few(self, crossbar: Crossbar, rows_v: Array, now: _Pass, first: int) -> Wired:
        """Where several states are possible, they are tested."""
        _, states, settled, lost = self._found(crossbar, rows_v, now)
        if now.is_first and self.prove_states:
            certain = self._has_one_state(crossbar, rows_v)
            doubtful = np.flatnonzero(settled.converged & ~certain)
            self._judge(states, rows_v[doubtful], lost[doubtful], first + doubtful, now.found)
        return settled

    def _found(self, crossbar: Crossbar, rows_v: Array, now: _Pass) -> tuple[Crosspoints, States, Wired, Array]:
        """How a few samples settle, and what crosspoints lose; where no state is found, inputs are swept to it."""
        crosspoints = self._crosspoints(crossbar, now, rows_v)
        start = np.full((len(rows_v), crossbar.rows, 2 * crossbar.width), now.away_v)
        settled, lost = settle_wires(crossbar, crosspoints, rows_v, start, is_late=now.is_late)
        highest_v = max(curve.hi_v for curve in self._curves(crossbar))
        states = States(crossbar, partial(self._crosspoints, crossbar, now), highest_v, now.is_late)
        missing = np.flatnonzero(~settled.converged)
        if missing.size:
            for sweep in (states.swept_down, states.swept_up):
                arrived, ends = sweep(rows_v[missing])
                lost[missing[arrived]] = ends[arrived]
            grown = settled.grown
            settled, lost = settle_wires(crossbar, crosspoints, rows_v, lost, patient=False, is_late=now.is_late)
            settled = replace(settled, grown=np.maximum(grown, settled.grown))
        return crosspoints, states, settled, lost

    def _has_one_state(self, crossbar: Crossbar, rows_v: Array) -> Flags:
        """(samples,) where that is certain."""
        if crossbar.name not in self.one_state:
            self.one_state[crossbar.name] = bool(wires_leave_one_state(self.design, crossbar).all())
        if self.one_state[crossbar.name]:
            return np.ones(len(rows_v), dtype=bool)
        return wires_leave_one_state(self.design, crossbar, rows_v)

    def _judge(self, states: States, rows_v: Array, lost: Array, places: Indices, found: Batch) -> None:
        """What speaks against states, at these places, of which nothing proves that they are the only ones."""
        name = states.crossbar.name
        for place, verdict in zip(places.tolist(), states.verdicts(rows_v, lost), strict=True):
            if verdict.against:
                failure = FailedSample(place, Outcome.MULTISTABLE, f"{name} {verdict.against}")
                found.failures.setdefault(place, failure)
            else:
                found.unproven.setdefault((name, verdict.tested), []).append(place)

    def _crosspoints(self, crossbar: Crossbar, now: _Pass, rows_v: Array) -> Crosspoints:
        area = self.area[crossbar.name] * crossbar.current_unit_a
        if now.whole_curves:
            return WholeCrosspoints(rows_v, self._curves(crossbar), area, _shifts_by_column(crossbar), now.processor)
        return LocalCrosspoints(self._rows(crossbar, rows_v), area, _shifts_by_column(crossbar))

    def _currents(self, crossbar: Crossbar, rows_v: Array, now: _Pass) -> Currents:
        area, shift_v, curves = self.area[crossbar.name], _shifts_by_column(crossbar), self._curves(crossbar)
        if self.fidelity == "shared" or (crossbar.sees_rows_only and now.is_first):
            return AtRows(rows_v, curves, area, now.processor)
        if now.processor is not HOST:
            return EveryDevice(rows_v, curves, area, shift_v, now.processor)
        if now.whole_curves or crossbar.shift_v.any():
            return WholeCurves(rows_v, curves, area, shift_v)
        return LocalCurrents(self._rows(crossbar, rows_v), area)

    def _rows(self, crossbar: Crossbar, rows_v: Array) -> Rows:
        """Other circuits can have the same rows only where no crossbar is before them."""
        if self.known is not None and crossbar is self.design.crossbars[0]:
            return self.known.at(rows_v, self._curves(crossbar))
        return Rows.at(rows_v, self._curves(crossbar))


def _parts(crossbar: Crossbar, rows_v: Array, processor: Processor) -> Iterator[tuple[int, Array]]:
    """Rows of a crossbar with wires, as many samples as are solved together at most, and the first of them."""
    size = max(1, (processor.numbers or _WIRED_NUMBERS) // (2 * crossbar.rows * crossbar.width))
    for first in range(0, len(rows_v), size):
        yield first, rows_v[first : first + size]


def _is_past(deadline: float | None) -> bool:
    """deadline: of `time.monotonic`."""
    return deadline is not None and time.monotonic() > deadline


def _seen(settled: Settled, place: int) -> str:
    """Of a sample that did not converge: how far it is from a state, and what would have one."""
    left_a = settled.residual_a[place]
    left = f"leaves {left_a:.4g} A unbalanced" if np.isfinite(left_a) else "has no state that was found"
    if not isinstance(settled, Wired):
        return left
    return f"{left}; a state was found with {100 * settled.grown[place]:.2g} % of all resistances"


def _shifts_by_column(crossbar: Crossbar) -> Array:
    """(rows, 2 * pairs, devices), volts, of the device types that it has."""
    return np.repeat(_of_types(crossbar, crossbar.shift_v), 2, axis=1)


def _of_types(crossbar: Crossbar, values: Array) -> Array:
    """Of values (rows, ..., devices) those of the device types that it has."""
    return values if len(crossbar.types) == values.shape[2] else np.ascontiguousarray(values[:, :, crossbar.types])
