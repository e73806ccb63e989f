"""Implicit steps in time for a batch: every sample takes its own, and none can disturb another.

ARK3(2)4L[2]SA's implicit half (Kennedy and Carpenter, Applied Numerical Mathematics 44, 2003): order 3, L-stable, three
implicit stages, each of them with stage order 2, so that the cubic through a step's start and its stages is as good
between them as the step's error says. Its last stage is its end, and so equations without time derivatives hold there.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from kanspice.base.arrays import Array, Flags, Indices
from kanspice.engine.batched.crossbar_dae import Balance, Demand, TerminalCurrents

Waves = Callable[[Array, Indices], Array]
"""Volts (len(samples), width) of samples at times, both (n,)."""

GAMMA = 1767732205903 / 4055673282236
TIMES = np.array([0.0, 2 * GAMMA, 0.6, 1.0])
TABLE = np.array(
    [
        [0.0, 0.0, 0.0, 0.0],
        [GAMMA, GAMMA, 0.0, 0.0],
        [2746238789719 / 10658868560708, -640167445237 / 6845629431997, GAMMA, 0.0],
        [
            1471266399579 / 7840856788654,
            -4482444167858 / 7529755066697,
            11266239266428 / 11593286722821,
            GAMMA,
        ],
    ]
)
EMBEDDED = np.array(
    [
        2756255671327 / 12835298489170,
        -10771552573575 / 22201958757719,
        9247589265047 / 10645013368117,
        2193209047091 / 5459859503100,
    ]
)
_SAFETY, _SHRINK, _GROW, _FAILED = 0.9, 0.2, 3.0, 0.25
_SHORTEST = 1e-12
"""Of the whole time."""
_LONGEST = 1 / 40
_FIRST = 1e-2
"""Of the time until the first corner."""
_MOST_STEPS = 40_000
_NEWTON = 1e-2
"""Of a step's error: what Newton's method may leave."""


class System(Protocol):
    """What `follow` needs of equations `d charges / dt = flows`."""

    def charges(self, nodes: Array, rows_v: Array) -> Array:
        """(samples, size)."""

    def balance(self, guess: Array, demand: Demand) -> Balance:
        """Nodes that fulfil it."""

    def moved(self, left: Array, nodes: Array, device_s: Array, per_s: Array) -> Array:
        """By how much nodes are off, to first order, where so much of that is left."""

    def outputs_v(self, nodes: Array, rows_v: Array) -> Array:
        """(samples, columns) of the amplifiers."""

    def currents(self, nodes: Array, rows_v: Array) -> TerminalCurrents:
        """What flows at a moment."""


@dataclass(frozen=True)
class StepRecord:
    """What was followed: per sample its steps, in order, padded at the end with steps that begin at infinity.

    start_s, step_s: (samples, steps). outputs_v: (samples, steps, 4, columns) at TIMES of every step. currents: of
    (samples, steps, ...), at the steps' ends. counts, reached_s: (samples,) how many steps there are, and how far they
    came. late: (samples,) no time was left. end: (samples, size) nodes.
    """

    start_s: Array
    step_s: Array
    outputs_v: Array
    currents: TerminalCurrents
    counts: Indices
    reached_s: Array
    late: Flags
    end: Array

    def at(self, time_s: Array, samples: Indices) -> Array:
        """Outputs (len(samples), columns) of samples, each at its own time; where they stopped, from then on."""
        step = np.maximum((self.start_s[samples] <= time_s[:, None]).sum(axis=1) - 1, 0)
        part = np.clip((time_s - self.start_s[samples, step]) / self.step_s[samples, step], 0.0, 1.0)
        return np.asarray(np.einsum("sk,skn->sn", weights(part), self.outputs_v[samples, step]))


def weights(part: Array, known: tuple[int, ...] = (0, 1, 2, 3)) -> Array:
    """(..., known) of a step's known stages in the polynomial through them, at these parts of the step: (...)."""
    found = np.ones((*part.shape, len(known)))
    for place, own in enumerate(known):
        for other in known:
            if other != own:
                found[..., place] *= (part - TIMES[other]) / (TIMES[own] - TIMES[other])
    return found


@dataclass(frozen=True)
class Span:
    """From time 0 to end_s; no step goes across corner_s, where rows bend. error_v: (size,) allowed of a step."""

    end_s: float
    corner_s: float
    error_v: Array


def follow(system: System, start: Array, rows_at: Waves, span: Span, *, deadline: float | None = None) -> StepRecord:
    """From a state of rest, nodes (samples, size), through a span.

    rows_at: rows (len(samples), rows) in volts of samples at times, both (n,). deadline: of `time.monotonic`.
    """
    return _Follow(system, start, rows_at, span).run(deadline)


@dataclass(frozen=True)
class _Kept:
    """One step of some samples, `taken`."""

    taken: Indices
    start_s: Array
    step_s: Array
    outputs_v: Array
    currents: TerminalCurrents


class _Follow:
    def __init__(self, system: System, start: Array, rows_at: Waves, span: Span) -> None:
        self.system, self.rows_at = system, rows_at
        self.end_s, self.corner_s, self.error_v = span.end_s, span.corner_s, span.error_v
        samples = len(start)
        self.now_s = np.zeros(samples)
        self.step_s = np.full(samples, _FIRST * span.corner_s)
        self.nodes = start.copy()
        everyone = np.arange(samples)
        self.charges = system.charges(start, rows_at(self.now_s, everyone))
        self.flows = np.zeros_like(start)
        self.before = np.repeat(start[:, None], 4, axis=1)
        self.before_s = np.ones(samples)
        self.kept: list[_Kept] = []
        self.lost = np.zeros(samples, dtype=bool)

    def run(self, deadline: float | None) -> StepRecord:
        late = np.zeros(len(self.now_s), dtype=bool)
        for _ in range(_MOST_STEPS):
            going = np.flatnonzero((self.now_s < self.end_s) & ~self.lost)
            if going.size == 0:
                break
            if deadline is not None and time.monotonic() > deadline:
                late[going] = True
                break
            self._step(going)
        return self._steps(late)

    def _step(self, going: Indices) -> None:
        now_s = self.now_s[going]
        until_s = np.where(now_s < self.corner_s, self.corner_s, self.end_s)
        step_s = np.minimum(self.step_s[going], _LONGEST * self.end_s)
        left_s = until_s - now_s
        ends = step_s >= 0.999 * left_s
        step_s = np.where(ends, left_s, np.where(step_s > 0.5 * left_s, 0.5 * left_s, step_s))
        stages, flows, last, done = self._stages(going, now_s, step_s)
        off = np.where(done, self._error(stages[:, 3], flows, last.device_s, step_s), np.inf)
        good = off <= 1
        with np.errstate(divide="ignore"):
            factor = np.clip(_SAFETY * off ** (-1 / 3), _SHRINK, _GROW)
        self.step_s[going] = step_s * np.where(done, factor, _FAILED)
        self.lost[going] = (self.step_s[going] < _SHORTEST * self.end_s) & ~good
        taken = going[good]
        if taken.size == 0:
            return
        self._keep(taken, now_s[good], step_s[good], stages[good])
        self.now_s[taken] = np.where(ends[good], until_s[good], now_s[good] + step_s[good])
        self.before[taken], self.before_s[taken] = stages[good], step_s[good]
        self.nodes[taken], self.charges[taken], self.flows[taken] = stages[good, 3], last.charges[good], flows[good, 3]

    def _error(self, nodes: Array, flows: Array, device_s: Array, step_s: Array) -> Array:
        """(samples,) of a step, in what is allowed: the embedded method's difference, through the step's own matrix.

        Without that, nodes that follow the others at once would seem to be off by what they have moved.
        """
        per_s = 1 / (GAMMA * step_s)
        difference = np.einsum("k,skn->sn", TABLE[3] - EMBEDDED, flows) / GAMMA
        off: Array = np.abs(self.system.moved(difference, nodes, device_s, per_s) / self.error_v).max(axis=1)
        return np.where(np.isfinite(off), off, np.inf)

    def _stages(self, going: Indices, now_s: Array, step_s: Array) -> tuple[Array, Array, Balance, Flags]:
        """Nodes and flows at all stages, (samples, 4, size), the last balance, and whether all were found."""
        stages = np.repeat(self.nodes[going][:, None], 4, axis=1)
        flows = np.repeat(self.flows[going][:, None], 4, axis=1)
        start, done = self.charges[going], np.ones(len(going), dtype=bool)
        per_s = 1 / (GAMMA * step_s)
        for stage in (1, 2, 3):
            rows_v = self.rows_at(now_s + TIMES[stage] * step_s, going)
            known = start + step_s[:, None] * np.einsum("k,skn->sn", TABLE[stage, :stage], flows[:, :stage])
            guess = self._guess(stage, going, step_s, stages)
            found = self.system.balance(guess, Demand(going, known, per_s, rows_v, _NEWTON * self.error_v))
            stages[:, stage] = found.nodes
            flows[:, stage] = (found.charges - known) * per_s[:, None]
            done &= found.done
        return stages, flows, found, done

    def _guess(self, stage: int, going: Indices, step_s: Array, stages: Array) -> Array:
        """Where the step before points, then where this step's own stages do."""
        if stage == 1:
            part = 1 + np.minimum(TIMES[1] * step_s / self.before_s[going], 1.0)
            return np.asarray(np.einsum("sk,skn->sn", weights(part, (0, 2, 3)), self.before[going][:, (0, 2, 3)]))
        known = (0, 1) if stage == 2 else (0, 1, 2)
        part = np.full(len(going), TIMES[stage])
        return np.asarray(np.einsum("sk,skn->sn", weights(part, known), stages[:, known]))

    def _keep(self, taken: Indices, now_s: Array, step_s: Array, stages: Array) -> None:
        rows_v = [self.rows_at(now_s + part * step_s, taken) for part in TIMES.tolist()]
        outputs = [self.system.outputs_v(stages[:, stage], rows_v[stage]) for stage in range(len(TIMES))]
        currents = self.system.currents(stages[:, -1], rows_v[-1])
        self.kept.append(_Kept(taken, now_s, step_s, np.stack(outputs, axis=1), currents))

    def _steps(self, late: Flags) -> StepRecord:
        everyone, start_s = np.arange(len(self.now_s)), np.zeros_like(self.now_s)
        if not self.kept:
            self._keep(everyone[:0], start_s[:0], start_s[:0], self.before[:0])
        counts = np.bincount(np.concatenate([part.taken for part in self.kept]), minlength=len(everyone))
        shape, first = (len(counts), max(1, int(counts.max()))), self.kept[0]
        filled = np.zeros_like(counts)
        start_s, step_s = np.full(shape, np.inf), np.ones(shape)
        outputs_v = np.zeros((*shape, *first.outputs_v.shape[1:]))
        names = ("drawn_a", "drawn_c", "row_a", "row_c")
        currents = {name: np.zeros((*shape, getattr(first.currents, name).shape[1])) for name in names}
        for part in self.kept:
            place = part.taken, filled[part.taken]
            start_s[place], step_s[place], outputs_v[place] = part.start_s, part.step_s, part.outputs_v
            for name in names:
                currents[name][place] = getattr(part.currents, name)
            filled[part.taken] += 1
        return StepRecord(
            start_s, step_s, outputs_v, TerminalCurrents(**currents), counts, self.now_s, late, self.nodes
        )
