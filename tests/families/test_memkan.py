"""MemKAN: layers of synapses in volts, their initialisation, arrays and checkpoints."""

import json

import numpy as np
import pytest
import torch

from kanspice.base.errors import InputError
from kanspice.families import load, save
from kanspice.families.common.following import reference_stages
from kanspice.families.memkan.arrays import synapse_arrays
from kanspice.families.memkan.memdiode import SynapseConstants, answers
from kanspice.families.memkan.network import MemKAN

X = torch.linspace(-1.2, 1.2, 24, dtype=torch.float64).reshape(8, 3)


@pytest.fixture
def model():
    torch.manual_seed(3)
    return MemKAN((3, 4, 2)).eval()


def test_stages_are_the_voltages_of_the_circuit(model):
    stages = model.stages(X)
    assert list(stages) == ["l1.input", "l1.synapses", "l2.input", "l2.synapses"]
    assert torch.equal(stages["l1.input"], (0.25 + 0.25 * X).clamp(0.0, 0.5))
    assert torch.equal(stages["l2.input"], stages["l1.synapses"].clamp(0.0, 0.5))
    assert torch.equal(model(X), stages["l2.synapses"])


def test_a_layer_sums_what_its_synapses_answer(model):
    first = synapse_arrays(model)[0]
    v = model.stages(X)["l1.input"].numpy()
    layer = model.synapse_layers()[0]
    expected = np.tile(first.bias, (len(v), 1))
    for i in range(3):
        for j in range(4):
            unit = type(model.synapses()[0])(*(part[i, j] for part in model.synapses()[0]))
            u, _ = answers(torch.from_numpy(v[:, [i]]), layer.kinds, unit, model.constants)
            expected[:, j] += (u.detach().numpy() * first.gain[i, j]).sum(axis=1)
    np.testing.assert_allclose(model.stages(X)["l1.synapses"].detach().numpy(), expected, rtol=1e-13)


def test_a_fresh_network_keeps_its_hidden_voltages_in_range():
    torch.manual_seed(0)
    stages = MemKAN((4, 20, 20, 3)).stages(2 * torch.rand(400, 4, dtype=torch.float64) - 1)
    for name in ("l1.synapses", "l2.synapses"):
        inside = (stages[name] > 0.0) & (stages[name] < 0.5)
        assert float(inside.double().mean()) > 0.7


def test_gradients_reach_every_parameter(model):
    model(X).square().sum().backward()
    for name, parameter in model.named_parameters():
        assert bool(torch.isfinite(parameter.grad).all()), name
        assert float(parameter.grad.abs().max()) > 0, name


def test_arrays_for_the_compiler(model):
    first, second = synapse_arrays(model)
    assert first.kind.shape == (3, 4, 3)
    assert second.kind[1, 1].tolist() == ["LP", "BP", "HP"]
    assert first.load_ohm.shape == first.gain.shape == (3, 4, 3)
    assert second.bias.shape == (2,)
    for arrays in (first, second):
        assert arrays.load_ohm.min() > 1
        assert arrays.load_ohm.max() < 1000
        assert arrays.saturation_a.max() < 1e-5


def test_checkpoints_are_complete(tmp_path):
    torch.manual_seed(5)
    constants = SynapseConstants(low_v=0.05, input_v_per_unit=0.2, load_ohm=(100.0, 1000.0))
    model = MemKAN((2, 3, 1), ("HP", "LP"), constants=constants).eval()
    save(model, tmp_path / "model.pt")
    loaded = load(tmp_path / "model.pt")
    assert (loaded.family, loaded.format) == ("memkan", "kanspice")
    assert loaded.model.constants == constants
    assert loaded.model.kinds == ("HP", "LP")
    x = X[:, :2].numpy()
    for name, values in reference_stages(model, x).items():
        assert np.array_equal(reference_stages(loaded.model, x)[name], values)


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("kinds", ["LP", "notch"], "'LP', 'BP' or 'HP'"),
        ("widths", [3], "at least 2"),
        ("widths", [3, 5, 2], "wrong shape"),
        ("constants", {"alpha_per_v": [50.0, 10.0]}, "alpha_per_v"),
    ],
)
def test_checkpoints_that_contradict_themselves(model, tmp_path, key, value, message):
    save(model, tmp_path / "model.pt")
    content = torch.load(tmp_path / "model.pt", weights_only=True)
    content["config"] = json.dumps(json.loads(content["config"]) | {key: value})
    torch.save(content, tmp_path / "bad.pt")
    with pytest.raises(InputError, match=message):
        load(tmp_path / "bad.pt")


def test_weights_that_are_not_finite_are_not_saved(model, tmp_path):
    with torch.no_grad():
        model.layers[1].gain[0, 0, 0] = torch.inf
    with pytest.raises(InputError, match=r"layers\.1\.gain holds values that are not finite"):
        save(model, tmp_path / "model.pt")


@pytest.mark.parametrize("kinds", [(), ("lp",), ("LP", "XP")])
def test_unknown_kinds(kinds):
    with pytest.raises(InputError, match="kinds of synapses cannot be used"):
        MemKAN((2, 1), kinds)


def test_inputs_of_the_wrong_width(model):
    with pytest.raises(InputError, match=r"MemKAN\.forward: the inputs do not fit"):
        model(X[:, :2])
