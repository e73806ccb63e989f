"""What calibrating a chip gives: for every number of measurements, every set of trims, and whether it is to be used."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from kanspice.base.arrays import Array
from kanspice.experiments.calibrate.fit import EXPLAINS
from kanspice.experiments.calibrate.trims import of_chip, parse_trims
from kanspice.experiments.facts import InputsFacts
from kanspice.report.blocks import Page
from kanspice.report.frames import Columns
from kanspice.report.shown import Shown


@dataclass(frozen=True)
class ChipGap:
    """How far a chip is from its network on the samples that it was not calibrated with.

    gap: relative root mean square, of the samples that have a result; NaN if none has. accuracy: a fraction of all, of
    which one without a result is wrong; None without labels. samples: how many. failed: of which have no result.
    """

    gap: float
    accuracy: float | None
    samples: int
    failed: int = 0


@dataclass(frozen=True)
class Candidate:
    """One set of trims, fitted to so many measured samples.

    trims: their names, joined by "+". fitted, judged: samples that it was fitted to, and that said whether it helps.
    untouched, judged_gap: the gap of these without it and with it, the latter as the twin says what it changes, of
    those that it has an answer for; judged_failed: how many it has none for, as amplifiers would be beyond their rails.
    expected_gap, expected_failed: the same of samples that were not measured. is_used: whether it helps beyond doubt.
    chip: what a simulated chip then is.
    """

    measurements: int
    trims: str
    fitted: int
    judged: int
    untouched: float
    judged_gap: float
    expected_gap: float
    is_used: bool
    set_count: int
    chip: ChipGap | None = None
    values: Mapping[str, Array] = field(default_factory=dict, repr=False)
    judged_failed: int = 0
    expected_failed: int = 0

    @property
    def gap(self) -> float:
        """What is known best of the gap that is left."""
        return self.chip.gap if self.chip is not None else self.expected_gap


@dataclass(frozen=True)
class TwinFit:
    """A chip's twin, from so many measured samples. error: of its outputs for those that it was not fitted to, of the
    network's spread. chi_squared: of what is left, per number, at the noise that it was fitted with.
    """

    measurements: int
    error: float
    untouched_error: float
    chi_squared: float
    noise: float
    unknowns: int
    cpu_s: float


@dataclass(frozen=True, repr=False)
class CalibrationResult(Shown):
    """What to set on one chip. untouched, network: the chip as it is, and the network's accuracy, where they are known.

    measured: samples with measured outputs; samples: all. chip: what it is, in words. best: the place of what is to be
    set among the candidates; None for nothing. sized_for: samples that circuits are sized for, where they were given
    apart. output: the file that says what to set; unwritten: the one that would,
    were it not doubtful.
    """

    model: str
    family: str
    technology: str
    chip: str
    samples: int
    measured: int
    bits: int
    area_fraction: float
    candidates: Sequence[Candidate]
    twins: Sequence[TwinFit]
    untouched: ChipGap | None
    network_accuracy: float | None
    keys: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    sized_for: InputsFacts | None = None
    output: str | None = None
    unwritten: str | None = None
    command: str | None = None

    @property
    def best(self) -> int | None:
        """Of the most measurements, the used candidate of the least gap on the samples that judge."""
        most = max(candidate.measurements for candidate in self.candidates)
        used = [
            place
            for place, candidate in enumerate(self.candidates)
            if candidate.is_used and candidate.measurements == most
        ]
        return min(used, key=lambda place: self.candidates[place].judged_gap, default=None)

    @property
    def chosen(self) -> Candidate | None:
        """What is to be set."""
        return None if self.best is None else self.candidates[self.best]

    @property
    def is_followed(self) -> bool:
        """Whether what is said of the chosen trims is the chip's own, or a twin's that explains what was measured."""
        chosen = self.chosen
        if chosen is None or chosen.chip is not None or not of_chip(*parse_trims([chosen.trims])):
            return True
        twin = next(twin for twin in self.twins if twin.measurements == chosen.measurements)
        return twin.chi_squared <= EXPLAINS

    @property
    def lost(self) -> int:
        """How many samples of a simulated chip have no result with the chosen trims, more than without."""
        chosen, untouched = self.chosen, self.untouched
        if chosen is None or chosen.chip is None or untouched is None:
            return 0
        return max(0, chosen.chip.failed - untouched.failed)

    @property
    def exit_code(self) -> int:
        """0: it was measured; that nothing helps is an answer, too. 1: no specimen explains the chip that trims inside
        are said to help. 3: samples of the chip have no result with them."""
        if not self.is_followed:
            return 1
        return 3 if self.lost else 0

    def page(self) -> Page:
        from kanspice.experiments.calibrate.page import calibration_page  # noqa: PLC0415 - which shows this

        return calibration_page(self)

    def columns(self) -> Columns:
        """A row for each candidate."""
        return {
            "measurements": [each.measurements for each in self.candidates],
            "trims": [each.trims for each in self.candidates],
            "judged": [each.judged for each in self.candidates],
            "judged_failed": [each.judged_failed for each in self.candidates],
            "untouched_gap": [each.untouched for each in self.candidates],
            "judged_gap": [each.judged_gap for each in self.candidates],
            "expected_gap": [each.expected_gap for each in self.candidates],
            "is_used": [each.is_used for each in self.candidates],
            "chip_gap": [None if each.chip is None else each.chip.gap for each in self.candidates],
            "chip_accuracy": [None if each.chip is None else each.chip.accuracy for each in self.candidates],
        }
