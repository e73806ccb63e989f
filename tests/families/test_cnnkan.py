"""CNN-KANs: the network against loops over pixels, its own files, the authors' files, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from circuits import PEAK
from images import cnnkan, images_for, outputs_by_hand
from torch.nn import functional

from kanspice import CNNKAN, InputError, convert, load_array, save, verify
from kanspice.families import load
from kanspice.families.common.following import reference_stages

WINDOWS = {
    "3 x 3": {},
    "without a border": {"padding": 0},
    "2 x 2, two apart": {"kernel": 2, "stride": 2, "padding": 0},
    "wide border": {"kernel": 3, "stride": 2, "padding": 2},
    "pixels": {"kernel": 1, "padding": 0},
}


@pytest.mark.parametrize("window", WINDOWS)
def test_every_stage_is_what_loops_over_pixels_give(window):
    channels = (3,) if window == "without a border" else (3, 2)
    model = cnnkan((2, 4, 5), channels, **WINDOWS[window])
    inputs = images_for(model)
    stages = reference_stages(model, inputs)
    for sample, image in enumerate(inputs.reshape(-1, *model.image)):
        expected = outputs_by_hand(model, image)
        assert stages.keys() == expected.keys()
        for name, values in expected.items():
            np.testing.assert_allclose(stages[name][sample], values, rtol=1e-13, atol=1e-13)
    assert list(stages)[-1] == f"l{2 * len(channels) + 1}.crossbar"


def test_its_own_file_gives_the_same_network(tmp_path):
    model = cnnkan(kernel=2, stride=1, padding=1)
    save(model, tmp_path / "model.pt")
    loaded = load(tmp_path / "model.pt")
    assert (loaded.family, loaded.input_width, loaded.output_width) == ("cnnkan", 24, 2)
    assert loaded.model.window == model.window
    inputs = images_for(model)
    for name, values in reference_stages(model, inputs).items():
        np.testing.assert_array_equal(reference_stages(loaded.model, inputs)[name], values)


def test_images_are_read_as_they_are(tmp_path):
    np.save(tmp_path / "x.npy", np.arange(48.0).reshape(2, 2, 3, 4))
    np.testing.assert_array_equal(load_array(tmp_path / "x.npy", "the inputs", 24), np.arange(48.0).reshape(2, 24))
    with pytest.raises(InputError, match="wrong shape"):
        load_array(tmp_path / "x.npy", "the inputs", 12)


@pytest.mark.parametrize("order", [(0, 2, 3, 1), (0, 1, 3, 2), (0, 3, 1, 2)])
def test_images_whose_axes_are_in_another_order_are_refused(order):
    """Laid out in one row they would be other images: a gap about these says nothing."""
    model = cnnkan((2, 3, 4))
    images = images_for(model).reshape(4, 2, 3, 4)
    with pytest.raises(InputError, match="axes of a sample") as refused:
        verify(model, images.transpose(order), engine="batched")
    assert "(2, 3, 4)" in refused.value.expected
    as_rows = verify(model, images.reshape(4, -1), engine="batched")
    assert verify(model, images, engine="batched").gap == as_rows.gap


def test_an_axis_of_length_one_may_be_left_out():
    model = cnnkan((1, 3, 4))
    images = images_for(model)
    for shape in ((4, 3, 4), (4, 1, 3, 4), (4, 3, 4, 1)):
        assert verify(model, images.reshape(shape), engine="batched").failed == ()


# --- the authors' files ---


def run(folder: Path, channels=(2, 3), classes=4, image=3, kernel=3, **changes: object) -> Path:
    """What the authors' program leaves of a small network; a setting of None is left out."""
    state, before = {}, image
    for block, width in enumerate(channels):
        name = f"model.backbone.{block}"
        state[f"{name}.conv.weight"] = torch.full((width, before, kernel, kernel), 0.1)
        state[f"{name}.kan.coeffs"] = torch.full((width, width, 2), 0.2, dtype=torch.float64)
        state[f"{name}.kan.bias"] = torch.zeros(width, dtype=torch.float64)
        state |= {
            f"{name}.norm.{part}": torch.ones(width) for part in ("weight", "bias", "running_mean", "running_var")
        }
        state[f"{name}.norm.num_batches_tracked"] = torch.tensor(3)
        before = width
    state["model.head.coeffs"] = torch.full((before, classes, 2), 0.3, dtype=torch.float64)
    state["model.head.bias"] = torch.zeros(classes, dtype=torch.float64)
    config = {"HIDDEN_DIMS": list(channels), "td_basis_types": ["Z21", "A21"], "dataset": "cifar10"}
    config |= {"norm_function": "PosHC", "norm_layer": "batch"} | changes.pop("config", {})
    state |= changes
    torch.save({name: tensor for name, tensor in state.items() if tensor is not None}, folder / "model.pt")
    (folder / "config.json").write_text(
        json.dumps({name: value for name, value in config.items() if value is not None})
    )
    return folder / "model.pt"


def test_a_run_of_the_authors_program_loads(tmp_path):
    loaded = load(run(tmp_path))
    assert (loaded.format, loaded.family) == ("kanalogue-authors-cnn", "cnnkan")
    assert (loaded.model.image, loaded.model.channels, loaded.model.outputs) == ((3, 32, 32), (2, 3), 4)
    assert [device.name for device in loaded.model.devices] == ["z21", "a21"]
    assert any("images of 3 x 32 x 32: as the authors' program loads cifar10" in note for note in loaded.notes)


def test_the_number_of_inputs_tells_how_large_an_image_is(tmp_path):
    assert load(run(tmp_path, config={"dataset": None, "input_dim": 75})).model.image == (3, 5, 5)


COEFFS, KERNEL = "model.backbone.1.kan.coeffs", "model.backbone.0.conv.weight"
REFUSED = {
    "other channels": ({"config": {"HIDDEN_DIMS": [2, 5]}}, "'HIDDEN_DIMS' contradicts the weights", "[2, 3]"),
    "another block": ({"config": {"HIDDEN_DIMS": [2, 3, 4]}}, "'HIDDEN_DIMS' contradicts", "2 block(s)"),
    "another device": ({"config": {"td_basis_types": ["Z21"]}}, "'td_basis_types' contradicts", "2 device type(s)"),
    "an unknown data set": ({"config": {"dataset": "svhn"}}, "how large an image is", "dataset 'svhn'"),
    "no data set": ({"config": {"dataset": None}}, "how large an image is", "neither"),
    "no square": ({"config": {"input_dim": 100}}, "'input_dim' is no image", "3 channels"),
    "another window": ({"kernel": 5}, f"{KERNEL} has another window", "5 x 5"),
    "wrong channels": (
        {COEFFS: torch.ones(3, 4, 2, dtype=torch.float64)},
        f"{COEFFS} has the wrong shape",
        "(3, 3, 2)",
    ),
    "a gap between blocks": ({"model.backbone.1.conv.weight": torch.ones(3, 7, 3, 3)}, "wrong shape", "(3, 2, 3, 3)"),
    "no head": ({"model.head.coeffs": None}, "not those of the network", "model.head.coeffs"),
    "a bias of a convolution": ({"model.backbone.0.conv.bias": torch.ones(2)}, "not those of the network", "conv.bias"),
    "no number": ({KERNEL: torch.full((2, 3, 3, 3), torch.nan)}, "not finite", KERNEL),
}


@pytest.mark.parametrize("what", REFUSED)
def test_files_that_contradict_each_other_are_refused(what, tmp_path):
    changes, *parts = REFUSED[what]
    with pytest.raises(InputError) as caught:
        load(run(tmp_path, **changes))
    for part in parts:
        assert part in str(caught.value), str(caught.value)


def test_weights_without_their_configuration_are_refused(tmp_path):
    path = run(tmp_path)
    (tmp_path / "config.json").unlink()
    with pytest.raises(InputError, match="needs its configuration"):
        load(path)


@pytest.mark.parametrize(
    ("arguments", "window", "problem"),
    [
        (((2, 3, 4), [], 2, [PEAK]), {}, "no convolution, or no devices"),
        (((2, 3, 4), [2], 2, []), {}, "no convolution, or no devices"),
        (((2, 3), [2], 2, [PEAK]), {}, "size cannot be used"),
        (((2, 3, 0), [2], 2, [PEAK]), {}, "size cannot be used"),
        (((2, 3, 4), [0], 2, [PEAK]), {}, "widths cannot be used"),
        (((2, 3, 4), [2], 2, [PEAK]), {"kernel": 0}, "window cannot be used"),
        (((2, 3, 4), [2], 2, [PEAK]), {"padding": 3}, "window cannot be used"),
        (((2, 3, 4), [2], 2, [PEAK]), {"padding": "same"}, "window cannot be used"),
        (((2, 3, 4), [2, 2], 2, [PEAK]), {"padding": 0}, "images of block 2 are smaller"),
    ],
)
def test_sizes_that_no_network_has_are_refused(arguments, window, problem):
    with pytest.raises(InputError, match=problem):
        CNNKAN(*arguments, **window)


def test_a_convolution_in_a_network_of_somebody_elses_is_named():
    layers = torch.nn.Conv2d(1, 2, 3, padding_mode="reflect"), torch.nn.Flatten(), torch.nn.Linear(2, 2)
    with pytest.raises(InputError, match="Conv2d"):
        convert(torch.nn.Sequential(*layers))


# --- what the authors' program gives ---


def authors_outputs(state, curves, images, rounded):
    """Their equations in torch's own functions, in float64; rounded: to float32 where their program does it."""

    def rounding(values):
        return values.to(torch.float32) if rounded else values.to(torch.float64)

    def summed(values, name):
        basis = torch.stack([torch.from_numpy(curve(values.double().numpy())[0]) for curve in curves], dim=-1)
        return torch.einsum("bid,iod->bo", basis, state[f"{name}.coeffs"]) + state[f"{name}.bias"]

    values = rounding(images)
    for block in range(2):
        name = f"model.backbone.{block}"
        values = functional.conv2d(values, rounding(state[f"{name}.conv.weight"]), padding=1)
        samples, channels, height, width = values.shape
        pixels = summed(values.permute(0, 2, 3, 1).reshape(-1, channels), f"{name}.kan")
        values = rounding(pixels).reshape(samples, height, width, channels).permute(0, 3, 1, 2)
        norm = [rounding(state[f"{name}.norm.{part}"]) for part in ("running_mean", "running_var", "weight", "bias")]
        values = functional.batch_norm(values, *norm)
    return summed(functional.adaptive_avg_pool2d(values, 1).flatten(1), "model.head").numpy()


@pytest.mark.reference_data
def test_the_authors_network_gives_their_logits(reference_data):
    """In float64 to rounding; their logits come out of float32, and are met where the same is rounded."""
    folder = reference_data / "kanalogue" / "authors_cli_run_cnn"
    loaded = load(folder, curves=folder.parent / "iv")
    images, logits = np.load(folder / "inputs.npy"), np.load(folder / "logits.npy")
    outputs = list(reference_stages(loaded.model, images.reshape(20, -1)).values())[-1]
    state = torch.load(folder / "PosNormBasis_PosHC_batchNorm_best_model.pt", weights_only=True)
    curves = [device.curve.numpy for device in loaded.model.devices]
    exact, rounded = (authors_outputs(state, curves, torch.from_numpy(images), rounds) for rounds in (False, True))
    largest = np.abs(logits).max()
    assert np.abs(outputs - exact).max() <= 1e-12 * largest
    assert np.abs(rounded - logits).max() <= 1e-9 * largest
    assert np.abs(outputs - logits).max() <= 1e-6 * largest
