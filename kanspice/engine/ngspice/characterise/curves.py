"""Figures out of curves: transfer curves, frequency responses, steps, noise. Arrays in, numbers out."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from kanspice.base.arrays import Array
from kanspice.subcircuits.characterisation import VoltageRange

Complex = npt.NDArray[np.complex128]
_LEVELS = tuple(tenths / 10 for tenths in range(1, 10))
"""Of a step."""
_LEAST_GAIN = 0.1
"""Of the gain in the middle: an output is used where it is no less."""


@dataclass(frozen=True)
class Transfer:
    """A loop's output and the difference of its inputs, volts from the middle, as the loop was led up or down."""

    output_v: Array
    difference_v: Array
    """in- minus in+, (points,) both."""

    @property
    def gain(self) -> Array:
        """Open-loop gain at every point but the ends, where it is that beside them; NaN where nothing moves."""
        moved, by = self.output_v[2:] - self.output_v[:-2], self.difference_v[:-2] - self.difference_v[2:]
        with np.errstate(divide="ignore", invalid="ignore"):
            inside = np.where(by == 0, np.nan, moved / by)
        return np.concatenate([inside[:1], inside, inside[-1:]])

    @property
    def difference_at_middle(self) -> float:
        """What the inputs differ by with the output in the middle: the offset."""
        order = np.argsort(self.output_v, kind="stable")
        return float(np.interp(0.0, self.output_v[order], self.difference_v[order]))

    def linear(self, middle_gain: float) -> VoltageRange:
        """From where to where around the middle the gain is a tenth of that there, or more."""
        enough = np.nan_to_num(self.gain) >= _LEAST_GAIN * middle_gain
        return around_middle(self.output_v, enough)


def around_middle(values: Array, good: npt.NDArray[np.bool_]) -> VoltageRange:
    """The stretch of rising or falling values, 0 in it, over which all are good; empty where those at 0 are not."""
    order = np.argsort(values, kind="stable")
    values, good = values[order], good[order]
    start = int(np.argmin(np.abs(values)))
    if not good[start]:
        return VoltageRange(0.0, 0.0)
    bad = np.flatnonzero(~good)
    low = bad[bad < start].max(initial=-1) + 1
    high = bad[bad > start].min(initial=len(values)) - 1
    return VoltageRange(float(values[low]), float(values[high]))


@dataclass(frozen=True)
class Response:
    """A gain over frequency, hertz."""

    hertz: Array
    gain: Complex

    @property
    def dc(self) -> float:
        """Gain at the lowest frequency; negative where the output is upside down."""
        return float(abs(self.gain[0]) * np.sign(self.gain[0].real))

    def falls_to(self, level: float) -> float | None:
        """The highest frequency at which the gain falls to a level; None where it never does."""
        above = np.abs(self.gain) >= level
        falls = np.flatnonzero(above[:-1] & ~above[1:])
        if falls.size == 0:
            return None
        at = int(falls[-1])
        return float(math.exp(self._between(at, level, np.log(self.hertz))))

    @property
    def product_hz(self) -> float | None:
        """Gain times frequency halfway between the gain at DC and 1."""
        halfway = math.sqrt(abs(self.dc))
        at = self.falls_to(halfway)
        return None if at is None or halfway <= 1 else halfway * at

    @property
    def phase_margin_deg(self) -> float | None:
        """180 degrees and the phase where the gain is 1; None where it never is."""
        above = np.abs(self.gain) >= 1.0
        falls = np.flatnonzero(above[:-1] & ~above[1:])
        if falls.size == 0:
            return None
        return 180.0 + self._between(int(falls[-1]), 1.0, self.phase_deg)

    @property
    def phase_deg(self) -> Array:
        """Without jumps, from that at DC."""
        return np.degrees(np.unwrap(np.angle(self.gain)))

    def _between(self, at: int, level: float, values: Array) -> float:
        """What a quantity is between two points, where the gain is `level`."""
        low, high = np.log(np.abs(self.gain[at : at + 2]))
        part = (math.log(level) - low) / (high - low)
        return float(values[at] + part * (values[at + 1] - values[at]))


def slew(time_s: Array, volts: Array, start_v: float, end_v: float) -> float | None:
    """Volts per second, as a size, of the fastest fifth of a step between a tenth and nine tenths of it.

    None where it does not get there.
    """
    done = (volts - start_v) / (end_v - start_v)
    times = [_first(time_s, done, level) for level in _LEVELS]
    known = [time for time in times if time is not None]
    if len(known) < len(times):
        return None
    lasts = min(after - before for before, after in zip(known, known[2:], strict=False))
    return (_LEVELS[2] - _LEVELS[0]) * abs(end_v - start_v) / lasts if lasts > 0 else None


def _first(time_s: Array, done: Array, level: float) -> float | None:
    beyond = np.flatnonzero(done >= level)
    if beyond.size == 0 or beyond[0] == 0:
        return None
    at = int(beyond[0])
    part = (level - done[at - 1]) / (done[at] - done[at - 1])
    return float(time_s[at - 1] + part * (time_s[at] - time_s[at - 1]))


@dataclass(frozen=True)
class Noise:
    """White noise and where 1/f noise is as strong. corner_hz: 0 where there is none in the band."""

    white_v_per_rthz: float | None
    corner_hz: float | None


def noise_parts(hertz: Array, density: Array, highest_hz: float) -> Noise:
    """White and 1/f noise of a density over frequency, V per root hertz, up to `highest_hz`.

    A power of frequency is fitted to the lowest two decades where the density falls; what is left of it at the smallest
    density is white. None where the power is more than nine tenths of that: then white noise is not seen.
    """
    power = density[hertz <= highest_hz] ** 2
    hertz = hertz[: len(power)]
    least = int(np.argmin(power))
    if power[0] <= 1.02 * power[least]:
        return Noise(math.sqrt(power[least]), 0.0)
    two = int(np.searchsorted(hertz, hertz[0] * 100))
    last = max(min(two, least), 1)
    exponent = _exponent(hertz[: last + 1], power[: last + 1], power[least])
    falling = (power[0] - power[least]) * (hertz / hertz[0]) ** -exponent
    white = power[least] - falling[least]
    if white < 0.1 * power[least]:
        return Noise(None, None)
    corner = hertz[0] * (falling[0] / white) ** (1 / exponent)
    return Noise(math.sqrt(white), float(corner) if corner > hertz[0] else 0.0)


def _exponent(hertz: Array, power: Array, white: float) -> float:
    """Of the power of 1/f that falls off above what is white."""
    falling = np.log(np.maximum(power - white, 1e-6 * power))
    return float(np.clip(-np.polyfit(np.log(hertz), falling, 1)[0], 0.5, 2.0))
