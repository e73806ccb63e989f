"""Pictures of a sensitivity analysis: where errors come from, and how large they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from kanspice.experiments.sensitivity.wording import SHOWN_SHARE
from kanspice.report.figures import BLUE, picture
from kanspice.report.formatting import plain

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from kanspice.experiments.sensitivity.result import HeatMap, Sensitivity

_BARS = 12


def parts_plot(result: Sensitivity) -> Figure:
    """What each array of random numbers makes of the squared error."""
    rows = [row for row in result.parts if row.share > SHOWN_SHARE][:_BARS][::-1]
    with picture(1.2 + 0.26 * max(len(rows), 2), f"{plain(result.parts[0].name)} does most") as (figure, axes):
        axes.barh([plain(row.name) for row in rows], [100 * row.share for row in rows], color=BLUE, height=0.6)
        axes.set(xlabel="share of the squared error of random parts, %", xlim=(0, None))
        return figure


def heat_plot(heat: HeatMap) -> Figure:
    """What the devices of every crosspoint make by themselves."""
    values = heat.relative_rmse
    with picture(3.4, f"{plain(heat.name)}: what each crosspoint makes alone") as (figure, axes):
        shown = axes.imshow(values, aspect="auto", interpolation="nearest", cmap="viridis", vmin=0.0)
        axes.set(xlabel="output", ylabel="row")
        figure.colorbar(shown, ax=axes, label="relative RMSE")
        largest = np.unravel_index(int(values.argmax()), values.shape)
        axes.plot(largest[1], largest[0], "o", markersize=9, markerfacecolor="none", markeredgecolor="white")
        return figure
