"""Networks of transistors over time in ngspice, and what their supplies deliver, beside their macro-models."""

from __future__ import annotations

import numpy as np
import pytest
from circuits import load_device, network

from kanspice.base.draws import Draw
from kanspice.engine.options import RunOptions
from kanspice.engine.running import solve
from kanspice.experiments.settle.run import settle
from kanspice.experiments.settle.transients import SettleOptions
from kanspice.families import compile_model, load, save, sizing_for
from kanspice.gap import physical_cost
from kanspice.technology import load_technology

pytestmark = [pytest.mark.ngspice, pytest.mark.pdk, pytest.mark.slow]

INPUTS = np.array([[0.2, 0.9], [0.8, 0.3]])


@pytest.fixture(scope="module")
def loaded(tmp_path_factory):
    file = tmp_path_factory.mktemp("small") / "model.pt"
    save(network([2, 1], [load_device("z21"), load_device("z15")], seed=1), file)
    return load(file)


@pytest.fixture(scope="module")
def technology():
    return load_technology("gf180")


@pytest.fixture(scope="module")
def settled(loaded, technology):
    return {
        engine: settle(loaded, technology, INPUTS, SettleOptions(period_s=15e-6, engine=engine))
        for engine in ("ngspice", "batched")
    }


def test_the_power_is_measured_at_the_supplies(loaded, technology):
    design = compile_model(loaded, technology, sizing_for(loaded, technology, INPUTS), Draw(0))
    found = solve("ngspice", design, INPUTS, "device", RunOptions(check_samples=0))
    cost = physical_cost(design, found, technology)
    assert found.supply_w is not None
    assert cost.power_w == pytest.approx(cost.modelled_w, rel=0.1)
    assert cost.power_w != cost.modelled_w
    assert cost.modelled_w == pytest.approx(sum(stage.power_w for stage in cost.stages))
    one_by_one = np.array(
        [7 * 2 * 1.65 * technology.supply.quiescent_a] * 2
    )  # two clips of two, two columns, their difference
    np.testing.assert_allclose(found.supply_w, one_by_one, rtol=0.1)


def test_transistors_settle_to_their_own_operating_points(settled):
    result = settled["ngspice"]
    assert result.settled
    assert result.numerical < 1e-3
    assert result.read_outs[-1].from_rest < 1e-3
    assert any("gf180_opamp" in note for note in result.notes)
    assert not any("follow at once" in note for note in result.notes)


def test_they_take_the_power_of_their_macro_models(settled):
    assert settled["ngspice"].power_w == pytest.approx(settled["batched"].power_w, rel=0.1)
    assert any("subtractors and rows' drivers" in note for note in settled["batched"].notes)


def test_they_settle_about_as_fast_but_for_the_clips(settled):
    """Clips take 0.1 to 0.2 us, which the macro-model leaves out."""
    slow, fast = (settled[engine].latency_s for engine in ("ngspice", "batched"))
    assert fast < slow < fast + 0.3e-6
    assert settled["ngspice"].energy_j == pytest.approx(slow * settled["ngspice"].power_w, rel=0.02)
