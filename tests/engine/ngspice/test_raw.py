"""Raw files, whole, cut off and hostile."""

from __future__ import annotations

import os

import numpy as np
import pytest

from kanspice.engine.simulators.raw import read_plots


def raw(table, names, *, title="t", name="Operating Point", points=None, variables=None):
    flags = "complex" if np.iscomplexobj(table) else "real"
    listed = "".join(f"\t{index}\t{vector}\tvoltage\n" for index, vector in enumerate(names))
    header = (
        f"Title: {title}\nDate: today\nPlotname: {name}\nFlags: {flags}\n"
        f"No. Variables: {len(names) if variables is None else variables}\n"
        f"No. Points: {len(table) if points is None else points}       \nVariables:\n{listed}Binary:\n"
    )
    return header.encode() + np.ascontiguousarray(table).tobytes()


@pytest.fixture
def read(tmp_path):
    def read_bytes(content):
        (tmp_path / "out.raw").write_bytes(content)
        return read_plots(tmp_path / "out.raw")

    return read_bytes


TABLE = np.arange(6.0).reshape(3, 2) / 7


def test_real_plots_are_exact(read):
    first, second = read(raw(TABLE, ["v-sweep", "V(A)"]) + raw(TABLE[:1] * 2, ["x", "y"], name="DC"))
    assert (first.name, first.vectors) == ("Operating Point", ("v-sweep", "v(a)"))
    np.testing.assert_array_equal(first.table, TABLE)
    np.testing.assert_array_equal(second.table, TABLE[:1] * 2)


def test_complex_plots_have_a_real_scale(read):
    """ngspice 39 leaves rubbish in the imaginary part of the frequency."""
    table = np.array([[1.0 + 2e293j, 1 + 2j], [2.0 - 5j, 3 - 4j]])
    (plot,) = read(raw(table, ["frequency", "v(a)"]))
    np.testing.assert_array_equal(plot.table, [[1.0, 1 + 2j], [2.0, 3 - 4j]])


@pytest.mark.parametrize("points", [3, 0], ids=["promised", "not yet counted"])
def test_a_plot_that_was_cut_off_gives_its_whole_points(read, points):
    (plot,) = read(raw(TABLE, ["a", "b"], points=points)[:-9])
    np.testing.assert_array_equal(plot.table, TABLE[:2])


@pytest.mark.parametrize("title", ["Variables:", "Binary:", "my Variables:", "my Binary:", "Flags: complex"])
def test_a_title_is_not_a_header(read, title):
    (plot,) = read(raw(TABLE, ["a", "b"], title=title))
    assert plot.vectors == ("a", "b")
    np.testing.assert_array_equal(plot.table, TABLE)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"hello",
        b"Title: x\nVariables:\n",
        raw(TABLE, ["a", "b"], variables=3),
        raw(TABLE, ["a", "b"], variables="many"),
        raw(np.empty((0, 0)), []),
        bytes(range(256)) * 20,
    ],
)
def test_what_is_no_plot_is_none(read, content):
    assert [plot for plot in read(content) if plot.table.size] == []


@pytest.mark.parametrize("points", ["-5", "1e9", "x"])
def test_a_count_that_is_none_is_not_believed(read, points):
    (plot,) = read(raw(TABLE, ["a", "b"], points=points))
    assert len(plot.table) <= 3


def test_no_file_is_no_plot(tmp_path):
    assert read_plots(tmp_path / "out.raw") == []


def test_a_pipe_in_the_place_of_results_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "out.raw")
    assert read_plots(tmp_path / "out.raw") == []
