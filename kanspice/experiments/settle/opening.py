"""What a settling circuit's page opens with: how long an answer takes, what may be read before, and why so long."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kanspice.base.quantities import si
from kanspice.engine.solution import Outcome
from kanspice.experiments.settle.plots import read_out_plot, waveforms_plot
from kanspice.report.blocks import Highlight, Highlights, Picture
from kanspice.report.formatting import many, number, plain
from kanspice.report.verdict import Verdict

if TYPE_CHECKING:
    from kanspice.experiments.settle.settling import ReadOutTime, Settling

_UNSTABLE = {
    Outcome.OSCILLATES: "outputs swing on: `kanspice verify` with the same options says what would hold its columns",
    Outcome.MULTISTABLE: "the circuit comes to rest in another state than was found without time",
    Outcome.UNSETTLED: "outputs are still on their way: give each sample more time (`--period`)",
    Outcome.DIVERGED: "the transient did not come to its end: what is said of each sample says what to try",
    Outcome.TIMED_OUT: "the transient did not come to its end: it needs a longer `--timeout`",
}
"""The worst first."""


def highlights(result: Settling) -> Highlights:
    """How long it takes, when an answer may be read, which stage takes longest, whether it comes to rest."""
    return Highlights([_latency(result), _early(result), *_slowest(result), _rest(result)])


def picture(result: Settling) -> Picture | None:
    """The worst sample of those that do not settle; else what reading early costs."""
    if result.failed:
        return course(result)
    return early(result)


def early(result: Settling) -> Picture | None:
    """What reading early costs; None where nothing was read."""
    if not result.read_outs:
        return None
    return Picture.of("Gap and distance from rest over the time at which outputs are read", read_out_plot, result)


def course(result: Settling) -> Picture | None:
    """What the worst sample does; None where no transient came to its end."""
    if result.worst is None:
        return None
    alt = f"Outputs of every stage of sample {result.worst.index} over time"
    return Picture.of(alt, waveforms_plot, result.worst)


def _latency(result: Settling) -> Highlight:
    if result.latency_s is None:
        said = Verdict(f"{len(result.failed)} of {many(result.samples, 'sample')} do not settle", warning=True)
        return Highlight("latency", "not known", said, again=True)
    energy = "" if result.energy_j is None else f"; {si(result.energy_j, 'J')} an inference until then"
    within = f"within {number(min(stage.tolerance for stage in result.stages))} standard deviations of rest"
    return Highlight("latency", si(result.latency_s, "s"), Verdict(f"until every sample is {within}{energy}"), True)


def _early(result: Settling) -> Highlight:
    """When outputs are as near to where they go as the loosest tolerance asks, RMS over the samples, for good."""
    loosest = max(stage.tolerance for stage in result.stages)
    near: ReadOutTime | None = None
    for read in reversed(result.read_outs):
        if read.from_rest is None or read.from_rest > loosest:
            break
        near = read
    if near is None:
        said = Verdict(f"outputs are never within {number(loosest)} standard deviations of rest (RMS)", warning=True)
        return Highlight("read after", "not known", said, again=True)
    agree = (
        "" if near.argmax_agreement is None else f"; {100 * near.argmax_agreement:.0f} % of decisions are the network's"
    )
    left_out = " where transients ended" if result.failed else ""
    said = Verdict(f"outputs are then within {number(loosest)} standard deviations of rest (RMS{left_out}){agree}")
    return Highlight("read after", si(near.time_s, "s"), said)


def _slowest(result: Settling) -> list[Highlight]:
    """The stage that adds most to the time, and what would make it faster; nothing where some stage has no time."""
    tightest = min(stage.tolerance for stage in result.stages)
    times = [(stage.name, stage.largest_s) for stage in result.stages if stage.tolerance == tightest]
    adds, before_s = list[tuple[float, str]](), 0.0
    for name, largest_s in times:
        if largest_s is None:
            return []
        adds.append((max(0.0, largest_s - before_s), name))
        before_s = max(before_s, largest_s)
    added_s, name = max(adds)
    said = f"adds {si(added_s, 's')} of {si(before_s, 's')}; {_faster(result, name)}"
    return [Highlight("slowest stage", plain(name), Verdict(said))]


def _faster(result: Settling, stage: str) -> str:
    """By what its amplifiers have, or else its wires."""
    own = next((each for each in result.capacitors if each.stage == stage), None)
    if own is None:
        return (
            "wires and devices of less capacitance (`wires.column_f`, `wires.row_f`, `devices.junction_f`) are faster"
        )
    if own.feedback_f > 0:
        constant = f"feedback capacitors of {si(own.feedback_f, 'F')} have a time constant of {si(own.constant_s, 's')}"
        return f"{constant}, and faster amplifiers (`tia.gbw_hz`) need smaller ones"
    return "faster amplifiers (`tia.gbw_hz`) help"


def _rest(result: Settling) -> Highlight:
    """Whether samples come to rest where they were solved; else the worst that they do instead."""
    for outcome, meaning in _UNSTABLE.items():
        count = sum(failure.outcome is outcome for failure in result.failed)
        if count:
            said = f"in {count:,} of {many(result.samples, 'sample')} {meaning}"
            return Highlight("comes to rest", "no", Verdict(said, warning=True))
    if result.failed:
        return Highlight("comes to rest", "no", Verdict(plain(result.failed[0].advice), warning=True), again=True)
    if result.unstable:
        where = f"at {len(result.unstable):,} of {many(result.samples, 'operating point')} a pole grows"
        return Highlight("comes to rest", "no", Verdict(where, warning=True), again=True)
    return Highlight("comes to rest", "yes", Verdict("every sample, in the state that was found without time"), True)
