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
_STRONG = (10.0, 1000.0)
"""Times the least noise power: where 1/f noise is fitted, far enough from white noise and not farther than needed."""
_FEWEST = 3
_ROUNDS = 4
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

    A power of frequency is fitted where the noise is some ten to a thousand times as strong as where it is least. What
    it leaves is white where it leaves least, among frequencies where it is no more than half. None where there are no
    such frequencies: then white noise is not seen.
    """
    power = density[hertz <= highest_hz] ** 2
    hertz = hertz[: len(power)]
    least = int(np.argmin(power))
    if power[0] <= 1.02 * power[least]:
        return Noise(math.sqrt(power[least]), 0.0)
    falling = _falling(hertz, power, least)
    seen = falling <= 0.5 * power
    if not seen.any():
        return Noise(None, None)
    white = float((power - falling)[seen].min())
    above = np.flatnonzero(power[: least + 1] >= 2 * white)
    if above.size == 0 or above[-1] == least:
        return Noise(math.sqrt(white), 0.0)
    last = int(above[-1])
    ends = np.log(power[last : last + 2])
    part = (math.log(2 * white) - ends[0]) / (ends[1] - ends[0])
    return Noise(math.sqrt(white), float(hertz[last] * (hertz[last + 1] / hertz[last]) ** part))


def _falling(hertz: Array, power: Array, least: int) -> Array:
    """1/f noise at every frequency: a power of it through where the noise is strong, what is white taken off."""
    ratio = power[: least + 1] / power[least]
    strong = np.flatnonzero((ratio >= _STRONG[0]) & (ratio <= _STRONG[1]))
    if strong.size < _FEWEST:
        strong = np.arange(_FEWEST)
    white = 0.0
    for _ in range(_ROUNDS):
        rest = np.maximum(power[strong] - white, 1e-6 * power[strong])
        slope, level = np.polyfit(np.log(hertz[strong]), np.log(rest), 1)
        falling: Array = np.exp(level + slope * np.log(hertz))
        white = max(float(power[least] - falling[least]), 0.0)
    return falling
