"""Pictures of a study: how the gap is distributed, and how it changes along one value or two."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from kanspice.experiments.ensemble.draws import PointDraws
from kanspice.experiments.studied import Studied
from kanspice.experiments.study import wording
from kanspice.report.figures import BLUE, GREY, PALETTE, SHORT, VERMILLION, nothing, picture
from kanspice.report.formatting import number, plain

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.ticker import Formatter

LINES = len(PALETTE)
"""As many can be told apart."""
_MOST_BINS = 60
_WRITTEN_CELLS = 80
_LOGARITHMIC = 50.0
"""Positive values whose largest is so many times their smallest are drawn on a logarithmic axis."""

Quantity = Callable[[PointDraws], float | None]


def distribution(result: Studied) -> Figure:
    """How many draws have a gap of at most so much; for one point with the number of draws at each gap behind it."""
    shown = [point for point in result.points if len(_gaps(result, point)) > 1]
    name = result.known[result.metric].title
    with picture(3.4, f"{wording.title(result, result.metric)} of the draws") as (figure, axes):
        if not shown:
            nothing(axes)
        colours = _colours(len(shown))
        for point, colour in zip(shown, colours, strict=True):
            gaps = np.sort(_gaps(result, point))
            if len(shown) == 1:
                bins = min(_MOST_BINS, max(5, int(np.sqrt(len(gaps)))))
                weights = np.full(len(gaps), 100 / len(gaps))
                axes.hist(gaps, bins=bins, weights=weights, color=BLUE, alpha=0.35, label="draws in each bar")
            label = "draws up to here" if len(shown) == 1 else wording.name(result, point)
            fractions = 100 * np.arange(len(gaps) + 1) / len(point.draws)
            axes.plot([gaps[0], *gaps], fractions, color=colour, drawstyle="steps-post", label=label)
        limit = result.bound(result.metric)
        if limit is not None:
            label = f"limit {wording.figure(result, result.metric, limit)}"
            axes.axvline(limit, color=VERMILLION, linestyle="--", label=label)
        axes.set(xlabel=name, ylabel="draws (%)", ylim=(0, 102))
        axes.xaxis.set_major_formatter(ticks(result, result.metric))
        axes.yaxis.set_major_formatter(SHORT)
        if shown:
            figure.legend(loc="outside lower center", ncols=1 if len(shown) > 1 else 3, fontsize=8)
        return figure


def along(result: Studied, metric: str) -> Figure:
    """The mean of a metric along the one sweep, what 90 % of draws and all of them lie between; a line a corner."""
    (sweep,) = result.request.sweeps
    corners = list(dict.fromkeys(point.point.corner for point in result.points))
    title = f"{wording.title(result, metric)} against {plain(sweep.key)}"
    with picture(3.4, title) as (figure, axes):
        at = positions(axes, sweep.values)
        for corner, colour in zip(corners, _colours(len(corners)), strict=True):
            points = [point for point in result.points if point.point.corner == corner]
            found = [(x, point.summary(metric)) for x, point in zip(at, points, strict=True)]
            known = [(x, each) for x, each in found if each is not None]
            x = [place for place, _ in known]
            mean = [each.mean for _, each in known]
            lowest, low, high, highest = ([each.quantiles[end] for _, each in known] for end in (0, 1, -2, -1))
            axes.fill_between(x, low, high, color=colour, alpha=0.25, linewidth=0)
            axes.vlines(x, lowest, highest, color=colour, linewidth=0.8)
            axes.plot(
                x, mean, color=colour, marker="o", markersize=4, label=f"{plain(corner)}, mean" if corner else "mean"
            )
        if metric in result.of_network:
            axes.axhline(result.of_network[metric], color=GREY, linestyle="--", linewidth=1, label="network")
        limit = result.bound(metric)
        if limit is not None:
            axes.axhline(limit, color=VERMILLION, linestyle="--", linewidth=1, label="limit")
        axes.set(xlabel=plain(sweep.key), ylabel=result.known[metric].title)
        axes.yaxis.set_major_formatter(ticks(result, metric))
        figure.legend(loc="outside lower center", ncols=3, fontsize=8)
        return figure


def surface(result: Studied, corner: str | None, title: str, quantity: Quantity) -> Figure:
    """A quantity over both sweeps at one corner: the first downwards, the second to the right."""
    rows, columns = (sweep.values for sweep in result.request.sweeps)
    points = [point for point in result.points if point.point.corner == corner]
    values = np.array([math.nan if (value := quantity(point)) is None else value for point in points], dtype=float)
    cells = values.reshape(len(rows), len(columns))
    with picture(1.3 + 0.42 * min(max(len(rows), 3), 12), title) as (figure, axes):
        image = axes.imshow(cells, cmap="cividis", aspect="auto", origin="lower")
        axes.set_xticks(range(len(columns)), [plain(value) for value in columns])
        axes.set_yticks(range(len(rows)), [plain(value) for value in rows])
        axes.set(xlabel=plain(result.request.sweeps[1].key), ylabel=plain(result.request.sweeps[0].key))
        axes.tick_params(length=0)
        if cells.size <= _WRITTEN_CELLS:
            low, high = np.nanmin(cells), np.nanmax(cells)
            shades = np.nan_to_num((cells - low) / ((high - low) or 1.0), nan=1.0)
            for row, column in np.ndindex(*cells.shape):
                shade = float(shades[row, column])
                colour = "white" if shade < 0.55 else "black"
                text = number(float(cells[row, column]))
                axes.text(column, row, text, ha="center", va="center", color=colour, fontsize=8)
        else:
            figure.colorbar(image, ax=axes, format=SHORT)
        return figure


def ticks(result: Studied, metric: str) -> str | Formatter:
    """How values of a metric are written at an axis: those of physics with their unit and its prefix."""
    from matplotlib.ticker import EngFormatter  # noqa: PLC0415 - see figures.blank

    unit = result.known[metric].unit
    return EngFormatter(unit) if unit in wording.PHYSICAL else SHORT


def _gaps(result: Studied, point: PointDraws) -> list[float]:
    values = [draw.metrics[result.metric] for draw in point.draws]
    return [value for value in values if value is not None]


def _colours(count: int) -> Sequence[str]:
    """Distinct ones for a few lines, a scale for many."""
    if count <= LINES:
        return PALETTE[:count]
    from matplotlib import colormaps  # noqa: PLC0415 - see figures.blank
    from matplotlib.colors import to_hex  # noqa: PLC0415

    return [to_hex(colormaps["cividis"](place)) for place in np.linspace(0, 1, count)]


def positions(axes: Axes, values: Sequence[str]) -> Sequence[float]:
    """Where swept values stand: as the numbers they are, or side by side where they are none."""
    try:
        numbers = [float(value) for value in values]
    except ValueError:
        numbers = [math.nan]
    if not all(map(math.isfinite, numbers)):
        axes.set_xticks(range(len(values)), [plain(value) for value in values])
        return list(range(len(values)))
    if min(numbers) > 0 and max(numbers) / min(numbers) >= _LOGARITHMIC:
        axes.set_xscale("log")
    axes.set_xticks(numbers, [plain(value) for value in values])
    axes.minorticks_off()
    return numbers
