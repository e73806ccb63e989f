"""Banks of connections, flat in the circuit: rows drive them, and what arrives at a column is added as a current."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np

from kanspice.design import FilterBank, SynapseBank
from kanspice.design.stages import Connections
from kanspice.design.stages.filter_bank import RESET_SHARE
from kanspice.design.stages.synapse_bank import BAND_PASS, LOW_PASS
from kanspice.netlist.filters import filter_line, filter_subcircuits
from kanspice.netlist.names import (
    amplitude_node,
    connection_element,
    layer_of,
    peak_node,
    sine_node,
    sum_node,
    tone_node,
)
from kanspice.units import spice_number

_ATTACKS = 50
"""A detector's attack takes this part of the shortest sine: steps that follow the sine follow it, too."""
_LARGEST_DRIVE_V = 10.0
"""More drives no memdiode: its current is at most this over what is in its way."""


def bank_lines(bank: Connections, rows: Sequence[str], begins_s: float | None = None) -> Iterator[str]:
    """A bank's elements, between the nodes of its rows and its columns, which are held at 0 V and get an amp per volt.

    begins_s: of filters, when their slot begins, for what they do over time; None for operating points.
    """
    if isinstance(bank, SynapseBank):
        return _synapses(bank, rows)
    return _filters(bank, rows) if begins_s is None else _detected(bank, rows, begins_s)


def subcircuits_of(bank: Connections, begins_s: float | None = None) -> set[str]:
    """The library's subcircuits that `bank_lines` uses."""
    if isinstance(bank, FilterBank):
        over_time = {"oscillator", "peak_detector", *filter_subcircuits(bank)}
        return {_tone(bank)} | (set() if begins_s is None else over_time)
    return {"synapse_band" if kind == BAND_PASS else "synapse" for kind in np.unique(bank.kind[bank.gain != 0])}


def tone_line(bank: FilterBank, name: str, row: str, tone: str) -> str:
    """What turns a row's voltage into the frequency of its sine, a volt per hertz."""
    parameters = {"decade": bank.decade, "decades": bank.decades / bank.control_v}
    parameters["most"] = bank.most_decades
    if math.isfinite(bank.clock_hz):
        parameters["clock"] = bank.clock_hz
    values = " ".join(f"{key}={spice_number(value)}" for key, value in parameters.items())
    return f"x{name} {row} {tone} {_tone(bank)} {values}"


def _tone(bank: FilterBank) -> str:
    return "tone_clocked" if math.isfinite(bank.clock_hz) else "tone"


def _filters(bank: FilterBank, rows: Sequence[str]) -> Iterator[str]:
    """Every filter as its amplitude law, as in `design.stages.filter_bank`."""
    layer = layer_of(bank.name)
    for row, node in enumerate(rows):
        yield tone_line(bank, f"{layer}_tone{row}", node, tone_node(layer, row))
    for row, column, place in np.argwhere(bank.gain).tolist():
        name = connection_element(layer, row, column, place)
        yield f"b{name} 0 {sum_node(layer, column)} i={_amplitude(bank, (row, column, place))}"


def _amplitude(bank: FilterBank, place: tuple[int, int, int]) -> str:
    """The current of a filter: its detector's voltage, with the sign of its gain."""
    gain, tone = float(bank.gain[place]), f"v({tone_node(layer_of(bank.name), place[0])})"
    high = f"{tone}*{spice_number(2 * math.pi * float(bank.high_ohm[place] * bank.high_f[place]))}"
    low = f"{tone}*{spice_number(2 * math.pi * float(bank.low_ohm[place] * bank.low_f[place]))}"
    scale, sign = spice_number(gain * bank.sine_v), math.copysign(1.0, gain)
    text = f"{scale}*({high})/sqrt((1+({high})^2)*(1+({low})^2))"
    if math.isfinite(bank.amplifier_hz):
        follower = f"({tone}*{spice_number(1 / bank.amplifier_hz)})"
        inverting = f"({tone}*{spice_number((1 + abs(gain)) / bank.amplifier_hz)})"
        text += f"/((1+{follower}^2)*sqrt(1+{inverting}^2))"
    if math.isfinite(bank.hold_s):
        passed = f"({spice_number(0.5 / bank.hold_s)}/{tone})"
        text += f"*(1-exp(-{passed}))/{passed}"
    offset_v = float(bank.offset_v[place])
    return f"{text}+{spice_number(sign * offset_v)}" if offset_v else text


def _detected(bank: FilterBank, rows: Sequence[str], begins_s: float) -> Iterator[str]:
    """Every filter between an oscillator and a detector, whose voltage it adds to its column."""
    layer = layer_of(bank.name)
    reset = f"{layer}_reset"
    for row, node in enumerate(rows):
        tone, amplitude = tone_node(layer, row), spice_number(bank.sine_v)
        yield tone_line(bank, f"{layer}_tone{row}", node, tone)
        yield f"x{layer}_sine{row} {tone} {sine_node(layer, row)} oscillator amplitude={amplitude}"
    release_s = begins_s + RESET_SHARE * bank.slot_s
    attack_s = 1 / (_ATTACKS * bank.highest_hz)
    yield f"v{reset} {reset} 0 pwl(0 1 {spice_number(release_s)} 1 {spice_number(release_s + attack_s)} 0)"
    timing = f"attack={spice_number(attack_s)} forget={spice_number(1 / bank.hold_s)}"
    for row, column, place in np.argwhere(bank.gain).tolist():
        at = row, column, place
        name, target = connection_element(layer, *at), sum_node(layer, column)
        amplitude, peak = amplitude_node(layer, *at), peak_node(layer, *at)
        yield filter_line(bank, at, f"x{name}", sine_node(layer, row), amplitude)
        yield f"x{peak} {amplitude} {peak} {reset} peak_detector {timing}"
        sign = math.copysign(1.0, float(bank.gain[at]))
        yield f"g{name} 0 {target} {peak} 0 {spice_number(sign)}"
        if bank.offset_v[at]:
            yield f"i{name} 0 {target} {spice_number(sign * float(bank.offset_v[at]))}"


def _synapses(bank: SynapseBank, rows: Sequence[str]) -> Iterator[str]:
    """Memdiodes, as circuits that ngspice solves; low-pass ones are driven by what their row lacks of the reference."""
    layer, exists = layer_of(bank.name), bank.gain != 0
    shared = exists & (bank.input_bias_v == 0)
    for row, node in enumerate(rows):
        kinds = {int(kind) for kind in np.unique(bank.kind[row][shared[row]])}
        for kind in sorted(kinds):
            yield from _drives(bank, kind, node, str(row))
    for row, column, place in np.argwhere(exists).tolist():
        at = row, column, place
        if shared[at]:
            yield _synapse(bank, at, rows[row], str(row))
        else:
            own = "_".join(map(str, at))
            biased = f"{layer}_i{own}"
            yield f"v{biased} {biased} {rows[row]} {spice_number(float(bank.input_bias_v[at]))}"
            yield from _drives(bank, int(bank.kind[at]), biased, own)
            yield _synapse(bank, at, biased, own)


def _drives(bank: SynapseBank, kind: int, source: str, name: str) -> Iterator[str]:
    """What synapses of a kind need beside their input: `k`, what it lacks of the reference, or `m`, its negative."""
    lacking, lack, minus = (f"{layer_of(bank.name)}_{letter}{name}" for letter in "klm")
    if kind == LOW_PASS:
        yield f"v{lacking} {lacking} {lack} {spice_number(bank.reference_v)}"
        yield f"e{lack} {lack} 0 {source} 0 -1"
    elif kind == BAND_PASS:
        yield f"e{minus} {minus} 0 {source} 0 -1"


def _synapse(bank: SynapseBank, place: tuple[int, int, int], source: str, name: str) -> str:
    """A synapse whose input is the node `source`; name: of what `_drives` made of it."""
    layer, column = layer_of(bank.name), place[1]
    parameters = {
        "load": bank.load_ohm[place],
        "series": bank.series_ohm[place],
        "alpha": bank.alpha_per_v[place],
        "sat": bank.saturation_a[place],
        "gain": bank.gain[place],
    }
    path_ohm = float(bank.load_ohm[place] + bank.series_ohm[place])
    if bank.kind[place] == BAND_PASS:
        ends, subcircuit = f"{source} {layer}_m{name}", "synapse_band"
        parameters["input"] = input_ohm = bank.input_ohm[place]
        path_ohm = float(1 / (1 / bank.load_ohm[place] + 1 / input_ohm) + bank.series_ohm[place])
    else:
        ends, subcircuit = f"{layer}_k{name}" if bank.kind[place] == LOW_PASS else source, "synapse"
    parameters["top"] = max(math.log(_LARGEST_DRIVE_V / path_ohm / bank.saturation_a[place]), 0.0) + 1
    values = " ".join(f"{key}={spice_number(float(value))}" for key, value in parameters.items())
    return f"x{connection_element(layer, *place)} {ends} {sum_node(layer, column)} {subcircuit} {values}"
