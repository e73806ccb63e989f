"""A closed loop as one self-contained page."""

from __future__ import annotations

import json

from kanspice.control import plots, wording
from kanspice.control.motion import motion
from kanspice.control.result import ControlResult, trajectory_distance
from kanspice.report import verdict
from kanspice.report.html import inside, template
from kanspice.report.verdict import Verdict
from kanspice.report.words import counted, devices, encodable, number, pair, plain, technology_name

TEMPLATE = "control.html.j2"
_SHOWN_EPISODES = 50


def control_html(result: ControlResult) -> str:
    """The page: whether the circuit does it, whether to trust that, where it went, what imperfections do, how."""
    page = template(TEMPLATE).render(
        title=f"{plain(result.along.model['path'])} controls {plain(result.plant['name'])}",
        answer=wording.answer(result),
        outcome=wording.outcome(result),
        limits=[(limit, *pair(limit.value, limit.max)) for limit in result.limits],
        trust=_trust(result),
        moving=motion(result, _by_interest(result)[0]),
        pictures=_pictures(result),
        header=["start", *wording.EPISODE_COLUMNS, "ended: network, circuit"],
        rows=[_row(result, place) for place in range(min(len(result.pairs), _SHOWN_EPISODES))],
        left=max(len(result.pairs) - _SHOWN_EPISODES, 0),
        gaps=[wording.rewards(result), *wording.actions(result), wording.trajectory(result)],
        success=_success(result),
        notes=[*result.notes, *wording.undrawn(result), *map(plain, result.along.notes)],
        facts=_facts(result),
        command=plain(result.command),
        versions=json.dumps(result.along.versions, indent=2),
    )
    return encodable(page)


def _trust(result: ControlResult) -> list[tuple[str, Verdict]]:
    found = [("numerical error of actions", wording.numerical(result))]
    if result.along.cross_check is not None:
        found.append(("other engine, actions", verdict.cross_check(result.along.cross_check)))
    found += [("other engine, in the loop", wording.checked(check)) for check in result.checks]
    ends = wording.failures(result) or [Verdict("every episode came to an end of its own")]
    return [*found, *(("episodes", said) for said in ends)]


def _pictures(result: ControlResult) -> list[tuple[str, str]]:
    """Pictures by what a reader who cannot see them is told: of the start that tells most, and of one in the middle."""
    order = _by_interest(result)
    shown = dict.fromkeys([order[0], order[len(order) // 2]])
    found = [(f"Observations, actions and rewards from start {at}", plots.trajectories(result, at)) for at in shown]
    if result.trajectory_max_abs > 0:
        found.append(("Difference of observations over time, from every start", plots.parting(result)))
    return [(alt, inside(picture)) for alt, picture in found]


def _by_interest(result: ControlResult) -> list[int]:
    """Starts: where the circuit failed first, then by how far trajectories part."""
    apart = [trajectory_distance(*pair) for pair in result.pairs]
    return sorted(range(len(apart)), key=lambda place: (result.circuit[place].success, -apart[place]))


def _row(result: ControlResult, place: int) -> tuple[bool, list[str]]:
    """Whether only the network succeeded, and what is said of the episode."""
    reference, circuit = result.pairs[place]
    cells = [
        str(place),
        counted(reference.length),
        counted(circuit.length),
        number(reference.total),
        number(circuit.total),
        number(trajectory_distance(reference, circuit)),
        wording.ended(result, place),
    ]
    return reference.success and not circuit.success, cells


def _success(result: ControlResult) -> dict[str, object] | None:
    if not result.points:
        return None
    swept = len(result.points[0].values) == 1 and len(result.points) > 1
    return {
        "picture": inside(plots.success(result)) if swept else "",
        "header": [*wording.swept(result), *wording.POINT_COLUMNS],
        "rows": [wording.success_cells(point) for point in result.points],
    }


def _facts(result: ControlResult) -> list[tuple[str, str]]:
    model, design, engine = result.along.model, result.along.design, result.along.engine
    return [
        ("model", f"{plain(model['path'])} ({plain(model['family'])}, {counted(model['parameters'])} parameters)"),
        ("model's SHA-256", plain(model["sha256"])),
        ("plant", wording.plant(result)),
        ("circuit", f"{devices(design['devices'])}, {counted(design['nodes'])} nodes"),
        ("fidelity, technology", f"{plain(design['fidelity'])}, {technology_name(design)}"),
        ("engine", f"{plain(engine['name'])} {plain(engine['version'])}"),
        ("seed", plain(result.plant["seed"])),
        ("time", wording.times(result)),
    ]
