"""Pictures of a circuit that settles: what early read-outs cost, how its stages follow each other, what they do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from kanspice.base.quantities import prefix
from kanspice.report.figures import (
    BLUE,
    GREY,
    PALETTE,
    SHORT,
    VERMILLION,
    blank,
    picture,
    tick_decades,
)
from kanspice.report.formatting import many, number

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from kanspice.experiments.settle.settling import FollowedSample, Settling

_LINES = 6
_PANELS = 3


def read_out_plot(result: Settling) -> Figure:
    """The gap, and the distance from rest, over the time at which the outputs are read."""
    times = [read.time_s for read in result.read_outs]
    curves = (
        ("from the network", VERMILLION, 2.6, [read.relative_rmse for read in result.read_outs]),
        ("from rest", BLUE, 1.2, [read.from_rest for read in result.read_outs]),
    )
    with picture(3.0, f"Outputs read early: {many(result.samples, 'sample')}") as (figure, axes):
        for label, colour, width, values in curves:
            known = [(t, v) for t, v in zip(times, values, strict=True) if v is not None and v > 0]
            axes.plot([t for t, _ in known], [v for _, v in known], color=colour, linewidth=width, label=label)
        axes.set(xscale="log", yscale="log", xlabel="read so long after the step (s)", ylabel="relative RMSE")
        for axis in (axes.xaxis, axes.yaxis):
            tick_decades(axis)
        axes.legend()
        return figure


def stages_plot(result: Settling) -> Figure:
    """When each stage has settled: mean and slowest sample, at every tolerance; an arrow where samples have not."""
    names = list(dict.fromkeys(stage.name for stage in result.stages))
    tolerances = list(dict.fromkeys(stage.tolerance for stage in result.stages))
    known = [stage.largest_s for stage in result.stages if stage.largest_s]
    unit = prefix(result.period_s if any(stage.unsettled for stage in result.stages) else max(known, default=1.0))
    with picture(1.3 + 0.5 * len(names), "Settling times") as (figure, axes):
        for stage in result.stages:
            colour = PALETTE[tolerances.index(stage.tolerance) % len(PALETTE)]
            height = names.index(stage.name) + 0.22 * (tolerances.index(stage.tolerance) - 0.5 * (len(tolerances) - 1))
            if stage.mean_s is not None and stage.largest_s is not None:
                ends = stage.mean_s / unit.factor, stage.largest_s / unit.factor
                axes.plot(ends, (height, height), color=colour, marker="|", markersize=9, linewidth=2.5)
            if stage.unsettled:
                axes.plot(result.period_s / unit.factor, height, color=colour, marker=">", clip_on=False)
        for place, tolerance in enumerate(tolerances):
            axes.plot([], [], color=PALETTE[place % len(PALETTE)], label=f"within {number(tolerance)}")
        axes.set(xlabel=f"after the step ({unit.symbol}s), from the mean to the slowest sample")
        axes.set_xlim(left=0)
        axes.set_yticks(range(len(names)), names)
        axes.set_ylim(len(names) - 0.5, -0.5)
        axes.legend(loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=len(tolerances), fontsize=8, borderpad=0.1)
        return figure


def waveforms_plot(followed: FollowedSample) -> Figure:
    """One sample's stages over time, the outputs that move most; dashed, where the circuit would rest."""
    names = list(followed.stage_v)[-_PANELS:]
    unit = prefix(float(followed.time_s[-1]))
    with blank(1.0 + 1.7 * len(names)) as figure:
        panels = np.atleast_1d(figure.subplots(len(names), 1, sharex=True))
        panels[0].set_title(f"Sample {followed.index}: the outputs that move most; dashed, at rest")
        for axes, name in zip(panels, names, strict=True):
            _draw_stage(axes, followed, name, unit.factor)
        panels[-1].set(xlabel=f"after the inputs began to step ({unit.symbol}s)")
        panels[-1].xaxis.set_major_formatter(SHORT)
        figure.align_ylabels()
        return figure


def _draw_stage(axes: Axes, followed: FollowedSample, name: str, factor: float) -> None:
    volts, rest_v = followed.stage_v[name], followed.rest_v[name]
    shown = np.sort(np.argsort(-np.ptp(volts, axis=0), kind="stable")[:_LINES])
    time = followed.time_s / factor
    if volts.shape[1] > len(shown):
        axes.fill_between(time, volts.min(axis=1), volts.max(axis=1), color=GREY, alpha=0.15, linewidth=0)
    for colour, output in zip(PALETTE, shown.tolist(), strict=False):
        axes.plot(time, volts[:, output], color=colour, linewidth=1.0, label=f"out {output}")
        axes.axhline(rest_v[output], color=colour, linewidth=0.7, linestyle="--", alpha=0.6)
    axes.set(ylabel=f"{name} (V)")
    axes.margins(x=0)
    axes.legend(ncols=1, fontsize=7, loc="center left", bbox_to_anchor=(1.0, 0.5), handlelength=1.0)
