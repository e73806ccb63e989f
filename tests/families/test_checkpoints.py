import hashlib
import io
import json
import os
import pickle
import zipfile

import numpy as np
import pytest
import torch

from kanspice.base.errors import InputError
from kanspice.devices import load_device
from kanspice.families import LoadedModel, load, save
from kanspice.families.common import state
from kanspice.families.kanalogue.network import KANalogue
from kanspice.families.kanalogue.noise import CoefficientNoise

X = torch.linspace(-1, 2, 15, dtype=torch.float64).reshape(5, 3)
VARIANTS = [("batch", "PosHC"), ("layer", "sigmoid"), ("none", "NegHC"), ("none", None)]


def refused(path, *parts, **options):
    """The message of the error that loading raises; it must hold the path and every part."""
    with pytest.raises(InputError) as caught:
        load(path, **options)
    for part in (path.name, *parts):
        assert part in str(caught.value), str(caught.value)
    return str(caught.value)


@pytest.fixture
def content(network, tmp_path):
    """The content of a valid checkpoint, to be spoiled."""
    save(network(), tmp_path / "good.pt")
    return torch.load(tmp_path / "good.pt", weights_only=True)


@pytest.fixture
def spoiled(content, tmp_path):
    """A function that writes the content with some entries replaced."""

    def write(**changes):
        path = tmp_path / "bad.pt"
        torch.save(content | changes, path)
        return path

    return write


def test_plain_forward_and_loaded_forward_are_equal_bit_for_bit(network, tmp_path):
    for norm, stage in VARIANTS:
        model = network((3, 4, 5, 2), norm=norm, input_stage=stage)
        save(model, tmp_path / "model.pt")
        loaded = load(tmp_path / "model.pt").model
        assert all(torch.equal(a, b) for a, b in zip(model.stages(X).values(), loaded.stages(X).values(), strict=True))
        assert not loaded.training
        assert (loaded.widths, loaded.norm, loaded.input_stage) == (model.widths, model.norm, model.input_stage)


def test_what_a_loaded_model_says_of_itself(network, tmp_path):
    path = tmp_path / "model.pt"
    save(network((3, 4, 2)), path)
    loaded = load(str(path))
    assert isinstance(loaded, LoadedModel)
    assert (loaded.family, loaded.format, loaded.path) == ("kanalogue", "kanspice", path)
    assert loaded.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert loaded.parameters == 3 * 4 * 2 + 4 + 2 * 4 + 4 * 2 * 2 + 2
    assert (loaded.input_width, loaded.output_width) == (3, 2)


def test_shipped_devices_survive(tmp_path):
    model = KANalogue([3, 2], [load_device("a21"), load_device("rtd")]).eval()
    save(model, tmp_path / "model.pt")
    loaded = load(tmp_path / "model.pt").model
    assert [device.sha256 for device in loaded.devices] == [device.sha256 for device in model.devices]
    assert torch.equal(loaded(X), model(X))


def test_equal_models_give_equal_bytes(network, tmp_path):
    save(network(), tmp_path / "a.pt")
    save(network(), tmp_path / "b.pt")
    save(load(tmp_path / "a.pt").model, tmp_path / "c.pt")
    assert len({(tmp_path / name).read_bytes() for name in ("a.pt", "b.pt", "c.pt")}) == 1


def test_the_file_holds_only_plain_tensors_and_text(content):
    assert content["schema"] == "kanspice.checkpoint/1"
    assert content["family"] == "kanalogue"
    assert json.loads(content["config"])["widths"] == [3, 4, 2]
    assert content["state"]["crossbars.0.coeffs"].shape == (3, 4, 2)


def test_noise_is_not_saved(network, tmp_path):
    noise = CoefficientNoise("binary", 0.1, training=True, evaluation=True)
    save(network(noise=noise), tmp_path / "noisy.pt")
    assert torch.equal(load(tmp_path / "noisy.pt").model(X), network()(X))


def test_loading_leaves_the_global_seed_alone(network, tmp_path):
    save(network(), tmp_path / "model.pt")
    torch.manual_seed(7)
    expected = torch.rand(3)
    torch.manual_seed(7)
    load(tmp_path / "model.pt")
    assert torch.equal(torch.rand(3), expected)


def test_saving_replaces_the_file_and_leaves_nothing_else(network, tmp_path):
    (tmp_path / "model.pt").write_text("old")
    save(network(), tmp_path / "model.pt")
    assert [path.name for path in tmp_path.iterdir()] == ["model.pt"]
    load(tmp_path / "model.pt")


def test_saving_into_a_missing_folder_makes_it(network, tmp_path):
    save(network(), tmp_path / "none" / "model.pt")
    load(tmp_path / "none" / "model.pt")


def test_saving_where_no_file_can_be(network, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match=r"(?s)model.pt: the file cannot be written"):
        save(network(), tmp_path / "file" / "model.pt")


def test_saving_a_model_that_diverged(network, tmp_path):
    model = network()
    with torch.no_grad():
        model.crossbars[1].bias[1] = float("nan")
    with pytest.raises(InputError, match=r"(?s)crossbars.1.bias holds values that are not finite"):
        save(model, tmp_path / "model.pt")
    assert not list(tmp_path.iterdir())


class Code:
    """Pickles to a call of os.system, as a hostile file would."""

    def __init__(self, marker):
        self.marker = marker

    def __reduce__(self):
        return (os.system, (f"touch {self.marker}",))


def test_code_inside_a_torch_file_is_not_executed(tmp_path):
    torch.save({"net.0.coeffs": Code(tmp_path / "ran")}, tmp_path / "evil.pt")
    refused(tmp_path / "evil.pt", "more than plain tensors", "not executed", "posix.system", "expected", "try")
    assert not (tmp_path / "ran").exists()


def test_a_whole_pickled_module_is_not_executed(network, tmp_path):
    torch.save(network(), tmp_path / "module.pt")
    refused(tmp_path / "module.pt", "more than plain tensors", "not executed", "KANalogue", "state_dict()")


@pytest.mark.parametrize("protocol", [2, 5])
def test_a_bare_pickle_is_not_executed(tmp_path, protocol):
    (tmp_path / "evil.pt").write_bytes(pickle.dumps(Code(tmp_path / "ran"), protocol))
    refused(tmp_path / "evil.pt", "bare pickle", "not executed", "torch.save")
    assert not (tmp_path / "ran").exists()


def test_torch_s_old_format_is_refused(tmp_path):
    torch.save({"a": torch.zeros(1)}, tmp_path / "old.pt", _use_new_zipfile_serialization=False)
    refused(tmp_path / "old.pt", "bare pickle", "torch 1.6 or newer")


def test_missing_file(tmp_path):
    refused(tmp_path / "none.pt", "the checkpoint was not found", "check the path")


def test_directory(tmp_path):
    refused(tmp_path, "this folder holds no checkpoint", "name the file")


def test_not_a_regular_file(tmp_path):
    os.mkfifo(tmp_path / "pipe.pt")
    refused(tmp_path / "pipe.pt", "not a regular file")


def test_file_that_may_not_be_read(network, tmp_path, monkeypatch):
    def denied(*_):
        raise PermissionError(13, "Permission denied")

    save(network(), tmp_path / "model.pt")
    monkeypatch.setattr("pathlib.Path.open", denied)
    refused(tmp_path / "model.pt", "the checkpoint cannot be read", "Permission denied", "permissions")


def test_empty_file(tmp_path):
    (tmp_path / "empty.pt").touch()
    refused(tmp_path / "empty.pt", "the file is empty")


def test_a_file_that_is_too_large(network, tmp_path, monkeypatch):
    save(network(), tmp_path / "model.pt")
    monkeypatch.setattr("kanspice.families.common.torch_file.MAX_FILE_BYTES", 100)
    refused(tmp_path / "model.pt", "the checkpoint is too large", "at most 100 bytes")


def test_an_archive_that_would_unpack_to_too_much(tmp_path, monkeypatch):
    with zipfile.ZipFile(tmp_path / "bomb.pt", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data/0", bytes(1_000_000))
    monkeypatch.setattr("kanspice.families.common.torch_file.MAX_FILE_BYTES", 100_000)
    refused(tmp_path / "bomb.pt", "too large", "at most 100,000 bytes unpacked", "1,000,000 bytes")


@pytest.mark.parametrize("garbage", [b"hello", b"PK\x03\x04 and no more", bytes(1000)])
def test_not_a_torch_file(tmp_path, garbage):
    (tmp_path / "x.pt").write_bytes(garbage)
    refused(tmp_path / "x.pt", "not a torch file", f"{len(garbage)} bytes", "torch.save")


def test_a_zip_that_is_no_torch_file(tmp_path):
    np.savez(tmp_path / "x.npz", a=np.eye(2))
    refused(tmp_path / "x.npz", "torch cannot read this file", "torch.save")


def test_a_truncated_file(network, tmp_path):
    save(network(), tmp_path / "model.pt")
    (tmp_path / "model.pt").write_bytes((tmp_path / "model.pt").read_bytes()[:-200])
    refused(tmp_path / "model.pt", "not a torch file, or it is damaged")


@pytest.mark.slow
def test_flipped_bytes_never_escape_as_another_error(network, tmp_path):
    save(network(), tmp_path / "model.pt")
    good = (tmp_path / "model.pt").read_bytes()
    for place in range(0, len(good), max(1, len(good) // 150)):
        spoiled = bytearray(good)
        spoiled[place] ^= 0xFF
        (tmp_path / "model.pt").write_bytes(spoiled)
        try:
            assert load(tmp_path / "model.pt").model(X).shape == (5, 2)
        except InputError as error:
            assert "model.pt" in str(error)


@pytest.mark.parametrize("value", [[1, 2], "text", 3, torch.zeros(2), {}])
def test_a_torch_file_without_a_state_dict(tmp_path, value):
    torch.save(value, tmp_path / "x.pt")
    refused(tmp_path / "x.pt", "holds no state dict", "dictionary of named tensors")


def test_a_state_dict_with_something_else_in_it(tmp_path):
    torch.save({"net.0.coeffs": torch.zeros(2), "epoch": 3}, tmp_path / "x.pt")
    refused(tmp_path / "x.pt", "epoch is not a tensor", "found:    int", "state_dict()")


def test_a_state_dict_with_a_name_that_is_no_text(tmp_path):
    torch.save({3: torch.zeros(2)}, tmp_path / "x.pt")
    refused(tmp_path / "x.pt", "name that is no text", "found:    3")


@pytest.mark.parametrize("name", ["a\nerror: all is well", "a\x1b[2J", "a\rb", "a\u202eb"])
def test_names_of_tensors_that_move_the_cursor_are_quoted(tmp_path, name):
    torch.save({name: torch.zeros(2)}, tmp_path / "x.pt")
    refused(tmp_path / "x.pt", "name that is no text", f"found:    {name!r}")


def test_nothing_that_was_found_begins_a_line_of_a_message():
    error = InputError("a\nerror: b", where="c\nerror: d", found="e\nerror: f", hint="g\nerror: h")
    lines = error.message.splitlines()
    assert len(lines) == 6
    assert not any(line.startswith("error: ") for line in lines)


@pytest.mark.parametrize("tensor", [torch.empty(2, device="meta"), torch.eye(2).to_sparse()])
def test_a_tensor_that_is_not_dense(tmp_path, tensor):
    torch.save({"net.0.coeffs": tensor}, tmp_path / "x.pt")
    refused(tmp_path / "x.pt", "net.0.coeffs is not a plain dense tensor")


def test_a_tiny_file_that_claims_an_absurd_size(tmp_path):
    torch.save({"net.0.coeffs": torch.zeros(1, dtype=torch.float64).expand(10**5, 10**5, 3)}, tmp_path / "x.pt")
    refused(tmp_path / "x.pt", "net.0.coeffs repeats the same few numbers", "30,000,000,000 numbers out of 8 bytes")


def test_more_numbers_than_any_network_has(tmp_path, monkeypatch):
    monkeypatch.setattr(state, "MAX_ELEMENTS", 1000)
    torch.save({"net.0.coeffs": torch.zeros(600), "net.0.bias": torch.zeros(600)}, tmp_path / "x.pt")
    refused(tmp_path / "x.pt", "tensors are too large", "at most 1,000", "1,200")


def test_an_unknown_family_is_not_guessed(tmp_path):
    torch.save({"layers.0.kernel": torch.zeros(2, 2)}, tmp_path / "x.pt")
    refused(tmp_path / "x.pt", "family is not recognised", "net.0.coeffs", "1 tensors: layers.0.kernel")


def test_own_checkpoint_refuses_a_config(network, tmp_path):
    save(network(), tmp_path / "m.pt")
    refused(tmp_path / "m.pt", "holds its own", "leave out --config", config="c.json")


def test_own_checkpoint_takes_measured_points_beside_its_curves(network, tmp_path):
    saved = network()
    save(saved, tmp_path / "m.pt")
    (tmp_path / "square_nodes.csv").write_text("0,0\n1,1.1\n2,3.9\n")
    read = load(tmp_path / "m.pt", curves=tmp_path).model
    linear, square = read.devices
    assert (linear.card.points, square.card.points.i) == (None, (0.0, 1.1, 3.9))
    assert torch.equal(read(X), saved(X))
    (tmp_path / "square_nodes.csv").unlink()
    with pytest.raises(InputError, match=r"(?s)no measured points.*linear_nodes\.csv or square_nodes\.csv"):
        load(tmp_path / "m.pt", curves=tmp_path)


@pytest.mark.parametrize("schema", ["kanspice.checkpoint/2", "other", 1, None])
def test_unknown_schema(spoiled, schema):
    refused(spoiled(schema=schema), "schema is not one", "'kanspice.checkpoint/1'", repr(schema), "newer")


def test_unknown_own_family(spoiled):
    refused(spoiled(family="perceptron"), "family is not one", "'kanalogue'", "'perceptron'", "newer")


def test_config_that_is_no_text(spoiled):
    refused(spoiled(config={"widths": [3, 2]}), "'config' is not text", "found:    dict")


def test_config_that_is_no_json(spoiled):
    refused(spoiled(config="{"), "not JSON", "a JSON object")


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"widths": [3]}, "widths"),
        ({"widths": [3, "4", 2]}, "widths.1"),
        ({"widths": [3, 0, 2]}, "widths.1"),
        ({"input_stage": "relu"}, "input_stage"),
        ({"norm": "group"}, "norm"),
        ({"devices": []}, "devices"),
        ({"devices": [{"name": "x"}, {}]}, "curve.kind"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_config_with_an_unusable_value(spoiled, content, changes, key):
    config = json.loads(content["config"]) | changes
    if key == "curve.kind":
        config["devices"] = changes["devices"]
    refused(spoiled(config=json.dumps(config)), key)


def test_config_that_contradicts_the_weights(spoiled, content):
    config = json.loads(content["config"]) | {"widths": [3, 5, 2]}
    refused(spoiled(config=json.dumps(config)), "crossbars.0.coeffs has the wrong shape", "(3, 5, 2)", "(3, 4, 2)")


def test_state_that_is_no_dictionary(spoiled):
    refused(spoiled(state=[1]), "holds no state dict", "found:    list")


def test_missing_and_unexpected_tensors(spoiled, content):
    state = dict(content["state"])
    state["extra"] = state.pop("norms.0.running_var")
    refused(spoiled(state=state), "not those of the network", "without norms.0.running_var, with extra")


@pytest.mark.parametrize(
    ("name", "dtype"),
    [
        ("crossbars.0.coeffs", torch.complex128),
        ("crossbars.0.coeffs", torch.int64),
        ("crossbars.1.bias", torch.float16),
        ("norms.0.num_batches_tracked", torch.float64),
    ],
)
def test_wrong_type_of_number(spoiled, content, name, dtype):
    state = dict(content["state"])
    state[name] = state[name].to(dtype)
    refused(spoiled(state=state), f"{name} has the wrong type of number", str(dtype))


@pytest.mark.parametrize("value", [1e300, -1e39])
def test_weights_that_everything_computed_of_them_would_overflow_with(spoiled, content, value):
    content["state"]["crossbars.0.coeffs"] = content["state"]["crossbars.0.coeffs"].double()
    content["state"]["crossbars.0.coeffs"][2, 1, 0] = value
    expected = "at most 3.4e+38 of either sign", f"1 of 24 are larger, the first, {value:.3g}, at index (2, 1, 0)"
    refused(spoiled(), "crossbars.0.coeffs holds values that are too large", *expected)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_weights_that_are_not_finite(spoiled, content, value):
    content["state"]["crossbars.0.coeffs"][2, 1, 0] = value
    content["state"]["crossbars.0.coeffs"][2, 3, 1] = value
    refused(spoiled(), "crossbars.0.coeffs holds values that are not finite", "2 of 24", "index (2, 1, 0)")


@pytest.mark.parametrize(("value", "shown"), [(-0.5, "-0.5"), (0.0, "0"), (1e-30, "1e-30")])
def test_variance_that_is_negative_or_almost_zero(spoiled, content, value, shown):
    content["state"]["norms.0.running_var"][2] = value
    refused(
        spoiled(), "norms.0.running_var", "negative or almost zero", f"1 of 4 below it, the first at index 2: {shown}"
    )


def test_records_that_lie_about_their_size(content, tmp_path):
    """A tensor of 4 values whose pickle claims 10^8: torch must not read past the record."""
    buffer = io.BytesIO()
    torch.save({"a": torch.zeros(4, dtype=torch.float64)}, buffer)
    with zipfile.ZipFile(buffer) as source, zipfile.ZipFile(tmp_path / "lie.pt", "w") as target:
        for name in source.namelist():
            record = source.read(name)
            claim = record.replace(b"K\x04", b"J" + (10**8).to_bytes(4, "little"))
            target.writestr(name, claim if name.endswith("data.pkl") else record)
    refused(tmp_path / "lie.pt", "torch cannot read this file")
