"""A technology file that says of amplifiers what was measured, each value with where it is from."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from kanspice.experiments.characterise import wording
from kanspice.experiments.characterise.figures import decibels, quantity
from kanspice.report.formatting import plain
from kanspice.subcircuits.amplifier import Amplifier, own_amplifier
from kanspice.technology.loading import load_technology, shipped_technologies

if TYPE_CHECKING:
    from kanspice.experiments.characterise.result import AmplifierResult

_HEADROOM = 0.8
"""That of a technology that says nothing else."""
_OF_CURRENT = 0.1
"""Of what the output gives, a row or a column may take."""
_WIDTH = 40
"""Comments begin here."""

Entry = tuple[str, float | str | bool, str]
"""A key, its value, and where that is from."""


def technology_text(result: AmplifierResult, folder: Path | None = None) -> str:
    """TOML, which `load_technology` reads; figures that no key takes are comments.

    folder: where it is going to lie, from where it names the netlist; an absolute path if None.
    """
    lines = ["# An amplifier as kanspice characterise measured it in ngspice."]
    lines += [f"# {label}: {said}" for label, said in wording.conditions(result)]
    lines += [f"name = {json.dumps(plain(result.amplifier.subcircuit.name))}", "general = true"]
    tia = [*_figures(result), *_use(result), *_subcircuit(result, folder)]
    sections = {"process": [*_process(result)], "tia": tia, "clippers": [*_clippers(result.amplifier)]}
    sections["supply"] = [("quiescent_a", result.figures_found.quiescent_a, "from vdd, nothing at the output")]
    for section, entries in sections.items():
        lines += ["", f"[{section}]", *(_line(*entry) for entry in entries)] if entries else []
    return "\n".join([*lines, "", *(f"# {said}" for said in _without_key(result))]) + "\n"


def _line(key: str, value: float | str | bool, said: str) -> str:
    if isinstance(value, float) and not math.isfinite(value):
        return f"# {key}: no limit; {said}"
    text = json.dumps(value) if isinstance(value, str | bool) else f"{value:.6g}"
    return f"{f'{key} = {text}':{_WIDTH - 1}} # {said}"


def _figures(result: AmplifierResult) -> Iterator[Entry]:
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


def _use(result: AmplifierResult) -> Iterator[Entry]:
    """How networks are sized for it."""
    found = result.figures_found
    yield "used_for", "all", "also subtractors and drivers of rows"
    if found.common_mode is not None and found.common_mode.either_way > 0:
        clips = _clips_v(result.amplifier)
        said = "followers are right" if found.common_mode.either_way <= clips else "the process's clips are made for it"
        yield "common_v", min(found.common_mode.either_way, clips), said
    given = [amps for amps in (found.source_a, found.sink_a) if amps is not None]
    halving = found.linear.either_way / found.output_ohm
    amps = min([halving, *(_OF_CURRENT * each for each in given)])
    if 0 < amps < math.inf:
        yield "output_a", amps, "a tenth of what the output gives, and what takes no more than half of the gain"
        yield "subtractor_ohm", found.linear.either_way / amps, "takes no more"


def _process(result: AmplifierResult) -> Iterator[Entry]:
    amplifier = result.amplifier
    if amplifier.models is not None:
        yield "pdk", amplifier.models.process, amplifier.models.version
        yield "corner", amplifier.models.corner, "n- and p-channel transistors"
        yield "temperature_c", amplifier.temperature_c, "degrees Celsius"
        if result.figures_found.offset_sigma_v is not None:
            yield "mismatch", True, "as offset_sigma_v says it for the other engines; --draws 0 for neither"


def _subcircuit(result: AmplifierResult, folder: Path | None) -> Iterator[Entry]:
    """The netlist itself, which ngspice is given; kanspice's own in a process needs not be named."""
    amplifier = result.amplifier
    if _is_own(amplifier):
        return
    path = Path(os.path.realpath(result.path))
    named = str(path) if folder is None else os.path.relpath(path, os.path.realpath(folder))
    yield "subcircuit", named, "ngspice has it for every amplifier"
    yield "subcircuit_name", amplifier.subcircuit.name, "in that file"
    yield "subcircuit_sha256", amplifier.subcircuit.sha256, "of what was measured"
    yield "pins", ",".join(amplifier.roles), "in order"
    if amplifier.bias_a:
        yield "bias_a", amplifier.bias_a, "into its pin bias"


def _is_own(amplifier: Amplifier) -> bool:
    """Whether it is the one that kanspice has in this process."""
    if amplifier.models is None or amplifier.models.process not in shipped_technologies():
        return False
    return own_amplifier(amplifier.models).subcircuit.sha256 == amplifier.subcircuit.sha256


def _clips_v(amplifier: Amplifier) -> float:
    """What the clips of its process are made for, either sign; infinite where it has none."""
    if amplifier.models is None or amplifier.models.process not in shipped_technologies():
        return math.inf
    return load_technology(amplifier.models.process).tia.common_v


def _clippers(amplifier: Amplifier) -> Iterator[Entry]:
    """Those of its process, which are kanspice's own."""
    if amplifier.models is not None and amplifier.models.process in shipped_technologies():
        clippers = load_technology(amplifier.models.process).clippers
        yield "circuit", clippers.circuit, "kanspice's own in this process"
        yield "gain", clippers.gain, "of its amplifiers"
        yield "offset_v", clippers.offset_v, "of its amplifiers"


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
    given = quantity(found.source_a, "A"), quantity(found.sink_a, "A")
    yield f"slew rates {rates[0]} up, {rates[1]} down; at most {given[0]} out and {given[1]} in"
    for label, said in wording.trust(result):
        if not isinstance(said, str) and said is not None and said.warning:
            yield f"{label}: {said.text}"
    for name, why in found.why_not.items():
        yield f"no {name}: {plain(why)}"
