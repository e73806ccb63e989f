"""The digits example as it is shipped: its model loads and is as accurate as its README says."""

from pathlib import Path

import numpy as np
import pytest
import torch

from kanspice.devices import load_device
from kanspice.families import load
from kanspice.families.common import load_array, load_labels

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "01_kanalogue_digits"


def test_the_shipped_model_has_its_stated_accuracy():
    loaded = load(EXAMPLE / "model.pt")
    inputs = load_array(EXAMPLE / "inputs.npy", "the inputs", loaded.input_width)
    labels = load_labels(EXAMPLE / "labels.npy")
    assert (loaded.model.widths, loaded.parameters, len(inputs), len(labels)) == ((64, 32, 10), 4842, 200, 200)
    assert 0 <= inputs.min() <= inputs.max() <= 0.7
    with torch.no_grad():
        outputs = loaded.model(torch.from_numpy(inputs)).numpy()
    assert np.sum(outputs.argmax(axis=1) == labels) == 197


def test_its_devices_are_the_shipped_ones():
    devices = load(EXAMPLE / "model.pt").model.devices
    assert [device.sha256 for device in devices] == [load_device(name).sha256 for name in ("z21", "z15")]


@pytest.mark.slow
def test_its_samples_are_the_test_part_of_the_split():
    pytest.importorskip("sklearn")
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    images, labels = load_digits(return_X_y=True)
    train, test = train_test_split(images / 16 * 0.7, test_size=200, random_state=0, stratify=labels)
    inputs = load_array(EXAMPLE / "inputs.npy", "the inputs")
    np.testing.assert_array_equal(inputs, test)
    assert not {row.tobytes() for row in inputs} & {row.tobytes() for row in train}
