"""What all pictures share: their style, their size, their bytes.

Every picture is the same bytes for the same data. matplotlib is imported on first use; no global figure is touched.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal

import numpy as np

from kanspice.base.arrays import Array

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure

Format = Literal["png", "svg"]

# Okabe and Ito's palette: told apart by colour-blind readers, and in grey.
BLUE, VERMILLION, GREY = "#0072B2", "#D55E00", "#666666"
PALETTE = (BLUE, VERMILLION, "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
SHORT = "{x:g}"
"""How ticks are written: matplotlib's own logarithmic ticks are mathematics, which is not parsed here."""
_STYLE = {
    "figure.constrained_layout.use": True,
    "svg.hashsalt": "kanspice",
    "text.parse_math": False,
    "font.size": 9.0,
    "axes.titlesize": 10.0,
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.formatter.useoffset": False,
    "legend.frameon": False,
}
_NO_DECADE, _FEW_DECADES = 6.0, 200.0
_WIDTH = 4.8
_DPI = 160
_NEVER = {"png": {"Software": None}, "svg": {"Date": None}}


@contextmanager
def blank(height: float) -> Iterator[Figure]:
    """A figure with nothing in it but our style, which ends with the block."""
    from matplotlib import rc_context  # noqa: PLC0415 - a second to import, and most runs draw nothing
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415
    from matplotlib.figure import Figure  # noqa: PLC0415

    with rc_context(_STYLE):  # type: ignore[arg-type]
        figure = Figure(figsize=(_WIDTH, height))
        FigureCanvasAgg(figure)
        yield figure


@contextmanager
def picture(height: float, title: str) -> Iterator[tuple[Figure, Axes]]:
    """A figure with one pair of axes."""
    with blank(height) as figure:
        axes = figure.add_subplot()
        axes.set_title(title)
        yield figure, axes


def encoded(figure: Figure, form: Format = "png") -> bytes:
    """The picture's bytes."""
    from matplotlib import rc_context  # noqa: PLC0415 - see blank

    file = io.BytesIO()
    with rc_context(_STYLE):  # type: ignore[arg-type]
        figure.savefig(file, format=form, dpi=_DPI, metadata=_NEVER[form])
    return file.getvalue()


def padded(low: float, high: float) -> tuple[float, float]:
    """Limits of an axis with some air around the data."""
    margin = 0.05 * (high - low) or 0.05 * abs(high) or 1.0
    return low - margin, high + margin


def opacity(points: int) -> float:
    """Of each of so many points: where they crowd, darker."""
    return float(np.clip(30 / np.sqrt(points), 0.05, 0.8))


def dots(axes: Axes, across: Array, up: Array, colour: str, label: str = "") -> None:
    """Points at (across, up), (points,) each; where they crowd, darker. label: for the legend, none if empty."""
    axes.plot(
        across,
        up,
        linestyle="",
        marker="o",
        markersize=4,
        markeredgewidth=0,
        color=colour,
        alpha=opacity(up.size),
        rasterized=True,
        label=label or None,
    )


def tick_decades(axis: Axis) -> None:
    """Ticks on a logarithmic axis: some between the powers of ten where it spans few of them, or none."""
    from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter  # noqa: PLC0415 - see blank

    low, high = axis.get_view_interval()
    if high / low < _NO_DECADE:
        axis.set_major_locator(MaxNLocator(4))
    elif high / low < _FEW_DECADES:
        axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    axis.set_major_formatter(SHORT)
    axis.set_minor_formatter(NullFormatter())


def nothing(axes: Axes) -> None:
    """Says that there is nothing to draw."""
    axes.text(0.5, 0.5, "nothing to show", transform=axes.transAxes, ha="center", va="center", color=GREY)
