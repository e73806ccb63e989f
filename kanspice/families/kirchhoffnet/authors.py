"""Checkpoints of the KirchhoffNet authors' training code: `model.pth` (a state dict) beside `config.yaml`.

The state dict holds `circuit.layer_list.<l>.model.param` (rows, edges), float32, for layer l from 0. The order of
the columns is the order of the edges that the topologies in `network.net_struct` give. Their code stores one column
per edge even where `sharing` is set; a checkpoint with one column per shared parameter is read as well.

Where `network.projector` is `mlp_<a>_<b>` it holds `projector.net.0.weight` (b, a) and `projector.net.0.bias` (b,) too;
of a list it is `projector.<i>.net.0.weight`, and what comes before it in the list chooses the a nodes it takes.

`config.yaml` does not say how many inputs there are. All nodes of the first layer take an input; in a
`_mix_connect` layer the nodes of its grid do, and the projected nodes start at 0 V or as `fill` says, unless the
network generates: then all do. A network that was trained with fewer inputs takes them filled up with zeros to that
many.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from torch import Tensor

from kanspice.base.errors import InputError, errors_at
from kanspice.families.common.formats import AuthorsStates, Reading
from kanspice.families.common.state import check_names, check_rank, check_tensors
from kanspice.families.kirchhoffnet.branches import Branch, branch_function
from kanspice.families.kirchhoffnet.config import AuthorsConfig
from kanspice.families.kirchhoffnet.generation import Generation
from kanspice.families.kirchhoffnet.network import KirchhoffNet
from kanspice.families.kirchhoffnet.projector import check_projector, projector_in, projector_shapes, projector_widths
from kanspice.families.kirchhoffnet.readout import parse_readout
from kanspice.families.kirchhoffnet.topology import Recipe, Topology, recipe

_PARAM = re.compile(r"circuit\.layer_list\.(\d{1,6})\.model\.param")


def recognises(names: Iterable[str]) -> bool:
    """Whether tensors of these names are a checkpoint of the authors' code."""
    return any(_PARAM.fullmatch(name) for name in names)


def read_authors(
    state: Mapping[str, Tensor], path: Path, config_path: Path | None, _curves: Path | None
) -> Reading[KirchhoffNet]:
    """The network of an authors' state dict read from `path`, with the settings of its config.yaml.

    Raises InputError if the config is missing or invalid, contradicts the weights, or the weights are unusable.
    """
    if config_path is None:
        raise InputError(
            "a checkpoint of the KirchhoffNet authors' code needs its configuration",
            where=path,
            expected="the config.yaml that was written beside it",
            found="none beside it, and none in configs/",
            hint="pass it with --config config.yaml",
        )
    config = AuthorsConfig(config_path)
    branch = branch_function(config.branch.name, config.branch.args, config_path)
    projectors, prefix = config.around.projectors, config.around.prefix
    projector = projector_widths(projectors[-1]) if projectors else None
    of_projector = {} if projector is None else projector_shapes(projector, prefix)
    readout = next((name for name in projectors if projector_widths(name) is None), "all")
    names = _names(state, len(config.layers), of_projector, path, config_path)
    recipes = [recipe(entry.name, entry.args, _place(config_path, index)) for index, entry in enumerate(config.layers)]
    topologies = [
        _topology(own, state[name], branch, _place(config_path, index), name)
        for index, (own, name) in enumerate(zip(recipes, names, strict=True))
    ]
    if projector is not None:
        with errors_at(f"{config_path}, network.projector"):
            check_projector(projector, parse_readout(readout, topologies[-1].nodes).width)
    check_tensors(state, {name: tuple(state[name].shape) for name in names} | of_projector, path)
    residual = config.around.residual
    with errors_at(config_path):
        if config.generates:
            topologies = _same_nodes(topologies)
        model = KirchhoffNet(
            topologies,
            config.durations,
            branch,
            input_width=topologies[0].nodes if config.generates else recipes[0].inputs(topologies[0]),
            fill=config.around.fill,
            residual=None if residual is None else (residual[0] + 1, residual[1] + 1),
            readout=readout,
            projector=None if projector is None else projector_in(state, prefix),
            generation=Generation(recipes[-1].image(topologies[-1])) if config.generates else None,
            thetas=[state[name][: branch.rows] for name in names],
        ).eval()
    return Reading(model, notes=config.notes, config=config_path)


def _same_nodes(topologies: Sequence[Topology]) -> list[Topology]:
    """As the authors' augmented pass has it: nodes that a later layer does not connect keep their voltages."""
    nodes = topologies[0].nodes
    for index, topology in enumerate(topologies, start=1):
        if topology.nodes > nodes:
            raise InputError(
                "a layer of a network that generates has more nodes than the first",
                expected=f"at most {nodes} nodes, one for each input",
                found=f"{topology.nodes} in layer {index}",
            )
    return [Topology(t.source, t.destination, t.parameter_index, nodes) for t in topologies]


def _names(
    state: Mapping[str, Tensor], layers: int, besides: Iterable[str], path: Path, config_path: Path
) -> list[str]:
    """The parameters' names in the order of the layers.

    Raises InputError if there are more, fewer, or others; besides: those of what is around the layers.
    """
    found = sum(_PARAM.fullmatch(name) is not None for name in state)
    if found != layers:
        raise InputError(
            "'network.net_struct' contradicts the weights",
            where=config_path,
            expected=f"{found} layer(s), as in the weights",
            found=f"{layers} layer(s)",
            hint="use the configuration that was written with this checkpoint",
        )
    names = [f"circuit.layer_list.{index}.model.param" for index in range(layers)]
    check_names(state, [*names, *besides], path)
    return names


def _place(config_path: Path, index: int) -> str:
    return f"{config_path}, network.net_struct, layer {index + 1}"


def _topology(own: Recipe, param: Tensor, branch: Branch, place: str, name: str) -> Topology:
    """The layer's edges, compared with its parameters: (rows, edges)."""
    with errors_at(place):
        check_rank(name, param, 2, Path(place))
        topology = own.build()
        rows, columns = param.shape
        if rows not in (branch.rows, branch.stored_rows):
            raise InputError(
                "the branch function contradicts the weights",
                expected=f"{branch.stored_rows} parameters per edge for {branch.name}",
                found=f"{rows} rows in {name}",
            )
        if columns == topology.edges:
            return topology.unshared()
        if columns != topology.parameters:
            raise InputError(
                "the topology contradicts the weights: another number of edges",
                expected=f"{columns:,} edges, as in {name}",
                found=f"{topology.edges:,} edges from this topology",
                hint="use the configuration that was written with this checkpoint",
            )
        return topology


STATES = AuthorsStates("kirchhoffnet-authors", recognises, read_authors, (".yaml", ".yml"))
