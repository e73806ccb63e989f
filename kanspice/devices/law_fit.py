"""Device laws fitted to points, with errors of their parameters: lmfit's least squares from several starts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any, Literal, get_args

import numpy as np

from kanspice.base.arrays import Array
from kanspice.base.errors import InputError
from kanspice.devices.analytic import Analytic
from kanspice.devices.curves import Curve
from kanspice.devices.extrema import Extrema
from kanspice.devices.laws import numpy_forms
from kanspice.devices.series_resistance import behind
from kanspice.devices.smoothing import noise_of, redrawn, smooth_curve

LawKind = Literal["rtd", "esaki", "memdiode", "bump"]
LAW_KINDS: tuple[LawKind, ...] = get_args(LawKind)
SERIES = "series"
"""The resistance in series among a law's parameters: volts per unit of current."""
_TRIED = 8
"""Starts that are followed, of all those that there are: the ones that are nearest already."""
_SPAN = 12.0
"""Natural logarithm of how far a parameter may go from where it began."""
_GRID = 4001
_FEWER = 1e-5
"""Of the largest current: what a curve behind a resistance may lose when it is drawn with few pieces."""
_NO_NOISE = 1e-6
"""Of the largest current: noise that is none."""
_NOTHING = 1e-6
"""Of volts over the largest current: a resistance that is none."""


@dataclass(frozen=True)
class LawFit:
    """A law as it fits points.

    curve: it, behind its resistance. law: its name in the registry. parameters: their values, in volts and current
    units; errors: standard errors of those that the points determine. fixed: names of those that were not fitted.
    r_squared: the part of the currents' variance that it explains. worse: the points' scatter about it over their
    scatter about a smooth curve, each per degree of freedom: 1 for the law that the points are of.
    """

    curve: Curve
    law: str
    parameters: Mapping[str, float]
    errors: Mapping[str, float]
    fixed: tuple[str, ...]
    r_squared: float
    worse: float


@dataclass(frozen=True)
class _Features:
    """What starts are made of, currents in the largest one. extrema: None where the curve never falls."""

    extrema: Extrema | None
    end_v: float
    end_i: float


@dataclass(frozen=True)
class _Recipe:
    """How one kind of law is fitted. fixed: parameters that are not. amplitudes: those in units of current."""

    law: str
    starts: Callable[[_Features], Iterator[dict[str, float]]]
    amplitudes: tuple[str, ...]
    fixed: Mapping[str, float]
    at_most: Mapping[str, float]
    falls: bool


def _peak(features: _Features) -> Extrema:
    assert features.extrema is not None  # noqa: S101 - asked for by the recipe
    return features.extrema


def _rising(features: _Features, left: float) -> Iterator[tuple[float, float]]:
    """Amplitude and voltage of exponentials that carry what is left at the end."""
    for volts in features.end_v * np.array([0.03, 0.06, 0.12, 0.25, 0.6]):
        yield max(left, 1e-3) / np.expm1(features.end_v / volts), float(volts)


def _esaki(features: _Features) -> Iterator[dict[str, float]]:
    peak = _peak(features)
    tunnels = peak.peak_i * features.end_v / peak.peak_v * np.exp(1 - features.end_v / peak.peak_v)
    for i_s, v_s in _rising(features, features.end_i - tunnels):
        yield {"ip": peak.peak_i, "vp": peak.peak_v, "i_s": i_s, "v_s": v_s}


def _resonant(features: _Features) -> Iterator[dict[str, float]]:
    peak, thermal = _peak(features), 0.02585
    ways = product([0.03, 0.1, 0.3], [0.03, 0.1, 0.3], [0.5, 2.0, 10.0], _rising(features, features.end_i))
    for n1, sharp, deep, (h, v_s) in ways:
        c = n1 * peak.peak_v
        supply = np.logaddexp(0, (deep + 2) * c / thermal) - np.logaddexp(0, deep * c / thermal)
        a = peak.peak_i / (max(supply, 1e-3) * np.pi / 2)
        yield {"a": a, "b": (1 + deep) * c, "c": c, "d": sharp * c, "n1": n1, "n2": thermal / v_s, "h": h}


def _bump(features: _Features) -> Iterator[dict[str, float]]:
    peak = _peak(features)
    for width, series in product([0.3, 0.5, 0.8], [1e-3, 0.1, 0.3]):
        height = max(peak.peak_i - max(peak.valley_i, 0.0), 0.1 * peak.peak_i)
        yield {
            "a": height,
            "mu": peak.peak_v * (1 - series),
            "sigma": width * peak.peak_v,
            "g": max(peak.valley_i, 0.01) / peak.valley_v,
            SERIES: series * peak.peak_v / peak.peak_i,
        }


def _memdiode(features: _Features) -> Iterator[dict[str, float]]:
    for steep, beta, series in product([2.0, 5.0, 10.0, 20.0], [0.5, 0.9], [1e-3, 0.2, 0.5]):
        alpha = steep / features.end_v / (1 - series)
        drop = series * features.end_v
        i_0 = features.end_i / np.expm1(beta * alpha * (features.end_v - drop))
        yield {"i_0": i_0, "alpha": alpha, "beta": beta, SERIES: drop / features.end_i}


_RECIPES: Mapping[LawKind, _Recipe] = {
    "rtd": _Recipe("resonant_tunnelling", _resonant, ("a", "h"), {"temperature_k": 300.0}, {}, True),
    "esaki": _Recipe("esaki_tunnelling", _esaki, ("ip", "i_s"), {}, {}, True),
    "memdiode": _Recipe("memdiode", _memdiode, ("i_0",), {}, {"beta": 1.0}, False),
    "bump": _Recipe("gaussian_bump", _bump, ("a", "g"), {}, {}, True),
}


def least_points(kind: LawKind) -> int:
    """How many points a law needs: one more than it has free parameters."""
    example = _Features(Extrema(0.1, 1.0, 0.5, 0.1), 1.0, 1.0)
    return len(next(_RECIPES[kind].starts(example))) + 1


def fit_law(v: Array, i: Array, kind: LawKind) -> LawFit:
    """The law of this kind that is nearest to points v (n,), volts, and i (n,), by least squares.

    All free parameters are positive. Raises InputError without lmfit, where the points have no peak that the law needs,
    and where no law is found.
    """
    recipe, largest = _RECIPES[kind], float(np.abs(i).max()) or 1.0
    smooth = smooth_curve(v, i / largest)
    features = _Features(smooth.extrema(), float(v[-1]), float(smooth.numpy(v[-1])[0]))
    if features.end_v <= 0 or features.end_i <= 0 or (recipe.falls and not _falls(features)):
        raise InputError(
            f"--kind {kind} does not belong to these points",
            expected="a peak at a positive voltage, and a valley behind it" if recipe.falls else "a current that rises",
            hint="--kind smooth",
        )
    problem = _Problem(recipe, v, i / largest)
    found = problem.best(features)
    values, errors = _in_units(found, recipe, largest)
    series = values[SERIES] if values.get(SERIES, 0.0) > _NOTHING * features.end_v / largest else 0.0
    own = {name: value for name, value in values.items() if name != SERIES}
    curve: Curve = Analytic(recipe.law, {**own, **recipe.fixed}, float(v[0]), float(v[-1]))
    if SERIES in values:
        own_curve = Analytic(recipe.law, {**own, **recipe.fixed}, min(float(v[0]), 0.0), float(v[-1]))
        try:
            whole = behind(own_curve, series)
        except InputError as error:
            raise InputError(
                f"the law {recipe.law} that is nearest to these points has several currents at one voltage",
                found=f"a resistance of {series:.3g} volts per unit of current in series",
                hint="--kind smooth",
            ) from error
        curve = redrawn(whole, np.linspace(v[0], v[-1], _GRID), _FEWER * largest)
    residual = curve.numpy(v)[0] - i
    scatter = float(np.sqrt(residual @ residual / (len(v) - len(values))))
    explained = 1 - float(np.sum(residual**2)) / float(np.sum((i - i.mean()) ** 2))
    worse = scatter / max(noise_of(v, i), _NO_NOISE * largest)
    return LawFit(curve, recipe.law, {**values, **recipe.fixed}, errors, tuple(recipe.fixed), explained, worse)


def _falls(features: _Features) -> bool:
    extrema = features.extrema
    return extrema is not None and extrema.peak_v > 0 and extrema.peak_i > 0


@dataclass(frozen=True)
class _Problem:
    """Least squares of one law: v (n,), and i (n,) in the largest current."""

    recipe: _Recipe
    v: Array
    i: Array

    def best(self, features: _Features) -> Any:
        """lmfit's result of the start that ends nearest to the points."""
        lmfit = _lmfit()
        starts = [self._parameters(lmfit, start) for start in self.recipe.starts(features)]
        nearest = sorted(starts, key=lambda start: float(np.sum(self.residual(start) ** 2)))[:_TRIED]
        found = [lmfit.minimize(self.residual, start, method="leastsq") for start in nearest]
        best = min(found, key=lambda result: float(result.chisqr))
        if not np.isfinite(best.chisqr) or best.chisqr >= float(np.sum(self.i**2)):
            raise InputError(
                f"the law {self.recipe.law} cannot be fitted to these points",
                found=f"residuals of {np.sqrt(best.chisqr / len(self.i)):.2%} of the largest current, at the least",
                hint="--kind smooth",
            )
        return best

    def residual(self, parameters: Any) -> Array:
        """Of every point (n,)."""
        return self.current(_values(parameters)) - self.i

    def current(self, values: Mapping[str, float]) -> Array:
        """(n,) of the law with these parameters; far off where it would have several currents at one voltage."""
        law, _ = numpy_forms(self.recipe.law)
        own = [value for name, value in ({**values, **self.recipe.fixed}).items() if name != SERIES]
        with np.errstate(all="ignore"):
            if SERIES not in values:
                return _finite(law(self.v, *own))
            inside = np.linspace(min(float(self.v[0]), 0.0), float(self.v[-1]), _GRID)
            through = _finite(law(inside, *own))
        whole = inside + values[SERIES] * through
        return np.interp(self.v, np.maximum.accumulate(whole), through)

    def _parameters(self, lmfit: Any, start: Mapping[str, float]) -> Any:
        """Natural logarithms of the parameters: they are positive, and of very different size."""
        parameters = lmfit.Parameters()
        for name, value in start.items():
            log = float(np.log(value))
            most = float(np.log(self.recipe.at_most.get(name, np.inf)))
            parameters.add(name, value=log, min=log - _SPAN, max=min(log + _SPAN, most))
        return parameters


def _lmfit() -> Any:
    try:
        import lmfit  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise InputError(
            "the laws of devices are fitted by lmfit, which is not installed", hint="pip install 'kanspice[devices]'"
        ) from error
    return lmfit


def _finite(current: Array) -> Array:
    return np.clip(np.nan_to_num(current, nan=1e3, posinf=1e3, neginf=-1e3), -1e3, 1e3)


def _values(parameters: Any) -> dict[str, float]:
    return {name: float(np.exp(each.value)) for name, each in parameters.items()}


def _in_units(found: Any, recipe: _Recipe, largest: float) -> tuple[dict[str, float], dict[str, float]]:
    """Values, and errors of those that have one smaller than the value, in volts and the points' unit of current."""
    values, errors = _values(found.params), {}
    for name in values:
        values[name] *= largest if name in recipe.amplitudes else 1 / largest if name == SERIES else 1.0
        relative = found.params[name].stderr
        if relative is not None and np.isfinite(relative) and relative < 1:
            errors[name] = values[name] * float(relative)
    return values, errors
