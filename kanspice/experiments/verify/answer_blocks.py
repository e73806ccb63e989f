"""Which answers are wrong, and which samples are off the most, as blocks of a page."""

from __future__ import annotations

from kanspice.experiments.verify import answer_plots, sample_plots
from kanspice.experiments.verify.result import GapResult
from kanspice.gap.worst import WorstSample
from kanspice.report.blocks import Block, Detail, Line, Picture, Pictures, Table
from kanspice.report.formatting import NOTHING, many, number
from kanspice.report.verdict import Verdict


def wrong(result: GapResult) -> tuple[Block, ...]:
    """Which classes are taken for which, and how far every output is off; nothing where neither was measured."""
    if not result.output_errors:
        return ()
    found, table = result.confusion, _outputs(result)
    if found is None or sample_plots.are_points(result):
        return (table,)
    rows, beside = "decision of the network", ""
    if found.of_labels:
        rows, beside = "true class", " Below a number stands by how many samples it differs from the network's own."
    text = f"How often samples of each {rows} got which largest output from the circuit.{beside}"
    alt = f"Samples by {rows} and by the circuit's decision"
    return table, Detail([_small(text)]), Pictures([Picture.of(alt, answer_plots.confusion, found)])


def _outputs(result: GapResult) -> Table:
    header = ("output", "RMSE", "relative to\nits own spread", "mean error", "max |error|")
    rows = [
        [str(each.output), *map(number, (each.rmse, each.relative_rmse, each.mean, each.max_abs))]
        for each in result.output_errors
    ]
    return Table(header, rows, fold=many(len(rows), "output"), more=result.width - len(rows))


def worst(samples: tuple[WorstSample, ...]) -> tuple[Block, ...]:
    """The samples that are off the most, with their images where inputs may be some."""
    decides = samples[0].decisions is not None
    header = ("sample", "output", "network", "circuit - network", "error", *(("largest output",) if decides else ()))
    rows = []
    for each in samples:
        figures = number(each.network), number(each.circuit - each.network), number(each.max_relative)
        rows.append([str(each.index), str(each.output), *figures, *([_decided(each)] if decides else [])])
    how = (
        "Of each of these samples the output that is off the most, in model units; the error is the same in standard"
        " deviations of the outputs. Samples and outputs are counted from 0."
    )
    table, drawn = Table(header, rows), next((each.image for each in samples if each.image is not None), None)
    if drawn is None:
        return table, _small(how)
    square = (
        f"Inputs are drawn as images of {drawn.rows} x {drawn.columns} pixels because there are as many of them, or"
        " three times as many (then their mean is drawn); nothing else says that they are images."
    )
    alt = "The inputs of the worst samples as images, with what network and circuit say"
    images = Picture.of(alt, answer_plots.images, samples)
    return table, _small(how), Detail([_small(square)]), Pictures([images])


def _decided(sample: WorstSample) -> str:
    if sample.decisions is None:
        return NOTHING
    network, circuit = sample.decisions
    return str(network) if network == circuit else f"{network}, circuit {circuit}"


def _small(text: str) -> Line:
    return Line(Verdict(text), small=True)
