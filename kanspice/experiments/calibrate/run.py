"""From what was measured of a chip to what is set on it: fitted to some of it, and judged by the rest."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import t as student_t

from kanspice.base.arrays import Array, Flags
from kanspice.base.errors import InputError
from kanspice.circuit import Design
from kanspice.engine.progress import Advance, Progress
from kanspice.experiments.calibrate.fit import FoundTwin, Practice, found_twin
from kanspice.experiments.calibrate.result import Candidate, ChipGap, TwinFit
from kanspice.experiments.calibrate.trims import Space, Trim, of_chip
from kanspice.experiments.identify.twin import Twin
from kanspice.experiments.trims import Affine
from kanspice.gap import accuracy

_JUDGING = 0.2
"""Of the measured samples: they say whether trims help, and are not fitted to."""
FEWEST = 10
"""Measured samples that anything can be fitted to and judged by."""
_PRACTICE = 200
"""Samples, measured or not, that trims are found for on the twin."""
_CHANCE = 0.1
"""That any of the trims that are tried seems to help which does not."""

Measure = Callable[[Design], Array]
"""What a circuit gives, (samples, outputs) in model units: of a chip that is simulated."""


@dataclass(frozen=True)
class Asked:
    """What is calibrated. inputs, expected, measured: of all samples; NaN where the chip was not measured.

    labels: (samples,). chip: the specimen, where it is simulated, and what measures it.
    """

    twin: Twin
    inputs: Array
    expected: Array
    measured: Array
    spread: float
    candidates: Sequence[tuple[Trim, ...]]
    counts: Sequence[int]
    bits: int
    area_fraction: float
    labels: npt.NDArray[np.int64] | None = None
    chip: Design | None = None
    measure: Measure | None = None

    @property
    def known(self) -> npt.NDArray[np.int64]:
        """The samples that anything was measured of."""
        return np.flatnonzero(np.isfinite(self.measured).any(axis=1))

    def numbers(self, count: int) -> int:
        """How many outputs of the first so many samples were measured."""
        return int(np.isfinite(self.measured[self.known[:count]]).sum())

    def set_count(self, trims: tuple[Trim, ...]) -> int:
        """How many numbers are set."""
        space = Space(self.twin.nominal, of_chip(trims), self.bits)
        areas = int(space.are_areas.sum())
        inside = int(space.are_others.sum()) + (max(1, round(self.area_fraction * areas)) if areas else 0)
        return inside + (2 * int(self.expected.shape[1]) if "outputs" in trims else 0)

    def gap(self, outputs: Array, samples: npt.NDArray[np.int64]) -> float:
        """Of outputs of these samples, those that there are; NaN if there are none."""
        off = (outputs - self.expected[samples])[np.isfinite(outputs)]
        return float(np.sqrt(np.mean(off**2)) / self.spread) if off.size else np.nan

    def chip_of(self, outputs: Array, samples: npt.NDArray[np.int64]) -> ChipGap:
        """How far outputs (samples, outputs) of these samples are from the network's; NaN where one has no result."""
        solved: Flags = np.asarray(np.isfinite(outputs).all(axis=1))
        found = None if self.labels is None else accuracy(outputs, self.labels[samples], solved)
        return ChipGap(self.gap(outputs, samples), found, len(samples), int((~solved).sum()))

    @property
    def others(self) -> npt.NDArray[np.int64]:
        """Samples that no calibration here is told the outputs of."""
        there = np.isfinite(self.expected).all(axis=1)
        return np.setdiff1d(np.flatnonzero(there), self.known[: max(self.counts)])

    @property
    def practice(self) -> npt.NDArray[np.int64]:
        """Those of them that trims are found with on the twin, without the chip."""
        return self.others[::2]

    @property
    def held_out(self) -> npt.NDArray[np.int64]:
        """Those that nothing is fitted to: what a calibration is for."""
        return self.others[1::2]


def check_counts(counts: Sequence[int], measured: int) -> None:
    """Raises InputError where too few samples were measured."""
    if measured < FEWEST:
        raise InputError(
            "too few measured samples",
            where="--measured",
            expected=f"{FEWEST} or more with outputs, a fifth of which say whether trims help",
            found=f"{measured}",
        )
    for count in counts:
        if not FEWEST <= count <= measured:
            raise InputError(
                "there are not so many measured samples",
                where="--measurements",
                expected=f"{FEWEST} to {measured}",
                found=f"{count}",
            )


def check_trims(asked: Asked) -> None:
    """Raises InputError where fewer numbers were measured than there are trims, or the circuit has none of them."""
    most = max(asked.counts)
    numbers = asked.numbers(most)
    for trims in asked.candidates:
        count = asked.set_count(trims)
        if count == 0:
            raise InputError("the circuit has nothing of the kind to set", where="--trims", found="+".join(trims))
        if count > numbers:
            raise InputError(
                "more trims than measured numbers",
                where="--trims",
                expected=f"at most {numbers}, the outputs of {most} samples",
                found=f"{count} of {'+'.join(trims)}",
                hint="measure more samples, or set less: --trims outputs, or a smaller --area-fraction",
            )


def calibrated(asked: Asked, progress: Progress | None = None) -> tuple[list[Candidate], list[TwinFit]]:
    """Every candidate for every number of measurements that are enough for it."""
    candidates, twins = list[Candidate](), list[TwinFit]()
    for count in asked.counts:
        known = asked.known[:count]
        judged = known[:: round(1 / _JUDGING)]
        fit = np.setdiff1d(known, judged)
        found = None
        if any(of_chip(trims) for trims in asked.candidates):
            found = _twin(asked, fit, judged)
            twins.append(_said(asked, found, count))
        for trims in asked.candidates:
            if asked.set_count(trims) > asked.numbers(count):
                continue
            candidates.append(_Candidate(asked, trims, count, fit, judged, found).made())
            if progress is not None:
                progress(Advance(1))
    return candidates, twins


def _twin(asked: Asked, fit: npt.NDArray[np.int64], judged: npt.NDArray[np.int64]) -> FoundTwin:
    known, others = ((asked.inputs[which], asked.measured[which]) for which in (fit, judged))
    return found_twin(asked.twin, known, others, asked.spread)


def _said(asked: Asked, found: FoundTwin, count: int) -> TwinFit:
    fit = found.fit
    size = asked.twin.size
    return TwinFit(count, found.error, found.nominal_error, fit.chi_squared, found.noise, size, found.cpu_s)


@dataclass(frozen=True)
class _Candidate:
    asked: Asked
    trims: tuple[Trim, ...]
    count: int
    fit: npt.NDArray[np.int64]
    judged: npt.NDArray[np.int64]
    found: FoundTwin | None

    def made(self) -> Candidate:
        """Fitted, judged, and tried on the chip where that is simulated."""
        asked, judged = self.asked, self.judged
        space = self._space()
        values = np.zeros(space.size)
        if space.size and self.found is not None:
            practice = self._practice()
            inputs, wanted = asked.inputs[practice], asked.expected[practice]
            designs, share = self.found.designs, asked.area_fraction
            values = Practice(asked.twin, space, designs, inputs, wanted, asked.spread, share).trims()
        changed = {name: self._changed(space, values, which) for name, which in (("fit", self.fit), ("judged", judged))}
        affine = None
        if "outputs" in self.trims:
            affine = Affine.fitted(changed["fit"], asked.expected[self.fit])
        after = changed["judged"] if affine is None else affine.applied(changed["judged"])
        before = asked.measured[judged]
        left = asked.gap(after, judged)
        is_used = _helps(before, after, asked.expected[judged], _CHANCE / len(asked.candidates))
        if asked.labels is not None:
            is_used = is_used and _agrees(before, after, asked.expected[judged])
        expected, failed = self._expected(space, values, affine, left)
        beside = {} if affine is None else {"outputs.gain": affine.gain, "outputs.offset": affine.offset}
        return Candidate(
            self.count,
            "+".join(self.trims),
            len(self.fit),
            len(judged),
            asked.gap(before, judged),
            left,
            expected,
            is_used,
            int(np.count_nonzero(values)) + (0 if affine is None else 2 * len(affine.gain)),
            self._chip(space, values, affine),
            {**space.arrays(values), **beside},
            judged_failed=int((np.isfinite(before) & ~np.isfinite(after)).any(axis=1).sum()),
            expected_failed=failed,
        )

    def _space(self) -> Space:
        devices = self.asked.twin.technology.devices
        step = devices.area_step
        nominal = self.asked.twin.design(np.zeros(self.asked.twin.size))
        if devices.area_levels > 0:
            step = max(float(np.abs(crossbar.area).max(initial=0.0)) for crossbar in nominal.crossbars)
            step /= devices.area_levels
        return Space(nominal, of_chip(self.trims), self.asked.bits, step)

    def _practice(self) -> npt.NDArray[np.int64]:
        """Samples for the twin: the measured ones that do not judge, and others, from everywhere alike."""
        others, room = self.asked.practice, max(0, _PRACTICE - len(self.fit))
        spaced = others[np.linspace(0, len(others) - 1, min(room, len(others))).astype(int)] if len(others) else others
        there = np.isfinite(self.asked.expected[self.fit]).all(axis=1)
        return np.concatenate([self.fit[there], spaced])

    def _changed(self, space: Space, values: Array, samples: npt.NDArray[np.int64]) -> Array:
        """What the chip gave, and what the twin says that its trims change; NaN where that is beyond a rail."""
        measured = self.asked.measured[samples]
        if not values.any() or self.found is None:
            return measured
        twin, inputs, design = self.asked.twin, self.asked.inputs[samples], self.found.design
        trimmed = twin.answer_of(space.applied(design, values), inputs, has_rails=True).outputs
        return np.asarray(measured + trimmed - twin.answer_of(design, inputs).outputs)

    def _expected(self, space: Space, values: Array, affine: Affine | None, judged_gap: float) -> tuple[float, int]:
        """The gap of samples that were not measured: the twin's own, and by what the twin is off; and beyond rails."""
        asked, held = self.asked, self.asked.held_out
        if self.found is None or not values.any() or not len(held):
            return judged_gap, 0
        trimmed = space.applied(self.found.design, values)
        outputs = asked.twin.answer_of(trimmed, asked.inputs[held], has_rails=True).outputs
        failed = int((~np.isfinite(outputs).all(axis=1)).sum())
        outputs = outputs if affine is None else affine.applied(outputs)
        return float(np.hypot(asked.gap(outputs, held), self.found.error)), failed

    def _chip(self, space: Space, values: Array, affine: Affine | None) -> ChipGap | None:
        """A simulated chip with these set, on samples that nobody measured before."""
        asked, held = self.asked, self.asked.held_out
        if asked.chip is None or asked.measure is None or not len(held):
            return None
        outputs = asked.measure(space.applied(asked.chip, values))[held]
        return asked.chip_of(outputs if affine is None else affine.applied(outputs), held)


def _helps(before: Array, after: Array, expected: Array, chance: float) -> bool:
    """Whether squared errors, sample by sample, become smaller, by more than chance (Student's t), and none is lost."""
    there = np.isfinite(before)
    if not np.isfinite(after[there]).all():
        return False
    gained = np.where(there, (before - expected) ** 2 - (after - expected) ** 2, 0.0).sum(axis=1)
    if len(gained) < 2:
        return False
    error = gained.std(ddof=1) / np.sqrt(len(gained))
    return bool(gained.mean() > student_t.ppf(1 - chance, len(gained) - 1) * error)


def _agrees(before: Array, after: Array, expected: Array) -> bool:
    """Whether no fewer samples than before have their largest output where the network has it."""
    there = np.isfinite(before).all(axis=1) & np.isfinite(after).all(axis=1)
    counts = [np.sum(outputs[there].argmax(axis=1) == expected[there].argmax(axis=1)) for outputs in (before, after)]
    return bool(counts[1] >= counts[0])
