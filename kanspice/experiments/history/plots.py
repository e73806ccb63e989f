"""Pictures of a history."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from kanspice.base.arrays import Array
from kanspice.experiments.history import wording
from kanspice.experiments.history.history import History
from kanspice.report.figures import BLUE, GREY, SHORT, VERMILLION, nothing, picture, tick_decades
from kanspice.report.formatting import plain

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_LOGARITHMIC = 50.0
"""Positive values whose largest is so many times their smallest are drawn on a logarithmic axis."""
_MANY = 30
"""More reports have smaller marks."""
_TICKS, _LONGEST = 5, 12
"""So many reports are named below the axis, in so many characters."""


def course(found: History, metric: str) -> Figure:
    """A metric of every report, from left to right; lines join what can be compared, dashed from network to network."""
    values = _values(metric, [entry.value(metric) for entry in found.entries])
    with picture(3.4, f"{wording.title(metric)}, report by report") as (figure, axes):
        if not np.isfinite(values).any():
            nothing(axes)
            return figure
        _changes(axes, found, metric)
        _limits(axes, found, metric)
        _network(axes, found, metric)
        for place, step in enumerate(found.steps):
            if step.compares(metric) and step.measured:
                style, width = ("--", 0.7) if wording.is_other_network(step) else ("-", 1.2)
                axes.plot([place, place + 1], values[place : place + 2], style, color=BLUE, linewidth=width)
        size = 5 if len(found.entries) <= _MANY else 3
        for label, codes, colour, marker in (
            ("measured", {0}, BLUE, "o"),
            ("a limit not kept", {1}, VERMILLION, "D"),
            ("not measured", {3}, GREY, "x"),
        ):
            places = [place for place, entry in enumerate(found.entries) if entry.result.exit_code in codes]
            if places:
                axes.plot(places, values[places], marker, color=colour, markersize=size, label=label)
        _axes(axes, found, metric, values)
        figure.legend(loc="outside lower center", ncols=3, fontsize=8, columnspacing=1.2, handletextpad=0.6)
        return figure


def _values(metric: str, figures: Sequence[float | None]) -> Array:
    """For an axis: fractions in percent."""
    factor = 100.0 if wording.is_fraction(metric) else 1.0
    return np.array([np.nan if figure is None else factor * figure for figure in figures])


def _changes(axes: Axes, found: History, metric: str) -> None:
    """Between the reports where the network, the samples, or the true answers that a metric is of, are others."""
    labelled = set()
    for place, step in enumerate(found.steps):
        if not step.is_comparable:
            label, style = "other samples", "-"
        elif not step.compares(metric):
            label, style = "other true answers", "-"
        elif wording.is_other_network(step):
            label, style = "another network", ":"
        elif step.technology:
            label, style = "another technology", "--"
        else:
            continue
        shown = None if label in labelled else label
        axes.axvline(place + 0.5, color=GREY, linestyle=style, linewidth=0.8, label=shown)
        labelled.add(label)


def _limits(axes: Axes, found: History, metric: str) -> None:
    """What each report was held to, as far as it was."""
    bounds = _values(metric, [entry.bound(metric) for entry in found.entries])
    if np.isfinite(bounds).any():
        edges = np.arange(len(bounds) + 1) - 0.5
        axes.stairs(bounds, edges, baseline=None, color=VERMILLION, linestyle="--", linewidth=1, label="limit")


def _network(axes: Axes, found: History, metric: str) -> None:
    """What the network has, of a metric that it has too."""
    own = _values(metric, [entry.of_network(metric) for entry in found.entries])
    if np.isfinite(own).any():
        for stretch in found.stretches_of(metric):
            label = "network" if stretch.start == 0 else None
            axes.plot(stretch, own[list(stretch)], color=GREY, linewidth=1, marker=".", markersize=4, label=label)


def _axes(axes: Axes, found: History, metric: str, values: Array) -> None:
    known = values[np.isfinite(values)]
    if known.min() > 0 and known.max() > _LOGARITHMIC * known.min():
        axes.set_yscale("log")
        tick_decades(axes.yaxis)
    else:
        axes.yaxis.set_major_formatter(SHORT)
    count = len(found.entries)
    places = range(0, count, -(-count // _TICKS))
    axes.set_xticks(places, [*_names(found, places)], fontsize=8)
    unit = " (%)" if wording.is_fraction(metric) else ""
    beside = max(0.5, 0.02 * count)
    axes.set(xlim=(-beside, count - 1 + beside), ylabel=f"{wording.title(metric)}{unit}")
    axes.set_xlabel("one step a report, by date" if found.by_date else "one step a report, in the order given")


def _names(found: History, places: Sequence[int]) -> Iterator[str]:
    """Days, or minutes where all of them are of one day; names where some report has no date."""
    dates = [entry.result.date or "" for entry in found.entries]
    one_day = len({date[:10] for date in dates}) == 1
    for place in places:
        name = plain(found.entries[place].name)
        short = name if len(name) <= _LONGEST else f"{name[: _LONGEST - 1]}…"
        date = dates[place][11:16] if one_day else dates[place][:10]
        yield date if found.by_date else short
