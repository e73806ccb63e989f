"""What an inference costs, against circuits whose power and energy are known in closed form."""

from __future__ import annotations

import numpy as np
import pytest
from circuits import LINE, crossbar_design, design_of, inputs_for, network, technology
from periods import design_of_periods, period

from kanspice.base.errors import InputError
from kanspice.circuit import Design
from kanspice.devices import load_device
from kanspice.engine.options import RunOptions
from kanspice.engine.running import solve
from kanspice.families.kirchhoffnet.branches import branch_function
from kanspice.families.kirchhoffnet.circuit import compile_kirchhoffnet
from kanspice.families.kirchhoffnet.network import KirchhoffNet
from kanspice.families.kirchhoffnet.topology import topology_from_edges
from kanspice.gap.costs import physical_cost

FEW = RunOptions(check_samples=0)
ENGINES = [pytest.param("ngspice", marks=pytest.mark.ngspice), "batched"]


@pytest.mark.parametrize("engine", ENGINES)
def test_the_power_of_a_divider(engine):
    """Rows at 1 V and 2 V, 1 uS and 2 uS to columns at 0 V, 0.5 uA of reference, rails of 5 V, 1 nA for each of 5."""
    design = crossbar_design([LINE], [[[1.0]], [[-2.0]]], bias=[0.5], rail=5.0)
    cost = physical_cost(
        design, solve(engine, design, np.array([[1.0, 2.0]]), "device", FEW), technology("supply.quiescent_a=1e-9")
    )
    (stage,) = cost.stages
    assert (stage.devices, stage.amplifiers) == (2, 5)
    assert (stage.areas.total, stage.areas.largest, stage.areas.smallest) == (3.0, 2.0, 1.0)
    delivered, drawn = 1 * 1e-6 + 2 * 4e-6, 5 * (1e-6 + 4e-6)
    expected = {
        "rows": delivered,
        "drivers": drawn - delivered,
        "references": 5 * 0.5e-6,
        "amplifiers": 5 * (1.5e-6 + 4e-6),
        "quiescent": 2 * 5 * 1e-9 * 5,
    }
    assert stage.parts_w == pytest.approx(expected, rel=1e-9)
    assert cost.power_w == pytest.approx(sum(expected.values()), rel=1e-9)
    assert cost.largest_power_w == cost.power_w
    assert cost.latency_s is cost.energy_j is None


@pytest.mark.ngspice
def test_both_engines_find_the_same_power():
    model = network([4, 3, 2], [load_device("z15"), load_device("z21")])
    inputs = inputs_for(model, 5)
    design = design_of(model, inputs, "tia.gain=1000")
    costs = [
        physical_cost(design, solve(engine, design, inputs, "device", FEW), technology("supply.quiescent_a=1e-6"))
        for engine in ("ngspice", "batched")
    ]
    assert costs[0].power_w == pytest.approx(costs[1].power_w, rel=1e-9)
    for one, other in zip(costs[0].stages, costs[1].stages, strict=True):
        assert one.parts_w == pytest.approx(other.parts_w, rel=1e-9)


def test_failed_samples_cost_nothing():
    """A sample that has no result is left out of the mean."""
    design = crossbar_design([LINE], [[[1.0]]], rail=1.5, gain=1e6)
    solution = solve("batched", design, np.array([[1.0], [2.0]]), "device", FEW)
    assert len(solution.failed) == 1
    cost = physical_cost(design, solution, technology())
    assert cost.samples == 1
    assert cost.power_w == pytest.approx(2 * 1.5e-6, rel=1e-5)


def decaying() -> Design:
    """One capacitor of 1 pF at the input's voltage, discharged for 0.7 us by 1 uS."""
    return design_of_periods(period("Conductance", [(1, 0)], [[1.0]], duration=0.7))


@pytest.mark.slow
@pytest.mark.parametrize("engine", ENGINES)
def test_what_a_capacitor_loses_is_what_its_branch_takes(engine):
    """C (V0^2 - V1^2) / 2, and the charge C (V0 - V1)."""
    design = decaying()
    options = RunOptions(check_samples=0, waveforms=2)
    cost = physical_cost(
        design, solve(engine, design, np.array([[1.0], [2.0], [5.0]]), "device", options), technology()
    )
    start_v = np.array([1.0, 2.0])
    end_v = start_v * np.exp(-0.7)
    assert cost.samples == 2
    assert cost.latency_s == pytest.approx(0.7e-6)
    assert cost.energy_j == pytest.approx(np.mean(0.5e-12 * (start_v**2 - end_v**2)), rel=1e-3)
    assert cost.charge_c == pytest.approx(np.mean(1e-12 * (start_v - end_v)), rel=1e-3)
    assert cost.power_w == pytest.approx(cost.energy_j / 0.7e-6)
    assert (cost.devices, cost.amplifiers) == (1, 0)


def test_without_waveforms_there_is_a_latency_and_no_energy():
    design = decaying()
    cost = physical_cost(design, solve("batched", design, np.array([[1.0]]), "device", FEW), technology())
    assert (cost.samples, cost.energy_j, cost.power_w) == (0, None, None)
    assert cost.latency_s == pytest.approx(0.7e-6)
    assert "--waveforms" in cost.assumptions[-1]


def test_clocks_take_what_switches_take():
    """Of three switches, one for each node of each period, and of converting one output; without waveforms no more."""
    settings = "switches.mode=monolithic", "switches.gate_j=2e-15", "converters.adc_j=1e-13"
    edges = [topology_from_edges([(1, 0)]), topology_from_edges([(1, 2), (2, 0)])]
    model = KirchhoffNet(edges, [1.0, 1.0], branch_function("Conductance", {}, "x"), readout="first1")
    design = compile_kirchhoffnet(model, technology(*settings))
    found = solve("batched", design, np.array([[1.0]]), "device", FEW)
    assert physical_cost(design, found, technology(*settings)).parts_j == pytest.approx(
        {"converters": 1e-13, "clocks": 6e-15}
    )
    found = solve("batched", design, np.array([[1.0]]), "device", RunOptions(check_samples=0, waveforms=1))
    cost = physical_cost(design, found, technology(*settings))
    assert cost.parts_j["branches"] == pytest.approx(cost.power_w * cost.latency_s)
    assert cost.energy_j == pytest.approx(sum(cost.parts_j.values()))


def test_clocks_of_ideal_switches_are_refused():
    model = KirchhoffNet([topology_from_edges([(1, 0)])], [1.0], branch_function("ShiftTanh2", {}, "x"))
    with pytest.raises(InputError, match=r"switches.gate_j would have no effect"):
        compile_kirchhoffnet(model, technology("switches.gate_j=1e-15"))


def test_a_kirchhoffnet_has_no_amplifiers_to_supply():
    model = KirchhoffNet([topology_from_edges([(1, 0)])], [1.0], branch_function("ShiftTanh2", {}, "x"))
    with pytest.raises(InputError, match=r"supply.quiescent_a would have no effect"):
        compile_kirchhoffnet(model, technology("supply.quiescent_a=1e-6"))
