"""How a circuit settles, as JSON (`kanspice.settling/1`), as tables on a terminal."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, replace
from typing import TYPE_CHECKING

from kanspice.engine.solution import Outcome
from kanspice.experiments.verify.physical import si
from kanspice.report.formatting import NOTHING, many, number

if TYPE_CHECKING:
    from rich.console import Console

    from kanspice.experiments.settle.settling import EngineCheck, Settling, Swinging

SCHEMA = "kanspice.settling/1"
_SHOWN_FAILURES = 5
_WITHOUT_END = (Outcome.DIVERGED, Outcome.TIMED_OUT)
"""Outcomes of samples whose transients did not come to their end: nothing of them was read."""
_SHOWN_OUTPUTS = 8


def settling_json(result: Settling) -> str:
    """JSON text; a figure that does not exist is null."""
    document = {"schema": SCHEMA, **asdict(replace(result, worst=None)), "settled": not result.failed}
    document["unresolved"] = list(result.unresolved)
    document["worst"] = None if result.worst is None else result.worst.index
    document["failed"] = [
        {"index": failure.index, "outcome": failure.outcome.value, "advice": failure.advice}
        for failure in result.failed
    ]
    return json.dumps(_finite(document), indent=2, allow_nan=False) + "\n"


def _finite(value: object) -> object:
    """The same with null for what is not finite: the noise of a column that no feedback holds."""
    if isinstance(value, dict):
        return {key: _finite(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(part) for part in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def print_settling(result: Settling, console: Console) -> None:
    """Stage by stage, then what reading the outputs early does."""
    from rich import box  # noqa: PLC0415 - --help stays fast
    from rich.table import Table  # noqa: PLC0415

    for header, *rows in (stage_rows(result), read_out_rows(result)):
        table = Table(box=box.SIMPLE, pad_edge=False)
        for place, heading in enumerate(header):
            table.add_column(heading, justify="right" if place else "left")
        for row in rows:
            table.add_row(*row)
        console.print(table)
    for line in _lines(result):
        console.print(line, highlight=False, markup=False)


def stage_rows(result: Settling) -> list[list[str]]:
    """When each stage has settled; the first row says what is in the others."""
    rows = [["stage", "within", "mean", "longest", "sample", "not settled"]]
    for stage in result.stages:
        worst = NOTHING if stage.worst is None else str(stage.worst)
        times = si(stage.mean_s, "s"), si(stage.largest_s, "s")
        rows.append([stage.name, number(stage.tolerance), *times, worst, str(stage.unsettled)])
    return rows


def read_out_rows(result: Settling) -> list[list[str]]:
    """What reading the outputs early does."""
    rows = [["read after", "gap, relative", "from rest", "same argmax", "energy"]]
    for read in result.read_outs[::3]:
        agreement = NOTHING if read.argmax_agreement is None else f"{100 * read.argmax_agreement:.0f} %"
        gaps = number(read.relative_rmse), number(read.from_rest)
        rows.append([si(read.time_s, "s"), *gaps, agreement, si(read.energy_j, "J")])
    return rows


def swinging_rows(result: Settling) -> list[list[str]]:
    """Which outputs oscillate."""
    rows = [["stage", "output", f"samples of {result.samples}"]]
    return rows + [[s.stage, str(output), str(count)] for s in result.swinging for output, count in ranked(s)]


def ranked(swinging: Swinging) -> list[tuple[int, int]]:
    """(output, samples), the most frequent first."""
    return sorted(swinging.outputs.items(), key=lambda item: (-item[1], item[0]))


def _lines(result: Settling) -> list[str]:
    """Below the tables on a terminal."""
    lines = [
        f"{many(result.samples, 'sample')}, {si(result.period_s, 's')} each, inputs step in {si(result.rise_s, 's')}",
        f"{_until_settled(result)}; power at rest {si(result.power_w, 'W')}",
    ]
    if result.numerical is not None:
        error = f"{number(result.numerical)} of the outputs' standard deviation (RMS)"
        lines.append(f"numerical error of the transient: {error}")
    lines += [f"not resolved: {why}" for why in result.unresolved]
    lines += [*left_out(result), *capacitor_lines(result)]
    lines += noise_lines(result)
    if result.cross_check is not None:
        lines.append(checked(result.cross_check))
    lines += [_swinging(swinging, result.samples) for swinging in result.swinging]
    for failure in result.failed[:_SHOWN_FAILURES]:
        lines.append(f"sample {failure.index}: {failure.outcome.value}: {failure.advice}")
    left = len(result.failed) - _SHOWN_FAILURES
    lines += result.notes
    return [*lines, *([f"and {left} more do not settle"] if left > 0 else [])]


def _until_settled(result: Settling) -> str:
    if result.latency_s is None or result.energy_j is None:
        return "no latency and no energy an inference: not every sample settles"
    return f"latency {si(result.latency_s, 's')}, energy until then {si(result.energy_j, 'J')} an inference"


def left_out(result: Settling) -> list[str]:
    """Which samples the figures of early read-outs are without."""
    lost = sum(failure.outcome in _WITHOUT_END for failure in result.failed)
    if not lost:
        return []
    return [f"read early: without {many(lost, 'sample')} whose transients did not come to their end"]


def capacitor_lines(result: Settling) -> list[str]:
    """What holds columns still, and what it costs; and where it does not."""
    lines = []
    for each in result.capacitors:
        if each.feedback_f > 0:
            found = f"{si(each.feedback_f, 'F')}, {si(each.constant_s, 's')} with its resistor"
        else:
            found = "none"
        lines.append(f"feedback capacitor of {each.stage}: {found}")
    if result.unstable:
        where = f"at {len(result.unstable)} of {many(result.samples, 'operating point')}"
        lines.append(f"{where} a pole grows: amplifiers do not hold the circuit there")
    return lines


def noise_lines(result: Settling) -> list[str]:
    """What each stage adds, in words."""
    lines = []
    for stage in result.noise:
        if not math.isfinite(stage.rms_v):
            lines.append(f"noise added by {stage.name}: without bound, no feedback holds a column")
            continue
        bits = "" if stage.bits is None else f", {stage.bits:.1f} bits of its range"
        parts = f"{stage.thermal:.0%} thermal, {stage.shot:.0%} shot, {stage.amplifier:.0%} amplifiers"
        lines.append(f"noise added by {stage.name}: {si(stage.rms_v, 'V')} RMS{bits} ({parts})")
    return lines


def checked(check: EngineCheck) -> str:
    """What the other engine says."""
    apart = f"{number(check.max_relative)} at most, {number(check.relative_rmse)} RMS"
    return f"{check.engine} on {many(check.samples, 'sample')}: outputs read early or late {apart} deviations away"


def _swinging(swinging: Swinging, samples: int) -> str:
    """Which outputs, the most frequent first."""
    found = ranked(swinging)
    shown = ", ".join(f"{output} ({count})" for output, count in found[:_SHOWN_OUTPUTS])
    left = len(found) - _SHOWN_OUTPUTS
    more = f" and {left} more" if left > 0 else ""
    return f"{swinging.stage} swings by itself at outputs (in how many of {samples} samples): {shown}{more}"
