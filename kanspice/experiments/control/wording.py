"""What a closed loop's numbers say, in plain sentences: one wording for the terminal and for the page."""

from __future__ import annotations

import math

from kanspice.experiments.control.result import ControlResult, SpotCheck, SuccessPoint
from kanspice.experiments.study.wording import confidence
from kanspice.experiments.verify import wording as of_verify
from kanspice.report.formatting import many, number, percentage, plain, share
from kanspice.report.verdict import Verdict

EPISODE_COLUMNS = (
    "length\nnetwork",
    "length\ncircuit",
    "return\nnetwork",
    "return\ncircuit",
    "largest gap\nof trajectory",
)
POINT_COLUMNS = (
    "draws",
    "episodes,\nsuccess",
    "draws, no\nfailure",
    "95 %\nlimits",
    "mean\nreturn",
    "trajectory,\nmedian gap",
)


def answer(result: ControlResult) -> Verdict:
    """Whether the circuit does what the network does."""
    episodes = len(result.circuit)
    circuit, reference = share(result.circuit_rate, episodes), share(result.reference_rate, episodes)
    text = f"The circuit succeeds in {circuit} episodes, the network in {reference}"
    return Verdict(text, warning=result.circuit_rate < result.reference_rate)


def outcome(result: ControlResult) -> Verdict:
    """The last word."""
    broken = of_verify.not_kept(result.limits)
    if result.failed or result.along.failed:
        return Verdict("FAILED: the circuit's answer was not always found", warning=True)
    if result.engines_disagree:
        return Verdict("FAILED: the engines disagree, so neither can be believed", warning=True)
    if result.along.is_unchecked:
        return Verdict(f"FAILED: {of_verify.UNCHECKED}", warning=True)
    if result.unresolved:
        return Verdict("FAILED: not resolved: actions cannot be told from numerical error", warning=True)
    if broken:
        return Verdict(f"FAILED: of {many(len(result.limits), 'limit')}, {broken}", warning=True)
    return Verdict(
        f"passed: {many(len(result.limits), 'limit')} kept" if result.limits else "measured; no limit was given"
    )


def failures(result: ControlResult) -> list[Verdict]:
    """Episodes of the circuit that did not come to an end of their own, and why."""
    found = []
    for each in result.failed:
        failure, periods = each.episode.failure, many(each.episode.length, "period")
        why = each.advice if failure is None else f"{failure.outcome.value}: {each.advice}"
        found.append(Verdict(f"episode {each.place} ended after {periods}: {plain(why)}", True))
    if result.along.failed:
        failed, first = len(result.along.failed), result.along.failed[0]
        of = f"{failed} of {result.along.samples} observations of the network's trajectories"
        where = f"at {of} the circuit has no answer"
        found.append(Verdict(f"{where}: {first.outcome.value}: {plain(first.advice)}", warning=True))
    return found


def actions(result: ControlResult) -> list[str]:
    """How far the circuit's actions are from the network's for the same observations."""
    along, own = result.along.gap, result.own
    relative = "" if along.relative_rmse is None else f", relative {number(along.relative_rmse)}"
    said = [f"along the network's trajectory: RMS {number(along.rmse)}, largest {number(along.max_abs)}{relative}"]
    if own is not None:
        said.append(f"along its own: RMS {number(own.rmse)}, largest {number(own.max_abs)}")
    return said


def rewards(result: ControlResult) -> str:
    """What the plant gave for it, on average."""
    circuit, reference = number(result.circuit_mean_reward), number(result.reference_mean_reward)
    name = plain(result.plant.reward_name)
    return f"{name}, mean over all control periods: circuit {circuit}, network {reference}"


def trajectory(result: ControlResult) -> str:
    """How far the trajectories part."""
    return f"largest difference of any observation {number(result.trajectory_max_abs)}, while both are in the loop"


def numerical(result: ControlResult) -> Verdict:
    """Whether the action gap is the circuit's, or the simulation's own numerical error."""
    if result.unresolved:
        return Verdict(f"not resolved: {'; '.join(result.unresolved)}", warning=True)
    return of_verify.numerical(result.along)


def times(result: ControlResult) -> str:
    """What a control period of one episode takes to compute; a folder keeps that apart from what is always the same."""
    if math.isnan(result.load_s):
        return "see timing.json"
    circuit, reference = (f"{number(1e3 * result.step_s[who])} ms" for who in ("circuit", "reference"))
    together = f", {len(result.circuit)} episodes side by side" if result.along.engine.name == "batched" else ""
    return f"{circuit} a control period{together}, the network {reference}; loading {number(result.load_s)} s"


def plant(result: ControlResult) -> str:
    """What is controlled, and how."""
    found = result.plant
    sizes = f"{many(found.observations, 'observation')}, {many(found.actions, 'action')}"
    held = "actions act at once" if found.latency == 0 else "actions act one control period late"
    return f"{plain(found.name)}: {sizes}; at most {many(found.steps, 'control period')}; {held}"


def ended(result: ControlResult, place: int) -> str:
    """How both episodes from one start ended, where not both lasted: "terminated, lasted"."""
    reference, circuit = result.pairs[place]
    return f"{reference.ending.value}, {circuit.ending.value}"


def swept(result: ControlResult) -> list[str]:
    """What tells points apart: the swept keys."""
    return [plain(key) for key in result.points[0].values]


def success_cells(point: SuccessPoint) -> list[str]:
    """What is said of a point, in the order of `swept` and POINT_COLUMNS."""
    found = point.yield_
    return [
        *map(plain, point.values.values()),
        f"{len(point.draws):,}",
        percentage(point.rate),
        percentage(found.fraction),
        confidence(found),
        number(point.mean_return),
        number(point.apart),
    ]


def undrawn(result: ControlResult) -> list[str]:
    """Points with one draw only because nothing in them is random."""
    fixed = [plain(point.name) for point in result.points if not point.random]
    return [f"nothing is drawn at random at {', '.join(fixed)}: one draw is all there is"] if fixed else []


def checked(check: SpotCheck) -> Verdict:
    """Whether the other engine says the same of a draw."""
    episodes = len(check.found.successes)
    where = f"{check.engine}, {plain(check.point)}, draw of seed {check.found.seed}"
    if check.agrees:
        return Verdict(f"{where}: {many(episodes, 'episode')} of the same lengths with the same success")
    different = sum(
        ours != theirs
        for ours, theirs in zip(
            zip(check.expected.lengths, check.expected.successes, strict=True),
            zip(check.found.lengths, check.found.successes, strict=True),
            strict=True,
        )
    )
    return Verdict(f"{where}: {different} of {many(episodes, 'episode')} end differently", warning=True)
