"""What a circuit's drawing says of every stage."""

from __future__ import annotations

from typing import get_args

import numpy as np
from circuits import crossbar_design
from periods import design_of_periods, period

from kanspice.devices import load_device
from kanspice.gap.anatomy import Symbol, anatomy
from kanspice.report.symbols import SYMBOLS


def test_every_symbol_has_its_drawing():
    assert set(get_args(Symbol)) <= set(SYMBOLS)


def test_stages_follow_each_other():
    design = crossbar_design([load_device("z21")], np.ones((3, 2, 1)))
    found = anatomy(design)
    assert [shape.name for shape in found] == [stage.name for stage in design.stages]
    assert found[0].inputs == design.input_width
    assert [shape.inputs for shape in found[1:]] == [shape.outputs for shape in found[:-1]]
    crossbar = next(shape for shape in found if shape.symbol == "crossbar")
    stage = design.crossbars[0]
    assert crossbar.made_of == (f"{stage.rows} rows x {stage.width} pairs of columns, {stage.device_count:,} devices")


def test_periods_say_how_long_they_last():
    shape, *_ = anatomy(design_of_periods(period("Conductance", [(1, 0)], [[1.0]])))
    assert shape.symbol == "period"
    assert shape.made_of == "1 node, 1 branch, 1 µs"
