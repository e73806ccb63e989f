"""What commands about devices print of one: rows of a label and its words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.table import Table

    from kanspice.devices import Device, Extrema
    from kanspice.devices.fit import FitReport
    from kanspice.devices.law_fit import LawFit

_BAD_LAW = 2.0
"""Scatter about a law over that about a smooth curve, beyond which it is not the points' law."""


def table_of(*columns: str) -> Table:
    from rich import box  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415

    table = Table(box=box.SIMPLE)
    for column in columns:
        table.add_column(column, overflow="fold", no_wrap=len(columns) > 2)
    return table


def print_table(table: Table) -> None:
    from kanspice.cli.terminal import Terminal  # noqa: PLC0415

    Terminal(markup=False, highlight=False).print(table)


def card_rows(device: Device) -> list[tuple[str, str]]:
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


def power_row(device: Device) -> tuple[str, str]:
    if device.delivers is None:
        return "delivers power", "nowhere"
    volts, current = device.delivers
    why = "by less than its points scatter" if device.within_scatter(current) else "no passive device does"
    return "delivers power", f"at {volts:.4g} V, where it carries {current:.4g}: {why}"


_SPREAD_USE = "drawn with that; --set devices.area_sigma and devices.shift_sigma_v set another"


def spread_rows(device: Device) -> list[tuple[str, str]]:
    spread = device.card.spread
    if spread is None:
        return []
    found = f"{spread.area_sigma:.2%} of the current, {spread.shift_sigma_v:.3g} V; {spread.residual:.2%} unexplained"
    return [(f"spread of {spread.devices} devices", found), ("in a circuit", _SPREAD_USE)]


def report_rows(report: FitReport) -> list[tuple[str, str]]:
    return [
        ("points", str(report.points)),
        ("pieces", str(report.pieces) if report.pieces else "none: a law"),
        (
            "residual rms",
            f"{report.residual_rms:.4g}, {report.residual_rms / report.largest:.2%} of the largest current",
        ),
        ("residual max", f"{report.residual_max:.4g}, {report.residual_max / report.largest:.2%}"),
    ]


def law_rows(law: LawFit | None) -> list[tuple[str, str]]:
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


def extrema_rows(extrema: Extrema | None) -> list[tuple[str, str]]:
    if extrema is None:
        return [("peak", "none: the curve never falls")]
    ratio = extrema.peak_to_valley
    return [
        ("peak", f"{extrema.peak_i:.4g} at {extrema.peak_v:.4g} V"),
        ("valley", f"{extrema.valley_i:.4g} at {extrema.valley_v:.4g} V"),
        ("peak-to-valley ratio", "undefined: the valley current is not positive" if ratio is None else f"{ratio:.4g}"),
    ]


def short_unit(device: Device) -> str:
    """The current unit where it is a unit; cards of devices whose source states none say so in words."""
    unit = device.card.units.current
    return unit if " " not in unit else "unit of the source"
