"""Every family beyond the 1,004 ports that an expanded subcircuit of ngspice may have, sparse, so that it is quick."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from circuits import LINE, PEAK, crossbar_design
from connections import memkan, memkan_design, phykan, phykan_design
from periods import design_of_periods, period

from kanspice.circuit import Switching
from kanspice.engine import batched
from kanspice.engine.ngspice.engine import solve
from kanspice.engine.options import RunOptions

pytestmark = [pytest.mark.ngspice, pytest.mark.slow]

MANY = 1100
ONCE = RunOptions(check_samples=0)


def thinned(design, keep):
    """The design with its first bank's connections on some rows only; rows without any stay rows."""
    first = next(iter(design.banks))
    gain = first.gain.copy()
    gain[np.setdiff1d(np.arange(first.rows), keep)] = 0
    bank = replace(first, gain=gain)
    return replace(design, stages=tuple(bank if stage is first else stage for stage in design.stages))


def check(design, inputs, fidelity, tolerance):
    """ngspice against the batched engine, of the largest output."""
    ours, theirs = batched.solve(design, inputs, fidelity), solve(design, inputs, fidelity, ONCE)
    assert theirs.failed == ()
    last = design.stages[-1].name
    expected, found = ours.stage_v[last], theirs.stage_v[last]
    assert np.ptp(expected, axis=0).max() > 0
    np.testing.assert_allclose(found, expected, rtol=0, atol=tolerance * np.abs(expected).max())


@pytest.mark.parametrize(
    ("fidelity", "gain", "shape"),
    [("shared", np.inf, (MANY, 2)), ("device", 1000.0, (MANY, 2)), ("shared", 1e3, (3, 510))],
)
def test_a_crossbar(fidelity, gain, shape):
    rng = np.random.default_rng(1)
    area = rng.normal(size=(*shape, 2)) * (rng.uniform(size=(*shape, 2)) < 0.1)
    area[-1] = 1.0  # the last row counts
    design = crossbar_design([PEAK, LINE], area, gain=gain, feedback=3e4)
    inputs = rng.uniform(0, 1, (2, shape[0]))
    check(design, inputs, fidelity, 1e-9)
    if np.isinf(gain):
        currents = np.stack([device.curve.numpy(inputs)[0] for device in (PEAK, LINE)], axis=-1)
        expected = np.einsum("srd,rpd->sp", currents, area) * 1e-6 * 3e4
        found = solve(design, inputs, fidelity, ONCE).stage_v["l1.crossbar"]
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-9 * np.abs(expected).max())


@pytest.mark.parametrize("switching", [None, Switching(on_ohm=0.0, off_ohm=np.inf, rise_s=1e-12, hold_s=0.0)])
def test_a_kirchhoffnet(switching):
    """A ring in which every node discharges into the next one, from other beginnings."""
    edges = [(node, node % MANY + 1) for node in range(1, MANY + 1)]
    theta = np.stack([np.zeros(MANY), np.random.default_rng(2).uniform(0.5, 1.5, MANY)])
    ring = period("ShiftRelu1", edges, theta, duration=0.5)
    design = replace(design_of_periods(ring), switching=switching)
    starts = np.random.default_rng(3).normal(size=(1, MANY))
    solution = solve(design, starts, "device", replace(ONCE, steps=40))
    assert solution.failed == ()
    expected = ring.ideal_v(design, starts)
    np.testing.assert_allclose(solution.stage_v["readout"], expected, rtol=0, atol=2e-3)


def test_a_phykan():
    model = phykan((MANY, 2), filters=1)
    design = thinned(phykan_design(model), keep=[0, 7, MANY - 1])
    check(design, np.random.default_rng(4).uniform(-1, 1, (2, MANY)), "behavioural", 1e-8)


def test_a_memkan():
    design = thinned(memkan_design(memkan((MANY, 2))), keep=[0, 7, MANY - 1])
    check(design, np.random.default_rng(5).uniform(-1, 1, (2, MANY)), "device", 1e-7)
