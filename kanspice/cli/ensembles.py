"""What commands share that measure many specimens: their options, and a folder that the work can be resumed from."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kanspice.base.errors import InputError
from kanspice.cli.options import parts_of, say
from kanspice.engine.names import check_of

if TYPE_CHECKING:
    from kanspice.experiments.ensemble.variations import Corner
    from kanspice.experiments.ensemble.workers import Workers

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
    typer.Option("--yield-min", min=0, max=1, metavar="F", help="Fraction of good draws wanted; 1 with --max."),
]
Processes = Annotated[int, typer.Option("--jobs", min=1, max=256, help="Processes that measure at a time.")]
Scheduler = Annotated[
    str | None, typer.Option("--scheduler", metavar="ADDRESS", help="Measure on the Dask cluster there instead.")
]
Out = Annotated[Path | None, typer.Option("-o", "--out", metavar="DIR", help="A new folder for the study.")]
Resume = Annotated[Path | None, typer.Option("--resume", metavar="DIR", help="Go on with the study in this folder.")]
_WITH_RESUME = {"resume", "jobs", "scheduler", "quiet"}


def lacking(command: str, **given: object) -> InputError:
    """What to raise where a new study lacks what it cannot do without: options by name, None where not given."""
    names = {name: "MODEL" if name == "model" else f"--{name}" for name in given}
    missing = ", ".join(f"no {names[name]}" for name, value in given.items() if value is None)
    *others, last = names.values()
    expected = f"{', '.join(others)} and {last}; or --resume alone"
    what = "a study needs more" if command == "study" else "more is needed"
    return InputError(what, where=command, expected=expected, found=missing)


def refuse_others(context: typer.Context) -> None:
    """Raises InputError where --resume stands beside what the folder says already."""
    given = [name for name in context.params if name not in _WITH_RESUME and _was_given(context, name)]
    if given:
        names = ", ".join("MODEL" if name == "model" else f"--{name.strip('_').replace('_', '-')}" for name in given)
        expected = "--resume DIR with --jobs, --scheduler or -q alone"
        raise InputError("the folder says what the study is", where="--resume", expected=expected, found=names)


def workers_of(jobs: int, scheduler: str | None, context: typer.Context) -> Workers:
    """Who measures. Raises InputError where both are said."""
    from kanspice.experiments.ensemble.workers import cluster, local  # noqa: PLC0415

    if scheduler is None:
        return local(jobs)
    if _was_given(context, "jobs"):
        raise InputError("a cluster has as many workers as it has", where="--jobs", hint="leave out --jobs")
    return cluster(scheduler)


def _was_given(context: typer.Context, name: str) -> bool:
    source = context.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"


def without_draws(**given: object) -> None:
    """Raises InputError for an option that goes together with draws only."""
    for name, value in given.items():
        if value:
            where = f"--{name.replace('_', '-')}"
            raise InputError("there are no draws", where=where, hint="say how many with --trials")


@contextmanager
def kept(command: str, folder: Path) -> Iterator[None]:
    """Whatever ends the work: says what is kept, and how to go on."""
    try:
        yield
    except BaseException:
        again = shlex.join(["kanspice", command, "--resume", str(folder)])
        say(f"finished draws are kept in {folder}; to go on: {again}", err=True)
        raise


def parsed_corner(text: str) -> Corner:
    """`NAME:SECTION.KEY=V,...`, or a name alone for the technology as it is."""
    from kanspice.experiments.ensemble.variations import Corner  # noqa: PLC0415

    name, _, settings = text.partition(":")
    if not name.strip() or "=" in name:
        expected = "NAME:SECTION.KEY=VALUE,..., as in slow:tia.gain=500; or a NAME alone"
        raise InputError(f"bad corner '{text}'", where="--corner", expected=expected)
    return Corner(name.strip(), parts_of(settings) if settings.strip() else ())


def checks_of(
    wanted: str | None, engine: str, default: int, option: str = "--cross-check"
) -> tuple[int, str | None, str]:
    """How many draws another engine solves too, which, and why none where some should.

    wanted: as `N[:ENGINE]`; None for so many as are usual, where that engine is installed.
    Raises InputError for anything else, SimulatorError where some were asked for that cannot be.
    """
    from kanspice.base.errors import SimulatorError  # noqa: PLC0415
    from kanspice.engine.engines import engine_named  # noqa: PLC0415
    from kanspice.engine.running import judge_of  # noqa: PLC0415

    count, judge = (default, None) if wanted is None else check_of(wanted, option)
    if count == 0:
        return 0, judge, "it was not wanted"
    try:
        engine_named(judge_of(engine, judge)).find()
    except SimulatorError as error:
        if wanted is not None:
            raise
        return 0, judge, error.problem
    return count, judge, ""


def text_of(path: Path | None) -> str | None:
    """As a request keeps it."""
    return None if path is None else str(path)
