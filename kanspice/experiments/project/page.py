"""A projection, as a page."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from kanspice.experiments.project import opening, wording
from kanspice.experiments.project.plots import edge_plot
from kanspice.report.blocks import Facts, Line, Literal, Notes, Page, Picture, Pictures, Section
from kanspice.report.checks import Check, Problem
from kanspice.report.formatting import many, number, plain
from kanspice.report.verdict import Verdict

if TYPE_CHECKING:
    from kanspice.experiments.project.result import Projection


def projection_page(result: Projection) -> Page:
    """How far it is, layer by layer and edge by edge, and which cards would do."""
    return Page(
        title=f"{plain(result.model.path)}, made of devices",
        subject=plain(result.model.path),
        command="kanspice project",
        answer=wording.answer(result),
        outcome=wording.outcome(result),
        exit_code=result.exit_code,
        lead=(opening.highlights(result), Pictures([opening.picture(result)])),
        sections=tuple(_sections(result)),
        checks=(Check("every edge fitted", _problem(result)),),
        setup=_setup(result),
    )


def _problem(result: Projection) -> Problem | None:
    if not result.beyond:
        return None
    return Problem("EdgesNotFitted", wording.outcome(result).text, is_measured=True)


def _sections(result: Projection) -> Iterator[Section]:
    further = Facts([("fine-tuning", wording.tuning(result)), *wording.accuracies(result)])
    yield Section("How far is it from the learnt network?", (wording.outputs(result), further))
    of_layers = "Relative RMSE of each layer's sums, before any norm; areas in units of a card."
    yield Section("What does each layer add?", (wording.layers(result), Line(Verdict(of_layers), small=True)))
    pictures = [
        Picture.of(f"The edge {course.edge.name}: learnt, and made of devices", edge_plot, course)
        for course in result.courses
    ]
    of_edges = "RMSE over the samples, in standard deviations."
    worst = (wording.edges(result), Line(Verdict(of_edges), small=True), Pictures(pictures))
    yield Section("Which edges does the basis fit worst?", worst)
    tried = f"Not fine-tuned, on {many(result.subset_samples, 'sample')}; the best of each number first."
    table = wording.best_subsets(result)
    yield Section("Which devices, and how many?", (table, Line(Verdict(tried), small=True)))
    if table.more:
        yield Section("Every subset of the cards", (wording.subsets(result),), aside=True, long=True)
    if result.notes:
        yield Section("Notes", (Notes([plain(note) for note in result.notes]),), aside=True)
    yield Section("How it was made", (_setup(result), *_command(result)), aside=True, long=True)


def _command(result: Projection) -> Iterator[Literal]:
    if result.command is not None:
        yield Literal(plain(result.command))


def _setup(result: Projection) -> Facts:
    return Facts(
        [
            ("model", plain(result.model.path)),
            ("samples", f"{many(result.samples, 'sample')} from {plain(result.inputs.path) or 'Python'}"),
            ("devices", wording.basis(result)),
            ("values", wording.inputs(result)),
            ("ridge", number(result.ridge)),
            ("written", "the fine-tuned network" if result.is_tuned else "the network as it was projected"),
        ]
    )
