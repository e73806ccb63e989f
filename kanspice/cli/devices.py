"""`kanspice devices`: what devices there are, what their curves look like, and new cards from measured points."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kanspice.base.files import check_outputs, write_bytes
from kanspice.cli.options import say

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from rich.table import Table

    from kanspice.devices import Device, Extrema
    from kanspice.devices.fit import FitReport
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


@app.command("list")
def list_() -> None:
    """List the shipped devices."""
    from kanspice.devices import list_devices  # noqa: PLC0415 - commands import lazily: --help stays fast

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
    typer.echo("unit -: the source does not say what its unit of current is; units.i_unit_a of the technology does")


@app.command()
def show(name: NameOrCard) -> None:
    """Show one device's card."""
    from kanspice.devices import load_device  # noqa: PLC0415

    device = load_device(name)
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
    output: Annotated[Path | None, typer.Option("-o", "--output", help="PNG file; NAME.png if not given.")] = None,
) -> None:
    """Draw one device's curve, with its peak, its valley and the region of negative differential resistance."""
    from kanspice.devices import load_device  # noqa: PLC0415

    device = load_device(name)
    path = output or Path(f"{device.name}.png")
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
    from kanspice.devices.fit import CardIdentity, fit_card  # noqa: PLC0415
    from kanspice.devices.instruments.columns import ColumnChoice  # noqa: PLC0415
    from kanspice.devices.instruments.reading import read_iv  # noqa: PLC0415

    choice = ColumnChoice(voltage_column, current_column, voltage_unit, current_unit, area_cm2)
    found = read_iv(points, choice, branch.value)
    identity = CardIdentity(
        name or output.stem.lower(), f"points of {points.name}", reverse=reverse, spread=found.spread
    )
    if found.current_unit is not None:
        unit = found.current_unit
        identity = replace(identity, current_unit=unit.text, current_unit_a=unit.si)
    device, report = fit_card(found.v, found.i, identity, kind, smoothing=smoothing, degree=degree)
    write_card(device, output, force=force)
    for note in found.notes:
        typer.echo(note)
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


def _table(*columns: str) -> Table:
    from rich import box  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415

    table = Table(box=box.SIMPLE)
    for column in columns:
        table.add_column(column, overflow="fold", no_wrap=len(columns) > 2)
    return table


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
    return "delivers power", f"at {volts:.4g} V, where it carries {current:.4g}: no passive device does"


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
