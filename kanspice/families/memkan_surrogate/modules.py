"""Whole modules of the MemKAN authors, read as stand-ins: synapses' parameters, and the surrogate that stands for them.

The surrogate, `edge_model`, is a torch Sequential of linear layers with ReLUs between them, from a synapse's voltage
and its five parameters to its output. Its authors made it for band-pass synapses and voltages of 0 to 1; a file does
not say so, and what `SurrogateConstants` hold is theirs.
"""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

from torch import Tensor

from kanspice.base.errors import InputError
from kanspice.base.validation import validate
from kanspice.families.common.formats import AuthorsModules, Reading
from kanspice.families.common.module_parts import MOST_LAYERS, layer_widths, plain_value, recognised, tensor_lists
from kanspice.families.common.stand_ins import StandIn
from kanspice.families.common.state import check_rank, check_tensors, plain_state
from kanspice.families.memkan_surrogate.checkpoint import MAX_UNITS, build, shapes
from kanspice.families.memkan_surrogate.network import SURROGATE_INPUTS, SurrogateConstants, SurrogateMemKAN

_CLASSES = ("MemKAN", "MemKAN_actor", "MemKAN_critic", "PhyKAN_memristor")
_TENSORS = {"edge_params": "raw", "gains": "gain", "biases": "bias"}
"""Their lists of tensors, and what we call them."""
_ATTRIBUTES = frozenset({"Nlayers", "KANshape", "edge_model", "sigmoid_s", *_TENSORS})
_LEFT_ALONE = frozenset({"training", "lossfn", "load_model", "edge_optim", "scheduler"})
_LOW_V, _HIGH_V = 0.0, 1.0
"""What the authors' surrogate was trained on."""


def recognises(module: StandIn) -> bool:
    """Whether it is a module of the authors' by its class's name."""
    return module.class_name in _CLASSES


def read_module(module: StandIn, path: Path, config_path: Path | None) -> Reading[SurrogateMemKAN]:
    """The network of a module read from `path`.

    Raises InputError if it is of a class that is not known, holds what cannot be used, or comes with a configuration.
    """
    if config_path is not None:
        raise InputError(
            "a module of the MemKAN authors needs no configuration",
            where=path,
            expected="no --config",
            found=f"--config {config_path}",
            hint="leave out --config",
        )
    recognised(module, {_ATTRIBUTES: True}, _LEFT_ALONE, path)
    widths = layer_widths(module, path)
    theirs = tensor_lists(module, _TENSORS, path)
    own = {f"layers.{name.partition('.')[2]}.{_ours(name)}": tensor for name, tensor in theirs.items()}
    state = plain_state(own | _surrogate(module.attributes["edge_model"], path), path)
    hidden, units = _hidden(state, path), _units(state, path)
    check_tensors(state, shapes(widths, units, hidden), path)
    sigma = plain_value(module, "sigmoid_s", float, path)
    model = build(widths, units, hidden, state, validate(SurrogateConstants, {"sigma": sigma}, path))
    return Reading(model, (_about(module, model), *_beyond(model)))


def _ours(name: str) -> str:
    return _TENSORS[name.partition(".")[0]]


def _surrogate(sequence: object, path: Path) -> dict[str, Tensor]:
    """The tensors of a sequence of linear layers and ReLUs, in turn, as `surrogate.<place>.weight` and `.bias`."""
    parts = _parts(sequence)
    kinds = [part.class_name for part in parts]
    if not parts or kinds != ["ReLU" if place % 2 else "Linear" for place in range(len(parts))] or len(parts) % 2 == 0:
        raise InputError(
            "the module's surrogate, 'edge_model', cannot be used",
            where=path,
            expected="a Sequential of Linear, ReLU, ..., Linear",
            found=", ".join(kinds[:9]) or type(sequence).__name__,
        )
    tensors: dict[str, Tensor] = {}
    for place, part in enumerate(parts):
        own = part.attributes.get("_parameters")
        for name in ("weight", "bias") if place % 2 == 0 else ():
            tensor = own.get(name) if isinstance(own, dict) else None
            if not isinstance(tensor, Tensor):
                raise InputError(
                    f"layer {place} of the module's surrogate cannot be used",
                    where=path,
                    expected=f"a tensor '{name}'",
                    found=type(tensor).__name__,
                )
            tensors[f"surrogate.{place}.{name}"] = tensor
    return tensors


def _parts(sequence: object) -> list[StandIn]:
    if not isinstance(sequence, StandIn) or sequence.class_name != "Sequential":
        return []
    parts = sequence.attributes.get("_modules")
    if not isinstance(parts, dict) or len(parts) > MOST_LAYERS:
        return []
    return [part for part in parts.values() if isinstance(part, StandIn)]


def _hidden(state: dict[str, Tensor], path: Path) -> list[int]:
    """Widths of the surrogate's hidden layers. Raises InputError if it is not a function of a synapse to a voltage."""
    weights = [name for name in state if name.startswith("surrogate.") and name.endswith(".weight")]
    for name in weights:
        check_rank(name, state[name], 2, path)
    sizes = [tuple(state[name].shape) for name in weights]
    fit = all(before[0] == after[1] for before, after in pairwise(sizes))
    if not fit or sizes[0][1] != SURROGATE_INPUTS or sizes[-1][0] != 1:
        raise InputError(
            "the module's surrogate does not take a synapse",
            where=path,
            expected=f"{SURROGATE_INPUTS} inputs, a voltage and 5 parameters, and 1 output",
            found=", ".join(f"{inputs} to {outputs}" for outputs, inputs in sizes[:9]),
        )
    return [outputs for outputs, _ in sizes[:-1]]


def _units(state: dict[str, Tensor], path: Path) -> int:
    check_rank("edge_params.0", state["layers.0.raw"], 4, path)
    units = int(state["layers.0.raw"].shape[2])
    if units > MAX_UNITS:
        raise InputError("there are too many synapses", where=path, expected=f"at most {MAX_UNITS}", found=f"{units}")
    return units


def _about(module: StandIn, model: SurrogateMemKAN) -> str:
    widths = "-".join(str(width) for width in (SURROGATE_INPUTS, *model.hidden, 1))
    return (
        f"the file is a module of the authors' class {module.class_name}, of which tensors and numbers were read and "
        f"nothing was run. The network is the one they train, with a surrogate ({widths}) for its band-pass synapses; "
        "the circuit has the synapses, so the gap of an ideal circuit is the surrogate's error"
    )


def _beyond(model: SurrogateMemKAN) -> list[str]:
    """A note where trained biases take voltages out of what the surrogate knows."""
    low = min(float(layer.bias.detach().min()) for layer in model.surrogate_layers())
    high = 1 + max(float(layer.bias.detach().max()) for layer in model.surrogate_layers())
    if low >= _LOW_V and high <= _HIGH_V:
        return []
    return [
        f"synapses get {low:.3g} to {high:.3g} V; the authors' surrogate was trained on {_LOW_V:g} to {_HIGH_V:g} V"
    ]


MODULES = AuthorsModules("memkan-authors", recognises, read_module)
