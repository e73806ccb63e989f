"""What chips did through their lives: every chip at every age, and how long how many of them last."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from kanspice.experiments.ensemble.draws import PointDraws
from kanspice.experiments.ensemble.statistics import Yield
from kanspice.experiments.lifetime.ages import shown_age
from kanspice.experiments.lifetime.plan import LifetimeRequest
from kanspice.experiments.study.result import PointResult, StudyResult
from kanspice.report.blocks import Page
from kanspice.report.frames import Columns

_HALF = 0.5


@dataclass(frozen=True)
class Lasting:
    """How long this fraction of all chips is good, at every age up to then.

    at_least_s: the oldest age at which so many of the chips were; None where too few were at the first. below_s: the
    age after it; None where they last longer than they were looked at. low_s, high_s: what the two are for all chips
    ever made, with 95 % confidence; None likewise.
    """

    fraction: float
    at_least_s: float | None
    below_s: float | None
    low_s: float | None
    high_s: float | None


@dataclass(frozen=True, repr=False)
class LifetimeResult(StudyResult):
    """One `lifetime`: a study whose points are the ages of the same chips, as they are without being set anew.

    recalibrated: the same from the age on at which they are set anew, if they are.
    """

    request: LifetimeRequest
    recalibrated: tuple[PointResult, ...] = ()

    def page(self) -> Page:
        from kanspice.experiments.lifetime.page import lifetime_page  # noqa: PLC0415 - which shows this

        return lifetime_page(self)

    @property
    def everything(self) -> tuple[PointResult, ...]:
        return (*self.points, *self.recalibrated)

    @property
    def judged(self) -> tuple[PointDraws, ...]:
        """Every age, of chips that are set anew once they are as old as that."""
        return (*self.points[: len(self.points) - len(self.recalibrated)], *self.recalibrated)

    def name_of(self, point: PointDraws) -> str:
        return shown_age(self.request.ages_s[point.point.index])

    def columns(self) -> Columns:
        """A row for each chip at each age: those of chips as they are, then those of chips that were set anew."""
        rows = [*self.points, *self.recalibrated]
        count = sum(len(point.draws) for point in self.points)
        found = self._columns_of(rows)
        return {**found, "recalibrated": [row >= count for row in range(len(found["trial"]))]}

    @cached_property
    def survival(self) -> tuple[Yield, ...]:
        """Of every age, the chips that were good at it and at all before, set anew if they are."""
        return self._still_good(self.judged)

    @cached_property
    def survival_untouched(self) -> tuple[Yield, ...]:
        """The same of chips that are not set anew."""
        return self._still_good(self.points)

    @property
    def lifetimes(self) -> tuple[Lasting, ...]:
        """How long half of the chips last, and as many as are wanted; none where nothing says what a good one is."""
        return self._lifetimes(self.survival)

    @property
    def lifetimes_untouched(self) -> tuple[Lasting, ...]:
        """The same of chips that are not set anew."""
        return self._lifetimes(self.survival_untouched)

    def _still_good(self, points: Sequence[PointDraws]) -> tuple[Yield, ...]:
        """Draws that may be good count as others, but the interval is for either case."""
        good = np.logical_and.accumulate([point.good for point in points])
        maybe = np.logical_and.accumulate([_may_be_good(point) for point in points])
        return tuple(
            Yield.of(int(sure.sum()), len(sure), int(may.sum() - sure.sum()), random=point.is_random)
            for point, sure, may in zip(points, good, maybe, strict=True)
        )

    def _lifetimes(self, survival: Sequence[Yield]) -> tuple[Lasting, ...]:
        wanted = self.request.wanted_yield
        if wanted is None:
            return ()
        return tuple(self._lasting(survival, fraction) for fraction in sorted({_HALF, wanted}))

    def _lasting(self, survival: Sequence[Yield], fraction: float) -> Lasting:
        found = list(zip(self.request.ages_s, survival, strict=True))
        enough = [age for age, part in found if part.fraction >= fraction]
        surely = [age for age, part in found if part.low is not None and part.low >= fraction]
        return Lasting(
            fraction,
            at_least_s=enough[-1] if enough else None,
            below_s=next((age for age, part in found if part.fraction < fraction), None),
            low_s=surely[-1] if surely else None,
            high_s=next((age for age, part in found if part.high is not None and part.high < fraction), None),
        )


def _may_be_good(point: PointDraws) -> list[bool]:
    """Of every draw, whether it is good, or numerical error leaves it open."""
    pairs = zip(point.good, point.draws, strict=True)
    return [good or (bool(draw.unresolved) and not draw.failed) for good, draw in pairs]
