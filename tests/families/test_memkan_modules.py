"""MemKANs as their authors train them: what a whole module of theirs means, what is refused, own checkpoints."""

import json

import numpy as np
import pytest
import torch
from authors_modules import MemKAN, MemKAN_actor, surrogate
from torch import nn

from kanspice.base.errors import InputError
from kanspice.families import load, save
from kanspice.families.common.following import reference_stages
from kanspice.families.memkan_surrogate.arrays import surrogate_arrays
from kanspice.families.memkan_surrogate.network import SurrogateConstants, SurrogateMemKAN

X = np.linspace(-1, 1, 15).reshape(5, 3)


def module(*hidden, class_=MemKAN, seed=0, **attributes):
    torch.manual_seed(seed)
    return class_(**({"edge_model": surrogate(*(hidden or (7, 5)))} | attributes))


def saved(tmp_path, made):
    torch.save(made, tmp_path / "module.pt")
    return tmp_path / "module.pt"


def refused(path, *parts, config=None):
    with pytest.raises(InputError) as caught:
        load(path, config)
    for part in parts:
        assert part in str(caught.value), str(caught.value)


def their_outputs(made, x):
    """Their forward pass in NumPy and float64: every synapse of every connection by itself."""

    def squashed(values):
        return 1 / (1 + np.exp(-values / made.sigmoid_s))

    def answer(row):
        for part in made.edge_model:
            if isinstance(part, nn.Linear):
                row = part.weight.detach().double().numpy() @ row + part.bias.detach().double().numpy()
            else:
                row = np.maximum(row, 0)
        return row[0]

    values = x
    for raw, gain, bias in zip(made.edge_params, made.gains, made.biases, strict=True):
        shares, v = squashed(raw.double().numpy()), squashed(values)
        sums = np.zeros((len(x), raw.shape[1]))
        for sample, i, j, k in np.ndindex(len(x), *raw.shape[:3]):
            row = np.array([v[sample, i] + float(bias[i, j, k]), *shares[i, j, k]])
            sums[sample, j] += float(gain[i, j, k]) * answer(row)
        values = sums
    return values


@pytest.mark.parametrize("hidden", [(), (6,), (5, 4, 3)])
def test_outputs_are_those_of_their_class(tmp_path, hidden):
    made = module(*hidden)
    loaded = load(saved(tmp_path, made))
    assert (loaded.family, loaded.format) == ("memkan-surrogate", "memkan-authors")
    assert (loaded.input_width, loaded.output_width) == (3, 2)
    np.testing.assert_allclose(reference_stages(loaded.model, X)["l2.synapses"], their_outputs(made, X), rtol=1e-12)


def test_what_a_report_says(tmp_path):
    made = module(12)
    made.biases = [torch.full_like(bias, -0.25) for bias in made.biases]
    about, beyond = load(saved(tmp_path, made)).notes
    assert "surrogate (6-12-1) for its band-pass synapses" in about
    assert "nothing was run" in about
    assert beyond == "synapses get -0.25 to 0.75 V; the authors' surrogate was trained on 0 to 1 V"
    made.biases = [torch.zeros_like(bias) for bias in made.biases]
    assert len(load(saved(tmp_path, made)).notes) == 1


def test_an_actor_keeps_its_critic(tmp_path):
    made = module(class_=MemKAN_actor, load_model=module(seed=1))
    loaded = load(saved(tmp_path, made))
    np.testing.assert_allclose(reference_stages(loaded.model, X)["l2.synapses"], their_outputs(made, X), rtol=1e-12)


def test_parameters_stand_for_what_their_scripts_draw():
    constants = SurrogateConstants()
    shares = torch.tensor([[0.0] * 5, [0.25] * 5, [1.0] * 5], dtype=torch.float64)
    found = torch.stack(constants.synapses(shares))
    p = shares[:, 0]
    theirs = torch.stack([99 * p + 1, 9 * p + 1, (p + 0.01) / 1.01, 40 * p + 10, 10 ** (2 * p - 7)])
    torch.testing.assert_close(found, theirs, rtol=1e-14, atol=0)


def test_synapses_in_si_units(tmp_path):
    made = module()
    loaded = load(saved(tmp_path, made)).model
    first, _ = surrogate_arrays(loaded)
    share = 1 / (1 + np.exp(-made.edge_params[0].double().numpy() / 0.5))
    np.testing.assert_allclose(first.alpha_per_v, 10 + 40 * share[..., 3], rtol=1e-14)
    np.testing.assert_array_equal(first.input_bias, made.biases[0].double().numpy())
    assert set(first.kind.ravel()) == {"BP"}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("attributes", "parts"),
    [
        ({"thresholds": []}, ["not one of the authors' that kanspice knows", "with thresholds"]),
        ({"KANshape": [3, 5, 2]}, ["layers.0.raw has the wrong shape"]),
        ({"Nlayers": 3}, ["'Nlayers' contradicts 'KANshape'"]),
        ({"gains": [torch.ones(3, 4, 2)]}, ["without layers.1.gain"]),
        ({"biases": 0.0}, ["'biases' cannot be used", "a list of tensors"]),
        ({"edge_params": [torch.ones(3, 4), torch.ones(4, 2)]}, ["edge_params.0 has the wrong shape", "4 axes"]),
        ({"sigmoid_s": 0}, ["'sigma'", "greater than 0"]),
        ({"edge_model": surrogate(4, inputs=5)}, ["does not take a synapse", "6 inputs", "5 to 4, 4 to 1"]),
        ({"edge_model": surrogate(4, outputs=3)}, ["does not take a synapse", "4 to 3"]),
        ({"edge_model": nn.Sequential(nn.Linear(6, 1), nn.ReLU())}, ["'edge_model', cannot be used", "Linear, ReLU"]),
        ({"edge_model": nn.Sequential(nn.Linear(6, 1, bias=False))}, ["layer 0", "a tensor 'bias'", "NoneType"]),
        ({"edge_model": nn.Linear(6, 1)}, ["'edge_model', cannot be used", "Linear"]),
        ({"edge_model": nn.Sequential(nn.Linear(6, 4), nn.Tanh(), nn.Linear(4, 1))}, ["activation.Tanh"]),
    ],
)
def test_modules_that_are_refused(tmp_path, attributes, parts):
    refused(saved(tmp_path, module(**attributes)), "module.pt", *parts)


def test_weights_that_are_not_finite_are_refused(tmp_path):
    made = module()
    made.gains[1][0, 1, 0] = torch.inf
    refused(saved(tmp_path, made), "layers.1.gain holds values that are not finite", "(0, 1, 0)")


def test_a_configuration_is_refused(tmp_path):
    refused(saved(tmp_path, module()), "needs no configuration", config=tmp_path / "config.json")


def test_a_surrogate_alone_is_refused(tmp_path):
    refused(saved(tmp_path, surrogate(4)), "holds no state dict", "Sequential")


def test_own_checkpoints_are_complete(tmp_path):
    model = load(saved(tmp_path, module())).model
    save(model, tmp_path / "model.pt")
    loaded = load(tmp_path / "model.pt")
    assert (loaded.family, loaded.format) == ("memkan-surrogate", "kanspice")
    assert isinstance(loaded.model, SurrogateMemKAN)
    expected, found = (reference_stages(m, X) for m in (model, loaded.model))
    assert all(np.array_equal(found[name], values) for name, values in expected.items())


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("units", 3, r"layers\.0\.gain has the wrong shape|layers\.0\.raw has the wrong shape"),
        ("hidden", [7], r"with surrogate\.4\.bias"),
        ("constants", {"load_ohm": [0.0, 1.0]}, r"constants\.load_ohm"),
    ],
)
def test_own_checkpoints_that_contradict_themselves(tmp_path, key, value, message):
    save(load(saved(tmp_path, module())).model, tmp_path / "model.pt")
    content = torch.load(tmp_path / "model.pt", weights_only=True)
    content["config"] = json.dumps(json.loads(content["config"]) | {key: value})
    torch.save(content, tmp_path / "bad.pt")
    with pytest.raises(InputError, match=message):
        load(tmp_path / "bad.pt")


def test_gradients_reach_all_parameters():
    torch.manual_seed(0)
    model = SurrogateMemKAN((2, 3, 1), 2, (6,))
    model(torch.rand(4, 2, dtype=torch.float64)).square().sum().backward()
    assert all(parameter.grad is not None for parameter in model.parameters())


def test_networks_that_cannot_be():
    for arguments in ({"widths": (3,)}, {"widths": (3, 2), "units": 0}, {"widths": (3, 2), "hidden": (0,)}):
        with pytest.raises(InputError, match="cannot be used"):
            SurrogateMemKAN(**arguments)
