"""What a network generates and what its circuit does, side by side: sentences and pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from kanspice.base.arrays import Array
from kanspice.gap.distribution import Distribution, Generated, LogDensities, PeriodEnds
from kanspice.report.blocks import Picture
from kanspice.report.figures import BLUE, VERMILLION, blank, nothing, opacity, padded
from kanspice.report.formatting import many, number, plain

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


_SHOWN_IMAGES = 4
_PER_ROW = 4
_MOST_POINTS = 2000


def lines(found: Distribution) -> list[str]:
    """What there is to say of two distributions."""
    noise = f"{number(found.noise)}, which 95 % of random divisions of {many(2 * found.samples, 'sample')} stay below"
    meaning = "they are told apart" if found.is_told_apart else "they are not told apart"
    said = [f"energy distance {number(found.energy_distance)}, noise {noise}: {meaning}"]
    return said if found.log_density is None else [*said, _dense(found.log_density)]


def _dense(found: LogDensities) -> str:
    said = (
        f"mean log-density {number(found.reference)} nats for the network's samples, {number(found.circuit)} for the"
        f" circuit's: a difference of {number(found.difference)}, over {many(found.samples, 'sample')}; following"
        f" samples backwards is off by {number(found.error)}"
    )
    return f"{said}; of {many(found.unknown, 'sample')} it is not known" if found.unknown else said


def pictures(generated: Generated) -> list[Picture]:
    """Of points of a plane, or images, at every period's end."""
    if not generated.ends:
        return []
    if generated.image is not None:
        where = "Network, circuit and difference of the first images at the end of"
        return [Picture.of(f"{where} {plain(end.stage)}", images, end, generated.image) for end in generated.ends]
    if generated.ends[-1].reference.shape[1] == 2:
        return [Picture.of("The network's samples and the circuit's at every period's end", clouds, generated.ends)]
    return []


def clouds(ends: tuple[PeriodEnds, ...]) -> Figure:
    """Samples as points of a plane, the circuit's over the network's, one plane for each period's end."""
    columns = min(len(ends), _PER_ROW)
    rows = -(-len(ends) // columns)
    with blank(0.4 + 4.8 / columns * rows) as figure:
        planes = np.atleast_1d(figure.subplots(rows, columns, squeeze=False)).ravel().tolist()
        for axes in planes[len(ends) :]:
            axes.set_axis_off()
        for axes, end in zip(planes, ends, strict=False):
            axes.set_title(plain(end.stage))
            axes.set_aspect("equal", adjustable="datalim")
            axes.tick_params(labelsize=6)
            for points, colour in ((end.reference, BLUE), (end.circuit, VERMILLION)):
                _scatter(axes, points[np.isfinite(points).all(axis=1)][:_MOST_POINTS], colour)
        figure.supxlabel("node 1: blue is the network, orange over it the circuit", fontsize=8)
        figure.supylabel("node 2", fontsize=8)
        return figure


def images(end: PeriodEnds, shape: tuple[int, int, int]) -> Figure:
    """The first samples as images: the network's, the circuit's, and the circuit's less the network's."""
    solved = np.flatnonzero(np.isfinite(end.circuit).all(axis=1) & np.isfinite(end.reference).all(axis=1))
    shown = solved[:_SHOWN_IMAGES]
    with blank(4.4 if len(shown) > 1 else 2.0) as figure:
        if not len(shown):
            nothing(figure.add_subplot())
            return figure
        network, circuit = end.reference[shown], end.circuit[shown]
        low, high = padded(float(min(network.min(), circuit.min())), float(max(network.max(), circuit.max())))
        most = float(np.abs(circuit - network).max()) or 1.0
        grid = figure.subplots(3, len(shown), squeeze=False)
        for row, (name, values, limits, colours) in enumerate(
            (
                ("network", network, (low, high), "gray"),
                ("circuit", circuit, (low, high), "gray"),
                ("difference", circuit - network, (-most, most), "RdBu_r"),
            )
        ):
            for axes, pixels, sample in zip(grid[row], values, shown.tolist(), strict=True):
                plane = pixels.reshape(shape).mean(axis=0)
                axes.imshow(plane, vmin=limits[0], vmax=limits[1], cmap=colours, interpolation="nearest")
                axes.set(xticks=[], yticks=[], title=f"sample {sample}" if row == 0 else "")
            grid[row][0].set_ylabel(name)
            figure.colorbar(grid[row][0].images[0], ax=grid[row].tolist(), shrink=0.8).ax.tick_params(labelsize=6)
        return figure


def _scatter(axes: Axes, points: Array, colour: str) -> None:
    alpha = opacity(max(len(points), 1))
    axes.plot(*points.T, linestyle="", marker="o", markersize=2, markeredgewidth=0, color=colour, alpha=alpha)
