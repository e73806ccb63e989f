"""The KirchhoffNet examples as they are shipped: what their READMEs say of the models holds, in ngspice too."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from kanspice import load, load_array, load_labels, verify
from kanspice.families.kirchhoffnet.integrator import Integrator

pytestmark = pytest.mark.slow

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
MOONS = EXAMPLES / "02_kirchhoffnet_moons"
REGRESSION = EXAMPLES / "03_kirchhoffnet_regression"
DIGITS = EXAMPLES / "07_kirchhoffnet_digits"
MODELS = [MOONS / "model.pt", REGRESSION / "model_small.pt", REGRESSION / "model_medium.pt", DIGITS / "model.pt"]


def evaluated(path):
    """The loaded model, its inputs, and its outputs for them, to four digits: the corners of ReLU cost many steps."""
    loaded = load(path)
    loaded.model.integrator = Integrator(rtol=1e-6, atol=1e-6)
    inputs = load_array(path.parent / "inputs.npy", "the inputs", loaded.input_width)
    with torch.no_grad():
        return loaded, inputs, loaded.model(torch.from_numpy(inputs)).numpy()


def test_the_generator_makes_two_moons():
    loaded, inputs, outputs = evaluated(MOONS / "model.pt")
    assert (loaded.model.widths, loaded.parameters, inputs.shape) == ((2, 2, 2), 432, (200, 2))
    angles = np.linspace(0, np.pi, 500)
    upper = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    lower = np.stack([1 - np.cos(angles), 0.5 - np.sin(angles)], axis=1)
    distances = [np.linalg.norm(outputs[:, None] - arc, axis=2).min(axis=1) for arc in (upper, lower)]
    near = np.minimum(*distances) < 0.3  # three standard deviations of the moons' points
    assert near.mean() == 0.98
    assert 0.4 < (distances[0] < distances[1]).mean() < 0.6


@pytest.mark.parametrize(("size", "parameters", "loss"), [("small", 168, 1.192e-3), ("medium", 528, 3.732e-5)])
def test_the_regressions_have_their_stated_loss(size, parameters, loss):
    loaded, inputs, outputs = evaluated(REGRESSION / f"model_{size}.pt")
    targets = load_array(REGRESSION / "targets.npy", "the targets", 1)
    assert (loaded.parameters, inputs.shape, targets.shape) == (parameters, (1639, 5), (1639, 1))
    assert np.mean((outputs - targets) ** 2) == pytest.approx(loss, rel=1e-3)


def test_the_classifier_has_its_stated_accuracy():
    loaded, inputs, outputs = evaluated(DIGITS / "model.pt")
    labels = load_labels(DIGITS / "labels.npy")
    assert (loaded.model.widths, loaded.parameters, inputs.shape) == ((64, 74), 4032, (200, 64))
    assert np.sum(outputs.argmax(axis=1) == labels) == 195


@pytest.mark.ngspice
@pytest.mark.parametrize("path", MODELS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_the_circuit_answers_as_the_network(path):
    loaded = load(path)
    inputs = load_array(path.parent / "inputs.npy", "the inputs", loaded.input_width)
    result = verify(loaded, inputs[:2])
    assert result.failed == ()
    assert result.gap.relative_rmse < 2e-3


# --- training ---


@pytest.fixture
def training(monkeypatch, tmp_path):
    """`training(folder)`: runs its train.py for one epoch with little data, and returns the files it wrote."""
    pytest.importorskip("sklearn")
    threads, deterministic = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()

    def run(folder, **settings):
        specification = importlib.util.spec_from_file_location(folder.name, folder / "train.py")
        module = importlib.util.module_from_spec(specification)
        specification.loader.exec_module(module)
        for name, value in settings.items():
            monkeypatch.setattr(module, name, value)
        if folder == DIGITS:
            whole = module.digits
            monkeypatch.setattr(module, "digits", lambda seed: tuple(part[:64] for part in whole(seed)))
        output = tmp_path / f"{len(list(tmp_path.iterdir()))}"
        monkeypatch.setattr(sys, "argv", ["train.py", "--epochs", "1", "--output", str(output)])
        module.main()
        return {file.name: file.read_bytes() for file in output.iterdir()}

    yield run
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(deterministic)


@pytest.mark.parametrize(
    ("folder", "settings", "files"),
    [
        (MOONS, {"POINTS": 256}, {"model.pt", "inputs.npy"}),
        (REGRESSION, {"SAMPLES": 160}, {"model_small.pt", "model_medium.pt", "inputs.npy", "targets.npy"}),
        (DIGITS, {}, {"model.pt", "inputs.npy", "labels.npy"}),
    ],
    ids=lambda value: value.name if isinstance(value, Path) else "",
)
def test_training_writes_the_same_files_again(folder, settings, files, training):
    first = training(folder, **settings)
    assert set(first) == files
    assert training(folder, **settings) == first


def test_the_regression_is_measured_with_the_test_part():
    pytest.importorskip("sklearn")
    from sklearn.datasets import make_friedman1
    from sklearn.model_selection import train_test_split

    inputs, targets = make_friedman1(4096, 5, noise=0.0, random_state=0)
    train, test, train_targets, test_targets = train_test_split(inputs, targets, test_size=0.4, random_state=0)
    shipped = load_array(REGRESSION / "inputs.npy", "the inputs")
    np.testing.assert_allclose(shipped, (test - train.min(axis=0)) / np.ptp(train, axis=0), rtol=0, atol=1e-15)
    shipped = load_array(REGRESSION / "targets.npy", "the targets")[:, 0]
    np.testing.assert_allclose(
        shipped, (test_targets - train_targets.min()) / np.ptp(train_targets), rtol=0, atol=1e-15
    )


def test_the_digits_are_the_test_part_of_the_split():
    pytest.importorskip("sklearn")
    from sklearn.datasets import load_digits as digits_of_sklearn
    from sklearn.model_selection import train_test_split

    images, labels = digits_of_sklearn(return_X_y=True)
    _, test, _, test_labels = train_test_split(images / 16, labels, test_size=200, random_state=0, stratify=labels)
    np.testing.assert_array_equal(load_array(DIGITS / "inputs.npy", "the inputs"), test)
    np.testing.assert_array_equal(load_labels(DIGITS / "labels.npy"), test_labels)
