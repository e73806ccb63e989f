"""Circuits of the KirchhoffNet authors' `bare` folder, the entry point that their README recommends.

`torch.save(circuit.state_dict(), ...)` holds `model.param` alone: (2, devices) with `use_diff`, a(p0 (v_s - v_d) + p1),
else (3, devices), a(p0 v_s + p1 v_d + p2). The topology, the activation and the times that `odeint` is asked for are
arguments in their code and no file holds them, so they are written beside it, by their names:

    net_topo: [[0, 1, 2], [1, 2, 0]]            # sources, destinations; 0 is ground
    device_cfg: {use_diff: false, activation: leakyrelu}
    t: [0.0, 1.0]                               # from when to when

Every node takes an input and gives an output. `noise_std` does nothing in their code.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field
from torch import Tensor

from kanspice.base.errors import InputError, errors_at
from kanspice.base.files import read_file
from kanspice.base.validation import CheckedTable, validate
from kanspice.families.common.formats import AuthorsStates, Reading
from kanspice.families.common.state import check_tensors
from kanspice.families.common.yaml_config import MAX_YAML_BYTES, parse_yaml
from kanspice.families.kirchhoffnet.branches import ActivationName, DeviceBranch
from kanspice.families.kirchhoffnet.network import KirchhoffNet
from kanspice.families.kirchhoffnet.topology import topology_from_edges

_PARAM = "model.param"
_ACTIVATIONS: dict[str | None, ActivationName | None] = {"tanh": "tanh", "leakyrelu": "leaky_relu", None: None}
_Node = Annotated[int, Field(strict=True, ge=0, le=1_000_000)]
_Nodes = Annotated[list[_Node], Field(min_length=1)]


def _not_a_flag(value: object) -> object:
    if isinstance(value, bool):
        raise ValueError("a number, not true or false")
    return value


_Time = Annotated[float, Field(allow_inf_nan=False), BeforeValidator(_not_a_flag)]


class _Device(CheckedTable):
    use_diff: Annotated[bool, Field(strict=True)] = False
    activation: Literal["tanh", "leakyrelu"] | None = None


class _Config(CheckedTable):
    net_topo: Annotated[list[_Nodes], Field(min_length=2, max_length=2)]
    device_cfg: _Device = _Device()
    t: Annotated[list[_Time], Field(min_length=2)]
    noise_std: float = 0.0


def recognises(names: Iterable[str]) -> bool:
    """Whether tensors of these names are the state of such a circuit."""
    return set(names) == {_PARAM}


def read_bare(
    state: Mapping[str, Tensor], path: Path, config_path: Path | None, _curves: Path | None
) -> Reading[KirchhoffNet]:
    """The circuit of a state dict read from `path`, with what its configuration says.

    Raises InputError if the configuration is missing or invalid, or contradicts the weights.
    """
    if config_path is None:
        raise InputError(
            "a circuit of the KirchhoffNet authors' bare code needs what its state dict does not hold",
            where=path,
            expected="a YAML or JSON file of net_topo, device_cfg and t",
            found="no config.yaml or config.json beside it",
            hint='write {"net_topo": net_topo.tolist(), "device_cfg": {"use_diff": false, "activation": "leakyrelu"}, '
            '"t": [0, 1]} with json.dump, as they were given to Circuit and odeint; pass it with --config',
        )
    mapping = parse_yaml(read_file(config_path, "the configuration", MAX_YAML_BYTES), config_path)
    config = validate(_Config, mapping, config_path)
    sources, destinations = config.net_topo
    with errors_at(config_path):
        if len(sources) != len(destinations):
            raise InputError(
                "'net_topo' is no topology",
                expected="as many sources as destinations",
                found=f"{len(sources)} and {len(destinations)}",
            )
        topology = topology_from_edges(list(zip(sources, destinations, strict=True)))
        duration = config.t[-1] - config.t[0]
        branch = DeviceBranch(
            negation=config.device_cfg.use_diff, activation=_ACTIVATIONS[config.device_cfg.activation]
        )
        check_tensors(dict(state), {_PARAM: (branch.rows, topology.edges)}, path)
        param = state[_PARAM]
        theta = param.flip(0) if config.device_cfg.use_diff else param
        model = KirchhoffNet([topology], [duration], branch, thetas=[theta]).eval()
    return Reading(model, config=config_path)


STATES = AuthorsStates("kirchhoffnet-bare", recognises, read_bare, (".yaml", ".yml", ".json"))
