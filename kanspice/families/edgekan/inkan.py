"""Checkpoints of inkan 0.5: `torch.save(KANNetwork(...).state_dict(), path)`.

For layer m: `layers.<m>.grid_starts` (K,), where each of the K cubic B-splines begins, the same for all inputs and at
equal distances; `layers.<m>.weight` (n_out, n_in K + n_in), for every output the coefficients of its edges' splines,
input after input, then those of the function beside them. That function is SiLU in each KANNetwork, and in no state
dict. A first layer of `dim=2` has surfaces over two inputs together, which are no edges.

The program computes with the exact distance of the knots, of which the file has what is left in float32: outputs are
the program's to some 1e-7 of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

import torch
from torch import Tensor

from kanspice.base.errors import InputError
from kanspice.families.common.formats import AuthorsStates, Reading
from kanspice.families.common.state import check_rank, check_tensors
from kanspice.families.edgekan.authors import BASE_NOTE
from kanspice.families.edgekan.layers import SplineSpec
from kanspice.families.edgekan.network import EdgeKAN
from kanspice.families.edgekan.parameters import build

_GRID = re.compile(r"layers\.(\d{1,6})\.grid_starts")
_ORDER = 3
_EVEN = 1e-4
"""Of the distance of knots, by which rounding to float32 may make them uneven."""


def recognises(names: Iterable[str]) -> bool:
    """Whether tensors of these names are an inkan's."""
    return any(_GRID.fullmatch(name) for name in names)


def read_inkan(
    state: Mapping[str, Tensor], path: Path, config_path: Path | None, _curves: Path | None
) -> Reading[EdgeKAN]:
    """The network of an inkan's state dict. Raises InputError if it is unusable, or for a configuration."""
    if config_path is not None:
        problem, hint = "an inkan has no configuration", "leave out --config"
        raise InputError(problem, where=path, expected="no --config", found=str(config_path), hint=hint)
    places = sorted(int(found[1]) for name in state if (found := _GRID.fullmatch(name)))
    if places != list(range(len(places))):
        raise InputError("layers are missing", where=path, expected="layers in order from 0", found=str(places)[:200])
    specs, shapes = list[SplineSpec](), dict[str, tuple[int, ...]]()
    for m in places:
        spec = _spec(state, m, path)
        specs.append(spec)
        shapes[f"layers.{m}.grid_starts"] = (spec.functions,)
        shapes[f"layers.{m}.weight"] = (spec.outputs, spec.inputs * (spec.functions + 1))
    check_tensors(state, shapes, path)
    own = {f"layers.{m}.{name}": each for m, spec in enumerate(specs) for name, each in _own(state, m, spec, path)}
    return Reading(build(specs, "none", own, path), (BASE_NOTE,))


def _spec(state: Mapping[str, Tensor], m: int, path: Path) -> SplineSpec:
    names = f"layers.{m}.grid_starts", f"layers.{m}.weight"
    for name, rank in zip(names, (1, 2), strict=True):
        if name not in state:
            raise InputError("the checkpoint lacks a tensor", where=path, expected=name, found="no such tensor")
        check_rank(name, state[name], rank, path)
    functions, (outputs, columns) = state[names[0]].shape[0], state[names[1]].shape
    if columns == functions**2 + 2:
        problem = f"layer {m} of this inkan has surfaces over two inputs (dim=2), which are no functions of edges"
        raise InputError(problem, where=path, expected="dim=1", hint="train it with dim=1")
    if functions <= _ORDER or columns % (functions + 1):
        problem, expected = f"{names[1]} does not fit {names[0]}", f"{functions} splines and one more for each input"
        raise InputError(problem, where=path, expected=expected, found=f"{columns} columns")
    return SplineSpec(
        inputs=columns // (functions + 1), outputs=outputs, functions=functions, order=_ORDER, base="silu", symbolic=()
    )


def _own(state: Mapping[str, Tensor], m: int, spec: SplineSpec, path: Path) -> Iterable[tuple[str, Tensor]]:
    starts, weight = (state[f"layers.{m}.{name}"].double() for name in ("grid_starts", "weight"))
    step = (starts[-1] - starts[0]) / (spec.functions - 1)
    knots = starts[0] + step * torch.arange(spec.functions + _ORDER + 1, dtype=torch.float64)
    if not step > 0 or ((knots[: spec.functions] - starts).abs() > _EVEN * step).any():
        problem, expected = f"layers.{m}.grid_starts is no grid", "rising numbers at equal distances"
        raise InputError(problem, where=path, expected=expected, found=str(starts.tolist())[:80])
    splines = weight[:, : spec.inputs * spec.functions].reshape(spec.outputs, spec.inputs, spec.functions)
    yield "spline", splines.transpose(0, 1).contiguous()
    yield "base", weight[:, spec.inputs * spec.functions :].T.contiguous()
    yield "bias", torch.zeros(spec.outputs, dtype=torch.float64)
    yield "grid", knots.expand(spec.inputs, -1).contiguous()
    yield "symbolic", torch.zeros(0, 4, dtype=torch.float64)


STATES = AuthorsStates("inkan", recognises, read_inkan, ())
