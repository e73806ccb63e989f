"""A closed loop as the tables that end `kanspice control` on a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from kanspice.experiments.control import wording
from kanspice.experiments.control.result import ControlResult, trajectory_distance
from kanspice.experiments.verify import wording as of_verify
from kanspice.report.formatting import counted, devices, number, plain
from kanspice.report.terminal import Row, judged, labelled, limit_rows, listed, said

_SHOWN_EPISODES = 20
_BAD = "bold red"


def print_control(result: ControlResult, console: Console) -> None:
    """Print the loop, its episodes and what they mean. Plain where the console is no terminal."""
    console.print(labelled(_header(result)))
    console.print(_episodes(result))
    if result.points:
        console.print(_points(result))
    console.print(labelled(_summary(result)))


def _header(result: ControlResult) -> Iterator[Row]:
    along = result.along
    yield "model", Text(f"{plain(along.model.path)} ({plain(along.model.family)})")
    yield "plant", Text(wording.plant(result))
    yield "circuit", Text(f"{devices(along.design.devices)}, {counted(along.design.nodes)} nodes")
    yield "", Text(f"fidelity {plain(along.design.fidelity)}, technology {plain(along.design.technology_name)}")
    yield "engine", Text(f"{plain(along.engine.name)} {plain(along.engine.version)}, seed {result.plant['seed']}")


def _episodes(result: ControlResult) -> Table:
    table = Table(box=box.SIMPLE, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("episode\n")
    for heading in wording.EPISODE_COLUMNS:
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("ended\nnetwork, circuit")
    for place, (reference, circuit) in list(enumerate(result.pairs))[:_SHOWN_EPISODES]:
        figures = (
            counted(reference.length),
            counted(circuit.length),
            number(reference.total),
            number(circuit.total),
            number(trajectory_distance(reference, circuit)),
        )
        bad = reference.success and not circuit.success
        table.add_row(str(place), *figures, wording.ended(result, place), style=_BAD if bad else None)
    left = len(result.pairs) - _SHOWN_EPISODES
    if left > 0:
        table.caption, table.caption_justify = Text(f"and {left} more"), "left"
    return table


def _points(result: ControlResult) -> Table:
    table = Table(box=box.SIMPLE, pad_edge=False, padding=(0, 1, 0, 0))
    for key in wording.swept(result):
        table.add_column(key.replace(".", ".\n", 1), no_wrap=True)
    for heading in wording.POINT_COLUMNS:
        table.add_column(heading, justify="right", no_wrap=True)
    for point in result.points:
        table.add_row(*wording.success_cells(point))
    return table


def _summary(result: ControlResult) -> Iterator[Row]:
    yield "answer", said(wording.answer(result))
    yield "reward", Text(wording.rewards(result))
    yield from listed("actions", iter(wording.actions(result)))
    yield "trajectory", Text(wording.trajectory(result))
    yield "numerical", said(wording.numerical(result))
    if result.along.cross_check is not None:
        yield "other", said(of_verify.cross_check(result.along.cross_check))
    for check in result.checks:
        yield "other", said(wording.checked(check))
    for failure in wording.failures(result):
        yield "failed", said(failure)
    yield from limit_rows(result.limits)
    yield from listed("note", iter([*result.notes, *wording.undrawn(result), *map(plain, result.along.notes)]))
    yield "time", Text(wording.times(result))
    yield "result", judged(wording.outcome(result))
