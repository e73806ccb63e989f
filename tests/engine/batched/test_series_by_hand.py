"""Devices behind series resistances against a calculation by hand: every device's current by root finding."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.optimize import brentq

from kanspice import KANalogue, load_device, load_technology
from kanspice.engine.batched import solve
from kanspice.families import compile_model, load, save
from kanspice.families.compiling import sizing_of
from kanspice.families.kanalogue.network import NORM_EPS

UNITS_V = 2e4 * 1e-6
"""Volts that a unit of current drops at 20 kilohms and 1 uA a unit."""


def by_hand(model: KANalogue, inputs: np.ndarray) -> np.ndarray:
    """Outputs (samples, outputs) of a [2, 2, 2] network of one device with tanh and layer norm."""
    curve, values = model.devices[0].curve, inputs

    def current(volts: float) -> float:
        own_v = brentq(lambda own_v: own_v + UNITS_V * float(curve.numpy(own_v)[0]) - volts, -9.0, 9.0, xtol=1e-15)
        return float(curve.numpy(own_v)[0])

    first, second = model.crossbars
    for crossbar in (first, second):
        currents = np.vectorize(current)(np.tanh(values))
        values = currents @ crossbar.coeffs.detach().numpy()[:, :, 0] + crossbar.bias.detach().numpy()
        if crossbar is first:
            centred = values - values.mean(axis=1, keepdims=True)
            values = centred / np.sqrt((centred**2).mean(axis=1, keepdims=True) + NORM_EPS)
    return values


@pytest.mark.parametrize("seed", [22, 3])
def test_layer_norm_does_not_amplify_what_curves_are_off_by(seed, tmp_path):
    torch.manual_seed(seed)
    model = KANalogue([2, 2, 2], [load_device("a21")], input_stage="tanh", norm="layer").eval()
    save(model, tmp_path / "model.pt")
    inputs = np.random.default_rng(seed).uniform(0, 1.4, (12, 2))
    loaded = load(tmp_path / "model.pt")
    technology = load_technology("ideal", ["devices.series_ohm=2e4"])
    design = compile_model(loaded, technology, sizing_of(loaded.model, inputs))
    last = design.stages[-1]
    outputs = solve(design, inputs, "device").stage_v[last.name] / last.output_v_per_unit
    expected = by_hand(model, inputs)
    np.testing.assert_allclose(outputs, expected, rtol=0, atol=1e-8 * expected.std())
