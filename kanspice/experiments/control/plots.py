"""Pictures of a closed loop: where network and circuit went, how they part, and how often circuits succeed."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from kanspice.base.arrays import Array
from kanspice.experiments.control.loop import Episode
from kanspice.experiments.control.result import ControlResult, trajectory_gap
from kanspice.experiments.study.plots import positions
from kanspice.report.figures import (
    BLUE,
    GREY,
    SHORT,
    VERMILLION,
    blank,
    picture,
    tick_decades,
)
from kanspice.report.formatting import plain

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_MOST_OBSERVATIONS, _MOST_ACTIONS = 6, 3
_ROW_INCHES = 1.05


def trajectories(result: ControlResult, place: int) -> Figure:
    """Observations, actions and rewards of both from one start, one below the other."""
    reference, circuit = result.pairs[place]
    rows = _rows(result)
    with blank(0.9 + _ROW_INCHES * len(rows)) as figure:
        stacked = figure.subplots(len(rows), sharex=True)
        for axes, (name, values) in zip(stacked, rows, strict=True):
            axes.plot(values(reference), color=VERMILLION, linewidth=2.6, alpha=0.5, label="network")
            axes.plot(values(circuit), color=BLUE, linewidth=1.0, label="circuit")
            axes.set_ylabel(plain(name), fontsize=8)
            axes.yaxis.set_major_formatter(SHORT)
        stacked[0].set_title(f"Start {place}")
        stacked[-1].set_xlabel("control period")
        figure.align_ylabels(stacked)
        figure.legend(*stacked[0].get_legend_handles_labels(), loc="outside lower center", ncols=2, fontsize=8)
        return figure


def _rows(result: ControlResult) -> list[tuple[str, Callable[[Episode], Array]]]:
    """What is drawn over time, by name."""

    def observed(index: int) -> Callable[[Episode], Array]:
        return lambda episode: episode.observations[:, index]

    def commanded(index: int) -> Callable[[Episode], Array]:
        return lambda episode: episode.commands[:, index]

    actions = min(result.reference[0].commands.shape[1], _MOST_ACTIONS)
    names = result.plant.observation_names[:_MOST_OBSERVATIONS]
    return [
        *((name, observed(index)) for index, name in enumerate(names)),
        *(("action" if actions == 1 else f"action {index}", commanded(index)) for index in range(actions)),
        (result.plant.reward_name, lambda episode: episode.rewards),
    ]


def parting(result: ControlResult) -> Figure:
    """How far the observations of network and circuit are apart, period by period, from every start."""
    with picture(3.0, "Network and circuit part") as (figure, axes):
        for pair in result.pairs:
            apart = np.abs(trajectory_gap(*pair)).max(axis=1)
            periods = np.flatnonzero(apart > 0)
            axes.plot(periods, apart[periods], color=BLUE, linewidth=0.8, alpha=max(0.25, 1 / len(result.pairs)))
        axes.set_yscale("log")
        tick_decades(axes.yaxis)
        axes.set(xlabel="control period", ylabel="largest difference of observations")
        return figure


def success(result: ControlResult) -> Figure:
    """Successful episodes along the one swept value, and draws without a failure with their 95 % limits."""
    key = next(iter(result.points[0].values))
    with picture(3.4, f"Success against {plain(key)}") as (figure, axes):
        at = positions(axes, [point.values[key] for point in result.points])
        yields = [point.yield_ for point in result.points]
        low, high = (
            [100 * (found.fraction if end is None else end) for found, end in zip(yields, ends, strict=True)]
            for ends in ([found.low for found in yields], [found.high for found in yields])
        )
        axes.fill_between(at, low, high, color=BLUE, alpha=0.2, linewidth=0)
        fractions = [100 * found.fraction for found in yields]
        axes.plot(at, fractions, color=BLUE, marker="o", markersize=4, label="draws without a failure, 95 % limits")
        rates = [100 * point.rate for point in result.points]
        axes.plot(at, rates, color="black", marker="s", markersize=4, linewidth=1, label="episodes")
        axes.axhline(100 * result.reference_rate, color=GREY, linestyle="--", linewidth=1, label="network's episodes")
        axes.set(xlabel=plain(key), ylabel="success (%)", ylim=(-3, 103))
        axes.yaxis.set_major_formatter(SHORT)
        figure.legend(loc="outside lower center", ncols=2, fontsize=8)
        return figure
