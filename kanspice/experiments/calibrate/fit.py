"""A chip's twin from what was measured of it, and the trims that take the twin nearest to its network."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from kanspice.base.arrays import Array, Indices
from kanspice.circuit import Crossbar, Design, Limiter
from kanspice.experiments.calibrate.trims import Space
from kanspice.experiments.identify.fitting import Fitting
from kanspice.experiments.identify.jacobian import jacobian, moves_of
from kanspice.experiments.identify.least_squares import Fit, Posterior, fitted
from kanspice.experiments.identify.twin import Answer, Twin

_NOISES = 0.03, 0.003
"""Of the network's spread: what outputs are believed to be off by at first, and where that explains all of them."""
EXPLAINS = 2.0
"""Squared errors per number, in units of that."""
_EFFORT = 1.2
"""Squares of what is left and of the unknowns that it took, per number, of which a chip of the technology has 1: more
is a fit that ended in the wrong place."""
_SPECIMENS = 8
"""That explain what was measured, and that trims have to be good for alike."""
_LEFT = 0.05
"""Of the network's spread: a gap that trims can be expected to leave, which says what a usual trim is worth."""
_TRIES = 12
"""Of shorter steps: where amplifiers come too near to their rails is a wall."""
_NEAR_RAIL, _STEEP = 0.85, 20.0
"""Of a rail: where amplifiers are too near to it; and how much that costs, in units of all samples' errors."""


@dataclass(frozen=True)
class FoundTwin:
    """design: the specimen. designs: others that are as possible. error, nominal_error: of its outputs for other
    samples, and of those of the specimen that is as meant to be, of the spread."""

    design: Design
    designs: tuple[Design, ...]
    error: float
    nominal_error: float
    fit: Fit
    noise: float
    cpu_s: float


def found_twin(twin: Twin, known: tuple[Array, Array], others: tuple[Array, Array], spread: float) -> FoundTwin:
    """known, others: inputs and measured outputs that it is fitted to, and that only say how far it is off.

    NaN where an output was not measured.
    """
    began = time.process_time()
    fit, noise = _explaining(Fitting(twin, *known), spread)
    answer = twin.answer(others[0], fit.unknowns)
    nominal = _error(twin.answer(others[0], np.zeros(twin.size)), others[1], spread)
    designs = tuple(twin.design(unknowns) for unknowns in _possible(fit))
    error = _error(answer, others[1], spread)
    return FoundTwin(answer.design, designs, error, nominal, fit, noise, time.process_time() - began)


def _explaining(fitting: Fitting, spread: float) -> tuple[Fit, float]:
    """The fit with the least noise that explains what was measured, and that noise."""
    noise = _NOISES[0]
    fit = fitting.fitted(noise * spread, np.zeros(fitting.twin.size))
    if fit.effort > _EFFORT:
        start = fitting.smoothed(noise * spread)
        fit = min(fit, fitting.fitted(noise * spread, start, annealed=(1.0,)), key=lambda each: each.cost)
    for less in _NOISES[1:]:
        finer = fitting.fitted(less * spread, fit.unknowns)
        if fit.effort > _EFFORT or finer.chi_squared > EXPLAINS:
            break
        fit, noise = finer, less
    return fit, noise


def _possible(fit: Fit) -> Array:
    """(specimens, unknowns) that the measured numbers leave possible, to first order; pairs of them are opposite."""
    random, posterior = np.random.default_rng(0), Posterior(fit.jacobian)
    apart, off = (random.standard_normal((_SPECIMENS // 2, size)) for size in (fit.unknowns.size, fit.residuals.size))
    moved = np.array([posterior.explaining(*each) for each in zip(apart, off, strict=True)])
    return np.asarray(fit.unknowns + np.concatenate([moved, -moved]))


def _error(answer: Answer, measured: Array, spread: float) -> float:
    off = (answer.outputs - measured)[np.isfinite(measured)]
    return float(np.sqrt(np.mean(off**2)) / spread)


@dataclass(frozen=True)
class Practice:
    """What trims are found on: specimens, each with samples of its own.

    inputs, wanted: of all samples, and the network's outputs. fraction: of all devices that may be programmed.
    """

    twin: Twin
    space: Space
    designs: Sequence[Design]
    inputs: Array
    wanted: Array
    spread: float
    fraction: float

    @property
    def _shares(self) -> Iterator[tuple[Design, slice]]:
        for place, design in enumerate(self.designs[: len(self.inputs)]):
            yield design, slice(place, None, len(self.designs))

    def trims(self) -> Array:
        """What to set so that the specimens give what the network does."""
        free = self.space.are_others.copy()
        values = np.zeros(self.space.size)
        if free.any():
            values = self._fitted(values, free)
        if self.space.are_areas.any():
            count = max(1, round(self.fraction * int(self.space.are_areas.sum())))
            chosen = _worth_most(self._by_trims(values), (self._aims - self._outcome(values)), self.space)
            free[chosen[:count]] = True
            values = self._fitted(values, free)
        return self.space.settable(values)

    def _fitted(self, start: Array, free: Array) -> Array:
        ones = np.ones(self._aims.size)
        return fitted(
            self._outcome, self._by_trims, self._aims, ones, start=start, annealed=(1.0,), free=free, tries=_TRIES
        ).unknowns

    @property
    def _aims(self) -> Array:
        """In units of what is left of errors; amplifiers are to be no further beyond what is near to their rails."""
        wanted = [self.wanted[own].ravel() / (_LEFT * self.spread) for _, own in self._shares]
        rails = len(wanted) * sum(3 * crossbar.width for crossbar in self.space.nominal.crossbars)
        return np.concatenate([*wanted, np.zeros(rails)])

    def _outcome(self, values: Array) -> Array:
        outputs, rails = [], []
        for design, own in self._shares:
            answer = self.twin.answer_of(self.space.applied(design, values), self.inputs[own])
            outputs.append(answer.outputs.ravel() / (_LEFT * self.spread))
            rails += [excess for excess, _ in self._excesses(answer)]
        return np.concatenate([*outputs, *rails])

    def _by_trims(self, values: Array) -> Array:
        """(numbers, trims) of what `_outcome` gives."""
        outputs, rails = [], []
        for design, own in self._shares:
            answer = self.twin.answer_of(self.space.applied(design, values), self.inputs[own])
            made = _by_trims(self.twin, design, self.space, answer, self.inputs[own], values)
            outputs.append(made / (_LEFT * self.spread))
            rails += [steepness for _, steepness in self._excesses(answer)]
        return np.concatenate([*outputs, *rails])

    def _excesses(self, answer: Answer) -> Iterator[tuple[Array, Array]]:
        """Of every crossbar, by how much amplifiers are too near to their rails, and how that follows its own trims.

        (3 * pairs,) of the sample that asks most of each: positive and negative columns in turn, and subtractors.
        """
        scale = _STEEP * np.sqrt(self.wanted.size)
        for crossbar, nominal in zip(answer.design.crossbars, self.space.nominal.crossbars, strict=True):
            if not np.isinf(crossbar.swing_v):
                count = 3 * crossbar.width
                yield np.zeros(count), np.zeros((count, self.space.size))
                continue
            drawn = answer.solution.amplifier_a[crossbar.name]
            columns_v = answer.solution.column_v[crossbar.name]
            asked_v = np.concatenate([columns_v - crossbar.feedback_ohm * drawn, self._delivered(answer, crossbar)], 1)
            most = np.abs(asked_v).argmax(axis=0)
            asked = asked_v[most, np.arange(asked_v.shape[1])]
            beyond = np.maximum(np.abs(asked) / nominal.rail_v - _NEAR_RAIL, 0.0)
            moved = np.where(beyond > 0, np.sign(asked), 0.0) / nominal.rail_v * scale
            yield scale * beyond, moved[:, None] * self.space.amplifiers_v(crossbar, asked)

    @staticmethod
    def _delivered(answer: Answer, crossbar: Crossbar) -> Array:
        """Of subtractors; a clip behind one takes no more than it lets through."""
        names = [stage.name for stage in answer.design.stages]
        after = answer.design.stages[names.index(crossbar.name) + 1 :][:1]
        outputs_v = np.asarray(answer.solution.stage_v[crossbar.name])
        if after and isinstance(after[0], Limiter) and after[0].kind == "clip":
            return np.clip(outputs_v, after[0].low_v, after[0].high_v)
        return outputs_v


def _by_trims(  # noqa: PLR0917, once, for a specimen
    twin: Twin, design: Design, space: Space, answer: Answer, inputs: Array, values: Array
) -> Array:
    """(numbers, trims) of the outputs of all samples, of which `answer` was found with these values."""
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
