"""Current-voltage curves: one definition of each, evaluated in torch and NumPy and written for ngspice.

Voltages are in volts, currents in the card's own current unit (the unit of the paper that published the device).
Every curve keeps its end value outside [lo_v, hi_v], so its differential conductance there is zero.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Self, final

import numpy as np
import numpy.typing as npt

from kanspice.base.arrays import Array
from kanspice.base.errors import InputError
from kanspice.base.spice_numbers import spice_number
from kanspice.base.traced import is_traced, tensor_of, traced
from kanspice.devices.extrema import Extrema, find_extrema

if TYPE_CHECKING:
    from torch import Tensor


# Largest jump at a breakpoint, relative to the largest current of the curve, that still counts as continuous.
CONTINUITY = 1e-9
# Jump that rounding may add, in units of machine precision times the sum of a piece's absolute terms.
ROUNDING = 64

# Significant digits that ngspice keeps of a number in an expression.
_KEPT_DIGITS = 11


def spice_literal(value: float) -> str:
    """`value` as an operand of an ngspice expression, exact to the last bit.

    ngspice rewrites every number of a B source's expression with 11 significant digits (measured on version 39), which
    is far too coarse for the cancelling terms of a polynomial. Numbers with more digits are therefore written as a sum
    of two short ones.
    """
    leading = float(f"{value:.{_KEPT_DIGITS - 1}e}")
    rest = value - leading
    if rest == 0:
        text = spice_number(value)
        return f"({text})" if text.startswith("-") else text
    sign = "+" if rest > 0 else "-"
    return f"({spice_number(leading)}{sign}{abs(rest):.{_KEPT_DIGITS - 1}e})"


class Curve(ABC):
    """A static two-terminal law I = phi(V), clamped to its end values outside [lo_v, hi_v]."""

    lo_v: float
    hi_v: float

    @abstractmethod
    def torch(self, v: Tensor) -> Tensor:
        """Current (same shape as `v`, float64), differentiable; the gradient is 0 where the curve is clamped."""

    @abstractmethod
    def numpy(self, v: npt.ArrayLike) -> tuple[Array, Array]:
        """Current and dI/dV, both in the shape of `v`.

        dI/dV is 0 strictly outside [lo_v, hi_v]. At a corner it is the right-hand derivative, except at hi_v, where it
        is the left-hand one: both ends of the range count as inside. `torch` and ngspice take the same sides.
        """

    def currents(self, v: Array) -> Array:
        """The current alone, in the shape of `v`, which may be traced."""
        if not is_traced(v):
            return self.numpy(v)[0]
        current: Array = traced(self.torch(tensor_of(v)))
        return current

    @abstractmethod
    def spice(self, argument: str) -> str:
        """The curve as an ngspice expression of `argument` (text such as `x` or `v(a,b)`), clamp included.

        Meant for the body of `.func phi(x) {...}` and for B sources: no `^`, and numbers exact to the last bit.
        """

    @abstractmethod
    def spice_derivative(self, argument: str) -> str:
        """dI/dV as an ngspice expression of `argument`; sides at corners as in `numpy`."""

    @abstractmethod
    def stretched(self, factor: float) -> Self:
        """The curve with its voltage axis multiplied by `factor`: phi(v / factor). InputError unless it is positive."""

    @abstractmethod
    def odd(self) -> Self:
        """The curve on [0, hi_v], continued to [-hi_v, 0] by point symmetry about (0, phi(0)).

        InputError unless 0 V lies in the range, below hi_v.
        """

    def extrema(self) -> Extrema | None:
        """Main peak and valley, or None for a curve that has no local maximum."""
        return find_extrema(self)

    def clamped_spice(self, x: str, inside: str) -> str:
        """`inside` where lo_v <= `x` <= hi_v and the curve's end values elsewhere, as an ngspice expression."""
        (low_i, high_i), _ = self.numpy([self.lo_v, self.hi_v])
        return self._ranged_spice(x, inside, low_i, high_i)

    def flattened_spice(self, x: str, inside: str) -> str:
        """`inside` where lo_v <= `x` <= hi_v and zero elsewhere, as a clamped curve's slope."""
        return self._ranged_spice(x, inside, 0.0, 0.0)

    def _ranged_spice(self, x: str, inside: str, below: float, above: float) -> str:
        high = f"({x} > {spice_literal(self.hi_v)} ? {spice_literal(above)} : {inside})"
        return f"({x} < {spice_literal(self.lo_v)} ? {spice_literal(below)} : {high})"

    def check_stretch(self, factor: float) -> None:
        """InputError unless `factor` can multiply a voltage axis."""
        if not (np.isfinite(factor) and factor > 0):
            raise InputError(
                "cannot stretch a curve by this factor", expected="a finite number above 0", found=str(factor)
            )

    def check_mirror(self) -> None:
        """InputError unless the curve can be mirrored at 0 V."""
        if not self.lo_v <= 0.0 < self.hi_v:
            raise InputError(
                "an odd reverse branch needs the curve at 0 V and above",
                expected="lo_v <= 0 < hi_v",
                found=f"lo_v = {self.lo_v:g}, hi_v = {self.hi_v:g}",
                hint='reverse = "clamp"',
            )


@final
@dataclass(frozen=True, eq=False)
class PiecewisePolynomial(Curve):
    """Continuous piecewise polynomial.

    breakpoints: (n + 1,), volts, strictly increasing.
    coefficients: (n, degree + 1); row k holds ascending powers of (v - breakpoints[k]), so column j has the unit
    current unit / V^j.
    Raises InputError on wrong shapes, non-finite numbers, unsorted breakpoints, or a jump between two pieces.
    """

    breakpoints: Array
    coefficients: Array
    lo_v: float = field(init=False)
    hi_v: float = field(init=False)

    def __post_init__(self) -> None:
        for name in ("breakpoints", "coefficients"):
            frozen = np.array(getattr(self, name), dtype=np.float64)
            frozen.flags.writeable = False
            object.__setattr__(self, name, frozen)
        _check_tables(self.breakpoints, self.coefficients)
        object.__setattr__(self, "lo_v", float(self.breakpoints[0]))
        object.__setattr__(self, "hi_v", float(self.breakpoints[-1]))

    @classmethod
    def from_segments(
        cls, v0: npt.ArrayLike, v1: npt.ArrayLike, i0: npt.ArrayLike, i1: npt.ArrayLike
    ) -> PiecewisePolynomial:
        """Straight lines from (v0[k], i0[k]) to (v1[k], i1[k]), each (n,), joined end to start in rising order."""
        start, end, low, high = (np.asarray(column, dtype=np.float64) for column in (v0, v1, i0, i1))
        if np.any(np.abs(end[:-1] - start[1:]) > CONTINUITY * np.ptp(np.append(start, end))):
            raise InputError("the segments do not join", expected="v1 of each segment = v0 of the next")
        breakpoints = np.append(start, end[-1])
        lengths = np.diff(breakpoints)
        if np.any(lengths <= 0):
            raise InputError("the segments are not in rising order", expected="v0 < v1 in each segment")
        return cls(breakpoints, np.stack([low, (high - low) / lengths], axis=1))

    @classmethod
    def natural_spline(cls, v: npt.ArrayLike, i: npt.ArrayLike) -> PiecewisePolynomial:
        """Interpolating cubic spline through points (n,) with zero curvature at both ends."""
        from scipy.interpolate import CubicSpline  # noqa: PLC0415 - keeps `import kanspice.devices` fast

        spline = CubicSpline(v, i, bc_type="natural")
        return cls(spline.x, spline.c[::-1].T)

    @classmethod
    def smoothing_spline(cls, v: npt.ArrayLike, i: npt.ArrayLike, smoothing: float) -> PiecewisePolynomial:
        """FITPACK's cubic smoothing spline: few knots, sum of squared residuals close to `smoothing`.

        v, i: points (n,), n >= 4; smoothing: in current units squared, above 0.
        The published KANalogue curves are this function of their points (SciPy's UnivariateSpline).
        """
        from scipy.interpolate import PPoly, UnivariateSpline  # noqa: PLC0415

        spline = UnivariateSpline(v, i, s=smoothing)
        pieces = PPoly.from_spline(spline._eval_args)
        return cls.from_authors_spline(pieces.x, pieces.c.T)

    @classmethod
    def polynomial(cls, v: npt.ArrayLike, i: npt.ArrayLike, degree: int) -> PiecewisePolynomial:
        """One polynomial of `degree`, the least-squares fit of points (n,), n > degree.

        Above degree 5 it is stored as local expansions of the same polynomial, one for every three degrees: a single
        expansion from the range's lower end cancels terms a million times larger than the current.
        """
        volts, current = np.asarray(v, dtype=np.float64), np.asarray(i, dtype=np.float64)
        fitted = np.polynomial.Polynomial.fit(volts, current, degree)
        offset, scale = (Fraction(float(value)) for value in fitted.mapparms())
        exact = np.zeros(degree + 1, dtype=object)
        exact[: fitted.coef.size] = [Fraction(value) for value in fitted.coef.tolist()]
        return cls._expanded(exact, volts[0], volts[-1], offset, scale)

    @classmethod
    def power_series(cls, coefficients: npt.ArrayLike, lo_v: float, hi_v: float) -> PiecewisePolynomial:
        """The polynomial with ascending `coefficients` (degree + 1,) in powers of the voltage, from lo_v to hi_v.

        Stored as `polynomial` stores one. InputError unless lo_v < hi_v and all numbers are finite.
        """
        table = np.asarray(coefficients, dtype=np.float64)
        if not (np.isfinite(table).all() and np.isfinite([lo_v, hi_v]).all() and lo_v < hi_v):
            raise InputError(
                "the numbers are no polynomial", expected="finite coefficients and a range in rising order"
            )
        exact = np.array([Fraction(value) for value in table.tolist()], dtype=object)
        return cls._expanded(exact, lo_v, hi_v, Fraction(0), Fraction(1))

    @classmethod
    def _expanded(
        cls, exact: npt.NDArray[np.object_], lo_v: float, hi_v: float, offset: Fraction, scale: Fraction
    ) -> PiecewisePolynomial:
        """Local expansions of sum_k exact[k] (offset + scale v)^k, each rounded once."""
        degree = len(exact) - 1
        breakpoints = np.linspace(lo_v, hi_v, 2 if degree <= 5 else 1 + math.ceil(degree / 3))
        rows = [_composed(exact, offset + scale * Fraction(b), scale) for b in breakpoints[:-1].tolist()]
        try:
            return cls(breakpoints, np.array(rows, dtype=np.float64))
        except OverflowError as error:
            raise InputError("the polynomial overflows inside its range") from error

    @classmethod
    def from_authors_spline(cls, knots: npt.ArrayLike, coefficients: npt.ArrayLike) -> PiecewisePolynomial:
        """KANalogue's table: row k of `coefficients` (n, 4) is a, b, c, d of a x^3 + b x^2 + c x + d, x = v - knots[k].

        knots: (n + 1,), volts; its repeated end knots make pieces of length zero, which are skipped.
        """
        t, table = np.asarray(knots, dtype=np.float64), np.asarray(coefficients, dtype=np.float64)
        if t.ndim != 1 or table.ndim != 2 or len(table) != len(t) - 1:
            raise InputError(
                "the spline's two tables do not fit together",
                expected="one row of coefficients fewer than knots",
                found=f"{len(table)} rows and {len(t)} knots",
            )
        real = np.diff(t) != 0
        return cls(np.append(t[:-1][real], t[-1]), table[real, ::-1])

    def torch(self, v: Tensor) -> Tensor:
        import torch  # noqa: PLC0415 - torch takes a second to import

        breakpoints = torch.tensor(self.breakpoints, device=v.device)
        columns = torch.tensor(self.coefficients.T, device=v.device)
        inside = v.to(torch.float64).clamp(self.lo_v, self.hi_v)
        piece = torch.bucketize(inside.detach(), breakpoints[1:-1], right=True)
        x = inside - breakpoints[piece]
        current = columns[-1][piece]
        for column in reversed(columns[:-1].unbind()):
            current = current * x + column[piece]
        return current

    def numpy(self, v: npt.ArrayLike) -> tuple[Array, Array]:
        volts = np.asarray(v, dtype=np.float64)
        inside = np.clip(volts, self.lo_v, self.hi_v)
        piece = np.searchsorted(self.breakpoints[1:-1], inside, side="right")
        x = inside - self.breakpoints[piece]
        current, slope = np.zeros_like(x), np.zeros_like(x)
        for column in self.coefficients.T[::-1]:
            slope = slope * x + current
            current = current * x + column[piece]
        return current, np.where((volts < self.lo_v) | (volts > self.hi_v), 0.0, slope)

    def spice(self, argument: str) -> str:
        x = f"({argument})"
        return self.clamped_spice(x, self._tree(x, self.coefficients, 0, len(self.coefficients)))

    def spice_derivative(self, argument: str) -> str:
        x = f"({argument})"
        powers = np.arange(1, self.coefficients.shape[1])
        slopes = self.coefficients[:, 1:] * powers if powers.size else np.zeros((len(self.coefficients), 1))
        return self.flattened_spice(x, self._tree(x, slopes, 0, len(slopes)))

    def _tree(self, x: str, rows: Array, first: int, stop: int) -> str:
        """Pieces first .. stop - 1 as balanced nested conditionals; `rows` are ascending coefficients per piece."""
        if stop - first == 1:
            return _horner_text(f"({x}-{spice_literal(self.breakpoints[first])})", rows[first])
        middle = (first + stop) // 2
        below, above = self._tree(x, rows, first, middle), self._tree(x, rows, middle, stop)
        return f"({x} < {spice_literal(self.breakpoints[middle])} ? {below} : {above})"

    def stretched(self, factor: float) -> PiecewisePolynomial:
        self.check_stretch(factor)
        if factor == 1:  # as almost always, for each of many small crossbars
            return self
        powers = np.arange(self.coefficients.shape[1])
        return PiecewisePolynomial(self.breakpoints * factor, self.coefficients / factor**powers)

    def odd(self) -> PiecewisePolynomial:
        self.check_mirror()
        forward = self._from_zero()
        lengths = np.diff(forward.breakpoints)
        reverse = -np.array([_composed(row, h, -1.0) for row, h in zip(forward.coefficients, lengths, strict=True)])[
            ::-1
        ]
        reverse[:, 0] += 2 * forward.coefficients[0, 0]
        return PiecewisePolynomial(
            np.concatenate([-forward.breakpoints[:0:-1], forward.breakpoints]),
            np.concatenate([reverse, forward.coefficients]),
        )

    def _from_zero(self) -> PiecewisePolynomial:
        """The part of the curve on [0, hi_v]."""
        first = int(np.searchsorted(self.breakpoints[1:-1], 0.0, side="right"))
        coefficients = self.coefficients[first:].copy()
        coefficients[0] = _composed(coefficients[0], -self.breakpoints[first], 1.0)
        return PiecewisePolynomial(np.append(0.0, self.breakpoints[first + 1 :]), coefficients)


def _check_tables(breakpoints: Array, coefficients: Array) -> None:
    """InputError unless the two tables are a continuous piecewise polynomial."""
    if breakpoints.ndim != 1 or coefficients.ndim != 2 or not 0 < len(coefficients) == len(breakpoints) - 1:
        raise InputError(
            "the tables of the piecewise polynomial do not fit together",
            expected="breakpoints (n + 1,) and coefficients (n, degree + 1), n >= 1",
            found=f"{breakpoints.shape} and {coefficients.shape}",
        )
    if not (np.isfinite(breakpoints).all() and np.isfinite(coefficients).all()):
        raise InputError("the piecewise polynomial holds a number that is not finite")
    if np.any(np.diff(breakpoints) <= 0):
        worst = int(np.argmin(np.diff(breakpoints)))
        raise InputError(
            "the breakpoints are not strictly increasing",
            found=f"{breakpoints[worst]:g} then {breakpoints[worst + 1]:g} (breakpoints {worst} and {worst + 1})",
        )
    _check_continuity(breakpoints, coefficients)


def _check_continuity(breakpoints: Array, coefficients: Array) -> None:
    lengths = np.diff(breakpoints)
    with np.errstate(over="ignore", invalid="ignore"):
        ends = np.polynomial.polynomial.polyval(lengths, coefficients.T, tensor=False)
        terms = np.polynomial.polynomial.polyval(lengths, np.abs(coefficients.T), tensor=False)
    if not np.isfinite(terms).all():
        raise InputError("the piecewise polynomial overflows inside its range")
    scale = max(np.abs(coefficients[:, 0]).max(), np.abs(ends).max())
    rounding = ROUNDING * np.finfo(np.float64).eps * terms.max()  # high degrees cancel large terms
    jumps = np.abs(ends[:-1] - coefficients[1:, 0])
    if np.any(jumps > CONTINUITY * scale + rounding):
        worst = int(np.argmax(jumps))
        raise InputError(
            f"the curve jumps at {breakpoints[worst + 1]:g} V",
            expected=f"neighbouring pieces that meet within {CONTINUITY:g} of the largest current",
            found=f"{ends[worst]:g} on the left, {coefficients[worst + 1, 0]:g} on the right",
        )


def _horner_text(x: str, row: Array) -> str:
    """Polynomial with ascending coefficients `row` in nested form; trailing zeros are left out."""
    used = np.trim_zeros(row, "b")
    text = spice_literal(used[-1]) if used.size else spice_literal(0.0)
    for coefficient in used[-2::-1]:
        text = f"({spice_literal(coefficient)}+{x}*{text})"
    return text


def _composed(row: Any, offset: Any, factor: Any) -> Any:
    """Ascending coefficients of p(offset + factor x), for floats or, exactly, for an object array of fractions."""
    result = row * 0
    for coefficient in row[::-1]:
        result = offset * result + factor * np.roll(result, 1)
        result[0] += coefficient
    return result
