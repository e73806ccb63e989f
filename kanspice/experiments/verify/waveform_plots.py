"""Pictures of node voltages over time: the circuit's, the ODE's over them, and how they drift apart."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from kanspice.base.arrays import Array
from kanspice.base.quantities import Prefix, prefix
from kanspice.gap.waveform_pairs import PeriodWaveforms, SampleWaveforms
from kanspice.report.figures import BLUE, GREY, SHORT, VERMILLION, blank
from kanspice.report.formatting import number, plain

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


_FEW = (BLUE, VERMILLION, "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
"""One for each node of a small circuit; of a larger one, for its outputs and for what differs most besides."""
_OUTPUTS = (
    "#440154",
    "#482878",
    "#3E4989",
    "#31688E",
    "#26828E",
    "#1F9E89",
    "#35B779",
    "#6ECE58",
    "#8FA9C9",
    "#6C7A89",
)
_FAR_BEYOND = 10
_FARTHEST = (VERMILLION, "#E69F00", "#CC79A7")
_NAMED_PERIODS = 12
_NAME_HEIGHT = 0.073
"""Of the axes' height: nearer to each other, names could not be read."""


@dataclass(frozen=True)
class _Line:
    """One node, from 1, its colour and its name."""

    node: int
    colour: str
    name: str


def waveforms(sample: SampleWaveforms) -> Figure:
    """One sample's node voltages over time, the ODE's dashed over the circuit's; below, the circuit's minus the ODE's.

    Vertical lines stand where one period ends and the next begins, dots at the differences that are counted there.
    Of a circuit with many nodes the outputs are drawn, the nodes that differ most, and the range of all.
    """
    differences = _differences(sample)
    lines = _lines(sample, differences)
    time, volts = prefix(float(sample.periods[-1].time_s[-1])), prefix(float(differences.max()))
    with blank(4.4) as figure:
        above, below = figure.subplots(2, 1, sharex=True, height_ratios=[3, 2])
        above.set_title(_title(sample, differences), pad=16)
        below.axhline(0, color=GREY, linewidth=0.8)
        for period in sample.periods:
            _draw((above, below), period, lines, time, volts)
        _reach(above, [period.circuit_v for period in sample.periods], sample, 1.0)
        _reach(below, [p.circuit_v - p.reference_v for p in sample.periods], sample, volts.factor)
        _mark_periods(above, below, sample, time)
        _name(above, sample, lines, time)
        above.set(ylabel="node voltage (V)")
        below.set(ylabel=f"circuit - ODE ({volts.symbol}V)", xlabel=f"time ({time.symbol}s){_units(sample)}")
        below.margins(x=0.01)
        figure.align_ylabels()
        _explain(figure, sample, lines)
        return figure


def _differences(sample: SampleWaveforms) -> Array:
    """(nodes,) the largest |circuit - ODE| of each node at any time, volts."""
    nodes = max(period.circuit_v.shape[1] for period in sample.periods)
    largest = np.zeros(nodes)
    for period in sample.periods:
        found = np.abs(period.circuit_v - period.reference_v).max(axis=0)
        largest[: len(found)] = np.maximum(largest[: len(found)], found)
    return largest


def _title(sample: SampleWaveforms, differences: Array) -> str:
    worst = int(np.argmax(differences))
    if differences[worst] == 0:
        return f"Sample {sample.sample}: the circuit is nowhere away from the ODE"
    found = prefix(float(differences[worst]))
    apart = f"{number(differences[worst] / found.factor)} {found.symbol}V apart"
    return f"Sample {sample.sample}: circuit and ODE up to {apart} (v{worst + 1})"


def _lines(sample: SampleWaveforms, differences: Array) -> list[_Line]:
    """All nodes where they are few; else the outputs (those that differ most) and what differs most besides."""
    if len(differences) <= len(_FEW):
        return [_Line(node, _FEW[node - 1], f"v{node}") for node in range(1, len(differences) + 1)]
    ranked = [int(place) + 1 for place in np.argsort(-differences, kind="stable")]
    outputs = sorted([node for node in ranked if node in set(sample.outputs)][: len(_OUTPUTS)])
    others = [node for node in ranked if node not in outputs][: len(_FARTHEST)]
    first = sample.outputs[0]
    return [
        *(_Line(node, colour, f"out {node - first}") for node, colour in zip(outputs, _OUTPUTS, strict=False)),
        *(_Line(node, colour, f"v{node}") for node, colour in zip(others, _FARTHEST, strict=False)),
    ]


def _draw(
    both: tuple[Axes, Axes], period: PeriodWaveforms, lines: Sequence[_Line], time: Prefix, volts: Prefix
) -> None:
    """One period of every line whose node is there."""
    above, below = both
    when, nodes = period.time_s / time.factor, period.circuit_v.shape[1]
    if nodes > len(lines):
        above.fill_between(
            when, period.circuit_v.min(axis=1), period.circuit_v.max(axis=1), color=GREY, alpha=0.15, linewidth=0
        )
    for line in lines:
        if line.node > nodes:
            continue
        circuit, reference = period.circuit_v[:, line.node - 1], period.reference_v[:, line.node - 1]
        difference = (circuit - reference) / volts.factor
        above.plot(when, circuit, color=line.colour, linewidth=2.4, alpha=0.6, solid_capstyle="butt")
        above.plot(when, reference, color="black", linewidth=0.9, linestyle=(0, (4, 3)))
        below.plot(when, difference, color=line.colour, linewidth=1.1)
        below.plot(when[-1:], difference[-1:], color=line.colour, marker="o", markersize=4, clip_on=False)


def _reach(axes: Axes, voltages: Sequence[Array], sample: SampleWaveforms, factor: float) -> None:
    """Keeps the outputs readable where other nodes run far beyond them: the axis is then logarithmic, and says so.

    voltages: (points, nodes) of each period, in units of 1 / factor.
    """
    from matplotlib.ticker import FixedLocator, NullLocator  # noqa: PLC0415 - see figures.blank

    largest = max(float(np.abs(volts).max()) for volts in voltages) / factor
    read_out = voltages[-1][:, [node - 1 for node in sample.outputs]]
    near = _round_above(float(np.abs(read_out).max()) / factor)
    if largest <= _FAR_BEYOND * near or near == 0:
        return
    axes.set_yscale("symlog", linthresh=near, linscale=2)
    decades = [10.0**power for power in range(math.floor(math.log10(near)) + 2, math.ceil(math.log10(largest)) + 1)]
    ticks = [near / 2, near, *decades]
    axes.yaxis.set_major_locator(FixedLocator([*(-tick for tick in ticks), 0.0, *ticks]))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(SHORT)
    said = f"logarithmic beyond {near:g}"
    axes.text(0.02, 0.96, said, transform=axes.transAxes, va="top", color=GREY, fontsize="small")


def _round_above(value: float) -> float:
    """1, 2 or 5 times a power of ten: the smallest that is not below a positive value; 0 for 0."""
    power = 10.0 ** math.floor(math.log10(value)) if value else 0.0
    return min([factor for factor in (power, 2 * power, 5 * power) if factor >= value] or [10 * power])


def _mark_periods(above: Axes, below: Axes, sample: SampleWaveforms, time: Prefix) -> None:
    began = 0.0
    for period in sample.periods:
        ended = float(period.time_s[-1]) / time.factor
        for axes in (above, below):
            axes.axvline(ended, color=GREY, linewidth=0.6, alpha=0.6, zorder=0)
        if len(sample.periods) <= _NAMED_PERIODS:
            above.annotate(
                plain(period.stage.partition(".")[0]),
                ((began + ended) / 2, 1),
                xycoords=above.get_xaxis_transform(),
                xytext=(0, 3),
                textcoords="offset points",
                ha="center",
                color=GREY,
            )
        began = ended


def _name(axes: Axes, sample: SampleWaveforms, lines: Sequence[_Line], time: Prefix) -> None:
    """Each line's name beside the last of it, moved up or down where names would touch."""
    axes.set_ylim(axes.get_ylim())
    ends = []
    for line in lines:
        last = [period for period in sample.periods if line.node <= period.circuit_v.shape[1]][-1]
        volts = float(last.circuit_v[-1, line.node - 1])
        ends.append((float(last.time_s[-1]) / time.factor, volts))
    inside = (axes.transData - axes.transAxes).transform(np.array(ends))
    heights = _apart(inside[:, 1], _NAME_HEIGHT)
    for line, end, height in zip(lines, ends, heights, strict=True):
        axes.annotate(
            line.name,
            end,
            xytext=(1.03, height),
            textcoords="axes fraction",
            va="center",
            color=line.colour,
            arrowprops={
                "arrowstyle": "-",
                "color": line.colour,
                "linewidth": 0.6,
                "shrinkA": 1,
                "shrinkB": 1,
                "relpos": (0, 0.5),
            },
        )


def _apart(heights: Array, least: float) -> Array:
    """The heights (names,), of 0 to 1, moved as little as is needed to be `least` apart, in the same order."""
    order = np.argsort(heights, kind="stable")
    steps = min(least, 1 / max(len(heights) - 1, 1)) * np.arange(len(heights))
    # Apart by a step means: not decreasing once the steps are taken away.
    level = np.clip(_not_decreasing(heights[order] - steps), 0, 1 - steps[-1])
    moved = np.empty_like(heights)
    moved[order] = level + steps
    return moved


def _not_decreasing(values: Array) -> Array:
    """The nearest values, in least squares, that do not decrease: neighbours that do are pooled."""
    pools: list[list[float]] = []
    for value in values.tolist():
        pools.append([value])
        while len(pools) > 1 and np.mean(pools[-2]) > np.mean(pools[-1]):
            last = pools.pop()
            pools[-1] += last
    return np.concatenate([np.full(len(pool), np.mean(pool)) for pool in pools])


def _units(sample: SampleWaveforms) -> str:
    """What the model's numbers are in volts and seconds."""
    volts, seconds = prefix(sample.unit_v), prefix(sample.unit_s)
    return (
        f"; in the model, 1 is {number(sample.unit_v / volts.factor)} {volts.symbol}V"
        f" and time 1 is {number(sample.unit_s / seconds.factor)} {seconds.symbol}s"
    )


def _explain(figure: Figure, sample: SampleWaveforms, lines: Sequence[_Line]) -> None:
    """What is drawn how."""
    from matplotlib.lines import Line2D  # noqa: PLC0415 - see figures.blank
    from matplotlib.patches import Patch  # noqa: PLC0415

    nodes = max(period.circuit_v.shape[1] for period in sample.periods)
    handles: list[Line2D | Patch] = [
        Line2D([], [], color=GREY, linewidth=2.4, alpha=0.6, label="circuit"),
        Line2D([], [], color="black", linewidth=0.9, linestyle=(0, (4, 3)), label="ODE (the network)"),
    ]
    if nodes > len(lines):
        handles.append(Patch(color=GREY, alpha=0.15, linewidth=0, label=f"all {nodes:,} nodes"))
    figure.legend(handles=handles, loc="outside lower center", ncols=len(handles))
