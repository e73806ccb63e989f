"""What identifying a chip gives: its specimen with intervals, how well that explains it, and what is still unknown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kanspice.experiments.facts import InputsFacts
from kanspice.report.blocks import Page
from kanspice.report.frames import Columns
from kanspice.report.shown import Shown

REJECTED = 1e-3
"""Of chips of the technology so few are as far off where the twin was not fitted: this one is none of them."""

LINEAR = 0.1
"""Squares of what is not linear over those of what is, that tests which take outputs for linear are believed with."""

UNEXPLAINED = "not explained by the twin"

MARGIN = 1.75
"""Times what is expected: of chips that ngspice simulated none came to more than 1.6, where a fit ended in a state that
is not the best (`benchmarks.identify`). Causes that are named by a score test need no margin."""


@dataclass(frozen=True)
class FoundKey:
    """A key of the technology: its value, and what 90 % of the chips lie between that would explain the outputs."""

    name: str
    said: float
    value: float
    low: float
    high: float


@dataclass(frozen=True)
class FoundPart:
    """The random numbers of one part. left: the root mean square of what of their standard deviations is still unknown.

    told: how many of them are known to half a standard deviation. size: root mean square of what was found. alone: the
    gap of the circuit with what was found of this part alone, None where it has no answer.
    """

    name: str
    numbers: int
    told: int
    left: float
    size: float
    alone: float | None


@dataclass(frozen=True)
class FoundOutput:
    """One output: squared errors of the samples kept apart over what they are expected to be; 1 is right."""

    output: int
    ratio: float


@dataclass(frozen=True)
class MeasuredCause:
    """A part of the measured gap, where nothing was fitted: as `kanspice.gap.causes` has causes.

    name: `section.key` of the technology, `section.*` for all of a section, `UNEXPLAINED` for what is left of measured
    outputs; value: of a key. alone: the gap that it makes by itself, relative. share: of the mean squared gap that was
    measured; None for what shares with its section. standard_error: of the share; 0 where nothing was drawn.
    """

    name: str
    value: float | str | None
    alone: float | None
    share: float | None
    standard_error: float | None


@dataclass(frozen=True)
class Suspect:
    """A cause that the twin has none of. said: what the technology says of it; value: what would explain most.

    seen: from what value on these samples find it out, in nine of ten chips. score: what speaks for it, in standard
    deviations; chance: of chips of the technology, as many have something that speaks as loudly.
    """

    name: str
    said: float
    value: float
    seen: float
    score: float
    chance: float

    @property
    def is_key(self) -> bool:
        """Whether it is `section.key` of the technology, and no column of a crossbar."""
        return " " not in self.name

    @property
    def is_found(self) -> bool:
        """Whether it is no chance."""
        return self.chance < REJECTED


@dataclass(frozen=True)
class DrawnFits:
    """What the same fits make of chips drawn from the technology, until one says that they are not to be believed.

    chips: how many were drawn. missed: how many of them are not explained. bends: squares of what outputs do that is
    not linear in what is left unknown, over those of what is: the most of any.
    """

    chips: int
    missed: int
    bends: float

    @property
    def are_linear(self) -> bool:
        """Whether tests that take outputs for linear in what is left unknown are to be believed."""
        return self.bends < LINEAR

    @property
    def are_near(self) -> bool:
        """Whether fits that explain nothing speak against the technology."""
        return not self.missed and self.are_linear


@dataclass(frozen=True)
class Telling:
    """A sample that was not measured, and how many nats it would tell."""

    sample: int
    nats: float


def explains(chance: float, effort: float, ratio: float, suspects: Sequence[Suspect]) -> bool:
    """Whether a chip may be one of its technology: errors that a fit can make by itself do not reject it."""
    is_likely = chance >= REJECTED or max(effort, ratio) < MARGIN
    return is_likely and not any(suspect.is_found for suspect in suspects)


@dataclass(frozen=True, repr=False)
class IdentificationResult(Shown):
    """One chip. fitted, judged: measured samples that it was fitted to, and that were kept apart.

    noise: of measured outputs, of the network's spread. gap: of the measured outputs against the network, relative.
    nominal_error, error: of the circuit as it was meant to be, and of the twin, for the samples kept apart.
    ratio: their squared errors over what they are expected to be. effort: squares of what is left and of the unknowns
    that it took, per fitted number, 1 for a chip of the technology; chance: of these as many are as unlikely. covered:
    of the outputs kept apart, those within their 90 % intervals. informed: numbers' worth that were told, of
    `unknowns`. causes: of the measured gap, for the samples kept apart; gap_apart: that gap, relative. suspects: causes
    that the twin has none of, the one that most speaks for first. drawn: what fits of drawn chips of
    the technology come to, None where that was not asked. sized_for: samples that the circuit is sized for, where they
    were given apart. specimen: the file with its numbers.
    """

    model: str
    family: str
    technology: str
    source: str
    samples: int
    fitted: int
    judged: int
    numbers: int
    noise: float
    unknowns: int
    informed: float
    chi_squared: float
    gap: float
    nominal_error: float
    error: float
    ratio: float
    effort: float
    chance: float
    covered: float
    keys: Sequence[FoundKey]
    parts: Sequence[FoundPart]
    outputs: Sequence[FoundOutput]
    telling: Sequence[Telling]
    suspects: Sequence[Suspect] = ()
    causes: Sequence[MeasuredCause] = ()
    gap_apart: float | None = None
    drawn: DrawnFits | None = None
    left_out: tuple[str, ...] = ()
    sized_for: InputsFacts | None = None
    specimen: str | None = None
    command: str | None = None

    @property
    def is_explained(self) -> bool:
        """Whether the chip may be one of this technology."""
        return explains(self.chance, self.effort, self.ratio, self.suspects)

    @property
    def came_near(self) -> bool:
        """Whether a fit that explains nothing speaks against the technology; True where that was not asked."""
        return self.drawn is None or self.drawn.are_near

    @property
    def exit_code(self) -> int:
        """1 where no chip of the technology explains what was measured; 3 where that is not known; 0 else."""
        if self.is_explained:
            return 0
        return 1 if self.came_near else 3

    def page(self) -> Page:
        from kanspice.experiments.identify.page import identification_page  # noqa: PLC0415 - which shows this

        return identification_page(self)

    def columns(self) -> Columns:
        """A row for each part."""
        return {
            "part": [part.name for part in self.parts],
            "numbers": [part.numbers for part in self.parts],
            "told": [part.told for part in self.parts],
            "left": [part.left for part in self.parts],
            "alone": [part.alone for part in self.parts],
        }
