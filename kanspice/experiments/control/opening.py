"""What a closed loop's page opens with: whether the circuit does it, how far off it acts, why, and the plant moving."""

from __future__ import annotations

import math
from collections.abc import Iterator

from kanspice.experiments.control import plots, wording
from kanspice.experiments.control.motion import motion
from kanspice.experiments.control.result import ControlResult, trajectory_distance
from kanspice.experiments.study.wording import confidence
from kanspice.experiments.verify.imperfections import imperfections
from kanspice.report.blocks import Highlight, Highlights, Picture
from kanspice.report.formatting import NOTHING, many, number, percentage, plain
from kanspice.report.verdict import Verdict

_TUNE = "`kanspice tune` trains the network to live with it"


def highlights(result: ControlResult) -> Highlights:
    """Success, actions, trajectories, why, and success over draws."""
    return Highlights([_success(result), _actions(result), _trajectory(result), _cause(result), *_draws(result)])


def picture(result: ControlResult) -> Picture:
    """The plant as it moves, where there is such a picture; else where both went from the start that tells most."""
    place = by_interest(result)[0]
    found = motion(result, place)
    if found is None:
        return over_time(result, place)
    alt, address = found
    return Picture(alt, lambda: address)


def over_time(result: ControlResult, place: int) -> Picture:
    """Both from one start."""
    alt = f"Observations, actions and rewards from start {place}"
    return Picture.of(alt, plots.trajectories, result, place)


def by_interest(result: ControlResult) -> list[int]:
    """Starts: where the circuit failed first, then by how far trajectories part."""
    apart = [trajectory_distance(*pair) for pair in result.pairs]
    return sorted(range(len(apart)), key=lambda place: (result.circuit[place].success, -apart[place]))


def _success(result: ControlResult) -> Highlight:
    figure = f"{percentage(result.reference_rate)} → {percentage(result.circuit_rate)}"
    said = f"network → circuit, of {many(len(result.circuit), 'episode')}"
    return Highlight("success", figure, Verdict(said, result.circuit_rate < result.reference_rate), again=True)


def _actions(result: ControlResult) -> Highlight:
    gap = result.along.gap
    relative, of = gap.relative_rmse, "along the network's trajectory"
    if relative is None:
        return Highlight("error of actions", number(gap.rmse), Verdict(f"model units (RMSE), {of}"), again=True)
    said = Verdict(f"of the actions' standard deviation (relative RMSE), {of}")
    return Highlight("error of actions", number(relative), said, again=True)


def _trajectory(result: ControlResult) -> Highlight:
    """How far trajectories part; of a plant whose observations do not depend on actions, what it gives for them."""
    if result.trajectory_max_abs == 0:
        rewards = f"{number(result.reference_mean_reward)} → {number(result.circuit_mean_reward)}"
        return Highlight(plain(result.plant.reward_name), rewards, Verdict("network → circuit, mean"), again=True)
    said = Verdict("the largest difference of any observation, while both are in the loop")
    return Highlight("trajectories part by", number(result.trajectory_max_abs), said, again=True)


def _cause(result: ControlResult) -> Highlight:
    """Where it arises, and what to do about it."""
    failed = wording.failures(result)
    if failed:
        return Highlight("not answered", many(len(failed), "time"), failed[0], again=True)
    if not imperfections(result.along):
        text = "the technology has no imperfection: `--tech typical` has those of a board"
        return Highlight("causes", "none", Verdict(text))
    weakest = result.along.weakest_stage
    if weakest is None:
        return Highlight("arises at", "not known", Verdict(f"no stage adds a gap above rounding; {_TUNE}"))
    ask = "`kanspice verify` with `--attribute` says which imperfection it is"
    return Highlight("arises at", plain(weakest.name), Verdict(f"adds most to actions: {ask}; {_TUNE}"))


def _draws(result: ControlResult) -> Iterator[Highlight]:
    """Of the point where fewest circuits succeed."""
    if not result.points:
        return
    point = min(result.points, key=lambda each: each.yield_.fraction)
    found = point.yield_
    at = f", at {plain(point.name)}" if len(result.points) > 1 else ""
    limits = confidence(found)
    between = "" if limits == NOTHING else f"; 95 % limits: {limits} %"
    said = f"of {many(len(point.draws), 'circuit')} never fail{at}{between}"
    fraction = NOTHING if math.isnan(found.fraction) else percentage(found.fraction)
    yield Highlight("circuits that succeed", fraction, Verdict(said, warning=found.fraction < 1), again=True)
