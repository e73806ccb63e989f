"""Banks of filters: sines through resistors and capacitors, what detectors give to sums, and all that drives them.

Every current is a sinusoid, or stands still: powers are exact means over a turn, for the parts that netlists have. An
output stage draws its current from a rail: of a sine of amplitude I that is 2 I / pi on average.
"""

from __future__ import annotations

import math

import numpy as np

from kanspice.base.arrays import Array
from kanspice.circuit import Design, FilterBank
from kanspice.circuit.stages.filter_bank import amplitudes_v, held, tones_hz
from kanspice.engine.solution import Solution
from kanspice.gap.costs.cost import MeasuredCost, of_powers, quiescent_said
from kanspice.technology import Technology

_FILTER_AMPLIFIERS = 3
"""Two followers and an inverting amplifier."""
_DETECTOR_AMPLIFIERS = 2
"""A diode inside an amplifier's loop for either sign."""
_MEAN_OF_SINE = 2 / math.pi
"""Of the magnitude of a sine of amplitude 1."""
_BLOCK_NUMBERS = 2**20


def filter_bank_cost(
    design: Design, bank: FilterBank, before_v: Array, solution: Solution, technology: Technology
) -> MeasuredCost:
    """before_v: (samples, rows) of the stage before, which set the tones."""
    rows_v, rail_v, supply_a = before_v[solution.solved], technology.tia.rail_v, technology.supply.quiescent_a
    delivered_w, drawn_a = signal_powers(bank, rows_v)
    with np.errstate(over="ignore", invalid="ignore"):
        lost_w = np.maximum(rail_v * drawn_a - delivered_w, 0.0)
    steady = np.ones(len(rows_v))
    amplifiers = (_FILTER_AMPLIFIERS + _DETECTOR_AMPLIFIERS) * bank.device_count + bank.width
    oscillator_a = technology.filters.oscillator_a
    parts = {
        "filters": delivered_w,
        "amplifiers": lost_w,
        "quiescent": 2 * rail_v * supply_a * amplifiers * steady,
        "oscillators": 2 * rail_v * oscillator_a * bank.rows * steady,
    }
    assumptions = (
        f"a filter has {_FILTER_AMPLIFIERS} amplifiers, its detector {_DETECTOR_AMPLIFIERS} and a sum one; oscillators"
        f" and amplifiers have class-AB output stages and draw the current that they give from rails of plus and minus"
        f" {rail_v:g} V (tia.rail_v), and amplifiers {quiescent_said(supply_a)}",
        f"an oscillator draws {oscillator_a:g} A besides (filters.oscillator_a)",
        f"gain stages and sums have resistors of {bank.gain_ohm:g} ohm (filters.gain_ohm)",
        "what charges detectors, squashing stages and digital control are not counted",
        "all layers are on for as long as an inference takes: their slots (filters.slot_s), one after the other",
    )
    return of_powers(
        bank.name,
        parts,
        devices=bank.device_count,
        amplifiers=amplifiers,
        lasts_s=design.inference_s,
        assumptions=assumptions,
    )


def signal_powers(bank: FilterBank, rows_v: Array) -> tuple[Array, Array]:
    """Of rows at these voltages (samples, rows): what all outputs deliver into what follows them, watts, and the sum
    of the magnitudes of their currents, amps; both (samples,), means over time.
    """
    size = max(1, _BLOCK_NUMBERS // max(bank.gain.size, 1))
    with np.errstate(over="ignore", invalid="ignore"):  # of volts that no circuit has
        blocks = [_signals(bank, rows_v[first : first + size]) for first in range(0, len(rows_v), size)]
    delivered_w, drawn_a = zip(*blocks, strict=True) if blocks else ([np.empty(0)], [np.empty(0)])
    return np.concatenate(delivered_w), np.concatenate(drawn_a)


def _signals(bank: FilterBank, rows_v: Array) -> tuple[Array, Array]:
    """The same of a few samples."""
    exists, hz = bank.gain != 0, tones_hz(bank, rows_v)
    at = hz[:, :, None, None]
    turning, follows = 2 * np.pi * at, 1 / np.sqrt(1 + (at / bank.amplifier_hz) ** 2)
    high, low = turning * bank.high_ohm * bank.high_f, turning * bank.low_ohm * bank.low_f
    passed_v = bank.sine_v * high / np.sqrt(1 + high**2) * follows
    inner_v = passed_v / np.sqrt(1 + low**2) * follows
    peak_v = amplitudes_v(bank, hz)
    shown_v = np.abs(peak_v * held(bank, hz)[:, :, None, None] + bank.offset_v)
    gain_a, sum_a = inner_v / bank.gain_ohm, shown_v / bank.gain_ohm
    # a resistor and a capacitor in series, driven together: siemens in phase with the voltage, and ahead of it
    high_in_phase, high_ahead = (high**2 / (1 + high**2) / bank.high_ohm, high / (1 + high**2) / bank.high_ohm)
    low_in_phase = low**2 / (1 + low**2) / bank.low_ohm
    low_a = passed_v * low / np.sqrt(1 + low**2) / bank.low_ohm
    row_siemens = np.hypot(*(np.sum(part * exists, axis=(2, 3)) for part in (high_in_phase, high_ahead)))
    delivered_w = (
        bank.sine_v**2 / 2 * high_in_phase
        + passed_v**2 / 2 * low_in_phase
        + (inner_v + peak_v) / 2 * gain_a
        + shown_v * sum_a
    )
    drawn_a = _MEAN_OF_SINE * (low_a + 2 * gain_a) + sum_a
    oscillators_a = _MEAN_OF_SINE * bank.sine_v * row_siemens.sum(axis=1)
    signed_v = (peak_v * held(bank, hz)[:, :, None, None] + bank.offset_v) * np.sign(bank.gain)
    sums_a = np.abs(signed_v.sum(axis=(1, 3))).sum(axis=1) / bank.gain_ohm
    connections = exists[None]
    return (
        np.sum(delivered_w * connections, axis=(1, 2, 3)),
        np.sum(drawn_a * connections, axis=(1, 2, 3)) + oscillators_a + sums_a,
    )
