"""A chip's twin from what was measured of it, and the trims that take the twin nearest to its network."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np

from kanspice.base.arrays import Array, Indices
from kanspice.circuit import Design
from kanspice.experiments.calibrate.trims import Space
from kanspice.experiments.identify.jacobian import jacobian, moves_of
from kanspice.experiments.identify.least_squares import Fit, fitted
from kanspice.experiments.identify.twin import Answer, Twin

_NOISES = 0.03, 0.003
"""Of the network's spread: what outputs are believed to be off by at first, and where that explains all of them."""
EXPLAINS = 2.0
"""Squared errors per number, in units of that."""
_LEFT = 0.05
"""Of the network's spread: a gap that trims can be expected to leave, which says what a usual trim is worth."""


@dataclass(frozen=True)
class FoundTwin:
    """design: the specimen. error, nominal_error: of its outputs for other samples, and of those of the specimen that
    is as meant to be, of the spread."""

    design: Design
    error: float
    nominal_error: float
    fit: Fit
    noise: float
    cpu_s: float


def found_twin(twin: Twin, known: tuple[Array, Array], others: tuple[Array, Array], spread: float) -> FoundTwin:
    """known, others: inputs and measured outputs that it is fitted to, and that say which fit is better.

    NaN where an output was not measured.
    """
    began, start = time.process_time(), np.zeros(twin.size)
    nominal = _error(twin.answer(others[0], start), others[1], spread)
    best: FoundTwin | None = None
    for noise in _NOISES:
        fit = twin_fit(twin, *known, noise * spread, start)
        answer = twin.answer(others[0], fit.unknowns)
        error = _error(answer, others[1], spread)
        if best is None or error < best.error:
            best = FoundTwin(answer.design, error, nominal, fit, noise, time.process_time() - began)
        if fit.chi_squared > EXPLAINS:
            break
        start = fit.unknowns
    assert best is not None  # noqa: S101 - there are noises
    return best


def twin_fit(twin: Twin, inputs: Array, measured: Array, noise: float, start: Array) -> Fit:
    """The unknowns that explain measured outputs (samples, outputs), NaN where there is none."""
    there = np.isfinite(measured)

    def outputs(unknowns: Array) -> Array:
        return np.asarray(twin.answer(inputs, unknowns).outputs[there])

    def steepness(unknowns: Array) -> Array:
        return np.asarray(twin.jacobian(inputs, unknowns, twin.answer(inputs, unknowns))[there])

    wanted = measured[there]
    return fitted(outputs, steepness, wanted, np.full(wanted.size, noise), start=start)


def _error(answer: Answer, measured: Array, spread: float) -> float:
    off = (answer.outputs - measured)[np.isfinite(measured)]
    return float(np.sqrt(np.mean(off**2)) / spread)


def fitted_trims(  # noqa: PLR0917, once, for a candidate
    twin: Twin, design: Design, space: Space, samples: tuple[Array, Array], spread: float, fraction: float
) -> Array:
    """What to set on the specimen `design` so that it gives what the network does.

    samples: inputs, and the network's outputs. fraction: of all devices that may be programmed.
    """
    inputs, wanted = samples
    free = space.are_others.copy()
    noise = np.full(wanted.size, _LEFT * spread)

    def outputs(values: Array) -> Array:
        return twin.answer_of(space.applied(design, values), inputs).outputs.ravel()

    def steepness(values: Array) -> Array:
        return _by_trims(twin, design, space, inputs, values)

    values = np.zeros(space.size)
    if free.any():
        values = fitted(outputs, steepness, wanted.ravel(), noise, start=values, annealed=(1.0,), free=free).unknowns
    if space.are_areas.any():
        count = max(1, round(fraction * int(space.are_areas.sum())))
        chosen = _worth_most(steepness(values) / noise[:, None], (wanted.ravel() - outputs(values)) / noise, space)
        free[chosen[:count]] = True
        values = fitted(outputs, steepness, wanted.ravel(), noise, start=values, annealed=(1.0,), free=free).unknowns
    return space.settable(values)


def _by_trims(twin: Twin, design: Design, space: Space, inputs: Array, values: Array) -> Array:
    """(numbers, trims) of the outputs of all samples."""
    answer = twin.answer_of(space.applied(design, values), inputs)
    moves = moves_of(lambda there: space.applied(design, there), values, space.groups)
    rows_v = answer.design.inputs_v(inputs)[:, : answer.design.input_width]
    return jacobian(answer.design, answer.solution, rows_v, moves, space.size).reshape(-1, space.size)


def _worth_most(steepness: Array, residuals: Array, space: Space) -> Indices:
    """Areas in the order of what they do to the outputs where all of them can be set."""
    own = np.flatnonzero(space.are_areas)
    steepness = steepness[:, own]
    if len(residuals) < len(own):
        matrix = steepness @ steepness.T + np.eye(len(residuals))
        step = steepness.T @ np.linalg.solve(matrix, residuals)
    else:
        step = np.linalg.solve(steepness.T @ steepness + np.eye(len(own)), steepness.T @ residuals)
    worth = np.abs(step) * np.linalg.norm(steepness, axis=0)
    return own[np.argsort(-worth, kind="stable")]
