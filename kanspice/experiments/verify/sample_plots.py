"""Pictures of models with two outputs, whose samples are points of a plane: where they are, and where they go wrong."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from kanspice.base.arrays import Array
from kanspice.experiments.verify.result import GapResult
from kanspice.report.figures import BLUE, GREY, VERMILLION, blank, nothing, opacity, padded
from kanspice.report.formatting import many, number

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


_AXES = ("output 0 (model units)", "output 1")
_FLAT = 0.35
_ACROSS, _TEXT, _HEIGHTS = 4.0, 0.75, (1.4, 5.2)
"""Inches: what is left of a figure's width, what a plane's title and axis take, and how high a figure may be."""
_TITLE = 0.14
"""Inches from a figure's top to the middle of its title."""
_ARROW = 0.08
"""The longest arrow, of the plane's longer side."""
_MOST_ARROWS = 100


def are_points(result: GapResult) -> bool:
    """True where every sample's outputs are a point of a plane, and not scores of two classes."""
    return result.reference.shape[1] == 2 and result.accuracy is None


def samples(result: GapResult) -> Figure:
    """The network's outputs beside the circuit's, every solved sample a point of a plane; the axes are the same.

    In a plane that is much wider than high, the one is above the other.
    """
    expected, found = _solved(result)
    plane = _Plane.around(np.concatenate([expected, found]))
    stacked = plane.flatness < _FLAT
    rows, columns = (2, 1) if stacked else (1, 2)
    with blank(plane.height(columns, rows)) as figure:
        both = figure.subplots(rows, columns, sharex=True, sharey=True).tolist()
        for axes, points, colour, name in zip(
            both, (expected, found), (BLUE, VERMILLION), ("network", "circuit"), strict=True
        ):
            axes.set_title(f"{name}: {many(len(points), 'sample')}")
            _scatter(axes, points, colour)
            plane.frame(axes)
        for axes in both[-columns:]:
            axes.set_xlabel(_AXES[0])
        for axes in both[::columns]:
            axes.set_ylabel(_AXES[1])
        return figure


def displacements(result: GapResult) -> Figure:
    """Where each sample's error points and how large it is: arrows from network towards circuit, magnified.

    Of very many samples those with the largest errors have arrows.
    """
    expected, found = _solved(result)
    error = found - expected
    lengths = np.hypot(*error.T)
    longest = float(lengths.max(initial=0.0))
    magnified = _magnification(longest, _ARROW * _Plane.around(expected).width)
    plane = _Plane.around(np.concatenate([expected, expected + magnified * error]))
    height = plane.height(1, 1)
    with blank(height) as figure:
        axes = figure.add_subplot()
        axes.set(title=_displacement_title(len(expected), magnified), xlabel=_AXES[0], ylabel=_AXES[1])
        _scatter(axes, expected, GREY, size=2)
        plane.frame(axes)
        if magnified:
            drawn = np.argsort(-lengths, kind="stable")[:_MOST_ARROWS]
            arrows = axes.quiver(
                *expected[drawn].T,
                *(magnified * error[drawn]).T,
                angles="xy",
                scale_units="xy",
                scale=1,
                width=0.004,
                color=VERMILLION,
            )
            key = _round_below(longest)
            place = 0.95, 1 - _TITLE / height
            axes.quiverkey(arrows, *place, magnified * key, number(key), coordinates="figure", labelpos="W")
        return figure


@dataclass(frozen=True)
class _Plane:
    """The part of the plane that is shown; a unit is as long on both axes."""

    low: Array
    high: Array

    @classmethod
    def around(cls, points: Array) -> _Plane:
        """points: (samples, 2)."""
        if not len(points):
            return cls(np.zeros(2), np.ones(2))
        limits = np.array([padded(float(column.min()), float(column.max())) for column in points.T])
        return cls(limits[:, 0], limits[:, 1])

    @property
    def width(self) -> float:
        """The longer of both sides."""
        return float((self.high - self.low).max())

    @property
    def flatness(self) -> float:
        """Height over width."""
        across, up = self.high - self.low
        return float(up / across)

    def height(self, columns: int, rows: int) -> float:
        """Inches of a figure with so many such planes, text included, within reason."""
        wanted = _ACROSS / columns * self.flatness + _TEXT
        return float(np.clip(rows * wanted, *_HEIGHTS))

    def frame(self, axes: Axes) -> None:
        """Makes the axes show this plane."""
        axes.set(xlim=(self.low[0], self.high[0]), ylim=(self.low[1], self.high[1]), aspect="equal")


def _solved(result: GapResult) -> tuple[Array, Array]:
    """(solved, 2) the network's and the circuit's points."""
    solved = np.isfinite(result.outputs).all(axis=1)
    return result.reference[solved], result.outputs[solved]


def _scatter(axes: Axes, points: Array, colour: str, size: float = 3) -> None:
    if not len(points):
        nothing(axes)
        return
    axes.plot(
        *points.T,
        linestyle="",
        marker="o",
        markersize=size,
        markeredgewidth=0,
        color=colour,
        alpha=opacity(len(points)),
        rasterized=True,
    )


def _magnification(longest: float, wanted: float) -> float:
    """A round number that makes the longest arrow about as long as wanted, 1 at least; 0 where there is no arrow."""
    return max(_round_below(wanted / longest), 1.0) if longest else 0.0


def _round_below(value: float) -> float:
    """1, 2 or 5 times a power of ten: the largest that is not above a positive value."""
    power = 10.0 ** math.floor(math.log10(value))
    return max(factor for factor in (power, 2 * power, 5 * power) if factor <= value)


def _displacement_title(samples: int, magnified: float) -> str:
    if not magnified:
        return "No sample is away from the network's"
    which = "Errors" if samples <= _MOST_ARROWS else f"The {_MOST_ARROWS} largest errors"
    return f"{which}, not magnified" if magnified == 1 else f"{which}, {magnified:,.10g} times magnified"
