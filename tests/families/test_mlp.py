"""Multilayer perceptrons: what they compute, their checkpoints, and modules and state dicts that become one."""

from __future__ import annotations

import copy
import json

import numpy as np
import pytest
import torch
from circuits import PEAK, load_device, polynomial_device
from torch import nn

import kanspice
from kanspice import DeviceActivation, InputError, load, save
from kanspice.families.mlp.arrays import LinearArrays, steps
from kanspice.families.mlp.authors import joined
from kanspice.families.mlp.network import MLP


def randomised(module, seed=0):
    """The module with random parameters, norms' statistics included, in evaluation mode."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, tensor in module.state_dict().items():
            if tensor.is_floating_point():
                drawn = torch.randn(tensor.shape, generator=generator, dtype=tensor.dtype)
                tensor.copy_(drawn.abs() + 0.1 if "running_var" in name else drawn)
    return module.eval()


def sequential(*, activation=None):
    """Every kind of layer, in single precision."""
    activation = activation or DeviceActivation(PEAK, shift=0.25, scale=-0.5)
    first = nn.Sequential(nn.Flatten(), nn.BatchNorm1d(3), nn.Linear(3, 4), nn.BatchNorm1d(4), nn.ReLU(), nn.Dropout())
    second = nn.Sequential(nn.Linear(4, 3, bias=False), activation, nn.Identity(), nn.LayerNorm(3), nn.Linear(3, 3))
    return randomised(nn.Sequential(first, second, nn.Tanh(), nn.BatchNorm1d(3), nn.Linear(3, 2), nn.Sigmoid()))


X = torch.linspace(-1.5, 2, 15, dtype=torch.float64).reshape(5, 3)


def test_a_converted_module_computes_the_same_and_stays_as_it_is():
    module = sequential()
    before = copy.deepcopy(module.state_dict())
    model = kanspice.convert(module)
    wanted = copy.deepcopy(module).double()(X)
    assert torch.allclose(model(X), wanted, rtol=1e-14, atol=1e-14)
    assert all(torch.equal(before[name], tensor) for name, tensor in module.state_dict().items())
    assert (model.input_width, model.output_width, len(model.layers)) == (3, 2, 12)


def test_a_device_is_limited_shifted_and_scaled():
    activation = DeviceActivation(load_device("rtd"), (-1.0, 2.5), shift=0.5, scale=-0.25)
    volts = torch.tensor([-3.0, 0.7, 4.0], dtype=torch.float64)
    wanted = (load_device("rtd").curve.numpy([-1.0, 0.7, 2.5])[0] + 0.5) / -0.25
    assert np.allclose(activation(volts).numpy(), wanted, rtol=1e-14)


def test_its_stages_are_numbered_as_its_layers():
    model = kanspice.convert(nn.Sequential(nn.Linear(3, 2), DeviceActivation(PEAK), nn.BatchNorm1d(2), nn.Linear(2, 1)))
    names = ["l1.input", "l1.crossbar", "l2.input", "l2.crossbar", "l3.norm", "l4.crossbar"]
    assert list(model.stages(X)) == names


def test_a_checkpoint_holds_all_of_it(tmp_path):
    model = kanspice.convert(sequential())
    save(model, tmp_path / "model.pt")
    loaded = load(tmp_path / "model.pt")
    assert loaded.family == "mlp"
    assert torch.equal(loaded.model(X), model(X))


def test_batch_norms_are_fused_with_the_linear_layers_beside_them():
    model = kanspice.convert(sequential())
    linear = [step for step in steps(model) if isinstance(step, LinearArrays)]
    assert [(step.place, step.name) for step in linear] == [
        (2, "l3.norm"),
        (5, "l5.crossbar"),
        (8, "l8.crossbar"),
        (11, "l11.crossbar"),
    ]
    with torch.no_grad():
        values = model.stages(X)
    first = X.numpy() @ linear[0].weight.T + linear[0].bias
    last = values["l9.input"].numpy() @ linear[3].weight.T + linear[3].bias
    assert np.allclose(first, values["l3.norm"].numpy(), atol=1e-13)
    assert np.allclose(last, values["l11.crossbar"].numpy(), atol=1e-13)


def refused(module, *parts):
    with pytest.raises(InputError) as caught:
        steps(kanspice.convert(module))
    for part in parts:
        assert part in str(caught.value), str(caught.value)


class Network(nn.Module):
    """Somebody's own."""

    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(2, 2), nn.ReLU())

    def forward(self, x):
        return self.body(x) + x


def hooked(module):
    module.register_forward_hook(lambda _module, _inputs, outputs: 2 * outputs)
    return module


def other_forward(module):
    module.forward = lambda x: x
    return module


def computed(module):
    weight = module.weight
    del module.weight
    module.weight = 2 * weight
    return module


@pytest.mark.parametrize(
    ("module", "parts"),
    [
        (nn.Sequential(nn.Linear(2, 2), nn.Sequential(nn.Conv1d(1, 1, 2))), ["1.0, Conv1d", "convolution"]),
        (nn.Sequential(nn.Linear(2, 2), nn.LSTM(2, 2)), ["layer 1, LSTM", "recurrent"]),
        (nn.Sequential(nn.Linear(2, 2), nn.GELU()), ["layer 1, GELU", "no circuit", "ReLU, Sigmoid, Tanh"]),
        (Network(), ["this Network", "forward method", "kanspice.convert(module.body)"]),
        (nn.Sequential(Network()), ["layer 0, Network"]),
        (nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(2, 1)), ["layer 2, Linear", "3 inputs", "2"]),
        (nn.Sequential(nn.ReLU()), ["no linear layer"]),
        (nn.Sequential(nn.Linear(2, 2), nn.LayerNorm((2, 2))), ["layer 1, LayerNorm", "several axes"]),
        (
            nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2, track_running_stats=False)),
            ["layer 1", "running statistics"],
        ),
        (nn.Sequential(nn.Linear(2, 2), nn.ReLU(), nn.BatchNorm1d(2)), ["layer 3", "no linear layer"]),
        (nn.Sequential(torch.nn.utils.spectral_norm(nn.Linear(2, 2))), ["layer 0, Linear", "hooks"]),
        (nn.Sequential(nn.Linear(2, 2), hooked(nn.Identity())), ["layer 1, Identity", "hooks"]),
        (nn.Sequential(nn.Linear(2, 2), other_forward(nn.ReLU())), ["layer 1, ReLU", "another forward"]),
        (other_forward(nn.Sequential(nn.Linear(2, 2))), ["this Sequential", "another forward"]),
        (nn.Sequential(nn.Flatten(0), nn.Linear(2, 2)), ["layer 0, Flatten"]),
        (nn.Linear(2, 2, device="meta"), ["weight of this Linear", "meta"]),
        (nn.Linear(2, 2, dtype=torch.complex64), ["weight of this Linear", "complex64"]),
        (computed(nn.Linear(2, 2)), ["weight of this Linear", "computed"]),
        ({}, ["only a module of torch", "dict"]),
    ],
)
def test_what_cannot_be_taken_is_named_with_its_place(module, parts):
    refused(module, *parts)


def test_layers_that_are_not_whole_are_refused():
    with pytest.raises(InputError, match="layer 1, Linear, has no bias"):
        MLP([nn.Linear(2, 2, bias=False)])


@pytest.mark.parametrize("clamp", [(-5.0, 6.0), (1.0, 1.0), (float("nan"), 1.0)])
def test_a_clamp_beyond_the_curve_is_refused(clamp):
    with pytest.raises(InputError, match="beyond the curve of rtd"):
        DeviceActivation(load_device("rtd"), clamp)


@pytest.mark.parametrize(("device", "clamp"), [("a21", None), (None, (1, 2, 3)), (None, 5.0)])
def test_what_is_no_device_and_no_range_is_refused(device, clamp):
    with pytest.raises(InputError, match=r"needs a device|is no range"):
        DeviceActivation(load_device("a21") if device is None else device, clamp)


def test_a_scale_of_zero_is_refused():
    with pytest.raises(InputError, match="shift or scale"):
        DeviceActivation(PEAK, scale=0.0)


# --- state dicts of a Sequential, with a small configuration ---


@pytest.fixture
def written(tmp_path):
    """A function that writes a module's state dict and a configuration, and gives the first one's path."""

    def write(module, change=lambda state: state, prefix="", **config):
        state = {f"{prefix}{name}": tensor for name, tensor in module.state_dict().items()}
        torch.save(change(state), tmp_path / "model.pt")
        (tmp_path / "config.json").write_text(json.dumps(config))
        return tmp_path / "model.pt"

    return write


DEVICE = {"device": "rtd", "clamp": [-2.0, 4.5], "shift": 0.1, "scale": 0.3}


def plain(activation):
    layers = nn.Linear(3, 4), nn.BatchNorm1d(4), activation, nn.Dropout(), nn.Linear(4, 4), activation, nn.Linear(4, 2)
    return randomised(nn.Sequential(*layers))


@pytest.mark.parametrize(
    ("activation", "config"),
    [
        (nn.ReLU(), "relu"),
        (nn.Sigmoid(), "sigmoid"),
        (nn.Tanh(), "tanh"),
        (DeviceActivation(load_device("rtd"), (-2.0, 4.5), shift=0.1, scale=0.3), DEVICE),
    ],
)
def test_gaps_are_filled_with_the_activation(written, activation, config):
    module = plain(activation)
    loaded = load(written(module, activation=config, learning_rate=0.1, HIDDEN_DIMS=[4, 4], input_dim=3))
    assert loaded.format == "sequential"
    assert torch.equal(loaded.model(X), kanspice.convert(module)(X))
    assert "eps of norms: 1e-05, which the weights do not tell" in loaded.notes


def test_whatever_stands_before_the_numbers(written):
    module = plain(nn.ReLU())
    path = written(module, prefix="model.layers.", activation="relu")
    assert torch.equal(load(path).model(X), kanspice.convert(module)(X))


def test_layers_say_what_every_place_is(written):
    module = randomised(
        nn.Sequential(
            nn.Flatten(), nn.Linear(3, 4), nn.Dropout(), nn.LayerNorm(4), nn.Tanh(), nn.Linear(4, 2), nn.ReLU()
        )
    )
    refused_by(written(module, activation="tanh"), "'layers'", "gaps at 2 and 4")
    layers = ["flatten", "linear", "dropout", "layer_norm", "tanh", "linear", "relu"]
    assert torch.equal(load(written(module, layers=layers)).model(X), kanspice.convert(module)(X))


INNER = nn.Sequential(nn.Flatten(), nn.Linear(3, 4), nn.BatchNorm1d(4), nn.ReLU())
LISTED = [["flatten", "linear", "batch_norm", "relu"], ["linear", ["tanh"]], "linear", "sigmoid"]


def nested():
    last = nn.Sequential(nn.Linear(4, 4), nn.Sequential(nn.Tanh()))
    return randomised(nn.Sequential(copy.deepcopy(INNER), last, nn.Linear(4, 2), nn.Sigmoid()))


@pytest.mark.parametrize("prefix", ["", "model."])
def test_sequentials_within_are_lists_in_the_configuration(written, prefix):
    module = nested()
    loaded = load(written(module, prefix=prefix, layers=LISTED))
    assert torch.equal(loaded.model(X), kanspice.convert(module)(X))
    assert not any("taken for" in note for note in loaded.notes)


@pytest.mark.parametrize(
    ("config", "parts"),
    [
        ({"activation": "relu"}, ["leave open what the inner ones end with", "0.1, 0.2, 1.0, 2", "a list for each"]),
        ({"layers": ["flatten", "linear", "batch_norm", "relu", "linear"]}, ["weights at 0.1", "no entry there"]),
        ({"layers": [["linear", *LISTED[0]], *LISTED[1:]]}, ["no weights at 0.0", "'linear' there"]),
        ({"layers": [*LISTED[:2], "relu"]}, ["linear at 2", "'relu' there"]),
        ({"layers": [*LISTED, "linear"]}, ["no weights at 4", "'linear' there"]),
        ({"layers": [LISTED[0], ["linear", [["tanh"]]], "linear"]}, ["layers"]),
    ],
)
def test_lists_that_are_not_the_sequentials_within_are_refused(written, config, parts):
    refused_by(written(nested(), **config), *parts)


def test_norms_are_said_to_be_taken_for_what_they_may_not_be(written):
    module = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.ReLU(), nn.Linear(4, 4), nn.LayerNorm(4))
    notes = load(written(randomised(module), activation="relu")).notes
    assert any(note.startswith("1: taken for BatchNorm1d, which the weights do not tell from Inst") for note in notes)
    assert any(
        note.startswith("4: taken for LayerNorm, which the weights do not tell from GroupNorm") for note in notes
    )


def refused_by(path, *parts):
    with pytest.raises(InputError) as caught:
        load(path)
    for part in parts:
        assert part in str(caught.value), str(caught.value)


@pytest.mark.parametrize(
    ("config", "parts"),
    [
        ({}, ["does not say which activations", "none of them"]),
        ({"activation": "relu", "layers": ["linear"]}, ["activation and layers"]),
        ({"activation": "gelu"}, ["activation", "relu"]),
        ({"activation": {"device": "a2l"}}, ["a2l", "a21"]),
        ({"activation": {"device": "a21", "clamp": [0, 2]}}, ["beyond the curve of a21", "1.3"]),
        ({"activation": {"device": "a21", "scale": 0.0}}, ["shift or scale"]),
        ({"activation": "relu", "HIDDEN_DIMS": [4, 5]}, ["'HIDDEN_DIMS' contradicts the weights", "[4, 4]", "[4, 5]"]),
        ({"activation": "relu", "input_dim": 2}, ["'input_dim' contradicts the weights", "3, as in the weights"]),
        ({"layers": ["linear"]}, ["'layers' contradicts the weights", "batch_norm at 1", "no entry there"]),
        ({"layers": ["linear", "relu"]}, ["'layers' contradicts the weights", "batch_norm at 1", "'relu' there"]),
        ({"model_name": "MLP_CMTDAF"}, ["'model_name' contradicts the weights", "2.xs"]),
        ({"model_name": "BSplineKAN"}, ["model_name", "MLP_RTDAF"]),
    ],
)
def test_a_configuration_that_does_not_fit_is_refused(written, config, parts):
    refused_by(written(plain(nn.ReLU()), **config), *parts)


def without(*names):
    return lambda state: {name: tensor for name, tensor in state.items() if name not in names}


def changed(name, tensor):
    return lambda state: {**state, name: tensor}


@pytest.mark.parametrize(
    ("change", "parts"),
    [
        (without("4.bias"), ["4 has no bias", "4.bias"]),
        (without("4.weight"), ["4 has no weight", "bias"]),
        (changed("4.bias", torch.zeros(5)), ["4.bias has the wrong shape", "(4,)", "(5,)"]),
        (changed("6.weight", torch.zeros(2, 3)), ["layer 6, Linear", "4 inputs"]),
        (changed("4.weight", torch.zeros(4, 1, 3, 3)), ["4 is neither a linear layer nor a norm", "convolution"]),
        (changed("4.weight", torch.full((4, 4), torch.nan)), ["4.weight holds values that are not finite"]),
        (changed("1.running_var", torch.zeros(4)), ["1.running_var holds variances"]),
        (changed("4.running_mean", torch.zeros(4)), ["4.running_mean"]),
    ],
)
def test_weights_that_cannot_be_used_are_refused(written, change, parts):
    refused_by(written(plain(nn.ReLU()), change, activation="relu"), *parts)


@pytest.mark.parametrize("norm", [nn.BatchNorm1d(3), nn.LayerNorm(3)])
def test_a_gap_between_a_norm_and_the_first_linear_layer_is_refused(written, norm):
    module = nn.Sequential(norm, nn.Tanh(), nn.Linear(3, 2))
    refused_by(written(module, activation="tanh"), "leave open", "gap at 1 before the first linear layer")
    stated = load(written(module, layers=["batch_norm" if "Batch" in str(norm) else "layer_norm", "tanh", "linear"]))
    x = torch.rand(4, 3, dtype=torch.float64)
    assert torch.equal(stated.model(x), copy.deepcopy(module).double().eval()(x))


def test_a_gap_at_the_beginning_is_said(written):
    path = written(nn.Sequential(nn.Flatten(), nn.Linear(3, 2)), activation="tanh")
    assert any("0: taken for what does nothing" in note for note in load(path).notes)


def test_two_names_of_one_place_are_not_read(written):
    change = changed("00.weight", torch.zeros(2, 3))
    refused_by(written(nn.Sequential(nn.Linear(3, 2)), change, activation="tanh"), "not recognised")


def test_a_state_dict_without_a_configuration_is_refused(tmp_path):
    torch.save(plain(nn.ReLU()).state_dict(), tmp_path / "model.pt")
    refused_by(tmp_path / "model.pt", "needs a configuration", '{"activation": "relu"}', "kanspice.convert")


# --- the KANalogue authors' ---


@pytest.mark.parametrize("name", ["MLP_RTDAF", "MLP_MOSFETac"])
def test_the_authors_activations_are_their_equations(written, name):
    module = nn.Sequential(nn.Linear(1, 1), nn.Identity(), nn.Linear(1, 1)).double()
    with torch.no_grad():
        for tensor in module.state_dict().values():
            tensor.copy_(torch.ones_like(tensor) if tensor.ndim == 2 else torch.zeros_like(tensor))
    volts = np.array([-12.0, -10, -2.5, 0, 0.9, 1, 2.2, 3.4, 10, 11])
    found = load(written(module, prefix="network.", model_name=name, HIDDEN_DIMS=[1])).model(
        torch.tensor(volts)[:, None]
    )
    inside = np.clip(volts, -10, 10)
    per_volt = 1.60218e-19 / (1.38065e-23 * 300)
    supply = np.log(
        (1 + np.exp(per_volt * (0.4126 + 0.0352 * inside))) / (1 + np.exp(per_volt * (0.4126 - 0.0352 * inside)))
    )
    resonance = np.pi / 2 + np.arctan((0.0874 - 0.0352 * inside) / 0.0073)
    current = 0.0039 * supply * resonance + 0.0367 * (np.exp(per_volt * 0.0031 * inside) - 1)
    wanted = {
        "MLP_RTDAF": (current + 0.3564077949854996) / 0.44437022056753417,
        "MLP_MOSFETac": 6.17 * (np.clip(volts, 1, 10) - 1) ** 2,
    }
    assert np.allclose(found.detach().numpy()[:, 0], wanted[name], rtol=1e-13, atol=1e-13)


def test_tables_of_a_spline_where_the_activation_has_none_are_refused(written):
    tables = {f"network.1.{name}": torch.zeros(2) for name in ("xs", "a")}
    module = nn.Sequential(nn.Linear(1, 1), nn.Identity(), nn.Linear(1, 1))
    path = written(module, lambda state: state | tables, "network.", model_name="MLP_RTDAF")
    refused_by(path, "'model_name' contradicts the weights", "MLP_CMTDAF", "network.1.xs")


def test_half_a_spline_is_refused(written):
    tables = {f"network.1.{name}": torch.zeros(2) for name in ("xs", "a")}
    module = nn.Sequential(nn.Linear(1, 1), nn.Identity(), nn.Linear(1, 1))
    refused_by(written(module, lambda state: state | tables, "network.", model_name="MLP_CMTDAF"), "no network.1.x")


def test_pieces_that_are_a_little_apart_are_joined():
    knots = np.array([0.0, 0.0, 1.0, 2.0, 2.0])
    rows = np.array([[0, 0, 0, 0], [1.0, 0, 0, 0], [0, 0, 1.0, 1 + 1e-7], [0, 0, 0, 0]])
    curve = joined(knots, rows)
    volts = np.array([0.0, 0.5, 1.0, 1.00001, 1.5, 2.0])
    wanted = np.where(volts <= 1, volts**3, 1 + 1e-7 + (volts - 1))
    assert np.allclose(curve.numpy(volts)[0], wanted, rtol=0, atol=1e-15)
    with pytest.raises(InputError, match="jumps at 1 V"):
        joined(knots, rows + np.array([[0, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0.1], [0, 0, 0, 0]]))


@pytest.mark.reference_data
@pytest.mark.parametrize("name", ["mlp_rtdaf", "mlp_cmtdaf", "mlp_mosfet"])
def test_the_authors_logits_are_reproduced(reference_data, name):
    folder = reference_data / "kanalogue" / "mlp_and_kan" / name
    model = load(folder).model
    with torch.no_grad():
        found = model(torch.from_numpy(np.load(folder / "inputs.npy"))).numpy()
    wanted = np.load(folder / "logits.npy")
    assert np.abs(found - wanted).max() < 1e-13 * np.abs(wanted).max()


def test_a_device_of_a_checkpoint_need_not_be_shipped(tmp_path):
    own = polynomial_device("own", [0.0, 2.0], [[0.0, 1.0, -0.25]])
    model = kanspice.convert(nn.Sequential(nn.Linear(1, 1), DeviceActivation(own), nn.Linear(1, 1)))
    save(model, tmp_path / "model.pt")
    assert [device.name for device in load(tmp_path / "model.pt").model.curves] == ["ohmic", "own"]
