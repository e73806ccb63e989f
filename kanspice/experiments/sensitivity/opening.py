"""What a sensitivity analysis opens with: how far off specimens are, what makes most of it, what helps, the worst."""

from __future__ import annotations

import math
from collections.abc import Iterator

from kanspice.base.quantities import quantity
from kanspice.experiments.sensitivity.plots import parts_plot
from kanspice.experiments.sensitivity.result import KeyEffect, Sensitivity, Spread
from kanspice.experiments.verify.advice import advice, is_imperfection
from kanspice.report.blocks import Highlight, Highlights, Picture
from kanspice.report.formatting import many, number, percentage, plain
from kanspice.report.verdict import Verdict


def highlights(result: Sensitivity) -> Highlights:
    """The spread, the part that does most, the number of the technology that helps most, the worst specimen."""
    return Highlights([_gap(result), *_accuracy(result), _part(result), *_key(result), *_worst(result)])


def picture(result: Sensitivity) -> Picture:
    """What each part makes."""
    return Picture.of("Share of random parts' squared error that each makes", parts_plot, result)


def _gap(result: Sensitivity) -> Highlight:
    """As it was drawn, where it was; else predicted."""
    drawn, told = result.drawn, result.prediction.gap
    spread, how = told, "predicted"
    if drawn is not None and math.isfinite(drawn.gap.mean):
        spread, how = drawn.gap, f"of {many(drawn.draws, 'draw')}; predicted: {number(told.mean)}"
    said = f"of the outputs' standard deviation on average ({how}); one in 20 by more than {number(spread.high)}"
    return Highlight("specimens are off by", number(spread.mean), Verdict(said), again=True)


def _accuracy(result: Sensitivity) -> Iterator[Highlight]:
    drawn = None if result.drawn is None else result.drawn.accuracy
    found: Spread | None = drawn or result.prediction.accuracy
    if found is not None:
        how = "predicted" if drawn is None else "drawn"
        said = Verdict(f"mean of specimens ({how}); 95 % of them have {percentage(found.low)} or more")
        yield Highlight("accuracy", percentage(found.mean), said, again=True)


def _part(result: Sensitivity) -> Highlight:
    first = result.parts[0]
    said = f"{100 * first.share:.3g} % of the squared error of random parts; by itself {number(first.alone)}"
    return Highlight("main part", plain(first.name), Verdict(said), again=True)


def _key(result: Sensitivity) -> Iterator[Highlight]:
    """Of what is ideal at 0 or at infinity."""
    found: KeyEffect | None = next((key for key in result.keys if is_imperfection(key.name)), None)
    if found is not None:
        effect = f"1 % more changes the gap by {found.effect:+.3f} %"
        now = f"now {quantity(found.value, found.name)}"
        yield Highlight("what helps most", plain(found.name), Verdict(f"{now}; {effect}; {advice(found.name)}"))


def _worst(result: Sensitivity) -> Iterator[Highlight]:
    worst = result.worst
    if worst is not None:
        lost = "" if worst.accuracy is None else f"; accuracy {percentage(worst.accuracy)}"
        said = Verdict(f"gap of the worst specimen within {worst.sigmas:g} standard deviations{lost}")
        yield Highlight("worst found", number(worst.gap), said, again=True)
