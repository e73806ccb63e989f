"""An amplifier's noise, and its offset from part to part."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from kanspice.base.arrays import Array
from kanspice.engine.ngspice.analyses import Analysis, analyse
from kanspice.engine.ngspice.characterise.benches import Benches
from kanspice.engine.ngspice.characterise.curves import noise_parts
from kanspice.engine.ngspice.characterise.tracing import TIMEOUT_S
from kanspice.subcircuits.characterisation import Characterisation

_LOWEST_HZ, _PER_DECADE = 0.1, 10
_BAND = 0.3
"""Of the frequency where the gain is 1: what later stages add above is not the input's."""


@dataclass(frozen=True)
class NoiseDensity:
    """Noise at the input over frequency, V per root hertz."""

    hertz: Array
    v_per_rthz: Array


def measure_noise(benches: Benches, figures: Characterisation) -> tuple[Characterisation, NoiseDensity | None]:
    """The figures with white noise and the corner of 1/f noise.

    All of the output is fed back: of parts with POLY sources ngspice 39 finds noise that depends on how much is, 1.5 %
    less of it with a tenth.
    """
    unity_hz = figures.unity_hz
    if unity_hz is None:
        return _without(figures, ("noise_v_per_rthz", "noise_corner_hz"), figures.why_not["unity_hz"]), None
    command = f"noise v(out,mid) vt dec {_PER_DECADE} {_LOWEST_HZ:g} {unity_hz:g}"
    analysis = Analysis("density", command, ("inoise_spectrum",), plot="noise1")
    found = analyse(benches.loop(-figures.offset_v, 1.0), [analysis], TIMEOUT_S)
    if "density" not in found.found:
        return _without(figures, ("noise_v_per_rthz", "noise_corner_hz"), found.why_not["density"]), None
    table = found.found["density"]
    density = NoiseDensity(np.asarray(table["frequency"].real), np.asarray(table["inoise_spectrum"].real))
    if not density.v_per_rthz.max() > 0:
        return _without(figures, ("noise_v_per_rthz", "noise_corner_hz"), "the model has none"), density
    parts = noise_parts(density.hertz, density.v_per_rthz, _BAND * unity_hz)
    if parts.white_v_per_rthz is None:
        said = f"1/f noise is stronger up to {_BAND * unity_hz:.3g} Hz"
        return _without(figures, ("noise_v_per_rthz", "noise_corner_hz"), said), density
    return replace(figures, noise_v_per_rthz=parts.white_v_per_rthz, noise_corner_hz=parts.corner_hz), density


def measure_offsets(benches: Benches, figures: Characterisation, draws: int, seed: int) -> Characterisation:
    """The figures with the offsets of so many amplifiers, which differ as their process's statistics say."""
    amplifier = benches.amplifier
    if amplifier.models is None:
        return _without(figures, ("offset_sigma_v",), "the model says nothing of how parts differ")
    if draws < 2:
        return _without(figures, ("offset_sigma_v",), "no draws were asked for")
    models = replace(amplifier.models, mismatch=True)
    drawn = replace(benches, amplifier=replace(amplifier, models=models))
    nodes = tuple(f"v(m{index})" for index in range(draws))
    found = analyse(drawn.many_loops(draws, seed), [Analysis("offsets", "op", nodes)], TIMEOUT_S)
    if "offsets" not in found.found:
        return _without(figures, ("offset_sigma_v",), found.why_not["offsets"])
    table = found.found["offsets"]
    offsets = [float(table[node][0].real) - benches.mid_v for node in nodes]
    return replace(figures, offset_sigma_v=float(np.std(offsets, ddof=1)), offset_draws_v=tuple(offsets))


def _without(figures: Characterisation, names: tuple[str, ...], why: str) -> Characterisation:
    return replace(figures, why_not=figures.why_not | dict.fromkeys(names, why))
