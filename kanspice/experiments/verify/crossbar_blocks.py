"""Crossbars and their devices as blocks of a page."""

from __future__ import annotations

from kanspice.base.quantities import si
from kanspice.experiments.verify import charts, crossbar_plots
from kanspice.experiments.verify.result import GapResult
from kanspice.gap.crossbar_maps import SIDE, CrossbarMap
from kanspice.report.blocks import Block, Line, Picture, Pictures, Table
from kanspice.report.formatting import many, number, percentage, plain
from kanspice.report.verdict import Verdict


def devices(result: GapResult) -> tuple[Block, ...]:
    """Where each type of device works on its curve; nothing where there are none."""
    uses = result.device_uses
    if not uses:
        return ()
    header = ("device", "devices", "on falling\nslopes", "beyond\nits card", "voltages shown")
    rows = [
        [
            plain(use.name),
            f"{use.devices:,}",
            percentage(use.falling),
            percentage(use.beyond),
            f"{si(use.low_v, 'V')} to {si(use.high_v, 'V')}",
        ]
        for use in uses
    ]
    how = (
        f"Voltages across all devices of crossbars at {many(uses[0].points, 'operating point')} of each at most,"
        " without what wires drop. On falling slopes (orange) a device's current falls as its voltage rises: what"
        " undoes an amplifier's feedback. Grey bars: how many of the devices are at which voltage."
    )
    alt = "Curves of the devices, and how many are at which voltage"
    return (
        Table(header, rows),
        _small(how),
        Pictures([Picture.of(alt, crossbar_plots.uses, uses).live(charts.uses, uses)]),
    )


def maps(result: GapResult) -> tuple[Block, ...]:
    """Every crossbar as a map, and its worst crosspoints; nothing where there are none."""
    found = result.crossbar_maps
    if not found:
        return ()
    header = ("crossbar", "rows", "pairs", "operating\npoints", "stuck\nopen", "shorted", "worst: row, pair (RMSE)")
    rows = [
        [
            plain(each.name),
            f"{each.rows:,}",
            f"{each.pairs:,}",
            f"{each.points:,}",
            f"{each.open:,}",
            f"{each.shorted:,}",
            _worst(each),
        ]
        for each in found
    ]
    binned = [plain(each.name) for each in found if max(each.rows, each.pairs) > SIDE]
    notes = [
        "Errors are of some operating points: what a crosspoint's devices make at its output, against"
        " ideal ones whose column is at 0 V; of outputs, all that the crossbar adds, amplifiers included. Crosses mark"
        " stuck devices, rings the worst crosspoints. Rows and pairs are counted from 0."
    ]
    if binned:
        notes.append(
            f"Maps have {SIDE} rows and columns at most: of {', '.join(binned)} root mean squares of neighbours."
        )
    left = sum(shape.symbol in {"crossbar", "tiles"} for shape in result.anatomy) - len(found)
    if left > 0:
        notes.append(f"{left} more stages of crossbars have no maps.")
    drawn = [
        Picture.of(f"Areas and errors of {plain(each.name)}", crossbar_plots.maps, each).live(charts.maps, each)
        for each in found
    ]
    return Table(header, rows, texts=frozenset({6})), *map(_small, notes), Pictures(drawn)


def _worst(found: CrossbarMap) -> str:
    return ", ".join(f"{each.row}, {each.pair} ({number(each.error)})" for each in found.worst[:3]) or "none"


def _small(text: str) -> Line:
    return Line(Verdict(text), small=True)
