"""A gap on a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from kanspice.experiments.verify import distributions, physical, wording
from kanspice.experiments.verify.result import GapResult
from kanspice.gap.metrics import Gap
from kanspice.gap.resolution import Limit
from kanspice.gap.stage_gap import StageGap
from kanspice.report.formatting import (
    NOTHING,
    counted,
    devices,
    durations,
    many,
    number,
    pair,
    peaks,
    percent,
    plain,
    setting,
    share,
)
from kanspice.report.verdict import Verdict

SHOWN_FAILURES = 5


def print_gap(result: GapResult, console: Console) -> None:
    """Print the model, the gap stage by stage, and what it means. Plain where the console is no terminal."""
    console.print(labelled(_header(result)))
    if result.stages:
        console.print(_stages(result.stages))
    if result.causes:
        console.print(_causes(result))
    console.print(labelled(_summary(result)))


def _header(result: GapResult) -> Iterator[Row]:
    model, design, engine = result.model, result.design, result.engine
    yield "model", Text(plain(model.path))
    yield "", Text(f"{plain(model.family)}, {counted(model.parameters)} parameters")
    yield "circuit", Text(f"{devices(design.devices)}, {counted(design.nodes)} nodes")
    yield "", Text(f"fidelity {plain(design.fidelity)}, technology {plain(design.technology_name)}")
    yield "engine", Text(f"{plain(engine.label)}, {many(result.samples, 'sample')}")


def _stages(stages: tuple[StageGap, ...]) -> Table:
    table = Table(box=box.SIMPLE, pad_edge=False, padding=(0, 1))
    table.add_column("stage\n", overflow="fold", footer="")
    for heading in ("gap\nrelative", "added here\nrelative", "max |error|\nmodel units", "largest\nV", "column\nV"):
        table.add_column(heading, justify="right", no_wrap=True, min_width=9)
    for stage in stages:
        figures = (
            stage.gap.relative_rmse,
            stage.added.relative_rmse,
            stage.gap.max_abs,
            stage.largest_v,
            stage.largest_column_v,
        )
        table.add_row(Text(plain(stage.name) + (" *" if stage.behavioural else "")), *(number(f) for f in figures))
    if any(stage.behavioural for stage in stages):
        table.caption = Text("* a behavioural block: its formula was simulated, no circuit")
        table.caption_justify = "left"
    return table


def _causes(result: GapResult) -> Table:
    table = Table(box=box.SIMPLE, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("cause\n", overflow="fold", min_width=24)
    for heading in ("value\n", "by itself\nrelative", "without\nrelative", "share of\nsquare, %", "failed\nsamples"):
        table.add_column(heading, justify="right", no_wrap=True)
    for cause in result.causes:
        without, failed = NOTHING, counted(cause.alone.failed)
        if cause.without is not None:
            without = number(cause.without.gap.relative_rmse)
            failed = f"{failed} / {counted(cause.without.failed)}"
        alone = number(cause.alone.gap.relative_rmse)
        table.add_row(Text(cause.name), setting(cause.value), alone, without, percent(cause.share), failed)
    if result.attribution is not None:
        table.caption = said(wording.attribution(result.attribution, result.samples))
        table.caption_justify = "left"
    return table


def _summary(result: GapResult) -> Iterator[Row]:
    yield "gap", Text(_figures(result.gap))
    yield "", Text(f"RMSE {number(result.gap.rmse)}, max |error| {number(result.gap.max_abs)} model units")
    yield from _numerical(result)
    if result.cross_check is not None:
        yield "other", said(wording.cross_check(result.cross_check))
    yield "by stage", said(wording.weakest(result))
    yield "argmax", said(wording.decisions(result))
    yield from _accuracy(result)
    yield from _loss(result)
    yield from listed("metrics", (f"{title}: {value}" for title, value in wording.further(result)))
    if result.distribution is not None:
        yield from listed("generated", iter(distributions.lines(result.distribution)))
    yield from _external(result)
    yield from _failed(result)
    yield from limit_rows(result.limits)
    yield from listed("note", (plain(note) for note in result.notes))
    if result.physical is not None:
        yield from listed("cost", iter(physical.lines(result.physical)))
    yield "time", Text(durations(result.timing))
    yield "memory", Text(peaks(result.memory))
    yield "result", judged(wording.outcome(result))


def _figures(gap: Gap) -> str:
    return f"relative RMSE {number(gap.relative_rmse)}, largest relative error {number(gap.max_relative)}"


def _numerical(result: GapResult) -> Iterator[Row]:
    found = result.numerical
    if found is not None:
        yield (
            "numerical",
            Text(f"relative RMSE {number(found.relative_rmse)}, max |error| {number(found.max_abs)} model units"),
        )
        yield "", Text(f"({wording.solved_again(result)})")
    own = result.reference_error
    if own is not None:
        yield "reference", Text(f"relative RMSE {number(own.relative_rmse)}, max |error| {number(own.max_abs)}")
        yield "", Text(f"(the network's own numerical error: {wording.integrated_again(result)})")
    sentence = wording.numerical(result)
    label = "warning" if sentence.warning else "" if found is not None else "numerical"
    yield label, said(sentence)


def _accuracy(result: GapResult) -> Iterator[Row]:
    if result.accuracy is None:
        return
    for label, who in (("accuracy", "reference"), ("", "circuit")):
        yield label, Text(f"{who:9} {share(result.accuracy.get(who), result.samples)}")


def _loss(result: GapResult) -> Iterator[Row]:
    if result.loss is not None:
        for label, who in (("loss", "reference"), ("", "circuit")):
            yield label, Text(f"{who:9} {number(result.loss.get(who))} (mean squared error)")


def _external(result: GapResult) -> Iterator[Row]:
    if result.external_gap is not None:
        yield "external", Text(f"reference: {_figures(result.external_gap)}")
    if result.external_circuit_gap is not None:
        yield "", Text(f"circuit: {_figures(result.external_circuit_gap)}")


def _failed(result: GapResult) -> Iterator[Row]:
    yield "failed" if result.failed else "samples", judged(wording.failures(result))
    for failure in result.failed[:SHOWN_FAILURES]:
        yield "", Text(f"sample {failure.index}: {failure.outcome.value}: {plain(failure.advice)}")
    if len(result.failed) > SHOWN_FAILURES:
        yield "", Text(f"and {len(result.failed) - SHOWN_FAILURES:,} more")


_GOOD, _BAD = "green", "bold red"


Row = tuple[str, Text]
"""A label and what is said under it; an empty label continues the row above."""


def labelled(rows: Iterator[Row]) -> Table:
    """Labels and what is said under them, without lines."""
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(no_wrap=True, min_width=9)
    grid.add_column(overflow="fold")
    for label, text in rows:
        grid.add_row(Text(label, style="bold"), text)
    return grid


def limit_rows(limits: Sequence[Limit]) -> Iterator[Row]:
    """Each limit, and whether it was kept."""
    label = "limits"
    for limit in limits:
        word, style = ("pass", _GOOD) if limit.passed else ("FAIL", _BAD)
        value, most = pair(limit.value, limit.max)
        measured = f"{plain(limit.metric)} {value}, limit {most}"
        yield label, Text.assemble((word, style), "  ", measured)
        label = ""


def listed(label: str, lines: Iterator[str]) -> Iterator[Row]:
    """Lines under one label."""
    for line in lines:
        yield label, Text(line)
        label = ""


def said(found: Verdict) -> Text:
    """A sentence, in another colour where it warns."""
    return Text(found.text, style="yellow" if found.warning else "")


def judged(found: Verdict) -> Text:
    """A sentence that is good or bad."""
    return Text(found.text, style=_BAD if found.warning else _GOOD)
