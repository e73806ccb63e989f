"""What a gap's page opens with: what it does to answers, its main cause, whether the circuit is stable, a picture."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from kanspice.base.quantities import si
from kanspice.engine.solution import Outcome
from kanspice.experiments.verify import cause_wording, charts, plots, sample_plots, wording
from kanspice.experiments.verify.imperfections import imperfections
from kanspice.experiments.verify.result import GapResult
from kanspice.report.blocks import Highlight, Highlights, Picture
from kanspice.report.formatting import many, number, percent, percentage, plain
from kanspice.report.verdict import Verdict

_TO_CIRCUIT = "network → circuit"


def highlights(result: GapResult) -> Highlights:
    """What it amounts to, how large it is, why, and whether the circuit stays where it was solved."""
    if len(result.failed) == result.samples:
        return Highlights([_stability(result)])
    return Highlights([_answers(result), _gap(result), _cause(result), _stability(result)])


def picture(result: GapResult) -> Picture | None:
    """The one that says most; None where nothing can be drawn."""
    if not result.outputs.size:
        return Picture.of(STAGES, plots.stages, result) if result.stages else None
    if sample_plots.are_points(result):
        return points(result)
    return parity(result)


def points(result: GapResult) -> Picture:
    """Samples that are points of a plane, of which a reader can ask each what it is where there are any."""
    shown = Picture.of("The network's samples beside the circuit's", sample_plots.samples, result)
    return shown.live(charts.points, result) if np.isfinite(result.outputs).any() else shown


def parity(result: GapResult) -> Picture:
    """All outputs, of which a reader can ask each what it is where there are any."""
    shown = Picture.of("Circuit's outputs against the network's", plots.parity, result)
    return shown.live(charts.parity, result) if np.isfinite(result.outputs).any() else shown


STAGES = "Gap and added error of every stage"


def _answers(result: GapResult) -> Highlight:
    """The first of these that there is: accuracy, loss, decisions, the largest error."""
    gap = result.gap
    if result.accuracy is not None:
        network, circuit = (percentage(result.accuracy.get(who, math.nan)) for who in ("reference", "circuit"))
        said = Verdict(f"{_TO_CIRCUIT}, of {many(result.samples, 'sample')}")
        return Highlight("accuracy", f"{network} → {circuit}", said, again=True)
    if result.loss is not None:
        network, circuit = (number(result.loss.get(who)) for who in ("reference", "circuit"))
        said = Verdict(f"{_TO_CIRCUIT}, from the true answers")
        return Highlight("mean squared error", f"{network} → {circuit}", said, again=True)
    if gap.argmax_agreement is not None and not sample_plots.are_points(result):
        said = Verdict("of the samples have the same largest output")
        return Highlight("decisions", percentage(gap.argmax_agreement), said, again=True)
    if gap.max_relative is None:
        return Highlight("largest error", number(gap.max_abs), Verdict("model units"), again=True)
    said = Verdict("of the outputs' standard deviation, anywhere")
    return Highlight("largest error", number(gap.max_relative), said, again=True)


def _gap(result: GapResult) -> Highlight:
    relative, trusted = result.gap.relative_rmse, not wording.numerical(result).warning
    unit = "model units (RMSE)" if relative is None else "of the outputs' standard deviation (relative RMSE)"
    doubt = "" if trusted else "; its numerical error has to be looked at"
    figure = number(result.gap.rmse if relative is None else relative)
    return Highlight("gap", figure, Verdict(f"{unit}{doubt}", warning=not trusted), again=True)


def _cause(result: GapResult) -> Highlight:
    """The imperfection that makes the largest part, and what to do about it; else how to learn which it is."""
    main = cause_wording.main(result)
    if main is not None:
        value = "" if main.value is None else f"now {cause_wording.value(main)}, "
        against = "; other causes work against it" if main.part is not None and main.part.fraction > 1 else ""
        text = f"{value}{percent(main.part)} % of the squared gap{against}; {cause_wording.remedy(main)}"
        return Highlight("main cause", plain(main.name), Verdict(text))
    if result.attribution is not None:
        return Highlight("main cause", "none", Verdict("no imperfection makes the gap larger"))
    if not imperfections(result):
        text = "the technology has no imperfection: `--tech typical` has those of a board"
        if result.design.process is not None:
            text = f"the technology has none but what is in the models of {plain(result.design.process)}"
        return Highlight("causes", "none", Verdict(text))
    weakest = result.weakest_stage
    ask = "the same command with `--attribute` says which imperfection it is"
    fast = "" if result.engine.name == "batched" else ", soonest with `--engine batched`"
    if weakest is None:
        return Highlight(
            "arises at", "not known", Verdict(f"no stage adds a gap above rounding that can be told; {ask}{fast}")
        )
    return Highlight("arises at", plain(weakest.name), Verdict(f"adds most: {ask}{fast}"))


def _stability(result: GapResult) -> Highlight:
    """Of circuits with operating points whether they stay there; of others the largest voltage."""
    unstable = wording.stability(result)
    if unstable is not None:
        return Highlight("stable", "no", unstable, again=True)
    several = sum(failure.outcome is Outcome.MULTISTABLE for failure in result.failed)
    if several:
        text = f"in {several:,} of {many(result.samples, 'sample')} it can settle in more than one state"
        return Highlight("stable", "no", Verdict(text, warning=True))
    if not result.design.swing or result.design.inference_s is not None:
        return _largest_voltage(result)
    if len(result.failed) == result.samples:
        return Highlight("stable", "not known", Verdict("no sample was solved", warning=True), again=True)
    if any(shape.symbol == "tiles" for shape in result.anatomy):
        return Highlight("stable", "not asked", Verdict("columns of crossbars at many positions are not tested"))
    if math.isfinite(_number(result, "tia", "gbw_hz")):
        return Highlight("stable", "yes", Verdict("no amplifier's column grows, at any operating point that was found"))
    return Highlight("stable", "not asked", Verdict("amplifiers are infinitely fast: set `tia.gbw_hz` to ask"))


def _largest_voltage(result: GapResult) -> Highlight:
    found = {stage.name: stage.largest_v for stage in result.stages if math.isfinite(stage.largest_v)}
    if not found:
        return Highlight("largest voltage", "not known", Verdict("no stage was measured"), again=True)
    name = max(found, key=lambda each: found[each])
    free = result.design.inference_s is not None and math.isinf(_number(result, "kirchhoffnet", "supply_v"))
    limit = ": nothing limits it, `kirchhoffnet.supply_v` would" if free else ""
    return Highlight("largest voltage", si(found[name], "V"), Verdict(f"at {plain(name)}{limit}"), again=not free)


def _number(result: GapResult, section: str, key: str) -> float:
    """Of the technology; infinite where it does not say."""
    table = result.design.technology.get(section)
    value = table.get(key) if isinstance(table, Mapping) else None
    return float(value) if isinstance(value, int | float) else math.inf
