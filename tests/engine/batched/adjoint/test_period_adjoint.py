"""Gradients of periods against central differences of the batched engine, for whatever a period is made of."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from fixed_steps import FixedSteps
from hypothesis import given, settings
from hypothesis import strategies as st
from periods import design_of_periods, period

from kanspice.circuit import DigitalLayer, HeldSum, NodeLosses, OdePeriod, ReadOut, Schematic, Switching
from kanspice.circuit.branch_laws import LAWS
from kanspice.engine.batched import periods
from kanspice.engine.batched.adjoint.period_parts import period_gradients
from kanspice.engine.batched.courses import PeriodRecord
from kanspice.engine.batched.integrator import Tolerance
from kanspice.engine.batched.periods import PeriodSolver
from kanspice.families.kirchhoffnet.circuit import compile_kirchhoffnet
from kanspice.families.loading import load
from kanspice.technology import Technology

EDGES = [(1, 0), (1, 2), (2, 1), (1, 2), (0, 2), (2, 3), (3, 1)]
CALM = NodeLosses(leak_ohm=2e6, supply_v=0.6, clamp_ohm=3e4)
FAST = NodeLosses(leak_ohm=2e6, supply_v=0.6, clamp_ohm=1e3)
"""So fast that they are taken implicitly."""
SWITCHING = Switching(on_ohm=0.0, off_ohm=3e7, rise_s=1e-8, hold_s=2e-7)
BEHIND = replace(SWITCHING, on_ohm=2e4)
LATE = np.array([1e-8, -2e-8, 0.5e-8, -0.3e-8])
SCALES = {"injected_c": 1e-14, "late_on_s": 1e-8, "late_off_s": 1e-8}
"""Of what may be 0: how much a difference is of."""


@pytest.fixture
def few_steps(monkeypatch):
    """Steps so long that they are wrong: their derivative is exact nevertheless."""
    for name in ("_SMOOTH_TOLERANCE", "_KINKED_TOLERANCE"):
        monkeypatch.setattr(periods, name, Tolerance(1e-4, 1e-5))


def random_period(law, index=1, seed=0, **options):
    """Of which every part differs from the next."""
    rng = np.random.default_rng([seed, index])
    part = period(law, EDGES, 0.7 * rng.standard_normal((LAWS[law].rows, len(EDGES))), index=index, **options)
    gain, tail = rng.uniform(0.8, 1.2, (2, len(EDGES)))
    return replace(part, gain=gain, tail=tail, capacitor_f=part.capacitor_f * rng.uniform(0.8, 1.2, part.nodes))


def circuit(law="ShiftTanh2", count=1, **parts):
    return replace(design_of_periods(*(random_period(law, index) for index in range(1, count + 1))), **parts)


def clocked(design):
    """With clocks whose edges are late, and switches that push charge out."""
    charge = np.array([1e-14, -2e-14, 3e-14])
    stages = [
        replace(stage, injected_c=charge, late_on_s=2e-8, late_off_s=1e-8) if isinstance(stage, OdePeriod) else stage
        for stage in design.stages
    ]
    return replace(design, stages=tuple(stages))


def with_residual(design, switching=None):
    """The first period's ends are added after the second; a computer adds up what is read."""
    first, second, _ = design.stages
    added = HeldSum("l2.residual", "l2.residual", first.name, second.nodes, second.unit_v)
    weight, offset_v = np.array([[0.5, -1.0, 0.3], [0.2, 0.7, -0.4]]), np.array([0.1, 0.2, -0.1])
    digital = DigitalLayer("projector", "projector", weight, offset_v, 1.0)
    stages = (first, second, added, ReadOut("readout", "readout", 1, 2, 1.0), digital)
    return replace(design, stages=stages, switching=switching)


def weights_of(design, samples, names=None):
    rng = np.random.default_rng(7)
    names = names or [design.stages[-1].name]
    return {stage.name: rng.standard_normal((samples, stage.width)) for stage in design.stages if stage.name in names}


def arriving(design, samples=4):
    return np.random.default_rng(3).standard_normal((samples, design.input_width))


def value_of(design, name):
    place, field = name
    stage = next((each for each in design.stages if each.name == place), None)
    return getattr(stage or (getattr(design, place) if place else design), field)


def directions(design, parts):
    """For every part that a gradient is by, a random one, as large as the part is."""
    rng, found = np.random.default_rng(5), {}
    for name in parts:
        value = value_of(design, name)
        along = SCALES.get(name[1], np.abs(value)) * rng.standard_normal(np.shape(value))
        if np.any(along):
            found[name] = along
    return found


def check(design, late_s=LATE, names=None, step=1e-5):
    """Everything that a design has, and what arrives, one after the other; returns what that is."""
    inputs_v = arriving(design)
    weights = weights_of(design, len(inputs_v), names)
    fixed = FixedSteps(design, inputs_v, late_s, weights)
    found, parts = period_gradients(design, inputs_v, late_s, weights)
    assert not found.without.any()
    along = np.random.default_rng(4).standard_normal(inputs_v.shape)
    rows = {
        "inputs_v": (
            float((found.inputs_v * along).sum()),
            slope(lambda by: fixed.loss(inputs_v=inputs_v + by * along), step),
        ),
        "late_s": (float(found.late_s @ late_s), slope(lambda by: fixed.loss(late_s=late_s * (1 + by)), step)),
    }
    for name, along in directions(design, parts).items():
        rows[name] = float(np.sum(parts[name] * along)), fixed.difference({name: along}, step)
    largest = max(abs(expected) for _, expected in rows.values())
    assert {name: row for name, row in rows.items() if not agree(*row, 0.01 * largest)} == {}
    return set(rows)


def check_at_once(design, late_s=LATE, step=1e-5):
    """The same of one direction through all parts: a wrong one shows where it is not small."""
    inputs_v = arriving(design)
    weights = weights_of(design, len(inputs_v))
    found, parts = period_gradients(design, inputs_v, late_s, weights)
    assert not found.without.any()
    along = directions(design, parts)
    expected = FixedSteps(design, inputs_v, late_s, weights).difference(along, step)
    assert agree(sum(float(np.sum(parts[name] * part)) for name, part in along.items()), expected, 0.0)


def slope(loss, step):
    return (loss(step) - loss(-step)) / (2 * step)


def agree(found, expected, size):
    return abs(found - expected) <= 1e-6 * max(abs(expected), size)


@pytest.mark.usefixtures("few_steps")
@pytest.mark.parametrize("law", ["ShiftRelu1", "ShiftLeakyRelu1", "ShiftTanh1", "ShiftRelu2", "ShiftTanh2"])
def test_branches_of_the_paper(law):
    names = check(circuit(law))
    assert {
        "inputs_v",
        "late_s",
        *(("l1.period", part) for part in ("theta", "gain", "capacitor_f", "period_s")),
    } <= names


@pytest.mark.usefixtures("few_steps")
@pytest.mark.parametrize("law", ["Conductance", "Device2.identity", "Device2.gelu", "Device1.softsign", "Device1.celu"])
def test_branches_of_other_activations(law):
    check(circuit(law))


@pytest.mark.usefixtures("few_steps")
@pytest.mark.parametrize("law", ["ShiftTanh1", "ShiftTanh2"])
@pytest.mark.parametrize("vccs_saturation", [1.5, math.inf])
def test_pairs_saturate(law, vccs_saturation):
    names = check(circuit(law, schematic=Schematic(1e4, math.inf, 5e6, 1.05, vccs_saturation)))
    assert {("l1.period", "tail"), ("schematic", "pair_saturation")} <= names


@pytest.mark.usefixtures("few_steps")
@pytest.mark.parametrize("law", ["ShiftRelu1", "ShiftRelu2"])
@pytest.mark.parametrize("off_ohm", [1e8, math.inf])
def test_rectifiers_of_switches(law, off_ohm):
    names = check(circuit(law, schematic=Schematic(1e4, off_ohm, 5e6, 1.05, 1.5)))
    assert ("schematic", "switch_on_ohm") in names
    assert (("schematic", "switch_off_ohm") in names) is math.isfinite(off_ohm)


@pytest.mark.usefixtures("few_steps")
@pytest.mark.parametrize(("losses", "lag_s"), [(CALM, 0.0), (CALM, 1e-7), (FAST, 2e-9)], ids=["calm", "lag", "fast"])
def test_leaks_clamps_and_poles(losses, lag_s):
    names = check(circuit(losses=losses, lag_s=lag_s))
    assert (("", "lag_s") in names) is (lag_s > 0)
    assert {("losses", "leak_ohm"), ("losses", "supply_v"), ("losses", "clamp_ohm")} <= names


@pytest.mark.usefixtures("few_steps")
@pytest.mark.parametrize(
    ("losses", "lag_s", "switching"),
    [
        *((None, 1e-7, None), (None, 2e-9, None), (FAST, 0.0, None), (CALM, 0.0, SWITCHING), (FAST, 0.0, SWITCHING)),
        *((CALM, 2e-9, SWITCHING), (None, 0.0, BEHIND), (None, 2e-9, BEHIND), (FAST, 1e-7, BEHIND)),
    ],
)
def test_all_ways_to_move(losses, lag_s, switching):
    check_at_once(clocked(circuit(losses=losses, lag_s=lag_s, switching=switching)))


@pytest.mark.usefixtures("few_steps")
@pytest.mark.parametrize(("switching", "parts"), [(SWITCHING, {}), (BEHIND, {"losses": CALM, "lag_s": 1e-7})])
def test_switches_and_what_they_push_out(switching, parts):
    names = check(clocked(circuit(switching=switching, **parts)))
    assert {("l1.period", part) for part in ("injected_c", "late_on_s", "late_off_s")} <= names
    assert {("switching", part) for part in ("off_ohm", "rise_s", "hold_s")} <= names


@pytest.mark.usefixtures("few_steps")
@pytest.mark.parametrize(
    ("losses", "switching"),
    [(None, None), (CALM, replace(SWITCHING, transfer_s=3e-7, off_ohm=1e6))],
    ids=["ideal", "clamped"],
)
def test_voltages_are_held_and_added(losses, switching):
    design = with_residual(clocked(circuit(count=2, losses=losses)), switching)
    names = check(design, names=["l1.period", "l2.residual", "projector"])
    assert {("projector", "weight"), ("projector", "offset_v")} <= names
    assert (("switching", "transfer_s") in names) is (switching is not None)


@pytest.mark.usefixtures("few_steps")
@pytest.mark.parametrize(("fill", "inputs"), [("zeros", 2), ("repeat", 2), ("zeros", 5)])
def test_nodes_are_filled(fill, inputs):
    check(design_of_periods(random_period("ShiftTanh2", fill=fill, inputs=inputs)))


@pytest.mark.usefixtures("few_steps")
@settings(max_examples=10, deadline=None)
@given(law=st.sampled_from(sorted(LAWS)), seed=st.integers(0, 2**16), unit_v=st.floats(0.1, 3.0))
def test_random_networks(law, seed, unit_v):
    """At one of three steps: corners that a difference crosses by chance spoil the larger ones."""
    design = design_of_periods(random_period(law, seed=seed, v_unit=unit_v))
    inputs_v, weights = unit_v * arriving(design), weights_of(design, 4)
    _, parts = period_gradients(design, inputs_v, LATE, weights)
    fixed = FixedSteps(design, inputs_v, LATE, weights)
    along = np.random.default_rng(seed).standard_normal(parts["l1.period", "theta"].shape)
    expected = float((parts["l1.period", "theta"] * along).sum())
    found = [fixed.difference({("l1.period", "theta"): along}, step) for step in (1e-5, 1e-6, 1e-7)]
    scale = abs(expected) + abs(float(np.sum(fixed.stage_v["readout"] * weights["readout"])))
    assert min(abs(each - expected) for each in found) <= 1e-6 * scale


def test_steps_of_the_engine_itself():
    """Chosen anew for either side of the difference: at the engine's own tolerance."""
    design = circuit(count=2)
    inputs_v, weights = arriving(design), weights_of(design, 4)
    _, parts = period_gradients(design, inputs_v, np.zeros(4), weights)
    along, step, sides = np.random.default_rng(1).standard_normal((3, len(EDGES))), 3e-4, []
    for sign in (1, -1):
        first = replace(design.periods[0], theta=design.periods[0].theta + sign * step * along)
        solved = PeriodSolver(replace(design, stages=(first, *design.stages[1:]))).solve(inputs_v, np.zeros(4))
        sides.append(float((solved.stage_v["readout"] * weights["readout"]).sum()))
    expected = (sides[0] - sides[1]) / (2 * step)
    assert float((parts["l1.period", "theta"] * along).sum()) == pytest.approx(expected, rel=1e-6)


def test_a_sample_without_an_answer_has_no_gradient_and_is_in_no_sum():
    """v' = max(8 v, 0): what begins above 0 explodes, until numbers end."""
    part = period("ShiftRelu2", [(0, 1), (1, 0)], [[0.0, -1.0], [800.0, 0.0], [0.0, 0.0]])
    design = design_of_periods(part)
    inputs_v, late_s = np.array([[1.0], [-0.5], [-0.2]]), np.zeros(3)
    weights = {"readout": np.array([[1.0], [2.0], [3.0]])}
    found, parts = period_gradients(design, inputs_v, late_s, weights)
    alone, expected = period_gradients(design, inputs_v[1:], late_s[1:], {"readout": weights["readout"][1:]})
    assert found.without.tolist() == [True, False, False]
    assert np.isnan(found.inputs_v[0]).all()
    assert np.isnan(found.late_s[0])
    np.testing.assert_array_equal(found.inputs_v[1:], alone.inputs_v)
    for name, part in parts.items():
        np.testing.assert_allclose(part, expected[name], rtol=1e-12, err_msg=str(name))


@pytest.mark.usefixtures("few_steps")
def test_what_is_recorded_changes_no_answer_and_blocks_no_gradient():
    design = clocked(circuit(count=2, losses=CALM, switching=SWITCHING, lag_s=1e-7))
    inputs_v, weights, record = arriving(design), weights_of(design, 4), PeriodRecord()
    plain = PeriodSolver(design).solve(inputs_v, LATE).stage_v
    recorded = PeriodSolver(design).solve(inputs_v, LATE, record=record).stage_v
    assert [volts.tobytes() for volts in recorded.values()] == [volts.tobytes() for volts in plain.values()]
    whole, parts = period_gradients(design, inputs_v, LATE, weights)
    blocks, same = period_gradients(design, inputs_v, LATE, weights, block=3)
    np.testing.assert_allclose(blocks.inputs_v, whole.inputs_v, rtol=1e-12)
    for name, along in directions(design, parts).items():
        found, expected = (float(np.sum(each[name] * along)) for each in (same, parts))
        assert found == pytest.approx(expected, rel=1e-9, abs=1e-12), name


@pytest.mark.reference_data
@pytest.mark.parametrize(("name", "samples"), [("circle", 20), ("potential2", 20)])
def test_published_networks(reference_data, name, samples):
    folder = reference_data / "kirchhoffnet" / name
    model = load(folder / "model.pth", folder / "config.yaml").model
    technology = Technology(branches={"realisation": "schematic", "pair_saturation": 1.05})
    design = compile_kirchhoffnet(model, technology)
    inputs_v = design.inputs_v(np.load(folder / "inputs.npy")[:samples].astype(float))
    fixed = FixedSteps(design, inputs_v, np.zeros(samples), weights_of(design, samples))
    _, parts = period_gradients(design, inputs_v, np.zeros(samples), fixed.weights)
    rng = np.random.default_rng(2)
    for part in ("theta", "tail", "capacitor_f"):
        along = rng.standard_normal(value_of(design, (design.periods[0].name, part)).shape)
        along *= 1.0 if part == "theta" else np.abs(value_of(design, (design.periods[0].name, part)))
        where = design.periods[0].name, part
        expected = fixed.difference({where: along}, 1e-5)
        assert float((parts[where] * along).sum()) == pytest.approx(expected, rel=1e-6)
