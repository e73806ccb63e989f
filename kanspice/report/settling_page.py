"""How a circuit settles, as one self-contained page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kanspice.report.html import inside, template
from kanspice.report.physical import si
from kanspice.report.settling import (
    capacitor_lines,
    checked,
    left_out,
    noise_lines,
    read_out_rows,
    stage_rows,
    swinging_rows,
)
from kanspice.report.settling_plots import read_out_plot, stages_plot, waveforms_plot
from kanspice.report.words import encodable, many, number, plain

if TYPE_CHECKING:
    from kanspice.gap.settling import Settling

TEMPLATE = "settling.html.j2"
_SHOWN_FAILURES = 20


def settling_html(result: Settling) -> str:
    """The page: how long it takes, whether to trust that, what reading early costs, what each stage does."""
    page = template(TEMPLATE).render(
        result=result,
        title=f"How fast {plain(result.model)} answers",
        answer=_answer(result),
        trust=_trust(result),
        pictures={
            "read_outs": inside(read_out_plot(result)) if result.read_outs else "",
            "stages": inside(stages_plot(result)),
            "waveforms": inside(waveforms_plot(result.worst)) if result.worst is not None else "",
        },
        read_outs=read_out_rows(result),
        stages=stage_rows(result),
        swinging=swinging_rows(result) if result.swinging else [],
        failures=result.failed[:_SHOWN_FAILURES],
        more=max(0, len(result.failed) - _SHOWN_FAILURES),
        facts=_facts(result),
    )
    return encodable(page)


def _answer(result: Settling) -> str:
    tightest = min(stage.tolerance for stage in result.stages)
    if result.failed:
        kinds = ", ".join(dict.fromkeys(failure.outcome.value for failure in result.failed))
        return f"{len(result.failed)} of {many(result.samples, 'sample')} did not settle: {kinds}"
    if result.unresolved:
        return f"Not resolved: {'; '.join(result.unresolved)}"
    within = f"to {number(tightest)} standard deviations"
    return f"All {many(result.samples, 'sample')} settle {within} within {si(result.latency_s, 's')}"


def _trust(result: Settling) -> list[str]:
    lines = [] if result.cross_check is None else [checked(result.cross_check)]
    if result.numerical is not None:
        lines.append(f"Numerical error of the transient: {number(result.numerical)} standard deviations (RMS).")
    return [*lines, *left_out(result), *result.notes]


def _facts(result: Settling) -> list[tuple[str, str]]:
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
