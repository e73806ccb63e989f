"""Crossbars whose rows and columns are not at one voltage each: drivers, wires and amplifiers, all samples together.

The unknowns are what every crosspoint loses of its row's voltage, d. The currents I(d) of the devices and the
resistances give what is lost in turn, so that `d - lost(I(d)) = 0`. Newton's method solves it; each of its steps is a
linear system `(1 + P g) x = r`, P the positive semidefinite map from currents to losses, g the devices' slopes. P is
smooth and small, so that GMRES needs few rounds, and each is a handful of cumulative sums; where P is so small that
`x = r` brings the solution nearer fast, that is cheaper still. Where Newton's method fails, resistances grow from zero,
where the answer is known, to what they are.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields
from functools import cached_property

import numpy as np
import numpy.typing as npt

from kanspice.base.arrays import Array, Indices, namespace, zeros
from kanspice.circuit import Crossbar
from kanspice.circuit.amplifiers import held_v, outputs_v
from kanspice.circuit.wires import lost_v
from kanspice.devices import Curve
from kanspice.engine.batched.array_devices import Processor, beside, host, host_record
from kanspice.engine.batched.columns import Settled
from kanspice.engine.batched.crosspoints import Crosspoints

_MOST_STEPS = 30
_QUICK = 0.1
"""What a step without a linear system may leave of the losses: one with it costs more than two of these."""
_LEFT = 1e-13
"""Of the largest voltage involved: what rounding leaves of the losses."""
MOST_ROUNDS = 40
_INNER = 1e-5
"""What a linear system may leave of its right-hand side: less than Newton's method leaves of the rest."""
_SOLVED_NUMBERS = 2**15
"""Crosspoints of which linear systems are solved together: what is kept of their rounds stays in the cache."""
_SHORTEST = 2.0**-8
_FIRST_PART, _LEAST_PART, _MOST_PARTS = 0.25, 2.0**-10, 24
"""Of the resistances: by how much they grow at first, by how little it is still worth trying, and how often at most."""


IsLate = Callable[[], bool]


@dataclass(frozen=True)
class Wired(Settled):
    """With wires. grown: (samples,) the part of all resistances up to which a state was found."""

    grown: Array = field(kw_only=True)


@dataclass(frozen=True)
class WiredState:
    """A crossbar with wires as it settled for some samples.

    rows_v: (samples, rows) volts. lost_v: (samples, rows, 2 * pairs) volts. curves: of all device types of the design,
    in volts, of which its unit is unit_v.
    """

    crossbar: Crossbar
    rows_v: Array
    crosspoints: Crosspoints
    settled: Wired
    lost_v: Array
    curves: tuple[Curve, ...]
    unit_v: float


def joined(parts: Sequence[Wired]) -> Wired:
    """Of all samples, in order, from parts of them."""
    names = [each.name for each in fields(Wired)]
    return Wired(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in names})


def solved_numbers(processor: Processor) -> int:
    """Crosspoints of which linear systems are solved together."""
    return processor.numbers or _SOLVED_NUMBERS


def never() -> bool:
    """There is time."""
    return False


def settle_wires(
    crossbar: Crossbar,
    crosspoints: Crosspoints,
    rows_v: Array,
    start: Array | None = None,
    *,
    patient: bool = True,
    is_late: IsLate = never,
) -> tuple[Wired, Array]:
    """Columns at their amplifiers and the amplifiers' outputs, for rows (samples, rows) in volts, and what is lost.

    Crosspoints lose (samples, rows, columns) volts; start: what they may lose, nothing if None.
    patient: where Newton's method fails, let resistances grow. is_late: whether to stop with what there is.
    """
    processor, everyone = crosspoints.processor, np.arange(len(rows_v))
    crossbar = processor.record(crossbar)
    search = _Search(crossbar, crosspoints, rows_v, is_late)
    lost, left_v = search.find(search.nothing(len(rows_v)) if start is None else processor.array(start), everyone, 1.0)
    grown = np.where(search.is_settled(left_v, everyone), 1.0, 0.0)
    for place in np.flatnonzero(~search.is_settled(left_v, everyone)).tolist() if patient else ():
        grown[place], found = search.grow(place)
        if found is not None:
            lost[place], left_v[place] = found
    currents_a, slopes = crosspoints.at(lost, everyone)
    into_a = currents_a.sum(axis=1) + crossbar.bias_a
    columns_v = held_v(crossbar, into_a)[0]
    residual_a = np.where(np.isfinite(left_v), largest(slopes), 1.0) * left_v
    amplifiers_v, rows_a = outputs_v(crossbar, columns_v, into_a), currents_a.sum(axis=2)
    converged = search.is_settled(left_v, everyone)
    settled = Wired(columns_v, amplifiers_v, into_a, residual_a, converged, rows_a, grown=grown)
    return host_record(settled), host(lost)


@dataclass(frozen=True)
class _Search:
    """What crosspoints lose lies where they are computed; what is known of samples as a whole is NumPy's."""

    crossbar: Crossbar
    crosspoints: Crosspoints
    rows_v: Array
    is_late: IsLate

    def nothing(self, samples: int) -> Array:
        """What is lost where no currents flow."""
        lost: Array = zeros((samples, self.crossbar.rows, 2 * self.crossbar.width), self.crossbar.offset_v)
        return lost

    def is_settled(self, left_v: Array, samples: Indices) -> npt.NDArray[np.bool_]:
        """(len(samples),) for what these samples leave, (len(samples),)."""
        return np.asarray(left_v <= _LEFT * self._scale_v[samples])

    @cached_property
    def _scale_v(self) -> Array:
        return np.asarray(np.abs(self.rows_v).max(axis=1, initial=0.0)) + 1.0

    def _left(self, lost: Array, samples: Indices, part: float) -> tuple[Array, Array, Array]:
        """What Newton's method brings to zero, the currents' derivatives, and the ohms of columns at their amplifiers.

        part: of all resistances and column voltages.
        """
        current, slope = self.crosspoints.at(lost, samples)
        returned, ohm = self._returned(current, part)
        return lost - returned, slope, ohm

    def _returned(self, current: Array, part: float) -> tuple[Array, Array]:
        """What crosspoints lose for currents there, and the ohms of columns at their amplifiers."""
        columns_v, ohm = held_v(self.crossbar, current.sum(axis=1) + self.crossbar.bias_a)
        returned = lost_v(self.crossbar, current, columns_v)
        return returned if part == 1 else part * returned, ohm

    def find(self, lost: Array, samples: Indices, part: float) -> tuple[Array, Array]:
        """(what is lost, largest voltage left over) per sample, from a start (samples, rows, columns)."""
        lost = lost + 0
        left_v = self._approach(lost, samples, part)
        slow = np.flatnonzero(~self.is_settled(left_v, samples) & np.isfinite(left_v))
        crosspoints = 2 * self.crossbar.rows * self.crossbar.width
        size = max(1, solved_numbers(self.crosspoints.processor) // crosspoints)
        for first in range(0, slow.size, size):
            some = slow[first : first + size]
            lost[some], left_v[some] = self._newton(lost[some], left_v[some], samples[some], part)
        return lost, left_v

    def _approach(self, lost: Array, samples: Indices, part: float) -> Array:
        """Steps without a linear system, in place, for as long as each leaves next to nothing of what was left over.

        Largest voltage that they leave over, (samples,).
        """
        left_v = np.full(len(samples), np.inf)
        going, now = np.arange(len(samples)), lost
        for _ in range(_MOST_STEPS):
            returned = self._returned(self.crosspoints.currents(now, samples[going]), part)[0]
            new_v = largest(now - returned)
            is_better, is_quick = new_v < left_v[going], new_v < _QUICK * left_v[going]
            lost[going[is_better]], left_v[going[is_better]] = now[is_better], new_v[is_better]
            is_quick &= ~self.is_settled(new_v, samples[going])
            if self.is_late() or not is_quick.any():
                break
            now, going = (returned, going) if is_quick.all() else (returned[is_quick], going[is_quick])
        return left_v

    def _newton(self, lost: Array, left_v: Array, samples: Indices, part: float) -> tuple[Array, Array]:
        """As `find`, by linear systems."""
        left, slope, ohm = self._left(lost, samples, part)
        for _ in range(_MOST_STEPS):
            going = np.flatnonzero(~self.is_settled(left_v, samples))
            if going.size == 0 or self.is_late():
                break
            step, moved = self._newton_step(left[going], slope[going], ohm[going], part), False
            length = np.ones(going.size)
            while going.size and length.max() >= _SHORTEST:
                tried = lost[going] - beside(length, step)[:, None, None] * step
                new_left, new_slope, new_ohm = self._left(tried, samples[going], part)
                new_left_v = largest(new_left)
                better = (new_left_v < (1 - 1e-4 * length) * left_v[going]) | self.is_settled(
                    new_left_v, samples[going]
                )
                taken, moved = going[better], moved or bool(better.any())
                lost[taken], left[taken], left_v[taken] = tried[better], new_left[better], new_left_v[better]
                slope[taken], ohm[taken] = new_slope[better], new_ohm[better]
                going, step, length = going[~better], step[~better], length[~better] / 2
            if not moved:
                break
        return lost, left_v

    def _newton_step(self, left: Array, slope: Array, ohm: Array, part: float) -> Array:
        """By how much what is lost is too large, to first order."""

        def apply(x: Array) -> Array:
            moved = slope * x
            lost: Array = x - part * lost_v(self.crossbar, moved, ohm * moved.sum(axis=1))
            return lost

        return gmres(apply, left, _INNER, MOST_ROUNDS)

    def grow(self, place: int) -> tuple[float, tuple[Array, float] | None]:
        """One sample, by resistances that grow to what they are: how far that goes, and, if it does go all the way,

        what is lost and the largest voltage left over.
        """
        samples = np.array([place])
        lost, part, step = self.nothing(1), 0.0, _FIRST_PART
        for _ in range(_MOST_PARTS):
            if step < _LEAST_PART or self.is_late():
                break
            wanted = min(part + step, 1.0)
            tried, left_v = self.find(lost, samples, wanted)
            if self.is_settled(left_v, samples)[0]:
                if wanted == 1:
                    return 1.0, (tried[0], float(left_v[0]))
                lost, part, step = tried, wanted, 2 * step
            else:
                step /= 2
        return part, None


def largest(left: Array) -> Array:
    """(samples,) largest magnitude."""
    xp = namespace(left)
    return host(xp.max(xp.abs(left), axis=(1, 2)))


def gmres(apply: Callable[[Array], Array], right: Array, tolerance: float, most: int) -> Array:
    """Solutions of a linear system per sample, by GMRES from zero: arrays (samples, ...), as `right`.

    tolerance: of each right-hand side's norm; a sample that has reached it stays as it is.
    Ends after `most` rounds with what it has.
    """
    samples = len(right)
    flat = right.reshape(samples, -1)
    norm = _norm(flat)
    basis = [flat / beside(np.where(norm > 0, norm, 1.0), flat)[:, None]]
    hessenberg = np.zeros((samples, most + 1, most))
    weights, going = np.zeros((samples, most)), np.ones(samples, dtype=bool)
    for round_ in range(most):
        vector = apply(basis[round_].reshape(right.shape)).reshape(samples, -1)
        for place, known in enumerate(basis):
            part = (vector * known).sum(axis=1)
            hessenberg[:, place, round_] = host(part)
            vector = vector - part[:, None] * known
        length = _norm(vector)
        hessenberg[:, round_ + 1, round_] = length
        now, left = _least_squares(hessenberg[:, : round_ + 2, : round_ + 1])
        weights[going, : round_ + 1] = now[going]
        going &= left > tolerance
        if not going.any():
            break
        basis.append(vector / beside(np.where(length > 0, length, 1.0), flat)[:, None])
    solution: Array = zeros(flat.shape, flat)
    for place in range(round_ + 1):
        solution += beside(weights[:, place] * norm, flat)[:, None] * basis[place]
    return solution.reshape(right.shape)


def _norm(vectors: Array) -> Array:
    """(samples,) of vectors (samples, ...)."""
    return host(namespace(vectors).linalg.vector_norm(vectors, axis=1))


def _least_squares(hessenberg: Array) -> tuple[Array, Array]:
    """(weights (samples, rounds), what is left (samples,)) of the small systems with right-hand side (1, 0, 0, ...)."""
    q, r = np.linalg.qr(hessenberg, mode="complete")
    rounds = hessenberg.shape[2]
    first = q[:, 0, :]
    diagonal = np.abs(np.diagonal(r, axis1=1, axis2=2)[:, :rounds])
    safe = r[:, :rounds, :rounds] + np.eye(rounds) * (diagonal.min(axis=1) == 0)[:, None, None]
    weights = np.linalg.solve(safe, first[:, :rounds, None])[:, :, 0]
    return weights, np.abs(first[:, rounds])
