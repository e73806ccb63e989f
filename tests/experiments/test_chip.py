"""What was measured of a chip is looked at before anything is made of it."""

from __future__ import annotations

import numpy as np
import pytest

from kanspice.base.errors import InputError
from kanspice.experiments.chip import MeasuredChip

EXPECTED = np.random.default_rng(0).standard_normal((5, 3))
SOME = np.where(np.eye(5, 3) > 0, np.nan, EXPECTED)


def test_outputs_some_of_which_were_not_measured():
    chip = MeasuredChip(SOME)
    chip.check(EXPECTED, 1.0)
    assert chip.complete.tolist() == [False, False, False, True, True]
    assert chip.limited(4).outputs.shape == (4, 3)
    assert chip.sha256 != MeasuredChip(EXPECTED).sha256


@pytest.mark.parametrize("name", ["chip.npy", "chip.npz", "chip.csv"])
def test_files(tmp_path, name):
    path = tmp_path / name
    if name.endswith("npy"):
        np.save(path, SOME)
    elif name.endswith("npz"):
        np.savez(path, SOME)
    else:
        np.savetxt(path, SOME, "%.17g", ",", header="one, two, three")
    chip = MeasuredChip.read(path, 5, 3)
    assert np.array_equal(chip.outputs, SOME, equal_nan=True)
    assert chip.source == str(path)


@pytest.mark.parametrize("text", ["one,2,three\n1,2,3\n", "1,2,3\n1,2\n", "1;2;3\n", "1,,3\n", "", "1,2,x\n", "\0\n"])
def test_text_that_is_no_table(tmp_path, text):
    (tmp_path / "chip.csv").write_text(text)
    with pytest.raises(InputError, match=r"chip\.csv"):
        MeasuredChip.read(tmp_path / "chip.csv", 1, 3)


@pytest.mark.parametrize("text", ["1,,3\n", "1,2,3\n4,5,\n", "1, ,3\n"])
def test_an_empty_cell_is_told_from_a_header(tmp_path, text):
    (tmp_path / "chip.csv").write_text(text)
    with pytest.raises(InputError, match="a cell is empty: write nan for what was not measured"):
        MeasuredChip.read(tmp_path / "chip.csv", 1, 3)


@pytest.mark.parametrize("values", [EXPECTED[:4], EXPECTED[:, :2], EXPECTED.T, EXPECTED[0]])
def test_another_shape(values):
    with pytest.raises(InputError, match="shape"):
        MeasuredChip.read(values, 5, 3)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (EXPECTED * [1, 1, 1e7], "output 2: a measured output is absurd"),
        (np.where(np.eye(5, 3) > 0, np.inf, EXPECTED), "infinite"),
        (np.where(np.eye(5, 3) > 0, -np.inf, np.nan), "infinite"),
        (np.full((5, 3), np.nan), "nothing was measured"),
    ],
)
def test_what_no_chip_gives(values, said):
    with pytest.raises(InputError, match=said):
        MeasuredChip(values).check(EXPECTED, 1.0)


def test_of_one_sample_nothing_varies_but_what_is_absurd_stays_so():
    chip = MeasuredChip(1.5 * EXPECTED[:1])
    chip.check(EXPECTED[:1], 0.0)
    with pytest.raises(InputError, match="absurd"):
        MeasuredChip(1e5 * EXPECTED[:1]).check(EXPECTED[:1], 0.0)
    MeasuredChip(np.ones((1, 3))).check(np.zeros((1, 3)), 0.0)
    MeasuredChip(np.ones((1, 3))).check(np.full((1, 3), np.nan), 0.0)
