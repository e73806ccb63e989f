"""Pictures of crossbars: maps of areas and errors, and where devices work on their curves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from kanspice.base.arrays import Array
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
    return draw_uses([curve_of(use) for use in found])


def draw_uses(curves: Sequence[UsedCurve]) -> Figure:
    """Curves as they are used, a panel for each."""
    rows = -(-len(curves) // _PER_ROW)
    with blank(0.3 + _PANEL * rows) as figure:
        panels = figure.subplots(rows, min(len(curves), _PER_ROW), squeeze=False).ravel().tolist()
        for axes in panels[len(curves) :]:
            axes.set_axis_off()
        for axes, curve in zip(panels, curves, strict=False):
            draw_use(axes, curve)
        return figure


@dataclass(frozen=True)
class UsedCurve:
    """A curve from low to high with values at equally spaced places, and how much of its use is in each equal bin."""

    title: str
    across: str
    up: str
    low: float
    high: float
    values: Array
    shares: tuple[float, ...]
    used: str

    @property
    def places(self) -> Array:
        """(values,) across."""
        return np.linspace(self.low, self.high, len(self.values))

    @property
    def edges(self) -> Array:
        """(shares + 1,) of the bins."""
        return np.linspace(self.low, self.high, len(self.shares) + 1)

    @property
    def falling(self) -> Array:
        """(values,) the values where they fall, NaN elsewhere."""
        falls = np.append(np.diff(self.values) < 0, False)
        falls[1:] |= falls[:-1]
        return np.where(falls, self.values, np.nan)


def curve_of(use: DeviceUse) -> UsedCurve:
    """A type's current over its voltage."""
    unit = prefix(max(map(abs, use.currents_a), default=1.0))
    title, up = f"{use.name}: {percentage(use.falling)} falling", f"{unit.symbol}A at area 1"
    values = np.array(use.currents_a) / unit.factor
    return UsedCurve(title, "V", up, use.low_v, use.high_v, values, use.shares, "devices / %")


def draw_use(axes: Axes, use: UsedCurve) -> None:
    """The curve, its falling parts orange, over how much of its use is where."""
    beside = axes.twinx()
    shares = 100 * np.array(use.shares)
    beside.bar(use.edges[:-1], shares, np.diff(use.edges), align="edge", color=GREY, alpha=0.3)
    beside.set_ylabel(use.used, fontsize=7, color=GREY)
    beside.tick_params(labelsize=6)
    beside.spines["right"].set_visible(True)
    axes.set_zorder(beside.get_zorder() + 1)
    axes.patch.set_visible(False)
    axes.plot(use.places, use.values, color=BLUE, linewidth=1.4)
    axes.plot(use.places, use.falling, color=VERMILLION, linewidth=2.0)
    axes.axhline(0.0, color=GREY, linewidth=0.5)
    axes.set_title(plain(use.title), fontsize=8)
    axes.set_xlabel(use.across, fontsize=7)
    axes.set_ylabel(use.up, fontsize=7)
    axes.tick_params(labelsize=6)


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
