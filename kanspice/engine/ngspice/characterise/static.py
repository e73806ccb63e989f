"""What an amplifier does at rest and for small signals: transfer curves both ways, and a loop's frequency responses."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from kanspice.base.errors import InputError, SimulatorError
from kanspice.base.spice_numbers import spice_number as number
from kanspice.engine.ngspice.analyses import Analysis, analyse
from kanspice.engine.ngspice.characterise.benches import FED_BACK, LED_TO, Benches
from kanspice.engine.ngspice.characterise.curves import Response, Transfer, around_middle
from kanspice.engine.ngspice.characterise.tracing import TIMEOUT_S, LedSource, NoTransferCurve, TransferCurve, traced
from kanspice.subcircuits.characterisation import Characterisation, Load, VoltageRange

_POINTS = 320
"""Of a transfer curve."""
_LOWEST_HZ, _HIGHEST_HZ, _PER_DECADE = 1e-3, 1e11, 20
_MOVES = 0.01
"""Of the supplies' difference: an output that moves by less, its inputs overdriven both ways, does not follow them."""
_FOLLOWS = 1e-3
"""Of the supplies' difference: a follower that is off by more, besides its offset, is not right."""
_LACKS = ("unknown subckt", "unknown model", "find model", "unable to find definition")
_HELD = 0.2
"""Of half of the supplies' difference: so far a loaded output may leave the middle."""
_WEAKEST, _STRONGEST = 9.0, -1.0
"""Powers of ten of ohms that pull an output to a supply."""
_PULLS = 300
"""Steps from one to the other: larger ones take longer, since operating points are far from each other."""


@dataclass(frozen=True)
class Static:
    """Figures at rest and for small signals, and the curves that they are read from."""

    figures: Characterisation
    transfer: Transfer
    led: TransferCurve
    """Output over where a loop leads it."""
    followed: TransferCurve | None
    """Output of a follower over its input."""
    response: Response


def measure_static(benches: Benches) -> Static:
    """Raises InputError for an amplifier whose pins or supplies are not what they are said to be, SimulatorError for
    one without an operating point.
    """
    led, transfer = _led(benches)
    offset_v = transfer.difference_at_middle
    rest = _rest(benches, offset_v)
    response, gain = rest.response, rest.response.dc
    _check_follows(benches, led, gain, rest.quiescent_a)
    why_not: dict[str, str] = {}
    followed = _followed(benches, why_not)
    source_a, sink_a = (_given(benches, offset_v, why_not, name) for name in ("source_a", "sink_a"))
    for name, figure in (("gbw_hz", response.product_hz), ("unity_hz", response.falls_to(1.0))):
        if figure is None:
            why_not[name] = f"the gain does not fall to 1 up to {_HIGHEST_HZ:g} Hz"
    figures = Characterisation(
        load=benches.load,
        gain=gain,
        output_ohm=float(rest.output_ohm[0].real),
        output_fast_ohm=_output_fast(rest),
        offset_v=offset_v,
        bias_a=rest.bias_a,
        offset_a=rest.bias_a - rest.plus_a,
        inverting_ohm=rest.inverting_ohm,
        input_f=rest.input_f,
        quiescent_a=rest.quiescent_a,
        swing=_stops(transfer, gain),
        linear=_within(transfer.linear(gain), benches.half_v),
        common_mode=None if followed is None else _common_mode(followed, offset_v, benches.half_v),
        source_a=source_a,
        sink_a=sink_a,
        gbw_hz=response.product_hz,
        unity_hz=response.falls_to(1.0),
        phase_margin_deg=response.phase_margin_deg,
        why_not=why_not,
    )
    return Static(figures, transfer, led, followed, response)


def _check_follows(benches: Benches, led: TransferCurve, gain: float, supply_a: float) -> None:
    """Refuses a part whose output does not follow its inputs, or the wrong way."""
    amplifier = benches.amplifier
    pins = ", ".join(f"{pin} is {role}" for pin, role in zip(amplifier.subcircuit.pins, amplifier.roles, strict=True))
    where = f"subcircuit {amplifier.subcircuit.name}"
    expected = f"the pins in the right order; now {pins}"
    if supply_a < 0:
        raise InputError(
            "it pushes current into its upper supply",
            where=where,
            expected=expected,
            found=f"{-supply_a:.3g} A",
            hint="exchange vdd and vss in --pins",
        )
    out_v = led.outwards.vectors["v(out)"] + benches.mid_v
    moved = float(np.ptp(out_v))
    if moved < _MOVES * 2 * benches.half_v or abs(gain) < 1:
        raise InputError(
            "the output does not follow the inputs",
            where=where,
            expected=expected,
            found=f"an output from {out_v.min():.4g} to {out_v.max():.4g} V, a gain of "
            f"{gain:.3g}, and {supply_a:.3g} A from the upper supply",
            hint="another order of --pins, other supplies (--vdd, --vss), or a bias current (--bias-a)",
        )
    if gain < 0 and _ends_are_right(led):
        raise SimulatorError(
            "it has hysteresis: its output holds itself at either stop",
            where=where,
            found=f"a gain of {gain:.3g} with the output in the middle, where it is not stable",
            hint="a comparator or a latch is no operational amplifier",
        )
    if gain < 0:
        raise InputError(
            "the output falls where the input in+ rises",
            where=where,
            expected=expected,
            found=f"a gain of {gain:.3g}",
            hint="exchange in+ and in- in --pins; if they are right, its output holds itself, and it is no amplifier",
        )


def _ends_are_right(led: TransferCurve) -> bool:
    """Whether the output is where it is led, with the inputs overdriven from scratch."""
    ends = [(curve.x[place], curve.vectors["v(out)"][place]) for curve in led.across for place in (0, -1)]
    return float(max(ends)[1]) - float(min(ends)[1]) > 0


def _no_operating_point(benches: Benches, said: str) -> SimulatorError | InputError:
    where = f"subcircuit {benches.amplifier.subcircuit.name}"
    if any(word in said.lower() for word in _LACKS):
        return InputError(
            "the netlist needs parts that are not in it",
            where=where,
            found=said,
            hint="its models in the same file, or --process for transistors of an open process",
        )
    problem, hint = "ngspice finds no operating point", "look at its pins and supplies"
    return SimulatorError(problem, where=where, found=said, hint=hint)


def _led(benches: Benches) -> tuple[TransferCurve, Transfer]:
    """The output led from stop to stop."""
    top = LED_TO * benches.half_v
    led = traced(benches.loop(), LedSource("vt", VoltageRange(-top, top), ("v(out)", "v(m)"), _POINTS), benches.mid_v)
    if isinstance(led, NoTransferCurve):
        raise _no_operating_point(benches, led.why)
    return led, Transfer(led.outwards.vectors["v(out)"], led.outwards.vectors["v(m)"])


@dataclass(frozen=True)
class _Rest:
    response: Response
    bias_a: float
    plus_a: float
    quiescent_a: float
    output_ohm: npt.NDArray[np.complex128]
    """Open loop, without the load, over the response's frequencies."""
    inverting_ohm: float
    input_f: float


def _rest(benches: Benches, offset_v: float) -> _Rest:
    """With the output in the middle: what flows, and small signals."""
    ac = f"ac dec {_PER_DECADE} {_LOWEST_HZ:g} {_HIGHEST_HZ:g}"
    found = analyse(
        benches.loop(-offset_v / FED_BACK),
        [
            Analysis("rest", "op", ("i(vp)", "i(em)", "i(vvdd)")),
            Analysis("gain", ac, ("v(out)", "v(m)", "i(em)")),
            Analysis("output", ac, ("v(out)",), before=("alter @vt[acmag]=0", "alter @iout[acmag]=1")),
        ],
        TIMEOUT_S,
    )
    if found.why_not:
        raise _no_operating_point(benches, next(iter(found.why_not.values())))
    rest, gain = found.found["rest"], found.found["gain"]
    hertz = gain["frequency"].real
    taken = -gain["i(em)"] / gain["v(m)"]
    response = Response(hertz, -np.asarray(gain["v(out)"], dtype=np.complex128) / gain["v(m)"])
    at = int(np.argmin(np.abs(hertz - (response.product_hz or 1e6) / 10)))
    return _Rest(
        response,
        bias_a=0.0 - float(rest["i(em)"][0].real),
        plus_a=0.0 - float(rest["i(vp)"][0].real),
        quiescent_a=-float(rest["i(vvdd)"][0].real),
        output_ohm=_open_loop(np.asarray(found.found["output"]["v(out)"]), response, benches.load),
        inverting_ohm=float(1 / taken[0].real) if taken[0].real > 0 else math.inf,
        input_f=max(float(taken[at].imag / (2 * math.pi * hertz[at])), 0.0) + 0.0,
    )


def _stops(transfer: Transfer, gain: float) -> VoltageRange:
    """Where the output stops; infinite where it goes as far as it is led, its gain not a tenth less."""
    linear, ends = transfer.linear(gain), (float(transfer.output_v.min()), float(transfer.output_v.max()))
    low, high = (-math.inf if linear.low == ends[0] else ends[0]), (math.inf if linear.high == ends[1] else ends[1])
    return VoltageRange(low, high)


def _within(span: VoltageRange, most_v: float) -> VoltageRange:
    """The same, no farther than the supplies."""
    return VoltageRange(max(span.low, -most_v), min(span.high, most_v))


def _open_loop(closed_ohm: npt.NDArray[np.complex128], response: Response, load: Load) -> npt.NDArray[np.complex128]:
    """The output's impedance without the loop and without the load."""
    loaded = closed_ohm * (1 + FED_BACK * response.gain)
    return np.asarray(1 / (1 / loaded - 1 / load.ohm - 2j * math.pi * response.hertz * load.farad))


def _output_fast(rest: _Rest) -> float:
    """Of the output's impedance, what it is where the gain is 1; if it never is, what it is at DC."""
    unity_hz = rest.response.falls_to(1.0) or 0.0
    return float(np.interp(unity_hz, rest.response.hertz, np.abs(rest.output_ohm)))


def _followed(benches: Benches, why_not: dict[str, str]) -> TransferCurve | None:
    sweep = LedSource("vp", VoltageRange(-benches.half_v, benches.half_v), ("v(out)",), _POINTS)
    followed = traced(benches.follower(), sweep, benches.mid_v)
    if isinstance(followed, NoTransferCurve):
        why_not["common_mode"] = f"a follower has no operating point: {followed.why}"
        return None
    return followed


def _common_mode(followed: TransferCurve, offset_v: float, half_v: float) -> VoltageRange:
    x, out = followed.outwards.x, followed.outwards.vectors["v(out)"]
    return around_middle(x, np.abs(out - x - offset_v) <= _FOLLOWS * 2 * half_v)


def _given(benches: Benches, offset_v: float, why_not: dict[str, str], name: str) -> float | None:
    """The largest current with which the output stays near the middle, while a resistor to a supply gets smaller."""
    to, sign = {"source_a": ("vss", 1.0), "sink_a": ("vdd", -1.0)}[name]
    step = (_STRONGEST - _WEAKEST) / _PULLS
    command = f"dc vu {number(_WEAKEST)} {number(_STRONGEST)} {number(step)}"
    pull = Analysis("pull", command, ("v(out)", "i(vpull)"), is_partial=True)
    found = analyse(benches.pulled(to, -offset_v / FED_BACK), [pull], TIMEOUT_S)
    if "pull" not in found.found:
        why_not[name] = f"no operating point: {found.why_not['pull']}"
        return None
    table = found.found["pull"]
    amps, left_v = sign * table["i(vpull)"].real, np.abs(table["v(out)"].real - benches.mid_v)
    limit_v = _HELD * benches.half_v
    beyond = np.flatnonzero(left_v > limit_v)
    if beyond.size == 0:
        stopped = len(amps) < _PULLS
        left = "with more ngspice finds no operating point" if stopped else "the model has no limit"
        why_not[name] = f"more than {amps[-1]:.3g} A; {left}"
        return None
    first = int(beyond[0])
    if first == 0:
        why_not[name] = f"the output is not held with {10**_WEAKEST:.3g} ohm to a supply"
        return None
    return float(np.interp(limit_v, left_v[first - 1 : first + 1], amps[first - 1 : first + 1]))
