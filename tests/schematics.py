"""A few branches of every law, and their schematics worked out by hand: what both engines are held against."""

from __future__ import annotations

import numpy as np

from kanspice.circuit import Schematic
from kanspice.circuit.branch_laws import LAWS

EDGES = [(0, 1), (1, 0), (1, 2), (2, 1), (2, 2), (2, 0), (1, 2)]
VOLTS = np.random.default_rng(1).normal(0, 2, (40, 2))


def parameters(law):
    theta = np.random.default_rng(2).normal(size=(LAWS[law].rows, len(EDGES)))
    theta[:, -1] = 0.0
    return theta


UNIT_OHM = 1e6


def two_slopes(drive, ohm):
    """A one-sided switch in series with ohm, in units: the current for a drive of the current without it."""
    on, off = 2e4 / UNIT_OHM, 5e7 / UNIT_OHM
    return np.where(drive > 0, drive / (1 + on / ohm), drive / (1 + off / ohm))


def limited(current, largest):
    return largest * np.tanh(current / largest)


SCHEMATICS = {
    "Conductance": lambda s, d, p: p[0] * (s - d),
    "ShiftRelu1": lambda s, d, p: np.sign(p[1]) * two_slopes(np.abs(p[1]) * (s - d - p[0]), 1 / np.abs(p[1] + 1e-300)),
    "ShiftTanh1": lambda s, d, p: limited(limited(p[1] * (s - d), 3.0) + p[0], 1.2),
    "ShiftRelu2": lambda s, d, p: two_slopes(limited(p[0] * s, 3.0) + limited(p[1] * d, 3.0) + p[2], 4e6 / UNIT_OHM),
    "ShiftTanh2": lambda s, d, p: limited(limited(p[0] * s, 3.0) + limited(p[1] * d, 3.0) + p[2], 1.2),
}
SCHEMATIC = Schematic(2e4, 5e7, 4e6, 1.2, 3.0)
