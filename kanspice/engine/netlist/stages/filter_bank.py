"""Banks of filters, flat in the circuit: what arrives at a column is added as a current into a node held at 0 V."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from functools import partial

import numpy as np

from kanspice.base.spice_numbers import spice_number
from kanspice.circuit import FilterBank
from kanspice.circuit.stages.filter_bank import RESET_SHARE
from kanspice.engine.netlist.filters import filter_line, filter_subcircuits
from kanspice.engine.netlist.named import FILTER, filter_definition, named_filter
from kanspice.engine.netlist.names import (
    amplitude_node,
    connection_element,
    layer_of,
    peak_node,
    sine_node,
    sum_node,
    tone_node,
)
from kanspice.engine.netlist.sheet import Lines, Sheet

_ATTACKS = 50
"""A detector's attack takes this part of the shortest sine: steps that follow the sine follow it, too."""


def write_filter_bank(sheet: Sheet, bank: FilterBank, signal: Sequence[str], outputs: Sequence[str]) -> Lines:
    """Between its rows and the outputs of its sums; the filters are returned: over time, if the sheet is."""
    layer, over_time = layer_of(bank.name), sheet.fidelity == "transient"
    if over_time:
        lines: Lines = partial(_detected, bank, tuple(signal), sheet.now_s)
        sheet.used |= {"oscillator", "peak_detector", *filter_subcircuits(bank)}
    elif sheet.named:
        lines = partial(_named, bank, tuple(signal))
        sheet.functions[FILTER] = filter_definition(bank)
    else:
        lines = partial(_filters, bank, tuple(signal))
    sheet.used.add(_tone(bank))
    columns = [sum_node(layer, index) for index in range(bank.width)]
    sheet.nodes.update(signal, columns)
    sheet.tally.add_lines(_filters(bank, tuple(signal)) if sheet.named and not over_time else lines())
    gains = (bank.sum_gain * bank.scale).tolist()
    for column, output, gain, bias_v in zip(columns, outputs, gains, bank.bias_v.tolist(), strict=True):
        sheet.instance(column, "summer", column, output, gain=gain, bias=bias_v)
    sheet.now_s += bank.slot_s
    return lines


def _tone_line(bank: FilterBank, name: str, row: str, tone: str) -> str:
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
    """Every filter as its amplitude law, as its stage in `design` has it."""
    layer = layer_of(bank.name)
    for row, node in enumerate(rows):
        yield _tone_line(bank, f"{layer}_tone{row}", node, tone_node(layer, row))
    for row, column, place in np.argwhere(bank.gain).tolist():
        name = connection_element(layer, row, column, place)
        yield f"b{name} 0 {sum_node(layer, column)} i={_amplitude(bank, (row, column, place))}"


def _named(bank: FilterBank, rows: Sequence[str]) -> Iterator[str]:
    """The same, as instances of a subcircuit with a filter's parts."""
    layer = layer_of(bank.name)
    for row, node in enumerate(rows):
        yield _tone_line(bank, f"{layer}_tone{row}", node, tone_node(layer, row))
    for row, column, place in np.argwhere(bank.gain).tolist():
        name = connection_element(layer, row, column, place)
        yield named_filter(bank, (row, column, place), name, tone_node(layer, row), sum_node(layer, column))


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
        yield _tone_line(bank, f"{layer}_tone{row}", node, tone)
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
