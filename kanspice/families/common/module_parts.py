"""What a stand-in for a module holds, checked before it is used: numbers, widths, and lists of tensors.

A stranger's value can be larger than any text of it, so that errors name its type alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from torch import Tensor

from kanspice.base.errors import InputError
from kanspice.families.common.stand_ins import StandIn

MOST_LAYERS = 1000
_LISTED = 4
_Kind = TypeVar("_Kind")


def recognised(module: StandIn, kinds: Mapping[frozenset[str], _Kind], left_alone: Iterable[str], path: Path) -> _Kind:
    """Which kind of its class a module is of, by its attributes.

    kinds: attributes -> kind. left_alone: attributes that do not count. Raises InputError if there are more, or fewer.
    """
    found = {name for name in module.attributes if not name.startswith("_")} - set(left_alone)
    kind = kinds.get(frozenset(found))
    if kind is not None:
        return kind
    nearest = min(kinds, key=lambda known: len(known ^ found))
    more, less = sorted(found - nearest), sorted(nearest - found)
    parts = [f"with {_some(more)}"] if more else []
    parts += [f"without {_some(less)}"] if less else []
    raise InputError(
        f"this module's class, {module.class_name}, is not one of the authors' that kanspice knows",
        where=path,
        expected=f"these attributes: {', '.join(sorted(nearest))}",
        found=" and ".join(parts),
        hint="constants and equations belong to the class: train the network with one that is known",
    )


def plain_value(module: StandIn, name: str, wanted: type, path: Path) -> Any:
    """An attribute of this type; a whole number will do for a float. Raises InputError for another."""
    value = module.attributes.get(name)
    if type(value) is not wanted and not (wanted is float and type(value) is int):
        raise _unusable(name, wanted.__name__, value, path)
    return value


def layer_widths(module: StandIn, path: Path) -> list[int]:
    """`KANshape`, which `Nlayers` must agree with. Raises InputError if it is no list of whole numbers."""
    shape = module.attributes["KANshape"]
    if not isinstance(shape, list) or len(shape) > MOST_LAYERS or not all(type(width) is int for width in shape):
        raise _unusable("KANshape", "a list of widths", shape, path)
    layers = plain_value(module, "Nlayers", int, path)
    if layers != len(shape) - 1:
        raise InputError(
            "the module's 'Nlayers' contradicts 'KANshape'",
            where=path,
            expected=str(len(shape) - 1),
            found=str(layers)[:80],
        )
    return list(shape)


def tensor_lists(module: StandIn, names: Iterable[str], path: Path) -> dict[str, Tensor]:
    """Lists of tensors, one for each layer, as `<name>.<layer>`. Raises InputError if an attribute is anything else."""
    found: dict[str, Tensor] = {}
    for name in names:
        layers = module.attributes[name]
        if not isinstance(layers, list) or not 0 < len(layers) <= MOST_LAYERS:
            raise _unusable(name, "a list of tensors", layers, path)
        for index, tensor in enumerate(layers):
            if not isinstance(tensor, Tensor):
                raise _unusable(f"{name}[{index}]", "a tensor", tensor, path)
            found[f"{name}.{index}"] = tensor
    return found


def _some(names: list[str]) -> str:
    more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    return ", ".join(name[:80] for name in names[:_LISTED]) + more


def _unusable(name: str, expected: str, found: object, path: Path) -> InputError:
    shown = type(found).__name__
    return InputError(f"the module's {name!r} cannot be used", where=path, expected=expected, found=shown)
