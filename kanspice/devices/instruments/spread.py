"""Several devices of one kind -> their mean curve, and how far they are from it: what technologies call mismatch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kanspice.base.arrays import Array
from kanspice.base.errors import InputError


@dataclass(frozen=True)
class DeviceSpread:
    """Standard deviations from device to device.

    devices: how many. area_sigma: of a factor of all currents, relative. shift_sigma_v: of a shift along the voltage.
    residual: what neither explains, root mean square of the mean curve's largest current.
    """

    devices: int
    area_sigma: float
    shift_sigma_v: float
    residual: float


def mean_and_spread(curves: Sequence[tuple[Array, Array]]) -> tuple[Array, Array, DeviceSpread]:
    """Voltages (n,) and mean currents (n,) of curves (v, i) where all of them are, and their spread.

    Each device is i_k(v) = (1 + a_k) (m(v) - s_k m'(v)), by least squares. Raises InputError where the curves share no
    range of voltages.
    """
    low, high = max(v[0] for v, _ in curves), min(v[-1] for v, _ in curves)
    volts = curves[0][0][(curves[0][0] >= low) & (curves[0][0] <= high)]
    if len(volts) < 3:
        raise InputError(
            "the devices share no range of voltages, so that they have no mean",
            expected="three voltages or more at which all were measured",
            found=f"{low:g} V to {high:g} V",
        )
    currents = np.array([np.interp(volts, v, i) for v, i in curves])
    mean = currents.mean(axis=0)
    basis = np.stack([mean, -np.gradient(mean, volts)], axis=1)
    found, *_ = np.linalg.lstsq(basis, (currents - mean).T, rcond=None)
    left = (currents - mean).T - basis @ found
    largest = float(np.abs(mean).max()) or 1.0
    ways = len(curves) - 1
    area, shift = (float(np.sqrt(np.sum(part**2) / ways)) for part in found)
    return volts, mean, DeviceSpread(len(curves), area, shift, float(np.sqrt(np.mean(left**2))) / largest)
