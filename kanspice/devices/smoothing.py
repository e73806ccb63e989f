"""Smooth curves through noisy points, the smoothing chosen by generalised cross-validation."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from kanspice.base.arrays import Array
from kanspice.base.errors import InputError
from kanspice.devices.curves import PiecewisePolynomial

MIN_POINTS = 5
_SPACING = 0.1
"""Of neighbouring points in the unit that SciPy searches the smoothing in. It searches from 0 to the number of points
in steps of 1e-5, so that in volts it stops before it has begun; here the best lies inside for 20 to 2,000 points."""
_MANY_PIECES = 64
"""More than these would make netlists long: curves of so many pieces are drawn again with fewer."""
_OF_NOISE, _OF_LARGEST = 0.1, 1e-4
"""What fewer pieces may change: root mean square, of what the points are off the curve, or of the largest current."""
_FOLLOWS = 0.05
"""Of the largest current: residuals, root mean square, that no measurement has, so that they are not noise."""
_PER_PIECE = 8
_PROBES = 12
_JOINED = 1e3
"""Weight of equal slopes on both sides of 0 V, in weights of a point."""
_NEAR = 1e-9
"""Of the range: what is as good as 0 V."""
_GAUSS = 0.5 + np.array([-0.5, 0.5]) / np.sqrt(3)
"""Where a square of a straight line is integrated exactly, of a piece's length."""


def smooth_curve(v: Array, i: Array) -> PiecewisePolynomial:
    """Natural cubic smoothing spline of points v (n,), volts, strictly rising, and i (n,), n >= 5.

    The smoothing minimises the generalised cross-validation score (SciPy's make_smoothing_spline): nothing is to be
    chosen. Where the points make many pieces, neighbouring ones are merged as far as that changes a tenth of the
    residuals. Raises InputError where there is no such spline.
    """
    return _with_fewer_pieces(_cross_validated(v, i), v, i)


def noise_of(v: Array, i: Array) -> float:
    """Standard deviation of the noise of points v, i (n,), as the smooth curve through them has it, in units of i.

    Its residuals over the degrees of freedom that it leaves, whose number is estimated with random signs.
    """
    from scipy.interpolate import make_smoothing_spline  # noqa: PLC0415

    curve = _cross_validated(v, i)
    residual = i - curve.numpy(v)[0]
    unit = _unit(v)
    smoothing, x = _smoothing_of(curve, v, i) / unit**3, (v - v[0]) / unit
    draw = np.random.default_rng(0)
    followed = []
    for _ in range(_PROBES):
        signs = draw.choice([-1.0, 1.0], len(v))
        followed.append(float(signs @ make_smoothing_spline(x, signs, lam=smoothing)(x)))
    freedom = max(len(v) - float(np.mean(followed)), 1.0)
    return float(np.sqrt(float(residual @ residual) / freedom))


def passive_curve(v: Array, i: Array) -> PiecewisePolynomial:
    """As `smooth_curve`, among the curves whose current has the sign of the voltage, and that carry none at 0 V."""
    from scipy.interpolate import BSpline, PPoly  # noqa: PLC0415 - keeps `import kanspice.devices` fast
    from scipy.optimize import nnls  # noqa: PLC0415

    free = _cross_validated(v, i)
    smoothing, largest = _smoothing_of(free, v, i), float(np.abs(i).max()) or 1.0
    breakpoints = _with_fewer_pieces(free, v, i).breakpoints
    span = float(v[-1] - v[0])
    near = _NEAR * span
    inside = bool(v[0] < -near and v[-1] > near)
    if inside:
        breakpoints = np.sort(np.append(breakpoints[np.abs(breakpoints) > near], 0.0))
    knots = np.pad(np.sort(np.append(breakpoints, np.zeros(2 * inside))), 3, mode="edge")
    count = len(knots) - 4
    middles = np.array([knots[k + 1 : k + 4].mean() for k in range(count)])  # where a coefficient acts
    sign = np.where(middles < 0, -1.0, 1.0)
    at_zero = np.abs(middles) <= near
    basis = BSpline.design_matrix(v, knots, 3).toarray()
    bends, weights = _bends(breakpoints, knots)
    rows = [basis, np.sqrt(smoothing * weights)[:, None] * bends]
    if inside:
        slopes = BSpline(knots, np.eye(count), 3).derivative()
        rows.append(_JOINED * span * (slopes([0.0]) - slopes([-near])))
    matrix = np.concatenate(rows) * sign
    wanted = np.concatenate([i / largest, np.zeros(len(matrix) - len(i))])
    found = np.zeros(count)
    found[~at_zero], _ = nnls(matrix[:, ~at_zero], wanted, maxiter=30 * count)
    pieces = PPoly.from_spline(BSpline(knots, largest * sign * found, 3))
    return PiecewisePolynomial.from_authors_spline(pieces.x, pieces.c.T)


def _cross_validated(v: Array, i: Array) -> PiecewisePolynomial:
    """The spline with the best score; through every point where that is none that follows the points.

    Of a few points the best may be a straight line, although they have a peak.
    """
    best = _best(v, i)
    residual = best.numpy(v)[0] - i
    if float(np.sqrt(np.mean(residual**2))) > _FOLLOWS * float(np.abs(i).max()):
        return PiecewisePolynomial.natural_spline(v, i)
    return best


def _best(v: Array, i: Array) -> PiecewisePolynomial:
    from scipy.interpolate import PPoly, make_smoothing_spline  # noqa: PLC0415

    unit, largest = _unit(v), float(np.abs(i).max()) or 1.0
    try:
        spline: Any = make_smoothing_spline((v - v[0]) / unit, i / largest)
    except (ValueError, np.linalg.LinAlgError) as error:
        raise InputError(
            "no smooth curve can be found for the points",
            found=" ".join(str(error).split())[:200],
            hint="--kind spline --smoothing S, or --kind segments",
        ) from error
    pieces = PPoly.from_spline(spline)
    real = np.diff(pieces.x) != 0
    return PiecewisePolynomial(v, largest * pieces.c[::-1, real].T / unit ** np.arange(4))


def _unit(v: Array) -> float:
    """Volts in the unit that the smoothing is searched in."""
    return float(v[-1] - v[0]) / (len(v) - 1) / _SPACING


def _smoothing_of(curve: PiecewisePolynomial, v: Array, i: Array) -> float:
    """The weight of the integral of the squared second derivative beside the sum of squared residuals.

    A smoothing spline's residuals are so many times the jumps of its third derivative.
    """
    jumps = np.diff(6 * curve.coefficients[:, 3], prepend=0.0, append=0.0)
    size = float(jumps @ jumps)
    return max(float((i - curve.numpy(v)[0]) @ jumps) / size, 0.0) if size else 0.0


def _bends(breakpoints: Array, knots: Array) -> tuple[Array, Array]:
    """Second derivatives of the B-splines (2 pieces, splines), and weights with which their squares are integrated."""
    from scipy.interpolate import BSpline  # noqa: PLC0415

    lengths = np.diff(breakpoints)
    at = (breakpoints[:-1, None] + lengths[:, None] * _GAUSS).ravel()
    return BSpline(knots, np.eye(len(knots) - 4), 3)(at, nu=2), np.repeat(lengths / 2, 2)


def _with_fewer_pieces(curve: PiecewisePolynomial, v: Array, i: Array) -> PiecewisePolynomial:
    if len(curve.coefficients) <= _MANY_PIECES:
        return curve
    noise = float(np.sqrt(np.mean((curve.numpy(v)[0] - i) ** 2)))
    allowed = max(_OF_NOISE * noise, _OF_LARGEST * float(np.abs(i).max()))
    lengths = np.diff(curve.breakpoints)
    between = curve.breakpoints[:-1, None] + lengths[:, None] * np.arange(_PER_PIECE) / _PER_PIECE
    fewer = redrawn(curve, np.append(between.ravel(), curve.hi_v), allowed)
    return fewer if len(fewer.coefficients) < len(curve.coefficients) else curve


def redrawn(curve: PiecewisePolynomial, v: Array, allowed: float) -> PiecewisePolynomial:
    """A curve from v[0] to v[-1] of as few cubic pieces as stay within `allowed`, root mean square at v (n,).

    The curve itself where FITPACK finds none that is that close.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        try:
            return PiecewisePolynomial.smoothing_spline(v, curve.numpy(v)[0], len(v) * allowed**2)
        except UserWarning:
            return curve
