"""Runge-Kutta over a batch: every sample takes its own steps, and none can disturb another.

Explicit, or, where states are also pulled back, and fast (`Pull`), additive: that part, and it alone, is integrated by
a diagonally implicit method of the same stages. It is solved in closed form, one state after the other, so a stage
costs what an explicit one does.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Protocol

import numpy as np
import numpy.typing as npt
from scipy.integrate import DOP853, RK45

from kanspice.base.arrays import Array, Flags, Indices, namespace, zeros
from kanspice.engine.batched.array_devices import host

Slope = Callable[[Array, Array], Array]
"""Change per time of states (samples, width) at times (samples,)."""

_SAFETY, _SHRINK, _GROW = 0.9, 0.2, 10.0
_SHORTEST = 1e-12
"""Of the whole time: a step that must be shorter follows something that explodes."""
_MOST_STEPS = 100_000
_LARGEST = 1e30
"""In the states' units: nothing that can be built comes there."""


@dataclass(frozen=True)
class RungeKutta:
    """A pair of methods: its table, and the order of its error. The slope at a step's end is the next step's first.

    main: weights of the differences from the embedded method, (stages + 1,). damping: of a second one, of lower order,
    that keeps the first from being trusted where both are large; None without. implicit: the table of the stages of a
    `Pull`, with the same weights b and times c; empty for a method that has no part for one.
    """

    stages: int
    a: Array
    b: Array
    c: Array
    main: Array
    damping: Array | None
    power: float
    implicit: Array = field(default_factory=lambda: np.empty(0))


SMOOTH = RungeKutta(DOP853.n_stages, DOP853.A, DOP853.B, DOP853.C, DOP853.E5, DOP853.E3, -1 / 8)
"""Order 8."""
KINKED = RungeKutta(RK45.n_stages, RK45.A, RK45.B, RK45.C, RK45.E, None, -1 / 5)
"""Order 5: where currents have corners, high orders only lose more work at each of them."""


def _additive() -> RungeKutta:
    """ARK4(3)6L[2]SA of Kennedy and Carpenter (Applied Numerical Mathematics 44, 2003): order 4, L-stable."""
    explicit = (
        (),
        ("1/2",),
        ("13861/62500", "6889/62500"),
        ("-116923316275/2393684061468", "-2731218467317/15368042101831", "9408046702089/11113171139209"),
        (
            *("-451086348788/2902428689909", "-2682348792572/7519795681897"),
            *("12662868775082/11960479115383", "3355817975965/11060851509271"),
        ),
        (
            *("647845179188/3216320057751", "73281519250/8382639484533", "552539513391/3454668386233"),
            *("3354512671639/8306763924573", "4040/17871"),
        ),
    )
    implicit = (
        (),
        ("1/4", "1/4"),
        ("8611/62500", "-1743/31250", "1/4"),
        ("5012029/34652500", "-654441/2922500", "174375/388108", "1/4"),
        ("15267082809/155376265600", "-71443401/120774400", "730878875/902184768", "2285395/8070912", "1/4"),
        ("82889/524892", "0", "15625/83664", "69875/102672", "-2260/8211", "1/4"),
    )
    weights = implicit[-1]
    embedded = (
        *("4586570599/29645900160", "0", "178811875/945068544"),
        *("814220225/1159782912", "-3700637/11593932", "61727/225920"),
    )
    b = _numbers(weights, 6)
    times = _numbers(("0", "1/2", "83/250", "31/50", "17/20", "1"), 6)
    tables = [np.stack([_numbers(row, 6) for row in table]) for table in (explicit, implicit)]
    error = np.append(b - _numbers(embedded, 6), 0.0)
    return RungeKutta(6, tables[0], b, times, error, None, -1 / 4, tables[1])


def _numbers(texts: Sequence[str], length: int) -> Array:
    return np.array([float(Fraction(text)) for text in texts] + [0.0] * (length - len(texts)))


PULLED = _additive()
"""Order 4, for a `Pull`."""


class Pull(Protocol):
    """What pulls states back, never pushes them away, and is such that an implicit step of it can be solved for."""

    def slope(self, time: Array, state: Array) -> Array:
        """Change per time, (samples, width)."""

    def settled(self, time: Array, state: Array, step: Array) -> Array:
        """The states x with x = state + step * slope(time, x), (samples, width); step: (samples,)."""

    def eased(self, error: Array, step: Array) -> Array:
        """What is left of errors (samples, width) when the pull has acted on them for an implicit step (Shampine)."""


@dataclass(frozen=True)
class Tolerance:
    """Error of a step: at most relative * |state| + absolute, as the root of the mean square over a sample's states."""

    relative: float = 1e-9
    absolute: float = 1e-10

    def tighter(self, times: float) -> Tolerance:
        """So many times smaller."""
        return Tolerance(self.relative / times, self.absolute / times)


@dataclass(frozen=True)
class Integrated:
    """end: (samples, width). reached: (samples,) the time that each came to. late: (samples,) no time was left."""

    end: Array
    reached: Array
    late: npt.NDArray[np.bool_]


@dataclass(frozen=True)
class TakenStep:
    """A step that some samples took at once: which of them, when, how long (these,), and from which states (these,
    width). slopes: at its stages, (stages, these, width), where they were kept.
    """

    samples: Indices
    time: Array
    length: Array
    state: Array
    slopes: Array | None


def follow(
    slope: Slope,
    start: Array,
    span: tuple[float, float | Array],
    method: RungeKutta,
    tolerance: Tolerance,
    *,
    pull: Pull | None = None,
    deadline: float | None = None,
    steps: list[TakenStep] | None = None,
) -> Integrated:
    """States (samples, width) from span[0] to span[1], which may be another time for each sample, (samples,).

    pull: changes the states besides the slope; for a method that has a part for it.
    deadline: of `time.monotonic`; what is not there then is late. steps: gets every step that is taken.
    Arrays may be NumPy's or torch's.
    """
    stop = zeros((len(start),), start) + span[1]
    if (stop <= span[0]).all():
        return Integrated(start + 0, stop, stop > np.inf)
    with np.errstate(all="ignore"):
        return _Run(slope, start, (span[0], stop), method, tolerance, pull=pull, steps=steps).go(deadline)


class _Run:
    """One call of `follow`: the samples still on their way are in front of everything else."""

    def __init__(
        self,
        slope: Slope,
        start: Array,
        span: tuple[float, Array],
        method: RungeKutta,
        tolerance: Tolerance,
        *,
        pull: Pull | None,
        steps: list[TakenStep] | None,
    ) -> None:
        self.xp, self.steps = namespace(start), steps
        self.slope, self.method, self.tolerance, self.pull = slope, method, tolerance, pull
        self.end = start + 0
        self.reached = span[1].clip(max=span[0])
        self.alive: Indices = self.xp.nonzero(span[1] > span[0])[0]
        self.stop = span[1][self.alive]
        self.shortest = _SHORTEST * (self.stop - span[0])
        self.state, self.time = start[self.alive], self.reached[self.alive]
        self.now = slope(self.time, self.state)
        self.step = self._first_step(self.stop - span[0])
        self.grow = self.xp.full_like(self.time, _GROW)

    def go(self, deadline: float | None) -> Integrated:
        for _ in range(_MOST_STEPS):
            if len(self.alive) == 0 or (deadline is not None and time.monotonic() > deadline):
                break
            self._advance()
        late = self.reached > np.inf
        late[self.alive] = deadline is not None and time.monotonic() > deadline
        return Integrated(self.end, self.reached, late)

    def _advance(self) -> None:
        """One step of every sample that is on its way; those whose error is too large only shorten it."""
        xp, step = self.xp, self.xp.minimum(self.step, self.stop - self.time)
        last = self.time + step >= self.stop
        state, slopes = self._stages(step) if self.pull is None else self._pulled_stages(self.pull, step)
        error = self._error(state, slopes, step)
        accepted = error <= 1
        factor = xp.where(error > 0, _SAFETY * error**self.method.power, _GROW)
        factor = xp.where(xp.isfinite(factor), xp.minimum(factor.clip(min=_SHRINK), self.grow), _SHRINK)
        self.step = step * factor
        self.grow = xp.where(accepted, xp.full_like(step, _GROW), 1.0)
        if self.steps is not None:
            self._record(self.steps, accepted, step, slopes)
        moved = accepted[:, None]
        self.state, self.now = xp.where(moved, state, self.state), xp.where(moved, slopes[-1], self.now)
        self.time = xp.where(accepted, xp.where(last, self.stop, self.time + step), self.time)
        self.end[self.alive], self.reached[self.alive] = self.state, self.time
        self._keep((self.time < self.stop) & (self.step > self.shortest))

    def _record(self, steps: list[TakenStep], accepted: Flags, length: Array, slopes: Array) -> None:
        if accepted.any():
            alive, began, lasts, state = (host(part[accepted]) for part in (self.alive, self.time, length, self.state))
            kept = None if self.pull is not None else host(slopes[:-1, accepted])
            steps.append(TakenStep(alive, began, lasts, state, kept))

    def _stages(self, step: Array) -> tuple[Array, Array]:
        """The state after the step, and slopes (stages + 1, samples, width)."""
        method, (samples, width) = self.method, self.state.shape
        slopes = zeros((method.stages + 1, samples, width), self.state)
        slopes[0] = self.now
        for stage in range(1, method.stages):
            change = _sum(method.a[stage, :stage], slopes)
            slopes[stage] = self.slope(self.time + float(method.c[stage]) * step, self.state + step[:, None] * change)
        state = self.state + step[:, None] * _sum(method.b, slopes)
        slopes[-1] = self.slope(self.time + step, state)
        return state, slopes

    def _pulled_stages(self, pull: Pull, step: Array) -> tuple[Array, Array]:
        """The same; slopes are sums of both parts but for the last, which is the next step's first without the pull."""
        method, (samples, width), implicit = self.method, self.state.shape, self.method.implicit
        slopes, pulls = zeros((2, method.stages + 1, samples, width), self.state)
        slopes[0], pulls[0] = self.now, pull.slope(self.time, self.state)
        for stage in range(1, method.stages):
            change = _sum(method.a[stage, :stage], slopes) + _sum(implicit[stage, :stage], pulls)
            known = self.state + step[:, None] * change
            time = self.time + float(method.c[stage]) * step
            weight = float(implicit[stage, stage]) * step
            settled = pull.settled(time, known, weight)
            slopes[stage], pulls[stage] = self.slope(time, settled), (settled - known) / weight[:, None]
        slopes[:-1] += pulls[:-1]
        state = self.state + step[:, None] * _sum(method.b, slopes)
        slopes[-1] = self.slope(self.time + step, state)
        return state, slopes

    def _error(self, state: Array, slopes: Array, step: Array) -> Array:
        """(samples,) of what is allowed, by the difference from the embedded methods."""
        xp, method = self.xp, self.method
        allowed = self._allowed(xp.maximum(xp.abs(self.state), xp.abs(state)))
        difference = _sum(method.main, slopes)
        if self.pull is not None:
            difference = self.pull.eased(difference, float(method.implicit[-1, -1]) * step)
        main = _norm(difference / allowed)
        if method.damping is not None:
            damping = _norm(_sum(method.damping, slopes) / allowed)
            size = xp.sqrt(main**2 + 0.01 * damping**2)
            main = xp.where(size != 0, main**2 / size, 0.0)
        error: Array = xp.where((xp.abs(state) < _LARGEST).all(axis=1), step * main, np.inf)
        return error

    def _allowed(self, size: Array) -> Array:
        return self.tolerance.absolute + self.tolerance.relative * size

    def _first_step(self, whole: Array) -> Array:
        """A hundredth of the time in which a state would change by its own size, tried with one step of Euler's."""
        xp, allowed = self.xp, self._allowed(self.xp.abs(self.state))
        size, speed = _norm(self.state / allowed), _norm(self.now / allowed)
        tiny = (size < 1e-5) | (speed < 1e-5)
        first = xp.minimum(xp.where(tiny, 1e-6 * whole, 0.01 * size / xp.where(tiny, 1.0, speed)), whole)
        ahead = self.slope(self.time + first, self.state + first[:, None] * self.now)
        bend = xp.maximum(_norm((ahead - self.now) / allowed) / first, speed)
        second = xp.where(
            bend <= 1e-15,
            xp.maximum(1e-6 * whole, 1e-3 * first),
            (0.01 / bend.clip(min=1e-15)) ** -self.method.power,
        )
        step = xp.minimum(xp.minimum(100 * first, second), whole)
        finite: Array = xp.where(xp.isfinite(step), step, 1e-6 * whole)
        return finite

    def _keep(self, going: npt.NDArray[np.bool_]) -> None:
        if going.all():
            return
        self.alive, self.state, self.now = self.alive[going], self.state[going], self.now[going]
        self.time, self.step, self.grow = self.time[going], self.step[going], self.grow[going]
        self.stop, self.shortest = self.stop[going], self.shortest[going]


def _sum(weights: Array, slopes: Array) -> Array:
    """(samples, width) of the first slopes (stages, samples, width), one after the other: a product with a matrix would
    round differently for other numbers of samples.
    """
    first, *others = weights.tolist()
    total: Array = first * slopes[0]
    for weight, slope in zip(others, slopes[1:], strict=False):
        if weight != 0:
            total += weight * slope
    return total


def _norm(values: Array) -> Array:
    """(samples,) root of the mean square."""
    norm: Array = namespace(values).sqrt((values**2).mean(axis=1))
    return norm
