"""What memdiode synapses do: each one's implicit equation is Wright's omega function of its drive."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.special import wrightomega

from kanspice.design.connections import BAND_PASS, HIGH_PASS, LOW_PASS, SynapseBank

Array = npt.NDArray[np.float64]

_BLOCK_NUMBERS = 2**20


def loads_v(bank: SynapseBank, rows_v: Array) -> Array:
    """Voltages of the loads, (samples, rows, columns, synapses), for voltages (samples, rows).

    Without its memdiode a load is at `idle`, and the memdiode's drive is `drive`; its current I lowers the drive by
    `resistance` * I and moves the load by `pull` * I. With w = alpha resistance I the memdiode's law is
    w + ln w = ln(alpha resistance saturation) + alpha drive.
    """
    volts = rows_v[:, :, None, None] + bank.input_bias_v
    series, load = bank.series_ohm, bank.load_ohm
    is_band, is_low = bank.kind == BAND_PASS, bank.kind == LOW_PASS
    share = np.where(is_band, load / (bank.input_ohm + load), 0.0)
    parallel = np.where(is_band, share * bank.input_ohm, load)
    resistance, pull = parallel + series, np.where(is_band, -parallel, load)
    idle = share * volts
    drive = np.where(is_low, bank.reference_v - volts, volts + idle)
    strength = bank.alpha_per_v * resistance
    current = np.real(wrightomega(np.log(strength * bank.saturation_a) + bank.alpha_per_v * drive)) / strength
    return np.asarray(idle + pull * current)


def connected_v(bank: SynapseBank, rows_v: Array) -> Array:
    """Outputs (samples, columns) for voltages (samples, rows), a block of samples at a time."""
    size = max(1, _BLOCK_NUMBERS // max(bank.gain.size, 1))
    parts = [rows_v[first : first + size] for first in range(0, len(rows_v), size)]
    blocks = [np.einsum("srcu,rcu->sc", loads_v(bank, part), bank.gain) + bank.bias_v for part in parts]
    return np.concatenate(blocks) if blocks else np.empty((0, bank.width))


def largest_output_v(bank: SynapseBank, rows_v: Array) -> Array:
    """(columns,) what no voltages of at most |rows_v| (rows,) can exceed.

    A memdiode's current never moves a load beyond the drive that it has at rest.
    """
    largest = np.abs(rows_v)[:, None, None] + np.abs(bank.input_bias_v)
    drive = np.where(
        bank.kind == HIGH_PASS, largest, np.where(bank.kind == LOW_PASS, largest + abs(bank.reference_v), 2 * largest)
    )
    loads = drive + largest * (bank.kind == BAND_PASS)
    return np.asarray((np.abs(bank.gain) * loads).sum(axis=(0, 2)) + np.abs(bank.bias_v))
