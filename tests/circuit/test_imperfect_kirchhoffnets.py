"""KirchhoffNets as they are made: drawn by name, the same in every mode; against torch networks with the same draws."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from circuits import technology

from kanspice.base.draws import Draw
from kanspice.base.errors import InputError
from kanspice.circuit import load_design, save_design
from kanspice.circuit.branch_laws import LAWS
from kanspice.circuit.file import design_bytes
from kanspice.circuit.specimens import draw_specimen
from kanspice.engine import batched
from kanspice.families.common.following import reference_stages
from kanspice.families.kirchhoffnet.branches import branch_function
from kanspice.families.kirchhoffnet.circuit import compile_kirchhoffnet
from kanspice.families.kirchhoffnet.network import KirchhoffNet
from kanspice.families.kirchhoffnet.topology import recipe

ALL = (
    "kirchhoffnet.capacitor_sigma=0.02",
    "branches.gain_sigma=0.03",
    "branches.offset_sigma_v=0.01",
    "branches.pair_sigma=0.04",
    "switches.injected_c=1e-15",
    "switches.injected_sigma_c=2e-15",
    "switches.skew_s=1e-9",
)
MODES = "branches.realisation=schematic", "switches.mode=monolithic"
OF = {
    "capacitor_f": ALL[0],
    "gain": ALL[1],
    "theta": ALL[2],
    "tail": ALL[3],
    "injected_c": ALL[5],
    "late_on_s": ALL[6],
    "late_off_s": ALL[6],
}
"""Array -> the imperfection that spreads it."""


def network(law="ShiftTanh2", nodes=(5, 3, 6)):
    torch.manual_seed(1)
    topologies = [recipe("_fully_connect", {"num_node": count}, "x").build() for count in nodes]
    model = KirchhoffNet(topologies, [0.5] * len(nodes), branch_function(law, {}, "x"), input_width=2, readout="last2")
    return model.eval()


def specimen(*overrides, seed=0, model=None):
    chosen = technology(*overrides)
    return draw_specimen(compile_kirchhoffnet(model or network(), chosen), chosen, Draw(seed))


def test_the_same_seed_is_the_same_specimen_and_another_is_not(tmp_path):
    one = specimen(*MODES, *ALL, seed=3)
    assert design_bytes(one) == design_bytes(specimen(*MODES, *ALL, seed=3))
    save_design(one, tmp_path / "design.npz")
    assert design_bytes(load_design(tmp_path / "design.npz")) == design_bytes(one)
    for first, second in zip(one.periods, specimen(*MODES, *ALL, seed=4).periods, strict=True):
        assert all(np.any(getattr(first, name) != getattr(second, name)) for name in OF)


@pytest.mark.parametrize("name", list(OF))
def test_a_draw_does_not_depend_on_the_others(name):
    for alone, among in zip(
        specimen(*MODES, OF[name]).periods,
        specimen(*MODES, *(each for each in ALL if each != ALL[4])).periods,
        strict=True,
    ):
        np.testing.assert_array_equal(getattr(alone, name), getattr(among, name))


@pytest.mark.parametrize("name", [name for name in OF if name not in ("late_on_s", "late_off_s")])
def test_the_spread_is_what_the_technology_says(name):
    key, _, sigma = OF[name].partition("=")
    ideal, once, twice = (
        np.concatenate([np.ravel(getattr(part, name)) for part in specimen(*MODES, *set_to).periods])
        for set_to in ((), (OF[name],), (f"{key}={2 * float(sigma)}",))
    )
    np.testing.assert_allclose(twice - ideal, 2 * (once - ideal), rtol=1e-6, atol=1e-12 * np.abs(once).max())
    if name in ("gain", "tail"):
        assert (once - ideal).std() == pytest.approx(float(sigma), rel=4 / math.sqrt(2 * len(once)))


def test_edges_are_late_by_up_to_the_skew():
    late_s = [late for part in specimen(*MODES, *ALL).periods for late in (part.late_on_s, part.late_off_s)]
    assert len(set(late_s)) == 6
    assert 0 < min(late_s) < max(late_s) < 1e-9


def test_no_part_is_made_upside_down():
    for part in specimen(*MODES, "branches.gain_sigma=3", "branches.pair_sigma=0.3").periods:
        assert (part.gain == 0).any()
        assert (part.gain >= 0).all()
        assert (part.tail > 0).all()


@pytest.mark.parametrize("mode", ["phased", "monolithic"])
def test_a_node_keeps_its_capacitor_as_long_as_there_is_one(mode):
    """Nodes 4 to 6 of the third period are new ones; both ways to switch have the same capacitors."""
    first, second, third = specimen(ALL[0], f"switches.mode={mode}").periods
    phased = specimen(ALL[0]).periods
    np.testing.assert_array_equal(second.capacitor_f[:2], first.capacitor_f[:2])
    np.testing.assert_array_equal(third.capacitor_f[:2], first.capacitor_f[:2])
    assert not np.isin(third.capacitor_f[2:], np.concatenate([first.capacitor_f, second.capacitor_f])).any()
    for part, other in zip((first, second, third), phased, strict=True):
        np.testing.assert_array_equal(part.capacitor_f, other.capacitor_f)


@pytest.mark.parametrize("law", [law for law in LAWS if law != "Conductance"])
def test_offsets_are_those_of_a_branchs_inputs(law):
    rng = np.random.default_rng(0)
    theta, volts, offsets = (rng.normal(size=shape) for shape in ((LAWS[law].rows, 9), (2, 9), (2, 9)))
    if "1" in law:
        offsets[1] = 0
    expected = LAWS[law].currents(volts[0] + offsets[0], volts[1] + offsets[1], theta)
    np.testing.assert_allclose(LAWS[law].currents(*volts, LAWS[law].with_offsets(theta, offsets)), expected, atol=1e-13)


# --- torch networks with the same draws ---


@pytest.mark.slow
@pytest.mark.parametrize("sigma", [0.05, 0.1])
@pytest.mark.parametrize(("law", "row"), [("ShiftRelu1", 1), ("ShiftRelu2", slice(None)), ("Conductance", 0)])
def test_a_gain_is_noise_on_coefficients(law, row, sigma):
    """Where a law is proportional to parameters, torch has the same network with these multiplied."""
    model, noisy = network(law), network(law)
    design = specimen(f"branches.gain_sigma={sigma}", seed=9, model=model)
    with torch.no_grad():
        for layer, part in zip(noisy.layers, design.periods, strict=True):
            layer.theta[row] *= torch.tensor(part.gain)
    assert_is(design, noisy, apart=model)


def test_offsets_are_other_parameters():
    model, noisy = network("ShiftTanh1"), network("ShiftTanh1")
    design = specimen("branches.offset_sigma_v=0.05", "units.v_unit_v=0.5", seed=9, model=model)
    with torch.no_grad():
        for index, layer in enumerate(noisy.layers, start=1):
            off_v = 0.05 * Draw(9).normal(f"l{index}.period.offset_v", (2, layer.theta.shape[1]))[0]
            layer.theta[0] += layer.theta[1] * torch.tensor(off_v / 0.5)
    assert_is(design, noisy, apart=model)


def test_capacitors_of_another_size_are_another_speed():
    """All capacitors 2 % smaller: the network with 1/0.98 of the time."""
    model = network("ShiftTanh2")
    design = specimen(model=model)
    smaller = [replace(part, capacitor_f=0.98 * part.capacitor_f) for part in design.periods]
    faster = network("ShiftTanh2")
    for layer in faster.layers:
        layer.duration /= 0.98
    assert_is(replace(design, stages=(*smaller, design.stages[-1])), faster, apart=model)


def assert_is(design, model, *, apart):
    """The circuit computes what `model` does, and not what `apart` does."""
    inputs = np.random.default_rng(2).normal(size=(8, 2))
    solution = batched.solve(design, inputs, "device")
    found = solution.stage_v["readout"] / design.input_v_per_unit
    expected, nominal = (reference_stages(each, inputs)["readout"] for each in (model, apart))
    assert np.abs(found - expected).max() < 1e-4 * expected.std()
    assert np.abs(nominal - expected).max() > 1e-2 * expected.std()


# --- what is refused ---


@pytest.mark.parametrize(
    ("law", "overrides", "message"),
    [
        ("Conductance", ["branches.offset_sigma_v=0.01"], "a conductance has none"),
        ("ShiftTanh2", ["branches.pair_sigma=0.01"], "branches.pair_sigma would have no effect"),
        ("ShiftRelu1", ["branches.realisation=schematic", "branches.pair_sigma=0.01"], "branches.pair_sigma would"),
        ("ShiftTanh2", ["switches.skew_s=1e-9"], "switches.mode = 'monolithic'"),
        ("ShiftTanh2", ["switches.injected_c=1e-15"], "switches.mode = 'monolithic'"),
        ("ShiftTanh2", ["switches.injected_sigma_c=1e-15"], "switches.mode = 'monolithic'"),
    ],
)
def test_what_a_circuit_cannot_have_is_refused(law, overrides, message):
    with pytest.raises(InputError, match=message):
        compile_kirchhoffnet(network(law), technology(*overrides))


def test_a_clamp_without_a_supply_is_refused():
    with pytest.raises(InputError, match="supply_v"):
        technology("kirchhoffnet.clamp_ohm=10")


def test_every_imperfection_can_be_taken_away_alone():
    """So that attribution can: nothing depends on another imperfection being there."""
    everything = technology(
        *MODES,
        *ALL,
        "kirchhoffnet.supply_v=3",
        "kirchhoffnet.clamp_ohm=1e4",
        "kirchhoffnet.leak_ohm=1e9",
        "kirchhoffnet.jitter_sigma_s=1e-9",
        "switches.hold_s=1e-8",
    )
    for cause in everything.causes:
        for others in ([cause], [name for name in everything.causes if name != cause]):
            changed = everything.without(others)
            draw_specimen(compile_kirchhoffnet(network(), changed), changed, Draw())
