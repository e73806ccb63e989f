"""What a settling circuit's numbers say, in plain sentences and tables."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

from kanspice.base.quantities import si
from kanspice.engine.solution import Outcome
from kanspice.report.blocks import Table
from kanspice.report.formatting import NOTHING, many, number
from kanspice.report.verdict import Verdict

if TYPE_CHECKING:
    from kanspice.experiments.settle.settling import EngineCheck, Settling, Swinging

_WITHOUT_END = (Outcome.DIVERGED, Outcome.TIMED_OUT)
"""Outcomes of samples whose transients did not come to their end: nothing of them was read."""
_SHOWN_OUTPUTS = 8


def answer(result: Settling) -> Verdict:
    """How long it takes until all samples have settled."""
    if result.failed:
        kinds = ", ".join(dict.fromkeys(failure.outcome.value for failure in result.failed))
        return Verdict(f"{len(result.failed)} of {many(result.samples, 'sample')} did not settle: {kinds}", True)
    if result.unresolved:
        return Verdict(f"Not resolved: {'; '.join(result.unresolved)}", True)
    within = f"to {number(min(stage.tolerance for stage in result.stages))} standard deviations"
    return Verdict(f"All {many(result.samples, 'sample')} settle {within} within {si(result.latency_s, 's')}")


def stages(result: Settling) -> Table:
    """When each stage has settled."""
    rows = []
    for stage in result.stages:
        worst = NOTHING if stage.worst is None else str(stage.worst)
        times = si(stage.mean_s, "s"), si(stage.largest_s, "s")
        rows.append((stage.name, number(stage.tolerance), *times, worst, str(stage.unsettled)))
    return Table(("stage", "within", "mean", "longest", "sample", "not settled"), rows)


def read_outs(result: Settling) -> Table:
    """What reading the outputs early does."""
    rows = []
    for read in result.read_outs[::3]:
        agreement = NOTHING if read.argmax_agreement is None else f"{100 * read.argmax_agreement:.0f} %"
        gaps = number(read.relative_rmse), number(read.from_rest)
        rows.append((si(read.time_s, "s"), *gaps, agreement, si(read.energy_j, "J")))
    return Table(("read after", "gap, relative", "from rest", "same argmax", "energy"), rows)


def until_settled(result: Settling) -> str:
    """What an answer takes that is waited for."""
    if result.latency_s is None or result.energy_j is None:
        return "no latency and no energy: not every sample settles"
    return f"latency {si(result.latency_s, 's')}, energy until then {si(result.energy_j, 'J')}"


def left_out(result: Settling) -> str | None:
    """Which samples the figures of early read-outs are without."""
    lost = sum(failure.outcome in _WITHOUT_END for failure in result.failed)
    return f"without {many(lost, 'sample')} whose transients did not come to their end" if lost else None


def capacitors(result: Settling) -> Iterator[str | Verdict]:
    """What holds columns still, and what it costs; and where it does not."""
    for each in result.capacitors:
        found = f"{si(each.feedback_f, 'F')}, {si(each.constant_s, 's')} with its resistor"
        yield f"capacitor of {each.stage}: {found if each.feedback_f > 0 else 'none'}"
    if result.unstable:
        where = f"at {len(result.unstable)} of {many(result.samples, 'operating point')}"
        yield Verdict(f"{where} a pole grows: amplifiers do not hold the circuit there", warning=True)


def noise(result: Settling) -> Iterator[str]:
    """What each stage adds."""
    for stage in result.noise:
        if not math.isfinite(stage.rms_v):
            yield f"added by {stage.name}: without bound, no feedback holds a column"
            continue
        bits = "" if stage.bits is None else f", {stage.bits:.1f} bits of its range"
        parts = f"{stage.thermal:.0%} thermal, {stage.shot:.0%} shot, {stage.amplifier:.0%} amplifiers"
        yield f"added by {stage.name}: {si(stage.rms_v, 'V')} RMS{bits} ({parts})"


def checked(check: EngineCheck) -> str:
    """What the other engine says."""
    apart = f"{number(check.max_relative)} at most, {number(check.relative_rmse)} RMS"
    return f"{check.engine} on {many(check.samples, 'sample')}: outputs read early or late {apart} deviations away"


def swinging(found: Swinging) -> str:
    """Which outputs oscillate, and in how many samples, the most frequent first."""
    outputs = _ranked(found)
    shown = ", ".join(f"{output} ({count})" for output, count in outputs[:_SHOWN_OUTPUTS])
    left = len(outputs) - _SHOWN_OUTPUTS
    return shown + (f" and {left} more" if left > 0 else "")


def swinging_outputs(result: Settling) -> Table:
    """The same of every output."""
    header = ("stage", "output", f"samples of {result.samples}")
    return Table(header, [(s.stage, str(output), str(count)) for s in result.swinging for output, count in _ranked(s)])


def _ranked(found: Swinging) -> list[tuple[int, int]]:
    return sorted(found.outputs.items(), key=lambda item: (-item[1], item[0]))
