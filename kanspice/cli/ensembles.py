"""What commands share that measure many specimens: their options, and a folder that the work can be resumed from."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kanspice.base.errors import InputError
from kanspice.cli.options import bar_before, say

if TYPE_CHECKING:
    from kanspice.engine.progress import Advance
    from kanspice.report.estimate import Workload
    from kanspice.report.progress_bar import Bar

OptionalModel = Annotated[
    Path | None,
    typer.Argument(metavar="MODEL", help="A kanspice checkpoint, an authors' one, or the folder of a training run."),
]
Corners = Annotated[
    list[str] | None,
    typer.Option("--corner", metavar="NAME[:SECTION.KEY=V,...]", help="A variant of the technology; repeatable."),
]
YieldMin = Annotated[
    float | None,
    typer.Option("--yield-min", min=0, max=1, metavar="F", help="Fraction of good draws wanted; 1 with a limit."),
]
Processes = Annotated[int, typer.Option("--jobs", min=1, max=256, help="Processes that measure at a time.")]
Scheduler = Annotated[
    str | None, typer.Option("--scheduler", metavar="ADDRESS", help="Measure on the Dask cluster there instead.")
]
Out = Annotated[Path | None, typer.Option("-o", "--out", metavar="DIR", help="A new folder for the study.")]
Resume = Annotated[Path | None, typer.Option("--resume", metavar="DIR", help="Go on with the study in this folder.")]
_WITH_RESUME = {"resume", "jobs", "scheduler", "quiet"}


def refuse_others(context: typer.Context) -> None:
    """Raises InputError where --resume stands beside what the folder says already."""
    given = [name for name in context.params if name not in _WITH_RESUME and _was_given(context, name)]
    if given:
        names = ", ".join("MODEL" if name == "model" else f"--{name.strip('_').replace('_', '-')}" for name in given)
        expected = "--resume DIR with --jobs, --scheduler or -q alone"
        raise InputError("the folder says what the study is", where="--resume", expected=expected, found=names)


def jobs_of(jobs: int, scheduler: str | None, context: typer.Context) -> int:
    """How many processes. Raises InputError where a cluster is named too, which has as many as it has."""
    if scheduler is not None and _was_given(context, "jobs"):
        raise InputError("a cluster has as many workers as it has", where="--jobs", hint="leave out --jobs")
    return jobs


def _was_given(context: typer.Context, name: str) -> bool:
    source = context.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"


def bar_keeping(command: str, folder: Path | None, files: Sequence[Path | None], quiet: bool) -> Bar:
    """As `bar_before`; whatever ends the work, it is said what the folder keeps, if one does, and how to go on."""
    bar = bar_before(files, quiet)
    if folder is None:
        return bar

    @contextmanager
    def begin(
        what: str, total: int, unit: str = "samples", work: Workload | None = None
    ) -> Iterator[Callable[[Advance], None] | None]:
        with _kept(command, folder), bar(what, total, unit, work) as told:
            yield told

    return begin


@contextmanager
def _kept(command: str, folder: Path) -> Iterator[None]:
    """Whatever ends the work: says what is kept, and how to go on."""
    try:
        yield
    except BaseException:
        again = shlex.join(["kanspice", command, "--resume", str(folder)])
        say(f"finished draws are kept in {folder}; to go on: {again}", err=True)
        raise
