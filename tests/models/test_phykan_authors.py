"""The authors' PhyKAN class as plain tensors: what it means, and what is refused."""

import json

import numpy as np
import pytest
import torch

from kanspice.errors import InputError
from kanspice.models import KANalogue, load
from kanspice.models.reference import filter_arrays, reference_stages

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
    refused({"path": written()["path"]}, "needs its configuration", "KANshape", "--config config.json")


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
        ({"edge_mask.1": torch.full((4, 2), torch.inf)}, ["edge_mask.1 holds values that are not finite"]),
        ({"filter_params.0": torch.zeros(3, 4, 2, 3).half()}, ["filter_params.0 has the wrong type of number"]),
    ],
)
def test_tensors_that_are_refused(written, state, parts):
    refused(written(state), "model.pt", *parts)


class PhyKAN(torch.nn.Module):
    """Named as the authors' class, whose tensors lie in lists, so that its state dict is empty."""

    def __init__(self):
        super().__init__()
        self.filter_params = [torch.zeros(1, 1, 1, 3)]


@pytest.mark.parametrize("zip_format", [True, False])
def test_a_pickled_module_is_refused_with_what_to_run_instead(tmp_path, zip_format):
    torch.save(PhyKAN(), tmp_path / "module.pt", _use_new_zipfile_serialization=zip_format)
    refused(
        {"path": tmp_path / "module.pt"},
        "not executed",
        "where the authors' code is at hand",
        'names = ("filter_params", "edge_mask", "thresholds")',
        "--config config.json",
    )


def test_what_to_run_instead_gives_what_is_read(tmp_path, monkeypatch):
    """The lines of the message, run with a module of the authors' layout."""
    module = PhyKAN()
    state = tensors()
    for name in ("filter_params", "edge_mask", "thresholds"):
        setattr(module, name, [state[f"{name}.{m}"] for m in range(2)])
    module.KANshape, module.thresholding, module.sigmoid_s = [3, 4, 2], False, 0.5
    torch.save(module, tmp_path / "module.pt")
    with pytest.raises(InputError) as caught:
        load(tmp_path / "module.pt")
    lines = str(caught.value.hint).splitlines()[1:-1]
    code = "\n".join(line[6:] for line in lines if "PhyKAN_Util" not in line)
    monkeypatch.chdir(tmp_path)
    exec(compile(code, "hint", "exec"), {})
    loaded = load(tmp_path / "model.pt", config=tmp_path / "config.json")
    assert loaded.family == "phykan"


def test_a_pickled_module_of_another_class(tmp_path, devices):
    torch.save(KANalogue((2, 1), devices), tmp_path / "module.pt")
    refused({"path": tmp_path / "module.pt"}, "not executed", "save only the weights: torch.save(model.state_dict()")
