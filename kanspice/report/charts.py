"""Charts that a reader can point into and enlarge: what is drawn, as plain data that a page's script reads.

A `Picture` may have one. Pages hold both: the chart is shown where scripts run, the picture elsewhere and on paper.
Texts are drawn as they are: nothing in them is markup.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, assert_never

import numpy as np
from numpy.typing import ArrayLike

from kanspice.gap.raster import Raster
from kanspice.report.formatting import plain

Colour = Literal["blue", "orange", "soft"]
"""Of the page: each has one for light and one for dark schemes."""
Shape = Literal["dot", "cross", "ring"]
Said = Mapping[str, Sequence[float | str]]
"""What is said of each mark, by what it is: `{"sample": (0, 1), "device": ("a", "b")}`."""
_DIGITS = 5


@dataclass(frozen=True)
class Axis:
    """From `low` to `high`; whole: of numbers of things; down: counted downwards."""

    title: str
    low: float
    high: float
    whole: bool = False
    down: bool = False


@dataclass(frozen=True)
class Marks:
    """A mark at each of (x, y), both (marks,), of which `said` tells more."""

    name: str
    x: ArrayLike
    y: ArrayLike
    said: Said
    colour: Colour = "blue"
    shape: Shape = "dot"


@dataclass(frozen=True)
class ChartLine:
    """A line through (x, y), both (points,); NaN interrupts it. steps: each y up to the next x, on an axis of its own
    from 0 on the right, with what is below filled; that axis has the curve's name.
    """

    name: str
    x: ArrayLike
    y: ArrayLike
    colour: Colour = "blue"
    steps: bool = False


@dataclass(frozen=True)
class GridCells:
    """The chart's grid, the larger one of its values the darker; name: which."""

    name: str
    colour: Colour = "blue"


@dataclass(frozen=True)
class Grid:
    """Values of cells, one for each row and column, by what they are. rows, columns: what each of them is called."""

    row: str
    rows: Sequence[float | str]
    column: str
    columns: Sequence[float | str]
    values: Mapping[str, Raster]


Layer = Marks | ChartLine | GridCells


@dataclass(frozen=True)
class View:
    """What is drawn at a time. title: by which a reader chooses it. square: as high as it is wide."""

    title: str
    x: Axis
    y: Axis
    layers: Sequence[Layer]
    square: bool = False


@dataclass(frozen=True)
class Chart:
    """One view or several to choose from. said: of what is not seen. grid: of views that have cells."""

    views: Sequence[View]
    title: str = ""
    said: str = ""
    grid: Grid | None = None

    def document(self) -> dict[str, Any]:
        """What the script of a page reads: strings, numbers and null for what is not finite."""
        return {
            "title": plain(self.title),
            "said": plain(self.said),
            "views": list(map(_view, self.views)),
            "grid": None if self.grid is None else _grid(self.grid),
        }


def _view(view: View) -> dict[str, Any]:
    return {
        "title": plain(view.title),
        "x": _axis(view.x),
        "y": _axis(view.y),
        "square": view.square,
        "layers": list(map(_layer, view.layers)),
    }


def _grid(grid: Grid) -> dict[str, Any]:
    named = {grid.row: grid.rows, grid.column: grid.columns}
    values = [[plain(what), _number(own.low), _number(own.high), own.hex] for what, own in grid.values.items()]
    return {"rows": len(grid.rows), "columns": len(grid.columns), "named": _said(named), "values": values}


def _axis(axis: Axis) -> dict[str, Any]:
    low, high = _numbers([axis.low, axis.high])
    return {"title": plain(axis.title), "low": low, "high": high, "whole": axis.whole, "down": axis.down}


def _layer(layer: Layer) -> dict[str, Any]:
    about = {"name": plain(layer.name), "colour": layer.colour}
    match layer:
        case Marks():
            marks = {"kind": "marks", "x": _numbers(layer.x), "y": _numbers(layer.y), "shape": layer.shape}
            return {**about, **marks, "said": _said(layer.said)}
        case ChartLine():
            return {**about, "kind": "curve", "x": _numbers(layer.x), "y": _numbers(layer.y), "steps": layer.steps}
        case GridCells():
            return {**about, "kind": "cells"}
        case kind:
            assert_never(kind)


def _said(said: Said) -> list[list[Any]]:
    """Pairs of what it is and the mark's own, in order."""
    return [[plain(what), [_told(each) for each in own]] for what, own in said.items()]


def _told(own: float | str) -> float | str | None:
    return plain(own) if isinstance(own, str) else _number(own)


def _numbers(values: ArrayLike) -> list[float | None]:
    return [_number(value) for value in np.asarray(values, dtype=float).tolist()]


def _number(value: float) -> float | None:
    """To so many digits as a picture shows; whole where it is."""
    if not math.isfinite(value):
        return None
    if float(value).is_integer() and abs(value) < 2**53:
        return int(value)
    return float(f"{value:.{_DIGITS}g}")
