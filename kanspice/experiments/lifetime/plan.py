"""What a study of lifetimes is asked to do."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from kanspice.base.errors import InputError
from kanspice.experiments.ensemble.requests import Positive
from kanspice.experiments.ensemble.variations import Sweep
from kanspice.experiments.study.plan import StudyRequest

AGE = "ageing.time_s"
"""The key of a technology that chips of several ages differ in."""
Trimmed = Literal["outputs", "columns"]
"""What of a chip is set anew: its outputs once they are read, or every column pair inside of it."""


@dataclass(frozen=True)
class LifetimeRequest(StudyRequest):
    """A study along one sweep, that of the age, whose draws are the same chips at every age.

    recalibrate_s: the age at which chips are set anew, one of those swept; None: never. trims: what is set.
    calibration: for so many samples, which come after the first `limit`; chips are not judged by them.
    """

    experiment = "lifetime"
    optional: ClassVar[tuple[str, ...]] = (*StudyRequest.optional, "recalibrate_s")

    recalibrate_s: Positive | None = None
    trims: Trimmed = "outputs"
    calibration: Annotated[int, Field(ge=2)] = 50

    def __post_init__(self) -> None:
        if any(text.partition("=")[0].strip() == AGE for text in self.set_):
            raise InputError(f"{AGE} is what a lifetime goes through", where="--set", hint="--from and --to")
        super().__post_init__()
        _check_sweeps(self.sweeps)
        if self.corners or self.recalibrate_s not in (None, *self.ages_s):
            expected = f"no corners, and a recalibration at one of {', '.join(self.sweeps[0].values)}"
            raise InputError("this is no lifetime", where="a study's plan", expected=expected)

    @property
    def ages_s(self) -> tuple[float, ...]:
        """The ages that chips are looked at, seconds, in order."""
        (sweep,) = self.sweeps
        return tuple(map(float, sweep.values))

    @property
    def recalibrated_from(self) -> int | None:
        """The place among these of the one at which chips are set anew, if they are."""
        return None if self.recalibrate_s is None else self.ages_s.index(self.recalibrate_s)


def _check_sweeps(sweeps: Sequence[Sweep]) -> None:
    """Raises InputError unless they are one of ages, in order: a plan may be a stranger's."""
    try:
        ages = [float(value) for sweep in sweeps for value in sweep.values]
    except ValueError:
        ages = []
    in_order = all(before < after for before, after in itertools.pairwise([0.0, *ages]))
    if [sweep.key for sweep in sweeps] != [AGE] or not ages or not in_order:
        raise InputError("this is no lifetime", where="a study's plan", expected=f"a sweep of {AGE}, ages in order")


def sweep_of(ages_s: Sequence[float]) -> Sweep:
    """The sweep that goes through ages, every digit of them."""
    return Sweep(AGE, tuple(repr(age).removesuffix(".0") for age in ages_s))
