"""A closed loop as a page."""

from __future__ import annotations

import json
from collections.abc import Iterator

from kanspice.experiments.control import opening, plots, wording
from kanspice.experiments.control.result import ControlResult, trajectory_distance
from kanspice.experiments.facts import sized_for_rows
from kanspice.experiments.verify import wording as of_verify
from kanspice.report.blocks import Block, Fact, Facts, Limits, Literal, Notes, Page, Picture, Pictures, Section, Table
from kanspice.report.checks import Check, Problem, engines_problem, limit_check, unresolved_problem
from kanspice.report.formatting import counted, devices, number, plain
from kanspice.report.verdict import Verdict

_SHOWN_EPISODES, _ENOUGH_EPISODES = 50, 20


def control_page(result: ControlResult) -> Page:
    """Whether the circuit does it, whether to trust that, where it went, what imperfections do, how."""
    return Page(
        title=f"{plain(result.along.model.path)} controls {plain(result.plant.name)}",
        subject=plain(result.along.model.path),
        command="kanspice control",
        answer=wording.answer(result),
        outcome=wording.outcome(result),
        exit_code=result.exit_code,
        lead=_lead(result),
        sections=tuple(_sections(result)),
        checks=_checks(result),
        setup=Facts(_setup(result)),
    )


def _lead(result: ControlResult) -> list[Block]:
    limits = [Limits(result.limits)] if result.limits else []
    return [opening.highlights(result), *limits, Pictures([opening.picture(result)])]


def _sections(result: ControlResult) -> Iterator[Section]:
    notes = [*result.notes, *wording.undrawn(result), *map(plain, result.along.notes)]
    yield Section("Can the answer be trusted?", (Facts(_trust(result)), Notes(notes)))
    yield Section("Where did they go?", (Pictures(_further(result)), Facts(_gaps(result)), _episodes(result)))
    if result.points:
        yield Section("How often do circuits succeed?", _success(result))
    command = [Literal(plain(result.command))] if result.command else []
    versions = Literal(json.dumps(result.along.versions, indent=2), "versions")
    yield Section("How it was measured", (Facts(_facts(result)), *command, versions), aside=True, long=True)


def _gaps(result: ControlResult) -> list[Fact]:
    actions = [("actions", said) for said in wording.actions(result)]
    return [("reward", wording.rewards(result)), *actions, ("trajectory", wording.trajectory(result))]


def _trust(result: ControlResult) -> list[Fact]:
    found: list[Fact] = [("numerical error", wording.numerical(result))]
    if result.along.cross_check is not None:
        found.append(("other engine", of_verify.cross_check(result.along.cross_check)))
    found += [("other engine", wording.checked(check)) for check in result.checks]
    ends = wording.failures(result) or [Verdict("every episode came to an end of its own")]
    return [*found, *(("episodes", said) for said in ends)]


def _further(result: ControlResult) -> list[Picture]:
    """Of the start that tells most, and of one in the middle; not what the page opens with."""
    order = opening.by_interest(result)
    shown = dict.fromkeys([order[0], order[len(order) // 2]])
    found = [opening.over_time(result, at) for at in shown]
    if result.trajectory_max_abs > 0:
        alt = "Difference of observations over time, from every start"
        found.append(Picture.of(alt, plots.parting, result))
    first = opening.picture(result)
    return [each for each in found if each.alt != first.alt]


def _episodes(result: ControlResult) -> Table:
    """Bad are those in which only the network succeeded."""
    shown = list(enumerate(result.pairs))[:_SHOWN_EPISODES]
    rows = [
        (
            str(place),
            counted(reference.length),
            counted(circuit.length),
            number(reference.total),
            number(circuit.total),
            number(trajectory_distance(reference, circuit)),
            wording.ended(result, place),
        )
        for place, (reference, circuit) in shown
    ]
    bad = frozenset(place for place, (reference, circuit) in shown if reference.success and not circuit.success)
    header = ("start", *wording.EPISODE_COLUMNS, "ended:\nnetwork, circuit")
    more = len(result.pairs) - len(shown)
    return Table(header, rows, texts=frozenset({6}), bad=bad, more=more, enough=_ENOUGH_EPISODES)


def _success(result: ControlResult) -> tuple[Block, ...]:
    swept = len(result.points[0].values) == 1 and len(result.points) > 1
    shown = [Picture.of("Success along the swept value", plots.success, result)] if swept else []
    header = [*wording.swept(result), *wording.POINT_COLUMNS]
    return Pictures(shown), Table(header, [wording.success_cells(point) for point in result.points])


def _checks(result: ControlResult) -> list[Check]:
    failures = "; ".join(said.text for said in wording.failures(result))
    unsolved = Problem("FailedEpisodes", failures) if failures else None
    checks = [
        Check("every action found", unsolved),
        Check("actions resolved", unresolved_problem(result.unresolved)),
    ]
    along = result.along.cross_check
    said = [wording.checked(check) for check in result.checks]
    said += [] if along is None else [of_verify.cross_check(along)]
    if said:
        message = "; ".join(each.text for each in said if each.warning)
        problem = engines_problem(result.engines_disagree, result.along.is_unchecked, message)
        checks.append(Check("engines agree", problem))
    return [*checks, *map(limit_check, result.limits)]


def _setup(result: ControlResult) -> list[Fact]:
    model, design, engine = result.along.model, result.along.design, result.along.engine
    return [
        ("model", f"{plain(model.path)} ({plain(model.family)}, {counted(model.parameters)} parameters)"),
        ("plant", wording.plant(result)),
        ("circuit", f"{devices(design.devices)}, {counted(design.nodes)} nodes"),
        ("technology", f"{plain(design.technology_name)}, fidelity {plain(design.fidelity)}"),
        *sized_for_rows(result.along.sized_for),
        ("engine", f"{plain(engine.name)} {plain(engine.version)}, seed {plain(result.plant.seed)}"),
        ("time", wording.times(result)),
    ]


def _facts(result: ControlResult) -> list[Fact]:
    return [*_setup(result), ("model's SHA-256", plain(result.along.model.sha256))]
