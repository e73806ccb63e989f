"""Pictures of crossbars: maps of areas and errors, and where devices work on their curves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from kanspice.base.quantities import prefix
from kanspice.gap.crossbar_maps import CrossbarMap
from kanspice.gap.operating import DeviceUse
from kanspice.gap.raster import Raster, bin_of
from kanspice.report.figures import BLUE, GREY, VERMILLION, blank
from kanspice.report.formatting import many, percentage, plain

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_PER_ROW = 2
_PANEL = 1.9
_ERRORS = "YlOrRd"
_AREAS = "Blues"


def maps(found: CrossbarMap) -> Figure:
    """Areas; beside them errors, with what rows make on the right and what outputs are off by below.

    Crosses mark stuck devices, rings the crosspoints with the largest errors.
    """
    from matplotlib.ticker import MaxNLocator  # noqa: PLC0415 - see figures.blank

    panels = 1 if found.error is None else 2
    with blank(3.6 if panels == 2 else 3.0) as figure:
        figure.suptitle(
            f"{plain(found.name)}: {found.rows} rows, {many(found.pairs, 'pair')} of columns", x=0.01, ha="left"
        )
        ratios = [1.0] if found.error is None else [1.0, 1.0, 0.28]
        heights = [1.0] if found.error is None else [1.0, 0.3]
        grid = figure.add_gridspec(len(heights), len(ratios), width_ratios=ratios, height_ratios=heights)
        _draw(figure.add_subplot(grid[0, 0]), found, found.area, _AREAS, "area")
        if found.error is not None:
            axes = figure.add_subplot(grid[0, 1])
            _draw(axes, found, found.error, _ERRORS, "error, model units")
            axes.set_ylabel("")
            for worst in found.worst:
                axes.plot(
                    *_place(found, found.error, worst.row, worst.pair), "o", mfc="none", mec="black", ms=6, mew=0.8
                )
            beside = figure.add_subplot(grid[0, 2], sharey=axes)
            beside.barh(range(len(found.row_errors)), found.row_errors, 0.9, color=VERMILLION)
            beside.set_title("of rows", fontsize=7)
            below = figure.add_subplot(grid[1, 1], sharex=axes)
            below.bar(range(len(found.pair_errors)), found.pair_errors, 0.9, color=VERMILLION)
            below.set_ylabel("of outputs", fontsize=7)
            beside.xaxis.set_major_locator(MaxNLocator(2))
            for panel in (beside, below):
                panel.tick_params(labelsize=6)
        return figure


def uses(found: Sequence[DeviceUse]) -> Figure:
    """Each type's curve, its falling parts orange, over how many of its devices are at which voltage."""
    rows = -(-len(found) // _PER_ROW)
    with blank(0.3 + _PANEL * rows) as figure:
        panels = figure.subplots(rows, min(len(found), _PER_ROW), squeeze=False).ravel().tolist()
        for axes in panels[len(found) :]:
            axes.set_axis_off()
        for axes, use in zip(panels, found, strict=False):
            _draw_use(axes, use)
        return figure


def _draw(axes: Axes, found: CrossbarMap, raster: Raster, colours: str, title: str) -> None:
    image = axes.imshow(raster.values, cmap=colours, aspect="auto", interpolation="nearest", vmin=0.0)
    axes.figure.colorbar(image, ax=axes, location="top", shrink=0.8, pad=0.02).ax.tick_params(labelsize=6)
    axes.set_xlabel("pair" if raster.columns == found.pairs else f"pairs, binned to {raster.columns}", fontsize=8)
    axes.set_ylabel("row" if raster.rows == found.rows else f"rows, binned to {raster.rows}", fontsize=8)
    axes.set_title(title, fontsize=8)
    axes.tick_params(labelsize=6)
    for row, pair in found.stuck:
        axes.plot(*_place(found, raster, row, pair), "x", color="black", markersize=4, markeredgewidth=0.9)


def _place(found: CrossbarMap, raster: Raster, row: int, pair: int) -> tuple[int, int]:
    """Where a crosspoint is in a map: across and down."""
    return bin_of(pair, found.pairs, raster.columns), bin_of(row, found.rows, raster.rows)


def _draw_use(axes: Axes, use: DeviceUse) -> None:
    volts = np.linspace(use.low_v, use.high_v, len(use.currents_a))
    unit = prefix(max(map(abs, use.currents_a), default=1.0))
    amps = np.array(use.currents_a) / unit.factor
    edges = np.linspace(use.low_v, use.high_v, len(use.shares) + 1)
    beside = axes.twinx()
    beside.bar(edges[:-1], 100 * np.array(use.shares), np.diff(edges), align="edge", color=GREY, alpha=0.3)
    beside.set_ylabel("devices / %", fontsize=7, color=GREY)
    beside.tick_params(labelsize=6)
    beside.spines["right"].set_visible(True)
    axes.set_zorder(beside.get_zorder() + 1)
    axes.patch.set_visible(False)
    axes.plot(volts, amps, color=BLUE, linewidth=1.4)
    falls = np.append(np.diff(amps) < 0, False)
    falls[1:] |= falls[:-1]
    axes.plot(volts, np.where(falls, amps, np.nan), color=VERMILLION, linewidth=2.0)
    axes.axhline(0.0, color=GREY, linewidth=0.5)
    axes.set_title(f"{plain(use.name)}: {percentage(use.falling)} falling", fontsize=8)
    axes.set_xlabel("V", fontsize=7)
    axes.set_ylabel(f"{unit.symbol}A at area 1", fontsize=7)
    axes.tick_params(labelsize=6)
