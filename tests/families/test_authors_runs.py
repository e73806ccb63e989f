"""Runs of the KANalogue authors' program: what `kanalogue train` writes, and where."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from kanspice.base.errors import InputError
from kanspice.families import LoadedModel, load
from kanspice.families.common import load_array

TITLE = "PosNormBasis_PosHC_batchNorm"
CONFIG = {
    "learning_rate": 0.001,
    "HIDDEN_DIMS": [],
    "batch_size": 64,
    "td_basis_types": ["Z21", "Z15"],
    "dataset": "MNIST",
    "patience": 15,
    "norm_function": "PosHC",
    "norm_layer": "batch",
    "noise_std": 0.0,
    "test_acc": 0.906,
}


def state(value: float = 1.0) -> dict[str, torch.Tensor]:
    """Of the smallest network: two inputs, one output, two devices, all weights the same."""
    coeffs = torch.full((2, 1, 2), value, dtype=torch.float64)
    return {"net.0.coeffs": coeffs, "net.0.bias": torch.zeros(1, dtype=torch.float64)}


def write_run(folder: Path, title: str = TITLE, **changes: object) -> Path:
    """A run as the program leaves it, 1 in the best weights, 2 in best.pth, 3 in the wrapped checkpoint."""
    weights, configs = folder / "weights", folder / "configs"
    weights.mkdir(parents=True, exist_ok=True)
    configs.mkdir(exist_ok=True)
    torch.save(state(1.0), weights / f"{title}_best_model.pt")
    torch.save(state(2.0), weights / "best.pth")
    wrapped = {"epoch": 3, "model_state": state(3.0), "optimizer_state": {"state": {}}, "loss": torch.tensor(0.5)}
    torch.save(wrapped, weights / "checkpoint.pth")
    config = {name: value for name, value in (CONFIG | changes).items() if value is not None}
    (configs / f"{title}_best_config.json").write_text(json.dumps(config))
    return folder


def weight_of(loaded: LoadedModel) -> float:
    return float(loaded.model.crossbars[0].coeffs.detach()[0, 0, 0])


def said(loaded: LoadedModel) -> str:
    return "\n".join(loaded.notes)


def refused(*parts: str, **arguments: object) -> None:
    with pytest.raises(InputError) as caught:
        load(**arguments)
    for part in parts:
        assert part in str(caught.value), str(caught.value)


@pytest.mark.parametrize(("name", "weight"), [(f"{TITLE}_best_model.pt", 1), ("best.pth", 2), ("checkpoint.pth", 3)])
def test_every_weight_file_of_a_run_loads_with_the_runs_configuration(name, weight, tmp_path):
    loaded = load(write_run(tmp_path) / "weights" / name)
    assert weight_of(loaded) == weight
    assert [device.name for device in loaded.model.devices] == ["z21", "z15"]
    assert (loaded.model.input_stage, loaded.input_width) == ("PosHC", 2)
    assert loaded.config == tmp_path / "configs" / f"{TITLE}_best_config.json"
    assert f"configuration: {loaded.config}, found by its place" in loaded.notes
    assert ("weights: 'model_state' of a training's checkpoint, of epoch 3" in loaded.notes) == (weight == 3)


def test_weights_are_found_from_their_own_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(write_run(tmp_path) / "weights")
    assert load("best.pth").config.name == f"{TITLE}_best_config.json"


@pytest.mark.parametrize("key", ["model_state", "state_dict", "model_state_dict"])
def test_wrapped_state_dicts(key, tmp_path):
    write_run(tmp_path)
    torch.save({key: state(4.0), "best_acc": 0.9}, tmp_path / "weights" / "best.pth")
    loaded = load(tmp_path / "weights" / "best.pth")
    assert weight_of(loaded) == 4
    assert f"weights: '{key}' of a training's checkpoint" in loaded.notes


def test_two_wrapped_state_dicts_are_one_too_many(tmp_path):
    torch.save({"model_state": state(), "state_dict": state()}, tmp_path / "best.pth")
    refused("several state dicts", "model_state and state_dict", path=tmp_path / "best.pth")


@pytest.mark.parametrize("given", ["univariate/MNIST/weights", "univariate/MNIST", "univariate", ""])
def test_the_folder_of_a_run(given, tmp_path):
    write_run(tmp_path / "univariate" / "MNIST")
    loaded = load(tmp_path / given)
    assert weight_of(loaded) == 1
    assert f"the checkpoint {TITLE}_best_model.pt was read; not best.pth, checkpoint.pth beside it" in said(loaded)


def test_of_a_run_that_was_never_good_the_end_is_read_then_the_latest_epoch(tmp_path):
    (write_run(tmp_path) / "weights" / f"{TITLE}_best_model.pt").unlink()
    assert weight_of(load(tmp_path)) == 2
    (tmp_path / "weights" / "best.pth").unlink()
    assert weight_of(load(tmp_path)) == 3


def test_a_flat_folder_with_the_same_files(tmp_path):
    for path in [*write_run(tmp_path).glob("weights/*"), *tmp_path.glob("configs/*")]:
        path.rename(tmp_path / path.name)
    assert weight_of(load(tmp_path)) == 1


def test_the_title_tells_configurations_apart(tmp_path):
    write_run(tmp_path)
    write_run(tmp_path, "OddSymBasis_tanh_batchNorm", norm_function="tanh")
    assert load(tmp_path / "weights" / "OddSymBasis_tanh_batchNorm_best_model.pt").model.input_stage == "tanh"
    refused("several checkpoints", "OddSymBasis_tanh_batchNorm_best_model.pt, PosNorm", path=tmp_path)
    refused("several configurations", "--config", path=tmp_path / "weights" / "best.pth")


def test_folders_that_hold_no_single_run(tmp_path):
    refused("holds no checkpoint", "weights (.pt or .pth)", path=tmp_path)
    write_run(tmp_path / "MNIST")
    write_run(tmp_path / "FMNIST")
    refused("several runs", "FMNIST/weights, MNIST/weights", path=tmp_path)


@pytest.mark.parametrize(
    ("changes", "part"),
    [
        ({"norm_function": None}, "neither"),
        ({"acti": "tanh"}, "acti 'tanh' and norm_function 'PosHC'"),
        ({"norm_function": "relu"}, "'norm_function'"),
    ],
)
def test_configurations_that_do_not_say_the_input_stage(changes, part, tmp_path):
    refused("_best_config.json", part, path=write_run(tmp_path, **changes))


def test_a_device_may_be_used_twice(tmp_path):
    """`kanalogue train --dataset FMNIST --add_noise` tries Z15 beside Z15."""
    loaded = load(write_run(tmp_path, td_basis_types=["Z15", "Z15"]))
    assert [device.name for device in loaded.model.devices] == ["z15", "z15"]


def test_what_was_assumed_of_the_curves_is_said(tmp_path):
    note = "curves: assumed to be those of the shipped cards z21, z15 (fit mode univariate"
    loaded = load(write_run(tmp_path))
    assert f"{note}, assumed: nothing says which; the run's title says basis type pos-norm)" in said(loaded)
    stated = load(write_run(tmp_path, fit_mode="univariate"))
    assert f"{note}; the run's title says basis type pos-norm)" in said(stated)


def test_a_folder_that_is_named_after_a_fit_mode_says_it(tmp_path):
    loaded = load(write_run(tmp_path / "univariate" / "MNIST"))
    assert "nothing says which" not in said(loaded)
    refused("no curves for fit_mode 'poly'", "name of the run's folder", path=write_run(tmp_path / "poly" / "MNIST"))


def write_curves(folder: Path, scale: float = 1.0) -> Path:
    """Polynomials of degree 1."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("z21", "z15"):
        (folder / f"{name}_coefficients.csv").write_text(f"coefficient,degree\n{scale},1\n0,0\n")
        (folder / f"{name}_clamp_params.csv").write_text("V_min,V_max\n0.0,1.5\n")
    return folder


def test_the_fit_mode_is_told_from_the_files(tmp_path):
    curves = write_curves(tmp_path / "curves")
    loaded = load(write_run(tmp_path / "run"), curves=curves)
    assert f"fit mode poly, assumed from the files in {curves}: nothing else says it" in loaded.notes
    assert not any("shipped cards" in note for note in loaded.notes)
    assert loaded.model(torch.tensor([[0.5, 2.0]], dtype=torch.float64)).item() == pytest.approx(2 * (0.5 + 1.4))


@pytest.mark.parametrize("place", ["pos-norm", "deg10/pos-norm"])
def test_curves_are_taken_from_the_folder_of_the_titles_basis_type(place, tmp_path):
    write_curves(tmp_path / "curves")
    write_curves(tmp_path / "curves" / "neg-ori", scale=3.0)
    write_curves(tmp_path / "curves" / place, scale=2.0)
    loaded = load(write_run(tmp_path / "run"), curves=tmp_path / "curves")
    assert f"curves: of {tmp_path / 'curves'} the folder {place}" in loaded.notes
    assert loaded.model(torch.tensor([[0.5, 0.0]], dtype=torch.float64)).item() == pytest.approx(2.0)


@pytest.fixture
def run(reference_data: Path) -> Path:
    return reference_data / "kanalogue" / "authors_cli_run"


def outputs_differ(loaded: LoadedModel, run: Path, name: str) -> float:
    """From what the authors' own program gives, at most, of its largest output."""
    inputs, logits = (load_array(run / f, f, None) for f in ("inputs.npy", name))
    with torch.no_grad():
        outputs = loaded.model(torch.from_numpy(inputs)).numpy()
    return float(np.abs(outputs - logits).max() / np.abs(logits).max())


@pytest.mark.slow
@pytest.mark.reference_data
@pytest.mark.parametrize("name", [f"{TITLE}_best_model.pt", "checkpoint.pth", ""])
def test_a_run_of_the_authors_program_gives_its_logits(name, run):
    assert outputs_differ(load(run / name, curves=run.parent / "iv"), run, "logits.npy") <= 1e-12
    assert outputs_differ(load(run / name), run, "logits.npy") <= 1e-9


@pytest.mark.reference_data
@pytest.mark.parametrize("place", ["weights", "", ".."])
def test_the_same_run_in_its_own_layout(place, run, tmp_path):
    for kind, ending in (("weights", ".pt"), ("weights", ".pth"), ("configs", ".json")):
        (tmp_path / "MNIST" / kind).mkdir(parents=True, exist_ok=True)
        for path in run.glob(f"*{ending}"):
            (tmp_path / "MNIST" / kind / path.name).symlink_to(path)
    loaded = load(tmp_path / "MNIST" / place, curves=run.parent / "iv")
    assert outputs_differ(loaded, run, "logits.npy") <= 1e-12


@pytest.mark.reference_data
def test_the_same_run_with_polynomials(run):
    loaded = load(run, curves=run.parent / "iv_poly12")
    assert outputs_differ(loaded, run, "logits_poly12.npy") <= 1e-9
    assert "polynomial of degree 12" in loaded.model.devices[0].card.description
