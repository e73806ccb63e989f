"""The parameters of an EdgeKAN by name and shape, and a network built from given ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import assert_never

import torch
from torch import Tensor

from kanspice.base.errors import InputError
from kanspice.families.common.state import check_tensors
from kanspice.families.edgekan.layers import AnySpec, GottliebSpec, SplineSpec, TableSpec
from kanspice.families.edgekan.network import EdgeKAN
from kanspice.families.edgekan.symbolic import FUNCTIONS

Specs = Sequence[AnySpec]


def parameter_shapes(layers: Specs, norm: str) -> dict[str, tuple[int, ...]]:
    """Name and shape of every tensor in the state dict of such an EdgeKAN; allocates nothing."""
    shapes: dict[str, tuple[int, ...]] = {}
    for m, spec in enumerate(layers):
        shapes |= {f"layers.{m}.{name}": shape for name, shape in spec.shapes.items()}
    if norm == "layer":
        for m, spec in enumerate(layers[:-1]):
            shapes |= {f"norms.{m}.weight": (spec.outputs,), f"norms.{m}.bias": (spec.outputs,)}
    return shapes


def build(layers: Specs, norm: str, state: Mapping[str, Tensor], path: Path) -> EdgeKAN:
    """A network in eval mode with these parameters, float32 widened to float64, exactly.

    Raises InputError for parameters of other names or shapes, knots that fall, and functions that are not known.
    """
    check_tensors(state, parameter_shapes(layers, norm), path)
    for m, spec in enumerate(layers):
        match spec:
            case SplineSpec():
                check_knots(f"layers.{m}.grid", state[f"layers.{m}.grid"], path)
                _check_symbolic(f"layers.{m}", spec, path)
            case GottliebSpec():
                pass
            case TableSpec():
                _check_rising(f"layers.{m}.x", state[f"layers.{m}.x"], path)
            case _:
                assert_never(spec)
    with torch.random.fork_rng(devices=[]):
        model = EdgeKAN(layers, norm=norm)
    model.load_state_dict(dict(state), strict=True)
    return model.eval()


def check_knots(name: str, grid: Tensor, path: Path) -> None:
    """Raise InputError unless every input's knots (inputs, knots) are in order."""
    falling = (grid.diff(dim=1) < 0).any(dim=1).nonzero().flatten().tolist()
    if falling:
        problem = f"{name} is no grid of knots"
        raise InputError(problem, where=path, expected="knots in order", found=f"falling knots of input {falling[0]}")


def _check_rising(name: str, x: Tensor, path: Path) -> None:
    """Raises InputError unless the points of every edge (inputs, outputs, points) rise, the last of them repeated."""
    steps, is_last = x.diff(dim=2), x[:, :, :-1] == x[:, :, -1:]
    bad = ((steps <= 0) & ~is_last | (steps[:, :, :1] <= 0)).nonzero().tolist()
    if bad:
        source, target, _ = bad[0]
        problem, found = f"{name} is no table", f"of the edge from {source} to {target} some fall"
        raise InputError(problem, where=path, expected="two points or more, rising", found=found)


def _check_symbolic(name: str, spec: SplineSpec, path: Path) -> None:
    for edge in spec.symbolic:
        where = f"the edge from {edge.source} to {edge.target} of {name}"
        if edge.source >= spec.inputs or edge.target >= spec.outputs:
            raise InputError(f"{where} does not exist", where=path, expected=f"{spec.inputs} x {spec.outputs} edges")
        if edge.function not in FUNCTIONS:
            raise InputError(
                f"{where} has a function that kanspice does not know",
                where=path,
                expected=f"one of {', '.join(FUNCTIONS)}",
                found=edge.function[:80],
                hint="keep that edge a spline",
            )
