"""Branches of transistors: which resistors make a law's drive, in which units, and what does not fit."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from importlib import metadata

import numpy as np
import pytest
import torch
from circuits import technology
from periods import contracting, period

from kanspice.base.errors import InputError
from kanspice.circuit import load_design, save_design
from kanspice.circuit.compile import Sizing
from kanspice.circuit.transistor_branches import CELLS, TransistorBranches, has_transistors, ladders_of
from kanspice.engine.fidelity import check_fidelity
from kanspice.engine.netlist import build_netlist
from kanspice.engine.running import check_design
from kanspice.experiments.compile import read_compiled, write_compiled
from kanspice.experiments.ensemble.randomness import can_differ
from kanspice.families.common.following import reference_stages
from kanspice.families.kirchhoffnet.branches import branch_function
from kanspice.families.kirchhoffnet.circuit import compile_kirchhoffnet
from kanspice.families.kirchhoffnet.network import KirchhoffNet
from kanspice.families.kirchhoffnet.topology import recipe

TRANSISTORS = ("branches.realisation='transistor'", "process.pdk='gf180'")
GF180 = CELLS["gf180"]
AT_27 = TransistorBranches("gf180", "tt", mismatch=False, temperature_c=27.0, proportional=True)


def network(**options):
    torch.manual_seed(1)
    topology = recipe("_fully_connect", {"num_node": 3}, "x").build()
    law = branch_function("ShiftTanh2", {}, "x")
    return KirchhoffNet([topology] * 2, [0.5, 0.25], law, input_width=2, **options).eval()


def sizing(model, samples=6):
    inputs = np.random.default_rng(0).normal(size=(samples, 2))
    return Sizing(inputs, reference_stages(model, inputs))


@cache
def sized_network():
    """One network for all that do not need another, and what its circuits are sized for."""
    model = network()
    return model, sizing(model)


def compiled(*settings, model=None, sized=True):
    known = sized_network() if model is None else (model, sizing(model) if sized else None)
    return compile_kirchhoffnet(known[0], technology(*TRANSISTORS, *settings), known[1] if sized else None)


def gate_v(ladders, source_v, destination_v):
    """What Kirchhoff's law makes of the resistors at the gates, volts."""
    gain, constant_v = GF180.line_gain, GF180.bias_v
    lines = [
        (ladders.source, gain * ladders.source_sign * source_v),
        (ladders.destination, gain * ladders.destination_sign * destination_v),
        (ladders.bias, constant_v * ladders.bias_sign),
        (ladders.ground, 0.0),
    ]
    return sum(volts / ohm for ohm, volts in lines) / sum(1 / ohm for ohm, _ in lines)


@pytest.mark.parametrize(("law", "rows"), [("ShiftTanh1", 2), ("ShiftTanh2", 3)])
def test_resistors_make_the_laws_drive(law, rows):
    theta = np.random.default_rng(1).normal(0, 0.5, size=(rows, 3))
    stage = period(law, [(0, 1), (1, 2), (2, 1)], theta, v_unit=0.09)
    source, destination = np.array([0.0, 0.4, -0.3]), np.array([0.4, -0.3, 0.4])
    if law == "ShiftTanh1":
        drive = theta[1] * (source - destination) + theta[0]
    else:
        drive = theta[0] * source + theta[1] * destination + theta[2]
    ladders = ladders_of(stage, AT_27)
    assert (ladders.flattened == 1).all()
    assert GF180.slope_per_v * gate_v(ladders, source * 0.09, destination * 0.09) == pytest.approx(drive)
    ends = np.minimum(ladders.source, ladders.destination)
    assert ends == pytest.approx(GF180.ladder_ohm)


def test_a_branch_that_is_too_steep_gets_other_lines_and_only_then_is_flattened():
    most = GF180.slope_per_v * GF180.line_gain * 0.09 / 2
    stage = period("ShiftTanh1", [(1, 2)] * 4, [[0.0] * 4, [most, 1.04 * most, 1.5 * most, 3 * most]], v_unit=0.09)
    ladders = ladders_of(stage, AT_27)
    assert ladders.steep.tolist() == [False, False, True, True]
    assert ladders.flattened == pytest.approx([1, 1 / 1.04, 1, 2 / 3])
    assert np.isinf(ladders.ground[[0, 1, 3]]).all()
    assert GF180.slope_per_v * gate_v(ladders, 2 * 0.03, -2 * 0.01)[2] == pytest.approx(1.5 * most * 0.04 / 0.09)


def test_units_are_the_most_that_fit():
    model = network()
    sized = sizing(model)
    design = compiled(model=model)
    largest = max(np.abs(values).max() for values in (sized.inputs, *sized.stages.values()))
    first = design.periods[0]
    assert first.unit_v * largest == pytest.approx(GF180.reach_v, rel=0.06)
    assert first.current_unit_a == GF180.unit_a
    assert min(each.period_s for each in design.periods) == pytest.approx(200 * GF180.lag_s)
    assert f'"v_unit_v": {first.unit_v!r}' in design.technology_json


def test_units_that_are_set_are_kept():
    design = compiled("units.v_unit_v=0.05", "units.i_unit_a=2e-8", "kirchhoffnet.capacitance_f=1e-11", sized=False)
    first = design.periods[0]
    assert (first.unit_v, first.current_unit_a, first.capacitor_f[0]) == (0.05, 2e-8, 1e-11)


def test_proportional_references_leave_the_resistors_as_they_are():
    warm, fixed = (
        compiled("process.temperature_c=87.03", f"branches.references='{name}'") for name in ("proportional", "fixed")
    )
    first, same = warm.periods[0], fixed.periods[0]
    assert warm.transistors.warmth == pytest.approx(1.2)
    assert (first.unit_v, first.current_unit_a) == pytest.approx((1.2 * same.unit_v, 1.2 * same.current_unit_a))
    assert first.period_s == pytest.approx(same.period_s)
    at_27 = ladders_of(same, AT_27)
    for design, stage in ((warm, first), (fixed, same)):
        assert ladders_of(stage, design.transistors).source == pytest.approx(at_27.source)


@pytest.mark.parametrize(
    ("settings", "sized", "message"),
    [
        (["units.v_unit_v=0.5"], True, "farther than amplifiers and mirrors work"),
        (["units.i_unit_a=1e-6"], True, "leave weak inversion"),
        ([], False, "how far the nodes come"),
        (["process.pdk='sky130'"], True, "no branches of this process"),
        (["process.pdk='none'"], True, "no branches of this process"),
        (["branches.pair_saturation=2.0"], True, "branches.pair_saturation would have no effect"),
        (["switches.mode='monolithic'", "switches.on_ohm=10.0"], True, "switches.on_ohm would have no effect"),
        (["switches.skew_s=1e-9"], True, "monolithic"),
    ],
)
def test_what_does_not_fit_is_refused(settings, sized, message):
    with pytest.raises(InputError, match=message):
        compiled(*settings, sized=sized)


def test_what_has_no_transistors_is_refused_by_its_name():
    with pytest.raises(InputError, match="no circuit of transistors") as raised:
        compiled(model=contracting(1.0), sized=False)
    assert raised.value.found == "ShiftRelu1"
    assert "ShiftTanh2" in raised.value.expected
    assert has_transistors("Device1.tanh")
    with pytest.raises(InputError, match="hold a period's voltages"):
        compiled("switches.mode='monolithic'", model=network(residual=(1, 2)))


def test_the_process_is_refused_where_nothing_is_built_of_it():
    with pytest.raises(InputError, match=r"process\.pdk would have no effect"):
        compile_kirchhoffnet(network(), technology("process.pdk='gf180'"))


def test_two_draws_differ_where_transistors_do():
    for mismatch in (False, True):
        setting = f"process.mismatch={str(mismatch).lower()}"
        assert can_differ(compiled(setting), technology(*TRANSISTORS, setting)) is mismatch


@pytest.mark.parametrize("engine", ["batched", "vacask"])
def test_only_ngspice_solves_transistors(engine):
    with pytest.raises(InputError, match="only ngspice has the models") as raised:
        check_design(compiled(), engine, None)
    assert "--engine ngspice" in raised.value.hint


def test_branches_of_transistors_are_not_merged():
    with pytest.raises(InputError, match="built by itself"):
        check_fidelity(compiled(), "merged")


def missing(name):
    raise metadata.PackageNotFoundError(name)


def test_without_the_models_the_netlist_says_what_to_install(monkeypatch):
    monkeypatch.setattr(metadata, "distribution", missing)
    with pytest.raises(InputError) as raised:
        build_netlist(compiled(), "device")
    assert "kanspice[pdk]" in raised.value.hint


@pytest.mark.pdk
def test_a_compiled_folder_needs_the_models_and_says_so(tmp_path, monkeypatch):
    write_compiled(compiled(), "device", tmp_path / "compiled")
    assert read_compiled(tmp_path / "compiled").design.transistors is not None
    monkeypatch.setattr(metadata, "distribution", missing)
    with pytest.raises(InputError, match="not installed") as raised:
        read_compiled(tmp_path / "compiled")
    assert "kanspice[pdk]" in raised.value.hint


def test_a_design_of_transistors_is_read_as_it_was_written_and_checked(tmp_path):
    design = compiled("process.corner='ss'", "process.mismatch=true", "process.temperature_c=85.0")
    save_design(design, tmp_path / "design.npz")
    assert load_design(tmp_path / "design.npz").transistors == design.transistors
    for change, message in (
        ({"process": "../x"}, "this process's transistors"),
        ({"corner": "tt\n.shell x"}, "no such corner"),
        ({"mismatch": "yes"}, "neither true nor false"),
        ({"temperature_c": float("nan")}, "temperature"),
        ({"temperature_c": -300.0}, "temperature"),
        ({"proportional": 1}, "neither true nor false"),
    ):
        save_design(replace(design, transistors=replace(design.transistors, **change)), tmp_path / "strange.npz")
        with pytest.raises(InputError) as raised:
            load_design(tmp_path / "strange.npz")
        assert message in raised.value.found
