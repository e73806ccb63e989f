"""Checkpoints of pykan 0.2: what `model.saveckpt(path)` leaves, or `model.state_dict()` alone.

For layer l from 0: `act_fun.<l>.` `grid` (n_in, B + k + 1), `coef` (n_in, n_out, B), `mask`, `scale_base` and
`scale_sp` (n_in, n_out); `symbolic_fun.<l>.` `mask` (n_out, n_in) and `affine` (n_out, n_in, 4), of c f(a x + b) + d;
`subnode_scale_<l>`, `subnode_bias_<l>`, `node_scale_<l>`, `node_bias_<l>` (n_out,). `saveckpt` also writes
`<path>_config.yml`, which names the functions f and the function beside the splines, and some samples, not needed here.

Inputs that `prune_input` has removed are in neither file: the network takes those that are left, in order.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Literal

import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor

from kanspice.base.errors import InputError
from kanspice.base.files import is_there, read_file
from kanspice.base.validation import validate
from kanspice.families.common.formats import AuthorsStates, Reading
from kanspice.families.common.run_folder import found_by_place
from kanspice.families.common.state import check_rank, check_tensors
from kanspice.families.common.yaml_config import MAX_YAML_BYTES, parse_yaml
from kanspice.families.edgekan.authors import BASE_NOTE
from kanspice.families.edgekan.layers import SplineSpec, SymbolicEdge
from kanspice.families.edgekan.network import EdgeKAN
from kanspice.families.edgekan.parameters import build

FORMAT = "pykan"
_COEF = re.compile(r"act_fun\.(\d{1,6})\.coef")
_NODES = ("subnode_scale", "subnode_bias", "node_scale", "node_bias")


class PykanConfig(BaseModel):
    """The keys of `<path>_config.yml` that decide what the weights mean; others (seeds, devices, ...) are left alone.

    The names of symbolic functions have keys of their own: `symbolic.funs_name.<l>`.
    """

    model_config = ConfigDict(extra="allow", frozen=True, strict=True)

    width: Annotated[list[Any], Field(min_length=2, max_length=1000)]
    base_fun_name: Literal["silu", "identity", "zero"]
    symbolic_enabled: bool = True

    def function(self, layer: int, target: int, source: int, where: Path) -> str:
        """The name of an edge's function. Raises InputError where there is none."""
        try:
            name = (self.model_extra or {})[f"symbolic.funs_name.{layer}"][target][source]
        except (KeyError, IndexError, TypeError):
            name = None
        if isinstance(name, str):
            return name
        problem = f"the configuration names no function for the edge from {source} to {target} of layer {layer}"
        raise InputError(problem, where=where, expected=f"symbolic.funs_name.{layer}", found=repr(name)[:80])


def recognises(names: Iterable[str]) -> bool:
    """Whether tensors of these names are a pykan's."""
    return any(_COEF.fullmatch(name) for name in names)


def read_pykan(
    state: Mapping[str, Tensor], path: Path, config_path: Path | None, _curves: Path | None
) -> Reading[EdgeKAN]:
    """The network of a pykan's state dict read from `path`.

    config_path: its `_config.yml`; if None, the one beside `<name>_state`, if there is one. Raises InputError if the
    weights are unusable, the configuration contradicts them, or lacks the name of a function that an edge has; and for
    nodes that multiply, which no crossbar does.
    """
    beside = _config_beside(path) if config_path is None else None
    used = config_path or beside
    config = None if used is None else _config(used)
    layers = sorted(int(found[1]) for name in state if (found := _COEF.fullmatch(name)))
    specs, own = list[SplineSpec](), dict[str, Tensor]()
    for number, layer in enumerate(layers):
        if number != layer:
            raise InputError(
                "layers are missing", where=path, expected=f"act_fun.{number}.coef", found=str(layers)[:80]
            )
        spec, tensors = _layer(state, layer, config, path, used)
        specs.append(spec)
        own |= {f"layers.{layer}.{name}": tensor for name, tensor in tensors.items()}
    _check_layers(specs, state, config, path, used)
    notes = [found_by_place(beside)] if beside is not None else []
    notes += [BASE_NOTE] if config is None else []
    return Reading(build(specs, "none", own, path), tuple(notes), config=used)


def _config_beside(path: Path) -> Path | None:
    if not path.name.endswith("_state"):
        return None
    beside = path.with_name(f"{path.name.removesuffix('_state')}_config.yml")
    return beside if is_there(beside) else None


def _config(path: Path) -> PykanConfig:
    return validate(PykanConfig, parse_yaml(read_file(path, "the configuration", MAX_YAML_BYTES), path), path)


def _layer(
    state: Mapping[str, Tensor], layer: int, config: PykanConfig | None, path: Path, config_path: Path | None
) -> tuple[SplineSpec, dict[str, Tensor]]:
    """What a layer is, and its numbers: masks, scales and affine maps of nodes are multiplied in."""
    prefix = f"act_fun.{layer}"
    for name, rank in (("coef", 3), ("grid", 2)):
        if f"{prefix}.{name}" not in state:
            raise InputError("the checkpoint lacks a tensor", where=path, expected=f"{prefix}.{name}")
        check_rank(f"{prefix}.{name}", state[f"{prefix}.{name}"], rank, path)
    n_in, n_out, functions = state[f"{prefix}.coef"].shape
    check_tensors(_of_layer(state, layer), _shapes(layer, n_in, n_out, functions, state[f"{prefix}.grid"]), path)
    grid, coef, mask, base, sp = (
        state[f"{prefix}.{name}"].double() for name in ("grid", "coef", "mask", "scale_base", "scale_sp")
    )
    scale, bias, node_scale, node_bias = (state[f"{name}_{layer}"].double() for name in _NODES)
    scale, bias = scale * node_scale, bias * node_scale + node_bias
    fixed, affine = _symbolic(state, layer, config, path, config_path)
    spec = SplineSpec(
        inputs=n_in,
        outputs=n_out,
        functions=functions,
        order=grid.shape[1] - functions - 1,
        base="silu" if config is None else config.base_fun_name,
        symbolic=fixed,
    )
    affine[:, 2:] *= scale[[edge.target for edge in fixed], None]
    return spec, {
        "spline": coef * (mask * sp * scale)[:, :, None],
        "base": mask * base * scale,
        "bias": bias,
        "grid": grid,
        "symbolic": affine,
    }


def _symbolic(
    state: Mapping[str, Tensor], layer: int, config: PykanConfig | None, path: Path, config_path: Path | None
) -> tuple[tuple[SymbolicEdge, ...], Tensor]:
    """The edges that are fixed to a function, and their a, b, c, d; the mask's factor is in c and d."""
    mask = state[f"symbolic_fun.{layer}.mask"].double()
    affine = state[f"symbolic_fun.{layer}.affine"].double()
    places = [] if config is not None and not config.symbolic_enabled else mask.nonzero().tolist()
    if places and (config is None or config_path is None):
        target, source = places[0]
        raise InputError(
            f"the edge from {source} to {target} of layer {layer} has a function that only pykan's configuration names",
            where=path,
            expected="the <name>_config.yml that model.saveckpt writes beside <name>_state",
            found="no configuration",
            hint="pass it with --config",
        )
    fixed, numbers = list[SymbolicEdge](), list[Tensor]()
    for target, source in places:
        if config is not None and config_path is not None:
            function = config.function(layer, target, source, config_path)
            fixed.append(SymbolicEdge(source=source, target=target, function=function))
            a, b, c, d = affine[target, source]
            numbers.append(torch.stack([a, b, c * mask[target, source], d * mask[target, source]]))
    return tuple(fixed), torch.stack(numbers) if numbers else torch.zeros(0, 4, dtype=torch.float64)


def _of_layer(state: Mapping[str, Tensor], layer: int) -> dict[str, Tensor]:
    begins = f"act_fun.{layer}.", f"symbolic_fun.{layer}."
    nodes = {f"{name}_{layer}" for name in _NODES}
    return {name: tensor for name, tensor in state.items() if name.startswith(begins) or name in nodes}


def _shapes(layer: int, n_in: int, n_out: int, functions: int, grid: Tensor) -> dict[str, tuple[int, ...]]:
    edges: tuple[int, ...] = (n_in, n_out)
    shapes: dict[str, tuple[int, ...]] = {
        f"act_fun.{layer}.grid": (n_in, max(grid.shape[1], functions + 1)),
        f"act_fun.{layer}.coef": (*edges, functions),
        f"symbolic_fun.{layer}.mask": edges[::-1],
        f"symbolic_fun.{layer}.affine": (*edges[::-1], 4),
    }
    shapes |= {f"act_fun.{layer}.{name}": edges for name in ("mask", "scale_base", "scale_sp")}
    return shapes | {f"{name}_{layer}": (n_out,) for name in _NODES}


def _check_layers(
    specs: list[SplineSpec], state: Mapping[str, Tensor], config: PykanConfig | None, path: Path, where: Path | None
) -> None:
    """Raises InputError for nodes that multiply, tensors of no layer, and widths that the configuration contradicts."""
    for layer, (before, after) in enumerate(pairwise(specs), 1):
        if before.outputs != after.inputs:
            _refuse_multiplication(f"layer {layer} gives {before.outputs} values, of which {after.inputs} go on", path)
    foreign = sorted(set(state) - {name for layer in range(len(specs)) for name in _of_layer(state, layer)})
    if foreign:
        problem = "the checkpoint holds tensors that no layer of a pykan 0.2 has"
        raise InputError(problem, where=path, found=", ".join(foreign[:4])[:200])
    if config is None:
        return
    widths = [specs[0].inputs, *(spec.outputs for spec in specs)]
    stated = [width if isinstance(width, int) else [*width, 0][0] for width in config.width]
    if any(isinstance(width, list) and any(width[1:]) for width in config.width):
        _refuse_multiplication(f"width {config.width}"[:200], where or path)
    if stated != widths:
        raise InputError(
            "'width' contradicts the weights",
            where=where,
            expected=f"{widths}, as in the weights",
            found=str(config.width)[:200],
            hint="use the configuration that was written with this checkpoint",
        )


def _refuse_multiplication(found: str, where: Path) -> None:
    raise InputError(
        "some nodes of this pykan multiply, which no device and no node of a crossbar does",
        where=where,
        expected="nodes that add: width [[n, 0], ...]",
        found=found,
        hint="train it with width=[n0, n1, ...]",
    )


STATES = AuthorsStates(FORMAT, recognises, read_pykan, ())
