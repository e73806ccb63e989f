"""`kanspice devices`: what devices there are, what their curves look like, and new cards from measured points."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kanspice.base.errors import InputError
from kanspice.base.files import check_outputs, is_there, write_bytes, write_text
from kanspice.cli.options import Quiet, bar_before, command_line, say

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from rich.table import Table

    from kanspice.devices import Device, Extrema
    from kanspice.devices.fit import CardIdentity, FitReport
    from kanspice.devices.instruments.reading import IVReading
    from kanspice.devices.law_fit import LawFit

_BAD_LAW = 2.0
"""Scatter about a law over that about a smooth curve, beyond which it is not the points' law."""

app = typer.Typer(help="List, show, plot, check and fit device cards.", no_args_is_help=True)


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


NameOrCard = Annotated[str, typer.Argument(metavar="NAME", help="A shipped device, or the path of a .toml card.")]


PrintsJson = Annotated[bool, typer.Option("--json", help="Print cards as JSON instead.")]


@app.command("list")
def list_(*, json: PrintsJson = False) -> None:
    """List the shipped devices."""
    from kanspice.devices import list_devices  # noqa: PLC0415 - commands import lazily: --help stays fast

    if json:
        _print_json([device.to_dict() for device in list_devices()])
        return
    table = _table("device", "range / V", "peak", "at / V", "valley", "at / V", "unit")
    for device in list_devices():
        extrema = device.curve.extrema()
        found = () if extrema is None else (extrema.peak_i, extrema.peak_v, extrema.valley_i, extrema.valley_v)
        cells = [f"{value:.4g}" for value in found] or ["-"] * 4
        unit = "-" if device.card.units.current_unit_a is None else _short_unit(device)
        table.add_row(device.name, f"{device.curve.lo_v:g} to {device.curve.hi_v:g}", *cells, unit)
    _print(table)
    active = [device.name for device in list_devices() if device.delivers is not None]
    typer.echo(f"{', '.join(active)}: currents against the voltage, where they deliver power: no passive device does")
    passive = [device.name for device in list_devices() if device.name.endswith("_passive")]
    typer.echo(f"{', '.join(passive)}: the same points fitted without (`kanspice devices fit --kind passive`)")
    typer.echo("unit -: the source does not say what its unit of current is; units.i_unit_a of the technology does")


@app.command()
def show(name: NameOrCard, *, json: PrintsJson = False) -> None:
    """Show one device's card."""
    from kanspice.devices import load_device  # noqa: PLC0415

    device = load_device(name)
    if json:
        _print_json(device.to_dict())
        return
    table = _table("", device.name)
    for key, value in [
        *_card_rows(device),
        *_extrema_rows(device.curve.extrema()),
        _power_row(device),
        *_spread_rows(device),
    ]:
        table.add_row(key, value)
    _print(table)


@app.command()
def plot(
    name: NameOrCard,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="PNG file; NAME.png, or CARD.png, if not given.")
    ] = None,
) -> None:
    """Draw one device's curve, with its peak, its valley and the region of negative differential resistance."""
    from kanspice.devices import load_device  # noqa: PLC0415

    device = load_device(name)
    path = output or Path(f"{Path(name).stem if name.lower().endswith('.toml') else device.name}.png")
    check_outputs([path])
    write_bytes(path, _picture(device))
    say(f"wrote {path}")


@app.command()
def check(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME]...", help="Shipped devices, or .toml cards; all shipped ones.")
    ] = None,
    engine: Annotated[str | None, typer.Option(help="One simulator; every installed one if not given.")] = None,
    timeout: Annotated[float, typer.Option(help="Seconds for everything.")] = 300.0,
) -> None:
    """Sweep devices in the simulators, and compare them with the curves of their cards."""
    from kanspice.devices import list_devices, load_device  # noqa: PLC0415
    from kanspice.engine.simulators.curve_check import ALLOWED  # noqa: PLC0415
    from kanspice.experiments.curves import check_curves  # noqa: PLC0415

    devices = [load_device(name) for name in names] if names else list_devices()
    checked = check_curves(devices, engine, timeout)
    table = _table("device", "simulator", "away", "at / V", "")
    for each in checked:
        right = "the same" if each.found.is_right else "another curve"
        table.add_row(each.device, each.engine, f"{each.found.worst:.2g}", f"{each.found.at_v:.6g}", right)
    _print(table)
    typer.echo(f"away: at most, from the card's curve, of its largest current; up to {ALLOWED:g} they are the same")
    if not all(each.found.is_right for each in checked):
        raise typer.Exit(3)


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


@app.command()
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
    table = _table("", device.name)
    rows = [
        *_report_rows(report),
        *_law_rows(report.law),
        *_extrema_rows(report.extrema),
        _power_row(device),
        *_spread_rows(device),
    ]
    for key, value in rows:
        table.add_row(key, value)
    _print(table)
    say(f"wrote {output}")


@app.command("try")
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


def _table(*columns: str) -> Table:
    from rich import box  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415

    table = Table(box=box.SIMPLE)
    for column in columns:
        table.add_column(column, overflow="fold", no_wrap=len(columns) > 2)
    return table


def _print_json(cards: object) -> None:
    import json  # noqa: PLC0415

    from kanspice.base.visible import visible_json  # noqa: PLC0415

    typer.echo(visible_json(json.dumps(cards, indent=2, ensure_ascii=False)))


def _print(table: Table) -> None:
    from kanspice.cli.terminal import Terminal  # noqa: PLC0415

    Terminal(markup=False, highlight=False).print(table)


def _card_rows(device: Device) -> list[tuple[str, str]]:
    card = device.card
    rows = [
        ("description", card.description),
        ("source", card.source),
        ("also called", ", ".join(card.aliases) or "-"),
        ("curve", card.curve.kind.replace("_", " ")),
        ("range", f"{device.curve.lo_v:g} V to {device.curve.hi_v:g} V"),
        ("below 0 V", card.reverse),
        ("current unit", card.units.current),
        ("amperes in it", _amperes(card.units.current_unit_a)),
        ("measured points", "not on the card" if card.points is None else str(len(card.points.v))),
    ]
    rows += [(key.replace("_", " "), _plain(value)) for key, value in card.fit.model_dump(exclude_none=True).items()]
    return [*rows, ("sha256", device.sha256)]


def _plain(value: object) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_plain(each)}" for name, each in value.items()) or "-"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _amperes(unit_a: float | None) -> str:
    return "not stated: units.i_unit_a of the technology is assumed" if unit_a is None else f"{unit_a:g}"


def _power_row(device: Device) -> tuple[str, str]:
    if device.delivers is None:
        return "delivers power", "nowhere"
    volts, current = device.delivers
    why = "by less than its points scatter" if device.within_scatter(current) else "no passive device does"
    return "delivers power", f"at {volts:.4g} V, where it carries {current:.4g}: {why}"


def _spread_rows(device: Device) -> list[tuple[str, str]]:
    spread = device.card.spread
    if spread is None:
        return []
    sets = f"--set devices.area_sigma={spread.area_sigma:.3g} --set devices.shift_sigma_v={spread.shift_sigma_v:.3g}"
    found = f"{spread.area_sigma:.2%} of the current, {spread.shift_sigma_v:.3g} V; {spread.residual:.2%} unexplained"
    return [(f"spread of {spread.devices} devices", found), ("in a technology", sets)]


def _report_rows(report: FitReport) -> list[tuple[str, str]]:
    return [
        ("points", str(report.points)),
        ("pieces", str(report.pieces) if report.pieces else "none: a law"),
        (
            "residual rms",
            f"{report.residual_rms:.4g}, {report.residual_rms / report.largest:.2%} of the largest current",
        ),
        ("residual max", f"{report.residual_max:.4g}, {report.residual_max / report.largest:.2%}"),
    ]


def _law_rows(law: LawFit | None) -> list[tuple[str, str]]:
    if law is None:
        return []
    near = "it describes them" if law.worse < _BAD_LAW else "another law, or --kind smooth, would be nearer"
    good = f"R^2 = {law.r_squared:.6g}; scatter {law.worse:.3g} times that about a smooth curve: {near}"
    rows = [("law", law.law), ("goodness of fit", good)]
    for name, value in law.parameters.items():
        error = law.errors.get(name)
        fixed = "fixed" if name in law.fixed else "alone not determined by the points"
        rows.append((name, f"{value:.5g} " + (f"+- {error:.2g}" if error is not None else f"({fixed})")))
    return rows


def _extrema_rows(extrema: Extrema | None) -> list[tuple[str, str]]:
    if extrema is None:
        return [("peak", "none: the curve never falls")]
    ratio = extrema.peak_to_valley
    return [
        ("peak", f"{extrema.peak_i:.4g} at {extrema.peak_v:.4g} V"),
        ("valley", f"{extrema.valley_i:.4g} at {extrema.valley_v:.4g} V"),
        ("peak-to-valley ratio", "undefined: the valley current is not positive" if ratio is None else f"{ratio:.4g}"),
    ]


def _picture(device: Device) -> bytes:
    """The curve as PNG."""
    import numpy as np  # noqa: PLC0415
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415
    from matplotlib.figure import Figure  # noqa: PLC0415

    curve = device.curve
    margin = 0.05 * (curve.hi_v - curve.lo_v)
    v = np.linspace(curve.lo_v - margin, curve.hi_v + margin, 2001)
    current, slope = curve.numpy(v)
    figure = Figure(figsize=(7, 4.5), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.plot(v, current, color="C0", label="curve, clamped outside its range")
    if device.card.points is not None:
        axes.plot(device.card.points.v, device.card.points.i, ".", color="0.3", label="measured points")
    if (slope < 0).any():
        axes.fill_between(
            v,
            0,
            1,
            where=slope < 0,
            transform=axes.get_xaxis_transform(),
            color="C1",
            alpha=0.2,
            linewidth=0,
            label="dI/dV < 0",
        )
    for end in (curve.lo_v, curve.hi_v):
        axes.axvline(end, color="0.5", linestyle=":", linewidth=1)
    _mark(axes, curve.extrema())
    axes.set(title=device.name, xlabel="voltage / V", ylabel=f"current / {_short_unit(device)}")
    axes.grid(alpha=0.3)
    figure.legend(loc="outside lower center", ncols=2, frameon=False)
    picture = io.BytesIO()
    figure.savefig(picture, dpi=150, format="png")
    return picture.getvalue()


def _mark(axes: Axes, extrema: Extrema | None) -> None:
    if extrema is None:
        return
    axes.plot(
        extrema.peak_v, extrema.peak_i, "^", color="C3", label=f"peak {extrema.peak_i:.3g} at {extrema.peak_v:.3g} V"
    )
    axes.plot(
        extrema.valley_v,
        extrema.valley_i,
        "v",
        color="C2",
        label=f"valley {extrema.valley_i:.3g} at {extrema.valley_v:.3g} V",
    )


def _short_unit(device: Device) -> str:
    """The current unit where it is a unit; cards of devices whose source states none say so in words."""
    unit = device.card.units.current
    return unit if " " not in unit else "unit of the source"
