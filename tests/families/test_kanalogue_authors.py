"""Checkpoints in the format of the KANalogue authors' code: made here, and by their own program."""

import json
from itertools import pairwise

import numpy as np
import pytest
import torch

from kanspice.base.errors import InputError
from kanspice.families import load
from kanspice.families.common import load_array, load_labels

CONFIG = {
    "input_dim": 3,
    "HIDDEN_DIMS": [4],
    "td_basis_types": ["A21", "ZAZ_21"],
    "acti": "PosHC",
    "norm_layer": "batch",
    "fit_mode": "univariate",
    "learning_rate": 0.001,
}
X = torch.linspace(-0.5, 2, 15, dtype=torch.float64).reshape(5, 3)


def authors_state(widths=(3, 4, 2), n_devices=2, norm="batch"):
    """A random state dict, named as the authors' code names it."""
    torch.manual_seed(3)
    step = 1 if norm == "None" else 2
    state = {}
    for m, (n_in, n_out) in enumerate(pairwise(widths)):
        state[f"net.{step * m}.coeffs"] = torch.randn(n_in, n_out, n_devices, dtype=torch.float64)
        state[f"net.{step * m}.bias"] = torch.randn(n_out, dtype=torch.float64)
        if norm != "None" and m < len(widths) - 2:
            state |= norm_state(f"net.{2 * m + 1}", n_out, norm)
    return state


def norm_state(prefix, width, norm):
    state = {f"{prefix}.{name}": torch.rand(width, dtype=torch.float64) for name in ("weight", "bias")}
    if norm == "batch":
        state[f"{prefix}.running_mean"] = torch.randn(width, dtype=torch.float64)
        state[f"{prefix}.running_var"] = torch.rand(width, dtype=torch.float64) + 0.5
        state[f"{prefix}.num_batches_tracked"] = torch.tensor(100)
    return state


@pytest.fixture
def written(tmp_path):
    """A function that writes a checkpoint and its configuration, and gives both paths."""

    def write(state=None, text=None, **changes):
        torch.save(authors_state() if state is None else state, tmp_path / "best.pth")
        (tmp_path / "config.json").write_text(json.dumps(CONFIG | changes) if text is None else text)
        return tmp_path / "best.pth", tmp_path / "config.json"

    return write


def refused(paths, *parts, curves=None):
    """The message of the error that loading raises; it must hold every part."""
    with pytest.raises(InputError) as caught:
        load(*paths, curves=curves)
    for part in parts:
        assert part in str(caught.value), str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("norm", ["batch", "layer", "None"])
@pytest.mark.parametrize("widths", [(3, 2), (3, 4, 2), (3, 5, 4, 2)])
def test_parameters_go_where_they_belong(written, norm, widths):
    state = authors_state(widths, norm=norm)
    loaded = load(*written(state, HIDDEN_DIMS=list(widths[1:-1]), norm_layer=norm))
    step = 1 if norm == "None" else 2
    assert (loaded.format, loaded.family, loaded.model.widths) == ("kanalogue-authors", "kanalogue", widths)
    for m, crossbar in enumerate(loaded.model.crossbars):
        assert torch.equal(crossbar.coeffs, state[f"net.{step * m}.coeffs"])
        assert torch.equal(crossbar.bias, state[f"net.{step * m}.bias"])
    if norm == "batch" and len(widths) > 2:
        assert torch.equal(loaded.model.norms[-1].running_var, state[f"net.{2 * len(widths) - 5}.running_var"])
    assert loaded.model(X).shape == (5, 2)


def test_the_shipped_cards_give_the_devices_in_order(written):
    assert [device.name for device in load(*written()).model.devices] == ["a21", "zaz21"]


def test_parameters_count_what_is_trained(written):
    assert load(*written()).parameters == 3 * 4 * 2 + 4 + 2 * 4 + 4 * 2 * 2 + 2


def test_float32_weights_are_widened(written):
    state = {name: tensor.float() if tensor.is_floating_point() else tensor for name, tensor in authors_state().items()}
    loaded = load(*written(state)).model
    assert torch.equal(loaded.crossbars[0].coeffs, state["net.0.coeffs"].double())


@pytest.mark.parametrize("acti", ["PosHC", "NegHC", "sigmoid", "tanh", "None"])
def test_activations(written, acti):
    assert load(*written(acti=acti)).model.input_stage == acti


def test_curves_from_a_folder(written, tmp_path):
    for name, slope in (("a21", 1.0), ("zaz21", 2.0)):
        (tmp_path / f"{name}_knots.csv").write_text("0\n1\n")
        (tmp_path / f"{name}_coefficients.csv").write_text(f"0,0,{slope},0\n")
    model = load(*written(), curves=tmp_path).model
    volts = torch.tensor([0.5], dtype=torch.float64)
    assert model.basis(volts).tolist() == [[0.5, 1.0]]


def test_without_configuration(written):
    weights, config = written()
    config.unlink()
    refused((weights,), "best.pth", "needs its configuration", "config.json", "--config")


def test_missing_configuration(written, tmp_path):
    refused((written()[0], tmp_path / "none.json"), "none.json", "the configuration was not found")


def test_configuration_that_is_a_directory(written, tmp_path):
    refused((written()[0], tmp_path), "is a directory, not the configuration")


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("", "the file is empty"),
        ("{", "is not JSON"),
        ("input_dim: 3", "is not JSON"),
        ("[" * 100_000, "is not JSON"),
        ("[1, 2]", "not a JSON object"),
        ("null", "not a JSON object"),
    ],
)
def test_configuration_that_is_no_json_object(written, text, part):
    refused(written(text=text), "config.json", part)


def test_configuration_that_is_not_text(written):
    paths = written()
    paths[1].write_bytes(b"\xff\xfe\xff\x00")
    refused(paths, "is not JSON")


@pytest.mark.parametrize("key", ["HIDDEN_DIMS", "norm_layer", "td_basis_types"])
def test_configuration_without_a_key(written, key):
    text = json.dumps({name: value for name, value in CONFIG.items() if name != key})
    refused(written(text=text), "config.json", key, "Field required")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("input_dim", "3"),
        ("input_dim", 3.5),
        ("input_dim", True),
        ("input_dim", 0),
        ("HIDDEN_DIMS", 4),
        ("HIDDEN_DIMS", ["4"]),
        ("td_basis_types", "A21"),
        ("td_basis_types", []),
        ("td_basis_types", ["../secret.toml", "A21"]),
        ("acti", "relu"),
        ("acti", None),
        ("norm_layer", "group"),
        ("norm_layer", None),
        ("fit_mode", "fourier"),
    ],
)
def test_configuration_with_an_unusable_value(written, key, value):
    shown = value[0] if value and isinstance(value, list) else value
    refused(written(**{key: value}), "config.json", key, "expected", repr(shown))


def test_unknown_device(written):
    refused(written(td_basis_types=["A21", "B52"]), "config.json", "no device 'B52'", "a21", "--curves")


def test_unknown_device_in_a_folder(written, tmp_path):
    refused(written(td_basis_types=["A21", "B52"]), "a21", curves=tmp_path)


def test_missing_folder_of_curves(written, tmp_path):
    refused(written(), "none: is not a folder", curves=tmp_path / "none")


@pytest.mark.parametrize("fit_mode", ["spline", "poly", "line"])
def test_fit_modes_that_the_cards_do_not_hold(written, fit_mode):
    refused(written(fit_mode=fit_mode), "config.json", f"fit_mode '{fit_mode}'", "'univariate'", "--curves")


@pytest.mark.parametrize(
    ("changes", "weights", "config"),
    [
        ({"input_dim": 4}, "3", "4"),
        ({"HIDDEN_DIMS": [5]}, "[4]", "[5]"),
        ({"HIDDEN_DIMS": []}, "1 hidden layer(s)", "[]"),
        ({"HIDDEN_DIMS": [4, 4]}, "1 hidden layer(s)", "[4, 4]"),
        ({"td_basis_types": ["A21"]}, "2 device type(s)", "['A21']"),
        ({"td_basis_types": ["A21", "Z21", "Z15"]}, "2 device type(s)", "['A21', 'Z21', 'Z15']"),
        ({"norm_layer": "layer"}, "'batch'", "'layer'"),
        ({"norm_layer": "None"}, "'batch'", "'None'"),
    ],
)
def test_configuration_that_contradicts_the_weights(written, changes, weights, config):
    key = next(iter(changes))
    refused(written(**changes), f"config.json: '{key}' contradicts the weights", f"{weights}, as in", config, "try")


@pytest.mark.parametrize(("norm", "other"), [("layer", "batch"), ("None", "batch"), ("layer", "None")])
def test_norm_that_contradicts_the_weights(written, norm, other):
    refused(written(authors_state(norm=norm), norm_layer=other), "'norm_layer'", f"'{norm}', as in", f"'{other}'")


def spoil(name, change):
    state = authors_state()
    state[name] = change(state[name])
    return state


def set_value(index, value):
    def change(tensor):
        tensor[index] = value
        return tensor

    return change


def test_missing_tensor(written):
    state = authors_state()
    del state["net.2.bias"]
    refused(written(state), "best.pth", "without net.2.bias")


@pytest.mark.parametrize("name", ["extra", "net.7.coeffs.old", "net.1.gamma"])
def test_unexpected_tensor(written, name):
    refused(written(authors_state() | {name: torch.zeros(1)}), "best.pth", f"with {name}")


def test_layers_with_unexpected_numbers(written):
    state = authors_state()
    state["net.4.coeffs"] = state.pop("net.2.coeffs")
    refused(written(state), "best.pth", "without net.2.coeffs, with net.4.coeffs")


@pytest.mark.parametrize("shape", [(3, 4), (3, 4, 2, 1), (0, 4, 2)])
def test_coefficients_of_wrong_rank(written, shape):
    state = authors_state() | {"net.0.coeffs": torch.zeros(shape, dtype=torch.float64)}
    refused(written(state), "best.pth", "net.0.coeffs has the wrong shape", "3 axes", str(shape))


def test_layers_that_do_not_fit_together(written):
    state = authors_state() | {"net.0.coeffs": torch.zeros(3, 5, 2, dtype=torch.float64)}
    refused(written(state), "net.0.coeffs has the wrong shape", "(3, 4, 2)", "(3, 5, 2)")


def test_layers_of_different_device_counts(written):
    state = authors_state() | {"net.2.coeffs": torch.zeros(4, 2, 3, dtype=torch.float64)}
    refused(written(state), "net.2.coeffs has the wrong shape", "(4, 2, 2)", "(4, 2, 3)")


@pytest.mark.parametrize("name", ["net.0.bias", "net.1.weight", "net.1.running_mean", "net.1.num_batches_tracked"])
def test_vectors_of_wrong_shape(written, name):
    state = authors_state()
    state[name] = torch.zeros(7, dtype=state[name].dtype)
    refused(written(state), f"{name} has the wrong shape", "(7,)")


@pytest.mark.parametrize("dtype", [torch.int32, torch.float16, torch.complex64, torch.bool])
def test_wrong_type_of_number(written, dtype):
    refused(written(spoil("net.0.coeffs", lambda t: t.to(dtype))), "net.0.coeffs has the wrong type", str(dtype))


def test_weights_that_are_not_finite(written):
    state = spoil("net.2.coeffs", set_value((1, 0, 1), float("nan")))
    refused(written(state), "best.pth", "net.2.coeffs holds values", "1 of 16", "index (1, 0, 1)")


@pytest.mark.parametrize("value", [-1.0, 0.0])
def test_unusable_running_variance(written, value):
    state = spoil("net.1.running_var", set_value(3, value))
    refused(written(state), "best.pth", "net.1.running_var", "negative or almost zero", f"index 3: {value:g}")


@pytest.mark.reference_data
@pytest.mark.parametrize("name", ["mnist_batchnorm_3basis", "mnist_layernorm_2basis"])
def test_checkpoints_of_their_program_give_the_authors_logits(reference_data, name):
    folder = reference_data / "kanalogue" / name
    loaded = load(folder / "best.pth", folder / "config.json", reference_data / "kanalogue" / "iv")
    inputs = load_array(folder / "inputs.npy", "the inputs", loaded.input_width)
    logits = load_array(folder / "logits.npy", "the logits", loaded.output_width)
    with torch.no_grad():
        outputs = loaded.model(torch.from_numpy(inputs)).numpy()
    assert np.abs(outputs - logits).max() <= 1e-12 * np.abs(logits).max()
    assert np.sqrt(np.mean((outputs - logits) ** 2)) <= 1e-12 * logits.std()
    labels = load_labels(folder / "labels.npy")
    assert np.mean(outputs.argmax(axis=1) == labels) == np.mean(logits.argmax(axis=1) == labels) > 0.9


@pytest.mark.reference_data
@pytest.mark.parametrize("name", ["mnist_batchnorm_3basis", "mnist_layernorm_2basis"])
def test_the_shipped_cards_come_close_to_the_published_curves(reference_data, name):
    """The cards are fitted to the published points anew: equal to the authors' spline up to the fit's rounding."""
    folder = reference_data / "kanalogue" / name
    loaded = load(folder / "best.pth", folder / "config.json")
    inputs = load_array(folder / "inputs.npy", "the inputs", loaded.input_width)
    logits = load_array(folder / "logits.npy", "the logits", loaded.output_width)
    with torch.no_grad():
        outputs = loaded.model(torch.from_numpy(inputs)).numpy()
    assert np.abs(outputs - logits).max() <= 1e-9 * np.abs(logits).max()
