"""Two results side by side, in plain sentences and cells of tables."""

from __future__ import annotations

import math

from kanspice.base.quantities import quantity
from kanspice.experiments.compare.comparison import Change, Comparison, Pair
from kanspice.experiments.verify.result import GapResult
from kanspice.experiments.verify.wording import ROUNDING
from kanspice.gap.metrics import NEGLIGIBLE
from kanspice.report.blocks import Highlight, Highlights
from kanspice.report.formatting import NOTHING, many, number, percentage, plain
from kanspice.report.verdict import Verdict

_ROUNDING = 1e-9
"""Figures below this are rounding: what they change by says nothing."""
_FACTOR = 9.995
"""Growth from here on is written as a factor, not in percent."""
_DIGEST = 64
"""Characters of a SHA-256, of which the first few are enough to tell two apart."""


def headline(found: Comparison) -> Verdict:
    """Whether the gap grew, and whether that is allowed."""
    if not _whole(found):
        return Verdict(f"FAILED: {_unmeasured(found)}", warning=True)
    if found.obstacles:
        return Verdict(f"the gaps cannot be compared: {'; '.join(found.obstacles)}", warning=True)
    if math.isnan(found.growth):
        return Verdict("the gaps cannot be compared: one has no relative figure", warning=True)
    if found.limit is None:
        return Verdict(_moved(found))
    allowed = f"allowed is {percent(found.limit.max)}"
    if found.limit.passed:
        return Verdict(f"passed: {_moved(found)}; {allowed}")
    return Verdict(f"FAILED: {_moved(found)}; {allowed}", warning=True)


def _whole(found: Comparison) -> bool:
    """Whether both runs measured everything."""
    return found.before.is_measured and found.after.is_measured


def _unmeasured(found: Comparison) -> str:
    runs = (("before", found.before), ("after", found.after))
    said = [f"{len(run.failed):,} of {run.samples:,} samples have no result {when}" for when, run in runs if run.failed]
    said += [f"the engines disagree {when}" for when, run in runs if run.engines_disagree]
    said += [f"not resolved {when}: {'; '.join(run.unresolved)}" for when, run in runs if run.unresolved]
    return "; ".join(said)


def _moved(found: Comparison) -> str:
    before, after = found.before.gap.relative_rmse or 0.0, found.after.gap.relative_rmse or 0.0
    figures = f"relative RMSE {number(before)} before, {number(after)} after"
    if max(before, after) < NEGLIGIBLE:
        return f"there is no gap to speak of: {figures}"
    if found.growth > 0:
        return f"the gap grew by {percent(found.growth)} beyond numerical error: {figures}"
    back = Comparison(found.after, found.before).growth
    if back > 0:
        return f"the gap shrank: {figures}"
    return f"the gap is the same within numerical error: {figures}"


TECHNOLOGY = "another technology"
"""What is compared for the most part: worth a line, no warning."""


def highlights(found: Comparison) -> Highlights:
    """The gap, the answers and the samples without a result, before and after."""
    before, after = found.before, found.after
    gaps = f"{_gap(before)} → {_gap(after)}"
    shown = [Highlight("gap", gaps, Verdict("relative RMSE, before → after"), again=True)]
    for label, figures, text in (
        ("accuracy", (before.accuracy, after.accuracy), percentage),
        ("mean squared error", (before.loss, after.loss), number),
    ):
        pair = [None if each is None else each.get("circuit") for each in figures]
        both = [text(figure) for figure in pair if figure is not None]
        if len(both) == len(pair):
            said = Verdict("of the circuit, before → after")
            shown.append(Highlight(label, " → ".join(both), said, again=True))
    failed, changed = (len(run.failed) for run in (before, after)), len(found.technology)
    lost = " → ".join(f"{count:,}" for count in failed)
    lose = after.failed != () or before.failed != ()
    shown.append(Highlight("without a result", lost, Verdict("samples, before → after", warning=lose), again=True))
    shown.append(
        Highlight("technology", many(changed, "value"), Verdict("differ" if changed != 1 else "differs"), True)
    )
    return Highlights(shown)


def _gap(run: GapResult) -> str:
    relative = run.gap.relative_rmse
    return "0" if relative is not None and relative < ROUNDING else number(relative)


def remarks(found: Comparison) -> tuple[str, ...]:
    """What a reader must know before comparing the figures."""
    said = [] if _whole(found) else list(found.obstacles)  # the headline says them
    before, after = found.before, found.after
    if before.model.sha256 != after.model.sha256:
        said.append("another model: the checkpoints are not the same")
    if found.has_other_answers:
        said.append("other true answers (labels or targets): accuracies and losses cannot be compared")
    if before.engine.name != after.engine.name:
        said.append(f"another engine: {plain(before.engine.name)} before, {plain(after.engine.name)} after")
    if found.technology:
        said.append(TECHNOLOGY)
    said += [
        f"numerical error was not measured {when}: growth may be nothing else"
        for when, run in (("before", before), ("after", after))
        if run.numerical is None
    ]
    return tuple(said)


def percent(fraction: float | None) -> str:
    """A change as engineers read it: "12 %", "-0.3 %"; a factor where it is large: "a factor of 40"."""
    if fraction is None or math.isnan(fraction):
        return NOTHING
    if fraction >= _FACTOR:
        return f"a factor of {number(1 + fraction)}"
    return f"{100 * fraction:.3g} %"


def cells(pair: Pair) -> tuple[str, str, str]:
    """Before, after, and by how much that changed, where it says something."""
    before, after = number(pair.before), number(pair.after)
    if before == after or pair.growth is None or abs(pair.before or 0) < _ROUNDING:
        return before, after, ""
    if pair.growth >= _FACTOR:
        return before, after, f"x {number(1 + pair.growth)}"
    return before, after, ("+" if pair.growth > 0 else "") + percent(pair.growth)


def values(change: Change) -> tuple[str, str, str]:
    """What is not the same, before, after."""
    return plain(change.name), _value(change.name, change.before), _value(change.name, change.after)


def _value(name: str, value: object) -> str:
    if value is None:
        return NOTHING
    if isinstance(value, float):
        return quantity(value, name)
    if isinstance(value, dict):
        return ", ".join(f"{plain(key)} {plain(inner)}" for key, inner in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(plain(inner) for inner in value)
    text = plain(value)
    return f"{text[:12]}..." if len(text) == _DIGEST else text
