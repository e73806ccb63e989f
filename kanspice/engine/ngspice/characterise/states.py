"""Whether an amplifier of a column has one state only, and which one it gets into."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from kanspice.base.arrays import Array
from kanspice.base.spice_numbers import spice_number as number
from kanspice.engine.ngspice.analyses import Analysis, analyse
from kanspice.engine.ngspice.characterise.benches import Benches, ColumnFeedback, Ramp
from kanspice.engine.ngspice.characterise.curves import around_middle
from kanspice.engine.ngspice.characterise.tracing import TIMEOUT_S, LedSource, NoTransferCurve, TransferCurve, traced
from kanspice.subcircuits.characterisation import Characterisation, VoltageRange

_LEAST_OHM = 1e4
_OF_CURRENT = 0.1
"""Of what the output can give, at most, through the feedback."""
_BEYOND = 1.25
"""How far currents go, in terms of what would lead the output to a supply."""
_POINTS = 200
_USED = 0.9
"""Of the range where the gain is no less than a tenth: where a start must come to."""
_OVERLOAD = 1.5
"""What a column is overloaded with, in terms of what would lead the output to a supply."""
_UNITS = 1000.0
"""How long each part of a start lasts, in units of 1 / (2 pi) over the column's bandwidth."""
_WAYS = ((0.0, ""), (0.0, "uic"), (0.5, ""))
"""Parts of the supplies to come up from, and whether from an operating point there or from all voltages 0."""
_SAME = 0.05
"""Of half of the supplies' difference: so far off an output may be that came up."""
_ELSEWHERE = 0.1
"""The same of one that is found: what is farther off is another state."""
CURRENT_FEEDBACK_OHM = 3e3
"""An inverting input of less resistance is that of a current feedback amplifier: no capacitor across its feedback."""
_LEAST_INPUT_F = 5e-14


@dataclass(frozen=True)
class Start:
    """A column whose supplies come up while its current does, which is then overloaded, and then left without current.

    None: ngspice did not come so far.
    """

    current_a: float
    time_s: Array
    output_v: Array
    started_v: float | None
    """Where the output came to, volts from the middle."""
    started_expected_v: float
    """Where it belongs."""
    recovered_v: float | None
    """Where it was after the overload, with the same current."""
    from_part: float = 0.0
    """Of the supplies, which came up from there: models made for full supplies have no state without any."""

    def is_right(self, half_v: float) -> bool | None:
        """Whether the supplies come up to the state followed from the middle."""
        return self._same(self.started_v, half_v)

    def recovers(self, half_v: float) -> bool | None:
        """Whether that state is found again after an overload."""
        return self._same(self.recovered_v, half_v)

    def _same(self, volts: float | None, half_v: float) -> bool | None:
        return None if volts is None else bool(abs(volts - self.started_expected_v) <= _SAME * half_v)


@dataclass(frozen=True)
class ColumnStates:
    """A transimpedance amplifier, whose output belongs where its current through the feedback leads it, or to a stop.

    right: currents around 0 at which no operating point was found elsewhere. others: those at which one was, None where
    there are none; other_v: the output there that is farthest off, NaN without.
    """

    column: ColumnFeedback
    curve: TransferCurve
    right: VoltageRange
    others: VoltageRange | None
    other_v: float
    starts: tuple[Start, ...]


def measure_states(benches: Benches, figures: Characterisation) -> ColumnStates | str:
    """The states of a column; or why there is no operating point."""
    column = _column(figures, benches.half_v)
    most_a = _BEYOND * benches.half_v / column.feedback_ohm
    source = LedSource("ii", VoltageRange(-most_a, most_a), ("v(out)",), _POINTS)
    curve = traced(benches.transimpedance(column), source, benches.mid_v)
    if isinstance(curve, NoTransferCurve):
        return curve.why
    amps, volts = (np.concatenate(parts) for parts in zip(*_points(curve), strict=True))
    off = volts - _belongs(figures, column, amps)
    wrong = np.abs(off) > _ELSEWHERE * benches.half_v
    others = VoltageRange(float(amps[wrong].min()), float(amps[wrong].max())) if wrong.any() else None
    starts = tuple(
        _start(benches, figures, column, level * _USED)
        for level in (figures.linear.low, figures.linear.high)
        if figures.gbw_hz is not None and level != 0
    )
    other_v = float(volts[wrong][np.argmax(np.abs(off[wrong]))]) if wrong.any() else math.nan
    return ColumnStates(column, curve, around_middle(amps, ~wrong), others, other_v, starts)


def _points(curve: TransferCurve) -> list[tuple[Array, Array]]:
    """Currents and outputs of every operating point that was found, however."""
    return [(each.x, each.vectors["v(out)"]) for each in (curve.outwards, *curve.across)]


def _belongs(figures: Characterisation, column: ColumnFeedback, amps: Array | float) -> Array:
    """Where the output belongs with currents into the column."""
    led_v = figures.offset_v + column.feedback_ohm * (figures.bias_a - np.asarray(amps))
    return np.asarray(np.clip(led_v, figures.swing.low, figures.swing.high))


def _column(figures: Characterisation, half_v: float) -> ColumnFeedback:
    """Feedback that takes little of what the output gives, and a capacitor that lets it come to rest."""
    given = min(current for current in (figures.source_a, figures.sink_a, math.inf) if current is not None)
    ohm = max(_LEAST_OHM, half_v / (_OF_CURRENT * given))
    if figures.inverting_ohm < CURRENT_FEEDBACK_OHM or figures.gbw_hz is None:
        return ColumnFeedback(ohm, 0.0)
    return ColumnFeedback(ohm, math.sqrt(_input_f(figures) / (math.pi * ohm * figures.gbw_hz)))


def _input_f(figures: Characterisation) -> float:
    return max(figures.input_f or 0.0, _LEAST_INPUT_F)


def _unit_s(figures: Characterisation, column: ColumnFeedback) -> float:
    """How fast a column is: its loop's gain, which feedback and input divide, falls to 1 there."""
    divided = figures.inverting_ohm / (figures.inverting_ohm + column.feedback_ohm)
    gbw_hz = (figures.gbw_hz or 1.0) * (divided if math.isfinite(figures.inverting_ohm) else 1.0)
    input_hz = 1 / (2 * math.pi * column.feedback_ohm * _input_f(figures))
    return 1 / (2 * math.pi * min(gbw_hz, math.sqrt(gbw_hz * input_hz)))


def _start(benches: Benches, figures: Characterisation, column: ColumnFeedback, output_v: float) -> Start:
    """Supplies and current come up; an overload; the same current again; none."""
    unit_s = _UNITS * _unit_s(figures, column)
    current_a = -output_v / column.feedback_ohm
    overload_a = math.copysign(_OVERLOAD * benches.half_v / column.feedback_ohm, current_a)
    part, time_s, volts = 0.0, np.empty(0), np.empty(0)
    for part, keyword in _WAYS:
        levels = [(0.0, part * current_a), (1.0, current_a), (2.0, current_a), (2.1, overload_a), (3.0, overload_a)]
        levels += [(3.1, current_a), (4.0, current_a)]
        drive = "pwl(" + " ".join(f"{number(time * unit_s)} {number(amps)}" for time, amps in levels) + ")"
        circuit = replace(benches, over_time=True).transimpedance(column, drive, Ramp(part, unit_s))
        time_s, volts = _followed_over_time(circuit, 4 * unit_s, unit_s / 100, keyword)
        if time_s.size and time_s[-1] >= 2 * unit_s:
            break

    def at(units: float) -> float | None:
        there = time_s.size and time_s[-1] >= units * unit_s * (1 - 1e-9)
        return float(np.interp(units * unit_s, time_s, volts)) if there else None

    return Start(current_a, time_s, volts, at(2.0), float(_belongs(figures, column, current_a)), at(4.0), part)


def _followed_over_time(circuit: list[str], end_s: float, step_s: float, keyword: str) -> tuple[Array, Array]:
    """Time and output, volts from the middle, as far as ngspice comes."""
    command = f"tran {number(step_s)} {number(end_s)} 0 {number(step_s)} {keyword}"
    analysis = Analysis("start", command, ("v(out)", "v(mid)"), end=end_s, is_partial=True)
    table = analyse(circuit, [analysis], TIMEOUT_S).found.get("start")
    if table is None:
        return np.empty(0), np.empty(0)
    return np.asarray(table["time"].real), table["v(out)"].real - table["v(mid)"].real
