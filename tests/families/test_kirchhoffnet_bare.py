"""Circuits of the KirchhoffNet authors' `bare` folder: a state dict, and what their code is told beside it."""

import json

import numpy as np
import pytest
import torch

from kanspice.base.errors import InputError
from kanspice.families import load, save

SOURCES = [0, 1, 2, 3, 4, 5, 6, 5, 3, 2, 1, 0]
DESTINATIONS = [4, 2, 3, 4, 5, 6, 1, 6, 4, 3, 2, 1]
"""Of the authors' example.py."""
X = torch.linspace(-1, 1, 30, dtype=torch.float64).reshape(5, 6)


@pytest.fixture
def written(tmp_path):
    """A function that writes a state dict and its configuration, and gives both paths."""

    def write(rows=3, **config):
        param = 0.5 * torch.randn(rows, len(SOURCES), generator=torch.Generator().manual_seed(1))
        torch.save({"model.param": param}, tmp_path / "circuit.pth")
        whole = {"net_topo": [SOURCES, DESTINATIONS], "t": [0.0, 1.0]} | config
        (tmp_path / "circuit.json").write_text(json.dumps(whole))
        return tmp_path / "circuit.pth", tmp_path / "circuit.json"

    return write


def by_hand(param, activation, *, use_diff, steps):
    """Their equations, edge by edge, through even Runge-Kutta steps of order 4."""
    p, state = param.double().numpy(), X.numpy()

    def slope(v):
        volts, change = np.pad(v, ((0, 0), (1, 0))), np.zeros((len(v), 7))
        for edge, (s, d) in enumerate(zip(SOURCES, DESTINATIONS, strict=True)):
            if use_diff:
                drive = p[0, edge] * (volts[:, s] - volts[:, d]) + p[1, edge]
            else:
                drive = p[0, edge] * volts[:, s] + p[1, edge] * volts[:, d] + p[2, edge]
            change[:, s] -= activation(drive)
            change[:, d] += activation(drive)
        return change[:, 1:]

    h = 1 / steps
    for _ in range(steps):
        k1 = slope(state)
        k2 = slope(state + h / 2 * k1)
        k3 = slope(state + h / 2 * k2)
        state = state + h / 6 * (k1 + 2 * k2 + 2 * k3 + slope(state + h * k3))
    return state


@pytest.mark.slow
@pytest.mark.parametrize(
    ("rows", "device", "activation"),
    [
        (3, {"use_diff": False, "activation": "leakyrelu"}, lambda x: np.maximum(x, 0.01 * x)),
        (2, {"use_diff": True, "activation": "tanh"}, np.tanh),
        (3, {}, lambda x: x),
    ],
)
def test_a_bare_circuit_is_their_equations(written, rows, device, activation):
    paths = written(rows, device_cfg=device)
    loaded = load(*paths)
    assert (loaded.family, loaded.format, loaded.input_width, loaded.output_width) == (
        "kirchhoffnet",
        "kirchhoffnet-bare",
        6,
        6,
    )
    param = torch.load(paths[0], weights_only=True)["model.param"]
    with torch.no_grad():
        found = loaded.model(X).numpy()
    expected = by_hand(param, activation, use_diff=device.get("use_diff", False), steps=200)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5)


def test_it_can_be_saved_as_kanspices_own(written, tmp_path):
    model = load(*written(device_cfg={"activation": "tanh"})).model
    save(model, tmp_path / "own.pt")
    assert torch.equal(load(tmp_path / "own.pt").model(X), model(X))


def refused(paths, *parts):
    with pytest.raises(InputError) as caught:
        load(*paths)
    for part in parts:
        assert part in str(caught.value), str(caught.value)


def test_without_what_the_state_does_not_hold(written):
    refused((written()[0],), "circuit.pth", "net_topo, device_cfg and t", "json.dump", "--config")


@pytest.mark.parametrize(
    ("changes", "parts"),
    [
        ({"net_topo": [SOURCES, DESTINATIONS[1:]]}, ("circuit.json", "'net_topo'", "12 and 11")),
        ({"net_topo": [SOURCES]}, ("bad value for 'net_topo'",)),
        ({"net_topo": [SOURCES[1:], DESTINATIONS[1:]]}, ("model.param", "(3, 11)", "(3, 12)")),
        ({"device_cfg": {"use_diff": True}}, ("model.param", "(2, 12)", "(3, 12)")),
        ({"device_cfg": {"activation": "gelu"}}, ("bad value for 'device_cfg.activation'",)),
        ({"device_cfg": {"use_dif": True}}, ("unknown key 'device_cfg.use_dif'", "use_diff")),
        ({"t": [1.0, 1.0]}, ("duration",)),
        ({"t": [0.0]}, ("bad value for 't'",)),
        ({"times": [0.0, 1.0]}, ("unknown key 'times'",)),
    ],
)
def test_a_configuration_that_does_not_fit(written, changes, parts):
    refused(written(**changes), *parts)
