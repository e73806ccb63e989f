"""How near curves come that `kanspice devices fit` draws through noisy points, with each kind of fit.

    python -m benchmarks.fits

Laws with known curves, with noise of 0.5 % of the peak, and the published points of KANalogue's devices, where one
point at a time is left out and predicted. Prints two Markdown tables; the second needs KANSPICE_REFERENCE_DATA.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np

from kanspice.devices import load_device
from kanspice.devices.fit import CardIdentity, fit_card
from kanspice.devices.ivdata import read_points

WHO = CardIdentity("device", "points of a benchmark")
NOISE, SEEDS = 0.005, 20
KINDS = {"spline": "before (FITPACK, 2 %)", "smooth": "default (cross-validation)", "passive": "passive"}


def esaki(v: np.ndarray) -> np.ndarray:
    """Amperes of a tunnel diode."""
    return 1e-3 * (v / 0.1) * np.exp(1 - v / 0.1) + 1e-11 * np.expm1(v / 0.0277)


def resonant(v: np.ndarray) -> np.ndarray:
    """Amperes of the shipped resonant tunnelling diode."""
    return load_device("rtd_unscaled").curve.numpy(v)[0]


LAWS = {"Esaki": (esaki, 0.5, "esaki"), "resonant tunnelling": (resonant, 5.0, "rtd")}


def errors(law: Callable[[np.ndarray], np.ndarray], end_v: float, points: int, kind: str) -> np.ndarray:
    """(3,) medians over draws: RMS error over the range of the peak current, and of peak and valley in volts."""
    v, fine = np.linspace(0, end_v, points), np.linspace(0, end_v, 4001)
    exact = law(fine)
    extrema = fit_card(fine[::10], exact[::10], WHO, "spline", smoothing=0)[0].curve.extrema()
    found = []
    for seed in range(SEEDS if kind in KINDS else SEEDS // 4):
        i = law(v) + NOISE * extrema.peak_i * np.random.default_rng(seed).normal(size=points)
        curve = fit_card(v, i, WHO, kind)[0].curve
        own = curve.extrema()
        rms = np.sqrt(np.mean((curve.numpy(fine)[0] - exact) ** 2)) / extrema.peak_i
        found.append((rms, abs(own.peak_v - extrema.peak_v), abs(own.valley_v - extrema.valley_v)))
    return np.median(found, axis=0)


def left_out(v: np.ndarray, i: np.ndarray, kind: str) -> float:
    """RMS error of every inner point as the others predict it, of the largest current."""
    off = []
    for k in range(1, len(v) - 1):
        curve = fit_card(np.delete(v, k), np.delete(i, k), WHO, kind)[0].curve
        off.append(curve.numpy(v[k])[0] - i[k])
    return float(np.sqrt(np.mean(np.square(off))) / np.abs(i).max())


def main() -> None:
    print("| law | points | fit | RMS error, of the peak | peak off by | valley off by |\n|---|---|---|---|---|---|")
    for name, (law, end_v, kind_of_law) in LAWS.items():
        for points in (51, 101, 501):
            for kind, said in {**KINDS, kind_of_law: f"the law (`{kind_of_law}`)"}.items():
                rms, peak_v, valley_v = errors(law, end_v, points, kind)
                print(f"| {name} | {points} | {said} | {rms:.2%} | {1e3 * peak_v:.2g} mV | {1e3 * valley_v:.2g} mV |")
    folder = os.environ.get("KANSPICE_REFERENCE_DATA")
    if folder is None:
        return
    print("\n| device | fit | a point left out is off by | peak at | highest point | lowest current |")
    print("|---|---|---|---|---|---|")
    for name in ("a21", "z21", "z15", "zaz21"):
        v, i = read_points(Path(folder) / "kanalogue" / "iv" / f"{name}_nodes.csv")
        inner = 1 + np.flatnonzero((i[1:-1] > i[:-2]) & (i[1:-1] > i[2:]))
        highest = v[inner[np.argmax(i[inner])]]
        for kind, said in KINDS.items():
            curve = fit_card(v, i, WHO, kind)[0].curve
            lowest, at = curve.numpy(np.linspace(v[0], v[-1], 4001))[0].min(), curve.extrema().peak_v
            print(f"| {name} | {said} | {left_out(v, i, kind):.2%} | {at:.3f} V | {highest:.2f} V | {lowest:.3f} |")


if __name__ == "__main__":
    main()
