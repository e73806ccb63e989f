"""KirchhoffNets of transistors in ngspice: they compute what the network does, and what their supplies deliver."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from circuits import technology

from kanspice.circuit.compile import Sizing
from kanspice.engine.ngspice.engine import solve
from kanspice.engine.options import RunOptions
from kanspice.families.common.following import reference_stages
from kanspice.families.kirchhoffnet.branches import branch_function
from kanspice.families.kirchhoffnet.circuit import compile_kirchhoffnet
from kanspice.families.kirchhoffnet.network import KirchhoffNet
from kanspice.families.kirchhoffnet.topology import topology_from_edges
from kanspice.gap import physical_cost

pytestmark = [pytest.mark.ngspice, pytest.mark.pdk]

INPUTS = np.array([[0.8, -0.5], [-0.3, 0.6]])


def network():
    torch.manual_seed(3)
    edges = [(1, 2), (2, 1), (1, 0), (0, 2)]
    return KirchhoffNet(
        [topology_from_edges(edges)] * 2, [0.5, 0.5], branch_function("ShiftTanh2", {}, "x"), input_width=2
    ).eval()


def simulated(*settings, **options):
    model = network()
    stages = reference_stages(model, INPUTS)
    settings = ("branches.realisation='transistor'", "process.pdk='gf180'", *settings)
    design = compile_kirchhoffnet(model, technology(*settings), Sizing(INPUTS, stages))
    solution = solve(design, INPUTS, "device", RunOptions(check_samples=0, steps=40, **options))
    outputs = solution.stage_v["readout"] / design.stages[-1].output_v_per_unit
    return design, solution, outputs, stages["readout"]


@pytest.fixture(scope="module")
def phased():
    return simulated(waveforms=1)


def test_they_compute_what_the_network_does(phased):
    _, solution, outputs, expected = phased
    assert not solution.failed
    assert np.abs(outputs - expected).max() < 0.03 * np.abs(expected).max()
    assert np.abs(outputs - expected).max() > 1e-4 * np.abs(expected).max()
    assert np.abs(expected - INPUTS).max() > 0.1


def test_the_energy_is_what_the_supplies_deliver(phased):
    design, solution, _, _ = phased
    first, _ = solution.waveforms
    assert first.time_s[0] == 0
    assert first.node_v[0] == pytest.approx(design.inputs_v(INPUTS)[0], rel=1e-6)
    amplifiers_w = 4 * 1.05e-4 * 3.3
    assert np.median(first.supply_w) == pytest.approx(amplifiers_w, rel=0.1)
    cost = physical_cost(design, solution, technology())
    assert cost.energy_j == pytest.approx(amplifiers_w * design.inference_s, rel=0.1)
    assert cost.parts_j == pytest.approx({"supplies": cost.energy_j})


def test_transmission_gates_switch_from_one_bank_to_the_other(phased):
    design, solution, outputs, expected = simulated("switches.mode='monolithic'")
    assert not solution.failed
    assert np.abs(outputs - expected).max() < 0.03 * np.abs(expected).max()
    assert np.abs(outputs - phased[2]).max() < 0.01 * np.abs(expected).max()
    assert design.inference_s > phased[0].inference_s


def test_references_that_do_not_follow_the_temperature_cost_more_than_all_else():
    far = {}
    for references in ("proportional", "fixed"):
        warm = "process.temperature_c=85.0", "units.v_unit_v=0.5", f"branches.references='{references}'"
        _, _, outputs, expected = simulated(*warm)
        far[references] = np.abs(outputs - expected).max() / np.abs(expected).max()
    assert far["proportional"] < 0.03
    assert far["fixed"] > 2 * far["proportional"]


def test_mismatch_is_drawn_from_the_seed(phased):
    first, again = (simulated("process.mismatch=true")[2] for _ in range(2))
    assert (first == again).all()
    assert np.abs(first - phased[2]).max() > 1e-3
