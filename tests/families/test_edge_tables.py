"""KANs whose edges were measured: a CSV file against NumPy's interpolation, and every way in which it can be wrong."""

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

import kanspice
from kanspice.base.errors import InputError
from kanspice.cli.commands import app
from kanspice.families.common.network import DivergenceError
from kanspice.families.edgekan.tables import MOST_NUMBERS

WIDTHS = {1: (2, 3), 2: (3, 1)}
RANGES = {1: (0.0, 1.2), 2: (-9.0, 9.0)}
INPUTS = np.random.default_rng(3).uniform(0, 1.2, (30, 2))
HEADER = "layer,input,output,x,y"


def measured():
    """(layer, input, output) -> x and y, of 2 to 8 points each."""
    random, found = np.random.default_rng(1), {}
    for layer, (inputs, outputs) in WIDTHS.items():
        for source in range(inputs):
            for target in range(outputs):
                x = np.sort(random.uniform(*RANGES[layer], random.integers(2, 9)))
                x[[0, -1]] = RANGES[layer]
                found[layer, source, target] = x, np.sin(3 * x + source + 2 * target)
    return found


EDGES = measured()


def lines(edges):
    return [
        f"{layer},{source},{target},{x!r},{y!r}"
        for (layer, source, target), points in edges.items()
        for x, y in np.stack(points, axis=1).tolist()
    ]


def written(path, rows, header=HEADER):
    path.write_text("\n".join([header, *rows]) + "\n")
    return path


@pytest.fixture
def tables(tmp_path):
    return written(tmp_path / "tables.csv", lines(EDGES))


def interpolated(values):
    for layer, (inputs, outputs) in WIDTHS.items():
        sums = np.zeros((len(values), outputs))
        for source in range(inputs):
            for target in range(outputs):
                sums[:, target] += np.interp(values[:, source], *EDGES[layer, source, target])
        values = sums
    return values


def answers(model, inputs):
    with torch.no_grad():
        return model(torch.from_numpy(inputs)).numpy()


def test_edges_are_straight_between_points_and_pass_them(tables):
    loaded = kanspice.load(tables)
    assert (loaded.family, loaded.format, loaded.input_width, loaded.output_width) == ("edgekan", "tables", 2, 1)
    ends = np.array([[0.0, 1.2], [1.2, 0.0], [EDGES[1, 0, 0][0][1], 1.2]])
    inputs = np.concatenate([INPUTS, ends])
    np.testing.assert_allclose(answers(loaded.model, inputs), interpolated(inputs), atol=1e-12)


def test_the_order_of_edges_in_the_file_does_not_matter(tables, tmp_path):
    mixed = lines(dict(reversed(EDGES.items())))
    again = kanspice.load(written(tmp_path / "mixed.csv", mixed)).model
    assert np.array_equal(answers(again, INPUTS), answers(kanspice.load(tables).model, INPUTS))


def test_measured_edges_become_devices_and_a_circuit(tables, tmp_path):
    made = kanspice.project(tables, INPUTS, ["a21", "z21"], resistor=True, constant=True)
    np.testing.assert_allclose(made.reference, interpolated(INPUTS), atol=1e-12)
    made.save(tmp_path / "out.pt")
    gap = kanspice.verify(tmp_path / "out.pt", INPUTS, engine="batched")
    assert gap.gap.relative_rmse < 1e-9
    off = gap.outputs - interpolated(INPUTS)
    assert gap.projection.whole.rmse == pytest.approx(float(np.sqrt(np.mean(off**2))), rel=1e-9)
    kanspice.save(kanspice.load(tables).model, tmp_path / "own.pt")
    assert np.array_equal(answers(kanspice.load(tmp_path / "own.pt").model, INPUTS), made.reference)


def test_what_nobody_measured_has_no_value(tables):
    beyond = np.array([*INPUTS[:8], [0.3, 1.3]])
    with pytest.raises(DivergenceError) as caught:
        kanspice.project(tables, beyond, ["z21"], resistor=True)
    assert "sample 8, l1.layer" in str(caught.value)
    assert "the edge from 1 to 0 was measured from 0 to 1.2, and is given 1.3" in str(caught.value)
    rounded = np.float32([[1.2, 1.2]]).astype(float)
    assert rounded[0, 0] > 1.2
    np.testing.assert_allclose(answers(kanspice.load(tables).model, rounded), interpolated(np.full((1, 2), 1.2)))


def some(keep):
    return lines({edge: points for edge, points in EDGES.items() if keep(edge)})


def with_points(edge, x):
    return lines({**EDGES, edge: (np.array(x), np.zeros(len(x)))})


@pytest.mark.parametrize(
    ("rows", "parts"),
    [
        (some(lambda edge: edge != (1, 1, 0)), ["layer 1, the edge from 1 to 0", "no line has a point of this edge"]),
        (some(lambda edge: edge[0] == 2 or edge[2] < 2), ["layer 2 does not take what layer 1 gives", "2 inputs"]),
        ([row.replace("2,", "3,", 1) if row[0] == "2" else row for row in lines(EDGES)], ["edges of layer 2"]),
        (with_points((1, 0, 0), [0.0, 0.7, 0.6, 1.2]), ["line 4: x of an edge must rise", "0.7 in line 3, then 0.6"]),
        ([*lines(EDGES), *lines({(1, 0, 1): EDGES[1, 0, 1]})], ["x of an edge must rise", "give each edge once"]),
        (with_points((2, 1, 0), [0.0]), ["layer 2, the edge from 1 to 0", "one point only", "two or more"]),
        (["1,0,0,0,nan", *lines(EDGES)], ["line 2: not a finite number", "nan"]),
        (["1,0,0,0", *lines(EDGES)], ["line 2 does not have 5 columns"]),
        (["1,0.5,0,0,0", *lines(EDGES)], ["line 2: 'input' is no place in a network", "a whole number from 0", "0.5"]),
        (["0,0,0,0,0", *lines(EDGES)], ["line 2: 'layer' is no place in a network", "a whole number from 1"]),
        (["1,9999999,9999999,0,0", *lines(EDGES)], ["no line has a point of this edge"]),
        ([], ["holds no numbers"]),
    ],
)
def test_bad_tables_have_one_message_each(tmp_path, rows, parts):
    with pytest.raises(InputError) as caught:
        kanspice.load(written(tmp_path / "bad.csv", rows))
    for part in parts:
        assert part in str(caught.value)


@pytest.mark.parametrize("header", ["x,y,layer,input,output", "layer,input,output,x,x", "1,0,0,0,0"])
def test_columns_are_never_guessed(tmp_path, header):
    with pytest.raises(InputError, match="the first line does not name the columns") as caught:
        kanspice.load(written(tmp_path / "bad.csv", lines(EDGES), header))
    assert HEADER in str(caught.value)


def test_one_long_edge_among_many_does_not_fill_the_memory(tmp_path, monkeypatch):
    monkeypatch.setattr("kanspice.families.edgekan.tables.MOST_NUMBERS", 40)
    assert MOST_NUMBERS > 1_000_000
    with pytest.raises(InputError, match="layer 1 is too large"):
        kanspice.load(written(tmp_path / "long.csv", lines(EDGES)))


def test_an_own_checkpoint_with_falling_tables_is_refused(tables, tmp_path):
    kanspice.save(kanspice.load(tables).model, tmp_path / "own.pt")
    content = torch.load(tmp_path / "own.pt", weights_only=True)
    content["state"]["layers.0.x"][1, 2, 1] = -1.0
    torch.save(content, tmp_path / "own.pt")
    with pytest.raises(InputError, match=r"(?s)layers.0.x is no table.*from 1 to 2"):
        kanspice.load(tmp_path / "own.pt")


def test_the_command_takes_a_table_and_no_configuration(tables, tmp_path):
    np.save(tmp_path / "x.npy", INPUTS)
    options = ["--inputs", tmp_path / "x.npy", "--devices", "z21", "--resistor", "-o", tmp_path / "out.pt"]
    done = CliRunner().invoke(app, ["project", *map(str, [tables, *options])])
    assert done.exit_code == 0, done.output
    assert "straight between their points" in done.output
    with pytest.raises(InputError, match="has no configuration"):
        kanspice.load(tables, config=tmp_path / "config.json")
