"""Which imperfection makes which part of the gap: each alone, everything but each, and shares that add up.

What is shared out is the mean squared error of the outputs. Errors of independent causes add up in squares, so a cause
that interacts with no other has its own square for its share, however the others are told apart; roots of squares
(relative RMSE) depend on that.

Where the network itself was made of another one, its projection is one more cause, and what is shared out is the error
from that other network. No circuit has to be solved for it: the same outputs are held against either network.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import astuple, dataclass, field, replace

import numpy as np
import numpy.typing as npt

from kanspice.base.arrays import Array
from kanspice.base.draws import Draw
from kanspice.gap.metrics import Gap
from kanspice.gap.shapley import Coalition, Orders, coalitions, drawn_orders, shapley, with_one_more
from kanspice.technology import Technology

Names = frozenset[str]
"""Imperfections that a circuit has: `section.key`."""

NONE = "no imperfection"
NUMERICAL = "numerical error"
PROJECTION = "projection"
MACRO_MODEL = "tia.macromodel"
SINGLES = 12
"""With more causes than so many, shares are those of whole sections of the technology."""


@dataclass(frozen=True)
class Trial:
    """The gap of the same samples with another technology, and how many of them failed.

    squared: (samples,) mean over the outputs of the squared error, model units squared; NaN where a sample failed.
    projected: the same outputs against the network that this one was made of; None where there is none.
    """

    gap: Gap
    failed: int
    squared: Array = field(compare=False)
    projected: Trial | None = None

    @property
    def with_projection(self) -> Trial:
        """Against the network that this one was made of, if it was."""
        return self.projected or self


@dataclass(frozen=True)
class Share:
    """A part of the whole mean squared error, 1 being all of it; below 0 for what makes the gap smaller.

    standard_error: of the sampled orders; 0 where nothing was sampled.
    """

    fraction: float
    standard_error: float


@dataclass(frozen=True)
class Cause:
    """What one imperfection does, or all of a section's.

    name: `section.key` of the technology; `section.*` for all of a section; "projection" for the network's own distance
    from the one that it was made of; "tia.macromodel" for what the figures of amplifiers leave out, whose `alone` is
    the whole circuit, with the amplifiers themselves; "no imperfection" for the circuit that has none; "numerical
    error" for what solving it did. alone: with this imperfection and no other. without: with all the others, projection
    among them; None for the last two.
    share: None for a cause whose section has one, and where the trials have no sample in common or no error. Numerical
    error is in every trial, so its share is within the others; theirs add up to 1. own: of a cause whose section has
    the share, its own part of the whole: the mean of what it adds first of all causes and last of all. That is its
    Shapley value where no three causes interact; sections' shares are not divided by it.
    """

    name: str
    value: float | str | None
    alone: Trial
    without: Trial | None
    share: Share | None = None
    own: float | None = None

    @property
    def part(self) -> Share | None:
        """Its share, or its own part of the whole where its section has the share; None where neither is known."""
        return self.share if self.share is not None or self.own is None else Share(self.own, 0.0)

    @property
    def is_section(self) -> bool:
        """Whether it is all causes of a section together."""
        return self.name.endswith(".*")


@dataclass(frozen=True)
class Attribution:
    """How the shares came about.

    engine: what solved the circuits. trials: how many circuits were compared. orders: how many orders in which causes
    are added were drawn; 0 where the shares are exact. samples: how many were solved in every trial: the shares are
    about these. relative_rmse: the whole gap on them.
    """

    engine: str
    trials: int
    orders: int
    samples: int
    relative_rmse: float | None


@dataclass(frozen=True)
class Attributed:
    """The causes of a gap, and how they were told apart."""

    causes: tuple[Cause, ...]
    how: Attribution


@dataclass(frozen=True)
class AttributionPlan:
    """The circuits to be solved for an attribution.

    causes: the imperfections. groups: those that get a share together, each by itself while there are few. orders: see
    `shapley`; projected_orders: the same with projection as one more group, the last.
    """

    causes: tuple[str, ...]
    groups: tuple[Names, ...]
    orders: Orders | None
    projected_orders: Orders | None

    @property
    def every(self) -> Names:
        """The imperfections of the whole gap."""
        return frozenset(self.causes)

    @property
    def trials(self) -> list[Names]:
        """The imperfections of every circuit, none twice; those that a row is made of come first."""
        parts = [*self.groups, *(frozenset([cause]) for cause in self.causes)]
        rows = [self.every, frozenset[str](), *parts, *(self.every - part for part in parts)]
        rest = [self.joined(some) for some in coalitions(len(self.groups), self.orders)]
        return list(dict.fromkeys([*rows, *sorted(rest, key=sorted)]))

    def joined(self, some: Coalition) -> Names:
        """The imperfections of some groups; projection is none."""
        return frozenset[str]().union(*(self.groups[group] for group in some if group < len(self.groups)))


def planned(technology: Technology, draw: Draw) -> AttributionPlan:
    """What is to be solved to attribute a gap to the technology's imperfections."""
    causes = technology.causes
    sections = {cause: cause.partition(".")[0] if len(causes) > SINGLES else cause for cause in causes}
    groups = tuple(
        frozenset(cause for cause in causes if sections[cause] == section)
        for section in dict.fromkeys(sections.values())
    )
    orders = drawn_orders(len(groups), draw)
    return AttributionPlan(causes, groups, orders, None if orders is None else with_one_more(orders, draw))


def solve_all(
    plan: AttributionPlan, technology: Technology, solve: Callable[[Technology], Trial], full: Trial | None = None
) -> dict[Names, Trial]:
    """Every trial of the plan. full: that with all imperfections, where it is known."""
    known = {} if full is None else {plan.every: full}
    return {
        names: known[names] if names in known else solve(technology.without(plan.every - names))
        for names in plan.trials
    }


def attributed(plan: AttributionPlan, technology: Technology, trials: Mapping[Names, Trial]) -> tuple[Cause, ...]:
    """Every imperfection, that with the largest share first, then the circuit without any.

    An imperfection that shares with others comes after the row that they have in common.
    """
    parts, nothing = _shares(plan, trials)
    rows: list[tuple[Cause, list[Cause]]] = []
    ideal = trials[frozenset()]
    if ideal.projected is not None:
        rows.append((Cause(PROJECTION, None, ideal.projected, trials[plan.every], parts[-1]), []))
    for group, share in zip(plan.groups, parts, strict=False):
        singles = sorted((_single(name, plan, technology, trials) for name in group), key=_rank)
        if len(singles) == 1:
            rows.append((replace(singles[0], share=share), []))
        else:
            owned = (replace(each, own=_own(each.name, plan, trials)) for each in singles)
            singles = sorted(owned, key=_rank)
            section = singles[0].name.partition(".")[0]
            without = trials[plan.every - group].with_projection
            rows.append((Cause(f"{section}.*", None, trials[group], without, share), singles))
    rows.sort(key=lambda row: _rank(row[0]))
    flat = (cause for head, members in rows for cause in (head, *members))
    return (*flat, Cause(NONE, None, ideal, None, nothing))


def numerical_cause(gap: Gap, plan: AttributionPlan, trials: Mapping[Names, Trial]) -> Cause:
    """What solving the circuit did to the answers, as measured in the run that has all imperfections."""
    whole = mean_square(trials[plan.every].with_projection, in_every(trials))
    share = Share(gap.rmse**2 / whole, 0.0) if whole > 0 else None
    return Cause(NUMERICAL, None, Trial(gap, 0, np.full(1, gap.rmse**2)), None, share)


def with_macro_model(
    causes: tuple[Cause, ...], subcircuit: str, whole: Trial, plan: AttributionPlan, trials: Mapping[Names, Trial]
) -> tuple[Cause, ...]:
    """The causes of a circuit whose amplifiers are subcircuits, where `trials` are of their macro-models.

    What these leave out is a cause of its own: by how much the mean squared error is another one with the subcircuits.
    The shares of the others are parts of the whole error, too. whole: the circuit with the subcircuits.
    """
    macro, samples = trials[plan.every], in_every({**trials, frozenset([MACRO_MODEL]): whole})
    real, modelled = (mean_square(trial.with_projection, samples) for trial in (whole, macro))
    part = modelled / real if real > 0 else math.nan
    scaled = [
        replace(
            cause,
            share=None if cause.share is None else Share(*(part * each for each in astuple(cause.share))),
            own=None if cause.own is None else part * cause.own,
        )
        for cause in causes
    ]
    left_out = Cause(MACRO_MODEL, subcircuit, whole, macro, Share(1 - part, 0.0) if real > 0 else None)
    heads = [place for place, cause in enumerate(scaled) if cause.share is not None or cause.name == NONE]
    place = next((place for place in heads if _rank(scaled[place]) > _rank(left_out)), heads[-1])
    return *scaled[:place], left_out, *scaled[place:]


def attribution(plan: AttributionPlan, trials: Mapping[Names, Trial], engine: str, scale: float) -> Attribution:
    """How it came about. scale: what relative figures are divided by, 0 where there are none."""
    samples = in_every(trials)
    rmse = math.sqrt(mean_square(trials[plan.every].with_projection, samples))
    return Attribution(
        engine=engine,
        trials=len(trials),
        orders=0 if plan.orders is None else len(plan.orders),
        samples=int(samples.sum()),
        relative_rmse=rmse / scale if scale else None,
    )


def in_every(trials: Mapping[Names, Trial]) -> npt.NDArray[np.bool_]:
    """(samples,) True for samples with a result in every trial."""
    squared = [each.squared for trial in trials.values() for each in (trial, trial.with_projection)]
    return np.asarray(np.isfinite(np.stack(squared)).all(axis=0))


def mean_square(trial: Trial, samples: npt.NDArray[np.bool_]) -> float:
    """The mean squared error of these samples (samples,); NaN where there are none."""
    return float(np.mean(trial.squared[samples])) if samples.any() else float("nan")


def _single(name: str, plan: AttributionPlan, technology: Technology, trials: Mapping[Names, Trial]) -> Cause:
    section, _, key = name.partition(".")
    value = getattr(getattr(technology, section), key)
    only = frozenset([name])
    return Cause(name, _setting(value), trials[only], trials[plan.every - only].with_projection)


def _own(name: str, plan: AttributionPlan, trials: Mapping[Names, Trial]) -> float | None:
    """What a cause adds to the mean squared error, the mean of being added first and last; None without an error."""
    samples, only = in_every(trials), frozenset([name])
    every, ideal = trials[plan.every], trials[frozenset()]
    whole = mean_square(every.with_projection, samples)
    if not whole > 0:
        return None
    first = mean_square(trials[only], samples) - mean_square(ideal, samples)
    last = whole - mean_square(trials[plan.every - only].with_projection, samples)
    return (first + last) / (2 * whole)


def _setting(value: str | float | tuple[float, ...]) -> str | float:
    """As reports have it: of a list, how long it is."""
    if isinstance(value, tuple):
        return f"{len(value):,} value{'s' * (len(value) != 1)}"
    return value if isinstance(value, str) else float(value)


def _rank(cause: Cause) -> tuple[float, bool, float]:
    """Sorts by its part of the whole, then by the gap that a cause makes by itself, the largest first."""
    rmse, part = cause.alone.gap.rmse, cause.part
    return math.inf if part is None else -part.fraction, math.isnan(rmse), -rmse


def _shares(plan: AttributionPlan, trials: Mapping[Names, Trial]) -> tuple[list[Share | None], Share | None]:
    """(of each group, and of projection after them if there is one; of the circuit without imperfections)."""
    samples, groups = in_every(trials), len(plan.groups)
    projected = trials[plan.every].projected is not None
    players, orders = (groups + 1, plan.projected_orders) if projected else (groups, plan.orders)
    whole = mean_square(trials[plan.every].with_projection, samples)
    if not whole > 0:
        return [None] * players, None

    def value(some: Coalition) -> float:
        trial = trials[plan.joined(some)]
        return mean_square(trial.with_projection if groups in some else trial, samples) / whole

    values = {some: value(some) for some in coalitions(players, orders)}
    parts, errors = shapley(players, values, orders)
    shares: list[Share | None] = [Share(*part) for part in zip(parts.tolist(), errors.tolist(), strict=True)]
    return shares, Share(values[frozenset()], 0.0)
