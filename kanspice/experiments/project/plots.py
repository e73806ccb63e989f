"""Pictures of a projection: the edges that are fitted worst, and what each number of cards would do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kanspice.report.figures import BLUE, GREY, VERMILLION, picture, tick_decades
from kanspice.report.formatting import number

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from kanspice.experiments.project.result import EdgeCourse, Projection


def edge_plot(course: EdgeCourse) -> Figure:
    """A learnt function and the same made of devices, over what the samples have there."""
    title = f"{course.edge.name}: off by {number(course.edge.rmse)} of its layer's sums"
    with picture(2.6, title) as (figure, axes):
        axes.plot(course.values, course.learnt, color=BLUE, label="learnt")
        axes.plot(course.values, course.made, color=VERMILLION, linestyle="--", label="made of devices")
        axes.plot(
            course.seen, [0.02] * len(course.seen), "|", color=GREY, alpha=0.5, transform=axes.get_xaxis_transform()
        )
        axes.set(xlabel="value of the node (the marks are samples)", ylabel="the edge adds")
        axes.legend()
        return figure


def subsets_plot(result: Projection) -> Figure:
    """The error of every subset of the cards over its size."""
    known = [subset for subset in result.subsets if subset.relative_rmse]
    sizes = sorted({len(subset.devices) for subset in known})
    best = [min(subset.relative_rmse or 0.0 for subset in known if len(subset.devices) == size) for size in sizes]
    with picture(2.8, "Which cards, and how many") as (figure, axes):
        axes.plot([len(s.devices) for s in known], [s.relative_rmse or 0.0 for s in known], "o", color=GREY, alpha=0.5)
        axes.plot(sizes, best, "o-", color=BLUE, label="the best of so many")
        axes.set(yscale="log", xlabel="cards", ylabel="relative RMSE of the outputs", xticks=sizes)
        tick_decades(axes.yaxis)
        axes.legend()
        return figure
