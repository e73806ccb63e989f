"""Where branches, synapses and filters work on their laws, as blocks of a page."""

from __future__ import annotations

from typing import assert_never

from kanspice.base.quantities import si
from kanspice.experiments.verify import charts, law_plots
from kanspice.experiments.verify.result import GapResult
from kanspice.gap.law_uses import LawKind, LawUse
from kanspice.report.blocks import Block, Line, Picture, Pictures, Table
from kanspice.report.formatting import number, percentage, plain
from kanspice.report.verdict import Verdict


def laws(result: GapResult) -> tuple[Block, ...]:
    """Where on each law its parts work; nothing where there are none."""
    found = result.law_uses
    if not found:
        return ()
    header = ("law", "parts", "operating\npoints", "less for\nmore", "flat", "shown")
    rows = [
        [
            plain(use.name),
            f"{use.parts:,}",
            f"{use.points:,}",
            percentage(use.falling),
            percentage(use.flat),
            _range(use),
        ]
        for use in found
    ]
    kinds: dict[LawKind, None] = dict.fromkeys(use.kind for use in found)
    said = [Line(Verdict(_meaning(kind)), small=True) for kind in kinds]
    how = (
        'Grey bars: how many work where. "Less for more": less comes out for a larger voltage that goes in. "Flat": the'
        " law changes by less than a tenth of its steepest slope that is shown."
    )
    alt = "Laws of the parts, and how many work where on them"
    picture = Picture.of(alt, law_plots.uses, found).live(charts.law_uses, found)
    return Table(header, rows), *said, Line(Verdict(how), small=True), Pictures([picture])


def _range(use: LawUse) -> str:
    if use.kind == "detector":
        return f"{si(use.low, 'V')} to {si(use.high, 'V')}"
    return f"{number(use.low)} to {number(use.high)}"


def _meaning(kind: LawKind) -> str:
    match kind:
        case "branch":
            return (
                "A branch's drive is what its parameters make of the voltages at its ends; its current is its weight"
                " times the law. Where it falls as the voltage at its source rises, it makes that node's voltage grow."
                " Operating points are moments of the waveforms that were kept, or else a period's beginning and end."
            )
        case "memdiode":
            return (
                "A memdiode conducts above its threshold: below, its current grows exponentially from next to nothing"
                " (flat); far above, the resistance of its loop limits it."
            )
        case "high-pass":
            return "A high-pass filter passes what is above its corner, without what its amplifiers are too slow for."
        case "low-pass":
            return "A low-pass filter passes what is below its corner, without what its amplifiers are too slow for."
        case "detector":
            return "A detector shows the amplitude that it gets, less what it forgets between peaks, and its offset."
        case _:
            assert_never(kind)
