"""Laws of a KirchhoffNet's branches: dimensionless functions of the voltages at both ends, and how fast they can grow.

Names and parameter rows are those of the authors' code; p0, p1, p2 are the rows of theta.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from kanspice.base.arrays import Array
from kanspice.circuit.activations import ACTIVATIONS, Activation

LawName = str
"""One of `LAWS`: a branch function of the paper, or `Device1.` or `Device2.` and an activation: of a difference's drive
p1 (v_s - v_d) + p0, or of p0 v_s + p1 v_d + p2."""
SCHEMATIC_IMPERFECTIONS: dict[LawName, tuple[str, ...]] = {
    "ShiftRelu1": ("switch_on_ohm", "switch_off_ohm"),
    "ShiftTanh1": ("pair_saturation", "pair_sigma", "vccs_saturation"),
    "ShiftRelu2": ("switch_on_ohm", "switch_off_ohm", "source_ohm", "vccs_saturation"),
    "ShiftTanh2": ("pair_saturation", "pair_sigma", "vccs_saturation"),
    "Conductance": (),
}
"""Which imperfections of schematics each law's has."""
SCHEMATIC_LAWS: tuple[LawName, ...] = tuple(SCHEMATIC_IMPERFECTIONS)
"""Those that Fig. 5 of the KirchhoffNet paper and the text below it realise: Eqs. 3 and 10 to 13."""
PIECEWISE_LINEAR_LAWS: tuple[LawName, ...] = ("ShiftRelu1", "ShiftLeakyRelu1", "Conductance")
"""Those of the difference of the voltages: branches between the same two nodes add up to one such function."""
LEAK = 0.01
"""Slope of a leaky ReLU below zero."""

_ROWS: dict[LawName, int] = {
    "ShiftRelu1": 2,
    "ShiftLeakyRelu1": 2,
    "ShiftRelu2": 3,
    "ShiftLeakyRelu2": 3,
    "ShiftTanh1": 2,
    "ShiftTanh2": 3,
    "Conductance": 1,
}
_ROWS |= {f"Device{form}.{name}": form + 1 for form in (1, 2) for name in ACTIVATIONS}
LAWS: tuple[LawName, ...] = tuple(_ROWS)


def law_rows(law: LawName) -> int:
    """How many parameters a branch of this law has."""
    return _ROWS[law]


def activation_name(law: LawName) -> str | None:
    """The activation of a `Device` law; None for the others."""
    return law.partition(".")[2] or None


def _activation(law: LawName) -> Activation | None:
    name = activation_name(law)
    return None if name is None else ACTIVATIONS[name]


def with_offsets(law: LawName, theta: Array, offsets: Array) -> Array:
    """theta (parameters, branches) of branches whose inputs are off by these voltages, in units.

    offsets: (2, branches): of the source's end and of the destination's; a law of their difference has one input, and
    takes the first. No law of a conductance is that of one with an offset: its offsets must be 0.
    """
    if law == "Conductance":
        if offsets.any():
            raise ValueError("a conductance has no inputs that could be off")
        return theta
    shifted = theta.copy()
    if law in ("ShiftRelu1", "ShiftLeakyRelu1"):
        shifted[0] -= offsets[0]
    elif law_rows(law) == 2:
        shifted[0] += theta[1] * offsets[0]
    else:
        shifted[2] += theta[0] * offsets[0] + theta[1] * offsets[1]
    return shifted


def branch_currents(law: LawName, source: Array, destination: Array, theta: Array) -> Array:
    """Currents (..., branches), in units, for voltages (..., branches) at both ends, in units."""
    activation = _activation(law)
    if activation is None:
        return _FUNCTIONS[law](source, destination, theta)
    if law_rows(law) == 2:
        return activation.function(theta[1] * (source - destination) + theta[0])
    return activation.function(_affine(source, destination, theta))


def growth(law: LawName, theta: Array) -> tuple[Array, Array]:
    """(slope, offset), each (branches,): |current| is at most slope * (largest |voltage|) + offset, in units."""
    size, activation = np.abs(theta), _activation(law)
    if activation is not None:
        slope, offset = (2 * size[1], size[0]) if law_rows(law) == 2 else (size[0] + size[1], size[2])
        return activation.grows * slope, activation.grows * offset + activation.offset
    if law in ("ShiftTanh1", "ShiftTanh2"):
        return np.zeros(theta.shape[1]), np.ones(theta.shape[1])
    if law in ("ShiftRelu1", "ShiftLeakyRelu1"):
        return 2 * size[1], size[0] * size[1]
    if law == "Conductance":
        return 2 * size[0], np.zeros(theta.shape[1])
    return size[0] + size[1], size[2]


def slopes(law: LawName, theta: Array) -> Array:
    """(branches,): a current changes by at most so much, in units, when both ends' voltages change by a unit each."""
    size: Array = np.abs(theta)
    activation = _activation(law)
    if activation is not None:
        ends: Array = 2 * size[1] if law_rows(law) == 2 else size[0] + size[1]
        return activation.steepest * ends
    if law in ("ShiftRelu1", "ShiftLeakyRelu1", "ShiftTanh1"):
        both: Array = 2 * size[1]
    else:
        both = 2 * size[0] if law == "Conductance" else size[0] + size[1]
    return both


def _relu(drive: Array) -> Array:
    return np.maximum(drive, 0.0)


def _leaky_relu(drive: Array) -> Array:
    return np.maximum(drive, LEAK * drive)


def _affine(source: Array, destination: Array, theta: Array) -> Array:
    drive: Array = theta[0] * source + theta[1] * destination + theta[2]
    return drive


_FUNCTIONS: dict[LawName, Callable[[Array, Array, Array], Array]] = {
    "ShiftRelu1": lambda s, d, p: p[1] * _relu(s - d - p[0]),
    "ShiftLeakyRelu1": lambda s, d, p: p[1] * _leaky_relu(s - d - p[0]),
    "ShiftRelu2": lambda s, d, p: _relu(_affine(s, d, p)),
    "ShiftLeakyRelu2": lambda s, d, p: _leaky_relu(_affine(s, d, p)),
    "ShiftTanh1": lambda s, d, p: np.tanh(p[1] * (s - d) + p[0]),
    "ShiftTanh2": lambda s, d, p: np.tanh(_affine(s, d, p)),
    "Conductance": lambda s, d, p: p[0] * (s - d),
}
