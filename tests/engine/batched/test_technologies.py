"""Crossbars in any technology: the batched engine is ngspice's equal, imperfection by imperfection and all together."""

from __future__ import annotations

import numpy as np
import pytest
from circuits import inputs_for, load_device, network, specimen_of
from hypothesis import Phase, assume, given, settings
from hypothesis import strategies as st

from kanspice.engine.batched import solve
from kanspice.engine.ngspice import engine as ngspice
from kanspice.engine.options import RunOptions
from kanspice.engine.solution import Outcome

pytestmark = pytest.mark.slow

RANGES = {
    "tia.gain": (100.0, 1e6),
    "tia.offset_sigma_v": (1e-4, 5e-3),
    "tia.feedback_sigma": (1e-3, 0.05),
    "tia.input_bias_a": (1e-10, 1e-8),
    "tia.output_ohm": (10.0, 1e3),
    "tia.swing_v": (2.0, 5.0),
    "devices.area_sigma": (0.01, 0.2),
    "devices.area_added_sigma": (0.01, 0.2),
    "devices.shift_sigma_v": (1e-3, 0.02),
    "devices.series_ohm": (100.0, 5e3),
    "devices.stuck_open": (0.01, 0.1),
    "wires.row_ohm": (0.1, 5.0),
    "wires.column_ohm": (0.1, 5.0),
    "wires.driver_ohm": (1.0, 50.0),
    "clippers.knee_v": (1e-3, 0.02),
    "references.current_sigma": (1e-3, 0.05),
    "converters.input_noise_v": (1e-4, 1e-2),
}
"""Imperfections, and from where to where they are drawn, evenly in their logarithms.

Where resistances make falling currents jump, ngspice takes minutes to say that it finds no state: its timeout leaves
such examples out.
"""

TECHNOLOGIES = st.dictionaries(st.sampled_from(sorted(RANGES)), st.floats(0, 1), min_size=1, max_size=7)


def overrides(drawn):
    """`SECTION.KEY=VALUE` texts for parts of the ranges' logarithms."""
    return [f"{key}={low * (high / low) ** drawn[key]:.6g}" for key, (low, high) in RANGES.items() if key in drawn]


@pytest.mark.ngspice
@settings(max_examples=12, deadline=None, derandomize=True, phases=[Phase.generate])
@given(
    TECHNOLOGIES, st.sampled_from([("z21",), ("a21", "z15", "constant"), ("rtd", "nmos_2n7002")]), st.integers(0, 1000)
)
def test_ngspice_agrees_in_any_technology(drawn, names, seed):
    model = network([4, 3, 2], [load_device(name) for name in names], seed=seed)
    inputs = inputs_for(model, 4, seed)
    sized = ("units.i_unit_a=1e-6", "tia.rail_v=1000.0", "tia.headroom=0.01")
    design = specimen_of(model, inputs, *overrides(drawn), *sized, seed=seed)
    judge = ngspice.solve(design, inputs, "device", RunOptions(check_samples=0, timeout_s=10))
    assume(not judge.failed)
    found = solve(design, inputs, "device", RunOptions(check_samples=0))
    assert all(failure.outcome is Outcome.MULTISTABLE for failure in found.failed)  # untested where nothing is checked
    for name, volts in judge.stage_v.items():
        scale = max(float(volts.std()), 1e-9)
        np.testing.assert_allclose(found.stage_v[name][found.solved], volts[found.solved], rtol=0, atol=1e-6 * scale)
