"""What ngspice takes is estimated from lines, beforehand: never less than was measured, and not twice as much."""

from __future__ import annotations

import numpy as np
import pytest
from circuits import LINE, PEAK, design_of, inputs_for, load_device, network, polynomial_device
from scipy.interpolate import CubicSpline

from kanspice.base.process_memory import available_bytes, peak_bytes
from kanspice.engine.netlist import build_netlist
from kanspice.engine.netlist.weight import Tally, estimated_bytes, weight
from kanspice.engine.ngspice.engine import solve
from kanspice.engine.options import RunOptions

MEASURED = {
    "Gl1_d0_0_0 l1_r0 l1_c0p l1_phi0_0 0 1.5e-06": 1000,
    "Bl1_d0_0_0 l1_r0 l1_c0p i=v(l1_phi0_0)-v(l1_c0p)*v(l1_g0_0) m=1.5e-06": 2700,
    "Bl1_e0 l1_v1 l1_v2 i=uramp(v(l1_v1)-v(l1_v2)-0.1) m=1e-06": 2700,
    "Bl1_e0 l1_v1 l1_v2 i=tanh(v(l1_x0)) m=1e-06": 2100,
    "xl1_k0_0_0 l1_k0 l1_s0 synapse load=18.0 series=1.0 alpha=20.0 sat=1e-06 gain=1.0 top=10.0": 12000,
}


@pytest.mark.parametrize("line", MEASURED)
def test_the_weight_of_a_line_is_about_what_was_measured(line):
    assert 1.0 <= 1.2 * weight(line) / MEASURED[line] < 2.0


def test_of_many_lines_some_stand_for_all():
    line = "Bl1_e0 l1_v1 l1_v2 i=tanh(v(l1_x0)) m=1e-06"
    tally = Tally()
    tally.add_lines(["* a comment", *[line] * 30_000, ".end"])
    assert tally.elements == 30_000
    assert tally.simulator_bytes == pytest.approx(30_000 * weight(line), rel=0.01)


@pytest.mark.slow
def test_time_grows_with_the_square_of_long_lines():
    """With a curve of 4,095 pieces ngspice took 5.4 s of processor time for one row, and 10.8 s for two."""
    bends = np.linspace(0, 0.6, 4096)
    pieces = CubicSpline(bends, np.sin(9 * bends)).c[::-1].T
    curve = polynomial_device("long", bends.tolist(), pieces.tolist())
    for rows, measured_s in ((1, 5.4), (2, 10.8)):
        found = build_netlist(design_of(network([rows, 2], [curve])), "device")
        assert 1.0 < found.first_s / measured_s < 2.0
    short = build_netlist(design_of(network([60, 30, 4], [load_device("z21")])), "device")
    assert short.first_s == pytest.approx(short.simulator_bytes * 12e-9, rel=0.1)


@pytest.mark.slow
@pytest.mark.ngspice
@pytest.mark.parametrize(("fidelity", "overrides"), [("shared", ()), ("device", ("tia.gain=1000",))])
def test_a_crossbar_takes_about_what_was_said(fidelity, overrides):
    model = network([240, 60, 4], [load_device("z21"), PEAK, LINE])  # memory is seen every 50 ms: it takes longer
    inputs = inputs_for(model, 2)
    design = design_of(model, inputs, *overrides)
    solution = solve(design, inputs, fidelity, RunOptions(check_samples=0))
    assert solution.engine_at_most_bytes == build_netlist(design, fidelity).simulator_bytes
    assert 1.0 <= solution.engine_at_most_bytes / solution.simulator_peak_bytes < 2.5


def test_the_machine_says_what_it_has():
    available = available_bytes()
    assert available is None or peak_bytes() / 100 < available
    assert estimated_bytes(0) == 20_000_000
