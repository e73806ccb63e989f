"""Pictures of a comparison."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from kanspice.experiments.compare.comparison import Comparison
from kanspice.report.figures import BLUE, GREY, VERMILLION, nothing, picture, tick_decades
from kanspice.report.formatting import plain

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def stages(found: Comparison) -> Figure:
    """Each stage's relative RMSE before and after, on a logarithmic axis; what has none has no mark."""
    with picture(1.5 + 0.28 * max(len(found.stages), 3), "Gap of every stage, before and after") as (figure, axes):
        runs = (("before", GREY, "o"), ("after", VERMILLION if found.exit_code else BLUE, "D"))
        values = np.array([[pair.gap.before or np.nan, pair.gap.after or np.nan] for pair in found.stages])
        if not np.isfinite(values).any():
            nothing(axes)
            return figure
        axes.set_xscale("log")
        for column, (label, colour, marker) in enumerate(runs):
            axes.plot(values[:, column], range(len(values)), marker, color=colour, label=label, alpha=0.8)
        axes.set_yticks(range(len(values)), [plain(pair.name) for pair in found.stages])
        axes.set(ylim=(len(values) - 0.5, -0.5), xlabel="relative RMSE (in standard deviations)")
        tick_decades(axes.xaxis)
        axes.grid(axis="x", alpha=0.3)
        figure.legend(loc="outside lower center", ncols=2, columnspacing=1.2, handletextpad=0.6)
        return figure
