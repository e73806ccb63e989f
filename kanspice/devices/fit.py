"""Fits a device card to measured current-voltage points."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Literal, assert_never, get_args

import numpy as np
import numpy.typing as npt

from kanspice.base.arrays import Array
from kanspice.base.errors import InputError
from kanspice.devices import smoothing as smoothing_spline
from kanspice.devices.cards import CARD_FORMAT, FAR, MAX_DEGREE, MAX_PIECES, Device, curve_table
from kanspice.devices.curves import Curve, PiecewisePolynomial
from kanspice.devices.extrema import Extrema
from kanspice.devices.instruments.spread import DeviceSpread
from kanspice.devices.law_fit import LAW_KINDS, LawFit, fit_law, least_points

FitKind = Literal["smooth", "passive", "spline", "segments", "polynomial", "rtd", "esaki", "memdiode", "bump"]
KINDS: tuple[FitKind, ...] = get_args(FitKind)

# Residual that FITPACK's spline may leave where no smoothing is given: RMS, as a share of the largest current.
DEFAULT_RESIDUAL = 0.02
DEFAULT_DEGREE = 10
MIN_POINTS: Mapping[str, int] = {
    "smooth": smoothing_spline.MIN_POINTS,
    "passive": smoothing_spline.MIN_POINTS,
    "spline": 4,
    "segments": 2,
    "polynomial": 2,
    **{kind: max(least_points(kind), smoothing_spline.MIN_POINTS) for kind in LAW_KINDS},
}
_WITH_SMOOTHING = ("spline", "passive")

# A passive curve has the knots of a smoothing spline; where they are too few, those of one that is this much closer.
_CLOSER = 0.8
_MOST_TRIES = 40


@dataclass(frozen=True)
class FitReport:
    """How well a card's curve follows the points. Residuals and currents in current units, voltages in volts.

    pieces: of the curve; 0 of a law. largest: the points' largest current, without its sign. law: of a law's fit.
    """

    points: int
    pieces: int
    largest: float
    residual_rms: float
    residual_max: float
    extrema: Extrema | None
    law: LawFit | None = None


@dataclass(frozen=True)
class CardIdentity:
    """What a new card says about its device besides numbers."""

    name: str
    source: str
    aliases: tuple[str, ...] = ()
    description: str = "Two-terminal device fitted to measured points"
    current_unit: str = "unit of the measured points"
    current_unit_a: float | None = None
    reverse: str = "clamp"
    spread: DeviceSpread | None = None


def fit_card(
    v: npt.ArrayLike,
    i: npt.ArrayLike,
    identity: CardIdentity,
    kind: FitKind | str | None = None,
    *,
    smoothing: float | None = None,
    degree: int | None = None,
) -> tuple[Device, FitReport]:
    """Fit points v (n,), volts, strictly rising, and i (n,), current units.

    kind "smooth", where none is given: a smoothing spline whose smoothing is chosen by generalised cross-validation, so
    that peak and valley stay where they are. "passive": the same without currents against the voltage, and with none
    at 0 V; with `smoothing`, a cubic spline without negative current whose squared residuals sum to that at most, of
    points from 0 V up. "spline", where a smoothing is given: FITPACK's smoothing spline whose squared residuals sum to
    about `smoothing` (default: n times the square of 2 % of the largest current; 0: the natural spline through every
    point). "segments": straight lines from point to point. "polynomial": least squares of `degree` (default 10). Raises
    InputError on options that do not belong to the kind, on too few or too many points, and where no curve of the kind
    is as close as the smoothing demands.
    """
    volts, current = np.asarray(v, dtype=np.float64), np.asarray(i, dtype=np.float64)
    chosen = _kind_of(kind, smoothing)
    _check_options(chosen, smoothing, degree)
    _check_points(chosen, volts, current)
    settings: dict[str, object] = {}
    law: LawFit | None = None
    curve: Curve
    match chosen:
        case "smooth":
            curve = smoothing_spline.smooth_curve(volts, current)
        case "passive" if smoothing is None:
            curve = smoothing_spline.passive_curve(volts, current)
        case "passive" | "spline":
            squares = settings["smoothing"] = _default_smoothing(current) if smoothing is None else smoothing
            curve = (_spline if chosen == "spline" else _passive)(volts, current, squares)
        case "segments":
            curve = PiecewisePolynomial.from_segments(volts[:-1], volts[1:], current[:-1], current[1:])
        case "polynomial":
            power = settings["degree"] = min(DEFAULT_DEGREE, len(volts) - 1) if degree is None else degree
            curve = _polynomial(volts, current, power)
        case "rtd" | "esaki" | "memdiode" | "bump":
            law = fit_law(volts, current, chosen)
            curve = law.curve
            settings |= {"law": law.law, "parameters": dict(law.parameters), "errors": dict(law.errors)}
            settings |= {"r_squared": law.r_squared, "worse": law.worse}
        case _:
            assert_never(chosen)
    report = replace(_report(curve, volts, current), law=law)
    if report.residual_rms > FAR * report.largest:
        raise InputError(
            f"no curve of --kind {chosen} is near these points",
            expected=f"residuals of at most {FAR:g} of the largest current, root mean square",
            found=f"{report.residual_rms / report.largest:.2g}",
            hint="--kind smooth" if chosen != "smooth" else "--kind segments",
        )
    device = _device(identity, curve, chosen, settings, report)
    return device.with_points(volts, current, f"card of {identity.name}"), report


def _kind_of(kind: str | None, smoothing: float | None) -> FitKind:
    if kind is None:
        return "smooth" if smoothing is None else "spline"
    for known in KINDS:
        if known == kind:
            return known
    raise InputError("unknown kind of fit", expected=" | ".join(KINDS), found=kind)


def _check_options(kind: FitKind, smoothing: float | None, degree: int | None) -> None:
    if smoothing is not None and kind not in _WITH_SMOOTHING:
        raise InputError(f"--smoothing belongs to --kind {' or '.join(_WITH_SMOOTHING)}", found=f"--kind {kind}")
    if degree is not None and kind != "polynomial":
        raise InputError("--degree belongs to --kind polynomial", found=f"--kind {kind}")
    if smoothing is not None and not (np.isfinite(smoothing) and smoothing >= 0):
        raise InputError("bad smoothing", expected="a finite number, 0 or above", found=str(smoothing))
    if degree is not None and not 1 <= degree <= MAX_DEGREE:
        raise InputError("bad degree", expected=f"1 to {MAX_DEGREE}", found=str(degree))


def _check_points(kind: str, v: Array, i: Array) -> None:
    if v.ndim != 1 or v.shape != i.shape:
        raise InputError("voltages and currents differ in shape", found=f"{v.shape} and {i.shape}")
    if not (np.isfinite(v).all() and np.isfinite(i).all() and (np.diff(v) > 0).all()):
        raise InputError("the points cannot be fitted", expected="finite numbers at strictly rising voltages")
    if not MIN_POINTS[kind] <= len(v) <= MAX_PIECES:
        raise InputError(
            f"wrong number of points for --kind {kind}",
            expected=f"{MIN_POINTS[kind]} to {MAX_PIECES}",
            found=str(len(v)),
        )


def _default_smoothing(i: Array) -> float:
    return float(len(i) * (DEFAULT_RESIDUAL * np.abs(i).max()) ** 2)


def _spline(v: Array, i: Array, smoothing: float) -> PiecewisePolynomial:
    if smoothing == 0:
        return PiecewisePolynomial.natural_spline(v, i)
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        try:
            return PiecewisePolynomial.smoothing_spline(v, i, smoothing)
        except UserWarning as warning:
            reason = " ".join(str(warning).split())[:200]
            raise InputError(
                "the smoothing spline cannot be found",
                found=f"smoothing {smoothing:g}: {reason}",
                hint="a larger --smoothing, or 0 for the spline through every point",
            ) from warning


def _passive(v: Array, i: Array, smoothing: float) -> PiecewisePolynomial:
    """Least squares of B-splines with no negative coefficient, which is enough for no negative current."""
    from scipy.interpolate import BSpline, PPoly  # noqa: PLC0415 - keeps `import kanspice.devices` fast
    from scipy.optimize import nnls  # noqa: PLC0415

    if v[0] < 0 or smoothing == 0:
        raise InputError(
            "a passive curve cannot be fitted",
            expected="points at 0 V and above, and a smoothing above 0",
            found=f"{v[0]:g} V" if v[0] < 0 else f"--smoothing {smoothing:g}",
            hint="fit the forward branch, with --reverse odd for the other" if v[0] < 0 else None,
        )
    free, closest = 1 if v[0] == 0 else 0, np.inf
    for breakpoints in _finer_and_finer(v, i, smoothing):
        knots = np.pad(breakpoints, 3, mode="edge")
        basis = BSpline.design_matrix(v, knots, 3).toarray()
        found, residual = nnls(basis[:, free:], i)
        closest = min(closest, residual**2)
        if closest <= smoothing:
            pieces = PPoly.from_spline(BSpline(knots, np.append(np.zeros(free), found), 3))
            return PiecewisePolynomial.from_authors_spline(pieces.x, pieces.c.T)
    raise InputError(
        "no curve without negative current is that close to the points",
        expected=f"squared residuals that sum to {smoothing:g}",
        found=f"{closest:.3g} at least" if np.isfinite(closest) else None,
        hint="a larger --smoothing",
    )


def _finer_and_finer(v: Array, i: Array, smoothing: float) -> Iterator[Array]:
    """Breakpoints of smoothing splines, as long as FITPACK finds some."""
    for tried in range(_MOST_TRIES):
        try:
            yield _spline(v, i, smoothing * _CLOSER**tried).breakpoints
        except InputError:
            return


def _polynomial(v: Array, i: Array, degree: int) -> PiecewisePolynomial:
    if degree >= len(v):
        raise InputError("the degree is too high for the points", expected=f"at most {len(v) - 1}", found=str(degree))
    return PiecewisePolynomial.polynomial(v, i, degree)


def _report(curve: Curve, v: Array, i: Array) -> FitReport:
    residual = curve.numpy(v)[0] - i
    rms = float(np.sqrt(np.mean(residual**2)))
    pieces = len(curve.coefficients) if isinstance(curve, PiecewisePolynomial) else 0
    return FitReport(
        len(v),
        pieces,
        float(np.abs(i).max()) or 1.0,
        rms,
        float(np.abs(residual).max()),
        curve.extrema(),
    )


def _device(identity: CardIdentity, curve: Curve, kind: str, settings: dict[str, object], report: FitReport) -> Device:
    units: dict[str, object] = {"voltage": "V", "current": identity.current_unit}
    if identity.current_unit_a is not None:
        units["current_unit_a"] = identity.current_unit_a
    data: dict[str, object] = {
        "format": CARD_FORMAT,
        "name": identity.name,
        "aliases": list(identity.aliases),
        "description": identity.description,
        "source": identity.source,
        "reverse": identity.reverse,
        "units": units,
        "range": {"lo_v": curve.lo_v, "hi_v": curve.hi_v},
        "curve": curve_table(curve),
        "fit": {
            "method": kind,
            "points": report.points,
            **settings,
            "residual_rms": report.residual_rms,
            "residual_max": report.residual_max,
        },
    }
    if identity.spread is not None:
        data["spread"] = asdict(identity.spread)
    return Device.from_dict(data, f"card of {identity.name}")
