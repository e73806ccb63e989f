"""One filter of a PhyKAN as parts between nets: RC networks, followers, an amplifier, and a sine that drives them."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from kanspice.base.errors import InputError
from kanspice.circuit import Design, FilterBank
from kanspice.circuit.stages.filter_bank import amplitudes_v, tones_hz
from kanspice.engine.netlist.names import amplitude_node, layer_of, sine_node
from kanspice.engine.solution import Solution
from kanspice.experiments.export.kicad.excerpt import GROUND, LOWER, UPPER, Excerpt, supplies_of
from kanspice.experiments.export.kicad.models import OP_AMP, PoleModel, pole_library
from kanspice.experiments.export.kicad.parts import Capacitor, Component, OpAmp, Resistor, SineSource, engineering

_RAIL_V = 5.0
_PLACE = re.compile(r"(\d{1,9}):(\d{1,9}),(\d{1,9}),(\d{1,9})")
EXPECTED = "LAYER:ROW,OUTPUT,FILTER, as in 1:0,2,1: filter 1 from row 0 to output 2 of layer 1"


@dataclass(frozen=True)
class FilterPath(Excerpt):
    """From the sine of a row to what the filter's detector sees.

    network: in signal order, the parts of the high-pass, its follower, those of the low-pass, its follower, the input
    resistor of the inverting amplifier, its feedback, and the amplifier. hz: of the sine.
    """

    at: tuple[int, int, int]
    sine: Component
    network: tuple[Component, ...]
    hz: float

    @property
    def title(self) -> str:
        row, output, number = self.at
        return f"Layer {layer_of(self.stage)[1:]}: filter {number} from row {row} to output {output}"

    @property
    def contents(self) -> str:
        return "two passes, two followers, an inverting amplifier"

    @property
    def measured(self) -> str:
        return f"the amplitude of {self.output} at {engineering(self.hz)}Hz"

    @property
    def built(self) -> Iterator[Component]:
        yield from self.network

    @property
    def driven_by(self) -> Iterator[Component]:
        yield self.sine

    @property
    def analysis(self) -> str:
        return f".ac lin 1 {self.hz!r} {self.hz!r}"


def first_filter(design: Design) -> str:
    """The place of the first filter that there is."""
    bank = design.filter_banks[0]
    row, column, number = np.argwhere(bank.gain)[0].tolist()
    return f"{layer_of(bank.name)[1:]}:{row},{column},{number}"


def filter_of(design: Design, place: str, solution: Solution) -> FilterPath:
    """The filter at a place, at its row's tone in the first sample of a solution of the design.

    Raises InputError where there is none.
    """
    bank, at = _bank_of(design, place)
    layer, before = layer_of(bank.name), design.stages[[stage.name for stage in design.stages].index(bank.name) - 1]
    tones = tones_hz(bank, solution.stage_v[before.name][:1])
    output, rail_v = amplitude_node(layer, *at), _RAIL_V
    hz, sine = float(tones[0, at[0]]), sine_node(layer, at[0])
    return FilterPath(
        stage=bank.name,
        place=place,
        output=output,
        output_index=at[1],
        expected_v=float(amplitudes_v(bank, tones)[(0, *at)]),
        supplies=supplies_of(rail_v, 1),
        models=pole_library(has_pole=math.isfinite(bank.amplifier_hz)),
        at=at,
        sine=Component("V1", (sine, GROUND), SineSource(bank.sine_v, hz)),
        network=tuple(_network(bank, at, sine, output)),
        hz=hz,
    )


def _bank_of(design: Design, place: str) -> tuple[FilterBank, tuple[int, int, int]]:
    match = _PLACE.fullmatch(place)
    if match is None:
        raise InputError("no filter is called that", where="--part", expected=EXPECTED, found=repr(place)[:100])
    layer, row, column, number = map(int, match.groups())
    at, banks = (row, column, number), {bank.name: bank for bank in design.filter_banks}
    bank = banks.get(f"l{layer}.filters")
    if bank is None:
        raise InputError("there is no such layer", where=f"--part {place}", expected=f"one of {', '.join(banks)}")
    if any(index >= size for index, size in zip(at, bank.gain.shape, strict=True)) or bank.gain[at] == 0:
        rows, columns, filters = bank.gain.shape
        expected = f"one of {rows} rows, {columns} outputs and {filters} filters, from 0 on, with a gain"
        raise InputError("there is no such filter", where=f"--part {place}", expected=expected)
    return bank, at


def _network(bank: FilterBank, at: tuple[int, int, int], sine: str, output: str) -> Iterator[Component]:
    high, middle, low, inner, minus = (f"{output}_{name}" for name in ("high", "mid", "low", "in", "minus"))
    model = PoleModel(bank.amplifier_hz)

    def op_amp(number: int, plus: str, inverting: str, out: str) -> Component:
        return Component(f"U{number}", (plus, inverting, UPPER, LOWER, out), OpAmp(OP_AMP, model))

    yield Component("C1", (sine, high), Capacitor(float(bank.high_f[at])))
    yield Component("R1", (high, GROUND), Resistor(float(bank.high_ohm[at])))
    yield op_amp(1, high, middle, middle)
    yield Component("R2", (middle, low), Resistor(float(bank.low_ohm[at])))
    yield Component("C2", (low, GROUND), Capacitor(float(bank.low_f[at])))
    yield op_amp(2, low, inner, inner)
    yield Component("R3", (inner, minus), Resistor(bank.gain_ohm))
    yield Component("R4", (minus, output), Resistor(bank.gain_ohm * abs(float(bank.gain[at]))))
    yield op_amp(3, GROUND, minus, output)
