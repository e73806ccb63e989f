"""Section II-C of the KirchhoffNet paper: how small the scale a may be, by what limits real circuits have.

The paper scales capacitors by a, and with it all times, and says that 1 fF makes an inference last femtoseconds. That
holds with branches that carry an ampere at a volt; with a unit current of 1 uA, as here, 1 fF takes a million times as
long, and nothing real is as fast as either.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np

import kanspice
from benchmarks.papers.data import MissingDataError
from benchmarks.papers.regression import DATA, trained
from benchmarks.papers.rows import Row, Rows, Setting, known
from kanspice.base.arrays import Array
from kanspice.families.loading import LoadedModel

CAPACITANCES_F = tuple(float(f"{c:.3g}") for c in np.logspace(-17, -11, 7))
LIMITS: dict[str, tuple[str, ...]] = {
    "none": (),
    "noise": ("kirchhoffnet.noise_k=300",),
    "clock": ("kirchhoffnet.clock_s=3e-10",),
    "jitter": ("kirchhoffnet.jitter_sigma_s=1e-12",),
    "bandwidth": ("branches.bandwidth_hz=1e10",),
    "parasitics": ("kirchhoffnet.parasitic_f=1e-15", "branches.parasitic_f=1e-17"),
}
"""kT/C at room temperature; switching and sampling at 3.3 GHz, a picosecond unsure; branches with a pole at 10 GHz; 1
fF at each node, and 10 aF at each end of a branch."""
ALL = tuple(setting for limit in LIMITS.values() for setting in limit)
ALLOWED = (0.1, 0.01, 0.001)
"""Relative gaps that the fastest circuit is looked for at."""
NETWORKS = ("two moons, published", "Friedman #1, KirchhoffNet-s")
STRONG = ("units.i_unit_a=1e-4",)
"""A hundred times the current, and so a hundred times as fast at the same capacitors."""
AMPERE = ("units.i_unit_a=1.0", "kirchhoffnet.capacitance_f=1e-15")
"""The paper's femtosecond: 1 fF, and branches of an ampere."""
_SAMPLES = 100


def rows(setting: Setting) -> Rows:
    """Each limit alone and all together, by the capacitance; the fastest circuits; and the paper's own scaling."""
    for network in NETWORKS:
        for name, limit in LIMITS.items():
            yield f"{network}; {name}", partial(_sweep, network, limit, setting)
        yield f"{network}; all", partial(_sweep, network, ALL, setting)
        yield f"{network}; all, 100 uA", partial(_sweep, network, ALL + STRONG, setting)
        for name in ("all", "all, 100 uA"):
            yield f"{network}; fastest, {name}", partial(_fastest, network, name, setting)
        yield f"{network}; femtoseconds", partial(_femtoseconds, network, setting)


def _sweep(network: str, limit: Sequence[str], setting: Setting) -> Row:
    """The gap at every capacitance."""
    loaded, inputs = _network(network, setting)
    capacitances = CAPACITANCES_F[::2] if setting.quick else CAPACITANCES_F
    return {
        "settings": list(limit),
        "samples": len(inputs),
        "points": [_point(loaded, inputs, limit, capacitance) for capacitance in capacitances],
    }


def _fastest(network: str, name: str, setting: Setting) -> Row:
    """The smallest capacitor that keeps each gap: between two of the sweep, on a line of their logarithms; measured."""
    loaded, inputs = _network(network, setting)
    swept = known(setting.results / "inference_time.json").get(f"{network}; {name}")
    if swept is None:
        raise MissingDataError(f"the sweep {name!r} of {network} was not measured")
    found = {}
    for allowed in ALLOWED:
        capacitance = smallest(swept["points"], allowed)
        if capacitance is not None:
            found[str(allowed)] = _point(loaded, inputs, swept["settings"], capacitance)
    return {"settings": swept["settings"], "samples": len(inputs), "fastest": found}


def _femtoseconds(network: str, setting: Setting) -> Row:
    """1 fF and an ampere, without limits and with some.

    A clock of 0.3 ns, and a jitter of a picosecond, would be hundreds of times as long as the whole inference.
    """
    loaded, inputs = _network(network, setting)
    chosen = ("none", "noise", "bandwidth", "parasitics")
    return {
        "settings": list(AMPERE),
        "samples": len(inputs),
        "points": {name: _point(loaded, inputs, LIMITS[name] + AMPERE) for name in chosen},
    }


def smallest(points: Sequence[Row], allowed: float) -> float | None:
    """The capacitance that has the allowed gap, beyond which no gap of the sweep is larger; None if the sweep ends."""
    beyond = [place for place, point in enumerate(points) if not _gap(point) <= allowed]
    first = beyond[-1] + 1 if beyond else 0
    if first in (0, len(points)):
        return None
    if np.isinf(_gap(points[first - 1])):
        return float(points[first]["capacitance_f"])
    (near, far), gaps = points[first - 1 : first + 1], [_gap(point) for point in points[first - 1 : first + 1]]
    part = np.log(gaps[0] / allowed) / np.log(gaps[0] / gaps[1])
    return float(near["capacitance_f"] * (far["capacitance_f"] / near["capacitance_f"]) ** part)


def _gap(point: Row) -> float:
    """Infinite where a sample has no answer: it is in no gap."""
    gap = point["relative_rmse"]
    return np.inf if gap is None or point["failed_samples"] else gap


def _point(loaded: LoadedModel, inputs: Array, limit: Sequence[str], capacitance: float | None = None) -> Row:
    settings = [*limit, *([] if capacitance is None else [f"kirchhoffnet.capacitance_f={capacitance}"])]
    found = kanspice.verify(loaded, inputs, set=settings, engine="batched")
    return {
        "capacitance_f": capacitance,
        "latency_s": None if found.physical is None else found.physical.latency_s,
        "relative_rmse": found.gap.relative_rmse,
        "failed_samples": len(found.failed),
    }


def _network(network: str, setting: Setting) -> tuple[LoadedModel, Array]:
    samples = setting.part(_SAMPLES)
    if network == NETWORKS[1]:
        path = trained("Friedman #1", "KirchhoffNet-s", 0, setting).path
        return kanspice.load(path), np.ascontiguousarray(DATA["Friedman #1"]().test_inputs[:samples])
    data = os.environ.get("KANSPICE_REFERENCE_DATA")
    if not data:
        raise MissingDataError("the authors' networks are not here: set KANSPICE_REFERENCE_DATA")
    folder = Path(data) / "kirchhoffnet" / "twomoon"
    return kanspice.load(folder / "model.pth", folder / "config.yaml"), np.load(folder / "inputs.npy")[:samples]
