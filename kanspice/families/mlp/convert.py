"""A module of torch's as a multilayer perceptron: nothing of it is guessed, and what cannot be taken is named."""

from __future__ import annotations

import copy
from collections.abc import Iterator

import torch
from torch import nn

from kanspice.base.errors import InputError, errors_at
from kanspice.families.mlp.activations import PLAIN, DeviceActivation
from kanspice.families.mlp.network import MLP

_NOTHING = (nn.Identity, nn.Dropout, nn.Flatten)
"""What does nothing to samples (samples, width) in evaluation mode."""
_TAKEN = (nn.Linear, nn.BatchNorm1d, nn.LayerNorm, *PLAIN.values(), DeviceActivation)
_SUPPORTED = "Linear, BatchNorm1d, LayerNorm, ReLU, Sigmoid, Tanh, DeviceActivation, Sequential, and in between "
_SUPPORTED += "Identity, Dropout, Flatten"
_CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)


def convert(module: nn.Module) -> MLP:
    """The network of an `nn.Sequential`, nested ones included, or of a single layer, as it is in evaluation mode.

    The module stays as it is: its parameters are copied, and widened to float64. Layers without bias or gain get those
    that do nothing. Raises InputError, naming the place and the type, for what has no circuit here, for modules whose
    own code says what they do, and for layers that do not fit together.
    """
    if not isinstance(module, nn.Module):
        raise InputError(
            "only a module of torch can be converted",
            expected="an nn.Sequential",
            found=f"a {type(module).__name__}",
            hint="of a state dict: load it into the module first, or kanspice.load its file",
        )
    with torch.no_grad():
        layers = {place: _complete(layer, place) for place, layer in _layers(module, "")}
    with errors_at(f"a {type(module).__name__}"):
        return MLP([*layers.values()], places=[*layers]).eval()


def _layers(module: nn.Module, place: str) -> Iterator[tuple[str, nn.Module]]:
    """Those that do something, in order, each with its place, such as `0.2`."""
    if type(module) in (nn.Sequential, *_TAKEN, *_NOTHING):
        _check_plain(module, place)
    if type(module) is nn.Sequential:
        for name, inner in module._modules.items():  # named_children() leaves out what comes a second time
            if inner is None:
                continue
            yield from _layers(inner, f"{place}.{name}" if place else name)
    elif type(module) in _TAKEN:
        yield place, module
    elif type(module) not in _NOTHING or (isinstance(module, nn.Flatten) and module.start_dim not in (1, -1)):
        raise _unsupported(module, place)


def _check_plain(module: nn.Module, place: str) -> None:
    """Raises InputError for hooks and a `forward` of its own, which change what a module does."""
    if "forward" in vars(module):
        raise InputError(
            f"{_named(module, place)} has another forward than its type",
            where=place or None,
            expected="modules as torch defines them",
            hint="`del module.forward` gives it back its own",
        )
    if module._forward_hooks or module._forward_pre_hooks:
        raise InputError(
            f"{_named(module, place)} has hooks, which change what it does",
            where=place or None,
            expected="modules as torch defines them",
            hint="remove them, as with torch.nn.utils.remove_weight_norm or remove_spectral_norm",
        )


def _unsupported(module: nn.Module, place: str) -> InputError:
    hint = "kanspice.convert takes what a Sequential's modules do one after the other"
    if isinstance(module, nn.RNNBase | nn.RNNCellBase):
        problem = f"{_named(module, place)} is recurrent: what it does depends on what was before"
    elif isinstance(module, _CONVOLUTIONS):
        problem = f"{_named(module, place)} is a convolution, which a multilayer perceptron has no layer for"
    elif any(isinstance(child, nn.Module) for child in module.children()):
        problem = f"what {_named(module, place)} does is the code of its forward method, which is not read"
        inner = next((name for name, child in module.named_children() if type(child) is nn.Sequential), None)
        hint = f"convert its Sequential: kanspice.convert(module.{inner})" if inner else hint
    else:
        problem = f"{_named(module, place)} has no circuit here"
    return InputError(problem, where=place or None, expected=_SUPPORTED, found=type(module).__name__, hint=hint)


def _named(module: nn.Module, place: str) -> str:
    return f"the layer {place}, {type(module).__name__}," if place else f"this {type(module).__name__}"


def _complete(layer: nn.Module, place: str) -> nn.Module:
    """A copy on the central processor, with the parameters that do nothing where it has none."""
    _check_parameters(layer, place)
    own = copy.deepcopy(layer).cpu()
    if isinstance(own, nn.LayerNorm) and len(own.normalized_shape) != 1:
        raise InputError(
            f"{_named(layer, place)} normalises over several axes",
            where=place or None,
            expected="one axis, of a sample's values",
            found=str(tuple(own.normalized_shape)),
        )
    if isinstance(own, nn.BatchNorm1d) and own.running_var is None:
        raise InputError(
            f"{_named(layer, place)} has no running statistics: what it does depends on the other samples of a batch",
            where=place or None,
            expected="track_running_stats=True",
        )
    if isinstance(own, nn.Linear | nn.BatchNorm1d | nn.LayerNorm):
        width = own.out_features if isinstance(own, nn.Linear) else _width(own)
        if own.weight is None:
            own.weight = nn.Parameter(torch.ones(width))
        if own.bias is None:
            own.bias = nn.Parameter(torch.zeros(width))
    return own


def _check_parameters(layer: nn.Module, place: str) -> None:
    """Raises InputError for parameters that are not there as real numbers of their own."""
    for name in ("weight", "bias", "running_mean", "running_var"):
        tensor = getattr(layer, name, None)
        if tensor is None:
            continue
        if tensor.is_meta or tensor.is_complex():
            found = "tensors on the device meta, without values" if tensor.is_meta else f"{tensor.dtype}"
        elif not tensor.is_leaf:
            found = "a tensor that is computed from others"
        else:
            continue
        raise InputError(
            f"the {name} of {_named(layer, place).rstrip(',')} cannot be copied",
            where=place or None,
            expected="a parameter of real numbers",
            found=found,
        )


def _width(norm: nn.BatchNorm1d | nn.LayerNorm) -> int:
    return norm.num_features if isinstance(norm, nn.BatchNorm1d) else norm.normalized_shape[0]
