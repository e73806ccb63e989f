"""Explicit Runge-Kutta over a batch: every sample takes its own steps, and none can disturb another."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.integrate import DOP853, RK45

Array = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]
Slope = Callable[[Array, Array], Array]
"""Change per time of states (samples, width) at times (samples,)."""

_SAFETY, _SHRINK, _GROW = 0.9, 0.2, 10.0
_SHORTEST = 1e-12
"""Of the whole time: a step that must be shorter follows something that explodes."""
_MOST_STEPS = 100_000
_LARGEST = 1e30
"""In the states' units: nothing that can be built comes there."""


@dataclass(frozen=True)
class Method:
    """A pair of Dormand and Prince whose last stage is the next step's first: its table, and the order of its error.

    main: weights of the differences from the embedded method, (stages + 1,). damping: of a second one, of lower order,
    that keeps the first from being trusted where both are large; None without.
    """

    stages: int
    a: Array
    b: Array
    c: Array
    main: Array
    damping: Array | None
    power: float


SMOOTH = Method(DOP853.n_stages, DOP853.A, DOP853.B, DOP853.C, DOP853.E5, DOP853.E3, -1 / 8)
"""Order 8."""
KINKED = Method(RK45.n_stages, RK45.A, RK45.B, RK45.C, RK45.E, None, -1 / 5)
"""Order 5: where currents have corners, high orders only lose more work at each of them."""


@dataclass(frozen=True)
class Tolerance:
    """Error of a step: at most relative * |state| + absolute, as the root of the mean square over a sample's states."""

    relative: float = 1e-9
    absolute: float = 1e-10

    def tighter(self, times: float) -> Tolerance:
        """So many times smaller."""
        return Tolerance(self.relative / times, self.absolute / times)


@dataclass(frozen=True)
class Followed:
    """end: (samples, width). reached: (samples,) the time that each came to. late: (samples,) no time was left."""

    end: Array
    reached: Array
    late: npt.NDArray[np.bool_]


def follow(
    slope: Slope,
    start: Array,
    span: tuple[float, float],
    method: Method,
    tolerance: Tolerance,
    *,
    deadline: float | None = None,
) -> Followed:
    """States (samples, width) from span[0] to span[1].

    deadline: of `time.monotonic`; what is not there then is late.
    """
    if span[1] <= span[0] or start.shape[0] == 0:
        reached = np.full(len(start), float(span[1]))
        return Followed(start.copy(), reached, np.zeros(len(start), dtype=bool))
    with np.errstate(all="ignore"):
        return _Run(slope, start, span, method, tolerance).go(deadline)


class _Run:
    """One call of `follow`: the samples still on their way are in front of everything else."""

    def __init__(
        self, slope: Slope, start: Array, span: tuple[float, float], method: Method, tolerance: Tolerance
    ) -> None:
        self.slope, self.method, self.tolerance, self.stop = slope, method, tolerance, span[1]
        self.shortest = _SHORTEST * (span[1] - span[0])
        self.end = start.copy()
        self.reached = np.full(len(start), float(span[0]))
        self.alive: Indices = np.arange(len(start))
        self.state, self.time = start.copy(), self.reached.copy()
        self.now = slope(self.time, self.state)
        self.step = self._first_step(span[1] - span[0])
        self.grow = np.full(len(start), _GROW)

    def go(self, deadline: float | None) -> Followed:
        for _ in range(_MOST_STEPS):
            if self.alive.size == 0 or (deadline is not None and time.monotonic() > deadline):
                break
            self._advance()
        late = np.zeros(len(self.end), dtype=bool)
        late[self.alive] = deadline is not None and time.monotonic() > deadline
        return Followed(self.end, self.reached, late)

    def _advance(self) -> None:
        """One step of every sample that is on its way; those whose error is too large only shorten it."""
        step = np.minimum(self.step, self.stop - self.time)
        last = self.time + step >= self.stop
        state, slopes = self._stages(step)
        error = self._error(state, slopes, step)
        accepted = error <= 1
        factor = np.where(error > 0, _SAFETY * error**self.method.power, _GROW)
        factor = np.where(np.isfinite(factor), np.clip(factor, _SHRINK, self.grow), _SHRINK)
        self.step = step * factor
        self.grow = np.where(accepted, _GROW, 1.0)
        moved = accepted[:, None]
        self.state, self.now = np.where(moved, state, self.state), np.where(moved, slopes[-1], self.now)
        self.time = np.where(accepted, np.where(last, self.stop, self.time + step), self.time)
        self.end[self.alive], self.reached[self.alive] = self.state, self.time
        self._keep((self.time < self.stop) & (self.step > self.shortest))

    def _stages(self, step: Array) -> tuple[Array, Array]:
        """The state after the step, and slopes (stages + 1, samples, width)."""
        method, (samples, width) = self.method, self.state.shape
        slopes = np.empty((method.stages + 1, samples, width))
        flat = slopes.reshape(method.stages + 1, -1)
        slopes[0] = self.now
        for stage in range(1, method.stages):
            change = (method.a[stage, :stage] @ flat[:stage]).reshape(samples, width)
            slopes[stage] = self.slope(self.time + method.c[stage] * step, self.state + step[:, None] * change)
        state = self.state + step[:, None] * (method.b @ flat[:-1]).reshape(samples, width)
        slopes[-1] = self.slope(self.time + step, state)
        return state, slopes

    def _error(self, state: Array, slopes: Array, step: Array) -> Array:
        """(samples,) of what is allowed, by the difference from the embedded methods."""
        method, allowed = self.method, self._allowed(np.maximum(np.abs(self.state), np.abs(state)))
        flat = slopes.reshape(method.stages + 1, -1)
        main = _norm((method.main @ flat).reshape(state.shape) / allowed)
        if method.damping is not None:
            damping = _norm((method.damping @ flat).reshape(state.shape) / allowed)
            size = np.sqrt(main**2 + 0.01 * damping**2)
            main = np.divide(main**2, size, out=np.zeros_like(size), where=size != 0)
        return np.where((np.abs(state) < _LARGEST).all(axis=1), step * main, np.inf)

    def _allowed(self, size: Array) -> Array:
        return self.tolerance.absolute + self.tolerance.relative * size

    def _first_step(self, whole: float) -> Array:
        """A hundredth of the time in which a state would change by its own size, tried with one step of Euler's."""
        allowed = self._allowed(np.abs(self.state))
        size, speed = _norm(self.state / allowed), _norm(self.now / allowed)
        tiny = (size < 1e-5) | (speed < 1e-5)
        first = np.minimum(np.where(tiny, 1e-6 * whole, 0.01 * size / np.where(tiny, 1, speed)), whole)
        ahead = self.slope(self.time + first, self.state + first[:, None] * self.now)
        bend = np.maximum(_norm((ahead - self.now) / allowed) / first, speed)
        second = np.where(
            bend <= 1e-15,
            np.maximum(1e-6 * whole, 1e-3 * first),
            (0.01 / np.maximum(bend, 1e-15)) ** -self.method.power,
        )
        step: Array = np.minimum(np.minimum(100 * first, second), whole)
        return np.where(np.isfinite(step), step, 1e-6 * whole)

    def _keep(self, going: npt.NDArray[np.bool_]) -> None:
        if going.all():
            return
        self.alive, self.state, self.now = self.alive[going], self.state[going], self.now[going]
        self.time, self.step, self.grow = self.time[going], self.step[going], self.grow[going]


def _norm(values: Array) -> Array:
    """(samples,) root of the mean square."""
    return np.asarray(np.sqrt(np.mean(values**2, axis=1)))
