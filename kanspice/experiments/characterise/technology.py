"""A technology file that says of amplifiers what was measured, each value with where it is from."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

from kanspice.experiments.characterise import wording
from kanspice.experiments.characterise.figures import decibels, quantity
from kanspice.report.formatting import plain
from kanspice.technology.sections import Tia

if TYPE_CHECKING:
    from kanspice.experiments.characterise.result import AmplifierResult

_HEADROOM = 0.8
"""That of a technology that says nothing else."""
_WIDTH = 40
"""Comments begin here."""


def technology_text(result: AmplifierResult) -> str:
    """TOML, which `load_technology` reads; figures that no key takes are comments."""
    amplifier = result.amplifier
    lines = [f"# {label}: {said}" for label, said in wording.conditions(result)]
    lines = ["# An amplifier as kanspice characterise measured it in ngspice.", *lines]
    lines += [f'name = "{_name(amplifier.subcircuit.name)}"', "general = true", "", "[tia]"]
    lines += [
        line for key, value, said in _tia(result) if key in Tia.model_fields for line in [_entry(key, value, said)]
    ]
    lines += [
        "",
        "[supply]",
        _entry("quiescent_a", result.figures_found.quiescent_a, "from vdd, nothing at the output"),
    ]
    return "\n".join([*lines, "", *(f"# {said}" for said in _without_key(result))]) + "\n"


def _name(name: str) -> str:
    return "".join(letter if letter.isalnum() or letter in "_-. " else "_" for letter in plain(name))


def _entry(key: str, value: float, said: str) -> str:
    return f"{f'{key} = {value:.6g}':{_WIDTH}}# {said}" if math.isfinite(value) else f"# {key}: no limit; {said}"


def _tia(result: AmplifierResult) -> Iterator[tuple[str, float, str]]:
    found, half_v = result.figures_found, result.measured.benches.half_v
    yield "gain", found.gain, f"{decibels(found.gain):.1f} dB at DC, with the load"
    yield "output_ohm", found.output_fast_ohm, "open loop, where the gain is 1"
    yield "offset_v", found.offset_v, "systematic: in- above in+ with the output in the middle"
    if found.offset_sigma_v is not None:
        yield "offset_sigma_v", found.offset_sigma_v, f"of {len(found.offset_draws_v)} parts drawn"
    yield "input_bias_a", found.bias_a, "into in-"
    yield "swing_v", found.swing.either_way, "where the nearer stop is, with the load"
    yield "rail_v", half_v, "half of the supplies' difference"
    headroom = min(_HEADROOM, math.floor(100 * found.linear.either_way / half_v) / 100)
    if headroom > 0:
        yield "headroom", headroom, f"up to {quantity(found.linear.either_way, 'V')} a tenth of the gain is left"
    if found.gbw_hz is not None:
        yield "gbw_hz", found.gbw_hz, "gain times frequency halfway down"
        if found.slew_v_per_s is not None:
            yield "slew_v_per_s", found.slew_v_per_s, "the slower direction"
    if found.noise_v_per_rthz is not None:
        corner = quantity(found.noise_corner_hz, "Hz")
        yield "noise_v_per_rthz", found.noise_v_per_rthz, f"white; 1/f noise, as strong at {corner}, is not in it"


def _without_key(result: AmplifierResult) -> Iterator[str]:
    found = result.figures_found
    yield "What no key takes:"
    yield f"at DC, open loop, the output is {quantity(found.output_ohm, 'ohm')}: a load there takes from the gain"
    yield f"output {wording.stops(found.swing)}, from the middle of the supplies"
    if found.common_mode is not None:
        low, high = quantity(found.common_mode.low, "V"), quantity(found.common_mode.high, "V")
        yield f"followers, which drive rows, are right from {low} to {high}"
    if found.phase_margin_deg is not None:
        yield f"{found.phase_margin_deg:.0f} degrees of phase margin with {wording.load(found.load)}"
    rates = quantity(found.slew_up_v_per_s, "V/s"), quantity(found.slew_down_v_per_s, "V/s")
    yield (
        f"slew rates {rates[0]} up, {rates[1]} down; at most {quantity(found.source_a, 'A')} out and "
        f"{quantity(found.sink_a, 'A')} in"
    )
    for label, said in wording.trust(result):
        if not isinstance(said, str) and said is not None and said.warning:
            yield f"{label}: {said.text}"
    for name, why in found.why_not.items():
        yield f"no {name}: {plain(why)}"
