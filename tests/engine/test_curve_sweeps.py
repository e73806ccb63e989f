"""Whether a simulator has the curve of a card must not depend on the unit that its currents are in."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from circuits import load_device

from kanspice.engine.simulators.curve_check import scale_of
from kanspice.experiments.curves import check_curves


@pytest.mark.parametrize("amps", [1e-15, 1e-9, 1e6])
@pytest.mark.parametrize(
    "engine", [pytest.param("ngspice", marks=pytest.mark.ngspice), pytest.param("vacask", marks=pytest.mark.vacask)]
)
def test_currents_of_any_size_are_compared_in_parts_of_themselves(engine, amps, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    card = load_device("z21_passive")
    small = replace(card, curve=replace(card.curve, coefficients=card.curve.coefficients * amps))
    (checked,) = check_curves([small], engine, 60.0)
    assert checked.found.worst < 1e-13


def test_scales_are_powers_of_ten():
    assert [scale_of(np.array(amps)) for amps in ([0.0], [-1e-9, 3e-7], [2.0], [5e6])] == [1.0, 1e7, 1.0, 1e-6]
    assert scale_of(np.empty(0)) == 1.0
    assert np.isfinite(scale_of(np.array([5e-324])))
