"""Branches whose currents follow their laws through a pole: closed forms, SciPy, and one engine against the other."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from circuits import technology
from periods import design_of_periods, period
from scipy.integrate import solve_ivp

from kanspice.base.errors import InputError
from kanspice.circuit import NodeLosses, Schematic, Switching
from kanspice.circuit.branch_laws import LAWS
from kanspice.circuit.file import load_design, save_design
from kanspice.engine import batched
from kanspice.engine.batched.branch_banks import DenseBank
from kanspice.engine.ngspice import engine as ngspice
from kanspice.engine.options import RunOptions
from kanspice.gap.costs import physical_cost

pytestmark = pytest.mark.slow

EDGES = [(0, 1), (1, 2), (2, 3), (3, 1), (1, 0), (2, 0), (3, 0), (0, 2), (0, 3)]
SUDDEN = Switching(on_ohm=1e4, off_ohm=1e9, rise_s=1e-12, hold_s=3e-8)
SLOW = replace(SUDDEN, rise_s=2e-8)
SOURCE = period("ShiftRelu2", [(0, 1)], [[0.0], [0.0], [1.0]])
"""1 uA into 1 pF for 1 us."""


def circuit(law, lag_s, switching=None):
    """Two periods of three nodes, the second one's clock late; with inputs (samples, nodes)."""
    rng = np.random.default_rng(1)
    thetas = [0.7 * rng.normal(size=(LAWS[law].rows, len(EDGES))) for _ in range(2)]
    late_s = 0.0 if switching is None else 3e-8
    parts = [
        replace(period(law, EDGES, theta, index=index, duration=2.0), late_on_s=late_s * (index - 1))
        for index, theta in enumerate(thetas, start=1)
    ]
    return replace(design_of_periods(*parts), lag_s=lag_s, switching=switching), rng.normal(size=(3, 3))


def readout(engine, design, starts, steps=200, **options):
    starts = np.asarray(starts, dtype=float)
    if engine == "batched":
        solution = batched.solve(design, starts, "device", RunOptions(check_samples=0, **options))
    else:
        solution = ngspice.solve(design, starts, "device", RunOptions(check_samples=0, steps=steps, **options))
    assert solution.failed == ()
    return solution.stage_v["readout"]


def by_scipy(design, start):
    """The same node voltages for one sample, from every branch's own current behind a pole of its own."""
    volts, switching = start, design.switching
    for part in design.periods:
        lasts_s = np.subtract(*design.spans_s[part.name][::-1])
        on_s, off_s = part.late_on_s, part.period_s + part.late_off_s

        def change(time_s, state, part=part, on_s=on_s, off_s=off_s):
            node_v, each = state[: part.nodes], state[part.nodes :]
            into, clock, ohm, leak = np.zeros(part.nodes + 1), 1.0, 0.0, 0.0
            np.add.at(into, part.destination, each)
            np.add.at(into, part.source, -each)
            if switching is not None:
                rise_s, ohm = switching.rise_s, switching.on_ohm
                clock = np.clip(min((time_s - on_s) / rise_s, 1 - (time_s - off_s) / rise_s), 0, 1)
                leak = (2 - clock) / switching.off_ohm
            bank_v = np.concatenate([[0.0], node_v + ohm * into[1:]])
            law = LAWS[part.law].currents(bank_v[part.source], bank_v[part.destination], part.theta) * 1e-6
            idle = switching is not None and time_s < on_s
            per_s = (clock * into[1:] - leak * node_v) / part.capacitor_f
            return np.concatenate([per_s, (law * (not idle) - each) / design.lag_s])

        state = np.concatenate([volts, np.zeros(part.branches)])
        corners = [0.0, lasts_s]
        if switching is not None:
            corners = [0.0, on_s, on_s + switching.rise_s, off_s, off_s + switching.rise_s, lasts_s]
        for begin_s, end_s in pairwise(corners):
            if end_s > begin_s:
                state = solve_ivp(change, (begin_s, end_s), state, "LSODA", rtol=1e-9, atol=1e-13).y[:, -1]
        volts = state[: part.nodes]
    return volts


ENGINES = pytest.mark.parametrize("engine", ["batched", pytest.param("ngspice", marks=pytest.mark.ngspice)])


@ENGINES
@pytest.mark.parametrize("lag_s", [1e-6, 2e-8, 1e-10])
def test_a_source_behind_a_pole_begins_with_no_current_in_every_period(engine, lag_s):
    second = replace(SOURCE, name="l2.period", compares_to="l2.period")
    design = replace(design_of_periods(SOURCE, second), lag_s=lag_s)
    charged_v = 1 - lag_s / 1e-6 * -math.expm1(-1e-6 / lag_s)
    found = readout(engine, design, [[0.0], [-2.0]])
    np.testing.assert_allclose(found, [[2 * charged_v], [2 * charged_v - 2]], rtol=0, atol=2e-6)


@pytest.mark.parametrize(
    ("law", "lag_s", "switching"),
    [
        ("ShiftTanh2", 3e-7, None),
        ("ShiftTanh2", 3e-7, SUDDEN),
        ("ShiftTanh2", 3e-7, SLOW),
        ("ShiftTanh2", 1e-9, None),
        ("ShiftRelu1", 2e-8, SLOW),
    ],
)
def test_scipy_agrees_with_a_pole_in_every_branch(law, lag_s, switching):
    design, inputs = circuit(law, lag_s, switching)
    expected = by_scipy(design, inputs[0])
    np.testing.assert_allclose(readout("batched", design, inputs[:1])[0], expected, rtol=0, atol=3e-6)


@pytest.mark.ngspice
@pytest.mark.parametrize("switching", [None, SUDDEN], ids=["phased", "sudden"])
@pytest.mark.parametrize("lag_s", [3e-7, 1e-9])
@pytest.mark.parametrize(("law", "fidelity"), [("ShiftTanh2", "device"), ("ShiftRelu1", "merged")])
def test_ngspice_agrees(law, fidelity, lag_s, switching):
    design, inputs = circuit(law, lag_s, switching)
    judge = ngspice.solve(design, inputs, fidelity, RunOptions(check_samples=0, steps=300))
    found = readout("batched", design, inputs)
    off = {"ShiftTanh2": 1e-6, "ShiftRelu1": 1e-4}[law]
    np.testing.assert_allclose(judge.stage_v["readout"], found, rtol=0, atol=off * np.abs(found).max())


@pytest.mark.ngspice
def test_ngspice_agrees_where_clocks_are_as_slow_as_the_pole():
    """Its steps double after every corner of a clock, so that most of the edge is taken in two or three of them."""
    design, inputs = circuit("ShiftTanh2", 1e-8, SLOW)
    found = readout("batched", design, inputs)
    np.testing.assert_allclose(readout("ngspice", design, inputs), found, rtol=0, atol=1e-4 * np.abs(found).max())


@pytest.mark.ngspice
def test_ngspice_agrees_on_schematics_with_losses_and_waveforms():
    design, inputs = circuit("ShiftTanh2", 5e-8)
    built = Schematic(1.0, math.inf, 1e9, 0.8, 2.0)
    design = replace(design, schematic=built, losses=NodeLosses(3e6, math.inf, 1.0))
    solutions = [
        ngspice.solve(design, inputs, "device", RunOptions(check_samples=0, steps=60, waveforms=1)),
        batched.solve(design, inputs, "device", RunOptions(check_samples=0, waveforms=1)),
    ]
    judge, found = (solution.stage_v["readout"] for solution in solutions)
    np.testing.assert_allclose(judge, found, rtol=0, atol=2e-5)
    for one, other in zip(*(solution.waveforms for solution in solutions), strict=True):
        for node in range(3):
            again = np.interp(other.time_s, one.time_s, one.node_v[:, node])
            np.testing.assert_allclose(again, other.node_v[:, node], rtol=0, atol=1e-3)
    costs = [physical_cost(design, solution, technology()) for solution in solutions]
    assert costs[0].energy_j == pytest.approx(costs[1].energy_j, rel=1e-3)


def test_waveforms_end_where_results_are_and_begin_without_a_slope():
    design, inputs = circuit("ShiftTanh2", 2e-7, SLOW)
    solution = batched.solve(design, inputs, "device", RunOptions(check_samples=0, waveforms=1))
    for waveform in solution.waveforms:
        assert waveform.node_v.shape[1] == 3
        np.testing.assert_allclose(waveform.node_v[-1], solution.stage_v[waveform.stage][0], atol=1e-8)
    first = solution.waveforms[0].node_v
    assert np.abs(first[1] - first[0]).max() < 0.05 * np.abs(first[21] - first[20]).max()


def test_the_energy_is_that_of_the_late_current():
    """The integral of v i, of i = 1 uA (1 - exp(-t / lag)) into 1 pF, is C v^2 / 2; and the charge is C v."""
    design = replace(design_of_periods(SOURCE), lag_s=3e-7)
    solution = batched.solve(design, np.zeros((1, 1)), "device", RunOptions(check_samples=0, waveforms=1))
    volts = float(solution.stage_v["readout"][0, 0])
    cost = physical_cost(design, solution, technology())
    assert cost.energy_j == pytest.approx(1e-12 * volts**2 / 2, rel=1e-3)
    assert cost.charge_c == pytest.approx(1e-12 * volts, rel=1e-3)


def test_steps_do_not_follow_the_rate_of_the_pole(monkeypatch):
    """2e6 time constants a period: explicit steps would take a million evaluations."""
    design, inputs = circuit("ShiftTanh2", 1e-12)
    evaluated = []
    into_nodes = DenseBank.into_nodes
    monkeypatch.setattr(DenseBank, "into_nodes", lambda bank, v: evaluated.append(len(v)) or into_nodes(bank, v))
    late = readout("batched", design, inputs)
    assert sum(evaluated) < 2000 * len(inputs) * len(design.periods)
    np.testing.assert_allclose(late, readout("batched", replace(design, lag_s=0.0), inputs), rtol=0, atol=1e-5)


def test_torch_computes_the_same():
    design, inputs = circuit("ShiftTanh2", 3e-7)
    found = readout("batched", design, inputs[:1])
    np.testing.assert_allclose(readout("batched", design, inputs[:1], device="torch"), found, rtol=0, atol=1e-9)


def test_a_design_keeps_its_lag(tmp_path):
    design, _ = circuit("ShiftTanh2", 1e-9)
    save_design(design, tmp_path / "design.npz")
    assert load_design(tmp_path / "design.npz").lag_s == 1e-9
    save_design(replace(design, lag_s=-1.0), tmp_path / "design.npz")
    with pytest.raises(InputError, match="lag"):
        load_design(tmp_path / "design.npz")


def test_a_bandwidth_is_a_cause():
    assert technology("branches.bandwidth_hz=1e9").causes == ("branches.bandwidth_hz",)
