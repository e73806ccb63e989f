"""`kanspice devices fit` and `try`: a device made of the points that somebody measured."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kanspice.base.errors import InputError
from kanspice.base.files import is_there, write_text
from kanspice.cli.device_rows import extrema_rows, law_rows, power_row, print_table, report_rows, spread_rows, table_of
from kanspice.cli.options import Quiet, bar_before, command_line, say

if TYPE_CHECKING:
    from kanspice.devices import Device
    from kanspice.devices.fit import CardIdentity, FitReport
    from kanspice.devices.instruments.reading import IVReading


class FitKind(StrEnum):
    """What a curve through points can be."""

    SMOOTH = "smooth"
    PASSIVE = "passive"
    SPLINE = "spline"
    SEGMENTS = "segments"
    POLYNOMIAL = "polynomial"
    RTD = "rtd"
    ESAKI = "esaki"
    MEMDIODE = "memdiode"
    BUMP = "bump"


class BranchOption(StrEnum):
    """Which branch of a sweep in both directions is taken."""

    UP = "up"
    DOWN = "down"
    MEAN = "mean"


PointsFile = Annotated[
    Path, typer.Argument(metavar="IV.csv", help="Voltages and currents, as the instrument or a spreadsheet wrote them.")
]
VoltageColumn = Annotated[str | None, typer.Option(help="Name of the voltage's column, or its number from 1.")]
CurrentColumn = Annotated[str | None, typer.Option(help="Name of the current's column, or its number from 1.")]
VoltageUnit = Annotated[str | None, typer.Option(metavar="V|mV|uV", help="Of the voltages, whatever the file says.")]
CurrentUnit = Annotated[
    str | None, typer.Option(metavar="A|mA|uA|nA|pA", help="Of the currents, whatever the file says.")
]
Area = Annotated[float | None, typer.Option(help="Area of the device, where the file has currents per cm2.")]
BranchTaken = Annotated[BranchOption, typer.Option(help="Of a sweep in both directions.")]


def fit(
    points: PointsFile,
    output: Annotated[Path, typer.Option("-o", "--output", help="The card to write, CARD.toml.")],
    kind: Annotated[
        FitKind | None, typer.Option(help="smooth if not given, or spline where --smoothing is.", show_default=False)
    ] = None,
    name: Annotated[str | None, typer.Option(help="Device name; the card's file name if not given.")] = None,
    voltage_column: VoltageColumn = None,
    current_column: CurrentColumn = None,
    voltage_unit: VoltageUnit = None,
    current_unit: CurrentUnit = None,
    area_cm2: Area = None,
    branch: BranchTaken = BranchOption.UP,
    smoothing: Annotated[
        float | None, typer.Option(help="spline, passive: sum of squared residuals, in current units squared.")
    ] = None,
    degree: Annotated[int | None, typer.Option(help="polynomial: its degree, 10 if not given.")] = None,
    reverse: Annotated[str, typer.Option(help="Below 0 V: clamp | odd")] = "clamp",
    force: Annotated[bool, typer.Option("--force", help="Replace an existing card.")] = False,
) -> None:
    """Fit a device card to measured points."""
    from kanspice.devices import write_card  # noqa: PLC0415
    from kanspice.devices.fit import fit_card  # noqa: PLC0415

    found = ColumnOptions(voltage_column, current_column, voltage_unit, current_unit, area_cm2, branch).read(points)
    identity = _identity(name or output.stem.lower(), points, found, reverse)
    device, report = fit_card(found.v, found.i, identity, kind, smoothing=smoothing, degree=degree)
    write_card(device, output, force=force)
    for note in found.notes:
        say(note)
    if found.current_unit is None:
        typer.echo("--current-unit mA, say, would tell the circuit what the currents are")
    table = table_of("", device.name)
    rows = [
        *report_rows(report),
        *law_rows(report.law),
        *extrema_rows(report.extrema),
        power_row(device),
        *spread_rows(device),
    ]
    for key, value in rows:
        table.add_row(key, value)
    print_table(table)
    say(f"wrote {output}")


def try_(
    source: Annotated[
        str,
        typer.Argument(
            metavar="IV.csv|CARD.toml|NAME", help="Measured points, a card, or the name of a shipped device."
        ),
    ],
    *,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="F.html", help="The page; NAME.html if not given.")
    ] = None,
    kind: Annotated[FitKind, typer.Option(help="Of the curve through points.")] = FitKind.SMOOTH,
    voltage_column: VoltageColumn = None,
    current_column: CurrentColumn = None,
    voltage_unit: VoltageUnit = None,
    current_unit: CurrentUnit = None,
    area_cm2: Area = None,
    branch: BranchTaken = BranchOption.UP,
    tech: Annotated[str, typer.Option("--tech", help="A technology file, or a shipped one's name.")] = "typical",
    set_: Annotated[
        list[str] | None, typer.Option("--set", metavar="SECTION.KEY=VALUE", help="Override a value; repeatable.")
    ] = None,
    specimens: Annotated[int, typer.Option(min=1, help="Of every circuit that is not ideal.")] = 3,
    beside: Annotated[
        str | None, typer.Option(metavar="NAME,...", help="Devices or cards to compare with; none; some shipped ones.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of training, samples and specimens.")] = 0,
    force: Annotated[bool, typer.Option("--force", help="Replace an existing page.")] = False,
    quiet: Quiet = False,
) -> None:
    """Try a device: train small networks of it, solve their circuits, and compare them with those of shipped devices.

    Digits (64-16-10; they need scikit-learn) and two moons (2-12-2): accuracies of the network, its ideal circuit and
    specimens of its typical one; whether they are stable. Inputs are scaled to the device's range, currents to its
    largest. `--set tia.gbw_hz=1e6`, or a technology that `kanspice characterise -o` wrote, is another amplifier.

    Examples: `kanspice devices try iv.csv`, `kanspice devices try iv.csv --kind passive --beside z21,rtd -o mine.html`
    """
    from kanspice.cli.terminal import Terminal  # noqa: PLC0415
    from kanspice.devices import load_device  # noqa: PLC0415
    from kanspice.experiments.trial.run import BESIDE, TrialOptions, epochs, known_tasks, try_device  # noqa: PLC0415
    from kanspice.report.page_html import page_html  # noqa: PLC0415
    from kanspice.report.terminal import print_page  # noqa: PLC0415
    from kanspice.technology.loading import load_technology  # noqa: PLC0415

    choice = ColumnOptions(voltage_column, current_column, voltage_unit, current_unit, area_cm2, branch)
    device, report, reading = _given(source, kind, choice)
    names = BESIDE if beside is None else [] if beside == "none" else [name.strip() for name in beside.split(",")]
    others = [other for other in map(load_device, names) if other.sha256 != device.sha256]
    place = output or Path(f"{device.name}.html")
    if is_there(place) and not force:
        raise InputError("the page exists already", where=place, hint="--force to replace it, or -o another")
    options = TrialOptions(load_technology(tech, set_ or ()), load_technology("ideal"), specimens, seed)
    tasks, left_out = known_tasks(seed)
    name = source if report is None else Path(source).name
    with bar_before([place], quiet)("training and solving", epochs(tasks, 1 + len(others)), "epochs") as told:
        result = try_device(
            device,
            others,
            tasks,
            options,
            left_out=left_out,
            source=name,
            report=report,
            reading=reading,
            progress=told,
        )
    page = replace(result, command=command_line()).page()
    print_page(page, Terminal(quiet=quiet))
    write_text(place, page_html(page))
    if not quiet:
        say(f"report: {place}")


@dataclass(frozen=True)
class ColumnOptions:
    """What the command line says of a file's columns and sweeps."""

    voltage_column: str | None
    current_column: str | None
    voltage_unit: str | None
    current_unit: str | None
    area_cm2: float | None
    branch: BranchOption

    def read(self, path: Path) -> IVReading:
        """The file as these say. Raises InputError."""
        from kanspice.devices.instruments.columns import ColumnChoice  # noqa: PLC0415
        from kanspice.devices.instruments.reading import read_iv  # noqa: PLC0415

        if any("\ud800" <= letter <= "\udfff" for letter in path.name):  # how Python has bytes that are not UTF-8
            raise InputError(
                "the file's name is not UTF-8, so that the card cannot say whose points it has",
                where=path,
                hint="rename the file",
            )
        choice = ColumnChoice(
            self.voltage_column, self.current_column, self.voltage_unit, self.current_unit, self.area_cm2
        )
        return read_iv(path, choice, self.branch.value)


def _given(source: str, kind: FitKind, columns: ColumnOptions) -> tuple[Device, FitReport | None, tuple[str, ...]]:
    """A shipped device or a card, or a curve through a file's points with how it was fitted and read."""
    from kanspice.devices import load_device  # noqa: PLC0415
    from kanspice.devices.fit import fit_card  # noqa: PLC0415

    path = Path(source)
    if path.suffix.lower() == ".toml" or (not is_there(path) and not path.suffix):
        if columns.area_cm2 is not None:
            raise InputError("an area is of no use here", where="--area-cm2", expected="a file of points", found=source)
        return load_device(source), None, ()
    found = columns.read(path)
    device, report = fit_card(found.v, found.i, _identity(_name_of(path.stem), path, found), kind.value)
    return device, report, found.notes


def _name_of(stem: str) -> str:
    """A device's name made of a file's: lower case letters, digits and _, a letter first."""
    kept = re.sub(r"[^a-z0-9]+", "_", stem.lower()).strip("_")[:31]
    return kept if kept[:1].isalpha() else f"d{kept}"[:31]


def _identity(name: str, points: Path, found: IVReading, reverse: str = "clamp") -> CardIdentity:
    """What the card of a file's points says besides numbers."""
    from kanspice.devices.fit import CardIdentity  # noqa: PLC0415

    identity = CardIdentity(name, f"points of {points.name}", reverse=reverse, spread=found.spread)
    unit = found.current_unit
    return identity if unit is None else replace(identity, current_unit=unit.text, current_unit_a=unit.si)
