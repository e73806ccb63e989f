"""`kanspice demo`: the gap of the shipped digits network in typical parts, with nothing but what is in the package."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from functools import partial
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kanspice.base.errors import SimulatorError
from kanspice.base.files import check_outputs, is_there, write_text
from kanspice.base.resources import EXAMPLES
from kanspice.cli.options import Quiet, command_line, say

if TYPE_CHECKING:
    from kanspice.experiments.verify.result import GapResult
    from kanspice.report.blocks import Fact, Page
    from kanspice.report.progress_bar import Bar

MODEL, INPUTS, LABELS = (EXAMPLES / "01_kanalogue_digits" / name for name in ("model.pt", "inputs.npy", "labels.npy"))
SAMPLES = 50
"""Enough for an accuracy, and few enough to be solved in a hundred circuits within seconds."""
JUDGES = {"vacask": 5, "ngspice": 1}
"""Simulators, the fastest first, and how many samples they solve, too, within ten seconds or so, wires and all."""
PAGE = Path("kanspice-demo.html")


def demo(
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", metavar="F.html", help=f"The page; {PAGE} if not given, or the next free name."),
    ] = None,
    quiet: Quiet = False,
) -> None:
    """Measure a shipped network of handwritten digits in typical parts, find what makes its gap, and write a page.

    It needs no file and half a minute. A simulator solves some of the samples, too, where one is installed.
    """
    from kanspice.cli.terminal import Terminal  # noqa: PLC0415 - --help stays fast
    from kanspice.report.page_html import page_html  # noqa: PLC0415
    from kanspice.report.terminal import print_page  # noqa: PLC0415

    place = output or _free(PAGE)
    check_outputs([place])
    judge = _judge()
    if not quiet:
        say(_plan(judge), err=True)
    result = replace(_measured(judge, quiet), command=command_line())
    write_text(place, page_html(result.page()))
    print_page(_summary(result), Terminal(quiet=quiet))
    if not quiet:
        say(f"report: {place}\n\nThe same by hand:\n{_by_hand(place)}")
    raise typer.Exit(result.exit_code)


def _free(path: Path) -> Path:
    """That name, or with the first number that no file has yet."""
    numbered = (path.with_stem(f"{path.stem}-{number}") for number in count(2))
    return path if not is_there(path) else next(name for name in numbered if not is_there(name))


def _judge() -> str | None:
    """The fastest simulator that is installed; None where there is none."""
    from kanspice.engine.engines import engine_named  # noqa: PLC0415 - --help stays fast

    for name in JUDGES:
        with suppress(SimulatorError):
            engine_named(name).find()
            return name
    return None


def _plan(judge: str | None) -> str:
    checked = "" if judge is None else f"; {JUDGES[judge]} of them by {judge}, too"
    return f"half a minute: {SAMPLES} handwritten digits, with and without each imperfection of typical parts{checked}"


def _measured(judge: str | None, quiet: bool) -> GapResult:
    """The gap and its causes, while the simulator solves what it is asked to: it takes as long as all the rest."""
    from kanspice.experiments.api.verify import verify  # noqa: PLC0415 - torch takes seconds to import

    measure = partial(verify, MODEL, INPUTS, labels=LABELS, limit=SAMPLES, tech="typical", engine="batched")
    if judge is None:
        return measure(attribute=True, progress=_bar(quiet))
    with ThreadPoolExecutor(1) as aside:
        checked = aside.submit(measure, cross_check=f"{JUDGES[judge]}:{judge}")
        result = measure(attribute=True, progress=_bar(quiet))
        return replace(result, cross_check=checked.result().cross_check)


def _bar(quiet: bool) -> Bar:
    """A bar without an estimate: the plan has said how long it takes."""
    from kanspice.cli.terminal import Terminal  # noqa: PLC0415 - --help stays fast
    from kanspice.report.progress_bar import progress_bar  # noqa: PLC0415

    return lambda what, total, unit="samples", work=None: progress_bar(
        Terminal(stderr=True, quiet=quiet), what, total, unit
    )


def _summary(result: GapResult) -> Page:
    """What a newcomer asks first, on one screen; the page has the rest."""
    from kanspice.experiments.verify import wording  # noqa: PLC0415 - --help stays fast
    from kanspice.report.blocks import Facts, Page, Section  # noqa: PLC0415

    return Page(
        title="The demo",
        subject=result.model.path,
        command="kanspice demo",
        answer=wording.distance(result),
        outcome=wording.outcome(result),
        exit_code=result.exit_code,
        lead=(),
        checks=(),
        sections=(Section("", (Facts(list(_facts(result))),)),),
    )


def _facts(result: GapResult) -> Iterator[Fact]:
    from kanspice.experiments.verify import wording  # noqa: PLC0415 - --help stays fast
    from kanspice.experiments.verify.opening import highlights  # noqa: PLC0415
    from kanspice.report.formatting import counted, devices  # noqa: PLC0415
    from kanspice.report.verdict import Verdict  # noqa: PLC0415

    yield "network", f"{result.model.path} ({result.model.family}, {counted(result.model.parameters)} parameters)"
    yield "circuit", f"{devices(result.design.devices)}, technology {result.design.technology_name}"
    for each in highlights(result).shown:
        yield each.label, Verdict(f"{each.figure}: {each.said.text}", each.said.warning)
    yield "numerical error", wording.numerical_error(result)
    if result.cross_checks:
        yield from (("other engine", wording.cross_check(check)) for check in result.cross_checks)
    else:
        yield "other engine", "no simulator is installed, so none was asked: `kanspice doctor` says how to get ngspice"


def _by_hand(place: Path) -> str:
    words = ["kanspice", "verify", MODEL, "--inputs", INPUTS, "--labels", LABELS, "--limit", SAMPLES]
    return shlex.join(map(str, [*words, "--tech", "typical", "--engine", "batched", "--attribute", "--html", place]))
