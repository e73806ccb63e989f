"""What kanspice's own checkpoint holds of a KirchhoffNet.

The JSON text: the branch function, each layer's duration and number of nodes, the input width, fill, residual and
read-out, and `generation` where there is one. The state, for layer m from 0: `layers.<m>.theta` (rows, columns), and
the edges themselves in `layers.<m>.source`, `.destination`, `.parameter_index` (edges,).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor

from kanspice.errors import InputError
from kanspice.models.branches import Branch, branch_function
from kanspice.models.generation import Generation
from kanspice.models.json_config import parse_config
from kanspice.models.kirchhoffnet import KirchhoffNet
from kanspice.models.places import errors_at
from kanspice.models.state import check_names, check_rank, check_tensors, check_type
from kanspice.models.topology import Topology

FAMILY: Literal["kirchhoffnet"] = "kirchhoffnet"
_EDGES = ("source", "destination", "parameter_index")
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
        **({} if generation is None else {"generation": {"image": generation.image and list(generation.image)}}),
    }


def check_state(model: KirchhoffNet, state: dict[str, Tensor], path: Path) -> None:
    """Raise InputError if the network's parameters are not worth keeping."""
    check_tensors(state, _shapes(model.branch, model.topologies), path)


def network(text: str, state: dict[str, Tensor], path: Path) -> KirchhoffNet:
    """The network of a checkpoint's JSON text and state. Raises InputError if anything in them is unusable."""
    config = parse_config(text, OwnConfig, path)
    branch = branch_function(config.branch.name, config.branch.args, path)
    check_names(state, [f"layers.{m}.{name}" for m in range(len(config.layers)) for name in ("theta", *_EDGES)], path)
    with errors_at(path):
        topologies = [_topology(state, m, layer.nodes, path) for m, layer in enumerate(config.layers)]
        _check_nodes(topologies, config.input_width)
        check_tensors(state, _shapes(branch, topologies), path)
        return KirchhoffNet(
            topologies,
            [layer.duration for layer in config.layers],
            branch,
            input_width=config.input_width,
            fill=config.fill,
            residual=config.residual,
            readout=config.readout,
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


def _shapes(branch: Branch, topologies: Sequence[Topology]) -> dict[str, tuple[int, ...]]:
    shapes: dict[str, tuple[int, ...]] = {}
    for m, topology in enumerate(topologies):
        shapes[f"layers.{m}.theta"] = (branch.rows, topology.parameters)
        shapes |= {f"layers.{m}.{name}": (topology.edges,) for name in _EDGES}
    return shapes
