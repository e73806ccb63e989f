"""Voltages over time: where they begin and end, what they follow, and what happens when they cannot be had."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from fake_ngspice import REAL, write_fake
from periods import design_of_periods, period

from kanspice.circuit import Switching
from kanspice.engine.ngspice.engine import solve
from kanspice.engine.options import RunOptions

pytestmark = pytest.mark.ngspice

DISCHARGE = period("Conductance", [(1, 0)], [[1.0]])
STARTS = np.array([[1.0], [-0.3], [2.5], [0.0]])
# dv/dt = relu(2000 v): positive voltages explode, others stay.
EXPLODES = period("ShiftRelu2", [(0, 1)], [[0.0], [2000.0], [0.0]])


def kept(design, inputs, **options):
    return solve(design, inputs, "device", RunOptions(**{"steps": 50, "check_samples": 0} | options))


IDEAL = Switching(on_ohm=0.0, off_ohm=math.inf, rise_s=1e-8, hold_s=1e-7)


@pytest.mark.parametrize("switching", [None, IDEAL], ids=["period by period", "one circuit"])
def test_waveforms_lead_from_the_inputs_through_every_periods_end(switching):
    grows = period("ShiftTanh2", [(1, 2), (3, 0), (0, 3)], np.full((3, 3), 0.7), inputs=2, duration=0.5)
    shrinks = period("ShiftTanh2", [(2, 1)], [[0.4], [-0.2], [0.9]], inputs=3, index=2, v_unit=1.0, duration=2.0)
    design = replace(design_of_periods(grows, shrinks), switching=switching)
    inputs = np.array([[1.5, -2.0], [0.25, 0.5], [0.1, 0.2]])
    solution = kept(design, inputs, waveforms=2)
    assert [(found.sample, found.stage) for found in solution.waveforms] == [
        (sample, stage) for sample in (0, 1) for stage in ("l1.period", "l2.period")
    ]
    for first, second in zip(solution.waveforms[::2], solution.waveforms[1::2], strict=True):
        np.testing.assert_array_equal(first.node_v[0], [*inputs[first.sample], 0.0])
        np.testing.assert_array_equal(second.node_v[0], first.node_v[-1, :2])
        for found in (first, second):
            end_v = solution.stage_v[found.stage][found.sample]  # extrapolated, where a waveform is one run's
            np.testing.assert_allclose(found.node_v[-1], end_v, rtol=0, atol=1e-4)
            assert (np.diff(found.time_s) > 0).all()
        between_s = 0.0 if switching is None else 1.1e-7
        middle_s, end_s = 0.5e-6 + between_s, 2.5e-6 + 2 * between_s
        np.testing.assert_allclose([first.time_s[0], first.time_s[-1]], [0, middle_s], rtol=1e-9)
        np.testing.assert_allclose([second.time_s[0], second.time_s[-1]], [middle_s, end_s], rtol=1e-9)


def test_a_node_that_is_new_in_one_circuit_begins_at_0():
    grows = period("ShiftTanh2", [(1, 2)], np.full((3, 1), 0.7), inputs=1, index=2)
    design = replace(design_of_periods(DISCHARGE, grows), switching=IDEAL)
    first, second = kept(design, STARTS, waveforms=1).waveforms
    assert first.node_v.shape[1] == 1
    np.testing.assert_array_equal(second.node_v[0], [first.node_v[-1, 0], 0.0])
    assert second.node_v[-1, 1] > 0.1


def test_a_discharge_is_followed_all_the_way():
    (found,) = kept(design_of_periods(DISCHARGE), STARTS, waveforms=1).waveforms
    assert len(found.time_s) > 50
    np.testing.assert_allclose(found.node_v[:, 0], STARTS[0] * np.exp(-found.time_s / 1e-6), rtol=0, atol=1e-4)


def test_none_are_kept_unless_asked_for():
    assert kept(design_of_periods(DISCHARGE), STARTS).waveforms == ()


@pytest.mark.slow
def test_jobs_change_nothing():
    design = design_of_periods(DISCHARGE, replace(DISCHARGE, name="l2.period", compares_to="l2.period"))
    one, three = (kept(design, STARTS, waveforms=9, jobs=jobs).waveforms for jobs in (1, 3))
    assert len(one) == 8
    for found, other in zip(one, three, strict=True):
        assert (found.sample, found.stage) == (other.sample, other.stage)
        np.testing.assert_array_equal(found.node_v, other.node_v)


def test_samples_that_failed_have_none():
    solution = kept(design_of_periods(EXPLODES), np.array([[1.0], [-1.0], [0.0]]), waveforms=2)
    assert [failure.index for failure in solution.failed] == [0]
    assert [found.sample for found in solution.waveforms] == [1, 2]
    assert solution.notes == ()


@pytest.mark.slow
@pytest.mark.parametrize("switching", [None, IDEAL], ids=["period by period", "one circuit"])
@pytest.mark.parametrize(
    "spoil",
    [
        "exit 0\n",
        REAL + 'size=$(stat -c %s "$4"); truncate -s $((size-24)) "$4"\n',
        REAL + 'echo "Warning: singular matrix:  check nodes x and y"\n',
        'sed -i "s/ic]=1.0*$/ic]=1.5/" "$5"\n' + REAL,
    ],
    ids=["no file", "cut off", "in doubt", "another voltage"],
)
def test_waveforms_that_cannot_be_believed_are_left_out_and_said(tmp_path, monkeypatch, spoil, switching):
    """The results stay: only runs of a single sample, which keep every point, go wrong."""
    body = f'if [ "$(grep -c ^tran "$5")" = 1 ]; then\n{spoil}exit 0\nfi\n{REAL}'
    monkeypatch.setenv("KANSPICE_NGSPICE", str(write_fake(tmp_path, body)))
    solution = kept(replace(design_of_periods(DISCHARGE), switching=switching), STARTS, waveforms=1)
    assert solution.failed == ()
    assert solution.waveforms == ()
    assert solution.notes == ("waveforms missing, of samples: 1 of 1; solved again, there was no result, or another",)
