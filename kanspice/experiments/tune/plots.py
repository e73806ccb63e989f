"""Pictures of tuning: how specimens' scores are distributed, and how training went."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from kanspice.experiments.tune.wording import arm_name
from kanspice.report.figures import BLUE, GREY, PALETTE, SHORT, VERMILLION, nothing, picture

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from kanspice.experiments.tune.result import TuningResult

_COLOURS = (PALETTE[2], PALETTE[3], PALETTE[4], PALETTE[5])


def distributions(result: TuningResult) -> Figure:
    """How many draws of each network score at most so much."""
    title, label, times = "Error of the draws", "error, standard deviations of the targets", 1.0
    if result.is_classification:
        title, label, times = "Accuracy of the draws", "accuracy (%)", 100.0
    with picture(3.6, title) as (figure, axes):
        beside = iter(_COLOURS * len(result.arms))
        for arm in result.arms:
            scores = times * np.sort(arm.scores)
            if not scores.size:
                continue
            colour = {"given": VERMILLION, "circuit": BLUE}.get(arm.kind.name) or next(beside)
            width = 2.0 if arm.kind.name in {"given", "circuit"} else 1.2
            shares = 100 * np.arange(len(scores) + 1) / len(arm.draws)
            steps = [scores[0], *scores]
            axes.plot(steps, shares, color=colour, linewidth=width, drawstyle="steps-post", label=arm_name(arm.kind))
        if result.given.itself is not None and result.is_classification:
            axes.axvline(times * result.given.itself, color=GREY, linestyle="--", linewidth=1, label="network as given")
        if not axes.lines:
            nothing(axes)
        axes.set(xlabel=label, ylabel="draws up to here (%)", ylim=(0, 102))
        axes.xaxis.set_major_formatter(SHORT)
        figure.legend(loc="outside lower center", ncols=3, fontsize=8)
        return figure


def course(result: TuningResult) -> Figure:
    """The loss on what training through the circuit does not see, epoch by epoch."""
    with picture(2.8, "Training through the circuit") as (figure, axes):
        found = result.tuned.course
        if found is None:
            nothing(axes)
            return figure
        axes.plot(
            range(len(found.losses)), found.losses, "o-", color=BLUE, markersize=3, label="loss on samples held out"
        )
        axes.plot([found.best], [found.losses[found.best]], "o", color=VERMILLION, label="the network that is kept")
        if min(found.losses) > 0:
            axes.set_yscale("log")
        axes.set(xlabel="epochs", ylabel="loss")
        axes.yaxis.set_major_formatter(SHORT)
        axes.yaxis.set_minor_formatter(SHORT)
        axes.legend()
        return figure
