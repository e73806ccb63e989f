"""The circuit itself as blocks of a page: what its stages are, and how far each is off."""

from __future__ import annotations

from kanspice.experiments.verify.cause_wording import gap
from kanspice.experiments.verify.result import GapResult
from kanspice.gap.stage_gap import StageGap
from kanspice.report.blocks import Block, BoxChain, ChainBox, Detail, Line
from kanspice.report.formatting import many, plain
from kanspice.report.verdict import Verdict


def drawing(result: GapResult) -> tuple[Block, ...]:
    """Every stage from inputs to outputs, with its gap and what of it is its own; nothing for reports without."""
    if not result.anatomy:
        return ()
    gaps = {stage.name: stage for stage in result.stages}
    added = (stage.added.relative_rmse or 0.0 for stage in result.stages)
    most = max(added, default=0.0)
    boxes = [ChainBox("inputs", "input", [many(result.anatomy[0].inputs, "voltage")])]
    for shape in result.anatomy:
        found = gaps.get(shape.name)
        lines = [plain(shape.made_of), f"{shape.inputs:,} → {shape.outputs:,}"]
        level = None if found is None else _level(found, most)
        boxes.append(ChainBox(plain(shape.name), shape.symbol, lines, _figures(found), level))
    last = result.gap.relative_rmse
    boxes.append(ChainBox("outputs", "output", [many(result.anatomy[-1].outputs, "output")], [("gap", gap(last))]))
    how = "The circuit. Bars: what a stage adds itself, beside the one that adds most. Gaps are relative RMSE."
    return Detail([Line(Verdict(how), small=True)]), BoxChain(boxes)


def _figures(found: StageGap | None) -> list[tuple[str, str]]:
    if found is None:
        return []
    return [("gap", gap(found.gap.relative_rmse)), ("added", gap(found.added.relative_rmse))]


def _level(found: StageGap, most: float) -> float | None:
    added = found.added.relative_rmse
    return None if added is None or most <= 0 else added / most
