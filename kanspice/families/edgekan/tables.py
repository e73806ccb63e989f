"""A KAN whose edges were measured, as one CSV file: a point of an edge in each line.

    layer,input,output,x,y
    1,0,0,0.0,0.02

Layers are counted from 1, inputs and outputs of a layer from 0; y is what the edge adds to the node `output` of the
layer where `input` is at x. Every input of a layer has an edge to every output, of two points or more at rising x; an
edge that does nothing is at 0. Between points an edge is straight: it passes all of them and stays between neighbours,
where a cubic swings beyond them and amplifies noise. Beyond its points it has no value, for nobody has measured it.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import NoReturn

import numpy as np
import torch

from kanspice.base.arrays import Array, Indices
from kanspice.base.errors import InputError
from kanspice.devices.ivdata import read_table
from kanspice.families.common.formats import Reading, TextFiles
from kanspice.families.edgekan.layers import TableSpec
from kanspice.families.edgekan.network import EdgeKAN
from kanspice.families.edgekan.parameters import build

COLUMNS = ("layer", "input", "output", "x", "y")
_MAX_BYTES = 100_000_000
_MOST_LAYERS = 1000
_MOST_NODES = 10_000_000
MOST_NUMBERS = 50_000_000
"""Of a layer: as many for each edge as the longest has."""


def read_tables(path: Path) -> Reading[EdgeKAN]:
    """The network in a file. Raises InputError, with the line or the edge, for one that is not as above."""
    lines, rows = read_table(path, len(COLUMNS), header=COLUMNS, max_bytes=_MAX_BYTES)
    places = _whole(path, lines, rows[:, :3])
    specs, state = list[TableSpec](), dict[str, torch.Tensor]()
    for layer in range(1, int(places[:, 0].max()) + 1):
        chosen = np.flatnonzero(places[:, 0] == layer)
        if not chosen.size:
            raise InputError("layers are missing", where=path, expected=f"edges of layer {layer}", found="none")
        numbers = [lines[row] for row in chosen.tolist()]
        found = _layer(path, layer, numbers, places[chosen, 1:], rows[chosen, 3:])
        inputs, outputs, points = found[0].shape
        specs.append(TableSpec(inputs=inputs, outputs=outputs, points=points))
        tensors = dict(zip(("x", "y"), map(torch.from_numpy, found), strict=True))
        tensors["bias"] = torch.zeros(outputs, dtype=torch.float64)
        state |= {f"layers.{layer - 1}.{name}": tensor for name, tensor in tensors.items()}
    _check_widths(path, specs)
    note = "the edges are measured tables: straight between their points, without a value beyond them"
    return Reading(build(specs, "none", state, path), (note,))


def _whole(path: Path, lines: Sequence[int], values: Array) -> Indices:
    """(rows, 3) layer, input and output."""
    least, most = np.array([1, 0, 0]), np.array([_MOST_LAYERS, _MOST_NODES, _MOST_NODES])
    bad = np.argwhere((values != np.round(values)) | (values < least) | (values > most))
    if len(bad):
        row, column = bad[0].tolist()
        problem = f"line {lines[row]}: {COLUMNS[column]!r} is no place in a network"
        expected = f"a whole number from {least[column]}"
        raise InputError(problem, where=path, expected=expected, found=f"{values[row, column]:g}")
    return values.astype(np.int64)


def _layer(path: Path, layer: int, lines: Sequence[int], places: Indices, points: Array) -> tuple[Array, Array]:
    """x and y of a layer's edges, (inputs, outputs, points of the longest) each; shorter ones repeat their last."""
    inputs, outputs = (places.max(axis=0) + 1).tolist()
    _check_complete(path, layer, places, inputs, outputs)
    order = np.lexsort((np.arange(len(places)), places[:, 1], places[:, 0]))
    edge = places[order, 0] * outputs + places[order, 1]
    _check_rising(path, lines, order, edge, points[:, 0])
    counts = np.bincount(edge, minlength=inputs * outputs)
    if counts.min() < 2:
        _refuse(path, layer, divmod(int(counts.argmin()), outputs), "there is one point only", "two or more")
    longest = int(counts.max())
    if longest * len(counts) > MOST_NUMBERS:
        found = f"{longest:,} points of {len(counts):,} edges"
        raise InputError(f"layer {layer} is too large", where=path, expected=f"{MOST_NUMBERS:,} numbers", found=found)
    last = np.cumsum(counts) - 1
    taken = np.minimum((last - counts + 1)[:, None] + np.arange(longest), last[:, None])
    x, y = points[order][taken].reshape(inputs, outputs, longest, 2).transpose(3, 0, 1, 2)
    return np.ascontiguousarray(x), np.ascontiguousarray(y)


def _check_complete(path: Path, layer: int, places: Indices, inputs: int, outputs: int) -> None:
    known = set(map(tuple, places.tolist()))
    if len(known) < inputs * outputs:
        edges = ((source, target) for source in range(inputs) for target in range(outputs))
        missing = next(edge for edge in edges if edge not in known)
        expected = f"an edge from each of {inputs} inputs to each of {outputs} outputs, at 0 where it does nothing"
        _refuse(path, layer, missing, "no line has a point of this edge", expected)


def _check_rising(path: Path, lines: Sequence[int], order: Indices, edge: Indices, x: Array) -> None:
    """Raises InputError where a point lies at or before the one before it of the same edge."""
    values = x[order]
    bad = np.flatnonzero((np.diff(edge) == 0) & (np.diff(values) <= 0))
    if bad.size:
        first = int(bad[0])
        before, line = lines[order[first]], lines[order[first + 1]]
        found = f"{values[first]:g} in line {before}, then {values[first + 1]:g}"
        hint = "sort the lines of each edge by x, and give each edge once"
        problem = f"line {line}: x of an edge must rise from point to point"
        raise InputError(problem, where=path, expected="rising x", found=found, hint=hint)


def _check_widths(path: Path, specs: Sequence[TableSpec]) -> None:
    for layer, (before, after) in enumerate(pairwise(specs), 2):
        if before.outputs != after.inputs:
            expected = f"{before.outputs} inputs, one for each output of layer {layer - 1}"
            problem = f"layer {layer} does not take what layer {layer - 1} gives"
            raise InputError(problem, where=path, expected=expected, found=str(after.inputs))


def _refuse(path: Path, layer: int, edge: tuple[int, int], problem: str, expected: str) -> NoReturn:
    where = f"{path}, layer {layer}, the edge from {edge[0]} to {edge[1]}"
    raise InputError(problem, where=where, expected=expected)


TABLES = TextFiles("tables", ".csv", read_tables)
