"""KirchhoffNets in the batched engine: closed forms, outcomes, and ngspice on the same design."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import pytest
from circuits import technology
from hypothesis import given, settings
from hypothesis import strategies as st
from periods import design_of_periods, period

from kanspice.circuit import Schematic, Switching
from kanspice.circuit.branch_laws import LAWS, SCHEMATIC_LAWS
from kanspice.circuit.stages.trajectory import period_end_v
from kanspice.engine.batched import solve
from kanspice.engine.batched.periods import PeriodSolver, ideal_end_v
from kanspice.engine.ngspice import engine as ngspice
from kanspice.engine.options import RunOptions
from kanspice.engine.solution import Outcome
from kanspice.families import load
from kanspice.families.common import load_array
from kanspice.families.kirchhoffnet.circuit import compile_kirchhoffnet
from kanspice.gap.cross_check import cross_checked

pytestmark = pytest.mark.slow

JUDGED_LAWS = [*(law for law in LAWS if not law.startswith("Device")), "Device1.silu", "Device2.softshrink"]
"""The others differ in the function only, which every bank is tested with."""
EDGES = [(1, 0), (1, 2), (2, 1), (1, 2), (0, 2)]


def random_design(law, seed, *, periods=1, scale=1.0):
    rng = np.random.default_rng(seed)
    parts = []
    for index in range(1, periods + 1):
        theta = scale * rng.normal(size=(LAWS[law].rows, len(EDGES)))
        parts.append(period(law, EDGES, theta, index=index, duration=0.5))
    return design_of_periods(*parts), rng.normal(size=(6, 2))


def assert_agreement(design, inputs):
    """With ngspice, by the rule that `--cross-check` applies."""
    found = solve(design, inputs, "device")
    options = RunOptions(check_samples=len(inputs), steps=400)
    checked = cross_checked(design, found, ngspice.solve(design, inputs, "device", options), range(len(inputs)))
    assert checked.passed, checked
    assert checked.allowed < 2e-3


@pytest.mark.parametrize("law", JUDGED_LAWS)
def test_a_period_by_itself_is_what_another_integrator_makes_of_it(law):
    design, inputs = random_design(law, 3)
    stage = design.periods[0]
    expected = period_end_v(stage, inputs)
    np.testing.assert_allclose(ideal_end_v(stage, inputs), expected, rtol=0, atol=3e-5 * np.abs(expected).max())


# --- closed forms ---


def test_a_discharge():
    """v' = -2 v for 1.5 units of time; in any unit of voltage."""
    design = design_of_periods(period("Conductance", [(1, 0)], [[2.0]], duration=1.5, v_unit=0.3))
    solution = solve(design, np.array([[1.0], [-4.0]]), "device")
    expected = 0.3 * np.exp(-3.0) * np.array([[1.0], [-4.0]])
    np.testing.assert_allclose(solution.stage_v["readout"], expected, rtol=1e-8)
    assert solution.numerical_error.max_abs_v < 1e-8


def test_a_rectifier_lets_go_at_its_corner():
    """v' = -max(v - 1, 0): from 3 V to 1 + 2 e^-t, and 0.5 V stays."""
    design = design_of_periods(period("ShiftRelu1", [(1, 0)], [[1.0], [1.0]], duration=2.0))
    solution = solve(design, np.array([[3.0], [0.5], [1.0]]), "device")
    np.testing.assert_allclose(solution.stage_v["readout"][:, 0], [1 + 2 * np.exp(-2), 0.5, 1.0], rtol=1e-6)


def test_switches_that_leak_and_resist():
    """v' = -(2 clock / (1 + 2 on)) v - (off part) v: a bank of 2 units behind 0.1, leaking 0.05 while it is off."""
    part = period("Conductance", [(1, 0)], [[2.0]])
    rise_s = 0.1 * part.period_s
    switching = Switching(on_ohm=0.1e6, off_ohm=1e6 / 0.05, rise_s=rise_s, hold_s=part.period_s)
    design = replace(design_of_periods(part), switching=switching)
    solution = solve(design, np.array([[1.0]]), "device")
    expected = np.exp(-2.0 / 1.2 - 0.05 * (0.1 + 1.0))
    np.testing.assert_allclose(solution.stage_v["readout"], [[expected]], rtol=1e-8)


# --- outcomes ---


def test_an_explosion_is_no_answer_and_disturbs_nobody():
    """v' = 40 v^+ for so long that only nodes below 0 V stay finite."""
    design = design_of_periods(period("ShiftRelu1", [(1, 0)], [[0.0], [-400.0]], duration=5.0))
    solution = solve(design, np.array([[1.0], [-1.0], [2.0], [-3.0]]), "device")
    assert [failure.index for failure in solution.failed] == [0, 2]
    assert {failure.outcome for failure in solution.failed} == {Outcome.DIVERGED}
    assert "l1.period came to" in solution.failed[0].advice
    np.testing.assert_array_equal(solution.stage_v["readout"], [[np.nan], [-1.0], [np.nan], [-3.0]])


def test_switches_worse_than_the_branches_have_no_answer():
    part = period("Conductance", [(1, 0)], [[-3.0]])
    switching = Switching(on_ohm=1e6, off_ohm=np.inf, rise_s=1e-3 * part.period_s, hold_s=0.0)
    solution = solve(replace(design_of_periods(part), switching=switching), np.array([[1.0]]), "device")
    assert [failure.outcome for failure in solution.failed] == [Outcome.DIVERGED]


def test_no_time_is_no_answer():
    design, inputs = random_design("ShiftTanh2", 0)
    solution = solve(design, inputs, "device", RunOptions(timeout_s=0.0))
    assert {failure.outcome for failure in solution.failed} == {Outcome.TIMED_OUT}


def test_an_error_that_could_not_be_measured_in_time_is_unknown(monkeypatch):
    design, inputs = random_design("ShiftTanh2", 0)
    real = PeriodSolver.solve

    def slow_again(self, inputs_v, late_s, *, tighter=False, deadline=None):
        return real(self, inputs_v, late_s, tighter=tighter, deadline=time.monotonic() - 1 if tighter else None)

    monkeypatch.setattr(PeriodSolver, "solve", slow_again)
    solution = solve(design, inputs, "device", RunOptions(timeout_s=1000.0))
    assert solution.failed == ()
    assert solution.numerical_error is None
    assert solution.notes == ("numerical error unknown: the tightened rerun came to no end",)


def test_waveforms_are_kept_of_the_samples_that_there_is_time_for(monkeypatch):
    design, inputs = random_design("ShiftTanh2", 0)
    real, now = PeriodSolver.waveforms, time.monotonic

    def slow(self, *arguments):
        kept = real(self, *arguments)
        monkeypatch.setattr(time, "monotonic", lambda: now() + 2000.0)
        return kept

    monkeypatch.setattr(PeriodSolver, "waveforms", slow)
    solution = solve(design, inputs, "device", RunOptions(timeout_s=1000.0, waveforms=3))
    assert {waveform.sample for waveform in solution.waveforms} == {0}
    assert solution.notes == ("waveforms kept: 1 samples instead of 3, since --timeout was reached",)


# --- what must not matter ---


@pytest.mark.parametrize(("law", "same"), [("ShiftTanh2", 1e-12), ("ShiftRelu2", 1e-8)])
def test_neither_blocks_nor_order_matter(law, same):
    """Rounding moves a step of a sample across a corner, or not: that is as much as its error tolerance."""
    design, inputs = random_design(law, 3, periods=2)
    order = np.array([4, 2, 0, 5, 3, 1])
    found = solve(design, inputs, "device").stage_v["readout"]
    in_blocks = solve(design, inputs, "device", RunOptions(block=4)).stage_v["readout"]
    shuffled = solve(design, inputs[order], "device").stage_v["readout"]
    np.testing.assert_allclose(in_blocks, found, rtol=0, atol=same * np.abs(found).max())
    np.testing.assert_allclose(shuffled, found[order], rtol=0, atol=same * np.abs(found).max())


@pytest.mark.parametrize("switched", [False, True])
def test_waveforms_begin_and_end_where_the_periods_do(switched):
    design, inputs = random_design("ShiftTanh1", 5, periods=2)
    if switched:
        shortest_s = min(part.period_s for part in design.periods)
        design = replace(design, switching=Switching(1e3, 1e9, 1e-3 * shortest_s, 0.1 * shortest_s))
    solution = solve(design, inputs, "device", RunOptions(waveforms=2))
    assert [(w.sample, w.stage) for w in solution.waveforms] == [
        (sample, part.name) for sample in (0, 1) for part in design.periods
    ]
    np.testing.assert_allclose(solution.waveforms[2].node_v[0], inputs[1], rtol=1e-12)
    for waveform, end_s in zip(solution.waveforms, (*design.ends_s, *design.ends_s), strict=True):
        assert waveform.time_s[-1] == pytest.approx(end_s)
        ends_v = solution.stage_v[waveform.stage][waveform.sample]
        np.testing.assert_allclose(waveform.node_v[-1], ends_v, rtol=0, atol=1e-7)


# --- against the judge ---


@pytest.mark.ngspice
@pytest.mark.parametrize("law", JUDGED_LAWS)
def test_ngspice_agrees_on_every_law(law):
    assert_agreement(*random_design(law, 11, periods=2))


@pytest.mark.ngspice
@settings(max_examples=6, deadline=None, derandomize=True)
@given(law=st.sampled_from(SCHEMATIC_LAWS), seed=st.integers(0, 99), switched=st.booleans(), built=st.booleans())
def test_ngspice_agrees_on_schematics_and_switches(law, seed, switched, built):
    design, inputs = random_design(law, seed, periods=2)
    rng = np.random.default_rng(seed)
    if built:
        design = replace(design, schematic=Schematic(*(rng.uniform(0.5, 2, 5) * [2e4, 5e7, 4e6, 1.2, 3.0]).tolist()))
    if switched:
        shortest_s = min(part.period_s for part in design.periods)
        times = 1e-2 * shortest_s, 0.1 * shortest_s
        design = replace(design, switching=Switching(2e4 * rng.random(), 1e7, *times))
    assert_agreement(design, inputs)


@pytest.mark.reference_data
def test_the_authors_outputs_are_the_circuits(reference_data):
    folder = reference_data / "kirchhoffnet" / "twomoon"
    loaded = load(folder / "model.pth", folder / "config.yaml")
    inputs, expected = load_array(folder / "inputs.npy", "the inputs"), np.load(folder / "outputs.npy")
    solution = solve(compile_kirchhoffnet(loaded.model, technology()), inputs, "device")
    assert solution.failed == ()
    assert np.abs(solution.stage_v["readout"] - expected).max() < 1e-6 * expected.std()
