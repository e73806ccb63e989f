"""What functions share that measure many draws.

What a folder keeps is named by files, so that draws are measured by several processes and the work can be resumed:
there models, samples and technologies are files.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from kanspice.base.errors import InputError, SimulatorError
from kanspice.base.files.array_files import is_file
from kanspice.engine.engines import engine_named
from kanspice.engine.names import check_of
from kanspice.engine.running import judge_of
from kanspice.experiments.api.arguments import Overrides, texts_of
from kanspice.experiments.ensemble.variations import Corner, Sweep
from kanspice.experiments.ensemble.workers import Workers, cluster, local

Sweeps = Sequence[str] | Mapping[str, Sequence[object]]
"""`SECTION.KEY=V1,V2,...` texts, or values by `SECTION.KEY`."""
Corners = Sequence[str] | Mapping[str, Overrides]
"""`NAME:SECTION.KEY=VALUE,...` texts, or what is set by name."""
FASTER = "more processes (--jobs), fewer --trials, or fewer samples (--limit)"


def sweeps_of(given: Sweeps) -> tuple[Sweep, ...]:
    """As a request keeps them. Raises InputError for a text that is none."""
    if isinstance(given, Mapping):
        for key, values in given.items():
            if isinstance(values, str) or not isinstance(values, Sequence) or len(values) == 0:
                where = f"sweep of {key}"
                raise InputError("has no values", where=where, expected="a list of them", found=f"{values!r}"[:80])
        return tuple(Sweep(key, tuple(map(str, values))) for key, values in given.items())
    return tuple(map(Sweep.parsed, given))


def corners_of(given: Corners) -> tuple[Corner, ...]:
    """As a request keeps them. Raises InputError for a text that is none."""
    if isinstance(given, Mapping):
        return tuple(Corner(name, tuple(texts_of(settings))) for name, settings in given.items())
    return tuple(map(Corner.parsed, given))


def workers_of(jobs: int, scheduler: str | None) -> Workers:
    """Processes here, or the Dask cluster at an address."""
    return local(jobs) if scheduler is None else cluster(scheduler)


def checks_of(
    wanted: int | str | None, engine: str, default: int, option: str = "--cross-check"
) -> tuple[int, str | None, str]:
    """How many draws another engine looks at too, which, and why none where some should.

    wanted: as `N[:ENGINE]`; None for so many as are usual, where that engine is installed.
    Raises InputError for anything else, SimulatorError where some were asked for that cannot be.
    """
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


def file_of(option: str, given: object) -> str:
    """A file's name. Raises InputError for what is in one: a folder could not name it."""
    if not is_file(given):  # type: ignore[arg-type]
        problem, found = "draws that a folder keeps are measured from files", f"a {type(given).__name__}"
        raise InputError(problem, where=option, expected="a path", found=found)
    return str(given)


def optional_file(option: str, given: object) -> str | None:
    """The same where one is given."""
    return None if given is None else file_of(option, given)


def refuse_beside(command: str, **given: object) -> None:
    """Raises InputError for what stands beside a folder to go on with."""
    named = [name for name, value in given.items() if value is not None]
    if named:
        raise InputError(
            "the folder says what is measured", where=command, expected="resume alone", found=", ".join(named)
        )


def lacking(command: str, **given: object) -> InputError:
    """What to raise where new work lacks what it cannot do without: by name, None where not given."""
    names = {name: "MODEL" if name == "model" else f"--{name}" for name in given}
    missing = ", ".join(f"no {names[name]}" for name, value in given.items() if value is None)
    *others, last = names.values()
    expected = f"{', '.join(others)} and {last}; or --resume alone"
    what = "a study needs more" if command == "study" else "more is needed"
    return InputError(what, where=command, expected=expected, found=missing)


def refuse_without_draws(**given: object) -> None:
    """Raises InputError for what goes together with draws only."""
    for name, value in given.items():
        if value:
            where = f"--{name.replace('_', '-')}"
            raise InputError("there are no draws", where=where, hint="say how many with --trials")
