"""Whole modules of the PhyKAN authors, read as stand-ins: of which of their classes one is, and what it holds.

Their classes bear the same names with other constants, and a file keeps no constants. What tells them apart is which
attributes they have: the class for the array has its cut-offs in tables, the earlier one has none, the one with batch
norm has the norm's tensors besides. What has any other attribute, or lacks one, is of a class that is not known here.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict
from torch import Tensor

from kanspice.base.errors import InputError
from kanspice.base.files import read_file
from kanspice.base.validation import validate
from kanspice.families.common.formats import AuthorsModules, Reading
from kanspice.families.common.json_config import parse_config
from kanspice.families.common.module_parts import layer_widths, plain_value, recognised, tensor_lists
from kanspice.families.common.stand_ins import StandIn
from kanspice.families.common.state import plain_state
from kanspice.families.phykan.authors import FORMAT, MAX_CONFIG_BYTES, NORM_TENSORS, TENSORS, AuthorsConfig, network
from kanspice.families.phykan.bandpass import EARLIER_CONSTANTS, BandConstants
from kanspice.families.phykan.network import PhyKAN

_CLASSES = ("PhyKAN", "PhyKAN_actor", "PhyKAN_critic")
_ALWAYS = frozenset({"Nlayers", "KANshape", "thresholding", "sigmoid_s", *TENSORS})
_TABLES = frozenset({"low_pass_lookup", "high_pass_lookup"})
_NORM = frozenset({"batch_norm", *NORM_TENSORS})
_LEFT_ALONE = frozenset(
    {"training", "lossfn", "load_model", "filter_optim", "threshold_optim", "batch_optim", "sched1"}
)
"""What says how the network was trained; `load_model` is the critic of an actor, or a model of its plant."""
_NORM_LIMIT = 10.0
"""What the class with batch norm limits values to before it squashes them."""


class _Kind(NamedTuple):
    """One of their classes: what a report calls it, its constants, and which of the raw cut-offs comes first."""

    name: str
    constants: BandConstants
    first_cutoff: Literal["low_pass", "high_pass"]


_KINDS: Mapping[frozenset[str], _Kind] = {
    _ALWAYS: _Kind("the earlier class, without tables of cut-offs", EARLIER_CONSTANTS, "high_pass"),
    _ALWAYS | _TABLES: _Kind("the class for the array", BandConstants(), "low_pass"),
    _ALWAYS | _TABLES | _NORM: _Kind("the class with batch norm", BandConstants(squash_limit=_NORM_LIMIT), "low_pass"),
}


class ModuleConfig(BaseModel):
    """What a `config.json` may say of a module, which says all the rest itself: an argument of the forward pass."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    input_sigmoid: bool = True
    task: Any = None


def recognises(module: StandIn) -> bool:
    """Whether it is a module of the authors' by its class's name."""
    return module.class_name in _CLASSES


def read_module(module: StandIn, path: Path, config_path: Path | None) -> Reading[PhyKAN]:
    """The network of a module read from `path`.

    Raises InputError if it is of a class that is not known, or holds what cannot be used.
    """
    kind = recognised(module, _KINDS, _LEFT_ALONE, path)
    stated = _stated(config_path)
    names = list(TENSORS)
    notes = [_about(module, kind)]
    if module.attributes.keys() >= _NORM:
        if plain_value(module, "batch_norm", bool, path):
            names += NORM_TENSORS
            notes.append("its batch norm is that after training: moving averages, a scale and an offset per output")
        else:
            notes.append("its batch norm was switched off in training (`batch_norm`), and is left out")
    state = plain_state(tensor_lists(module, names, path), path)
    config = {
        "KANshape": layer_widths(module, path),
        "filters_per_unit": _filters(state, path),
        "thresholding": plain_value(module, "thresholding", bool, path),
        "sigmoid_s": plain_value(module, "sigmoid_s", float, path),
        "constants": kind.constants.model_dump(exclude={"sigma"}),
        "first_cutoff": kind.first_cutoff,
        "input_sigmoid": stated.input_sigmoid,
    }
    if kind.first_cutoff == "low_pass" and config_path is None:
        notes.append(
            "inputs are squashed, as the class does by default: whether it was trained with `input_sigmoid=False` is"
            ' not in the file; a `--config` of {"input_sigmoid": false} says so'
        )
    model = network(state, validate(AuthorsConfig, config, path), path, config_path or path)
    task = stated.task if isinstance(stated.task, str) else ""
    return Reading(model, tuple(notes), task, config_path)


def _stated(config_path: Path | None) -> ModuleConfig:
    if config_path is None:
        return ModuleConfig()
    return parse_config(read_file(config_path, "the configuration", MAX_CONFIG_BYTES), ModuleConfig, config_path)


def _about(module: StandIn, kind: _Kind) -> str:
    c, first = kind.constants, kind.first_cutoff.replace("_", "-")
    clock = "without a clock" if c.clock_hz is None else f"clocked at {c.clock_hz:g} Hz"
    return (
        f"the file is a module of the authors' class {module.class_name}, of which tensors and numbers were read and "
        f"nothing was run; by its attributes it is {kind.name}: frequency 10^({c.frequency_offset:g} + "
        f"{c.frequency_span:g} s) {clock}, gain {c.gain_span:g} (p - {c.gain_centre:g}), cut-offs "
        f"10^({c.cutoff_offset:g} + {c.cutoff_span:g} p), the {first} filter's first"
    )


def _filters(state: Mapping[str, Tensor], path: Path) -> int:
    shape = state["filter_params.0"].shape
    if len(shape) != 4:
        raise InputError("filter_params.0 has the wrong shape", where=path, expected="4 axes", found=str(tuple(shape)))
    return shape[2]


MODULES = AuthorsModules(FORMAT, recognises, read_module)
