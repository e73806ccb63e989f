"""Crossbars of resistances: one elimination against the search that knows nothing of straight lines."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from circuits import LINE, PEAK, crossbar_design, polynomial_device

from kanspice.engine.batched.linear import LinearCrossbar, Resistances
from kanspice.engine.batched.operating_points import StageChain

DOUBLE = polynomial_device("double", [-20.0, 20.0], [[-40.0, 2.0]])
RAMP = polynomial_device("ramp", [0.0, 1.0], [[0.5, 1.0]])
PARTS = ("columns_v", "amplifiers_v", "rows_a", "drawn_a")


def circuit(gain=np.inf, shift=0.0, **wires):
    rng = np.random.default_rng(0)
    design = crossbar_design(
        [LINE, DOUBLE],
        rng.normal(size=(5, 3, 2)) * 50,
        bias=rng.normal(size=3),
        gain=gain,
        feedback=1e4,
        offset=rng.normal(size=6) * 1e-3,
    )
    crossbar = dataclasses.replace(design.stages[1], shift_v=shift * rng.normal(size=(5, 3, 2)), **wires)
    return dataclasses.replace(design, stages=(design.stages[0], crossbar)), rng.uniform(-1, 1, (4, 5))


def resistances(design, devices=None):
    crossbar, chain = design.stages[1], StageChain(design, "device")
    area_a = chain.area[crossbar.name] * crossbar.current_unit_a
    return Resistances.of(devices or chain.curves, area_a, np.repeat(crossbar.shift_v, 2, axis=1))


@pytest.mark.parametrize(
    ("gain", "wires"),
    [
        (np.inf, {"row_ohm": 1.0, "column_ohm": 2.0, "driver_ohm": 5.0}),
        (100.0, {"row_ohm": 30.0, "column_ohm": 200.0}),
        (100.0, {"row_ohm": 0.0, "column_ohm": 2.0, "driver_ohm": 50.0}),
        (50.0, {"row_ohm": 300.0, "column_ohm": 0.0}),
    ],
)
@pytest.mark.parametrize("shift", [0.0, 0.01])
def test_one_elimination_is_the_search_s_answer(gain, wires, shift):
    design, rows_v = circuit(gain, shift, **wires)
    name = design.stages[1].name
    block = StageChain(design, "device").solve(rows_v, np.zeros(4), tighter=True)
    settled = LinearCrossbar.of(design.stages[1], resistances(design)).settle(rows_v)
    assert settled.converged.all()
    tables = block.column_v, block.amplifier_v, block.row_a, block.amplifier_a
    for part, table in zip(PARTS, tables, strict=True):
        expected = table[name]
        np.testing.assert_allclose(getattr(settled, part), expected, rtol=1e-9, atol=1e-11 * np.abs(expected).max())


@pytest.mark.parametrize("device", [PEAK, RAMP])
def test_what_is_no_resistance_is_left_to_the_search(device):
    assert resistances(circuit()[0], [device.curve, LINE.curve]) is None


def test_resistances_reach_as_far_as_their_curves_are_straight():
    assert resistances(circuit()[0]).reach_v == 5.0


def test_a_few_samples_of_many_rows_are_not_worth_an_elimination():
    rng = np.random.default_rng(1)
    design = crossbar_design([LINE], rng.normal(size=(60, 3, 1)), feedback=1e4)
    crossbar = dataclasses.replace(design.stages[1], row_ohm=20.0, column_ohm=30.0)
    design, rows_v = dataclasses.replace(design, stages=(design.stages[0], crossbar)), rng.uniform(-1, 1, (1, 60))
    one, many = StageChain(design, "device", samples=1), StageChain(design, "device", samples=1000)
    found, expected = (chain.solve(rows_v, np.zeros(1)).stage_v[crossbar.name] for chain in (one, many))
    assert not one.linear and many.linear
    np.testing.assert_allclose(found, expected, rtol=1e-10)
