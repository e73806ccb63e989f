"""Residuals of KirchhoffNets: held voltages that are added, in both engines and in both modes, against torch."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from kanspice.base.draws import Draw
from kanspice.base.errors import InputError
from kanspice.circuit import HeldSum, load_design, save_design
from kanspice.circuit.specimens import draw_specimen
from kanspice.engine.options import RunOptions
from kanspice.engine.running import solve
from kanspice.families.common.following import reference_stages
from kanspice.families.kirchhoffnet.arrays import reference_waveforms
from kanspice.families.kirchhoffnet.branches import branch_function
from kanspice.families.kirchhoffnet.circuit import compile_kirchhoffnet
from kanspice.families.kirchhoffnet.network import KirchhoffNet
from kanspice.families.kirchhoffnet.topology import FullyConnected
from kanspice.gap.waveforms import compare_waveforms
from kanspice.technology import load_technology

pytestmark = pytest.mark.slow

INPUTS = np.random.default_rng(0).normal(size=(3, 2))
MONOLITHIC = "switches.mode=monolithic"
REAL = [
    *(MONOLITHIC, "switches.rise_s=2e-8", "switches.hold_s=3e-8", "switches.on_ohm=1000", "switches.off_ohm=1e8"),
    *("kirchhoffnet.capacitor_sigma=0.1", "kirchhoffnet.leak_ohm=3e7"),
]


def network(nodes=(2, 2), residual=(1, 2)):
    topologies = [FullyConnected(num_node=count + 1).build() for count in nodes]
    generator = torch.Generator().manual_seed(2)
    thetas = [0.5 * torch.randn(3, topology.edges, generator=generator) for topology in topologies]
    branch = branch_function("ShiftTanh2", {}, "here")
    return KirchhoffNet(topologies, [1.0] * len(nodes), branch, residual=residual, thetas=thetas).eval()


def circuit(model, *overrides):
    technology = load_technology(None, overrides)
    return draw_specimen(compile_kirchhoffnet(model, technology), technology, Draw(3))


def apart(found, expected):
    return float(np.abs(found - expected).max() / expected.std(axis=0).mean())


@pytest.mark.parametrize("overrides", [[], [MONOLITHIC]])
@pytest.mark.parametrize(
    ("nodes", "residual"), [((2, 2), (1, 2)), ((2, 2, 2), (1, 2)), ((2, 3, 2), (1, 3)), ((2,), (1, 1))]
)
def test_the_batched_engine_adds_what_torch_adds(nodes, residual, overrides):
    model = network(nodes, residual)
    expected, design = reference_stages(model, INPUTS), circuit(model, *overrides)
    found = solve("batched", design, INPUTS, "device", RunOptions(waveforms=1))
    for stage in design.stages:
        assert apart(found.stage_v[stage.name], expected[stage.compares_to]) < 1e-6
    assert sum(isinstance(stage, HeldSum) for stage in design.stages) == 1


@pytest.mark.ngspice
@pytest.mark.parametrize(("overrides", "allowed"), [([], 3e-5), ([MONOLITHIC], 3e-5), (REAL, 2e-4)])
@pytest.mark.parametrize(("nodes", "residual"), [((2, 2, 2), (1, 2)), ((2, 2), (1, 2))])
def test_ngspice_adds_what_the_batched_engine_adds(nodes, residual, overrides, allowed):
    """What is left falls with ngspice's steps: with four times as many it is 7e-6 in the last case."""
    design = circuit(network(nodes, residual), *overrides)
    options = RunOptions(steps=100, check_samples=0)
    batched = solve("batched", design, INPUTS, "device", options)
    found = solve("ngspice", design, INPUTS, "device", options)
    for stage in design.stages:
        assert apart(found.stage_v[stage.name], batched.stage_v[stage.name]) < allowed


@pytest.mark.ngspice
@pytest.mark.parametrize("clamp_ohm", [1e3, 1e4])
def test_nodes_that_come_to_their_supply_while_voltages_are_added(clamp_ohm):
    """The engines were 0.8 mV apart at 1e4 ohms, and ngspice was right: tests/solver/test_held_voltages.py."""
    supply = ["kirchhoffnet.supply_v=0.8", f"kirchhoffnet.clamp_ohm={clamp_ohm}"]
    design = circuit(network((2,), (1, 1)), *REAL, *supply)
    options = RunOptions(steps=100, check_samples=0)
    batched = solve("batched", design, INPUTS, "device", options)
    found = solve("ngspice", design, INPUTS, "device", options)
    assert np.abs(batched.stage_v["readout"]).max() > 0.8
    assert apart(found.stage_v["readout"], batched.stage_v["readout"]) < 2e-4


@pytest.mark.ngspice
@pytest.mark.parametrize("overrides", [[], [MONOLITHIC]])
def test_waveforms_after_a_sum_begin_with_it(overrides):
    model = network((2, 2, 2), (1, 2))
    design = circuit(model, *overrides)
    options = RunOptions(steps=40, check_samples=0, waveforms=1)
    for engine in ("batched", "ngspice"):
        found = solve(engine, design, INPUTS, "device", options)
        (sample,) = compare_waveforms(
            design, found, lambda index, times: reference_waveforms(model, INPUTS[index], times)
        )
        for period in sample.periods:
            assert np.abs(period.circuit_v - period.reference_v).max() < 1e-2


def differ(design):
    """Whether one of two samples is early and the other late."""
    early, late = sorted(design.read_late_s(2))
    return early < 0 < late


@pytest.mark.parametrize("engine", ["batched", pytest.param("ngspice", marks=pytest.mark.ngspice)])
def test_outputs_that_are_taken_late_after_a_sum(engine):
    """Only a leak goes on then; too early, and not all is added yet."""
    design = circuit(network(), MONOLITHIC, "kirchhoffnet.leak_ohm=1e6")
    inputs = np.repeat(INPUTS[:1], 2, axis=0)
    late = next(each for seed in range(99) if differ(each := replace(design, jitter_s=2e-8, seed=seed)))
    seconds = late.read_late_s(2)
    options = RunOptions(steps=60, check_samples=0)
    usual = solve(engine, design, inputs, "device", options).stage_v["readout"][0]
    found = solve(engine, late, inputs, "device", options).stage_v["readout"]
    later, early = int(np.argmax(seconds)), int(np.argmin(seconds))
    np.testing.assert_allclose(found[later], usual * np.exp(-seconds[later] / 1e-6), rtol=1e-4)
    assert np.abs(found[early] - usual).max() > 1e-2


def test_a_stage_alone_adds_what_the_circuit_held():
    design = circuit(network())
    stage = next(stage for stage in design.stages if isinstance(stage, HeldSum))
    added = stage.ideal_v(design, INPUTS, {"l1.period": 2 * INPUTS})
    np.testing.assert_array_equal(added, 3 * INPUTS)


def test_a_design_with_a_sum_is_read_back(tmp_path):
    design = circuit(network(), MONOLITHIC)
    save_design(design, tmp_path / "design.npz")
    again = load_design(tmp_path / "design.npz")
    assert again.spans_s == design.spans_s
    assert design.inference_s == pytest.approx(2e-6 + 2 * 1e-12 + 2 * 1e-8)


@pytest.mark.parametrize(
    ("stage", "transfer_s", "message"),
    [
        ({"held": "l3.period"}, 1e-8, "nothing to add"),
        ({"width": 1}, 1e-8, "nothing to add"),
        ({"held": "l1.period\n.control"}, 1e-8, "nothing to add"),
        ({"name": "l2.period"}, 1e-8, "two stages have the same name"),
        ({}, 0.0, "no time to add"),
    ],
)
def test_sums_of_a_design_that_somebody_changed(tmp_path, stage, transfer_s, message):
    design = circuit(network(), MONOLITHIC)
    stages = tuple(replace(part, **stage) if isinstance(part, HeldSum) else part for part in design.stages)
    switching = replace(design.switching, transfer_s=transfer_s)
    save_design(replace(design, stages=stages, switching=switching), tmp_path / "design.npz")
    with pytest.raises(InputError, match=message):
        load_design(tmp_path / "design.npz")
