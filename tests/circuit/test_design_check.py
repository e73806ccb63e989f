"""A design from a stranger: a name in it becomes a node of a netlist, which can run commands."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from circuits import PEAK, design_of, network
from periods import design_of_periods, period
from schematics import SCHEMATIC

from kanspice.base.errors import InputError
from kanspice.circuit import load_design, save_design


def with_stage(design, index, **changes):
    stages = list(design.stages)
    stages[index] = replace(stages[index], **changes)
    return replace(design, stages=tuple(stages))


HOSTILE = {
    "a command in a name": (lambda d: with_stage(d, 0, name="l1.input\n.control\nshell id\n.endc"), "not the name"),
    "a command in what it compares to": (lambda d: with_stage(d, 1, compares_to="l1.norm`id`"), "not the name"),
    "a command in the family": (
        lambda d: replace(d, family="x\n.control\nshell id\n.endc\n*"),
        "not the name of a family",
    ),
    "text for a number": (lambda d: with_stage(d, 1, open_loop_gain="1e6"), "open_loop_gain is not a number"),
    "a resistor that is not a number": (lambda d: with_stage(d, 1, feedback_ohm=np.full(4, np.nan)), "feedback_ohm"),
    "a resistor per column missing": (lambda d: with_stage(d, 1, feedback_ohm=np.ones(3)), "does not fit"),
    "a resistor below zero": (lambda d: with_stage(d, 1, feedback_ohm=-np.ones(4)), "does not fit"),
    "an offset per column missing": (lambda d: with_stage(d, 1, offset_v=np.zeros(1)), "does not fit"),
    "an unknown limiter": (lambda d: with_stage(d, 0, kind="shell"), "does not fit"),
    "a width that does not fit": (lambda d: with_stage(d, 0, width=7), "does not fit"),
    "areas of another shape": (lambda d: with_stage(d, 1, area=np.zeros((2, 2, 5))), "does not fit"),
    "areas that are not finite": (lambda d: with_stage(d, 1, area=np.full((3, 2, 1), np.inf)), "not finite"),
    "areas in single precision": (lambda d: with_stage(d, 1, area=np.zeros((3, 2, 1), np.float32)), "array of floats"),
    "one name for two stages": (lambda d: with_stage(d, 1, name="l1.input"), "same name"),
    "no stages": (lambda d: replace(d, stages=()), "no stages"),
    "a width that is text": (lambda d: replace(d, input_width="3"), "width"),
    "a scale of zero": (lambda d: replace(d, input_v_per_unit=0.0), "scale"),
    "a description that is a list": (lambda d: replace(d, technology_json=[]), "not text"),
}


@pytest.mark.parametrize("kind", list(HOSTILE))
def test_a_strangers_design_is_refused(kind, tmp_path):
    change, problem = HOSTILE[kind]
    save_design(change(design_of(network([3, 2], [PEAK]))), tmp_path / "design.npz")
    with pytest.raises(InputError, match="is not a kanspice design") as refused:
        load_design(tmp_path / "design.npz")
    assert problem in refused.value.found


def test_a_schematic_of_branches_that_have_none_is_refused(tmp_path):
    design = design_of_periods(period("ShiftLeakyRelu2", [(0, 1)], [[1.0], [1.0], [0.0]]))
    save_design(design, tmp_path / "ideal.npz")
    assert load_design(tmp_path / "ideal.npz").schematic is None
    save_design(replace(design, schematic=SCHEMATIC), tmp_path / "design.npz")
    with pytest.raises(InputError, match="is not a kanspice design") as refused:
        load_design(tmp_path / "design.npz")
    assert "no schematic" in refused.value.found
