"""A specimen's file: what it has to hold, and one clear message for everything that can be wrong with a stranger's."""

from __future__ import annotations

import pickle
import zipfile

import numpy as np
import pytest
from circuits import PEAK, inputs_for, load_device, network, technology

from kanspice.base.draws import Draw, GivenDraw
from kanspice.base.errors import InputError
from kanspice.circuit.specimens import GivenSpecimen, asked_for, random_arrays
from kanspice.families import compile_nominal, sizing_for, technology_for
from kanspice.families.loading import loaded_from

AREA, OFFSET, OPEN = "normal/l1.crossbar.area", "normal/l1.crossbar.offset_v", "uniform/l1.crossbar.stuck_open"
SETTINGS = "devices.area_sigma=0.05", "tia.offset_sigma_v=1e-3", "devices.stuck_open=0.1"


@pytest.fixture(scope="module")
def nominal():
    """A design of one crossbar, and a technology in which three of its arrays are random."""
    loaded = loaded_from(network([3, 2], [load_device("z21"), PEAK]))
    fitted = technology_for(loaded, technology(*SETTINGS))
    return compile_nominal(loaded, fitted, sizing_for(loaded, fitted, inputs_for(loaded.model, 4))), fitted


@pytest.fixture
def file(nominal, tmp_path):
    """Writes a specimen whose arrays are changed as wanted, and reads and checks it as commands do."""
    made = GivenSpecimen.of(Draw(3), *nominal)

    def use(changes=None, *, without=(), texts=None):
        arrays = {key: values for key, values in made.numbers.items() if key not in without} | (changes or {})
        said = {"schema": np.array("kanspice.specimen/1")} | (texts or {})
        np.savez(tmp_path / "s.npz", **said, **arrays)
        specimen = GivenSpecimen.read(tmp_path / "s.npz")
        specimen.check_fits(*nominal)
        return specimen

    return use


def test_only_what_specimens_differ_in_is_an_array_of_one(nominal):
    assert {array.key: array.shape for array in random_arrays(*nominal)} == {
        AREA: (3, 2, 2),
        OFFSET: (4,),
        OPEN: (3, 2, 2),
    }
    assert {"l1.crossbar.feedback_ohm", "references.current"} < {array.name for array in asked_for(*nominal)}


def test_a_file_of_ones_own_needs_no_digests(nominal, file):
    specimen = file({AREA: np.full((3, 2, 2), 2, np.float32)})
    assert specimen.notes(*nominal) == ()
    assert (specimen.draw(5).normal("l1.crossbar.area", (3, 2, 2)) == 2.0).all()
    assert specimen.draw(5).seed == 5


def test_what_it_was_made_for_is_noted_where_that_is_something_else(nominal, file):
    said = {"model_sha256": np.array("ab" * 32), "technology_sha256": np.array("cd" * 32)}
    notes = file(texts=said).notes(*nominal)
    assert [note.partition(":")[0] for note in notes] == [
        "the specimen was made for another checkpoint",
        "the specimen was made for another technology",
    ]


def test_what_the_seed_still_draws_is_noted(nominal):
    design, fitted = nominal
    noisy = compile_nominal(loaded_from(network([3, 2], [PEAK])), technology("converters.input_noise_v=1e-3"))
    assert noisy.has_noise
    assert GivenSpecimen({}).notes(noisy, fitted) == ("noise: drawn with --seed, and in no specimen's file",)
    assert GivenSpecimen({}).notes(design, fitted) == ()


@pytest.mark.parametrize(
    ("changes", "without", "problem"),
    [
        ({"normal/l1.crossbar.aera": np.zeros((3, 2, 2))}, [AREA], "did you mean 'normal/l1.crossbar.area'?"),
        ({"normal/l1.crossbar.shift_v": np.zeros((3, 2, 2))}, [], "makes no difference"),
        ({"uniform/l1.crossbar.area": np.zeros((3, 2, 2))}, [], "makes no difference"),
        ({}, [OFFSET, AREA], "expected: normal/l1.crossbar.area of shape (3, 2, 2), normal/l1.crossbar.offset_v"),
        ({AREA: np.zeros((2, 3, 2))}, [], "expected: shape (3, 2, 2)"),
        ({OFFSET: np.array([0.0, np.nan, np.inf, 0.0])}, [], "2 others, the first nan at [1]"),
        ({OFFSET: np.array([0.0, 0.0, 0.0, 101.0])}, [], "standard normal numbers, within 100 of 0"),
        ({OPEN: np.full((3, 2, 2), 1.0)}, [], "numbers from 0 to below 1"),
        ({OFFSET: np.zeros(4, complex)}, [], "wrong type of number"),
        ({"l1.crossbar.area": np.zeros((3, 2, 2))}, [], "no name of a specimen's array"),
        ({"normal/": np.zeros(3)}, [], "no name of a specimen's array"),
        ({"fitted_samples": np.zeros(3)}, [], "fitted_samples are no digests"),
        ({"fitted_samples": np.zeros((3, 1), np.uint64)}, [], "fitted_samples are no digests"),
    ],
)
def test_arrays_that_do_not_fit_are_named(file, changes, without, problem):
    with pytest.raises(InputError) as error:
        file(changes, without=without)
    assert problem in " ".join(error.value.message.split())


@pytest.mark.parametrize("name", ["normal/l1.crossbar.area\nkanspice: all is well", "normal/\x1b[2Jx", "no\nkind"])
def test_a_strangers_names_move_nothing(file, name):
    """Each of an error's lines is ours, and every character of theirs can be seen."""
    for kind in ("wrong type", "bad", "unknown"):
        values = {"wrong type": np.zeros(2, complex), "bad": np.full(2, np.nan), "unknown": np.zeros(2)}[kind]
        with pytest.raises(InputError) as error:
            file({name: values})
        message = error.value.message
        assert "\x1b" not in message
        assert all(line.startswith((" ", "/")) for line in message.split("\n"))
        assert "all is well" not in message or "\\nkanspice: all is well" in message
    with pytest.raises(InputError) as error:
        file({"normal/" + "x" * 5000: np.zeros(2)})
    assert len(error.value.message) < 1000


@pytest.mark.parametrize(
    ("texts", "problem"),
    [
        ({"schema": np.array("kanspice.specimen/9")}, "this is no specimen"),
        ({"schema": np.zeros(3)}, "schema is no text"),
        ({"schema": np.array("x" * 1000)}, "schema is no text"),
        ({"model_sha256": np.array(["a", "b"])}, "model_sha256 is no text"),
    ],
)
def test_a_header_that_is_none_is_named(file, texts, problem):
    with pytest.raises(InputError, match=problem):
        file(texts=texts)


def test_other_files_are_no_specimens(tmp_path):
    path = tmp_path / "s.npz"
    np.savez(path, normal=np.zeros(3))
    with pytest.raises(InputError, match=r"no array of that name"):
        GivenSpecimen.read(path)
    path.write_bytes(b"not a zip file")
    with pytest.raises(InputError, match=r"the specimen cannot be read"):
        GivenSpecimen.read(path)
    with pytest.raises(InputError, match=r"was not found"):
        GivenSpecimen.read(tmp_path / "none.npz")


def test_nothing_is_unpickled(tmp_path):
    class Trap:
        def __reduce__(self):
            return (pytest.fail, ("unpickled",))

    path = tmp_path / "s.npz"
    with zipfile.ZipFile(path, "w") as archive:
        header = np.lib.format.magic(1, 0)
        text = b"{'descr': '|O', 'fortran_order': False, 'shape': (1,), }".ljust(117) + b"\n"
        archive.writestr("schema.npy", header + len(text).to_bytes(2, "little") + text + pickle.dumps(Trap()))
    with pytest.raises(InputError, match="it was not executed"):
        GivenSpecimen.read(path)


def test_a_file_that_claims_terabytes_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("kanspice.base.files.array_files.MAX_FILE_BYTES", 10_000)
    np.savez_compressed(tmp_path / "s.npz", a=np.zeros(10_000))
    with pytest.raises(InputError, match="at most 10,000 bytes unpacked"):
        GivenSpecimen.read(tmp_path / "s.npz")


def test_a_draw_of_given_numbers_is_the_seeds_for_all_others():
    draw = GivenDraw(7, {"a": np.arange(3.0)}, {"b": np.full(2, 0.5)})
    np.testing.assert_array_equal(draw.normal("a", (3,)), [0, 1, 2])
    np.testing.assert_array_equal(draw.uniform("b", (2,)), [0.5, 0.5])
    np.testing.assert_array_equal(draw.normal("b", (2,)), Draw(7).normal("b", (2,)))
    np.testing.assert_array_equal(draw.uniform("a", (3,)), Draw(7).uniform("a", (3,)))
    with pytest.raises(InputError, match="another shape"):
        draw.normal("a", (4,))
