"""A progress bar on a terminal, with what the rest will take."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from functools import partial
from typing import TYPE_CHECKING, Protocol

from kanspice.report.estimate import Estimate, Workload

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from rich.console import Console
    from rich.progress import Progress as RichProgress
    from rich.progress import TaskID

    from kanspice.engine.progress import Advance, SideRun


class Bar(Protocol):
    """Shows how work goes on, as `progress_bar` does without its console."""

    def __call__(
        self, what: str, total: int, unit: str = "samples", work: Workload | None = None
    ) -> AbstractContextManager[Callable[[Advance], None] | None]: ...


def bar_of(progress: bool | Bar) -> Bar:
    """What shows progress: nothing, a bar beside standard output, or what was given."""
    if not isinstance(progress, bool):
        return progress
    if not progress:
        return lambda *_args, **_options: nullcontext()
    from rich.console import Console  # noqa: PLC0415 - --help stays fast

    return partial(progress_bar, Console(stderr=True))


@contextmanager
def progress_bar(
    console: Console, what: str, total: int, unit: str = "samples", work: Workload | None = None
) -> Iterator[Callable[[Advance], None]]:
    """A bar on a terminal and in a notebook, nothing elsewhere; gives the function that moves it on.

    It shows what is done and what the simulation holds in memory, how long that took and how long the rest will take.
    work: what is done, for an estimate of how long that takes, on a terminal or not.
    """
    from rich.progress import (  # noqa: PLC0415 - --help stays fast
        BarColumn,
        Progress,
        TaskProgressColumn,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed:.1f}/{task.total} " + unit),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[memory]}"),
    )
    with Progress(
        *columns, console=console, transient=True, disable=not (console.is_terminal or console.is_jupyter)
    ) as progress:
        bars = _Bars(progress, what, total)
        if work is None:
            yield bars.move
            return

        def say_estimate(text: str) -> None:
            console.print(text, highlight=False, markup=False, soft_wrap=True)

        estimate = Estimate(work, say_estimate)

        def move(advance: Advance) -> None:
            bars.move(advance)
            estimate.note(advance)

        yield move


class _Bars:
    """A bar for the results, and one below it for what else is done meanwhile."""

    def __init__(self, progress: RichProgress, what: str, total: int) -> None:
        self._progress = progress
        self._results = progress.add_task(what, total=total, memory="")
        self._side_runs: dict[SideRun, TaskID] = {}

    def move(self, advance: Advance) -> None:
        """Moves the bar that it belongs to; a side run's is gone when the next one begins."""
        task = self._results if advance.side_run is None else self._task(advance.side_run)
        self._progress.update(task, advance=advance.samples)
        if advance.simulator_bytes:
            first = f", first sample after about {advance.first_s:,.0f} s" if advance.first_s else ""
            self._progress.update(task, memory=f"{advance.simulator_bytes / 1e6:,.0f} MB{first}")

    def _task(self, side_run: SideRun) -> TaskID:
        if side_run not in self._side_runs:
            for task in self._side_runs.values():
                self._progress.remove_task(task)
            self._side_runs = {side_run: self._progress.add_task(side_run.name, total=side_run.samples, memory="")}
        return self._side_runs[side_run]
