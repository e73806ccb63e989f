"""KANs that their own programs train and write, where these are installed; and their circuits."""

import numpy as np
import pytest
import torch

from kanspice import load, project, verify
from kanspice.families.common.following import reference_stages

X = torch.linspace(-1, 1, 60).reshape(30, 2)
Y = torch.sin(3 * X[:, :1]) * X[:, 1:]


def largest_difference(path, inputs, expected):
    stages = reference_stages(load(path).model, inputs.double().numpy())
    return np.abs(list(stages.values())[-1] - expected).max() / np.abs(expected).max()


def gap_of_its_circuit(path):
    """Of the network that is made of devices, in ngspice."""
    made = project(path, X.numpy(), ["a21", "z21"], resistor=True, constant=True, fine_tune=5)
    return verify(made.network, X.numpy(), limit=5).gap.relative_rmse


@pytest.mark.ngspice
def test_a_pykan(tmp_path, monkeypatch):
    kan = pytest.importorskip("kan", reason="pykan is not installed")
    monkeypatch.chdir(tmp_path)
    model = kan.KAN(width=[2, 2, 1], grid=3, k=3, seed=1, auto_save=False)
    model.fit(
        dict.fromkeys(("train_input", "test_input"), X) | dict.fromkeys(("train_label", "test_label"), Y), steps=3
    )
    model(X)
    model.fix_symbolic(0, 1, 0, "x^2", verbose=False, log_history=False)
    model.saveckpt("trained")
    expected = model.double()(X.double()).detach().numpy()
    assert largest_difference(tmp_path / "trained_state", X, expected) < 1e-12
    assert gap_of_its_circuit(tmp_path / "trained_state") < 1e-9


@pytest.mark.ngspice
def test_an_efficient_kan(tmp_path):
    efficient_kan = pytest.importorskip("efficient_kan", reason="efficient-kan is not installed")
    torch.manual_seed(1)
    model = efficient_kan.KAN([2, 3, 1])
    optimiser = torch.optim.Adam(model.parameters(), lr=0.02)
    for _ in range(20):
        optimiser.zero_grad()
        torch.nn.functional.mse_loss(model(X), Y).backward()
        optimiser.step()
    torch.save(model.state_dict(), tmp_path / "trained.pth")
    expected = model.double()(X.double()).detach().numpy()
    assert largest_difference(tmp_path / "trained.pth", X, expected) < 1e-12
    assert gap_of_its_circuit(tmp_path / "trained.pth") < 1e-9


@pytest.mark.ngspice
def test_an_inkan(tmp_path):
    inkan = pytest.importorskip("inkan", reason="inkan is not installed")
    torch.manual_seed(1)
    model = inkan.KANNetwork([2, 3, 1], compile_basis=False)
    optimiser = torch.optim.Adam(model.parameters(), lr=0.02)
    for _ in range(20):
        optimiser.zero_grad()
        torch.nn.functional.mse_loss(model(X), Y).backward()
        optimiser.step()
    torch.save(model.state_dict(), tmp_path / "trained.pth")
    expected = model.double()(X.double()).detach().numpy()
    assert largest_difference(tmp_path / "trained.pth", X, expected) < 1e-6  # knots are in float32
    assert gap_of_its_circuit(tmp_path / "trained.pth") < 1e-9
