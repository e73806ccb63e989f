"""Checkpoints in the format of the KirchhoffNet authors' code: made here, and published ones."""

import copy
import json
import time

import numpy as np
import pytest
import torch
import yaml

from kanspice.base.errors import InputError
from kanspice.families import load, save
from kanspice.families.common import load_array, load_labels
from kanspice.families.kirchhoffnet.network import KirchhoffNet

CONFIG = {
    "batch_size": 512,
    "network": {
        "adjoint": True,
        "initialization": "kaiming",
        "model": {"args": {}, "name": "ShiftTanh2"},
        "net_struct": [
            {"args": {"num_node": 3, "repeat": [2, 1]}, "name": "_fully_connect"},
            {"args": {"num_node": 4, "repeat": [1, 1]}, "name": "_fully_connect"},
        ],
    },
    "simulation": {"method": "dopri5", "t_end": [0.0, 0.5, 1.25], "tol": "1e-4"},
    "train": {"lr": 0.001},
}
EDGES = (18, 24)
X = torch.linspace(-1, 1, 10, dtype=torch.float64).reshape(5, 2)
NAME = "circuit.layer_list.{}.model.param"


def authors_state(rows=3, edges=EDGES, seed=3):
    generator = torch.Generator().manual_seed(seed)
    return {NAME.format(m): 0.3 * torch.randn(rows, count, generator=generator) for m, count in enumerate(edges)}


def changed(**changes):
    """The configuration with some values replaced; double underscores lead into it: network__fill."""
    config = copy.deepcopy(CONFIG)
    for path, value in changes.items():
        *parents, key = path.split("__")
        part = config
        for parent in parents:
            part = part[int(parent) if parent.isdigit() else parent]
        part[int(key) if key.isdigit() else key] = value
    return config


@pytest.fixture
def written(tmp_path):
    """A function that writes a checkpoint and its configuration, and gives both paths."""

    def write(state=None, text=None, **changes):
        torch.save(authors_state() if state is None else state, tmp_path / "model.pth")
        (tmp_path / "config.yaml").write_text(yaml.safe_dump(changed(**changes)) if text is None else text)
        return tmp_path / "model.pth", tmp_path / "config.yaml"

    return write


def refused(paths, *parts, curves=None):
    """The message of the error that loading raises; it must hold every part."""
    with pytest.raises(InputError) as caught:
        load(*paths, curves=curves)
    for part in parts:
        assert part in str(caught.value), str(caught.value)


# --- what is read ---


def test_what_a_loaded_model_says_of_itself(written):
    loaded = load(*written())
    assert (loaded.family, loaded.format) == ("kirchhoffnet", "kirchhoffnet-authors")
    assert (loaded.input_width, loaded.output_width, loaded.parameters) == (2, 3, 3 * sum(EDGES))
    model = loaded.model
    assert isinstance(model, KirchhoffNet)
    assert not model.training
    assert (model.widths, model.durations, model.fill, model.residual) == ((2, 2, 3), (0.5, 0.75), "zeros", None)
    assert model(X).shape == (5, 3)


def test_parameters_are_widened_exactly_and_stay_in_order(written):
    state = authors_state()
    for layer, param in zip(load(*written(state)).model.layers, state.values(), strict=True):
        assert layer.theta.dtype == torch.float64
        assert torch.equal(layer.theta, param.double())


@pytest.mark.slow
@pytest.mark.parametrize(("name", "rows"), [("ShiftTanh1", 2), ("Conductance", 1)])
def test_rows_that_the_branch_function_does_not_use_are_left_out(written, name, rows):
    state = authors_state(rows=3)
    loaded = load(*written(state, network__model__name=name))
    assert loaded.parameters == rows * sum(EDGES)
    assert torch.equal(loaded.model.layers[0].theta, state[NAME.format(0)][:rows].double())
    without = load(*written({key: param[:rows] for key, param in state.items()}, network__model__name=name))
    assert torch.equal(without.model(X), loaded.model(X))


def test_other_settings(written):
    model = load(
        *written(
            state=authors_state(edges=(18, 18)),
            network__net_struct__1={"name": "_fully_connect", "args": {"num_node": 3, "repeat": [1, 2]}},
            network__fill="repeat",
            network__residual=[0, 1],
            network__projector="last1",
            network__encoder=None,
            simulation__t_end=["1e0", "1.5e0", 3],
        )
    ).model
    assert (model.fill, model.residual, model.readout.name, model.durations) == ("repeat", (1, 2), "last1", (0.5, 1.5))


@pytest.mark.parametrize("fill", [None, "zero", "zeros"])
@pytest.mark.parametrize("projector", [None, "none"])
def test_names_for_nothing(written, fill, projector):
    model = load(*written(network__fill=fill, network__projector=projector, network__encoder="none")).model
    assert (model.fill, model.readout.name) == ("zeros", "all")


def test_device_branches(written):
    arguments = {"name": "Device", "args": {"negation": True, "activation": "sigmoid"}}
    model = load(*written(authors_state(rows=2), network__model=arguments)).model
    assert (model.branch.name, model.branch.activation) == ("Device", "sigmoid")


def test_inputs_of_a_mixed_layer_are_its_grid(written):
    grid = {"num_channel": 1, "width": 2, "height": 2, "neighbor_size": 2, "fully_connect_node": 3, "repeat": [1, 0]}
    entry = {"name": "_mix_connect", "args": grid}
    loaded = load(*written(authors_state(edges=(31, 31)), network__net_struct=[entry, entry]))
    assert loaded.model.widths == (4, 7, 7)


def test_sharing_with_a_column_per_edge_and_with_shared_columns(written):
    grid = {"num_channel": 1, "width": 3, "height": 3, "neighbor_size": 2, "sharing": True}
    changes = {"network__net_struct": [{"name": "_neighbor_index", "args": grid}], "simulation__t_end": [0, 1]}
    assert load(*written(authors_state(edges=(48,)), **changes)).parameters == 3 * 48
    shared = load(*written(authors_state(edges=(12,)), **changes))
    assert shared.parameters == 3 * 12
    assert shared.model.topologies[0].edges == 48


def test_loading_leaves_the_global_seed_alone(written):
    paths = written()
    torch.manual_seed(7)
    expected = torch.rand(3)
    torch.manual_seed(7)
    load(*paths)
    assert torch.equal(torch.rand(3), expected)


def test_save_and_load_again(written, tmp_path):
    model = load(*written()).model
    save(model, tmp_path / "own.pt")
    assert torch.equal(load(tmp_path / "own.pt").model(X), model(X))


# --- the configuration as a file ---


def test_without_configuration(written):
    weights, config = written()
    config.unlink()
    refused((weights,), "model.pth", "KirchhoffNet", "needs its configuration", "config.yaml", "--config")
    config.with_name("other.yaml").write_text(yaml.safe_dump(CONFIG))
    config.with_name("config.json").write_text("{}")
    refused((weights,), "needs its configuration")


def test_the_configuration_beside_the_weights_is_found_and_said(written, tmp_path):
    weights, config = written()
    for given in (weights, tmp_path):
        found = load(given)
        assert found.config == config
        assert f"configuration: {config}, found by its place" in found.notes
        assert torch.equal(found.model(X), load(weights, config).model(X))
    assert not any("by its place" in note for note in load(weights, config).notes)


def test_several_configurations_are_not_chosen_from(written):
    weights, config = written()
    config.with_suffix(".yml").write_bytes(config.read_bytes())
    refused((weights,), "several configurations could be meant", "config.yaml, config.yml", "--config")
    assert load(weights, config).config == config


def test_missing_configuration(written, tmp_path):
    refused((written()[0], tmp_path / "none.yaml"), "none.yaml", "the configuration was not found")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", ("the file is empty",)),
        ("a: 1\nb: {c: 1, c: 2}", ("is not YAML", "the key 'c' is there twice")),
        ("a: [1", ("is not YAML", "expected")),
        ("[" * 100_000, ("too much", "nested more than 50 deep")),
        ("- " * 60 + "1", ("too much", "nested more than 50 deep")),
        ("\x00", ("is not YAML",)),
        ("a: " + "9" * 5000, ("is not YAML",)),
        ("a: 2001-99-99", ("is not YAML",)),
        ("- 1\n- 2", ("not a YAML mapping", "list")),
        ("text", ("not a YAML mapping", "str")),
        ("# nothing", ("not a YAML mapping", "NoneType")),
        ("a: 1\n---\nb: 2", ("is not YAML",)),
        ("a: &x [1, *x]", ("too much", "an alias inside its own value")),
        ("a: *x", ("too much", "an alias inside its own value, or without one")),
        ("a: !!python/object/apply:os.system ['touch ran']", ("more than plain values", "nothing was executed")),
        ("a: !!python/name:os.system", ("more than plain values", "python/name")),
        ("a: !thing 1", ("more than plain values", "!thing")),
        ("? [1, 2]\n: 3\n? {a: 1}\n: 2", ("more than plain values",)),
    ],
)
def test_text_that_is_no_plain_yaml_mapping(written, text, parts):
    refused(written(text=text), "config.yaml", *parts)


def test_text_that_is_not_utf8(written):
    paths = written()
    paths[1].write_bytes(b"a: \xff\xfe")
    refused(paths, "is not YAML")


def test_a_billion_laughs(written):
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 30)]
    refused(written(text="\n".join(lines)), "too much", "more than 100,000 values")


def test_a_billion_laughs_by_merging(written):
    lines = ["a0: &a0 {k: 1}"]
    lines += [f"a{i}: &a{i}\n  <<: [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 30)]
    refused(written(text="\n".join(lines)), "too much", "more than 100,000 values")


def test_aliases_are_followed(written):
    entry = CONFIG["network"]["net_struct"][0]
    config = changed(network__net_struct=[entry, entry])
    text = yaml.safe_dump(config)
    assert "&id001" in text
    assert load(*written(authors_state(edges=(18, 18)), text=text)).model.widths == (2, 2, 2)


def test_a_configuration_that_is_too_large(written):
    refused(written(text="# " + "x" * 300_000), "the configuration is too large", "200,000 bytes")


# --- its keys ---


@pytest.mark.parametrize(
    "key", ["network", "simulation", "network.net_struct", "network.model", "network.model.name", "simulation.t_end"]
)
def test_configuration_without_a_key(written, key):
    config = copy.deepcopy(CONFIG)
    *parents, last = key.split(".")
    part = config
    for parent in parents:
        part = part[parent]
    del part[last]
    refused(written(text=yaml.safe_dump(config)), "config.yaml", f"'{key}'", "Field required", "found:    nothing")


@pytest.mark.parametrize(
    ("key", "value", "shown"),
    [
        ("network", 3, "'network'"),
        ("network__net_struct", [], "'network.net_struct'"),
        ("network__net_struct", [{"args": {}}], "'network.net_struct.0.name'"),
        ("network__net_struct__0__args", [3], "'network.net_struct.0.args'"),
        ("network__model__name", 3, "'network.model.name'"),
        ("network__fill", "ones", "'network.fill'"),
        ("network__fill", 0, "'network.fill'"),
        ("network__residual", [0], "'network.residual'"),
        ("network__projector", [10], "'network.projector'"),
        ("simulation__t_end", "soon", "'simulation.t_end'"),
        ("simulation__t_end", [0, "soon", 1], "'simulation.t_end.1'"),
        ("simulation__t_end", [0, True, 2], "'simulation.t_end.1'"),
        ("simulation__t_end", [0, ".nan", 1], "'simulation.t_end.1'"),
        ("simulation__t_end", [0, 0.5, float("inf")], "'simulation.t_end.2'"),
    ],
)
def test_configuration_with_an_unusable_value(written, key, value, shown):
    refused(written(**{key: value}), "config.yaml", f"bad value for {shown}")


@pytest.mark.parametrize(
    ("t_end", "parts"),
    [
        ([0.0, 0.5], ("does not fit the layers", "3 times", "2: [0.0, 0.5]")),
        ([0.0, 0.5, 1.0, 1.5], ("does not fit the layers", "2 layer(s)", "4: [")),
        ([0.0, 0.5, 0.5], ("does not increase", "[0.0, 0.5, 0.5]")),
        ([0.0, 1.0, 0.5], ("does not increase", "each time later")),
    ],
)
def test_bad_t_end(written, t_end, parts):
    refused(written(simulation__t_end=t_end), "config.yaml", "'simulation.t_end'", *parts)


def test_unknown_topology(written):
    refused(
        written(network__net_struct__1__name="_fully_conect"),
        "config.yaml, network.net_struct, layer 2: unknown topology",
        "'_fully_conect'",
        "did you mean '_fully_connect'?",
    )


def test_topology_with_an_unusable_argument(written):
    refused(written(network__net_struct__0__args__repeat=[1]), "layer 1: bad value for 'repeat.1'")


def test_topology_without_edges(written):
    refused(written(network__net_struct__0__args__repeat=[0, 0]), "config.yaml", "layer 1: the topology has no edges")


def test_unknown_branch_function(written):
    refused(written(network__model__name="ShiftTan2"), "config.yaml", "unknown branch function", "did you mean 'Shift")


def test_readout_that_does_not_fit(written):
    refused(written(network__projector="last4"), "config.yaml: the read-out does not fit", "1 to 3 nodes", "'last4'")


def test_an_encoder_that_no_script_of_theirs_builds_is_left_aside(written):
    loaded = load(*written(network__encoder=[2, 3]))
    assert "encoder [2, 3] left aside" in loaded.notes[0]
    assert torch.equal(loaded.model(X), load(*written()).model(X))


WEIGHT, BIAS = torch.tensor([[0.5, -2.0, 0.0], [1.0, 0.25, 3.0]]), torch.tensor([0.125, -1.0])
PROJECTOR = {"projector.net.0.weight": WEIGHT, "projector.net.0.bias": BIAS}


def test_a_projector_is_a_linear_layer_after_the_nodes_that_are_read_out(written):
    loaded = load(*written(authors_state() | PROJECTOR, network__projector="mlp_3_2"))
    assert (loaded.output_width, loaded.parameters) == (2, 3 * sum(EDGES) + 8)
    nodes = load(*written()).model(X).detach()
    stages = loaded.model.stages(X)
    assert list(stages) == ["l1.period", "l2.period", "readout", "projector"]
    assert torch.equal(stages["readout"], nodes)
    by_hand = [[0.5 * a - 2 * b + 0.125, a + 0.25 * b + 3 * c - 1] for a, b, c in nodes.tolist()]
    np.testing.assert_allclose(loaded.model(X).detach(), by_hand, rtol=0, atol=1e-14)


@pytest.mark.parametrize(
    ("projector", "changes", "parts"),
    [
        ("mlp_4_2", {}, ("config.yaml, network.projector: the projector does not fit", "3 voltages", "takes 4")),
        ("mlp_3_0", {}, ("config.yaml, network.projector: the projector does not fit", "gives 0")),
        ("mlp_3_999999999", {}, ("model.pth: projector.net.0.weight has the wrong shape", "(999999999, 3)", "(2, 3)")),
        ("mlp_3_2", {"bias": BIAS[:1]}, ("projector.net.0.bias has the wrong shape", "(2,)")),
        ("mlp_3_2", {"bias": BIAS / 0}, ("projector.net.0.bias holds values that are not finite",)),
        ("mlp_3_2", {"bias": None}, ("model.pth", "without projector.net.0.bias")),
        ("last2", {}, ("model.pth", "with projector.net.0.bias")),
    ],
)
def test_a_projector_that_does_not_fit(written, projector, changes, parts):
    state = authors_state() | PROJECTOR | {f"projector.net.0.{name}": value for name, value in changes.items()}
    state = {name: value for name, value in state.items() if value is not None}
    refused(written(state, network__projector=projector), *parts)


def test_projectors_of_a_list_are_applied_one_after_the_other(written):
    tensors = {"projector.1.net.0.weight": WEIGHT[:, 1:], "projector.1.net.0.bias": BIAS}
    stages = load(*written(authors_state() | tensors, network__projector=["last2", "mlp_2_2"])).model.stages(X)
    nodes = load(*written()).model(X)
    assert torch.equal(stages["readout"], nodes[:, 1:])
    by_hand = nodes[:, 1:] @ WEIGHT[:, 1:].double().T + BIAS.double()
    np.testing.assert_allclose(stages["projector"].detach(), by_hand.detach(), rtol=0, atol=1e-14)
    alone = load(*written(network__projector=["last2"])).model(X)
    assert torch.equal(alone, nodes[:, 1:])


@pytest.mark.parametrize("projector", [["mlp_3_2", "last1"], ["last2", "last1"], ["last2", "last1", "mlp_1_1"], []])
def test_other_lists_of_projectors_are_refused_by_name(written, projector):
    refused(written(network__projector=projector), "config.yaml", "projector", "no other is read")


@pytest.mark.parametrize("projector", ["reshape2", "last", "mlp_3", "mlp_3_2_1"])
def test_unknown_readout(written, projector):
    refused(written(network__projector=projector), "config.yaml: unknown read-out", repr(projector))


@pytest.mark.parametrize(("residual", "part"), [([1, 0], "2 and 1"), ([0, 2], "1 and 3"), ([0, 1], "2 in layer 1")])
def test_residual_that_does_not_fit(written, residual, part):
    refused(written(network__residual=residual), "config.yaml: the residual's layers", part)


# --- networks that generate ---

SAME = {"network__net_struct__1__args__num_node": 3, "network__net_struct__1__args__repeat": [1, 2]}


def generated(written, **changes):
    """A network of a test bench that generates, two layers of two nodes, with entries that its scripts ignore."""
    changes = {"test_bench": "twomoon", **SAME} | changes
    return load(*written(authors_state(edges=(18, 18)), **changes))


def test_projector_residual_fill_and_encoder_of_a_network_that_generates_are_left_aside(written):
    loaded = generated(
        written,
        network__projector="mlp_2_1",
        network__residual=[0, 1],
        network__fill="repeat",
        network__encoder=[2, 2],
    )
    model = loaded.model
    assert model.generation is not None
    assert (model.residual, model.fill, model.readout.name, model.output_width) == (None, "zeros", "all", 2)
    (note,) = loaded.notes
    assert "generates (test_bench twomoon)" in note
    assert "projector mlp_2_1, encoder [2, 2], residual [0, 1], fill repeat" in note
    assert torch.equal(model(X), generated(written).model(X))


@pytest.mark.parametrize(
    ("changes", "generates"),
    [
        ({"test_bench": "genmnist"}, True),
        ({"test_bench": "potential1"}, True),
        ({"test_bench": "mnist", "visualization": {"num_sample": 8}}, False),
        ({"test_bench": "housing"}, False),
        ({"test_bench": "my_own"}, False),
        ({"test_bench": "my_own", "visualization": {"num_sample": 8}}, True),
        ({"test_bench": None}, False),
    ],
)
def test_what_says_that_a_network_generates(written, changes, generates):
    assert (generated(written, **changes).model.generation is not None) == generates


def test_every_node_of_a_network_that_generates_is_an_input_and_an_output(written):
    grid = {"num_channel": 1, "width": 2, "height": 2, "neighbor_size": 2, "fully_connect_node": 3, "repeat": [1, 0]}
    entry = {"name": "_mix_connect", "args": grid}
    changes = {"network__net_struct": [entry, entry], "network__projector": "last2", "test_bench": "genmnist"}
    loaded = load(*written(authors_state(edges=(31, 31)), **changes))
    assert (loaded.input_width, loaded.output_width, loaded.model.generation.image) == (7, 7, None)


def test_pixels_of_a_network_that_generates_images(written, tmp_path):
    grid = {"num_channel": 1, "width": 3, "height": 2, "neighbor_size": 2, "fully_connect_node": 0, "repeat": [1, 1]}
    changes = {"network__net_struct": [{"name": "_mix_connect", "args": grid}], "simulation__t_end": [0, 1]}
    model = load(*written(authors_state(edges=(36,)), test_bench="genmnist", **changes)).model
    assert model.generation.image == (1, 3, 2)
    save(model, tmp_path / "own.pt")
    assert load(tmp_path / "own.pt").model.generation == model.generation


def test_nodes_that_a_later_layer_does_not_connect_keep_their_voltages(written):
    first = {"name": "_fully_connect", "args": {"num_node": 4, "repeat": [1, 1]}}
    later = {"name": "_fully_connect", "args": {"num_node": 3, "repeat": [1, 2]}}
    changes = {"network__net_struct": [first, later], "test_bench": "circle"}
    model = load(*written(authors_state(edges=(24, 18)), **changes)).model
    assert model.nodes == (3, 3)
    stages = model.stages(torch.ones(1, 3, dtype=torch.float64))
    assert torch.equal(stages["l1.period"][:, 2], stages["readout"][:, 2])


def test_a_network_that_generates_gains_no_nodes(written):
    refused(written(test_bench="circle"), "config.yaml: a layer of a network that generates", "2 nodes", "3 in layer 2")


# --- configuration against weights ---


def test_another_number_of_edges(written):
    refused(
        written(network__net_struct__1__args__repeat=[1, 2]),
        "config.yaml, network.net_struct, layer 2",
        "another number of edges",
        "expected: 24 edges, as in circuit.layer_list.1.model.param",
        "found:    36 edges",
    )


@pytest.mark.parametrize("layers", [1, 3])
def test_another_number_of_layers(written, layers):
    refused(
        written(
            network__net_struct=CONFIG["network"]["net_struct"][:1] * layers, simulation__t_end=[*range(layers + 1)]
        ),
        "config.yaml",
        "'network.net_struct' contradicts the weights",
        "2 layer(s), as in the weights",
        f"found:    {layers} layer(s)",
    )


def test_a_branch_function_of_another_number_of_parameters(written):
    refused(
        written(network__model__name="ShiftRelu1"), "layer 1: the branch function contradicts", "2 parameters", "3 rows"
    )


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_parameters_that_are_not_finite(written, value):
    state = authors_state()
    state[NAME.format(1)][2, 5] = value
    refused(written(state), "model.pth", f"{NAME.format(1)} holds values", "1 of 72", "index (2, 5)")


def test_an_unused_parameter_must_be_finite_too(written):
    state = authors_state()
    state[NAME.format(0)][2, 0] = float("nan")
    refused(written(state, network__model__name="ShiftTanh1"), "not finite", "index (2, 0)")


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.int64, torch.complex64])
def test_wrong_type_of_number(written, dtype):
    state = {name: param.to(dtype) for name, param in authors_state().items()}
    refused(written(state), "model.pth", "wrong type of number", str(dtype))


@pytest.mark.parametrize("shape", [(18,), (3, 18, 1), (3, 0)])
def test_wrong_shape(written, shape):
    refused(written(authors_state() | {NAME.format(0): torch.zeros(shape)}), "wrong shape", "2 axes", str(shape))


def test_unexpected_tensor(written):
    state = authors_state() | {"projector.layers.0.weight": torch.zeros(2, 2)}
    refused(written(state), "model.pth", "with projector.layers.0.weight")


def test_layers_with_unexpected_numbers(written):
    state = authors_state()
    state[NAME.format(2)] = state.pop(NAME.format(1))
    refused(written(state), f"without {NAME.format(1)}, with {NAME.format(2)}")


# --- families ---


def test_the_configuration_of_a_kanalogue_network(written):
    text = json.dumps({"input_dim": 3, "HIDDEN_DIMS": [4], "td_basis_types": ["A21"], "norm_layer": "batch"})
    refused(written(text=text), "config.yaml", "different families", "config.yaml of a KirchhoffNet", "KANalogue")


def test_a_kanalogue_network_with_the_configuration_of_a_kirchhoffnet(written):
    state = {"net.0.coeffs": torch.zeros(3, 2, 1), "net.0.bias": torch.zeros(2)}
    refused(written(state), "config.yaml", "different families", "config.json of a KANalogue", "a YAML file")


def test_curves_for_a_kirchhoffnet(written, tmp_path):
    refused(written(), "model.pth", "no device curves", "leave out --curves", curves=tmp_path)


# --- published networks ---


def published(reference_data, name, samples):
    folder = reference_data / "kirchhoffnet" / name
    loaded = load(folder / "model.pth", folder / "config.yaml")
    inputs = load_array(folder / "inputs.npy", "the inputs", loaded.input_width)[:samples]
    outputs = load_array(folder / "outputs.npy", "the outputs", loaded.output_width)[:samples]
    return loaded, inputs, outputs


def relative_error(found, expected):
    return np.abs(found - expected).max() / np.abs(expected).max()


@pytest.mark.slow
@pytest.mark.reference_data
@pytest.mark.parametrize(
    ("name", "layers", "limit"),
    [("twomoon", 2, 1e-7), ("circle", 4, 1e-6), ("potential2", 8, 1e-6)],  # measured: 3e-8, 2e-7, 3e-7
)
def test_published_generators_give_the_authors_samples(reference_data, name, layers, limit):
    loaded, inputs, outputs = published(reference_data, name, 50)
    assert len(loaded.model.layers) == layers
    with torch.no_grad():
        assert relative_error(loaded.model(torch.from_numpy(inputs)).numpy(), outputs) <= limit


@pytest.mark.slow
@pytest.mark.reference_data
def test_the_published_classifier_gives_the_authors_outputs(reference_data):
    start = time.perf_counter()
    loaded, inputs, outputs = published(reference_data, "mnist", 2)
    assert time.perf_counter() - start < 10
    assert [topology.edges for topology in loaded.model.topologies] == [230_068, 230_068]
    assert (loaded.model.widths, loaded.parameters) == ((784, 834, 834), 2 * 460_136)
    with torch.no_grad():
        found = loaded.model(torch.from_numpy(inputs)).numpy()
    assert relative_error(found, outputs) <= 1e-5  # measured: 5e-6
    labels = load_labels(reference_data / "kirchhoffnet" / "mnist" / "labels.npy")[:2]
    np.testing.assert_array_equal(found.argmax(axis=1), labels)


@pytest.mark.slow
@pytest.mark.reference_data
def test_the_published_digit_generator_gives_the_authors_images(reference_data):
    loaded, inputs, outputs = published(reference_data, "genmnist", 2)
    assert (loaded.input_width, loaded.output_width) == (784, 784)
    assert loaded.model.generation.image == (1, 28, 28)
    assert "projector last10" in loaded.notes[0]
    with torch.no_grad():
        found = loaded.model(torch.from_numpy(inputs)).numpy()
    assert relative_error(found, outputs) < 1e-7  # measured: 2e-9
