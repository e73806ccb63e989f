"""Pictures of laws: where on them the parts of circuits without crossbars work."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from kanspice.experiments.verify.crossbar_plots import UsedCurve, draw_use
from kanspice.gap.law_uses import LawKind, LawUse
from kanspice.report.figures import blank
from kanspice.report.formatting import percentage

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_PER_ROW = 2
_PANEL = 1.9
AXES: dict[LawKind, tuple[str, str]] = {
    "branch": ("drive of the branch, units", "current for a weight of 1, units"),
    "memdiode": ("drive above the threshold, 1/alpha", "current x resistance, 1/alpha"),
    "high-pass": ("tone above the corner, decades", "amplitude passed"),
    "low-pass": ("tone above the corner, decades", "amplitude passed"),
    "detector": ("amplitude at the detector, V", "what it shows, V"),
}
"""What a law is of, and what it gives."""


def uses(found: Sequence[LawUse]) -> Figure:
    """Each law, its falling parts orange, over how many of its parts work where."""
    rows = -(-len(found) // _PER_ROW)
    with blank(0.3 + _PANEL * rows) as figure:
        panels = figure.subplots(rows, min(len(found), _PER_ROW), squeeze=False).ravel().tolist()
        for axes in panels[len(found) :]:
            axes.set_axis_off()
        for axes, use in zip(panels, found, strict=False):
            draw_use(axes, curve_of(use))
        return figure


def curve_of(use: LawUse) -> UsedCurve:
    """A law as it is used."""
    across, up = AXES[use.kind]
    title = f"{use.name}: {percentage(use.flat)} flat"
    return UsedCurve(title, across, up, use.low, use.high, np.array(use.values), use.shares, "uses / %")
