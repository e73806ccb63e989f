"""`kanspice devices`: what devices there are, what their curves look like, and new cards from measured points."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kanspice.base.files import check_outputs, write_bytes
from kanspice.cli.device_points import fit, try_
from kanspice.cli.device_rows import card_rows, extrema_rows, power_row, print_table, short_unit, spread_rows, table_of
from kanspice.cli.options import print_json, say

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from kanspice.devices import Device, Extrema

app = typer.Typer(help="List, show, plot, check and fit device cards.", no_args_is_help=True)


NameOrCard = Annotated[str, typer.Argument(metavar="NAME", help="A shipped device, or the path of a .toml card.")]


PrintsJson = Annotated[bool, typer.Option("--json", help="Print cards as JSON instead.")]


@app.command("list")
def list_(*, json: PrintsJson = False) -> None:
    """List the shipped devices."""
    from kanspice.devices import list_devices  # noqa: PLC0415 - commands import lazily: --help stays fast

    if json:
        print_json([device.to_dict() for device in list_devices()])
        return
    table = table_of("device", "range / V", "peak", "at / V", "valley", "at / V", "unit")
    for device in list_devices():
        extrema = device.curve.extrema()
        found = () if extrema is None else (extrema.peak_i, extrema.peak_v, extrema.valley_i, extrema.valley_v)
        cells = [f"{value:.4g}" for value in found] or ["-"] * 4
        unit = "-" if device.card.units.current_unit_a is None else short_unit(device)
        table.add_row(device.name, f"{device.curve.lo_v:g} to {device.curve.hi_v:g}", *cells, unit)
    print_table(table)
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
        print_json(device.to_dict())
        return
    table = table_of("", device.name)
    for key, value in [
        *card_rows(device),
        *extrema_rows(device.curve.extrema()),
        power_row(device),
        *spread_rows(device),
    ]:
        table.add_row(key, value)
    print_table(table)


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
    table = table_of("device", "simulator", "away", "at / V", "")
    for each in checked:
        right = "the same" if each.found.is_right else "another curve"
        table.add_row(each.device, each.engine, f"{each.found.worst:.2g}", f"{each.found.at_v:.6g}", right)
    print_table(table)
    typer.echo(f"away: at most, from the card's curve, of its largest current; up to {ALLOWED:g} they are the same")
    if not all(each.found.is_right for each in checked):
        raise typer.Exit(3)


app.command()(fit)
app.command("try")(try_)


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
    axes.set(title=device.name, xlabel="voltage / V", ylabel=f"current / {short_unit(device)}")
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
