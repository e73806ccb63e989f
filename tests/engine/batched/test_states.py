"""Crossbars with wires that have several states: load lines that say which, and both engines' answers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from circuits import LINE, PEAK, crossbar_design

from kanspice.circuit.stability import least_eigenvalue
from kanspice.circuit.uniqueness import wires_leave_one_state
from kanspice.circuit.wires import lost_v
from kanspice.engine.batched import solve
from kanspice.engine.batched.crosspoints import LocalCrosspoints
from kanspice.engine.batched.operating_points import StageChain
from kanspice.engine.batched.row_expansions import Rows
from kanspice.engine.batched.states import States
from kanspice.engine.ngspice import engine as ngspice
from kanspice.engine.options import RunOptions
from kanspice.engine.solution import Outcome

OHM = 2e6
ROWS_V = np.linspace(0.02, 3.02, 31)[:, None]
SEVERAL = np.flatnonzero((ROWS_V[:, 0] > 1.3) & (ROWS_V[:, 0] < 2.5))
"""Behind 2 Mohm the load line meets PEAK three times between 0.9 V + 2 Mohm * 0.2 uA and 0.5 V + 2 Mohm * 1 uA."""


def behind(ohm, area=(((1.0,),),), devices=(PEAK,)):
    design = crossbar_design(devices, area, feedback=1e5)
    return replace(design, stages=(design.stages[0], replace(design.stages[1], row_ohm=ohm)))


def states_of(design):
    chain, crossbar = StageChain(design, "device"), design.stages[1]
    area = chain.area[crossbar.name] * crossbar.current_unit_a

    def crosspoints(rows_v):
        return LocalCrosspoints(Rows.at(rows_v, chain.curves), area)

    return States(crossbar, crosspoints, max(curve.hi_v for curve in chain.curves))


@pytest.mark.parametrize("seed", range(4))
def test_the_least_eigenvalue_is_that_of_the_whole_matrix(seed):
    rng = np.random.default_rng(seed)
    crossbar = replace(crossbar_design([PEAK], np.ones((5, 3, 1))).stages[1], row_ohm=300.0, column_ohm=50.0)
    siemens = rng.normal(size=(5, 5, 6)) * 1e-4 * np.array([0.1, 1.0, 3.0, 10.0, 0.0])[:, None, None]
    ohm = np.abs(rng.normal(size=(5, 6))) * 1e3
    found = least_eigenvalue(crossbar, siemens, ohm)
    for sample, least in enumerate(found):

        def losses(currents, sample=sample):
            in_columns_v = ohm[sample] * currents.sum(axis=0)
            return lost_v(crossbar, currents[None], in_columns_v[None])[0].ravel()

        matrix = np.stack([losses(unit.reshape(5, 6)) for unit in np.eye(30)], axis=1)
        np.testing.assert_allclose(matrix, matrix.T)
        values = np.linalg.eigvals(np.eye(30) + matrix * siemens[sample].ravel())
        assert np.abs(values.imag).max() < 1e-9
        assert least == pytest.approx(min(values.real.min(), 1.0), rel=2e-2)
        assert least >= values.real.min() - 1e-9


def test_a_single_device_is_stable_where_its_fall_times_the_resistance_is_below_1():
    for ohm, value in ((0.25e6, 0.5), (0.5e6, 0.0), (1e6, -1.0)):
        crossbar = behind(ohm).stages[1]
        siemens = np.array([[[-2e-6, 0.0]]])
        assert least_eigenvalue(crossbar, siemens, np.zeros((1, 2)))[0] == pytest.approx(value)


def test_sweeps_end_in_the_outer_states_of_the_load_line():
    design, rows_v = behind(OHM), ROWS_V[SEVERAL]
    states = states_of(design)
    for sweep, expected in (
        (states.swept_up, rows_v[:, 0] / (1 + OHM * 2e-6)),
        (states.swept_down, rows_v[:, 0] - OHM * 0.2e-6),
    ):
        arrived, lost = sweep(rows_v)
        assert arrived.all()
        np.testing.assert_allclose(rows_v[:, 0] - lost[:, 0, 0], expected, atol=1e-12)


def test_the_middle_state_does_not_stay():
    rows_v = ROWS_V[SEVERAL][5:6]
    volts = (rows_v - OHM * 2e-6) / (1 - OHM * 2e-6)  # where the load line meets I = 1 uA - 2 uA/V (v - 0.5 V)
    lost = np.broadcast_to((rows_v - volts)[..., None], (1, 1, 2)).copy()
    lost[:, :, 1] = lost[:, :, 0]
    assert states_of(behind(OHM))._least_eigenvalue(rows_v, lost)[0] == pytest.approx(1 - 2e-6 * OHM)


@pytest.mark.slow
def test_samples_of_several_states_fail_and_say_so():
    solution = solve(behind(OHM), ROWS_V, "device")
    failed = {failure.index: failure for failure in solution.failed}
    assert sorted(failed) == SEVERAL.tolist()
    for failure in failed.values():
        assert failure.outcome is Outcome.MULTISTABLE
        assert "l1.crossbar has another state" in failure.advice
        assert "lower the resistances of drivers and wires" in failure.advice
    assert any("is not proven" in note for note in solution.notes)


@pytest.mark.slow
def test_samples_that_are_lost_as_resistances_grow_are_swept_to():
    """Between 1 V and 1.3 V there is one state, but what leads to it from no resistance turns back."""
    rows_v = np.array([[1.0], [1.1], [1.25]])
    solution = solve(behind(OHM), rows_v, "device")
    assert solution.solved.all()
    expected = rows_v[:, 0] / (1 + OHM * 2e-6) * 2e-6 * 1e5
    np.testing.assert_allclose(-solution.stage_v["l1.crossbar"][:, 0], -expected, rtol=1e-9)


def test_rows_that_cannot_reach_a_fall_are_certain():
    design = behind(0.6e6)
    crossbar = design.stages[1]
    certain = wires_leave_one_state(design, crossbar, np.array([[-0.3], [0.9], [2.0]]))
    assert certain.tolist() == [True, False, True]
    assert wires_leave_one_state(behind(0.6e6, devices=(LINE,)), crossbar, ROWS_V).all()


@pytest.mark.slow
@pytest.mark.ngspice
def test_ngspice_finds_the_same_by_sweeping_both_ways():
    """From samples with one state on either side."""
    rows_v = np.linspace(0.02, 4.82, 49)[:, None]
    solution = ngspice.solve(behind(OHM), rows_v, "device", RunOptions())
    failed = {failure.index: failure for failure in solution.failed if failure.outcome is Outcome.MULTISTABLE}
    assert sorted(failed) == SEVERAL.tolist()
    assert "in a sweep the other way" in failed[SEVERAL[0]].advice
    assert any("swept in the other direction" in note for note in solution.notes)
    assert solution.numerical_error.max_abs_v < 1e-6
    once = ngspice.solve(behind(OHM), ROWS_V[:3] + 0.4, "device", RunOptions(check_samples=0))
    assert any("not tested" in note for note in once.notes)
