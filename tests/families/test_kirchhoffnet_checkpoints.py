"""kanspice's own checkpoints of KirchhoffNets: what survives, and what is refused."""

import json

import numpy as np
import pytest
import torch

from kanspice.base.errors import InputError
from kanspice.experiments.verify.run import Evidence, verify
from kanspice.families import compile_model, load, save
from kanspice.families.kirchhoffnet.branches import branch_function
from kanspice.families.kirchhoffnet.integrator import Integrator
from kanspice.families.kirchhoffnet.network import KirchhoffNet
from kanspice.families.kirchhoffnet.topology import recipe, topology_from_edges
from kanspice.technology import Technology

X = torch.linspace(-1, 1, 8, dtype=torch.float64).reshape(4, 2)


def network(branch="ShiftTanh2", args=None, **options):
    torch.manual_seed(1)
    topologies = [recipe("_fully_connect", {"num_node": 4}, "x").build(), topology_from_edges([(1, 2), (2, 0), (3, 1)])]
    branch = branch_function(branch, args or {}, "x")
    return KirchhoffNet(topologies, [0.5, 0.1 + 0.2], branch, input_width=2, **options).eval()


@pytest.fixture
def content(tmp_path):
    """The content of a valid checkpoint, to be spoiled."""
    save(network(), tmp_path / "good.pt")
    return torch.load(tmp_path / "good.pt", weights_only=True)


@pytest.fixture
def spoiled(content, tmp_path):
    """A function that writes the content with some entries of the configuration and the state replaced."""

    def write(config=None, **state):
        text = json.dumps(json.loads(content["config"]) | (config or {}))
        named = {name.replace("__", "."): tensor for name, tensor in state.items()}
        torch.save(content | {"config": text, "state": content["state"] | named}, tmp_path / "bad.pt")
        return tmp_path / "bad.pt"

    return write


def refused(path, *parts):
    with pytest.raises(InputError) as caught:
        load(path)
    for part in (path.name, *parts):
        assert part in str(caught.value), str(caught.value)
    assert str(caught.value).count(path.name) == 1


@pytest.mark.slow
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"fill": "repeat", "residual": (1, 2), "readout": "last2"},
        {"branch": "ShiftRelu1"},
        {"branch": "Device", "args": {"negation": True, "activation": "softplus"}},
    ],
)
def test_round_trip_is_equal_bit_for_bit(options, tmp_path):
    model = network(**options)
    save(model, tmp_path / "model.pt")
    loaded = load(tmp_path / "model.pt")
    again = loaded.model
    assert (loaded.family, loaded.format, loaded.parameters) == ("kirchhoffnet", "kanspice", model.branch.rows * 27)
    assert (again.branch, again.fill, again.residual) == (model.branch, model.fill, model.residual)
    assert (again.widths, again.durations, again.readout) == (model.widths, model.durations, model.readout)
    assert not again.training
    assert all(torch.equal(a, b) for a, b in zip(model.stages(X).values(), again.stages(X).values(), strict=True))


PROJECTOR = {"weight": torch.tensor([[0.1, -2.0], [1 / 3, 0.0], [5.0, 1.0]]), "bias": torch.tensor([0.1, 0.2, -3.0])}


def test_a_projector_survives(tmp_path):
    model = network(readout="last2", projector=PROJECTOR)
    save(model, tmp_path / "model.pt")
    loaded = load(tmp_path / "model.pt")
    assert (loaded.parameters, loaded.output_width) == (3 * 27 + 9, 3)
    assert all(
        torch.equal(a, b) for a, b in zip(model.stages(X).values(), loaded.model.stages(X).values(), strict=True)
    )
    model(X).sum().backward()  # it is trained like the branches
    assert torch.equal(model.projector.bias.grad, torch.full((3,), 4.0, dtype=torch.float64))


@pytest.mark.parametrize(
    ("options", "part"),
    [
        ({"projector": PROJECTOR}, "takes 3 voltages"),
        ({"readout": "last2", "projector": PROJECTOR | {"bias": torch.zeros(2)}}, "bias (outputs,)"),
    ],
)
def test_a_projector_that_does_not_fit(options, part):
    with pytest.raises(InputError, match="projector") as caught:
        network(**options)
    assert part in str(caught.value)


@pytest.mark.parametrize(
    ("config", "parts"),
    [
        ({"projector": 4}, ("projector.weight has the wrong shape", "(4, 2)")),
        ({"projector": 0}, ("'projector'",)),
        ({"readout": "all"}, ("projector.weight has the wrong shape", "(3, 3)")),
        ({"projector": None}, ("with projector.bias, projector.weight",)),
        ({"readout": "last9"}, ("the read-out does not fit",)),
    ],
)
def test_a_checkpoint_whose_projector_was_changed(config, parts, tmp_path):
    save(network(readout="last2", projector=PROJECTOR), tmp_path / "bad.pt")
    content = torch.load(tmp_path / "bad.pt", weights_only=True)
    text = json.dumps(json.loads(content["config"]) | config)
    torch.save(content | {"config": text}, tmp_path / "bad.pt")
    refused(tmp_path / "bad.pt", *parts)


def test_shared_parameters_survive(tmp_path):
    grid = {"num_channel": 1, "width": 3, "height": 3, "neighbor_size": 2, "sharing": True}
    model = KirchhoffNet([recipe("_neighbor_index", grid, "x").build()], [1.0], branch_function("ShiftRelu2", {}, "x"))
    save(model, tmp_path / "model.pt")
    again = load(tmp_path / "model.pt").model
    np.testing.assert_array_equal(again.topologies[0].parameter_index, model.topologies[0].parameter_index)
    assert torch.equal(again(torch.ones(1, 9)), model(torch.ones(1, 9)))


def test_equal_models_give_equal_bytes(tmp_path):
    save(network(), tmp_path / "a.pt")
    save(load(tmp_path / "a.pt").model, tmp_path / "b.pt")
    assert (tmp_path / "a.pt").read_bytes() == (tmp_path / "b.pt").read_bytes()


def test_the_integrator_is_not_saved(tmp_path):
    save(network(integrator=Integrator(rtol=1e-3)), tmp_path / "model.pt")
    assert load(tmp_path / "model.pt").model.integrator == Integrator()


def test_the_file_holds_only_plain_tensors_and_text(content):
    assert (content["schema"], content["family"]) == ("kanspice.checkpoint/1", "kirchhoffnet")
    assert json.loads(content["config"])["branch"] == {"name": "ShiftTanh2", "args": {}}
    assert content["state"]["layers.1.source"].tolist() == [1, 2, 3]


def test_saving_a_model_that_diverged(tmp_path):
    model = network()
    with torch.no_grad():
        model.layers[1].theta[0, 0] = float("nan")
    with pytest.raises(InputError, match=r"layers.1.theta holds values that are not finite"):
        save(model, tmp_path / "model.pt")


@pytest.mark.parametrize(
    ("config", "parts"),
    [
        ({"branch": {"name": "ShiftTanh9", "args": {}}}, ("unknown branch function", "ShiftTanh9")),
        ({"branch": {"name": "Device", "args": {}}}, ("'negation'",)),
        ({"branch": {"name": "ShiftRelu1", "args": {}}}, ("layers.0.theta has the wrong shape", "(2, 24)", "(3, 24)")),
        ({"layers": []}, ("bad value for 'layers'",)),
        ({"layers": [{"duration": 1.0, "nodes": 3}]}, ("not those of the network", "with layers.1")),
        ({"layers": [{"duration": 0.0, "nodes": 3}] * 2}, ("'layers.0.duration'",)),
        ({"layers": [{"duration": 1.0, "nodes": 2}] * 2}, ("a node that does not exist", "0 to 2", "found:    3")),
        ({"layers": [{"duration": 1.0, "nodes": 10**9}] * 2}, ("'layers.0.nodes'",)),
        ({"input_width": 0}, ("'input_width'",)),
        ({"fill": "ones"}, ("'fill'",)),
        ({"residual": [2, 1]}, ("the residual's layers",)),
        ({"residual": [1]}, ("'residual",)),
        ({"readout": "last9"}, ("the read-out does not fit",)),
        ({"colour": "red"}, ("unknown key 'colour'",)),
    ],
)
def test_config_with_an_unusable_value(spoiled, config, parts):
    refused(spoiled(config), *parts)


@pytest.mark.parametrize(
    ("state", "parts"),
    [
        ({"layers__0__theta": torch.full((3, 24), float("nan"))}, ("not finite",)),
        ({"layers__0__theta": torch.zeros(3, 24, dtype=torch.float16)}, ("wrong type of number", "float16")),
        ({"layers__1__source": torch.tensor([1.0, 2.0, 3.0])}, ("layers.1.source", "wrong type of number", "int64")),
        ({"layers__1__source": torch.zeros(3, dtype=torch.bfloat16)}, ("layers.1.source", "wrong type of number")),
        ({"layers__1__source": torch.tensor([1, 2])}, ("destination cannot be used",)),
        ({"layers__1__source": torch.tensor([[1, 2, 3]])}, ("layers.1.source has the wrong shape", "1 axes")),
        ({"layers__1__source": torch.tensor([1, -2, 3])}, ("source cannot be used", "-2")),
        ({"layers__1__destination": torch.tensor([1, 7, 3])}, ("a node that does not exist", "7")),
        ({"layers__1__parameter_index": torch.tensor([0, 10**15, 1])}, ("theta has the wrong shape",)),
        ({"extra": torch.zeros(1)}, ("with extra",)),
    ],
)
def test_state_that_cannot_be_used(spoiled, state, parts):
    refused(spoiled(**state), *parts)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"branch": "Device", "args": {"negation": True, "activation": "hardshrink"}},
            "activation has no circuit.*hardshrink",
        ),
    ],
)
def test_what_has_no_circuit_yet(tmp_path, options, message):
    save(network(**options), tmp_path / "model.pt")
    loaded, parts = load(tmp_path / "model.pt"), rf"(?s)model.pt: .*{message}"
    with pytest.raises(InputError, match=parts):
        compile_model(loaded, Technology())
    with pytest.raises(InputError, match=parts):
        verify(loaded, Technology(), Evidence(X.numpy()))
