"""A gap as Markdown, for a pull request or a job's summary."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from kanspice.experiments.verify import distributions, wording
from kanspice.experiments.verify.result import GapResult
from kanspice.gap.resolution import Limit
from kanspice.report.formatting import (
    NOTHING,
    counted,
    devices,
    known,
    many,
    number,
    pair,
    percent,
    plain,
    setting,
    share,
)
from kanspice.report.markdown import Row, code, document, escape, folded, mark, said, table

SHOWN_FAILURES = 10


def to_markdown(result: GapResult) -> str:
    """Markdown as GitHub reads it: the verdict, the gap and its numerical error, limits, stages, causes, failures."""
    return document(_blocks(result))


def _blocks(result: GapResult) -> Iterator[str]:
    yield f"### {mark(wording.outcome(result), result.exit_code)} · {code(result.model.path)}"
    yield said(wording.distance(result)) + "."
    yield table(("", ""), _figures(result))
    yield _limits(result.limits)
    yield _stages(result)
    yield _causes(result)
    yield _failed(result)
    yield _notes(result.notes)
    yield f"<sub>{_provenance(result)}</sub>"


def _figures(result: GapResult) -> Iterator[Row]:
    gap, error = result.gap, result.numerical
    yield "gap, relative RMSE", f"**{number(gap.relative_rmse)}** (largest {number(gap.max_relative)})"
    measured = "" if error is None else f"{number(error.relative_rmse)} ({wording.solved_again(result)}): "
    yield "numerical error", measured + said(wording.numerical(result))
    own = result.reference_error
    if own is not None:
        yield "the network's own", f"{number(own.relative_rmse)} ({wording.integrated_again(result)})"
    if result.cross_check is not None:
        yield "other engine", said(wording.cross_check(result.cross_check))
    yield "weakest stage", said(wording.weakest(result))
    yield "decisions", said(wording.decisions(result))
    if result.accuracy is not None:
        network, circuit = (share(result.accuracy.get(who), result.samples) for who in ("reference", "circuit"))
        yield "accuracy", f"network {network}, circuit {circuit}"
    if result.loss is not None:
        network, circuit = (number(result.loss.get(who)) for who in ("reference", "circuit"))
        yield "mean squared error", f"network {network}, circuit {circuit}"
    yield from ((escape(title), escape(value)) for title, value in wording.further(result))
    for line in () if result.distribution is None else distributions.lines(result.distribution):
        yield "distribution", escape(line)
    yield "samples", said(wording.failures(result))


def _limits(limits: Sequence[Limit]) -> str:
    rows = []
    for limit in limits:
        value, most = pair(limit.value, limit.max)
        judged = "kept" if limit.passed else "**not measured**" if math.isnan(limit.value) else "**EXCEEDED**"
        rows.append((code(limit.metric), value, most, judged))
    return table(("limit", "measured", "at most", ""), rows)


def _stages(result: GapResult) -> str:
    if not result.stages:
        return ""
    rows = [
        (code(stage.name), number(stage.gap.relative_rmse), number(stage.added.relative_rmse))
        for stage in result.stages
    ]
    return folded(f"{len(rows)} stages", table(("stage", "gap, relative RMSE", "added here"), rows))


def _causes(result: GapResult) -> str:
    rows = [
        (
            code(cause.name),
            escape(setting(cause.value)),
            percent(cause.share),
            number(cause.alone.gap.relative_rmse),
            NOTHING if cause.without is None else number(cause.without.gap.relative_rmse),
        )
        for cause in result.causes
    ]
    return table(("cause", "value", "share, %", "gap by itself", "gap without it"), rows)


def _failed(result: GapResult) -> str:
    rows = [
        (str(failure.index), failure.outcome.value, escape(failure.advice))
        for failure in result.failed[:SHOWN_FAILURES]
    ]
    more = len(result.failed) - len(rows)
    shown = table(("failed sample", "outcome", "advice"), rows)
    return f"{shown}\n\nand {more:,} more" if more > 0 else shown


def _notes(notes: Sequence[str]) -> str:
    return folded(many(len(notes), "note"), "\n".join(f"- {escape(note)}" for note in notes)) if notes else ""


def _provenance(result: GapResult) -> str:
    design, engine = result.design, result.engine
    parts = [
        f"{devices(design.devices)}, {counted(design.nodes)} nodes",
        f"fidelity {plain(design.fidelity)}",
        f"technology {plain(design.technology_name)}",
        plain(engine.label),
        f"seed {known(engine.seed)}",
        f"kanspice {plain(result.versions.get('kanspice', NOTHING))}",
        f"model {_short(result.model.sha256)}",
        f"inputs {_short(result.inputs.sha256)}",
    ]
    line = escape(" · ".join(parts))
    return line if result.command is None else f"{line}<br>{code(result.command)}"


def _short(digest: str) -> str:
    return plain(digest)[:12]
