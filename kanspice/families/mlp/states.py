"""State dicts of an `nn.Sequential` of Linear, BatchNorm1d, LayerNorm and activations, with a small configuration.

Names are `<n>.weight`, `<n>.bias` and of a BatchNorm `<n>.running_mean`, `<n>.running_var`, whatever stands before
them (`network.`, `model.layers.`). Activations, dropout and flattening leave gaps in the numbers, and the configuration
says what fills them. `<n>.<k>.weight` is of a Sequential within: what that ends with leaves no gap, so that the
configuration has to name every place. Those of the KANalogue authors' MLPs are read like any other.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import get_args

from torch import Tensor

from kanspice.base.errors import InputError, errors_at
from kanspice.families.common.formats import AuthorsStates, Reading
from kanspice.families.common.state import check_tensors
from kanspice.families.mlp.authors import TABLES, authors_activation
from kanspice.families.mlp.checkpoint import Layer, LinearLayer, NormLayer, build, layer_shapes
from kanspice.families.mlp.config import (
    LayerChoice,
    Nothing,
    SequentialConfig,
    activation_layer,
    device_layer,
    read_config,
)
from kanspice.families.mlp.network import MLP

FORMAT = "sequential"
_STATISTICS = ("running_mean", "running_var", "num_batches_tracked")
_TENSORS = ("weight", "bias", *_STATISTICS, *TABLES)
_NUMBER = r"(?:0|[1-9]\d{0,5})"
_NAME = re.compile(rf"((?:[A-Za-z_]\w*\.)*)({_NUMBER}(?:\.{_NUMBER})*)\.({'|'.join(_TENSORS)})")
_MOST_PLACES = 10_000


@dataclass(frozen=True)
class _Sequence:
    """Tensors of a Sequential by place and name, of a file; prefix: what their names begin with.

    names: of places, where they are not their numbers: in Sequentials within others.
    """

    prefix: str
    places: Mapping[int, Mapping[str, Tensor]]
    state: Mapping[str, Tensor]
    path: Path
    names: Sequence[str] = ()

    def layer(self, place: int) -> str:
        return f"{self.prefix}{self.names[place] if self.names else place}"


def recognises(names: Iterable[str]) -> bool:
    """Whether tensors of these names are those of one Sequential."""
    found = [_NAME.fullmatch(name) for name in names]
    prefixes = {match[1] for match in found if match is not None}
    return (
        None not in found and len(prefixes) == 1 and any(match is not None and match[3] == "weight" for match in found)
    )


def read_sequential(
    state: Mapping[str, Tensor], path: Path, config_path: Path | None, _curves: Path | None
) -> Reading[MLP]:
    """The network of a state dict read from `path`, with what its configuration says of it.

    Raises InputError if the configuration is missing or invalid, contradicts the weights or leaves open what fills a
    gap, or the weights are unusable.
    """
    if config_path is None:
        raise InputError(
            "the state dict of a Sequential needs a configuration: weights do not tell which activations there are",
            where=path,
            expected='a config.json, such as {"activation": "relu"}',
            found="none beside it, and none in configs/",
            hint="pass it with --config config.json, or save kanspice.convert(module) with kanspice.save",
        )
    config = read_config(config_path)
    sequence = _sequence(state, path, config, config_path)
    known = {place: _layer_of(sequence, place, config) for place in sequence.places if not _is_spline(sequence, place)}
    _check_widths(known, config, config_path)
    layers = _filled(sequence, known, config, config_path)
    own: dict[str, Tensor] = {}
    for number, (place, layer) in enumerate(layers):
        own |= {f"layers.{number}.{name}": sequence.places[place][name] for name in layer_shapes(layer)}
    with errors_at(path):
        places = [sequence.layer(place) for place, _ in layers]
        model = build([layer for _, layer in layers], own, path, places)
    norms = {sequence.layer(place): layer for place, layer in layers if isinstance(layer, NormLayer)}
    notes = [f"eps of norms: {config.eps:g}, which the weights do not tell"] if norms else []
    notes += _taken(norms) if config.layers is None else []
    if config.layers is None and (first := layers[0][0]) > 0:
        before = ", ".join(sequence.layer(place) for place in range(min(first, 8)))
        notes.append(
            f"{before}: taken for what does nothing, as Flatten ('layers' in the configuration can say otherwise)"
        )
    return Reading(model, notes=tuple(notes), config=config_path)


_NORMS = {"batch_norm": ("BatchNorm1d", "InstanceNorm1d"), "layer_norm": ("LayerNorm", "GroupNorm")}


def _taken(norms: Mapping[str, NormLayer]) -> list[str]:
    """What was assumed of norms: another one has the same tensors."""
    found = list[str]()
    for kind, (taken, other) in _NORMS.items():
        places = ", ".join(name for name, layer in norms.items() if layer.kind == kind)[:200]
        if places:
            hint = "'layers' in the configuration states which"
            found.append(f"{places}: taken for {taken}, which the weights do not tell from {other} ({hint})")
    return found


def _sequence(state: Mapping[str, Tensor], path: Path, config: SequentialConfig, config_path: Path) -> _Sequence:
    tensors: dict[str, dict[str, Tensor]] = {}
    prefix = ""
    for name, tensor in state.items():
        match = _NAME.fullmatch(name)
        if match is None or max(map(int, match[2].split("."))) >= _MOST_PLACES:
            raise InputError("a tensor is of no layer of the Sequential", where=path, found=name[:80])
        prefix = match[1]
        tensors.setdefault(match[2], {})[match[3]] = tensor
    stated = config.places
    if not any("." in place for place in (*tensors, *(stated or ()))):
        places = {int(place): found for place, found in tensors.items()}
        return _Sequence(prefix, dict(sorted(places.items())), state, path)
    if stated is None:
        raise InputError(
            "weights of Sequentials within Sequentials leave open what the inner ones end with",
            where=config_path,
            expected="'layers', which names every place, with a list for each Sequential within",
            found="weights at " + ", ".join(f"{prefix}{place}" for place in tensors)[:200],
            hint='"layers": [["linear", "relu"], ["linear", "relu"], "linear"], for example',
        )
    numbers = {place: number for number, place in enumerate(stated)}
    unknown = next((place for place in tensors if place not in numbers), None)
    if unknown is not None:
        raise _contradiction("layers", f"weights at {prefix}{unknown}", "no entry there", config_path)
    places = {numbers[place]: found for place, found in tensors.items()}
    return _Sequence(prefix, dict(sorted(places.items())), state, path, list(stated))


def _is_spline(sequence: _Sequence, place: int) -> bool:
    return "xs" in sequence.places[place]


def _layer_of(sequence: _Sequence, place: int, config: SequentialConfig) -> LinearLayer | NormLayer:
    """What the tensors of a place are of, each of them checked."""
    tensors, name = sequence.places[place], sequence.layer(place)
    weight = tensors.get("weight")
    layer: LinearLayer | NormLayer
    if weight is None:
        raise InputError(f"{name} has no weight", where=sequence.path, found=", ".join(tensors))
    if weight.ndim == 2 and 0 not in weight.shape:
        layer = LinearLayer(inputs=weight.shape[1], outputs=weight.shape[0])
    elif weight.ndim == 1 and weight.numel():
        kind = "batch_norm" if "running_mean" in tensors else "layer_norm"
        layer = NormLayer(kind=kind, width=weight.numel(), eps=config.eps)  # type: ignore[arg-type]
    else:
        raise InputError(
            f"{name} is neither a linear layer nor a norm",
            where=sequence.path,
            expected="weights of two axes (outputs, inputs), or of one",
            found=f"{name}.weight of shape {tuple(weight.shape)}{', as a convolution has' * (weight.ndim > 2)}",
        )
    if "bias" not in tensors:
        raise InputError(
            f"{name} has no bias",
            where=sequence.path,
            expected=f"{name}.bias, which every layer of such a network has",
            found=", ".join(f"{name}.{tensor}" for tensor in tensors),
            hint="kanspice.convert(module) takes layers without one",
        )
    shapes = {f"{name}.{tensor}": shape for tensor, shape in layer_shapes(layer).items()}
    check_tensors({f"{name}.{tensor}": values for tensor, values in tensors.items()}, shapes, sequence.path)
    return layer


def _check_widths(known: Mapping[int, Layer], config: SequentialConfig, config_path: Path) -> None:
    linear = [layer for layer in known.values() if isinstance(layer, LinearLayer)]
    if not linear:
        raise InputError("the network has no linear layer", where=config_path, expected="weights of two axes")
    hidden, inputs = [layer.outputs for layer in linear[:-1]], linear[0].inputs
    if config.input_dim not in (None, inputs):
        raise _contradiction("input_dim", str(inputs), str(config.input_dim), config_path)
    if config.HIDDEN_DIMS not in (None, hidden):
        raise _contradiction("HIDDEN_DIMS", str(hidden), str(config.HIDDEN_DIMS), config_path)


def _filled(
    sequence: _Sequence, known: Mapping[int, Layer], config: SequentialConfig, config_path: Path
) -> list[tuple[int, Layer]]:
    """Every layer that does something, with its place."""
    if config.places is not None:
        return _stated(sequence, known, [*config.places.values()], config_path)
    places = range(max(known) + 1)
    layers = list[tuple[int, Layer]]()
    seen = list[str]()
    begun = False
    for is_gap, run in groupby(places, lambda place: place not in known):
        for place in [next(run)] if is_gap else run:
            if not is_gap:
                layers.append((place, known[place]))
                begun = begun or isinstance(known[place], LinearLayer)
                seen = [] if isinstance(known[place], LinearLayer) else seen
            elif not begun and layers:
                raise _open_place(config_path, f"a gap at {sequence.layer(place)} before the first linear layer")
            elif begun:
                seen.append(sequence.layer(place))
                layers.append((place, _activation(sequence, place, config, config_path)))
        if len(seen) > 1:
            raise _open_place(config_path, f"gaps at {' and '.join(seen)} behind the same linear layer")
    return layers


def _open_place(config_path: Path, found: str) -> InputError:
    return InputError(
        "the weights leave open where the activation is",
        where=config_path,
        expected="'layers', which names every place of the Sequential",
        found=found,
        hint='"layers": ["linear", "relu", "dropout", "batch_norm", "linear"], for example',
    )


def _activation(sequence: _Sequence, place: int, config: SequentialConfig, config_path: Path) -> Layer:
    if config.model_name is not None:
        with errors_at(config_path):
            activation = authors_activation(config.model_name, sequence.state, sequence.layer(place), sequence.path)
        return device_layer(activation)
    if config.activation is None:
        raise AssertionError("a configuration names its activations")
    return activation_layer(config.activation, config_path)


def _stated(
    sequence: _Sequence, known: Mapping[int, Layer], choices: list[LayerChoice], config_path: Path
) -> list[tuple[int, Layer]]:
    layers = list[tuple[int, Layer]]()
    for place in range(max(len(choices), max(known) + 1)):
        choice = choices[place] if place < len(choices) else None
        _check_choice(sequence.layer(place), known.get(place), choice, config_path)
        if place in known:
            layers.append((place, known[place]))
        elif choice is not None and choice not in get_args(Nothing):
            layers.append((place, activation_layer(choice, config_path)))  # type: ignore[arg-type]
    return layers


def _check_choice(name: str, layer: Layer | None, choice: LayerChoice | None, config_path: Path) -> None:
    """Raises InputError unless a place has weights of the kind that the configuration says, or none, as it says."""
    kind = "linear" if isinstance(layer, LinearLayer) else layer.kind if isinstance(layer, NormLayer) else None
    if kind != (choice if choice in ("linear", "batch_norm", "layer_norm") else None):
        stated = "no entry" if choice is None else repr(choice)
        raise _contradiction("layers", f"{kind or 'no weights'} at {name}", f"{stated} there", config_path)


def _contradiction(key: str, weights: str, config: str, config_path: Path) -> InputError:
    return InputError(
        f"{key!r} contradicts the weights",
        where=config_path,
        expected=f"{weights}, as in the weights",
        found=config[:200],
        hint="use the configuration that was written with this checkpoint",
    )


STATES = AuthorsStates(FORMAT, recognises, read_sequential, (".json",))
