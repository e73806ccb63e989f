"""A chain of crossbars over time, for many samples at once: each stage follows the waveforms of the one before.

Input stages drive rows ideally and load nothing, so that no stage acts back on an earlier one, and each can take the
steps that its own motion asks for. Every sample begins at rest, in the operating point of the sample before it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import assert_never

import numpy as np

from kanspice.base.arrays import Array, Indices
from kanspice.base.errors import InputError
from kanspice.circuit import (
    Crossbar,
    Design,
    DifferentialPairs,
    Drivers,
    InputStage,
    LayerNorm,
    Limiter,
    Rectifier,
)
from kanspice.circuit.amplifiers import differences_v
from kanspice.engine.batched.batch import blocks
from kanspice.engine.batched.crossbar_dae import CrossbarDae, Demand
from kanspice.engine.batched.implicit import Span, StepRecord, Waves, follow
from kanspice.engine.sequence import Course, Pace
from kanspice.engine.solution import FailedSample, Outcome

_BLOCK_NUMBERS = 2**15
"""Devices of the largest crossbar, times samples, that are followed together."""

_PARTS = np.linspace(0, 1, 5)
"""Of a step, where its cubic is read: straight lines between them are as good as the cubic."""


@dataclass(frozen=True)
class Rest:
    """Operating points, by crossbar: columns_v and drawn_a, what amplifiers take from them, (samples, columns)."""

    columns_v: dict[str, Array]
    drawn_a: dict[str, Array]


def courses(
    design: Design,
    inputs_v: Array,
    rest: Rest,
    pace: Pace,
    error: float,
    *,
    which: Sequence[int] | None = None,
    timeout_s: float | None = None,
    told: Callable[[int], None] | None = None,
) -> Iterator[Course]:
    """One per sample, in order, or of those that are wanted. error: of a step, in volts per unit.

    told: of how many samples have been followed together, as soon as they have.
    Raises InputError for a crossbar whose outputs follow the slopes of its inputs.
    """
    following = _Following(design, pace, error, None if timeout_s is None else time.monotonic() + timeout_s)
    samples = len(inputs_v)
    for block in blocks(range(samples) if which is None else which, following.block):
        before = (np.asarray(block) - 1) % samples
        for place, course in enumerate(following.courses(block, inputs_v[before], inputs_v[block], rest, before)):
            if place == 0 and told is not None:
                told(len(block))
            yield course


class _Following:
    def __init__(self, design: Design, pace: Pace, error: float, deadline: float | None) -> None:
        self.design, self.pace, self.error, self.deadline = design, pace, error, deadline
        self.curves = tuple(device.curve.stretched(design.input_v_per_unit) for device in design.devices)
        for crossbar in design.crossbars:
            check_followed(crossbar)

    @property
    def block(self) -> int:
        """How many samples are followed at a time."""
        widest = max(2 * crossbar.rows * crossbar.width for crossbar in self.design.crossbars)
        return max(1, _BLOCK_NUMBERS // widest)

    def courses(self, block: list[int], from_v: Array, to_v: Array, rest: Rest, before: Indices) -> Iterator[Course]:
        """Of a block of samples, from the operating points of others."""
        waves, rows, followed = self._inputs(from_v, to_v), {}, {}
        transforms: dict[str, Waves] = {}
        for stage in self.design.chain:
            match stage:
                case Crossbar():
                    rows[stage.name] = waves
                    steps = followed[stage.name] = self._follow(stage, waves, rest, before)
                    waves = _after(steps, stage)
                    transforms[stage.name] = waves
                case Limiter() | Rectifier() | DifferentialPairs() | Drivers():
                    limited = self._formed(stage, waves)
                    waves = limited if followed else self._arrived(limited, len(block))
                case LayerNorm():
                    waves = transforms[stage.name] = self._formed(stage, waves)
                case _:
                    assert_never(stage)
        for place, index in enumerate(block):
            yield self._course(index, place, followed, rows, transforms)

    def _formed(self, stage: InputStage | Drivers | LayerNorm, waves: Waves) -> Waves:
        """What a stage without delay makes of them."""
        return lambda time_s, samples: stage.ideal_v(self.design, waves(time_s, samples))

    def _inputs(self, from_v: Array, to_v: Array) -> Waves:
        def at(time_s: Array, samples: Indices) -> Array:
            """Volts."""
            part = np.clip(time_s / self.pace.rise_s, 0.0, 1.0)[:, None]
            return np.asarray(from_v[samples] + part * (to_v[samples] - from_v[samples]))

        return at

    def _arrived(self, waves: Waves, samples: int) -> Waves:
        """The same, of inputs that have come where they go to after rise_s."""
        end_v = waves(np.full(samples, self.pace.rise_s), np.arange(samples))

        def at(time_s: Array, which: Indices) -> Array:
            there = time_s >= self.pace.rise_s
            return end_v[which] if there.all() else np.where(there[:, None], end_v[which], waves(time_s, which))

        return at

    def _follow(self, crossbar: Crossbar, rows: Waves, rest: Rest, before: Indices) -> StepRecord:
        system = CrossbarDae(crossbar, self.curves, len(before))
        everyone = np.arange(len(before))
        rows_v = rows(np.zeros(len(before)), everyone)
        start = at_rest(system, rest.columns_v[crossbar.name][before], rest.drawn_a[crossbar.name][before], rows_v)
        error_v = self.error * self.design.input_v_per_unit * system.scales_v()
        span = Span(self.pace.period_s, self.pace.rise_s, error_v)
        return follow(system, start, rows, span, deadline=self.deadline)

    def _course(
        self, index: int, place: int, followed: dict[str, StepRecord], rows: dict[str, Waves], outputs: dict[str, Waves]
    ) -> Course:
        failure = self._failure(index, place, followed)
        if failure is not None:
            return Course(np.empty(0), {}, {}, {}, {}, failure)
        starts = [steps.start_s[place, : steps.counts[place]] for steps in followed.values()]
        ends = np.unique(np.concatenate([*starts, [self.pace.period_s]]))
        time_s = np.unique(ends[:-1, None] + np.diff(ends)[:, None] * _PARTS)
        time_s = np.append(time_s[time_s < self.pace.period_s], self.pace.period_s)
        here = np.full(len(time_s), place)
        currents = {name: _currents(steps, place, time_s) for name, steps in followed.items()}
        return Course(
            time_s,
            {name: wave(time_s, here) for name, wave in outputs.items()},
            {name: wave(time_s, here) for name, wave in rows.items()},
            {name: row_a for name, (row_a, _) in currents.items()},
            {name: drawn_a for name, (_, drawn_a) in currents.items()},
        )

    def _failure(self, index: int, place: int, followed: dict[str, StepRecord]) -> FailedSample | None:
        for name, steps in followed.items():
            if steps.late[place]:
                return FailedSample(index, Outcome.TIMED_OUT, f"{name} came to {steps.reached_s[place]:.3g} s")
            if steps.reached_s[place] < self.pace.period_s:
                seen = f"{name} has no next moment after {steps.reached_s[place]:.6g} s"
                return FailedSample(index, Outcome.DIVERGED, seen)
        return None


def check_followed(crossbar: Crossbar) -> None:
    """Raises InputError for a crossbar whose outputs jump where the slopes of its inputs do."""
    if crossbar.holds_columns and not np.isfinite(crossbar.gbw_hz) and crossbar.junction_f > 0:
        raise InputError(
            "amplifiers without delay show the currents of capacitances",
            where="technology",
            expected="tia.gbw_hz or a finite tia.gain with devices.junction_f, or --engine ngspice",
            found=f"{crossbar.name}: neither",
        )


def at_rest(system: CrossbarDae, columns_v: Array, drawn_a: Array, rows_v: Array) -> Array:
    """Nodes (samples, size) where nothing moves. columns_v at the amplifiers, drawn_a: (samples, columns)."""
    crossbar = system.crossbar
    driven_v = columns_v - drawn_a / system.amplifiers.siemens
    beyond = np.abs(driven_v) >= crossbar.swing_v * (1 - 1e-12)
    limit_v = np.copysign(min(crossbar.swing_v, 1e30), driven_v)
    pushed = (crossbar.offset_v - columns_v + limit_v) / (1 + 1 / crossbar.open_loop_gain)
    outputs_v = columns_v - drawn_a * crossbar.feedback_ohm
    nodes = system.at_columns(columns_v, np.where(beyond, pushed, driven_v), outputs_v, rows_v)
    if not (system.moving_rows or system.chained_columns):
        return nodes
    samples, exact = np.arange(len(nodes)), np.full(system.size, 1e-12)
    demand = Demand(samples, np.zeros_like(nodes), np.zeros(len(nodes)), rows_v, exact)
    return system.balance(nodes, demand, held=True).nodes


def _after(steps: StepRecord, crossbar: Crossbar) -> Waves:
    return lambda time_s, samples: differences_v(crossbar, steps.at(time_s, samples))


def _currents(steps: StepRecord, place: int, time_s: Array) -> tuple[Array, Array]:
    """What drivers give, and what amplifiers draw, (points, rows) and (points, columns) amps, of a sample."""
    count = steps.counts[place]
    ends_s = steps.start_s[place, :count] + steps.step_s[place, :count]
    found, step_s = steps.currents, steps.step_s[place, :count, None]
    totals = []
    for flowing_a, charge_c in ((found.row_a, found.row_c), (found.drawn_a, found.drawn_c)):
        charges = charge_c[place, :count]
        into_a = np.diff(charges, axis=0, prepend=charges[:1]) / step_s
        totals.append(_between(time_s, ends_s, flowing_a[place, :count] + into_a))
    return totals[0], totals[1]


def _between(time_s: Array, known_s: Array, values: Array) -> Array:
    return np.stack([np.interp(time_s, known_s, column) for column in values.T], axis=1)
