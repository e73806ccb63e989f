"""Pictures of a trial: points and curve, the curves side by side, accuracies, decisions over the plane."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from kanspice.report.figures import BLUE, GREY, PALETTE, VERMILLION, blank, picture

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from kanspice.base.arrays import Indices
    from kanspice.experiments.trial.result import DecisionMap, DeviceTrial, TriedDevice

_POINTS = 1001
_OTHERS = (PALETTE[2], PALETTE[3], PALETTE[4], PALETTE[5], GREY, "#999999", "#444444")
_CLASSES = (BLUE, PALETTE[4])


def fit_plot(own: TriedDevice) -> Figure:
    """The curve over the measured points, where it falls shaded, peak and valley marked."""
    device = own.device
    v = np.linspace(device.curve.lo_v, device.curve.hi_v, _POINTS)
    current, slope = device.curve.numpy(v)
    with picture(3.4, "Curve and points") as (figure, axes):
        if (slope < 0).any():
            axes.fill_between(
                v, 0, 1, where=slope < 0, transform=axes.get_xaxis_transform(), color=PALETTE[4], alpha=0.2, linewidth=0
            )
        if device.card.points is not None:
            axes.plot(device.card.points.v, device.card.points.i, ".", color=GREY, markersize=4, label="measured")
        axes.plot(v, current, color=BLUE, label="curve")
        extrema = device.curve.extrema()
        if extrema is not None:
            axes.plot(extrema.peak_v, extrema.peak_i, "^", color=VERMILLION, label=f"peak, {extrema.peak_v:.4g} V")
            axes.plot(
                extrema.valley_v, extrema.valley_i, "v", color=PALETTE[2], label=f"valley, {extrema.valley_v:.4g} V"
            )
        unit = device.card.units.current
        axes.set(xlabel="voltage (V)", ylabel=f"current ({unit})" if len(unit) < 8 else "current (unit of the points)")
        axes.legend(fontsize=8)
        return figure


def curves_plot(result: DeviceTrial) -> Figure:
    """Every device's curve as networks have it: over its range, in its largest current."""
    with picture(3.8, "The curves that networks are made of") as (figure, axes):
        for each, colour in zip(result.devices[1:], _OTHERS, strict=False):
            _curve(axes, each, colour, 1.0)
        _curve(axes, result.own, BLUE, 2.2)
        axes.set(xlabel="voltage, of the range", ylabel="current, of the largest")
        figure.legend(loc="outside lower center", ncols=3, fontsize=8)
        return figure


def _curve(axes: Axes, each: TriedDevice, colour: str, width: float) -> None:
    normal = each.normal
    v = np.linspace(0.0, normal.range_v / normal.volts_per_unit, _POINTS)
    axes.plot(v / v[-1], normal.device.curve.numpy(v)[0], color=colour, linewidth=width, label=each.device.name)


def accuracy_plot(result: DeviceTrial, task: str) -> Figure:
    """Accuracy of network, ideal circuit and drawn circuits, device by device."""
    found = [(each, trial) for each in result.devices if (trial := each.on(task)) is not None]
    with picture(0.9 + 0.34 * len(found), f"Accuracy on {task}") as (figure, axes):
        for row, (each, trial) in enumerate(found):
            colour = BLUE if each.own else GREY
            axes.plot([trial.network, *trial.typical], [row] * (1 + len(trial.typical)), color=colour, linewidth=0.8)
            axes.plot(trial.network, row, "o", color=colour, markerfacecolor="white")
            axes.plot(trial.ideal, row, "|", color=colour, markersize=11)
            axes.plot(trial.typical, [row] * len(trial.typical), ".", color=colour)
        axes.set_yticks(range(len(found)), [each.device.name for each, _ in found])
        axes.invert_yaxis()
        axes.grid(axis="x", alpha=0.3)
        axes.set_xlabel("ring: network; bar: ideal circuit; dots: drawn circuits", fontsize=8)
        return figure


def decisions_plot(found: DecisionMap) -> Figure:
    """What network and circuit decide all over the plane, and the test samples."""
    with blank(2.9) as figure:
        left, right = figure.subplots(1, 2, sharex=True, sharey=True)
        for axes, title, decided in ((left, "Network", found.network), (right, "Circuit", found.circuit)):
            _decisions(axes, found, decided)
            axes.set_title(title)
            axes.set_xlabel("first input (V)")
        left.set_ylabel("second input (V)")
        return figure


def _decisions(axes: Axes, found: DecisionMap, decided: Indices) -> None:
    axes.contourf(
        found.axis, found.axis, decided, levels=[-1.5, -0.5, 0.5, 1.5], colors=["#cccccc", *_CLASSES], alpha=0.25
    )
    for label, colour in enumerate(_CLASSES):
        points = found.inputs[found.labels == label]
        axes.plot(points[:, 0], points[:, 1], ".", color=colour, markersize=3)
