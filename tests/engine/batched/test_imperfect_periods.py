"""KirchhoffNets that are not ideal: closed forms in both engines, ngspice against the batched engine, and SciPy."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from circuits import technology
from hypothesis import given, settings
from hypothesis import strategies as st
from periods import design_of_periods, period
from scipy.integrate import solve_ivp

from kanspice.base.draws import Draw
from kanspice.circuit import NodeLosses, Schematic, Switching
from kanspice.circuit.branch_laws import LAWS, SCHEMATIC_LAWS
from kanspice.circuit.specimens import draw_specimen
from kanspice.engine import batched
from kanspice.engine.batched.branch_banks import DenseBank
from kanspice.engine.batched.periods import PeriodSolver
from kanspice.engine.ngspice import engine as ngspice
from kanspice.engine.options import RunOptions

pytestmark = pytest.mark.slow

EDGES = [(1, 0), (1, 2), (2, 1), (1, 2), (0, 2)]
ENGINES = pytest.mark.parametrize("engine", ["batched", pytest.param("ngspice", marks=pytest.mark.ngspice)])
IDLE = period("Conductance", [(1, 0), (2, 0)], [[0.0, 0.0]])
"""Two nodes that nothing happens to, for 1 us."""
SOURCES = period("ShiftRelu2", [(0, 1), (0, 2)], [[0.0, 0.0], [0.0, 0.0], [1.0, 2.0]])
"""1 uA and 2 uA into 1 pF each."""
SWITCHING = Switching(on_ohm=0.0, off_ohm=math.inf, rise_s=1e-8, hold_s=2e-7)


def voltages(engine, design, starts, steps=200, **options):
    """(samples, outputs) of samples that all have an answer."""
    starts = np.asarray(starts, dtype=float)
    if engine == "batched":
        solution = batched.solve(design, starts, "device", RunOptions(check_samples=2), **options)
    else:
        solution = ngspice.solve(design, starts, "device", RunOptions(check_samples=2, steps=steps), **options)
    assert solution.failed == ()
    return solution.stage_v["readout"]


# --- closed forms ---


@ENGINES
def test_a_leak_is_an_rc_discharge(engine):
    design = replace(design_of_periods(IDLE), losses=NodeLosses(0.5e6, math.inf, 1.0))
    found = voltages(engine, design, [[1.0, -2.0], [0.3, 5.0]])
    np.testing.assert_allclose(found, np.exp(-2.0) * np.array([[1.0, -2.0], [0.3, 5.0]]), rtol=2e-5)


@ENGINES
def test_a_smaller_capacitor_is_charged_faster(engine):
    design = design_of_periods(replace(SOURCES, capacitor_f=np.array([0.8e-12, 1.25e-12])))
    np.testing.assert_allclose(voltages(engine, design, [[0.0, 0.5]]), [[1 / 0.8, 0.5 + 2 / 1.25]], rtol=1e-6)


@ENGINES
@pytest.mark.parametrize("clamp_ohm", [1e3, 1e5])
def test_a_node_stays_at_its_supply(engine, clamp_ohm):
    """1 uA and 2 uA through the clamp, and a node that begins beyond the other supply comes back to it."""
    design = replace(design_of_periods(SOURCES), losses=NodeLosses(math.inf, 0.25, clamp_ohm))
    found = voltages(engine, design, [[0.0, 0.0], [0.2, -3.0]], steps=400)
    at_supply = 0.25 + clamp_ohm * np.array([1e-6, 2e-6])
    np.testing.assert_allclose(found[0], at_supply, atol=2e-4)
    np.testing.assert_allclose(found[1, 0], at_supply[0], atol=2e-4)


@ENGINES
def test_a_switch_that_opens_pushes_its_charge_onto_its_node(engine):
    charge = np.array([3e-15, -1e-14])
    design = replace(design_of_periods(replace(IDLE, injected_c=charge)), switching=SWITCHING)
    starts = np.array([[1.0, 1.0], [0.0, -2.0]])
    np.testing.assert_allclose(voltages(engine, design, starts), starts + charge / 1e-12, rtol=0, atol=1e-7)


@ENGINES
def test_a_clock_whose_edges_are_late_is_on_for_another_time(engine):
    late = replace(SOURCES, late_on_s=3e-8, late_off_s=1.3e-7)
    second = replace(late, name="l2.period", compares_to="l2.period", late_on_s=1e-7, late_off_s=0.0)
    design = replace(design_of_periods(late, second), switching=SWITCHING)
    found = voltages(engine, design, [[0.0, -1.0]])
    on_us = 1.0 + 0.13 - 0.03 + 1.0 - 0.1
    np.testing.assert_allclose(found, [[on_us, 2 * on_us - 1.0]], rtol=1e-5)


@ENGINES
@pytest.mark.parametrize("switching", [None, SWITCHING])
def test_outputs_that_are_taken_late(engine, switching):
    """While a bank drives, and while nodes are held, where only their leak goes on; each sample as late as drawn."""
    losses = NodeLosses(1e7, math.inf, 1.0)
    design = replace(design_of_periods(SOURCES), switching=switching, losses=losses, jitter_s=3e-8, seed=5)
    late_s = design.read_late_s(4)
    assert (late_s > 0).any()
    assert (late_s < 0).any()
    on_time = voltages(engine, replace(design, jitter_s=0.0), np.zeros((4, 2)))
    found = voltages(engine, design, np.zeros((4, 2)))
    decay = np.exp(-late_s / 1e-5)[:, None]
    driven = np.array([1.0, 2.0]) * 10 * (1 - decay) if switching is None else 0.0
    np.testing.assert_allclose(found, on_time * decay + driven, rtol=1e-5)
    part = voltages(engine, design, np.zeros((2, 2)), numbers=[3, 1])
    np.testing.assert_allclose(part, found[[3, 1]], rtol=1e-6)


@ENGINES
def test_a_gain_multiplies_a_current_and_a_tail_limits_it(engine):
    """A pair driven by 5 units of a tail of 1.2 * 0.5: 0.8 times 0.6 tanh(5 / 0.6)."""
    part = period("ShiftTanh1", [(0, 1)], [[5.0], [0.0]])
    part = replace(part, gain=np.array([0.8]), tail=np.array([0.5]))
    design = replace(design_of_periods(part), schematic=Schematic(1.0, math.inf, 1e12, 1.2, math.inf))
    expected = 0.8 * 0.6 * math.tanh(5 / 0.6)
    np.testing.assert_allclose(voltages(engine, design, [[0.0]]), [[expected]], rtol=1e-6)


# --- ngspice on the same design ---


def imperfect(law, seed, *, built=False, switched=False):
    """Two periods with a little of everything that they can have, drawn from the seed."""
    rng = np.random.default_rng(seed)
    parts = []
    for index in (1, 2):
        theta = rng.normal(size=(LAWS[law].rows, len(EDGES)))
        part = period(law, EDGES, theta, index=index, duration=0.5)
        parts.append(
            replace(
                part,
                gain=np.append(rng.uniform(0.5, 1.5, len(EDGES) - 1), 0.0),
                tail=rng.uniform(0.7, 1.3, len(EDGES)),
                capacitor_f=parts[0].capacitor_f if parts else rng.uniform(0.7e-12, 1.3e-12, 2),
                injected_c=rng.normal(0, 3e-14, 2) * switched,
                late_on_s=float(rng.uniform(0, 2e-8)) * switched,
                late_off_s=float(rng.uniform(0, 2e-8)) * switched,
            )
        )
    design = replace(
        design_of_periods(*parts),
        losses=NodeLosses(float(rng.uniform(2e6, 1e7)), float(rng.uniform(0.5, 1.0)), float(rng.uniform(1e4, 1e5))),
        jitter_s=5e-9,
        seed=seed,
    )
    if built:
        values = rng.uniform(0.5, 2, 5) * [2e4, 5e7, 4e6, 1.2, 3.0]
        design = replace(design, schematic=Schematic(*values.tolist()))
    if switched:
        design = replace(design, switching=Switching(2e4 * rng.random(), 1e7, 5e-9, 5e-8))
    return design, rng.normal(0, 0.8, (5, 2))


def assert_agreement(design, inputs, fidelity):
    """To 1e-4 of the largest voltage: all samples may end at the supply, so that they do not differ from each other."""
    found = batched.solve(design, inputs, fidelity)
    judged = ngspice.solve(design, inputs, fidelity, RunOptions(check_samples=0, steps=400))
    assert found.failed == judged.failed == ()
    for name, volts in judged.stage_v.items():
        np.testing.assert_allclose(found.stage_v[name], volts, rtol=0, atol=1e-4 * np.abs(volts).max())


@pytest.mark.ngspice
@pytest.mark.parametrize("law", [law for law in LAWS if not law.startswith("Device")])
@pytest.mark.parametrize("fidelity", ["device", "merged"])
def test_ngspice_agrees_on_every_law(law, fidelity):
    assert_agreement(*imperfect(law, 3), fidelity)


@pytest.mark.ngspice
@settings(max_examples=4, deadline=None, derandomize=True)
@given(law=st.sampled_from(SCHEMATIC_LAWS), seed=st.integers(0, 99), built=st.booleans())
def test_ngspice_agrees_on_schematics_and_switches(law, seed, built):
    assert_agreement(*imperfect(law, seed, built=built, switched=True), "device")


# --- an integrator that knows neither engine ---


def by_scipy(design, start):
    """The last voltages, in volts, of one sample: each period's right-hand side as its docstrings say it."""
    losses, volts, late_s = design.losses, np.asarray(start, dtype=float), design.read_late_s(1)[0]
    for part in design.periods:

        def change(_time, v, part=part):
            ends = np.append(0.0, v)
            amps = part.gain * LAWS[part.law].currents(ends[part.source], ends[part.destination], part.theta) * 1e-6
            into = np.zeros(len(ends))
            np.add.at(into, part.destination, amps)
            np.subtract.at(into, part.source, amps)
            clamped = np.sign(v) * np.maximum(np.abs(v) - losses.supply_v, 0) / losses.clamp_ohm
            return (into[1:] - v / losses.leak_ohm - clamped) / part.capacitor_f

        end_s = part.period_s + (late_s if part is design.periods[-1] else 0.0)
        found = solve_ivp(change, (0.0, end_s), volts, "Radau", rtol=1e-9, atol=1e-12)
        volts = found.y[:, -1]
    return volts


@pytest.mark.parametrize("clamp_ohm", [1.0, 300.0, 1e5])
@pytest.mark.parametrize("law", ["ShiftTanh2", "ShiftRelu1", "Conductance"])
def test_scipy_agrees_however_stiff(law, clamp_ohm):
    design, inputs = imperfect(law, 8)
    design = replace(design, losses=replace(design.losses, supply_v=0.4, clamp_ohm=clamp_ohm))
    assert (PeriodSolver(design).periods[0].motion.pull is not None) == (clamp_ohm < 1e3)
    found = voltages("batched", design, inputs)[0]
    np.testing.assert_allclose(found, by_scipy(design, inputs[0]), rtol=0, atol=1e-5)


@pytest.mark.parametrize("strong", [NodeLosses(10.0, math.inf, 1.0), NodeLosses(1e7, 0.4, 1.0)], ids=["leak", "clamp"])
@pytest.mark.parametrize("law", ["ShiftTanh2", "ShiftRelu1"])
def test_steps_do_not_follow_the_rate_of_what_is_implicit(law, strong, monkeypatch):
    """Rates of 5e4 and 5e5 a period: explicit steps of a few time constants would take 90,000 evaluations or more."""
    design, inputs = imperfect(law, 8)
    evaluated = []
    into_nodes = DenseBank.into_nodes
    monkeypatch.setattr(DenseBank, "into_nodes", lambda bank, v: evaluated.append(len(v)) or into_nodes(bank, v))
    voltages("batched", replace(design, losses=strong), inputs)
    assert sum(evaluated) < 5000 * len(inputs) * len(design.periods)


# --- specimens ---


def test_a_specimen_of_an_ideal_technology_is_its_design():
    design = design_of_periods(SOURCES, replace(SOURCES, name="l2.period", compares_to="l2.period"))
    specimen = draw_specimen(design, technology(), Draw(7))
    for nominal, part in zip(design.periods, specimen.periods, strict=True):
        for name in ("capacitor_f", "gain", "tail", "theta", "injected_c", "late_on_s"):
            np.testing.assert_array_equal(getattr(part, name), getattr(nominal, name))
