"""What an amplifier's figures say, in plain sentences and tables."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

from kanspice.engine.ngspice.characterise.states import CURRENT_FEEDBACK_OHM, ColumnStates, Start
from kanspice.experiments.characterise.figures import FIGURES, decibels, quantity
from kanspice.report.blocks import Fact, Table
from kanspice.report.formatting import NOTHING, number, plain
from kanspice.report.verdict import Verdict
from kanspice.subcircuits.characterisation import Load, VoltageRange

if TYPE_CHECKING:
    from kanspice.experiments.characterise.result import AmplifierResult

_RINGING_DEG = 45.0
"""A follower of less phase margin rings."""


def answer(result: AmplifierResult) -> Verdict:
    """The figures that are asked for first."""
    found = result.figures_found
    margin = "" if found.phase_margin_deg is None else f" with {number(found.phase_margin_deg)} degrees of phase margin"
    speed = "" if found.gbw_hz is None else f", its gain-bandwidth product is {quantity(found.gbw_hz, 'Hz')}{margin}"
    return Verdict(
        f"Its gain is {decibels(found.gain):.1f} dB{speed}; its output goes {stops(found.swing)}, its offset is"
        f" {quantity(found.offset_v, 'V')}, and it takes {quantity(found.quiescent_a, 'A')}"
    )


def stops(swing: VoltageRange) -> str:
    """Where an output stops."""
    if math.isinf(swing.low) and math.isinf(swing.high):
        return "wherever it is led"
    return f"from {quantity(swing.low, 'V')} to {quantity(swing.high, 'V')}"


def outcome(result: AmplifierResult) -> Verdict:
    """The last word."""
    wrong = []
    if result.oscillates:
        wrong.append("a follower of it oscillates")
    if result.latches:
        wrong.append("it latches")
    if wrong:
        return Verdict(
            f"FAILED: {' and '.join(wrong)}: no circuit with it has these figures, and no technology is written",
            warning=True,
        )
    missing = [figure.title for figure in FIGURES if figure.why_not(result.figures_found) is not None]
    return Verdict(f"measured; not there: {', '.join(missing)}" if missing else "measured")


def table(result: AmplifierResult) -> Table:
    """Every figure."""
    found = result.figures_found
    rows = [(figure.title, quantity(figure.value(found), figure.unit)) for figure in FIGURES]
    return Table(("figure", "value"), rows, texts=frozenset({1}))


def ways(result: AmplifierResult) -> Table:
    """How each was measured, or why it was not, and what it depends on."""
    found = result.figures_found
    rows, under = [], []
    for figure in FIGURES:
        why = figure.why_not(found)
        rows.append((figure.title, quantity(figure.value(found), figure.unit)))
        under.append(f"{figure.how}. It depends on: {figure.depends}." if why is None else f"Not there: {plain(why)}.")
    return Table(("figure", "value"), rows, texts=frozenset({1}), under=under)


def trust(result: AmplifierResult) -> Iterator[Fact]:
    """Whether it is what it seems to be: stable, in one state, a voltage feedback part."""
    yield "follower", follower(result)
    yield from column(result)
    found = result.figures_found
    if found.inverting_ohm < CURRENT_FEEDBACK_OHM:
        said = (
            f"in- is {quantity(found.inverting_ohm, 'ohm')}: a current feedback part. Gain, bandwidth, margin and slew "
            "rates are with in- driven by a wire; with a feedback resistor R the loop's gain is R over that resistance "
            "times less"
        )
        yield "in-", Verdict(said, warning=True)


def follower(result: AmplifierResult) -> Verdict:
    """Whether a follower comes to rest."""
    found, steps = result.figures_found, result.measured.steps
    drives = load(result.load)
    if steps.oscillation is not None:
        rings = f"{quantity(steps.oscillation.peak_to_peak_v, 'V')} peak to peak"
        hertz = quantity(steps.oscillation.hertz, "Hz") if math.isfinite(steps.oscillation.hertz) else "no even rate"
        said = f"oscillates at {hertz}, {rings}, with {drives}: it is not stable at a gain of 1"
        return Verdict(said, warning=True)
    if steps.small is None:
        why = found.why_not.get("unity_hz", "no step of it could be simulated")
        return Verdict(f"{plain(why)}: whether it comes to rest is not known", warning=True)
    if found.phase_margin_deg is not None and found.phase_margin_deg < _RINGING_DEG:
        said = f"comes to rest with {drives}, but rings: {number(found.phase_margin_deg)} degrees of phase margin"
        return Verdict(said, warning=True)
    return Verdict(f"comes to rest with {drives}")


def load(given: Load) -> str:
    """What the output drives."""
    parts = [] if math.isinf(given.ohm) else [quantity(given.ohm, "ohm")]
    parts += [quantity(given.farad, "F")] if given.farad else []
    return " and ".join(parts) if parts else "no load"


def column(result: AmplifierResult) -> Iterator[Fact]:
    """States of a transimpedance amplifier."""
    states, half_v = result.measured.states, result.measured.benches.half_v
    led = result.measured.static.led.other_states("v(out)")
    if led is not None:
        where = f"{quantity(led.low, 'V')} to {quantity(led.high, 'V')}"
        said = f"led up and down it is not at the same voltages, where it is led to {where}: hysteresis"
        yield "output", Verdict(said, warning=True)
    if isinstance(states, str):
        yield "column", Verdict(f"no operating point as a transimpedance amplifier: {plain(states)}", warning=True)
        return
    feedback = f"with {quantity(states.column.feedback_ohm, 'ohm')} of feedback"
    if states.others is None:
        yield "column", f"{feedback}: one state, whether led up, down, or found from scratch"
    else:
        yield "column", Verdict(f"{feedback}: {_other_states(states)}", warning=True)
    for start in states.starts:
        yield "start", _started(start, half_v)


def _other_states(states: ColumnStates) -> str:
    """At which currents a column has one state, and what is found beyond."""
    latched = f"latched at {quantity(states.other_v, 'V')}"
    if states.right.low == states.right.high:
        return f"more than one state, without any current, too: the output may be found {latched}"
    known = states.curve.outwards
    amps = (states.right.low, states.right.high)
    volts = sorted(float(known.vectors["v(out)"][abs(known.x - each).argmin()]) for each in amps)
    return (
        f"one state at currents from {quantity(amps[0], 'A')} to {quantity(amps[1], 'A')}, the output from "
        f"{quantity(volts[0], 'V')} to {quantity(volts[1], 'V')}; beyond, an operating point, or a sweep that begins "
        f"there, may find the output {latched}"
    )


def _started(start: Start, half_v: float) -> Verdict:
    """What a column does whose supplies come up, and after an overload."""
    current = f"with {quantity(start.current_a, 'A')}"
    if start.from_part:
        current += f", from {start.from_part:g} of the supplies on,"
    match start.is_right(half_v):
        case None:
            return Verdict(f"{current} the supplies' coming up could not be simulated to its end", warning=True)
        case False:
            came, belongs = quantity(start.started_v, "V"), quantity(start.started_expected_v, "V")
            said = f"{current} the output comes up at {came} instead of {belongs}"
            return Verdict(f"{said}: it latches when it is switched on", warning=True)
        case True:
            pass
    match start.recovers(half_v):
        case None:
            said = f"{current} it comes up right; an overload could not be simulated to its end"
            return Verdict(said, warning=True)
        case False:
            said = f"{current} it comes up right, but after an overload it stays at {quantity(start.recovered_v, 'V')}"
            return Verdict(f"{said}: it latches", warning=True)
        case True:
            return Verdict(f"{current} it comes up right, and after an overload it comes back")


def conditions(result: AmplifierResult) -> Iterator[Fact]:
    """What was measured with what."""
    amplifier = result.amplifier
    pins = zip(amplifier.subcircuit.pins, amplifier.roles, strict=True)
    yield "subcircuit", f"{plain(amplifier.subcircuit.name)} of {plain(amplifier.subcircuit.source)}"
    yield "pins", ", ".join(f"{plain(pin)} is {role}" for pin, role in pins)
    if amplifier.models is not None:
        yield (
            "transistors",
            f"{amplifier.models.process}, corner {amplifier.models.corner} ({amplifier.models.version})",
        )
    bias = f", {quantity(amplifier.bias_a, 'A')} of bias" if amplifier.bias_a else ""
    supplies = f"{quantity(amplifier.vss_v, 'V')} and {quantity(amplifier.vdd_v, 'V')}{bias}"
    yield "supplies", f"{supplies}, {number(amplifier.temperature_c)} degrees Celsius"
    yield "load", f"{load(result.load)}, to the middle of the supplies, from which voltages are"
    draws = len(result.figures_found.offset_draws_v)
    yield "mismatch", f"{draws} parts, seed {result.seed}" if draws else NOTHING
    yield "engine", f"ngspice {result.measured.engine_version}"
