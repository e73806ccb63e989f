"""KANs of other libraries: the reference against their own outputs and closed forms, and files that cannot be used."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.interpolate import BSpline

from kanspice import load, save
from kanspice.base.errors import InputError
from kanspice.families import family_of
from kanspice.families.common.following import reference_stages
from kanspice.families.edgekan.layers import GottliebSpec, SplineSpec, SymbolicEdge, b_splines
from kanspice.families.edgekan.network import EdgeKAN
from kanspice.families.edgekan.symbolic import FUNCTIONS
from kanspice.technology import Technology

FILES = Path(__file__).parent / "kan_files"
WRITTEN = {
    "pykan": "pykan_state",
    "pykan_symbolic": "pykan_symbolic_state",
    "efficient_kan": "efficient_kan_state.pth",
    "inkan": "inkan_state.pth",
}
ROUNDED = {"inkan": 1e-6}
"""Of the outputs, where a file has knots in float32 that the program has as they are."""


def outputs(loaded, inputs):
    return list(reference_stages(loaded.model, inputs.astype(np.float64)).values())[-1]


def random_kan(norm="layer"):
    """Splines with a symbolic edge, then Gottlieb polynomials, of random numbers."""
    torch.manual_seed(5)
    fixed = (SymbolicEdge(source=1, target=2, function="sin"),)
    splines = SplineSpec(inputs=2, outputs=3, functions=5, order=2, base="silu", symbolic=fixed)
    model = EdgeKAN([splines, GottliebSpec(inputs=3, outputs=2, degree=3)], norm=norm)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.randn(parameter.shape))
    return model.eval()


@pytest.mark.parametrize("name", WRITTEN)
def test_a_checkpoint_gives_what_its_own_program_gave(name):
    loaded = load(FILES / WRITTEN[name])
    expected = np.load(FILES / f"{name}_outputs.npy")
    found = outputs(loaded, np.load(FILES / "inputs.npy"))
    assert loaded.family == "edgekan"
    assert np.abs(found - expected).max() <= ROUNDED.get(name, 1e-12) * np.abs(expected).max()


def test_an_inkan_has_cubic_b_splines_from_where_its_grid_starts(tmp_path):
    """By SciPy's, beyond the grid, too."""
    torch.manual_seed(1)
    starts = -1 + 0.4 * (torch.arange(8, dtype=torch.float64) - 3)
    weight = torch.randn(3, 2 * 9, dtype=torch.float64)
    torch.save({"layers.0.grid_starts": starts, "layers.0.weight": weight}, tmp_path / "inkan.pth")
    loaded = load(tmp_path / "inkan.pth")
    assert (loaded.format, loaded.input_width, loaded.output_width) == ("inkan", 2, 3)
    inputs = np.random.default_rng(0).uniform(-2.5, 2.5, (50, 2))
    expected = inputs / (1 + np.exp(-inputs)) @ weight[:, 16:].numpy().T
    for number, first in enumerate(starts.tolist()):
        spline = BSpline.basis_element(first + 0.4 * np.arange(5), extrapolate=False)
        values = np.nan_to_num(spline(inputs))
        expected += values @ weight[:, [number, 8 + number]].numpy().T
    np.testing.assert_allclose(outputs(loaded, inputs), expected, atol=1e-12)


@pytest.mark.reference_data
@pytest.mark.parametrize("name", ["bspline_kan", "gottlieb_kan"])
def test_the_kanalogue_authors_networks_have_their_logits(reference_data, name):
    folder = reference_data / "kanalogue" / "mlp_and_kan" / name
    expected = np.load(folder / "logits.npy")
    found = outputs(load(folder / "best.pth"), np.load(folder / "inputs.npy"))
    assert np.abs(found - expected).max() <= 1e-12 * np.abs(expected).max()


def test_splines_are_those_of_scipy():
    knots = np.array([-1.0, -0.5, -0.5, 0.0, 0.7, 1.0, 2.0, 2.5])
    x = np.linspace(-1.2, 2.6, 39)
    found = b_splines(torch.from_numpy(x)[:, None], torch.from_numpy(knots)[None], 2)[:, 0].numpy()
    for b in range(5):
        element = BSpline.basis_element(knots[b : b + 4], extrapolate=False)
        np.testing.assert_allclose(found[:, b], np.nan_to_num(element(x)), atol=1e-12)


def test_edges_add_up_to_the_layer():
    x = torch.rand(4, 2, dtype=torch.float64)
    model = random_kan(norm="none")
    for layer in model.edge_layers:
        total = layer.edges(x).sum(dim=1) + layer.bias
        torch.testing.assert_close(layer(x), total, atol=1e-12, rtol=1e-12)
        x = total


@pytest.mark.parametrize("function", FUNCTIONS)
def test_an_edge_with_a_function_is_that_function_of_its_value(function):
    edge = SymbolicEdge(source=0, target=0, function=function)
    spec = SplineSpec(inputs=1, outputs=1, functions=1, order=0, base="zero", symbolic=(edge,))
    model = EdgeKAN([spec])
    with torch.no_grad():
        model.edge_layers[0].symbolic.copy_(torch.tensor([[0.5, 0.1, 2.0, -1.0]]))
        x = torch.tensor([[0.3], [1.1]], dtype=torch.float64)
        torch.testing.assert_close(model(x), 2 * FUNCTIONS[function](0.5 * x + 0.1) - 1)


def test_kanspices_own_checkpoint_gives_the_same_network(tmp_path):
    model, x = random_kan(), torch.rand(5, 2, dtype=torch.float64)
    save(model, tmp_path / "kan.pt")
    loaded = load(tmp_path / "kan.pt")
    assert torch.equal(loaded.model(x), model(x))
    assert loaded.model.specs == model.specs


def test_it_has_no_circuit_and_says_how_to_get_one():
    model = random_kan()
    with pytest.raises(InputError, match="kanspice project"):
        family_of(model).circuit(model, Technology(), None)


def refused(path, *parts, config=None):
    with pytest.raises(InputError) as caught:
        load(path, config=config)
    for part in parts:
        assert part in str(caught.value)


@pytest.fixture
def changed(tmp_path):
    """A function that writes a checkpoint of `kan_files` with other tensors, beside its configuration."""

    def change(name, **tensors):
        state = torch.load(FILES / WRITTEN[name], weights_only=True)
        state |= {key.replace("__", "."): value for key, value in tensors.items()}
        target = tmp_path / WRITTEN[name]
        torch.save({key: value for key, value in state.items() if value is not None}, target)
        configuration = FILES / f"{name}_config.yml"
        if configuration.exists():
            shutil.copy(configuration, tmp_path)
        return target

    return change


def test_a_function_that_no_configuration_names_is_refused(tmp_path):
    shutil.copy(FILES / "pykan_symbolic_state", tmp_path / "model.pt")
    refused(tmp_path / "model.pt", "the edge from 1 to 0 of layer 0", "--config")
    loaded = load(tmp_path / "model.pt", config=FILES / "pykan_symbolic_config.yml")
    assert [edge.function for edge in loaded.model.specs[0].symbolic] == ["x^2", "sin"]


def test_a_function_of_an_unknown_name_is_refused(tmp_path):
    text = (FILES / "pykan_symbolic_config.yml").read_text()
    (tmp_path / "c.yml").write_text(text.replace("sin", "__import__('os')"))
    refused(FILES / "pykan_symbolic_state", "a function that kanspice does not know", config=tmp_path / "c.yml")


def test_a_configuration_that_would_run_code_is_not_run(tmp_path):
    (tmp_path / "c.yml").write_text("width: !!python/object/apply:os.system ['touch hacked']\n")
    refused(FILES / "pykan_state", "nothing was executed", config=tmp_path / "c.yml")


def test_a_configuration_that_contradicts_the_weights_is_refused(tmp_path):
    text = (FILES / "pykan_config.yml").read_text()
    (tmp_path / "c.yml").write_text(text.replace("- - 3\n", "- - 4\n"))
    refused(FILES / "pykan_state", "'width' contradicts the weights", "[2, 3, 1]", config=tmp_path / "c.yml")


def test_nodes_that_multiply_are_refused(tmp_path):
    text = (FILES / "pykan_config.yml").read_text()
    (tmp_path / "c.yml").write_text(text.replace("- - 3\n  - 0", "- - 3\n  - 1"))
    refused(FILES / "pykan_state", "multiply", config=tmp_path / "c.yml")


@pytest.mark.parametrize(
    ("tensors", "parts"),
    [
        ({"act_fun__0__mask": None}, ["act_fun.0.mask"]),
        ({"act_fun__0__grid": torch.zeros(2, 5)}, ["act_fun.0.grid"]),
        ({"act_fun__0__grid": torch.arange(10.0).flip(0).expand(2, 10).clone()}, ["falling knots of input 0"]),
        ({"act_fun__1__coef": torch.full((3, 1, 6), torch.nan)}, ["act_fun.1.coef", "not finite"]),
        ({"recurrent__weight": torch.zeros(2)}, ["recurrent.weight"]),
    ],
)
def test_unusable_tensors_of_a_pykan_are_named(changed, tensors, parts):
    refused(changed("pykan", **tensors), *parts)


@pytest.mark.parametrize(
    ("tensors", "parts"),
    [
        ({"layers__0__grid": torch.zeros(2, 5)}, ["layers.0.grid", "6 splines"]),
        ({"layers__1__grid": None}, ["layers.1.grid"]),
        ({"layers__1__spline_scaler": torch.zeros(3, 3)}, ["layers.1.spline_scaler", "wrong shape"]),
        ({"layers__2__conv": torch.zeros(3)}, ["layers.2.conv"]),
    ],
)
def test_unusable_tensors_of_an_efficient_kan_are_named(changed, tensors, parts):
    refused(changed("efficient_kan", **tensors), *parts)


@pytest.mark.parametrize(
    ("tensors", "parts"),
    [
        ({"layers__0__grid_starts": torch.tensor([0.0, 1, 2, 4, 5, 6])}, ["layers.0.grid_starts is no grid"]),
        ({"layers__0__grid_starts": torch.arange(6.0).flip(0)}, ["layers.0.grid_starts is no grid"]),
        ({"layers__0__grid_starts": torch.arange(7.0)}, ["layers.0.weight does not fit layers.0.grid_starts"]),
        ({"layers__0__weight": torch.zeros(3, 38)}, ["surfaces over two inputs (dim=2)"]),
        ({"layers__1__weight": None}, ["layers.1.weight"]),
        ({"layers__0__grid_starts": None}, ["layers in order from 0"]),
        ({"layers__1__base_activation__weight": torch.zeros(1)}, ["layers.1.base_activation.weight"]),
        ({"layers__1__weight": torch.zeros(1, 14)}, ["layer 2 does not take what layer 1 gives"]),
    ],
)
def test_unusable_tensors_of_an_inkan_are_named(changed, tensors, parts):
    refused(changed("inkan", **tensors), *parts)


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"HIDDEN_DIMS": [4]}, "'HIDDEN_DIMS' contradicts the weights"),
        ({"input_dim": 5}, "'input_dim' contradicts the weights"),
        ({"model_name": "BSplineKAN"}, "'model_name' contradicts the weights"),
    ],
)
def test_a_configuration_of_the_authors_that_contradicts_the_weights_is_refused(tmp_path, changes, problem):
    state = {"network.0.gottlieb_coeffs": torch.ones(2, 3, 4), "network.0.alpha": torch.ones(1)}
    state |= {"network.2.gottlieb_coeffs": torch.ones(3, 2, 4), "network.2.alpha": torch.ones(1)}
    state |= {"network.1.weight": torch.ones(3), "network.1.bias": torch.zeros(3)}
    torch.save(state, tmp_path / "best.pth")
    config = {"model_name": "GottliebKAN", "HIDDEN_DIMS": [3], "input_dim": 2}
    (tmp_path / "config.json").write_text(json.dumps(config))
    assert load(tmp_path / "best.pth").model.norm == "layer"
    (tmp_path / "config.json").write_text(json.dumps(config | changes))
    refused(tmp_path / "best.pth", problem)
