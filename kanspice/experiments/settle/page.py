"""How a circuit settles, as a page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from kanspice.experiments.settle.document import (
    capacitor_lines,
    checked,
    left_out,
    noise_lines,
    read_out_rows,
    stage_rows,
    swinging_rows,
)
from kanspice.experiments.settle.plots import read_out_plot, stages_plot, waveforms_plot
from kanspice.experiments.verify.physical import si
from kanspice.report.blocks import Facts, Line, Page, Picture, Pictures, Section, Table
from kanspice.report.checks import Check, Problem, unresolved_problem
from kanspice.report.formatting import many, number, plain
from kanspice.report.verdict import Verdict

if TYPE_CHECKING:
    from kanspice.experiments.settle.settling import Settling

_SHOWN_FAILURES = 20


def settling_page(result: Settling) -> Page:
    """How long it takes, whether to trust that, what reading early costs, what each stage does."""
    return Page(
        title=f"How fast {plain(result.model)} answers",
        subject=plain(result.model),
        command="kanspice settle",
        answer=Verdict(_answer(result), warning=bool(result.failed or result.unresolved)),
        outcome=None,
        exit_code=result.exit_code,
        lead=[Line(Verdict(plain(text)), small=True) for text in _trust(result)],
        sections=tuple(_sections(result)),
        checks=(
            Check("every sample settled", _unsettled(result)),
            Check("settling resolved", unresolved_problem(result.unresolved)),
        ),
    )


def _answer(result: Settling) -> str:
    tightest = min(stage.tolerance for stage in result.stages)
    if result.failed:
        kinds = ", ".join(dict.fromkeys(failure.outcome.value for failure in result.failed))
        return f"{len(result.failed)} of {many(result.samples, 'sample')} did not settle: {kinds}"
    if result.unresolved:
        return f"Not resolved: {'; '.join(result.unresolved)}"
    within = f"to {number(tightest)} standard deviations"
    return f"All {many(result.samples, 'sample')} settle {within} within {si(result.latency_s, 's')}"


def _unsettled(result: Settling) -> Problem | None:
    if not result.failed:
        return None
    lines = [f"sample {each.index}: {each.outcome.value}: {plain(each.advice)}" for each in result.failed]
    return Problem("FailedSamples", _answer(result), detail="\n".join(lines))


def _trust(result: Settling) -> list[str]:
    lines = [] if result.cross_check is None else [checked(result.cross_check)]
    if result.numerical is not None:
        lines.append(f"Numerical error of the transient: {number(result.numerical)} standard deviations (RMS).")
    return [*lines, *left_out(result), *result.notes]


def _sections(result: Settling) -> Iterator[Section]:
    early = Picture.of("Gap and distance from rest over the time at which outputs are read", read_out_plot, result)
    shown = Pictures([early] if result.read_outs else [])
    yield Section("How good are answers that are read early?", (shown, _table(read_out_rows(result))))
    times = Picture.of("Mean and longest settling time of every stage", stages_plot, result)
    yield Section("When does each stage come to rest?", (Pictures([times]), _table(stage_rows(result))))
    if result.worst is not None:
        alt = f"Outputs of every stage of sample {result.worst.index} over time"
        which = "worst" if result.failed else "slowest"
        course = Pictures([Picture.of(alt, waveforms_plot, result.worst)])
        yield Section(f"What does the {which} sample do?", (course,))
    if result.swinging:
        only = "Outputs that swing on while all stages before theirs are at rest; those of later stages only follow."
        shown_below = Line(Verdict(only), small=True)
        yield Section("Which columns oscillate?", (_table(swinging_rows(result)), shown_below))
    if result.failed:
        yield Section("Which samples do not settle?", (_failures(result),))
    yield Section("How it was measured", (Facts(_facts(result)),), aside=True)


def _failures(result: Settling) -> Table:
    header = ("sample", "outcome", "what was seen, and what to try")
    shown = result.failed[:_SHOWN_FAILURES]
    rows = [(str(failure.index), failure.outcome.value, plain(failure.advice)) for failure in shown]
    return Table(header, rows, texts=frozenset({1, 2}), more=len(result.failed) - len(shown))


def _table(rows: Sequence[Sequence[str]]) -> Table:
    return Table(rows[0], rows[1:])


def _facts(result: Settling) -> list[tuple[str, Verdict | str | None]]:
    return [
        ("model", plain(result.model)),
        ("technology", plain(result.technology)),
        ("engine", result.engine),
        ("samples", f"{many(result.samples, 'sample')}, {si(result.period_s, 's')} each"),
        ("inputs step in", si(result.rise_s, "s")),
        ("energy until settled", f"{si(result.energy_j, 'J')} an inference" if result.energy_j else "not known"),
        ("power at rest", si(result.power_w, "W")),
        *(("feedback", line.removeprefix("feedback ")) for line in capacitor_lines(result)),
        *(("noise", line.removeprefix("noise ")) for line in noise_lines(result)),
    ]
