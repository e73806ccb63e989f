"""Checks of a state dict from a stranger: plain dense real tensors, of the expected names and shapes, finite."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import torch
from torch import Tensor

from kanspice.base.errors import InputError

MAX_ELEMENTS = 200_000_000  # of all tensors together; the largest published network has 13,644,288 parameters
MIN_RUNNING_VARIANCE = 1e-10
_LARGEST_REPETITION = 1_000_000
"""Bytes of a tensor that is more than the file holds: an expanded view, which a few bytes describe."""
_WHOLE_NUMBERS = {"num_batches_tracked", "source", "destination", "parameter_index"}
_FLOATS = (torch.float32, torch.float64)
_LARGEST = torch.finfo(torch.float32).max
_WRAPPINGS = ("model_state", "state_dict", "model_state_dict")
"""Names under which a training keeps the state dict, beside its optimizer's state and what it has reached."""


def unwrapped(value: object, where: Path) -> tuple[object, str | None]:
    """The state dict in a checkpoint that holds more than one, and what to say of it; anything else as it is.

    Raises InputError where two entries could be the state dict.
    """
    held = [name for name in _WRAPPINGS if isinstance(value, Mapping) and isinstance(value.get(name), Mapping)]
    if not isinstance(value, Mapping) or not held:
        return value, None
    if len(held) > 1:
        raise InputError(
            "the checkpoint holds several state dicts",
            where=where,
            expected=f"one of {', '.join(_WRAPPINGS)}",
            found=" and ".join(held),
            hint="save the one that is meant: torch.save(checkpoint[...], path)",
        )
    epoch = value.get("epoch")
    when = f", of epoch {epoch}" if isinstance(epoch, int) else ""
    return value[held[0]], f"weights: '{held[0]}' of a training's checkpoint{when}"


def plain_state(value: object, where: Path) -> dict[str, Tensor]:
    """The value as a dictionary of dense CPU tensors. Raises InputError if it is anything else, or too large."""
    if not isinstance(value, Mapping) or not value:
        raise InputError(
            "the checkpoint holds no state dict",
            where=where,
            expected="a dictionary of named tensors",
            found="an empty dictionary" if isinstance(value, Mapping) else type(value).__name__,
            hint="save it with torch.save(model.state_dict(), path)",
        )
    state = {_name(name, where): _dense(name, tensor, where) for name, tensor in value.items()}
    elements = sum(tensor.numel() for tensor in state.values())
    if elements > MAX_ELEMENTS:
        raise InputError(
            "the checkpoint's tensors are too large",
            where=where,
            expected=f"at most {MAX_ELEMENTS:,} elements together",
            found=f"{elements:,}",
        )
    return state


def _name(name: object, where: Path) -> str:
    if not isinstance(name, str) or not name.isprintable():
        raise InputError(
            "the state dict has a name that is no text",
            where=where,
            expected="tensors named by text that can be read",
            found=repr(name)[:80],
        )
    return name


def _dense(name: object, tensor: object, where: Path) -> Tensor:
    if not isinstance(tensor, Tensor):
        raise InputError(
            f"{name} is not a tensor",
            where=where,
            expected="a dictionary of named tensors",
            found=type(tensor).__name__,
            hint="save only the weights: torch.save(model.state_dict(), path)",
        )
    if tensor.layout != torch.strided or tensor.device.type != "cpu" or tensor.is_quantized or tensor.is_nested:
        raise InputError(
            f"{name} is not a plain dense tensor",
            where=where,
            expected="dense numbers",
            found=f"layout {tensor.layout}, device {tensor.device.type}, {tensor.dtype}",
        )
    size, held = tensor.numel() * tensor.element_size(), tensor.untyped_storage().nbytes()
    if size > max(held, _LARGEST_REPETITION):
        raise InputError(
            f"{name} repeats the same few numbers",
            where=where,
            expected="the numbers of a trained network, each in the file",
            found=f"{tensor.numel():,} numbers out of {held:,} bytes",
        )
    return tensor.detach()


def check_names(state: Mapping[str, Tensor], expected: Iterable[str], where: Path) -> None:
    """Raise InputError unless the state dict has exactly the expected tensors."""
    wanted = set(expected)
    missing, unexpected = sorted(wanted - set(state)), sorted(set(state) - wanted)
    if missing or unexpected:
        found = [f"without {_some(missing)}"] if missing else []
        found += [f"with {_some(unexpected)}"] if unexpected else []
        raise InputError(
            "the checkpoint's tensors are not those of the network that its configuration describes",
            where=where,
            expected=f"{len(wanted)} tensors: {_some(sorted(wanted), limit=12)}",
            found=", ".join(found),
            hint="check that the configuration belongs to this checkpoint",
        )


def _some(names: list[str], limit: int = 4) -> str:
    more = f" and {len(names) - limit} more" if len(names) > limit else ""
    return ", ".join(name[:80] for name in names[:limit]) + more


def check_tensors(state: Mapping[str, Tensor], shapes: Mapping[str, tuple[int, ...]], where: Path) -> None:
    """Raise InputError unless each tensor has the shape in `shapes`, a usable type, and finite, not absurd values."""
    check_names(state, shapes, where)
    for name, shape in shapes.items():
        check_type(name, state[name], where)
        if tuple(state[name].shape) != shape:
            raise InputError(
                f"{name} has the wrong shape", where=where, expected=str(shape), found=str(tuple(state[name].shape))
            )
        if not _is_whole(name):
            _check_finite(name, state[name], where)
            _check_size(name, state[name], where)
        if name.endswith("running_var"):
            _check_variance(name, state[name], where)


def check_rank(name: str, tensor: Tensor, rank: int, where: Path) -> None:
    """Raise InputError unless the tensor has this rank and no axis of length 0."""
    if tensor.ndim != rank or 0 in tensor.shape:
        raise InputError(
            f"{name} has the wrong shape",
            where=where,
            expected=f"{rank} axes, none of them empty",
            found=f"shape {tuple(tensor.shape)}",
        )


def _is_whole(name: str) -> bool:
    """Whether the tensor holds counts or node numbers; all others hold weights."""
    return name.rsplit(".", 1)[-1] in _WHOLE_NUMBERS


def check_type(name: str, tensor: Tensor, where: Path) -> None:
    """Raise InputError unless the tensor holds float32 or float64; int64 where its name says whole numbers."""
    allowed = (torch.int64,) if _is_whole(name) else _FLOATS
    if tensor.dtype not in allowed:
        raise InputError(
            f"{name} has the wrong type of number",
            where=where,
            expected=" or ".join(str(dtype) for dtype in allowed),
            found=str(tensor.dtype),
        )


def _check_finite(name: str, tensor: Tensor, where: Path) -> None:
    bad = (~torch.isfinite(tensor)).nonzero()
    if len(bad):
        first = tuple(int(i) for i in bad[0])
        raise InputError(
            f"{name} holds values that are not finite",
            where=where,
            expected="finite weights",
            found=f"{len(bad)} of {tensor.numel()} are NaN or infinite, the first at index {first}",
            hint="the training diverged, or the file is damaged: use another checkpoint",
        )


def _check_size(name: str, tensor: Tensor, where: Path) -> None:
    """What is computed of larger weights overflows sooner or later."""
    bad = (tensor.abs() > _LARGEST).nonzero()
    if len(bad):
        first = tuple(int(i) for i in bad[0])
        raise InputError(
            f"{name} holds values that are too large",
            where=where,
            expected=f"at most {_LARGEST:.3g} of either sign, the largest that float32 holds",
            found=f"{len(bad)} of {tensor.numel()} are larger, the first, {tensor[first]:.3g}, at index {first}",
            hint="the training diverged, or the file is damaged: use another checkpoint",
        )


def _check_variance(name: str, variance: Tensor, where: Path) -> None:
    bad = (variance < MIN_RUNNING_VARIANCE).nonzero()
    if len(bad):
        index = int(bad[0])
        raise InputError(
            f"{name} holds variances that are negative or almost zero",
            where=where,
            expected=f"at least {MIN_RUNNING_VARIANCE:g}",
            found=f"{len(bad)} of {variance.numel()} below it, the first at index {index}: {float(variance[index]):g}",
            hint="a channel that never varies carries nothing: train with all inputs, or drop the channel",
        )
