"""CNN-KANs of the KANalogue authors' program (`--model_type cnn`): a state dict and the JSON of its settings.

The state dict holds `model.backbone.<m>.conv.weight`, `.kan.coeffs`, `.kan.bias` and `.norm.*` for block m from 0, and
`model.head.coeffs`, `model.head.bias`. Their program convolves 3 x 3 pixels, one apart, with a border of zeros; neither
file says so, nor how large an image is, but for the name of the data set. The input stage and the norm of the settings
are those of their other networks: here their program has none, and BatchNorm, whatever is set.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from torch import Tensor

from kanspice.base.errors import InputError, errors_at
from kanspice.families.cnnkan.network import CNNKAN, Window
from kanspice.families.cnnkan.parameters import build, parameter_shapes
from kanspice.families.common.formats import AuthorsStates, Reading
from kanspice.families.common.state import check_names, check_rank, check_tensors
from kanspice.families.kanalogue.authors_config import AuthorsConfig, check_same, contradiction, devices_of, read_config

_PART = re.compile(r"model\.backbone\.(\d{1,6})\.(conv\.weight|kan\.coeffs)")
_WINDOW = Window(3, 1, 1)
_SIZES = {"cifar10": (32, 32), "FMNIST": (28, 28), "MNIST": (14, 14)}
"""Height and width of the images, as their program loads them."""


class CnnConfig(AuthorsConfig):
    """The keys that decide what the checkpoint of a CNN-KAN means, which are those of the others, and the data set."""

    dataset: str | None = None


def recognises(names: Iterable[str]) -> bool:
    """Whether tensors of these names are a checkpoint of a CNN-KAN of the authors' program."""
    return any(_PART.fullmatch(name) for name in names)


def read_authors(
    state: Mapping[str, Tensor], path: Path, config_path: Path | None, curves: Path | None
) -> Reading[CNNKAN]:
    """The network of an authors' state dict read from `path`, with the settings of its configuration.

    curves: a folder of the authors' I-V files, or None for the shipped device cards. Raises InputError if the
    configuration is missing or invalid, contradicts the weights or does not tell the images' size, or the weights are
    unusable.
    """
    config_path, settings = read_config(path, config_path, CnnConfig)
    channels, outputs = _widths(state, settings, path, config_path)
    height, width, how = _size(settings, channels[0], config_path)
    devices, notes = devices_of(settings, path, config_path, curves)
    shapes = parameter_shapes(channels, outputs, len(devices), _WINDOW.kernel)
    check_tensors(state, {_authors_name(own): shape for own, shape in shapes.items()}, path)
    own_state = {own: state[_authors_name(own)] for own in shapes}
    with errors_at(path):
        model = build(own_state, (channels[0], height, width), channels[1:], outputs, devices, window=_WINDOW)
    said = f"images of {channels[0]} x {height} x {width}: {how}"
    precision = "computed in float64; the authors' program rounds images and every block's outputs to float32"
    return Reading(model, notes=(*notes, said, precision), config=config_path)


def _authors_name(own: str) -> str:
    return f"model.{own.replace('blocks.', 'backbone.', 1)}"


def _widths(
    state: Mapping[str, Tensor], config: CnnConfig, path: Path, config_path: Path
) -> tuple[tuple[int, ...], int]:
    """Channels of the image and of every block, and the outputs, as the weights and the configuration have them."""
    blocks = len({found[1] for name in state if (found := _PART.fullmatch(name))})
    if blocks != len(config.HIDDEN_DIMS):
        raise contradiction("HIDDEN_DIMS", f"{blocks} block(s)", f"{config.HIDDEN_DIMS}", config_path)
    convolutions = [f"model.backbone.{block}.conv.weight" for block in range(blocks)]
    head = "model.head.coeffs"
    needed = {name: state[name] for name in (*convolutions, head) if name in state}
    check_names(needed, [*convolutions, head], path)
    for name in convolutions:
        check_rank(name, state[name], 4, path)
        if tuple(state[name].shape[2:]) != (_WINDOW.kernel, _WINDOW.kernel):
            raise InputError(
                f"{name} has another window than the authors' program",
                where=path,
                expected=f"{_WINDOW.kernel} x {_WINDOW.kernel} pixels",
                found=" x ".join(map(str, state[name].shape[2:])),
                hint="build a kanspice CNNKAN with its window and padding, and kanspice.save it",
            )
    check_rank(head, state[head], 3, path)
    check_same("HIDDEN_DIMS", [state[name].shape[0] for name in convolutions], config.HIDDEN_DIMS, config_path)
    if state[head].shape[2] != len(config.td_basis_types):
        named = f"{config.td_basis_types}"
        raise contradiction("td_basis_types", f"{state[head].shape[2]} device type(s)", named, config_path)
    return (state[convolutions[0]].shape[1], *config.HIDDEN_DIMS), state[head].shape[1]


def _size(config: CnnConfig, channels: int, config_path: Path) -> tuple[int, int, str]:
    """Height and width of the images, and what says so: their number of values, or the data set."""
    if config.input_dim is not None:
        side = math.isqrt(config.input_dim // channels)
        if channels * side**2 != config.input_dim:
            expected = f"{channels} channels, as in the weights, of a square image"
            raise InputError(
                "'input_dim' is no image", where=config_path, expected=expected, found=f"{config.input_dim}"
            )
        return side, side, "square, of as many values as 'input_dim' says"
    if config.dataset not in _SIZES:
        raise InputError(
            "the configuration does not say how large an image is",
            where=config_path,
            expected=f"'dataset': one of {', '.join(_SIZES)}; or 'input_dim': all values of a square image",
            found="neither" if config.dataset is None else f"dataset {config.dataset!r}"[:100],
        )
    height, width = _SIZES[config.dataset]
    return height, width, f"as the authors' program loads {config.dataset}"


STATES = AuthorsStates("kanalogue-authors-cnn", recognises, read_authors, (".json",))
