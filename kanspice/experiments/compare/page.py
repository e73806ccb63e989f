"""A comparison of two results, as a page."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from kanspice.experiments.compare import plots
from kanspice.experiments.compare.comparison import SECONDS, Comparison
from kanspice.experiments.compare.wording import TECHNOLOGY, cells, headline, highlights, remarks, values
from kanspice.experiments.verify.result import GapResult
from kanspice.report.blocks import Facts, Line, Page, Picture, Pictures, Section, Table
from kanspice.report.checks import Check, Problem, limit_check
from kanspice.report.formatting import known, plain
from kanspice.report.verdict import Verdict

_OPEN = 1
"""So many tables come first; the others are set aside."""


def comparison_page(found: Comparison) -> Page:
    """Whether the gap grew, then everything that is not the same."""
    tables = list(_tables(found))
    shown = Picture.of("Gap of every stage, before and after", plots.stages, found)
    return Page(
        title=f"Sim-to-real gap of {_path(found.after)}, before and after",
        subject=_path(found.after),
        command="kanspice report",
        answer=headline(found),
        outcome=None,
        exit_code=found.exit_code,
        lead=[
            highlights(found),
            *(Line(Verdict(remark, warning=remark != TECHNOLOGY)) for remark in remarks(found)),
            Pictures([shown] if found.stages else []),
        ],
        sections=[
            *tables[:_OPEN],
            *(replace(section, aside=True) for section in tables[_OPEN:]),
            Section("The two runs", (Facts(_runs_made(found)),), aside=True, long=True),
        ],
        checks=checks_of(found),
    )


def _tables(found: Comparison) -> Iterator[Section]:
    """Every table that has something in it."""
    moved, beside = ("before", "after", "change"), frozenset({1, 2})
    figures = [(plain(pair.name), *cells(pair)) for pair in found.pairs if pair.name != SECONDS]
    took = [(pair.name, *cells(pair)[:2]) for pair in found.pairs if pair.name == SECONDS and pair.before != pair.after]
    stages = [(plain(pair.name), *cells(pair.gap), *cells(pair.added)[:2]) for pair in found.stages]
    causes = [(plain(pair.name), *cells(pair)) for pair in found.causes]
    every = (
        ("The whole circuit", Table(("figure", *moved), figures)),
        ("Stage by stage, relative RMSE", Table(("stage", *moved, "added before", "added after"), stages)),
        ("Causes, the gap that each makes by itself", Table(("cause", *moved), causes)),
        ("Technology", Table(("key", "before", "after"), list(map(values, found.technology)), texts=beside)),
        ("What else differs", Table(("fact", "before", "after"), [*map(values, found.facts), *took], texts=beside)),
    )
    return (Section(title, (table,)) for title, table in every if table.rows)


def _runs_made(found: Comparison) -> list[tuple[str, str]]:
    return [(f"{when}: {label}", text) for when, run in _runs(found) for label, text in _made(run)]


def checks_of(found: Comparison) -> list[Check]:
    """A growth is judged where both runs measured something that can be compared."""
    whole = found.before.is_measured and found.after.is_measured
    checks = [Check("both runs measured", None if whole else Problem("NotMeasured", headline(found).text))]
    if found.limit is None:
        return checks
    obstacles = Problem("NotComparable", "; ".join(found.obstacles)) if found.obstacles else None
    checks.append(Check("gaps comparable", obstacles))
    return [*checks, limit_check(found.limit)] if whole and not found.obstacles else checks


def _runs(found: Comparison) -> tuple[tuple[str, GapResult], ...]:
    return ("before", found.before), ("after", found.after)


def _made(run: GapResult) -> Iterator[tuple[str, str]]:
    """How one run was made: label and text."""
    yield "model", f"{_path(run)}, SHA-256 {plain(run.model.sha256)}"
    yield "inputs", f"{run.samples:,} samples from {plain(run.inputs.path)}"
    yield "engine", f"{plain(run.engine.label)}, seed {known(run.engine.seed)}"
    if run.specimen is not None:
        yield "specimen", f"{plain(run.specimen.path) or 'given'}, SHA-256 {plain(run.specimen.sha256)}"
    if run.command is not None:
        yield "command", plain(run.command)


def _path(run: GapResult) -> str:
    return plain(run.model.path)
