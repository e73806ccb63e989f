"""Options that several commands share, and what they do before their work begins."""

from __future__ import annotations

import shlex
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kanspice.base.files import check_outputs
from kanspice.base.visible import visible
from kanspice.engine.names import HOMES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from contextlib import AbstractContextManager

    from kanspice.engine.progress import Advance
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


class RealisationName(StrEnum):
    """How a circuit is built."""

    BEHAVIOURAL = "behavioural"
    SCHEMATIC = "schematic"
    TRANSISTOR = "transistor"


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
Inputs = Annotated[Path, typer.Option("--inputs", help="Samples (samples, inputs): .npy, .npz or .csv.")]
Labels = Annotated[Path | None, typer.Option("--labels", help="True classes, for accuracies.")]
Targets = Annotated[
    Path | None, typer.Option("--targets", help="True answers of a regression, for the mean squared error.")
]
MEASURED = typer.Option(
    "--measured",
    metavar="F",
    help="What a chip gave (samples, outputs), in model units, NaN where nothing was measured: .npy, .npz or .csv.",
)
MeasuredOption = Annotated[Path | None, MEASURED]
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
RealisationOption = Annotated[
    RealisationName | None,
    typer.Option(
        "--realisation",
        help="As --tech says, if not given. behavioural: sources and macro-models. "
        "schematic: a KirchhoffNet's branches as its paper draws them. "
        "transistor: amplifiers, clips, branches and switches of an open process, for what --tech does not say.",
    ),
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
        "--engine",
        parser=engine_of,
        metavar=ENGINES,
        help="ngspice, or batched: all samples together, much faster. auto: the fastest simulator that is installed.",
    ),
]
CrossCheckOption = Annotated[
    str,
    typer.Option(
        "--cross-check",
        metavar="N[:ENGINE[,ENGINE]]",
        help="N random samples by the other engine too, or by those that are named: do they agree?",
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
SpecimenOption = Annotated[
    Path | None,
    typer.Option(
        "--specimen",
        metavar="F.npz",
        help="Random imperfections by their numbers, in place of those that --seed draws.",
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
SizedForOption = Annotated[
    Path | None,
    typer.Option(
        "--sized-for",
        metavar="F",
        help="Samples that the circuit is sized for, such as those of training; --inputs if not given.",
    ),
]
LimitOption = Annotated[int | None, typer.Option("--limit", min=1, help="Use only the first N samples.")]
Verbose = Annotated[bool, typer.Option("-v", "--verbose", help="Also print the design, the engine and the versions.")]
Quiet = Annotated[bool, typer.Option("-q", "--quiet", help="Print nothing but errors.")]


def command_line() -> str:
    """What was called, as a shell reads it."""
    return shlex.join(["kanspice", *sys.argv[1:]])


def print_json(document: object) -> None:
    """Prints what a program is to read; text that a terminal would act on is escaped."""
    import json  # noqa: PLC0415

    from kanspice.base.visible import visible_json  # noqa: PLC0415

    typer.echo(visible_json(json.dumps(document, indent=2, ensure_ascii=False)))


def say(text: str, *, err: bool = False) -> None:
    """Prints lines, every character visible: to standard output, or beside it."""
    typer.echo(visible(text), err=err)


def bar_before(files: Iterable[Path | None], quiet: bool) -> Bar:
    """A bar beside standard output. Files that cannot be written are refused now, and before it begins those read."""
    from kanspice.cli.terminal import Terminal  # noqa: PLC0415 - --help stays fast
    from kanspice.report.progress_bar import progress_bar  # noqa: PLC0415

    wanted = list(files)
    check_outputs(wanted)

    def begin(
        what: str, total: int, unit: str = "samples", work: Workload | None = None
    ) -> AbstractContextManager[Callable[[Advance], None]]:
        check_outputs(wanted)
        return progress_bar(Terminal(stderr=True, quiet=quiet), what, total, unit, work)

    return begin
