"""How a circuit settles, as JSON (`kanspice.settling/1`), as tables on a terminal, and as a picture."""

from __future__ import annotations

import json
import math
from dataclasses import asdict
from typing import TYPE_CHECKING

from kanspice.report.figures import BLUE, VERMILLION, encoded, picture, tick_decades
from kanspice.report.physical import si
from kanspice.report.words import NOTHING, many, number

if TYPE_CHECKING:
    from rich.console import Console

    from kanspice.gap.settling import Settling

SCHEMA = "kanspice.settling/1"
_SHOWN_FAILURES = 5


def settling_json(result: Settling) -> str:
    """JSON text; a figure that does not exist is null."""
    document = {"schema": SCHEMA, **asdict(result), "settled": not result.failed}
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

    stages = Table(box=box.SIMPLE, pad_edge=False)
    for heading in ("stage", "within", "mean", "longest", "sample", "not settled"):
        stages.add_column(heading, justify="left" if heading == "stage" else "right")
    for stage in result.stages:
        worst = NOTHING if stage.worst is None else str(stage.worst)
        times = si(stage.mean_s, "s"), si(stage.largest_s, "s")
        stages.add_row(stage.name, number(stage.tolerance), *times, worst, str(stage.unsettled))
    console.print(stages)
    read_outs = Table(box=box.SIMPLE, pad_edge=False)
    for heading in ("read after", "gap\nrelative", "from rest\nrelative", "same\nargmax", "energy"):
        read_outs.add_column(heading, justify="right")
    for read in result.read_outs[::3]:
        agreement = NOTHING if read.argmax_agreement is None else f"{100 * read.argmax_agreement:.0f} %"
        gaps = number(read.relative_rmse), number(read.from_rest)
        read_outs.add_row(si(read.time_s, "s"), *gaps, agreement, si(read.energy_j, "J"))
    console.print(read_outs)
    for line in _lines(result):
        console.print(line, highlight=False, markup=False)


def _lines(result: Settling) -> list[str]:
    lines = [
        f"{many(result.samples, 'sample')}, {si(result.period_s, 's')} each, inputs step in {si(result.rise_s, 's')}",
        f"latency {si(result.latency_s, 's')}, energy until then {si(result.energy_j, 'J')} an inference,"
        f" power at rest {si(result.power_w, 'W')}",
        f"numerical error of the transient: {number(result.numerical)} of the outputs' standard deviation (RMS)",
    ]
    for stage in result.noise:
        bits = "" if stage.bits is None else f", {stage.bits:.1f} bits of its range"
        parts = f"{stage.thermal:.0%} thermal, {stage.shot:.0%} shot, {stage.amplifier:.0%} amplifiers"
        lines.append(f"noise added by {stage.name}: {si(stage.rms_v, 'V')} RMS{bits} ({parts})")
    for failure in result.failed[:_SHOWN_FAILURES]:
        lines.append(f"sample {failure.index}: {failure.outcome.value}: {failure.advice}")
    left = len(result.failed) - _SHOWN_FAILURES
    lines += result.notes
    return [*lines, *([f"and {left} more do not settle"] if left > 0 else [])]


def read_out_plot(result: Settling) -> bytes:
    """PNG: the gap, and the distance from rest, over the time at which the outputs are read."""
    times = [read.time_s for read in result.read_outs]
    curves = (
        ("from the network", VERMILLION, [read.relative_rmse for read in result.read_outs]),
        ("from rest", BLUE, [read.from_rest for read in result.read_outs]),
    )
    with picture(3.0, f"Outputs read early: {many(result.samples, 'sample')}") as (figure, axes):
        for label, colour, values in curves:
            known = [(t, v) for t, v in zip(times, values, strict=True) if v is not None and v > 0]
            axes.plot([t for t, _ in known], [v for _, v in known], color=colour, label=label)
        axes.set(xscale="log", yscale="log", xlabel="read so long after the step (s)", ylabel="relative RMSE")
        for axis in (axes.xaxis, axes.yaxis):
            tick_decades(axis)
        axes.legend()
        return encoded(figure, "png")
