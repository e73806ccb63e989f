"""What time leaves of the devices of a crossbar: the same seed is the same chip, at whatever age it is looked at.

Three things take from a device's area, each a factor of its own:

- drift, (t / t0) ^ -nu from t0 on, with an exponent of each device's own: the conductance of phase-change memory (Joshi
  et al., "Accurate deep neural network inference using computational phase-change memory", Nature Communications 11,
  2473, 2020; IBM's aihwkit has the same law);
- retention, exp(-t / lifetime) towards a level, with lifetimes that are log-normal from device to device;
- read disturb, the same fraction each time that a device is read.

Temperature makes time pass faster: a second at T is exp(E/k (1/T0 - 1/T)) seconds at T0 = 27 degrees, for the
activation energy E of what is lost, and lives at several temperatures add up (Arrhenius; JEDEC JEP122).
"""

from __future__ import annotations

import math

import numpy as np

from kanspice.base.arrays import Array
from kanspice.base.draws import Draw
from kanspice.base.traced import asarray
from kanspice.technology.sections import ABSOLUTE_ZERO_C, CURVES_C, Ageing

BOLTZMANN_EV_PER_K = 8.617333262e-5


def fraction_left(name: str, shape: tuple[int, ...], ageing: Ageing, draw: Draw) -> Array:
    """(shape) what the areas of a crossbar's devices are at its age, of what they were when new.

    name: of the crossbar, after which draws are named.
    """
    left = np.ones(shape)
    if ageing.drift_nu or ageing.drift_nu_sigma > 0:
        left = left * _drifted(f"{name}.drift_nu", shape, ageing, draw)
    if math.isfinite(ageing.retention_s):
        left = left * _retained(f"{name}.retention_s", shape, ageing, draw)
    return asarray(left * np.exp(ageing.reads_per_s * ageing.time_s * np.log1p(-ageing.read_disturb)))


def effective_s(ageing: Ageing, activation_ev: float) -> float | Array:
    """The age at which as much would have happened at 27 degrees, seconds."""
    kelvin = np.array(ageing.temperatures_c) - ABSOLUTE_ZERO_C
    faster = np.exp(activation_ev / BOLTZMANN_EV_PER_K * (1 / (CURVES_C - ABSOLUTE_ZERO_C) - 1 / kelvin))
    lived: float | Array = ageing.time_s * np.sum(np.array(ageing.fractions) * faster)
    return lived


def _drifted(name: str, shape: tuple[int, ...], ageing: Ageing, draw: Draw) -> Array:
    exponents = ageing.drift_nu + ageing.drift_nu_sigma * draw.normal(name, shape)
    ages = np.maximum(effective_s(ageing, ageing.drift_ev) / ageing.reference_s, 1.0)
    return asarray(np.exp(-exponents * np.log(ages)))


def _retained(name: str, shape: tuple[int, ...], ageing: Ageing, draw: Draw) -> Array:
    ages = effective_s(ageing, ageing.retention_ev) / ageing.retention_s
    lives = np.exp(-ages * np.exp(-ageing.retention_sigma * draw.normal(name, shape)))
    return asarray(ageing.retention_level + (1 - ageing.retention_level) * lives)
