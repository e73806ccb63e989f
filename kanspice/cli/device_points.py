"""`kanspice devices fit` and `try`: a device made of the points that somebody measured."""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from kanspice.base.errors import InputError
from kanspice.base.files import is_there, write_text
from kanspice.cli.deliverables import Deliverables, deliver
from kanspice.cli.device_rows import extrema_rows, law_rows, power_row, print_table, report_rows, spread_rows, table_of
from kanspice.cli.options import Quiet, bar_before, command_line, say


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
    from kanspice.devices.instruments.columns import ColumnChoice  # noqa: PLC0415
    from kanspice.devices.measured import identity_of, read_points_of  # noqa: PLC0415

    choice = ColumnChoice(voltage_column, current_column, voltage_unit, current_unit, area_cm2)
    found = read_points_of(points, choice, branch.value)
    identity = identity_of(name or output.stem.lower(), points, found, reverse)
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
        Path | None,
        typer.Option("-o", "--output", metavar="F", help="The page, or JSON in F.json; NAME.html if not given."),
    ] = None,
    json: Annotated[str | None, typer.Option("--json", metavar="F", help="Write JSON; - prints it.")] = None,
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
    from kanspice.devices.measured import name_from  # noqa: PLC0415
    from kanspice.experiments.api.trial import try_device  # noqa: PLC0415 - torch takes seconds to import
    from kanspice.experiments.trial.document import trial_json  # noqa: PLC0415
    from kanspice.report.page_html import page_html  # noqa: PLC0415

    place = output or Path(f"{name_from(source)}.html")
    if is_there(place) and not force:
        raise InputError("the page exists already", where=place, hint="--force to replace it, or -o another")
    names = None if beside is None else [] if beside == "none" else [name.strip() for name in beside.split(",")]
    wanted = Deliverables({} if json is None else {"json": json})
    result = try_device(
        source,
        kind=kind.value,
        voltage_column=voltage_column,
        current_column=current_column,
        voltage_unit=voltage_unit,
        current_unit=current_unit,
        area_cm2=area_cm2,
        branch=branch.value,
        tech=tech,
        set=set_ or (),
        specimens=specimens,
        beside=names,
        seed=seed,
        progress=bar_before([place, *wanted.files], quiet),
    )
    result = replace(result, command=command_line())
    page = result.page()
    console = deliver(page, wanted, quiet, lambda: trial_json(result))
    write_text(place, trial_json(result) if place.suffix.lower() == ".json" else page_html(page))
    console.print(f"report: {place}", soft_wrap=True, highlight=False, markup=False)
