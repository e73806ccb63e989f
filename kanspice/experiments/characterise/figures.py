"""The figures of an amplifier, one record each: what it is called, how it was measured, what it depends on."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from kanspice.base.quantities import prefix
from kanspice.report.formatting import NOTHING, number
from kanspice.subcircuits.characterisation import Characterisation, VoltageRange


@dataclass(frozen=True)
class Figure:
    """A figure. name: its key in documents. value: None where it was not measured. how: it was measured.

    depends: on what. reasons: of which attributes' `why_not` says why there is none.
    """

    name: str
    title: str
    unit: str
    value: Callable[[Characterisation], float | None]
    how: str
    depends: str
    reasons: tuple[str, ...] = ()

    def why_not(self, of: Characterisation) -> str | None:
        """Why there is no value; None where there is one."""
        if self.value(of) is not None:
            return None
        return next((of.why_not[name] for name in (self.name, *self.reasons) if name in of.why_not), "not measured")


def quantity(value: float | None, unit: str) -> str:
    """A value with its unit and an SI prefix: 7.58 MHz; slew rates as designers write them."""
    if value is None:
        return NOTHING
    if math.isinf(value):
        return "infinite" if unit == "ohm" else "no limit"
    if unit == "Hz" and value == 0:
        return "none"
    if unit in {"", "degrees", "dB"}:
        return f"{number(value)} {unit}".strip()
    if unit == "V/s":
        return f"{number(value / 1e6)} V/µs"
    scale = prefix(float(f"{value:.3g}"))
    return f"{number(value / scale.factor)} {scale.symbol}{unit}"


def decibels(gain: float) -> float:
    """A voltage gain in decibels."""
    return 20 * math.log10(abs(gain))


def _end(name: str, side: str) -> Callable[[Characterisation], float | None]:
    def found(of: Characterisation) -> float | None:
        span: VoltageRange | None = getattr(of, name)
        return None if span is None else float(getattr(span, side))

    return found


_LED = "loop of sources that feeds a tenth of the output back"
_MIDDLE = "output in the middle of the supplies"
FIGURES: tuple[Figure, ...] = (
    Figure(
        "gain_db",
        "open-loop gain at DC",
        "dB",
        lambda of: decibels(of.gain),
        f"small signals at 1 mHz in a {_LED}, {_MIDDLE}: output over the difference of the inputs",
        "load resistance, output voltage, temperature",
    ),
    Figure(
        "output_ohm",
        "output resistance, open loop",
        "ohm",
        lambda of: of.output_ohm,
        "small signals at 1 mHz: a current into the same loop's output, times 1 + loop gain; without the load's",
        "output voltage; frequency, where a capacitor leads around the output stage",
    ),
    Figure(
        "output_fast_ohm",
        "the same where the gain is 1",
        "ohm",
        lambda of: of.output_fast_ohm,
        "the same at that frequency; the load's resistance and capacitance are taken out",
        "transconductance of the output stage",
    ),
    Figure(
        "closed_ohm",
        "output resistance of a follower",
        "ohm",
        lambda of: of.output_ohm / (1 + of.gain_unloaded),
        "the same over 1 + gain",
        "frequency (it rises from the first pole on)",
    ),
    Figure(
        "offset_v",
        "systematic offset",
        "V",
        lambda of: of.offset_v,
        f"in- above in+ in the same loop, {_MIDDLE}, between two points of the transfer curve",
        "temperature, supplies, common mode; mismatch, which is not in it",
    ),
    Figure(
        "offset_sigma_v",
        "offset from part to part (sigma)",
        "V",
        lambda of: of.offset_sigma_v,
        "standard deviation over parts drawn from the foundry's mismatch statistics, each in its own loop",
        "area of the input transistors and of their load",
    ),
    Figure("bias_a", "input bias current", "A", lambda of: of.bias_a, "into in- in the same loop", "temperature"),
    Figure(
        "offset_a", "input offset current", "A", lambda of: of.offset_a, "into in- less than into in+", "temperature"
    ),
    Figure(
        "inverting_ohm",
        "resistance of in-",
        "ohm",
        lambda of: of.inverting_ohm,
        "small signals at 1 mHz: in- driven, in+ held",
        "input stage (some ohms to a kiloohm in current feedback parts)",
    ),
    Figure(
        "input_f",
        "capacitance of in-",
        "F",
        lambda of: of.input_f,
        "small signals at a tenth of the gain-bandwidth product: in- driven, in+ held",
        "area of the input transistors",
    ),
    Figure(
        "quiescent_a",
        "supply current",
        "A",
        lambda of: of.quiescent_a,
        f"from vdd in the same loop, {_MIDDLE}",
        "supplies, temperature, corner",
    ),
    Figure(
        "swing_low_v",
        "output stops at, below",
        "V",
        _end("swing", "low"),
        "the loop is led beyond the supplies, from the middle outwards",
        "load resistance",
    ),
    Figure(
        "swing_high_v",
        "output stops at, above",
        "V",
        _end("swing", "high"),
        "the loop is led beyond the supplies, from the middle outwards",
        "load resistance",
    ),
    Figure(
        "linear_low_v",
        "a tenth of the gain is left at, below",
        "V",
        _end("linear", "low"),
        "slope of the same transfer curve",
        "load resistance",
    ),
    Figure(
        "linear_high_v",
        "a tenth of the gain is left at, above",
        "V",
        _end("linear", "high"),
        "slope of the same transfer curve",
        "load resistance",
    ),
    Figure(
        "common_mode_low_v",
        "a follower is right from",
        "V",
        _end("common_mode", "low"),
        "in+ led from vss to vdd: besides its offset the output is off by no more than a thousandth of the supplies' "
        "difference",
        "input stage; drivers of rows need it",
        ("common_mode",),
    ),
    Figure(
        "common_mode_high_v",
        "a follower is right to",
        "V",
        _end("common_mode", "high"),
        "in+ led from vss to vdd: besides its offset the output is off by no more than a thousandth of the supplies' "
        "difference",
        "input stage; drivers of rows need it",
        ("common_mode",),
    ),
    Figure(
        "source_a",
        "gives at most",
        "A",
        lambda of: of.source_a,
        "a smaller and smaller resistor to vss, until the output is a tenth of the supplies' difference off the middle",
        "output voltage",
    ),
    Figure(
        "sink_a",
        "takes at most",
        "A",
        lambda of: of.sink_a,
        "a smaller and smaller resistor to vdd, until the output is a tenth of the supplies' difference off the middle",
        "output voltage",
    ),
    Figure(
        "gbw_hz",
        "gain-bandwidth product",
        "Hz",
        lambda of: of.gbw_hz,
        "gain times frequency where the gain is the square root of that at DC",
        "compensation, bias current",
    ),
    Figure(
        "unity_hz",
        "gain is 1 at",
        "Hz",
        lambda of: of.unity_hz,
        "the highest such frequency of the same response",
        "load capacitance",
    ),
    Figure(
        "phase_margin_deg",
        "phase margin of a follower",
        "degrees",
        lambda of: of.phase_margin_deg,
        "180 degrees and the phase of the same response there",
        "load capacitance",
        ("unity_hz",),
    ),
    Figure(
        "slew_up_v_per_s",
        "slew rate, rising",
        "V/s",
        lambda of: of.slew_up_v_per_s,
        "an inverter of gain 1 without load of its own, a step of four fifths of the range above: its fastest fifth",
        "bias current, compensation, load capacitance",
    ),
    Figure(
        "slew_down_v_per_s",
        "slew rate, falling",
        "V/s",
        lambda of: of.slew_down_v_per_s,
        "an inverter of gain 1 without load of its own, a step of four fifths of the range above: its fastest fifth",
        "bias current, compensation, load capacitance",
    ),
    Figure(
        "noise_v_per_rthz",
        "white noise at the input",
        "V/rtHz",
        lambda of: of.noise_v_per_rthz,
        "noise analysis of such a loop that feeds all back; what 1/f noise, a power of frequency, leaves where least",
        "bias current, temperature",
    ),
    Figure(
        "noise_corner_hz",
        "1/f noise as strong at",
        "Hz",
        lambda of: of.noise_corner_hz,
        "where the noise has twice the power of white noise",
        "area of the input transistors",
    ),
)
