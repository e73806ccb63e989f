"""Pictures of laws: where on them the parts of circuits without crossbars work."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from kanspice.experiments.verify.crossbar_plots import UsedCurve, draw_uses
from kanspice.gap.law_uses import LawKind, LawUse
from kanspice.report.formatting import percentage

if TYPE_CHECKING:
    from matplotlib.figure import Figure

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
    return draw_uses([curve_of(use) for use in found])


def curve_of(use: LawUse) -> UsedCurve:
    """A law as it is used."""
    across, up = AXES[use.kind]
    title = f"{use.name}: {percentage(use.flat)} flat"
    return UsedCurve(title, across, up, use.low, use.high, np.array(use.values), use.shares, "uses / %")
