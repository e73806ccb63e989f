"""What kanspice's own checkpoint holds of a KirchhoffNet.

The JSON text: the branch function, each layer's duration and number of nodes, the input width, fill, residual and
read-out, and where there are such `projector`, its number of outputs, and `generation`. The state, for layer m from 0:
`layers.<m>.theta` (rows, columns), and the edges themselves in `layers.<m>.source`, `.destination`, `.parameter_index`
(edges,). Of a projector `projector.weight` (outputs, voltages read out) and `projector.bias` (outputs,).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor

from kanspice.base.errors import InputError, errors_at
from kanspice.families.common.formats import OwnFiles
from kanspice.families.common.json_config import parse_config
from kanspice.families.common.state import check_names, check_rank, check_tensors, check_type
from kanspice.families.kirchhoffnet.branches import Branch, branch_function
from kanspice.families.kirchhoffnet.generation import Generation
from kanspice.families.kirchhoffnet.network import KirchhoffNet
from kanspice.families.kirchhoffnet.projector import projector_in, projector_shapes
from kanspice.families.kirchhoffnet.readout import parse_readout
from kanspice.families.kirchhoffnet.topology import Topology

_EDGES = ("source", "destination", "parameter_index")
_PROJECTOR = "projector."
_Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
_Width = Annotated[int, Field(ge=1, le=1_000_000)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class _BranchConfig(_Part):
    name: str
    args: dict[str, Any]


class _LayerConfig(_Part):
    duration: _Positive
    nodes: _Width


class _GenerationConfig(_Part):
    image: Annotated[tuple[int, int, int], Field(strict=False)] | None


class OwnConfig(_Part):
    """What the JSON text of a checkpoint holds."""

    branch: _BranchConfig
    layers: Annotated[list[_LayerConfig], Field(min_length=1, max_length=1000)]
    input_width: _Width
    fill: Literal["zeros", "repeat"]
    residual: Annotated[tuple[int, int], Field(strict=False)] | None
    readout: str
    projector: _Width | None = None
    generation: _GenerationConfig | None = None


def config_of(model: KirchhoffNet) -> dict[str, object]:
    """The JSON object of a network. How the ODE is solved belongs to an experiment: it is left out."""
    layers, generation = zip(model.durations, model.nodes, strict=True), model.generation
    return {
        "branch": {"name": model.branch.name, "args": model.branch.model_dump()},
        "layers": [{"duration": duration, "nodes": nodes} for duration, nodes in layers],
        "input_width": model.input_width,
        "fill": model.fill,
        "residual": None if model.residual is None else list(model.residual),
        "readout": model.readout.name,
        **({} if model.projector is None else {"projector": model.projector.out_features}),
        **({} if generation is None else {"generation": {"image": generation.image and list(generation.image)}}),
    }


def check_state(model: KirchhoffNet, state: dict[str, Tensor], path: Path) -> None:
    """Raise InputError if the network's parameters are not worth keeping."""
    projector = None if model.projector is None else (model.readout.width, model.projector.out_features)
    check_tensors(state, _shapes(model.branch, model.topologies) | _shapes_of(projector), path)


def network(text: str, state: dict[str, Tensor], path: Path) -> KirchhoffNet:
    """The network of a checkpoint's JSON text and state. Raises InputError if anything in them is unusable."""
    config = parse_config(text, OwnConfig, path)
    branch = branch_function(config.branch.name, config.branch.args, path)
    with errors_at(path):
        read_out = parse_readout(config.readout, config.layers[-1].nodes).width
    projector = None if config.projector is None else (read_out, config.projector)
    of_projector = _shapes_of(projector)
    names = [f"layers.{m}.{name}" for m in range(len(config.layers)) for name in ("theta", *_EDGES)]
    check_names(state, [*names, *of_projector], path)
    with errors_at(path):
        topologies = [_topology(state, m, layer.nodes, path) for m, layer in enumerate(config.layers)]
        _check_nodes(topologies, config.input_width)
        check_tensors(state, _shapes(branch, topologies) | of_projector, path)
        return KirchhoffNet(
            topologies,
            [layer.duration for layer in config.layers],
            branch,
            input_width=config.input_width,
            fill=config.fill,
            residual=config.residual,
            readout=config.readout,
            projector=None if projector is None else projector_in(state, _PROJECTOR),
            generation=None if config.generation is None else Generation(config.generation.image),
            thetas=[state[f"layers.{m}.theta"] for m in range(len(topologies))],
        ).eval()


def _topology(state: Mapping[str, Tensor], m: int, nodes: int, path: Path) -> Topology:
    arrays = {name: state[f"layers.{m}.{name}"] for name in _EDGES}
    for name, array in arrays.items():
        check_type(f"layers.{m}.{name}", array, path)
        check_rank(f"layers.{m}.{name}", array, 1, path)
    return Topology(**{name: array.numpy() for name, array in arrays.items()}, nodes=nodes)


def _check_nodes(topologies: Sequence[Topology], input_width: int) -> None:
    """A few bytes may name a million nodes that nothing ever reaches."""
    for m, topology in enumerate(topologies):
        reached = 2 * topology.edges + input_width
        if topology.nodes > reached:
            problem = f"layer {m} has more nodes than its branches and the inputs can reach"
            raise InputError(problem, expected=f"at most {reached:,}", found=f"{topology.nodes:,}")


def _shapes_of(projector: tuple[int, int] | None) -> dict[str, tuple[int, ...]]:
    return {} if projector is None else projector_shapes(projector, _PROJECTOR)


def _shapes(branch: Branch, topologies: Sequence[Topology]) -> dict[str, tuple[int, ...]]:
    shapes: dict[str, tuple[int, ...]] = {}
    for m, topology in enumerate(topologies):
        shapes[f"layers.{m}.theta"] = (branch.rows, topology.parameters)
        shapes |= {f"layers.{m}.{name}": (topology.edges,) for name in _EDGES}
    return shapes


OWN = OwnFiles(config_of, check_state, network)
