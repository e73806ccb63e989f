"""From what was measured of a chip to which chip it is: fitted to some of it, and judged by the rest."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import chi2, norm

from kanspice.base.arrays import Array
from kanspice.base.errors import InputError
from kanspice.experiments.identify.attribution import measured_causes
from kanspice.experiments.identify.fit_count import FitCount
from kanspice.experiments.identify.fitting import Fitting
from kanspice.experiments.identify.least_squares import Fit, Posterior
from kanspice.experiments.identify.result import (
    FoundKey,
    FoundOutput,
    FoundPart,
    MeasuredCause,
    Suspect,
    Telling,
    explains,
)
from kanspice.experiments.identify.suspects import Scores, suspects
from kanspice.experiments.identify.twin import Twin
from kanspice.gap.causes import Attribution

EVERY = 5
"""So many measured samples have one that is kept apart."""
FEWEST = 10
"""Measured samples."""
_WITHIN = float(norm.ppf(0.95))
"""Standard deviations either way, of a 90 % interval."""
_TOLD = 0.5
_EXPLAINS, _AGAIN = 1.5, (30.0, 10.0, 3.0, 1.0)
"""Squared errors per number, in units of the noise, that are no more than noise; how much of it to begin with else."""
_SELDOM, _STARTS = 1e-2, 2
"""Chips of the technology that need as much are so few: it is looked for a better fit; from so many drawn chips."""
_BENDS = 32
"""Specimens that explain as much, by which outputs are found to be no linear functions of the unknowns."""
_CANDIDATES, _SHOWN = 60, 5
"""Samples that are looked at for what they would tell, and of these the ones that are named."""
_LARGEST = 200_000_000
"""Derivatives that are kept at a time: 1.6 GB."""


@dataclass(frozen=True)
class Investigated:
    """inputs, expected, measured: of all samples; NaN where an output was not measured. spread: the network's.

    noise: of measured outputs, model units.
    """

    twin: Twin
    inputs: Array
    expected: Array
    measured: Array
    spread: float
    noise: float

    @property
    def known(self) -> npt.NDArray[np.int64]:
        """The samples that anything was measured of."""
        return np.flatnonzero(np.isfinite(self.measured).any(axis=1))

    @property
    def judging(self) -> npt.NDArray[np.int64]:
        """Those that are kept apart."""
        return self.known[::EVERY]

    @property
    def fitting(self) -> npt.NDArray[np.int64]:
        """The others."""
        return np.setdiff1d(self.known, self.judging)

    def check(self) -> None:
        """Raises InputError where too little was measured, or more than there is memory for."""
        if len(self.known) < FEWEST:
            expected = f"{FEWEST} or more with outputs, every fifth of which is kept apart"
            found = f"{len(self.known)}"
            raise InputError("too few measured samples", where="--measured", expected=expected, found=found)
        derivatives = len(self.fitting) * self.expected.shape[1] * self.twin.size
        if derivatives > _LARGEST:
            most = _LARGEST // (self.expected.shape[1] * self.twin.size)
            hint = "blank the rows of other samples with NaN"
            expected = f"at most {most} of a circuit with {self.twin.size:,} unknowns"
            found = f"{len(self.fitting)}"
            raise InputError("too many measured samples", where="--measured", expected=expected, found=found, hint=hint)


def most_fits(twin: Twin) -> int:
    """How many fits a chip takes at most, counting in what finds the first of the other starts."""
    return 4 + (2 if twin.keys else 0) + _STARTS


class Identified:
    """The twin of a chip, fitted to what was measured, and what is still unknown of it."""

    def __init__(self, chip: Investigated, count: FitCount | None = None) -> None:
        """count: told of every fit, of `most_fits`."""
        self.chip, self.twin = chip, chip.twin
        self.fit = self._fitted(count or FitCount(most_fits(chip.twin)))
        self.posterior = Posterior(self.fit.jacobian)
        judging = chip.judging
        answer = self.twin.answer(chip.inputs[judging], self.fit.unknowns)
        there = np.isfinite(chip.measured[judging]) & np.isfinite(answer.outputs)
        self._there, self._off = there, (chip.measured[judging] - answer.outputs)[there]
        by_unknowns = self.twin.jacobian(chip.inputs[judging], self.fit.unknowns, answer)[there]
        self._by_unknowns = by_unknowns
        covariance = self.posterior.covariance(by_unknowns) + chip.noise**2 * np.eye(len(by_unknowns))
        bent = self._bent(answer.outputs[there])
        covariance += bent
        self._bent_squares = float(np.trace(bent))
        self._sigma = np.sqrt(np.diag(covariance))
        self._distance = float(self._off @ np.linalg.solve(covariance, self._off))

    def _fitted(self, count: FitCount) -> Fit:
        """Once more, with more noise at first, where something is left that is more than noise, and from other starts

        where chips of the technology seldom need such unknowns: a fit can end in a state that is not the best.
        """
        chip, noise = self.chip, self.chip.noise
        fitting = Fitting(self.twin, chip.inputs[chip.fitting], chip.measured[chip.fitting])
        best = fitting.fitted(noise, np.zeros(self.twin.size))
        count.advance()
        if best.chi_squared > _EXPLAINS:
            best = min(best, fitting.fitted(noise, best.unknowns, _AGAIN), key=lambda each: each.cost)
            count.advance()
        if chi2.sf(best.cost, len(best.residuals)) < _SELDOM:
            for start in self._other_starts(fitting, count):
                best = min(best, fitting.fitted(noise, start), key=lambda each: each.cost)
                count.advance()
                if chi2.sf(best.cost, len(best.residuals)) >= _SELDOM:
                    break
        count.finish()
        return best

    def _other_starts(self, fitting: Fitting, count: FitCount) -> Iterator[Array]:
        """Where derivatives that are means over several chips lead; keys of the technology one standard deviation down

        and up; and chips of the technology.
        """
        yield fitting.smoothed(self.chip.noise, count.advance)
        for sign in (-1.0, 1.0) if self.twin.keys else ():
            start = np.zeros(self.twin.size)
            for key in self.twin.keys:
                start[self.twin.places[key.name]] = sign
            yield start
        random = np.random.default_rng(0)
        for _ in range(_STARTS):
            yield random.standard_normal(self.twin.size)

    @property
    def bends(self) -> float:
        """Squares of what outputs kept apart do that is not linear in what is still unknown, of those that are."""
        linear = self.posterior.spread(self._by_unknowns)
        return self._bent_squares / float((linear**2).sum() + self.chip.noise**2 * len(linear))

    def _bent(self, outputs: Array) -> Array:
        """Covariance of what outputs of the samples kept apart do that is not linear in what is still unknown.

        outputs: (numbers,) of the twin.
        """
        random, inputs = np.random.default_rng(1), self.chip.inputs[self.chip.judging]
        off = [self.posterior.drawn(random) for _ in range(_BENDS)]
        bent = [self.twin.answer(inputs, self.fit.unknowns + each).outputs[self._there] - outputs for each in off]
        left = np.array(bent) - np.array(off) @ self._by_unknowns.T
        left = left[np.isfinite(left).all(axis=1)]
        return np.asarray(left.T @ left / max(1, len(left)))

    @property
    def error(self) -> float:
        """Of the samples kept apart, of the network's spread."""
        return float(np.sqrt(np.mean(self._off**2)) / self.chip.spread)

    @property
    def nominal_error(self) -> float:
        """The same of the circuit as it was meant to be."""
        judging = self.chip.judging
        outputs = self.twin.answer(self.chip.inputs[judging], np.zeros(self.twin.size)).outputs
        off = (self.chip.measured[judging] - outputs)[self._there]
        return float(np.sqrt(np.mean(off**2)) / self.chip.spread)

    @property
    def ratio(self) -> float:
        """Squared errors over what they are expected to be, as far as they do not follow from each other."""
        return self._distance / len(self._off)

    @property
    def chance(self) -> float:
        """Of chips of the technology, as many are that unlikely, or more: the smaller of two chances, of two."""
        numbers = len(self.fit.residuals)
        fitted_, kept_apart = chi2.sf(self.fit.effort * numbers, numbers), chi2.sf(self._distance, len(self._off))
        return float(min(2 * fitted_, 2 * kept_apart, 1.0))

    @property
    def covered(self) -> float:
        """Of the outputs of samples kept apart, those within their 90 % intervals."""
        return float(np.mean(np.abs(self._off) < _WITHIN * self._sigma))

    @property
    def is_explained(self) -> bool:
        """Whether it may be a chip of the technology."""
        return explains(self.chance, self.fit.effort, self.ratio, self.suspects())

    def keys(self) -> list[FoundKey]:
        """Of the technology, with 90 % intervals."""
        found, sigma = [], self.posterior.sigma
        for key in self.twin.keys:
            place = self.twin.places[key.name].start
            said = self.twin.said(key)
            middle, off = self.fit.unknowns[place], _WITHIN * sigma[place]
            value, low, high = (said * key.factor ** float(middle + sign * off) for sign in (0, -1, 1))
            found.append(FoundKey(key.name, said, value, low, high))
        return found

    def parts(self) -> list[FoundPart]:
        """Of every random array, those of a part together."""
        sigma, found = self.posterior.sigma, []
        inputs, expected = self.chip.inputs[self.chip.known], self.chip.expected[self.chip.known]
        for array in self.twin.arrays:
            place = self.twin.places[array.name]
            own = self.twin.matter(array)
            alone = np.zeros(self.twin.size)
            alone[place] = self.fit.unknowns[place]
            outputs = self.twin.answer(inputs, alone).outputs
            off = float(np.sqrt(np.mean((outputs - expected) ** 2)) / self.chip.spread)
            left, values = sigma[place][own], self.fit.unknowns[place][own]
            told = int((left < _TOLD).sum())
            size = float(np.sqrt(np.mean(values**2)))
            left_rms = float(np.sqrt(np.mean(left**2)))
            gap = off if np.isfinite(off) else None
            found.append(FoundPart(array.name, int(own.sum()), told, left_rms, size, gap))
        return sorted(found, key=lambda part: -(part.alone or 0.0))

    def outputs(self) -> list[FoundOutput]:
        """The samples kept apart, output by output."""
        which = np.nonzero(self._there)[1]
        scaled = (self._off / self._sigma) ** 2
        return [FoundOutput(int(each), float(scaled[which == each].mean())) for each in np.unique(which)]

    def suspects(self) -> list[Suspect]:
        """Causes that the twin has none of, by all measured samples; the one that most speaks for first."""
        chip, fit = self.chip, self.fit
        known = np.concatenate([chip.fitting, chip.judging])
        there = np.concatenate([np.isfinite(chip.measured[chip.fitting]), self._there])
        jacobian = np.concatenate([fit.jacobian, self._by_unknowns / chip.noise])
        scores = Scores(jacobian, np.concatenate([fit.residuals, self._off / chip.noise]), fit.unknowns)
        at = fit.unknowns, jacobian
        return suspects(self.twin, chip.inputs[known], at, scores, lambda outputs: outputs[there] / chip.noise)

    def causes(self) -> tuple[list[MeasuredCause], Attribution]:
        """Of the measured gap of the samples kept apart."""
        chip, judging = self.chip, self.chip.judging
        samples = chip.inputs[judging], chip.expected[judging], chip.measured[judging]
        return measured_causes(self.twin, self.fit.unknowns, samples, chip.spread)

    def telling(self, shown: int = _SHOWN, candidates: int = _CANDIDATES) -> list[Telling]:
        """Samples that were not measured and would tell most, one after the other, each beside those before it."""
        there = np.isfinite(self.chip.expected).all(axis=1)
        others = np.setdiff1d(np.flatnonzero(there), self.chip.known)[:candidates]
        if not len(others):
            return []
        inputs, width = self.chip.inputs[others], self.chip.expected.shape[1]
        answer = self.twin.answer(inputs, self.fit.unknowns)
        derivatives = self.twin.jacobian(inputs, self.fit.unknowns, answer).reshape(len(others) * width, -1)
        return _greedy(self.posterior.covariance(derivatives) / self.chip.noise**2, others, width, shown)


def _greedy(covariance: Array, others: npt.NDArray[np.int64], width: int, shown: int) -> list[Telling]:
    """covariance: of all their outputs, in units of the noise."""
    found, left = list[Telling](), covariance.copy()
    blocks = [slice(place * width, (place + 1) * width) for place in range(len(others))]
    for _ in range(min(shown, len(others))):
        nats = [0.5 * np.linalg.slogdet(np.eye(width) + left[block, block])[1] for block in blocks]
        best = int(np.argmax(nats))
        found.append(Telling(int(others[best]), float(nats[best])))
        own = left[:, blocks[best]]
        left = left - own @ np.linalg.solve(left[blocks[best], blocks[best]] + np.eye(width), own.T)
    return found
