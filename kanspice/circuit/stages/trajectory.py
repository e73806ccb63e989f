"""A period's node voltages by an integrator that shares nothing with the circuit simulator."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from scipy.integrate import solve_ivp
from scipy.sparse import coo_array

from kanspice.base.arrays import Array
from kanspice.circuit.branch_laws import LAWS

if TYPE_CHECKING:
    from kanspice.circuit.stages.ode_period import OdePeriod

_RTOL = 1e-7
_ATOL = 1e-8
"""Ends are right to 2e-6 where ReLUs bend, far below what ngspice resolves, in a tenth of the time of 1e-9."""
_BLOCK_CURRENTS = 2**18
"""Currents that are evaluated at a time: more fall out of the processor's cache."""


def period_end_v(period: OdePeriod, before_v: Array) -> Array:
    """Node voltages (samples, nodes) at the period's end, volts; NaN where they cannot be followed.

    before_v: (samples, inputs) voltages of the stage before the period.
    """
    start = period.start_v(before_v) / period.unit_v
    size = max(1, _BLOCK_CURRENTS // period.branches)
    blocks = (start[first : first + size] for first in range(0, len(start), size))
    return np.concatenate([_end(period, block, "DOP853", _RTOL, _ATOL)[0] for block in blocks]) * period.unit_v


def followed(
    period: OdePeriod, before_v: Array, method: Literal["DOP853", "RK45"], rtol: float, atol: float
) -> tuple[Array, int]:
    """The same of samples that are followed together, and how often the branches' currents were evaluated for it.

    rtol, atol: what a step's error may be, relative and in units.
    """
    end, evaluations = _end(period, period.start_v(before_v) / period.unit_v, method, rtol, atol)
    return end * period.unit_v, evaluations


def _end(
    period: OdePeriod, start: Array, method: Literal["DOP853", "RK45"], rtol: float, atol: float
) -> tuple[Array, int]:
    """The same in units of voltage and of model time."""
    duration = period.period_s / period.unit_s
    incidence, law = _incidence(period), LAWS[period.law]

    def slope(_time: float, state: Array) -> Array:
        volts = np.pad(state.reshape(start.shape), ((0, 0), (1, 0)))
        ends = volts[:, period.source], volts[:, period.destination]
        change: Array = (law.currents(*ends, period.theta) @ incidence).ravel()
        return change

    solution = solve_ivp(slope, (0.0, duration), start.ravel(), method, rtol=rtol, atol=atol)
    if not solution.success:
        return np.full_like(start, np.nan), solution.nfev
    end: Array = solution.y[:, -1].reshape(start.shape)
    return end, solution.nfev


def _incidence(period: OdePeriod) -> Any:
    """Sparse (branches, nodes): what a unit of a branch's law changes nodes by; above 0 where its current arrives."""
    numbers = np.arange(period.branches)
    places = np.concatenate([numbers, numbers]), np.concatenate([period.destination, period.source])
    per_unit = np.pad(period.unit_s * period.current_unit_a / period.unit_v / period.capacitor_f, (1, 0))
    changes = np.concatenate([period.gain, -period.gain]) * per_unit[places[1]]
    return coo_array((changes, places), shape=(period.branches, period.nodes + 1)).tocsc()[:, 1:]
