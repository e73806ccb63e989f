"""A comparison of two results, rendered: as a page, as Markdown, on a terminal."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from kanspice.gap.comparison import Comparison
from kanspice.gap.result import GapResult
from kanspice.report.comparing import Section, headline, remarks, sections
from kanspice.report.figures import BLUE, GREY, VERMILLION, Format, encoded, nothing, picture, tick_decades
from kanspice.report.html import inside, template
from kanspice.report.markdown import code, document, escape, folded, mark, table
from kanspice.report.words import encodable, engine_name, plain, seed

TEMPLATE = "comparison.html.j2"
_OPEN = 1
"""So many tables of a Markdown comparison are open; the others open with a click."""


def comparison_html(found: Comparison) -> str:
    """The page: whether the gap grew, then everything that is not the same."""
    page = template(TEMPLATE).render(
        title=f"Sim-to-real gap of {_path(found.after)}, before and after",
        headline=headline(found),
        remarks=remarks(found),
        picture=inside(stages_picture(found)) if found.stages else "",
        sections=sections(found),
        runs=[(f"{when}: {label}", text) for when, run in _runs(found) for label, text in _made(run)],
    )
    return encodable(page)


def comparison_markdown(found: Comparison) -> str:
    """Markdown as GitHub reads it."""
    return document(_blocks(found))


def print_comparison(found: Comparison, console: Console) -> None:
    """Print the tables, and the verdict last. Plain where the console is no terminal."""
    for section in sections(found):
        console.print(_table(section))
    for remark in remarks(found):
        console.print(Text(f"note: {remark}", style="yellow"))
    said = headline(found)
    console.print(Text(said.text, style="bold red" if said.warning else "green"))


def stages_picture(found: Comparison, form: Format = "png") -> bytes:
    """Each stage's relative RMSE before and after, on a logarithmic axis; what has none has no mark."""
    with picture(1.5 + 0.28 * max(len(found.stages), 3), "Gap of every stage, before and after") as (figure, axes):
        runs = (("before", GREY, "o"), ("after", VERMILLION if found.exit_code else BLUE, "D"))
        values = np.array([[pair.gap.before or np.nan, pair.gap.after or np.nan] for pair in found.stages])
        if not np.isfinite(values).any():
            nothing(axes)
            return encoded(figure, form)
        axes.set_xscale("log")
        for column, (label, colour, marker) in enumerate(runs):
            axes.plot(values[:, column], range(len(values)), marker, color=colour, label=label, alpha=0.8)
        axes.set_yticks(range(len(values)), [plain(pair.name) for pair in found.stages])
        axes.set(ylim=(len(values) - 0.5, -0.5), xlabel="relative RMSE (in standard deviations)")
        tick_decades(axes.xaxis)
        axes.grid(axis="x", alpha=0.3)
        figure.legend(loc="outside lower center", ncols=2, columnspacing=1.2, handletextpad=0.6)
        return encoded(figure, form)


def _blocks(found: Comparison) -> Iterator[str]:
    yield f"### {mark(headline(found), found.exit_code)}"
    yield "\n".join(f"- **{escape(remark)}**" for remark in remarks(found))
    for place, section in enumerate(sections(found)):
        rows = [(code(row[0]), *map(escape, row[1:])) for row in section.rows]
        shown = table(section.header, rows)
        yield shown if place < _OPEN else folded(section.title, shown)
    lines = [f"{when}: {escape(text)}" for when, run in _runs(found) for label, text in _made(run) if label == "model"]
    yield f"<sub>{'<br>'.join(lines)}</sub>"


def _table(section: Section) -> Table:
    shown = Table(title=section.title, title_justify="left", box=box.SIMPLE, pad_edge=False, padding=(0, 1))
    shown.add_column(section.header[0], overflow="fold")
    for name in section.header[1:]:
        shown.add_column(name, justify="right", overflow="fold")
    for row in section.rows:
        shown.add_row(*map(Text, row))
    return shown


def _runs(found: Comparison) -> tuple[tuple[str, GapResult], ...]:
    return ("before", found.before), ("after", found.after)


def _made(run: GapResult) -> Iterator[tuple[str, str]]:
    """How one run was made: label and text."""
    yield "model", f"{_path(run)}, SHA-256 {plain(run.model.get('sha256'))}"
    yield "inputs", f"{run.samples:,} samples from {plain(run.inputs.get('path'))}"
    yield "engine", f"{engine_name(run.engine)}, seed {seed(run.engine)}"
    if run.command is not None:
        yield "command", plain(run.command)


def _path(run: GapResult) -> str:
    return plain(run.model.get("path", "a model"))
