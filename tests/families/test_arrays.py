import io
import zipfile

import numpy as np
import pytest

from kanspice.base.errors import InputError
from kanspice.families.common import load_array, load_labels


def refused(path, *parts, width=None, labels=False):
    """The message of the error that loading raises; it must hold every part."""
    with pytest.raises(InputError) as caught:
        load_labels(path) if labels else load_array(path, "the inputs", width)
    for part in parts:
        assert part in str(caught.value), str(caught.value)
    return str(caught.value)


@pytest.fixture
def saved(tmp_path):
    def save(array, name="x.npy"):
        path = tmp_path / name
        np.save(path, array, allow_pickle=True)
        return path

    return save


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.float16, np.int32, np.uint8])
def test_npy_is_widened_to_float64(saved, dtype):
    values = np.array([[0, 1, 2], [3, 4, 5]], dtype=dtype)
    loaded = load_array(saved(values), "the inputs", 3)
    assert loaded.dtype == np.float64
    assert loaded.flags.c_contiguous
    np.testing.assert_array_equal(loaded, values)


def test_float32_is_widened_exactly(saved):
    values = np.array([[0.1, 0.2]], dtype=np.float32)
    assert load_array(saved(values), "the inputs")[0, 0] == float(np.float32(0.1))


def test_column_order_does_not_matter(saved):
    values = np.asfortranarray(np.arange(6.0).reshape(2, 3))
    np.testing.assert_array_equal(load_array(saved(values), "the inputs"), values)


def test_npz_with_one_array(tmp_path):
    np.savez_compressed(tmp_path / "x.npz", a=np.eye(2))
    np.testing.assert_array_equal(load_array(tmp_path / "x.npz", "the inputs"), np.eye(2))


def test_npz_with_a_key(tmp_path):
    np.savez(tmp_path / "x.npz", a=np.eye(2), b=np.ones((1, 3)))
    np.testing.assert_array_equal(load_array(f"{tmp_path / 'x.npz'}:b", "the inputs"), np.ones((1, 3)))


def test_csv_with_byte_order_mark_and_comment(tmp_path):
    (tmp_path / "x.csv").write_text("\ufeff# volts\n1,2.5\n-3,4e-3\n", encoding="utf-8")
    np.testing.assert_array_equal(load_array(tmp_path / "x.csv", "the inputs"), [[1, 2.5], [-3, 4e-3]])


def test_csv_with_one_row_or_column(tmp_path):
    (tmp_path / "row.csv").write_text("1,2,3")
    (tmp_path / "column.csv").write_text("1\n2\n")
    assert load_array(tmp_path / "row.csv", "the inputs").shape == (1, 3)
    assert load_array(tmp_path / "column.csv", "the inputs").shape == (2, 1)


def test_missing_file(tmp_path):
    refused(tmp_path / "none.npy", "none.npy", "was not found", "expected", "try")


def test_directory(tmp_path):
    (tmp_path / "d.npy").mkdir()
    refused(tmp_path / "d.npy", "is a directory")


def test_empty_file(tmp_path):
    (tmp_path / "x.npy").touch()
    refused(tmp_path / "x.npy", "the file is empty")


@pytest.mark.parametrize("name", ["x.pkl", "x.txt", "x"])
def test_unknown_suffix(tmp_path, name):
    (tmp_path / name).write_text("1,2")
    refused(tmp_path / name, "type of file is not read", ".npy or .npz or .csv")


def test_object_array_is_not_unpickled(saved):
    refused(saved(np.array([[{}]], dtype=object)), "array of Python objects", "not executed")


def test_object_array_in_npz_is_not_unpickled(tmp_path):
    np.savez(tmp_path / "x.npz", a=np.array([[{}]], dtype=object))
    refused(tmp_path / "x.npz", "array of Python objects", "not executed")


@pytest.mark.parametrize("dtype", ["bool", "complex128", "U3", "M8[s]", "longdouble"])
def test_wrong_type_of_number(saved, dtype):
    refused(saved(np.zeros((2, 2), dtype=dtype)), "wrong type of number", "float64")


@pytest.mark.parametrize("shape", [(3,), (), (1, 2, 3), (0, 3), (3, 0)])
def test_wrong_rank_or_no_samples(saved, shape):
    refused(saved(np.zeros(shape)), "wrong shape", "(samples, values)", str(shape))


def test_a_single_sample_is_told_how_to_become_a_table(saved):
    refused(saved(np.zeros(3)), "try:", "(1, values)")


def test_wrong_width(saved):
    refused(saved(np.zeros((2, 3))), "4 values per sample", "3 (shape (2, 3))", width=4)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_non_finite_value_names_its_sample(saved, value):
    values = np.zeros((5, 2))
    values[3, 1] = value
    refused(saved(values), "NaN or infinite", "1 of 10", "sample 3 (index 3, 1)")


def test_csv_with_words(tmp_path):
    (tmp_path / "x.csv").write_text("1,b\n1,2\n")
    refused(tmp_path / "x.csv", "cannot be read", "'b'", "only the first line may name columns")
    (tmp_path / "x.csv").write_text("p0,p1\na,b\n1,2\n")
    refused(tmp_path / "x.csv", "cannot be read", "'a'", "only the first line may name columns")


@pytest.mark.parametrize(
    "text",
    [
        "p0,p1\n1,2\n0,4\n",
        "# volts\n\n p0 , p1 # both\n1,2\n0,4\n",
        '"p0","p1"\r\n1,2\r\n0,4\r\n',
        ",p0,p1\n0,1,2\n1,0,4\n",
    ],
)
def test_csv_with_names_of_columns(tmp_path, text):
    """The last is what pandas writes: its first column, which has no name, counts the rows."""
    (tmp_path / "x.csv").write_text(text, newline="")
    np.testing.assert_array_equal(load_array(tmp_path / "x.csv", "the inputs"), [[1, 2], [0, 4]])


@pytest.mark.parametrize(
    "first", ["n/a,n/a", "NA,NA", "-,-", "0x1,0x2", "10%,20%", "1 V,2 V", "\N{MINUS SIGN}1,\N{MINUS SIGN}2", "a,1"]
)
def test_csv_whose_first_sample_cannot_be_read_is_not_one_with_names(tmp_path, first):
    (tmp_path / "x.csv").write_text(f"{first}\n1,2\n", encoding="utf-8")
    refused(tmp_path / "x.csv", "cannot be read")


@pytest.mark.parametrize("odd", ["\u2028", "\x0b", "\x85", "\x0c"])
def test_csv_has_lines_where_numpy_has_them(tmp_path, odd):
    (tmp_path / "x.csv").write_text(f"# scaled{odd}one per row\n1,2\n3,4\n", encoding="utf-8")
    assert load_array(tmp_path / "x.csv", "the inputs").shape == (2, 2)
    (tmp_path / "x.csv").write_text(f"# scaled{odd}one\np0,p1\n1,2\n3,4\n", encoding="utf-8")
    assert load_array(tmp_path / "x.csv", "the inputs").shape == (2, 2)


def test_csv_with_a_column_without_a_name_that_counts_nothing(tmp_path):
    (tmp_path / "x.csv").write_text(",p0\n0,1\n7,0\n")
    np.testing.assert_array_equal(load_array(tmp_path / "x.csv", "the inputs"), [[0, 1], [7, 0]])


def test_csv_whose_first_sample_has_nothing_is_not_missing_one(tmp_path):
    (tmp_path / "x.csv").write_text("nan,nan\n1,2\n")
    assert load_array(tmp_path / "x.csv", "the outputs", gaps=True).shape == (2, 2)


def test_labels_under_a_name(tmp_path):
    (tmp_path / "y.csv").write_text("label\n1\n0\n")
    assert load_labels(tmp_path / "y.csv").tolist() == [1, 0]


def test_csv_with_ragged_rows(tmp_path):
    (tmp_path / "x.csv").write_text("1,2\n3\n")
    refused(tmp_path / "x.csv", "cannot be read", "columns changed")


def test_csv_that_is_not_text(tmp_path):
    (tmp_path / "x.csv").write_bytes(b"\xff\xfe\x00")
    refused(tmp_path / "x.csv", "cannot be read")


def test_csv_without_rows(tmp_path):
    (tmp_path / "x.csv").write_text("# nothing\n")
    refused(tmp_path / "x.csv", "wrong shape", "at least one sample")


@pytest.mark.parametrize("name", ["x.npy", "x.npz"])
def test_garbage(tmp_path, name):
    (tmp_path / name).write_bytes(b"not an array at all")
    refused(tmp_path / name, "cannot be read as an array")


def test_truncated_npy(saved):
    path = saved(np.zeros((20, 20)))
    path.write_bytes(path.read_bytes()[:-8])
    refused(path, "cannot be read as an array")


def test_npy_that_claims_an_absurd_shape(tmp_path):
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "<f8", "fortran_order": False, "shape": (10**9, 10**9)})
    (tmp_path / "x.npy").write_bytes(header.getvalue() + bytes(8))
    refused(tmp_path / "x.npy", "cannot be read as an array")


def test_npz_that_would_unpack_to_too_much(tmp_path, monkeypatch):
    np.savez_compressed(tmp_path / "x.npz", a=np.zeros((100, 100)))
    monkeypatch.setattr("kanspice.base.files.array_files.MAX_FILE_BYTES", 10_000)
    refused(tmp_path / "x.npz", "the array is too large", "at most 10,000 bytes")


def test_npz_with_two_arrays_asks_for_a_key(tmp_path):
    np.savez(tmp_path / "x.npz", a=np.eye(2), b=np.eye(2))
    refused(tmp_path / "x.npz", "not hold exactly one array", "2 arrays: a, b", "x.npz:KEY")


def test_npz_without_the_key(tmp_path):
    np.savez(tmp_path / "x.npz", a=np.eye(2))
    refused(f"{tmp_path / 'x.npz'}:b", "no array named 'b'", "1 arrays: a")


def test_npz_without_arrays(tmp_path):
    zipfile.ZipFile(tmp_path / "x.npz", "w").close()
    refused(tmp_path / "x.npz", "0 arrays: none")


def test_labels(saved, tmp_path):
    (tmp_path / "column.csv").write_text("3\n0\n")
    (tmp_path / "row.csv").write_text("3,0\n")
    for path in (saved(np.array([3, 0], dtype=np.uint8)), tmp_path / "column.csv", tmp_path / "row.csv"):
        labels = load_labels(path)
        assert labels.dtype == np.int64
        np.testing.assert_array_equal(labels, [3, 0])


@pytest.mark.parametrize("shape", [(2, 1), (0,), ()])
def test_labels_of_wrong_shape(saved, shape):
    refused(saved(np.zeros(shape)), "labels", "(samples,)", str(shape), labels=True)


@pytest.mark.parametrize(("value", "shown"), [(-1, "-1"), (0.5, "0.5"), (1e300, "1e+300")])
def test_labels_that_are_no_class_numbers(saved, value, shown):
    refused(
        saved(np.array([0, value])), "not class numbers", "whole numbers from 0", f"{shown} at sample 1", labels=True
    )


def test_labels_that_are_not_finite(saved):
    refused(saved(np.array([0, np.nan])), "NaN or infinite", "sample 1", labels=True)
