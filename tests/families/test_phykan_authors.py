"""The authors' PhyKAN class as plain tensors: what it means, and what is refused."""

import json

import numpy as np
import pytest
import torch

from kanspice.base.errors import InputError
from kanspice.families import load
from kanspice.families.common.following import reference_stages
from kanspice.families.kanalogue.network import KANalogue
from kanspice.families.phykan.arrays import filter_arrays

CONFIG = {"KANshape": [3, 4, 2], "filters_per_unit": 2, "thresholding": False, "sigmoid_s": 0.5, "task": "none"}
X = np.linspace(-1, 1, 15).reshape(5, 3)


def tensors(seed=0):
    """The plain tensors of a small network, in float32, with thresholds that matter only when `thresholding` is set."""
    torch.manual_seed(seed)
    state = {}
    for m, (n_in, n_out) in enumerate([(3, 4), (4, 2)]):
        state[f"filter_params.{m}"] = torch.randn(n_in, n_out, 2, 3)
        state[f"edge_mask.{m}"] = (torch.rand(n_in, n_out) > 0.2).float()
        state[f"thresholds.{m}"] = torch.randn(n_in)
    return state


@pytest.fixture
def written(tmp_path):
    """A function that writes tensors and config, some changed (None: left out), and gives the arguments of `load`."""

    def write(state=None, **config):
        merged = tensors() | (state or {})
        torch.save({name: tensor for name, tensor in merged.items() if tensor is not None}, tmp_path / "model.pt")
        wanted = {key: value for key, value in (CONFIG | config).items() if value is not None}
        (tmp_path / "config.json").write_text(json.dumps(wanted))
        return {"path": tmp_path / "model.pt", "config": tmp_path / "config.json"}

    return write


def refused(arguments, *parts):
    with pytest.raises(InputError) as caught:
        load(**arguments)
    for part in parts:
        assert part in str(caught.value), str(caught.value)


def test_the_family_is_recognised(written):
    loaded = load(**written())
    assert (loaded.family, loaded.format, loaded.input_width, loaded.output_width) == ("phykan", "phykan-authors", 3, 2)
    assert loaded.parameters == 3 * 4 * 2 * 3 + 4 * 2 * 2 * 3


def test_without_thresholding_their_thresholds_are_not_used(written):
    model = load(**written()).model
    assert not any(arrays.threshold.any() for arrays in filter_arrays(model))


def test_their_first_thresholds_are_subtracted_and_the_others_added(written):
    model = load(**written(thresholding=True)).model
    first, second = filter_arrays(model)
    assert np.array_equal(first.threshold, tensors()["thresholds.0"].numpy())
    assert np.array_equal(second.threshold, -tensors()["thresholds.1"].numpy())


def test_other_constants_and_the_order_of_their_earlier_classes(written):
    other = {"frequency_offset": 3.69, "frequency_span": 2.0, "clock_hz": None, "gain_span": 10.0}
    loaded = load(**written(constants=other, first_cutoff="high_pass", sigmoid_s=0.4)).model
    swapped = {name: t[..., [0, 2, 1]] for name, t in tensors().items() if name.startswith("filter_params")}
    expected = load(**written(swapped, constants=other, sigmoid_s=0.4)).model
    assert loaded.constants.model_dump(include=set(other)) == other
    assert loaded.constants.sigma == 0.4
    for name, values in reference_stages(expected, X).items():
        assert np.array_equal(reference_stages(loaded, X)[name], values)


def by_their_equations(state, x, *, squash, limit=np.inf, norm=False):
    """Their forward pass in NumPy: of the class for the array, whose first layer squashes or does not."""

    def squashed(values):
        return 1 / (1 + np.exp(-np.clip(values, -limit, limit) / 0.5))

    for m in range(2):
        s = squashed(x) if m or squash else x
        p, mask = squashed(state[f"filter_params.{m}"].double().numpy()), state[f"edge_mask.{m}"].numpy()
        f = 4e6 / np.pi * np.arctan(np.pi * 10 ** (3.65 + 1.5 * s) / 4e6)[:, :, None, None]
        low, high = (10 ** (3.65 + 1.9 * p[..., place]) for place in (1, 2))
        gain = 3 * (p[..., 0] - 0.5)
        gain[gain == 0] = 0.01
        response = gain * np.abs(1j * f / high / (1 + 1j * f / high) / (1 + 1j * f / low))
        x = (response * mask[:, :, None]).sum(axis=(1, 3))
        if norm:
            scaling, bias, average = (
                state[f"norm_{name}.{m}"].double().numpy() for name in ("scalings", "biases", "moving_avgs")
            )
            x = (x - average[:, 0]) / (average[:, 1] + 1e-3) * scaling + bias
    return x


@pytest.mark.parametrize("squash", [True, False])
def test_inputs_are_squashed_as_the_configuration_says(written, squash):
    model = load(**written(input_sigmoid=squash)).model
    expected = by_their_equations(tensors(), X, squash=squash)
    np.testing.assert_allclose(reference_stages(model, X)["l2.filters"], expected, rtol=1e-12)
    other = by_their_equations(tensors(), X, squash=not squash)
    assert np.abs(expected - other).max() > 0.01 * np.abs(expected).max()


def test_inputs_that_are_not_squashed_have_their_threshold_subtracted(written):
    loaded = load(**written(input_sigmoid=False, thresholding=True)).model
    first = X - tensors()["thresholds.0"].numpy()
    assert np.array_equal(reference_stages(loaded, X)["l1.encoder"], first)


def test_a_gain_of_exactly_zero_is_what_their_class_makes_of_it(written):
    state = {"filter_params.1": tensors()["filter_params.1"]}
    state["filter_params.1"][0, 0, 0, 0] = 0.0
    loaded = load(**written(state))
    assert abs(filter_arrays(loaded.model)[1].gain[0, 0, 0] - 0.01 * float(tensors()["edge_mask.1"][0, 0])) < 1e-15
    np.testing.assert_allclose(
        reference_stages(loaded.model, X)["l2.filters"],
        by_their_equations(tensors() | state, X, squash=True),
        rtol=1e-12,
    )


def norm_tensors(seed=3):
    """Those of their class with batch norm."""
    torch.manual_seed(seed)
    state = {}
    for m, width in enumerate((4, 2)):
        state[f"norm_scalings.{m}"], state[f"norm_biases.{m}"] = torch.randn(2, 1, width)
        state[f"norm_moving_avgs.{m}"] = torch.stack([torch.randn(width), 0.1 + torch.rand(width)], dim=1)
    return state


def test_their_batch_norm_is_that_after_training(written):
    loaded = load(**written(norm_tensors())).model
    expected = by_their_equations(tensors() | norm_tensors(), X, squash=True, norm=True)
    np.testing.assert_allclose(reference_stages(loaded, X)["l2.filters"], expected, rtol=1e-12)


@pytest.mark.reference_data
@pytest.mark.parametrize("name", ["arm_forward_kinematics", "cartpole_controller"])
def test_outputs_are_those_of_the_authors_class(reference_data, name):
    folder = reference_data / "phykan"
    model = load(folder / name / "model.pt", config=folder / name / "config.json").model
    inputs = np.load(folder / name / "inputs.npy")
    low_hz, high_hz = (np.load(folder / f"{which}_pass_cutoffs_hz.npy") for which in ("low", "high"))
    discrete = model.discrete(low_hz.tolist(), high_hz.tolist())
    for network, kind in ((model, "continuous"), (discrete, "discrete")):
        expected = np.load(folder / name / f"outputs_{kind}.npy")
        found = reference_stages(network, inputs[: len(expected)])["l2.filters"]
        assert np.abs(found - expected).max() < 5e-6 * np.abs(expected).max(), kind


def test_without_configuration(written):
    files = written()
    found = load(files["path"])
    assert found.config == files["config"]
    assert found.notes == (f"configuration: {files['config']}, found by its place",)
    files["config"].rename(files["config"].with_suffix(".yaml"))
    refused({"path": files["path"]}, "needs its configuration", "KANshape", "--config config.json")


def test_with_curves(written, tmp_path):
    refused({**written(), "curves": tmp_path}, "a PhyKAN has no device curves")


@pytest.mark.parametrize("key", ["KANshape", "filters_per_unit", "thresholding", "sigmoid_s"])
def test_a_configuration_without_a_key(written, key):
    refused(written(**{key: None}), "config.json", f"'{key}'", "Field required")


@pytest.mark.parametrize(
    ("config", "parts"),
    [
        ({"KANshape": [3, 5, 2]}, ["'KANshape' contradicts the tensors", "[3, 4, 2], as in the tensors", "[3, 5, 2]"]),
        ({"KANshape": [3, 4]}, ["'KANshape' contradicts the tensors"]),
        ({"filters_per_unit": 3}, ["'filters_per_unit' contradicts the tensors", "2, as in the tensors"]),
        ({"sigmoid_s": 0.0}, ["'sigmoid_s'", "greater than 0"]),
        ({"thresholding": "yes"}, ["'thresholding'", "boolean"]),
        ({"first_cutoff": "low"}, ["'first_cutoff'", "'low_pass' or 'high_pass'"]),
        ({"constants": {"gain": 3.0}}, ["config.json, constants: unknown key 'gain'", "gain_span"]),
        ({"constants": {"sigma": 1.0}}, ["'constants' says what 'sigmoid_s' says"]),
        ({"input_sigmod": False}, ["unknown key 'input_sigmod'", "did you mean 'input_sigmoid'?"]),
        ({"input_sigmoid": 0}, ["'input_sigmoid'", "boolean"]),
    ],
)
def test_configurations_that_are_refused(written, config, parts):
    refused(written(**config), *parts)


@pytest.mark.parametrize(
    ("state", "parts"),
    [
        ({"edge_mask.1": None}, ["without edge_mask.1"]),
        ({"thresholds.0": None}, ["without thresholds.0"]),
        ({"filter_params.3": torch.zeros(2, 2, 2, 3)}, ["filter_params.2", "filter_params.3"]),
        ({"gains.0": torch.zeros(2)}, ["with gains.0"]),
        ({"filter_params.1": torch.zeros(4, 2, 2, 2)}, ["filter_params.1 has the wrong shape", "(4, 2, 2, 3)"]),
        ({"filter_params.0": torch.zeros(3, 4, 6)}, ["filter_params.0 has the wrong shape", "4 axes"]),
        ({"filter_params.0": torch.zeros(3, 4, 0, 3)}, ["filter_params.0 has the wrong shape"]),
        ({"thresholds.1": torch.zeros(3)}, ["thresholds.1 has the wrong shape"]),
        ({"edge_mask.0": torch.ones(4, 3)}, ["edge_mask.0 has the wrong shape"]),
        ({"edge_mask.0": torch.full((3, 4), 0.5)}, ["edge_mask.0 is not a mask", "12 other value(s)", "(0, 0): 0.5"]),
        (
            {"filter_params.1": torch.full((4, 2, 2, 3), torch.nan)},
            ["filter_params.1 holds values that are not finite"],
        ),
        ({"norm_scalings.0": torch.ones(1, 4)}, ["without norm_biases.0"]),
        (norm_tensors() | {"norm_biases.1": torch.ones(2)}, ["norm_biases.1 has the wrong shape"]),
        ({"edge_mask.1": torch.full((4, 2), torch.inf)}, ["edge_mask.1 holds values that are not finite"]),
        ({"filter_params.0": torch.zeros(3, 4, 2, 3).half()}, ["filter_params.0 has the wrong type of number"]),
    ],
)
def test_tensors_that_are_refused(written, state, parts):
    refused(written(state), "model.pt", *parts)


def test_a_pickled_module_of_another_class(tmp_path, devices):
    torch.save(KANalogue((2, 1), devices), tmp_path / "module.pt")
    refused({"path": tmp_path / "module.pt"}, "not executed", "save only the weights: torch.save(model.state_dict()")
