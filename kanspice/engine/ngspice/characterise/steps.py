"""Steps of a follower and of an inverter: whether an amplifier comes to rest, and how fast it is at most."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from kanspice.base.arrays import Array
from kanspice.base.spice_numbers import spice_number as number
from kanspice.engine.ngspice.analyses import Analysis, analyse
from kanspice.engine.ngspice.characterise.benches import Benches
from kanspice.engine.ngspice.characterise.curves import slew
from kanspice.engine.ngspice.characterise.tracing import TIMEOUT_S
from kanspice.subcircuits.characterisation import Characterisation, VoltageRange

_SMALL_V = 0.02
"""Of the small step: no pair of transistors is driven out of where it is linear."""
_SMALL_LASTS = 100.0
"""Of the small step, in units of 1 / (2 pi) over the frequency where the gain is 1; before it a tenth of that."""
_LARGE_PART = 0.8
"""Of the range where the gain is no less than a tenth, of the large step."""
_SLOWEST_V = 0.05
"""Slew rates are at least this times 2 pi times the gain-bandwidth product, where nothing but the first stage limits
them: a bipolar pair has 52 mV."""
_LONGER = (1.0, 10.0, 100.0)
"""Times that, where something else does."""
_AS_LINEAR = 0.7
"""Of what the bandwidth alone gives: what is faster is not limited."""
_RINGS = 0.1
"""Of a small step: what rings by more at the end, and hardly less than before, oscillates."""
_HARDLY_LESS = 0.9


@dataclass(frozen=True)
class Step:
    """Volts from the middle over time, (points,) each."""

    time_s: Array
    input_v: Array
    output_v: Array


@dataclass(frozen=True)
class Oscillation:
    """Of a follower: what is left of a step at its end. peak_to_peak_v, hertz: of its output."""

    hertz: float
    peak_to_peak_v: float


@dataclass(frozen=True)
class Steps:
    """Of a follower, small, and of an inverter, large; None where ngspice did not come to their ends."""

    small: Step | None
    large: Step | None
    oscillation: Oscillation | None


def measure_steps(benches: Benches, figures: Characterisation) -> tuple[Characterisation, Steps]:
    """The figures with slew rates."""
    benches, why_not = replace(benches, over_time=True), dict(figures.why_not)
    if figures.unity_hz is None or figures.gbw_hz is None:
        why_not |= dict.fromkeys(("slew_up_v_per_s", "slew_down_v_per_s"), figures.why_not["unity_hz"])
        return replace(figures, why_not=why_not), Steps(None, None, None)
    small = _small(benches, figures.unity_hz, figures.common_mode)
    large, up, down = _large(benches, figures, why_not)
    found = replace(figures, slew_up_v_per_s=up, slew_down_v_per_s=down, why_not=why_not)
    return found, Steps(small, large, None if small is None else _oscillation(small))


def _small(benches: Benches, unity_hz: float, follows: VoltageRange | None) -> Step | None:
    unit_s = 1 / (2 * math.pi * unity_hz)
    lasts_s, before_s = _SMALL_LASTS * unit_s, _SMALL_LASTS * unit_s / 10
    inside = follows is None or follows.low < 0 < follows.high - _SMALL_V
    base_v = 0.0 if inside or follows is None else (follows.low + follows.high) / 2
    drive = f"pulse({number(base_v)} {number(base_v + _SMALL_V)} {number(before_s)} {number(unit_s / 100)})"
    return _step(benches, benches.follower(drive), "v(p)", lasts_s + before_s, unit_s / 5)


def _step(benches: Benches, circuit: list[str], driven: str, lasts_s: float, step_s: float) -> Step | None:
    command = f"tran {number(step_s)} {number(lasts_s)} 0 {number(step_s)}"
    found = analyse(circuit, [Analysis("step", command, (driven, "v(out)"), end=lasts_s)], TIMEOUT_S)
    if "step" not in found.found:
        return None
    table = found.found["step"]
    volts = (table[name].real - benches.mid_v for name in (driven, "v(out)"))
    return Step(np.asarray(table["time"].real), *volts)


def _oscillation(step: Step) -> Oscillation | None:
    """What does not die away at the end of a small step."""
    end_s = step.time_s[-1]
    before, last = ((step.time_s > part * end_s) & (step.time_s <= (part + 0.25) * end_s) for part in (0.5, 0.75))
    rings, rang = float(np.ptp(step.output_v[last])), float(np.ptp(step.output_v[before]))
    if rings < _RINGS * _SMALL_V or rings < _HARDLY_LESS * rang:
        return None
    volts = step.output_v[last] - (step.output_v[last].max() + step.output_v[last].min()) / 2
    rises = np.flatnonzero((volts[:-1] < 0) & (volts[1:] >= 0))
    times = step.time_s[last][rises]
    hertz = (len(times) - 1) / (times[-1] - times[0]) if len(times) > 1 else math.nan
    return Oscillation(float(hertz), rings)


def _large(
    benches: Benches, figures: Characterisation, why_not: dict[str, str]
) -> tuple[Step | None, float | None, float | None]:
    low, high, gbw_hz = _LARGE_PART * figures.linear.low, _LARGE_PART * figures.linear.high, figures.gbw_hz or 1.0
    from_v, to_v = 2 * figures.offset_v - low, 2 * figures.offset_v - high
    fast_v_per_s = 2 * math.pi * gbw_hz * _SLOWEST_V
    names = ("slew_up_v_per_s", "slew_down_v_per_s")
    step: Step | None = None
    for longer in _LONGER:
        half_s = longer * 3 * (high - low) / fast_v_per_s
        edge_s = half_s / 1000
        drive = f"pulse({number(from_v)} {number(to_v)} {number(half_s / 10)} {edge_s:g} {edge_s:g} {half_s:g})"
        step = _step(benches, benches.inverter(drive), "v(t)", 2.2 * half_s, half_s / 500)
        if step is None:
            why_not |= dict.fromkeys(names, "ngspice did not come to the end of a large step")
            return None, None, None
        middle = 1.1 * half_s
        first, second = step.time_s <= middle, step.time_s > middle
        up = slew(step.time_s[first], step.output_v[first], low, high)
        down = slew(step.time_s[second], step.output_v[second], high, low)
        if up is not None and down is not None:
            break
    linear_v_per_s = 0.2 * (high - low) * math.pi * gbw_hz / math.log(9 / 7)
    rates = [_limited(rate, linear_v_per_s, name, why_not) for name, rate in zip(names, (up, down), strict=True)]
    return step, rates[0], rates[1]


def _limited(rate: float | None, linear_v_per_s: float, name: str, why_not: dict[str, str]) -> float | None:
    """A slew rate, where it is one."""
    if rate is None:
        why_not[name] = "the output does not come to the end of a large step"
    elif rate > _AS_LINEAR * linear_v_per_s:
        why_not[name] = f"no limit seen: {rate:.3g} V/s is what the bandwidth gives"
        return None
    return rate
