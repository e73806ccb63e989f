"""A calibration, as a page."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from kanspice.experiments.calibrate import opening, wording
from kanspice.report.blocks import Facts, Line, Literal, Page, Pictures, Section
from kanspice.report.checks import Check
from kanspice.report.formatting import plain
from kanspice.report.verdict import Verdict

if TYPE_CHECKING:
    from kanspice.experiments.calibrate.result import CalibrationResult


def calibration_page(result: CalibrationResult) -> Page:
    """What to set, what that leaves, and how it was found."""
    return Page(
        title=f"What to set on a chip of {plain(result.model)}",
        subject=plain(result.model),
        command="kanspice calibrate",
        answer=wording.answer(result),
        outcome=None,
        exit_code=result.exit_code,
        lead=(opening.highlights(result), Pictures([opening.picture(result)])),
        sections=tuple(_sections(result)),
        checks=(Check("calibrated", None),),
        setup=Facts(list(wording.setup(result))),
    )


def _sections(result: CalibrationResult) -> Iterator[Section]:
    yield Section("Can it be believed?", (Facts(list(wording.facts(result))),))
    how = Line(Verdict("Gaps are relative root mean squares, of the spread of the network's outputs."), small=True)
    yield Section("What is left?", (wording.table(result), how))
    said = Facts(list(wording.kinds(result))), Line(Verdict(wording.method(result)))
    yield Section("What can be set?", said, long=True)
    command = () if result.command is None else (Literal(plain(result.command)),)
    yield Section("How it was made", (Facts(list(wording.setup(result))), *command), aside=True, long=True)
