"""Fits a device card to measured current-voltage points."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from kanspice.devices.cards import CARD_FORMAT, MAX_DEGREE, MAX_PIECES, Device, piecewise_table
from kanspice.devices.curves import Array, PiecewisePolynomial
from kanspice.devices.extrema import Extrema
from kanspice.errors import InputError

FitKind = Literal["spline", "segments", "polynomial"]

# Residual that a smoothing spline may leave where no smoothing is given: RMS, as a share of the largest current.
DEFAULT_RESIDUAL = 0.02
DEFAULT_DEGREE = 10
MIN_POINTS = {"spline": 4, "segments": 2, "polynomial": 2}


@dataclass(frozen=True)
class FitReport:
    """How well a card's curve follows the points. Residuals and currents in current units, voltages in volts."""

    points: int
    pieces: int
    residual_rms: float
    residual_max: float
    extrema: Extrema | None


@dataclass(frozen=True)
class Identity:
    """What a new card says about its device besides numbers."""

    name: str
    source: str
    aliases: tuple[str, ...] = ()
    description: str = "Two-terminal device fitted to measured points"
    current_unit: str = "unit of the measured points"
    current_unit_a: float | None = None
    reverse: str = "clamp"


def fit_card(
    v: npt.ArrayLike,
    i: npt.ArrayLike,
    identity: Identity,
    kind: FitKind | str = "spline",
    *,
    smoothing: float | None = None,
    degree: int | None = None,
) -> tuple[Device, FitReport]:
    """Fit points v (n,), volts, strictly rising, and i (n,), current units.

    kind "spline": FITPACK smoothing spline whose squared residuals sum to about `smoothing` (default: n times the
    square of 2 % of the largest current; 0: the natural spline through every point). "segments": straight lines from
    point to point. "polynomial": least squares of `degree` (default 10). Raises InputError on options that do not
    belong to the kind, on too few or too many points, and where FITPACK does not reach the smoothing.
    """
    volts, current = np.asarray(v, dtype=np.float64), np.asarray(i, dtype=np.float64)
    _check_options(kind, smoothing, degree)
    _check_points(kind, volts, current)
    settings: dict[str, float] = {}
    if kind == "spline":
        settings["smoothing"] = _default_smoothing(current) if smoothing is None else smoothing
        curve = _spline(volts, current, settings["smoothing"])
    elif kind == "polynomial":
        settings["degree"] = min(DEFAULT_DEGREE, len(volts) - 1) if degree is None else degree
        curve = _polynomial(volts, current, int(settings["degree"]))
    else:
        curve = PiecewisePolynomial.from_segments(volts[:-1], volts[1:], current[:-1], current[1:])
    report = _report(curve, volts, current)
    device = _device(identity, curve, kind, settings, report)
    return device.with_points(volts, current, f"card of {identity.name}"), report


def _check_options(kind: str, smoothing: float | None, degree: int | None) -> None:
    if kind not in MIN_POINTS:
        raise InputError("unknown kind of fit", expected=" | ".join(MIN_POINTS), found=kind)
    if smoothing is not None and kind != "spline":
        raise InputError("--smoothing belongs to --kind spline", found=f"--kind {kind}")
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


def _polynomial(v: Array, i: Array, degree: int) -> PiecewisePolynomial:
    if degree >= len(v):
        raise InputError("the degree is too high for the points", expected=f"at most {len(v) - 1}", found=str(degree))
    return PiecewisePolynomial.polynomial(v, i, degree)


def _report(curve: PiecewisePolynomial, v: Array, i: Array) -> FitReport:
    residual = curve.numpy(v)[0] - i
    rms = float(np.sqrt(np.mean(residual**2)))
    return FitReport(len(v), len(curve.coefficients), rms, float(np.abs(residual).max()), curve.extrema())


def _device(
    identity: Identity, curve: PiecewisePolynomial, kind: str, settings: dict[str, float], report: FitReport
) -> Device:
    units: dict[str, object] = {"voltage": "V", "current": identity.current_unit}
    if identity.current_unit_a is not None:
        units["current_unit_a"] = identity.current_unit_a
    data = {
        "format": CARD_FORMAT,
        "name": identity.name,
        "aliases": list(identity.aliases),
        "description": identity.description,
        "source": identity.source,
        "reverse": identity.reverse,
        "units": units,
        "range": {"lo_v": curve.lo_v, "hi_v": curve.hi_v},
        "curve": piecewise_table(curve),
        "fit": {
            "method": kind,
            "points": report.points,
            **settings,
            "residual_rms": report.residual_rms,
            "residual_max": report.residual_max,
        },
    }
    return Device.from_dict(data, f"card of {identity.name}")
