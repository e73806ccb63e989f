"""What a bank of filters does, in steady state: tones, amplitudes, and their sums."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from kanspice.design.connections import FilterBank

Array = npt.NDArray[np.float64]

_FOLLOWERS = 2
_BLOCK_NUMBERS = 2**20


def tones_hz(bank: FilterBank, rows_v: Array) -> Array:
    """Frequencies (samples, rows) of the rows' sines at these voltages."""
    decades = np.minimum(bank.decade + bank.decades * rows_v / bank.control_v, bank.most_decades)
    wanted: Array = 10**decades
    if math.isinf(bank.clock_hz):
        return wanted
    return np.asarray(bank.clock_hz / np.pi * np.arctan(np.pi * wanted / bank.clock_hz))


def amplitudes_v(bank: FilterBank, hz: Array) -> Array:
    """What the detectors of filters get at tones (samples, rows): (samples, rows, columns, filters), volts."""
    hz = hz[:, :, None, None]
    high = 2 * np.pi * hz * (bank.high_ohm * bank.high_f)
    low = 2 * np.pi * hz * (bank.low_ohm * bank.low_f)
    amplitude: Array = bank.sine_v * np.abs(bank.gain) * high / np.sqrt((1 + high**2) * (1 + low**2))
    if math.isfinite(bank.amplifier_hz):
        follower, inverting = hz / bank.amplifier_hz, hz * (1 + np.abs(bank.gain)) / bank.amplifier_hz
        amplitude = amplitude / ((1 + follower**2) ** (_FOLLOWERS / 2) * np.sqrt(1 + inverting**2))
    return amplitude


def held(bank: FilterBank, hz: Array) -> Array:
    """What a detector shows of an amplitude on average, (samples, rows): it forgets until the next of two peaks a
    period."""
    if math.isinf(bank.hold_s):
        return np.ones_like(hz)
    passed = 1 / (2 * hz * bank.hold_s)
    return np.asarray(-np.expm1(-passed) / passed)


def added_v(bank: FilterBank, hz: Array, amplitude_v: Array) -> Array:
    """Outputs (samples, columns) for the amplitudes at the detectors, (samples, rows, columns, filters)."""
    detected = amplitude_v * held(bank, hz)[:, :, None, None] + bank.offset_v
    added = np.einsum("srcf,rcf->sc", detected, np.sign(bank.gain))
    outputs: Array = bank.sum_gain * bank.scale * added + bank.bias_v
    return outputs


def filtered_v(bank: FilterBank, rows_v: Array) -> Array:
    """Outputs (samples, columns) for voltages (samples, rows), a block of samples at a time."""
    size = max(1, _BLOCK_NUMBERS // max(bank.gain.size, 1))
    tones = [tones_hz(bank, rows_v[first : first + size]) for first in range(0, len(rows_v), size)]
    blocks = [added_v(bank, hz, amplitudes_v(bank, hz)) for hz in tones]
    return np.concatenate(blocks) if blocks else np.empty((0, bank.width))


def largest_output_v(bank: FilterBank) -> Array:
    """(columns,) what no input can exceed: no filter passes more than all of its sine."""
    amplitudes = bank.sine_v * np.abs(bank.gain) + np.abs(bank.offset_v) * (bank.gain != 0)
    return np.asarray(bank.sum_gain * np.abs(bank.scale) * amplitudes.sum(axis=(0, 2)) + np.abs(bank.bias_v))
