"""From a KirchhoffNet to its circuit: units, design file, compiled folder; and strangers' designs of that kind."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from circuits import technology

from kanspice.base.errors import InputError
from kanspice.circuit import OdePeriod, ReadOut, load_design, save_design
from kanspice.circuit.branch_laws import LAWS, SCHEMATIC_LAWS
from kanspice.circuit.file import design_bytes
from kanspice.engine.netlist.branches import branch_lines
from kanspice.experiments.compile import read_compiled, write_compiled
from kanspice.families.common.following import reference_stages
from kanspice.families.kirchhoffnet.branches import branch_function
from kanspice.families.kirchhoffnet.circuit import compile_kirchhoffnet
from kanspice.families.kirchhoffnet.network import KirchhoffNet
from kanspice.families.kirchhoffnet.topology import recipe, topology_from_edges


def network(**options):
    torch.manual_seed(1)
    topologies = [recipe("_fully_connect", {"num_node": 4}, "x").build(), topology_from_edges([(1, 2), (2, 0), (3, 1)])]
    return KirchhoffNet(
        topologies, [0.5, 0.25], branch_function("ShiftTanh2", {}, "x"), input_width=2, **options
    ).eval()


@pytest.fixture
def design():
    return compile_kirchhoffnet(network(readout="last2"), technology())


def test_the_technology_says_what_model_time_is(design):
    assert [type(stage) for stage in design.stages] == [OdePeriod, OdePeriod, ReadOut]
    assert design.inference_s == pytest.approx(0.75e-6)
    other = compile_kirchhoffnet(
        network(), technology("kirchhoffnet.capacitance_f=1e-15", "units.v_unit_v=0.5", "units.i_unit_a=1e-5")
    )
    assert [period.period_s for period in other.periods] == pytest.approx([0.5 * 5e-11, 0.25 * 5e-11])
    assert other.input_v_per_unit == 0.5


@pytest.mark.parametrize("fill", ["zeros", "repeat"])
def test_the_ideal_stages_are_the_reference(fill):
    model, inputs = network(fill=fill, readout="last2"), np.random.default_rng(0).normal(size=(6, 2))
    reference = reference_stages(model, inputs)
    design = compile_kirchhoffnet(model, technology("units.v_unit_v=0.3"))
    volts = inputs * 0.3
    for stage in design.stages:
        volts = stage.ideal_v(design, volts)
        np.testing.assert_allclose(volts, reference[stage.compares_to] * 0.3, rtol=0, atol=1e-7)


def test_a_design_survives_its_file(design, tmp_path):
    save_design(design, tmp_path / "design.npz")
    assert design_bytes(load_design(tmp_path / "design.npz")) == design_bytes(design)


def test_a_compiled_folder_names_every_branch(design, tmp_path):
    manifest = write_compiled(design, "device", tmp_path / "circuit")
    assert (manifest["devices"], manifest["nodes"]) == (27, 6)
    assert read_compiled(tmp_path / "circuit").design.inference_s == design.inference_s
    elements = (tmp_path / "circuit" / "elements.csv").read_text().splitlines()
    assert elements[0] == "element,layer,source,destination,law,parameters,gain,tail"
    assert len(elements) == 1 + 27
    assert elements[-1].startswith("l2_e2,l2,3,1,ShiftTanh2,")
    assert "l1_v1,input,0" in (tmp_path / "circuit" / "nodes.csv").read_text()


def test_a_fidelity_of_crossbars_is_refused(design, tmp_path):
    with pytest.raises(InputError, match="this fidelity is for crossbars"):
        write_compiled(design, "shared", tmp_path / "circuit")


SCHEMATIC = ("branches.realisation='schematic'", "branches.pair_saturation=1.5")
MONOLITHIC = ("switches.mode='monolithic'", "switches.on_ohm=100.0", "switches.hold_s=1e-7")


def test_the_technology_says_how_branches_and_switches_are_built(tmp_path):
    design = compile_kirchhoffnet(network(), technology(*SCHEMATIC, *MONOLITHIC))
    assert design.schematic.pair_saturation == 1.5
    assert (design.switching.on_ohm, design.switching.rise_s) == (100.0, pytest.approx(0.25e-12))
    assert design.inference_s == pytest.approx(0.75e-6 + 2 * 1e-7, rel=1e-5)
    save_design(design, tmp_path / "design.npz")
    assert design_bytes(load_design(tmp_path / "design.npz")) == design_bytes(design)
    manifest = write_compiled(design, "device", tmp_path / "circuit")
    assert {"circuit.cir", "subcircuits.lib", "l1_bank.cir", "l2_bank.cir"} <= set(manifest["files"])
    assert read_compiled(tmp_path / "circuit").design.switching == design.switching


@pytest.mark.parametrize(("v_unit", "i_unit"), [(1.0, 1e-6), (0.01, 1e-6), (1.0, 1e-3), (0.3, 1e-9)])
def test_ideal_one_sided_switches_are_as_good_in_any_units(v_unit, i_unit):
    model = KirchhoffNet([topology_from_edges([(1, 0)])], [1.0], branch_function("ShiftRelu2", {}, "x"))
    units = (f"units.v_unit_v={v_unit!r}", f"units.i_unit_a={i_unit!r}")
    schematic = compile_kirchhoffnet(model, technology(SCHEMATIC[0], *units)).schematic
    assert schematic.switch_on_ohm == pytest.approx(1e-6 * v_unit / i_unit)
    assert schematic.source_ohm == pytest.approx(1e3 * v_unit / i_unit)
    real = ("branches.switch_on_ohm=20.0", "branches.source_ohm=1e5")
    given = compile_kirchhoffnet(model, technology(SCHEMATIC[0], *units, *real)).schematic
    assert (given.switch_on_ohm, given.source_ohm) == (20.0, 1e5)


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (SCHEMATIC[1:], "branches.pair_saturation would have no effect"),
        (MONOLITHIC[1:], "switches.on_ohm, switches.hold_s would have no effect"),
        ((MONOLITHIC[0], "switches.rise_s=1e-6"), "slower than a period"),
        (("switches.rise_s=1e-9",), "switches.rise_s would have no effect"),
        ((SCHEMATIC[0], "branches.switch_on_ohm=9.0"), "branches.switch_on_ohm would have no effect"),
        (("tia.gain=1000",), "tia.gain would have no effect"),
        (("devices.area_sigma=0.1",), "devices.area_sigma would have no effect"),
    ],
)
def test_what_a_circuit_cannot_have_is_said(overrides, message):
    with pytest.raises(InputError, match=message):
        compile_kirchhoffnet(network(), technology(*overrides))


def test_a_bandwidth_is_a_lag_and_a_conductance_has_none():
    bandwidth = technology("branches.bandwidth_hz=1e9")
    assert compile_kirchhoffnet(network(), bandwidth).lag_s == pytest.approx(1.59154943e-10)
    assert compile_kirchhoffnet(network(), technology()).lag_s == 0
    model = KirchhoffNet([topology_from_edges([(1, 2)])], [1.0], branch_function("Conductance", {}, "x"))
    with pytest.raises(InputError, match=r"branches.bandwidth_hz would have no effect"):
        compile_kirchhoffnet(model, bandwidth)


@pytest.mark.parametrize("law", SCHEMATIC_LAWS)
def test_each_law_has_its_own_imperfections(law):
    """What is taken changes the bank of branches; what would not is refused."""
    model = KirchhoffNet([topology_from_edges([(1, 2)])], [1.0], branch_function(law, {}, "x"))

    def bank(*overrides):
        design = compile_kirchhoffnet(model, technology(SCHEMATIC[0], *overrides))
        return list(branch_lines(design.periods[0], ["0", "l1_v1", "l1_v2"], design.schematic))

    for key in ("switch_on_ohm", "switch_off_ohm", "source_ohm", "pair_saturation", "vccs_saturation"):
        if key in LAWS[law].imperfections:
            assert bank(f"branches.{key}=7.0") != bank()
        else:
            with pytest.raises(InputError, match=f"branches.{key} would have no effect"):
                bank(f"branches.{key}=7.0")


@pytest.mark.parametrize(
    ("negation", "activation", "law"),
    [
        (True, "tanh", "ShiftTanh1"),
        (False, "relu", "ShiftRelu2"),
        (True, "relu", "Device1.relu"),
        (True, None, "Device1.identity"),
        (False, "mish", "Device2.mish"),
        (True, "gelu", "Device1.gelu"),
    ],
)
def test_devices_of_torchs_activations_have_circuits(negation, activation, law):
    branch = branch_function("Device", {"negation": negation, "activation": activation}, "x")
    model = KirchhoffNet([topology_from_edges([(1, 2), (2, 0)])], [1.0], branch)
    assert compile_kirchhoffnet(model, technology()).periods[0].law == law


@pytest.mark.parametrize("activation", ["hardshrink"])
def test_an_activation_without_a_circuit_is_said(activation):
    branch = branch_function("Device", {"negation": True, "activation": activation}, "x")
    with pytest.raises(InputError, match="this activation has no circuit"):
        compile_kirchhoffnet(KirchhoffNet([topology_from_edges([(1, 0)])], [1.0], branch), technology())


def test_a_schematic_that_the_paper_does_not_draw_is_refused():
    model = KirchhoffNet([topology_from_edges([(1, 0)])], [1.0], branch_function("ShiftLeakyRelu1", {}, "x"))
    with pytest.raises(InputError, match="no schematic"):
        compile_kirchhoffnet(model, technology(SCHEMATIC[0]))


def test_nodes_that_repeat_others_cannot_appear_between_banks():
    topologies = [topology_from_edges([(1, 0)]), topology_from_edges([(1, 2)])]
    model = KirchhoffNet(topologies, [1.0, 1.0], branch_function("ShiftTanh2", {}, "x"), fill="repeat")
    with pytest.raises(InputError, match="copying circuit"):
        compile_kirchhoffnet(model, technology(MONOLITHIC[0]))


HOSTILE = {
    "a command in a name": ({"name": "l1.period\n.control\nshell id"}, "not the name"),
    "the name of another kind": ({"name": "l1.norm"}, "of kind 'period'"),
    "an unknown law": ({"law": "shell"}, "does not fit"),
    "an unknown fill": ({"fill": "ones"}, "does not fit"),
    "a node that does not exist": ({"destination": np.full(24, 5)}, "does not fit"),
    "a node below ground": ({"source": np.full(24, -1)}, "does not fit"),
    "an end missing": ({"source": np.zeros(3, np.int64)}, "does not fit"),
    "too few parameters": ({"theta": np.zeros((2, 24))}, "does not fit"),
    "parameters that are not finite": ({"theta": np.full((3, 24), np.inf)}, "not finite"),
    "nodes that are no whole numbers": ({"source": np.zeros(24)}, "whole numbers"),
    "a number of nodes that is text": ({"nodes": "4"}, "not a whole number"),
    "no capacitor": ({"capacitor_f": np.zeros(3)}, "does not fit"),
    "too few capacitors": ({"capacitor_f": np.ones(2)}, "does not fit"),
    "too many charges": ({"injected_c": np.zeros(5)}, "does not fit"),
    "a gain below zero": ({"gain": np.full(24, -1.0)}, "does not fit"),
    "no tail current": ({"tail": np.zeros(24)}, "does not fit"),
    "too few gains": ({"gain": np.ones(23)}, "does not fit"),
    "a clock that is early": ({"late_on_s": -1e-9}, "does not fit"),
    "no unit of time": ({"unit_s": 0.0}, "does not fit"),
    "no time": ({"period_s": -1.0}, "does not fit"),
    "another number of inputs": ({"inputs": 3}, "does not fit"),
}


@pytest.mark.slow
@pytest.mark.parametrize("kind", list(HOSTILE))
def test_a_strangers_design_is_refused(kind, design, tmp_path):
    changes, problem = HOSTILE[kind]
    spoiled = replace(design, stages=(replace(design.stages[0], **changes), *design.stages[1:]))
    save_design(spoiled, tmp_path / "design.npz")
    with pytest.raises(InputError, match="is not a kanspice design") as refused:
        load_design(tmp_path / "design.npz")
    assert problem in refused.value.found


@pytest.mark.parametrize("changes", [{"on_ohm": -1.0}, {"off_ohm": float("nan")}, {"rise_s": "0; shell id"}])
def test_a_strangers_switches_are_refused(changes, tmp_path):
    design = compile_kirchhoffnet(network(), technology(*MONOLITHIC))
    save_design(replace(design, switching=replace(design.switching, **changes)), tmp_path / "design.npz")
    with pytest.raises(InputError, match="is not a kanspice design"):
        load_design(tmp_path / "design.npz")


def test_periods_without_a_readout_are_no_design(design, tmp_path):
    save_design(replace(design, stages=design.stages[:-1]), tmp_path / "design.npz")
    with pytest.raises(InputError, match="is not a kanspice design"):
        load_design(tmp_path / "design.npz")
