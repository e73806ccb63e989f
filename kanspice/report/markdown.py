"""A gap as Markdown: what a pull request, or the summary of a CI job, shows."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Sequence

from kanspice.gap.resolution import Limit
from kanspice.gap.result import GapResult
from kanspice.report import distributions, verdict
from kanspice.report.formatting import (
    NOTHING,
    counted,
    devices,
    engine_name,
    many,
    number,
    pair,
    percent,
    plain,
    seed,
    setting,
    share,
    technology_name,
)
from kanspice.report.verdict import Verdict

SHOWN_FAILURES = 10

# Whatever could begin markup, HTML, a table cell, a link, a mention or an issue's number, written as an entity.
_MARKUP = re.compile(r"[^\w\s.,:;/=%+()'-]|:(?=/)|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])|(?<=www)\.", re.ASCII)
_MENTION = "@#"
_NO_SPACE = "&#8203;"

Row = Sequence[str]


def to_markdown(result: GapResult) -> str:
    """Markdown as GitHub reads it: the verdict, the gap and its numerical error, limits, stages, causes, failures."""
    return document(_blocks(result))


def document(blocks: Iterable[str]) -> str:
    """Blocks with an empty line between them."""
    return "\n\n".join(block for block in blocks if block) + "\n"


def _blocks(result: GapResult) -> Iterator[str]:
    yield f"### {mark(verdict.outcome(result), result.exit_code)} · {code(result.model.get('path', 'a model'))}"
    yield said(verdict.distance(result)) + "."
    yield table(("", ""), _figures(result))
    yield _limits(result.limits)
    yield _stages(result)
    yield _causes(result)
    yield _failed(result)
    yield _notes(result.notes)
    yield f"<sub>{_provenance(result)}</sub>"


def mark(found: Verdict, exit_code: int) -> str:
    """The verdict of a heading, with a sign that is seen from afar."""
    signs = {0: "✅", 1: "❌"}
    return f"{signs.get(exit_code, '⚠️')} {escape(found.text)}"


def _figures(result: GapResult) -> Iterator[Row]:
    gap, error = result.gap, result.numerical
    yield "gap, relative RMSE", f"**{number(gap.relative_rmse)}** (largest {number(gap.max_relative)})"
    measured = "" if error is None else f"{number(error.relative_rmse)} ({verdict.solved_again(result)}): "
    yield "numerical error", measured + said(verdict.numerical(result))
    own = result.reference_error
    if own is not None:
        yield "the network's own", f"{number(own.relative_rmse)} ({verdict.integrated_again(result)})"
    if result.cross_check is not None:
        yield "other engine", said(verdict.cross_check(result.cross_check))
    yield "weakest stage", said(verdict.weakest(result))
    yield "decisions", said(verdict.decisions(result))
    if result.accuracy is not None:
        network, circuit = (share(result.accuracy.get(who), result.samples) for who in ("reference", "circuit"))
        yield "accuracy", f"network {network}, circuit {circuit}"
    if result.loss is not None:
        network, circuit = (number(result.loss.get(who)) for who in ("reference", "circuit"))
        yield "mean squared error", f"network {network}, circuit {circuit}"
    yield from ((escape(title), escape(value)) for title, value in verdict.further(result))
    for line in () if result.distribution is None else distributions.lines(result.distribution):
        yield "distribution", escape(line)
    yield "samples", said(verdict.failures(result))


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
        f"{devices(design.get('devices'))}, {counted(design.get('nodes'))} nodes",
        f"fidelity {plain(design.get('fidelity', NOTHING))}",
        f"technology {technology_name(design)}",
        engine_name(engine),
        f"seed {seed(engine)}",
        f"kanspice {plain(result.versions.get('kanspice', NOTHING))}",
        f"model {_short(result.model.get('sha256'))}",
        f"inputs {_short(result.inputs.get('sha256'))}",
    ]
    line = escape(" · ".join(parts))
    return line if result.command is None else f"{line}<br>{code(result.command)}"


def _short(digest: object) -> str:
    return NOTHING if digest is None else plain(digest)[:12]


def table(header: Row, rows: Iterable[Row]) -> str:
    """A table of cells that are Markdown already; nothing where there are no rows."""
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    if not lines:
        return ""
    return "\n".join(["| " + " | ".join(header) + " |", "|" + " --- |" * len(header), *lines])


def folded(summary: str, block: str) -> str:
    """A block that opens with a click."""
    return f"<details><summary>{escape(summary)}</summary>\n\n{block}\n\n</details>"


def said(found: Verdict) -> str:
    """A verdict's sentence, bold where it must not be overlooked."""
    return f"**{escape(found.text)}**" if found.warning else escape(found.text)


def code(text: object) -> str:
    """A name: everything in it visible, nothing in it markup."""
    return f"<code>{escape(text)}</code>"


def escape(text: object) -> str:
    """Text on one line that Markdown and HTML leave as it is, and that mentions nobody."""
    return _MARKUP.sub(_entity, plain(text))


def _entity(found: re.Match[str]) -> str:
    letter = found.group()
    if not letter.isascii():
        return letter
    return f"&#{ord(letter)};" + (_NO_SPACE if letter in _MENTION else "")
