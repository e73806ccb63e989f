"""Options that several commands share, and what they do before their work begins."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kanspice.base.errors import InputError
from kanspice.base.files import refuse_inputs, write_text
from kanspice.base.visible import visible, visible_json
from kanspice.engine.names import HOMES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from contextlib import AbstractContextManager

    from rich.console import Console

    from kanspice.engine.progress import Advance
    from kanspice.report.blocks import Page
    from kanspice.report.estimate import Workload
    from kanspice.report.progress_bar import Bar


class FidelityName(StrEnum):
    """How devices, or branches, are written."""

    AUTO = "auto"
    SHARED = "shared"
    DEVICE = "device"
    MERGED = "merged"
    BEHAVIOURAL = "behavioural"
    FILTER = "filter"
    TRANSIENT = "transient"


ModelArgument = Annotated[
    Path,
    typer.Argument(metavar="MODEL", help="A kanspice checkpoint, an authors' one, or the folder of a training run."),
]
Config = Annotated[
    Path | None, typer.Option("--config", help="The authors' configuration; KANalogue's is found near the checkpoint.")
]
Curves = Annotated[
    Path | None,
    typer.Option("--curves", help="Folder of I-V files or cards: curves of an authors' checkpoint, measured points."),
]
Tech = Annotated[
    Path | None,
    typer.Option(
        "--tech",
        metavar="NAME|FILE.toml",
        help="Technology: typical, pessimistic, or a file; ideal if not given.",
    ),
]
Set = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="SECTION.KEY=VALUE", help="Override a technology value, e.g. tia.gain=1000."),
]
FidelityOption = Annotated[
    FidelityName,
    typer.Option(
        "--fidelity",
        help="device: each device or branch by itself. shared: curves once per row. merged: parallel branches as one. "
        "Of PhyKANs behavioural: amplitudes by their law; filter: RC networks and amplifiers; transient: over time. "
        "auto: what is fastest of those that are the same circuit.",
    ),
]
Sweeps = Annotated[
    list[str] | None,
    typer.Option("--sweep", metavar="SECTION.KEY=V1,V2,...", help="A value to go through; twice for a map."),
]
ENGINES = f"<{'|'.join(HOMES)}>"


def engine_of(name: str) -> str:
    """The name of an engine that there is; what typer shows of another is what it shows of any bad choice."""
    if name not in HOMES:
        raise typer.BadParameter(f"{name!r} is not one of {', '.join(map(repr, HOMES))}.")
    return name


EngineOption = Annotated[
    str,
    typer.Option(
        "--engine", parser=engine_of, metavar=ENGINES, help="ngspice, or batched: all samples together, much faster."
    ),
]
CrossCheckOption = Annotated[
    str,
    typer.Option(
        "--cross-check",
        metavar="N[:ENGINE]",
        help="N random samples by the other engine too, or by one that is named: do they agree?",
    ),
]
DeviceOption = Annotated[
    str,
    typer.Option(
        "--device",
        metavar="cpu|cuda[:N]|torch",
        help="What the batched engine computes with. torch: a GPU's code on this processor, to check it.",
    ),
]
Jobs = Annotated[int, typer.Option("--jobs", min=1, max=256, help="Simulator processes at a time.")]
Timeout = Annotated[
    float | None,
    typer.Option(
        "--timeout",
        min=0.001,
        metavar="S",
        help="Seconds for the network's own integration, and for the simulation: each.",
    ),
]
SimulationTimeout = Annotated[
    float | None,
    typer.Option("--timeout", min=0.001, metavar="S", help="Seconds for the whole simulation."),
]
LimitOption = Annotated[int | None, typer.Option("--limit", min=1, help="Use only the first N samples.")]
Markdown = Annotated[
    str | None, typer.Option("--markdown", metavar="F", help="Write a summary for a pull request; - prints it.")
]
Junit = Annotated[Path | None, typer.Option("--junit", metavar="F", help="Write JUnit XML for CI.")]
Verbose = Annotated[bool, typer.Option("-v", "--verbose", help="Also print the design, the engine and the versions.")]
Quiet = Annotated[bool, typer.Option("-q", "--quiet", help="Print nothing but errors.")]


def say(text: str, *, err: bool = False) -> None:
    """Prints lines, every character visible: to standard output, or beside it."""
    typer.echo(visible(text), err=err)


@dataclass(frozen=True)
class Deliverable:
    """What a command is to write, and where: `-` prints. At most one can be printed."""

    json: str | None = None
    markdown: str | None = None
    html: Path | None = None
    junit: Path | None = None

    def __post_init__(self) -> None:
        if self.json == self.markdown == "-":
            raise InputError("only one can be printed", where="--json - --markdown -", hint="a file for one of them")

    @property
    def prints(self) -> bool:
        """Whether standard output is taken."""
        return "-" in {self.json, self.markdown}

    @property
    def files(self) -> list[Path | None]:
        """What is written to files."""
        return [file_of(self.json), file_of(self.markdown), self.html, self.junit]


def file_of(text: str | None) -> Path | None:
    """The file that an option names which can also print."""
    return None if text is None or text == "-" else Path(text)


def page_writers(page: Callable[[], Page]) -> dict[str, Callable[[], str]]:
    """What `hand_over` makes of a result that has a page."""
    from kanspice.report.formats import FORMATS  # noqa: PLC0415 - --help stays fast

    def of(write: Callable[[Page], str]) -> Callable[[], str]:
        return lambda: write(page())

    return {each.name: of(each.write) for each in FORMATS}


def hand_over(wanted: Deliverable, console: Console, **make: Callable[[], str]) -> None:
    """Makes and writes what is wanted; `make` has a function for each kind that can be."""
    for kind, text in make.items():
        place = getattr(wanted, kind)
        if place == "-":
            typer.echo(visible_json(text()) if kind == "json" else visible(text()), nl=False)
        elif place is not None:
            write_text(place, text())
    if wanted.html is not None:
        console.print(f"report: {wanted.html}", soft_wrap=True, highlight=False, markup=False)


def bar_before(files: Iterable[Path | None], quiet: bool) -> Bar:
    """A bar beside standard output, before which it is made sure that no file to be written is an input."""
    from kanspice.cli.terminal import Terminal  # noqa: PLC0415 - --help stays fast
    from kanspice.report.progress_bar import progress_bar  # noqa: PLC0415

    def begin(
        what: str, total: int, unit: str = "samples", work: Workload | None = None
    ) -> AbstractContextManager[Callable[[Advance], None]]:
        refuse_inputs(files)
        return progress_bar(Terminal(stderr=True, quiet=quiet), what, total, unit, work)

    return begin
