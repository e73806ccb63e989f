"""The image classifiers of the first KANalogue paper's Table 1: how each is built, and trained, once."""

from __future__ import annotations

import copy
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from benchmarks.papers.data import Images, MissingDataError
from benchmarks.papers.rows import Row, Setting
from kanspice.base.arrays import Array
from kanspice.devices import Device, load_device
from kanspice.families import save
from kanspice.families.common.network import Network
from kanspice.families.edgekan.layers import GottliebSpec, SplineSpec
from kanspice.families.edgekan.network import EdgeKAN
from kanspice.families.kanalogue.network import KANalogue
from kanspice.families.mlp.activations import DeviceActivation
from kanspice.families.mlp.network import MLP

WIDTHS = {"MNIST": (196, 64, 10), "FashionMNIST": (784, 256, 10)}
VALIDATION = 0.1
"""Of the training images: what early stopping looks at, as in the authors' loader."""
_LIMIT_V = 10.0


@dataclass(frozen=True)
class Recipe:
    """build: the network of some widths. full_scale: a white pixel in model units. batch, patience: of its training."""

    build: Callable[[Sequence[int]], Network]
    full_scale: float = 1.0
    batch: int = 64
    patience: int = 10


@dataclass(frozen=True)
class Trained:
    """A network that was trained: its checkpoint, and how it came about."""

    path: Path
    facts: Row = field(default_factory=dict)


def kanalogue(devices: Sequence[str], *, norm: str, input_stage: str, bias: bool = True) -> Recipe:
    """As the authors' run_benchmark.py has it with norm "layer" and input stage "None"."""

    def build(widths: Sequence[int]) -> KANalogue:
        model = KANalogue(widths, [load_device(name) for name in devices], input_stage=input_stage, norm=norm)
        for crossbar in model.crossbars if not bias else ():
            crossbar.bias.requires_grad_(False)
        return model

    return Recipe(build, batch=256, patience=15)


def mlp(device: Device, **activation: float | tuple[float, float]) -> Recipe:
    """Linear layers and the current of a device between them; inputs rescaled to 2.5, as the paper says."""

    def build(widths: Sequence[int]) -> MLP:
        layers: list[nn.Module] = [nn.Linear(*widths[:2])]
        for sizes in pairwise(widths[1:]):
            layers += [DeviceActivation(device, **activation), nn.Linear(*sizes)]
        return MLP(layers)

    return Recipe(build, full_scale=2.5)


def _splines(widths: Sequence[int]) -> EdgeKAN:
    """Cubic B-splines on three pieces of [-2, 2] besides a SiLU, as in the authors' comparison."""
    pieces, order = 3, 3
    specs = [
        SplineSpec(inputs=inputs, outputs=outputs, functions=pieces + order, order=order, base="silu")
        for inputs, outputs in pairwise(widths)
    ]
    model = EdgeKAN(specs)
    with torch.no_grad():
        for layer in model.layers:
            layer.grid.copy_((layer.grid * 4 / pieces - 2).clone())
            layer.spline.uniform_(-0.05, 0.05)
            nn.init.kaiming_uniform_(layer.base.T, a=5**0.5)
            layer.bias.requires_grad_(False)
    return model


def _gottlieb(widths: Sequence[int]) -> EdgeKAN:
    degree = 3
    pairs = pairwise(widths)
    model = EdgeKAN([GottliebSpec(inputs=i, outputs=o, degree=degree) for i, o in pairs], norm="layer")
    with torch.no_grad():
        for layer, inputs in zip(model.layers, widths, strict=False):
            layer.coeffs.normal_(0.0, 1 / (inputs * (degree + 1)))
            layer.alpha.normal_()
            layer.bias.requires_grad_(False)
    return model


def _known_to(name: str, volts: float) -> Device:
    """A shipped device whose law is taken from -volts to volts."""
    card = load_device(name).to_dict()
    card["range"] = {"lo_v": -volts, "hi_v": volts}
    return Device.from_dict(card, f"device {name}")


TWO, THREE = ("z15", "zaz21"), ("z21", "z15", "zaz21")
"""The authors' choices of devices."""
_LAYER = {"norm": "layer", "input_stage": "None"}
_ANALOGUE = {"norm": "batch", "input_stage": "PosHC"}
RECIPES: dict[str, Recipe] = {
    "MLP, resonant tunnelling diode": mlp(
        _known_to("rtd_unscaled", _LIMIT_V), shift=0.3564077949854996, scale=0.44437022056753417
    ),
    "MLP, tunnel diode": mlp(load_device("a21")),
    "MLP, MOSFET": mlp(_known_to("nmos_2n7002", _LIMIT_V)),
    "KAN, B-splines": Recipe(_splines),
    "KAN, Gottlieb polynomials": Recipe(_gottlieb),
    "KANalogue, 2 devices, LayerNorm": kanalogue(TWO, **_LAYER),
    "KANalogue, 3 devices, LayerNorm": kanalogue(THREE, **_LAYER),
    "KANalogue, 2 devices, BatchNorm and clip": kanalogue(TWO, **_ANALOGUE),
    "KANalogue, 3 devices, BatchNorm and clip": kanalogue(THREE, **_ANALOGUE),
}
"""The rows of Table 1. LayerNorm is the first paper's and has no circuit of devices; BatchNorm behind a clip is the
second paper's, and is analogue throughout."""


def trained(
    name: str, recipe: Recipe, widths: Sequence[int], images: Images, setting: Setting, *, seed: int = 0
) -> Trained:
    """The network as it was trained, now or before. Its files are named after it and its widths.

    Raises MissingDataError for one that was trained on other images, of which some may be tested on here.
    """
    path = setting.folder / images.name / f"{_file_name(name)}_{'-'.join(map(str, widths))}.pt"
    facts = path.with_suffix(".json")
    if not facts.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        rates = RATES[images.name]
        model, found = max(
            (_trained_at(rate, recipe, widths, images, setting, seed) for rate in rates[: setting.part(len(rates))]),
            key=lambda each: each[1]["validation_accuracy"],
        )
        save(model, path)
        facts.write_text(
            json.dumps(found | {"seed": seed, "trained_on": images.origin}, indent=1) + "\n", encoding="utf-8"
        )
    found = json.loads(facts.read_text(encoding="utf-8"))
    if found.get("trained_on", images.origin) != images.origin:
        raise MissingDataError(
            f"{path} is of other images ({found['trained_on']}): move it away, or give another --folder"
        )
    return Trained(path, found)


EPOCHS = {"MNIST": 150, "FashionMNIST": 25}
"""At most; training stops when validation accuracy has not risen for a recipe's patience."""
RATES = {"MNIST": (1e-3,), "FashionMNIST": (1e-3, 2e-4)}
"""Learning rates, of which the one is kept that does best on the images held out: that of the first paper's Fig. 5, and
on FashionMNIST the middle one of its sweeps (Fig. A6) too, without which steep devices are hardly trained."""


def _trained_at(  # noqa: PLR0917 - what `trained` is told, and a rate
    rate: float, recipe: Recipe, widths: Sequence[int], images: Images, setting: Setting, seed: int
) -> tuple[Network, Row]:
    torch.manual_seed(seed)
    model, epochs = recipe.build(widths), setting.part(EPOCHS[images.name], at_least=4)
    return model, train(model, recipe, images, epochs=epochs, quick=setting.quick, rate=rate)


def train(model: Network, recipe: Recipe, images: Images, epochs: int, *, quick: bool, rate: float = 1e-3) -> Row:
    """Adam on the cross-entropy; ends with the weights of the best validation accuracy, copied.

    Draws from torch's global generator.
    """
    begin = time.process_time()
    inputs, labels = (torch.from_numpy(part) for part in (images.inputs * recipe.full_scale, images.labels))
    order = torch.randperm(len(inputs))[: len(inputs) // 10 if quick else None]
    held = order[: int(VALIDATION * len(order))]
    rest = order[len(held) :]
    optimiser = torch.optim.Adam([each for each in model.parameters() if each.requires_grad], lr=rate)
    best, best_epoch, state = -1.0, 0, {}
    for epoch in range(1, epochs + 1):
        model.train()
        for batch in rest[torch.randperm(len(rest))].split(recipe.batch):
            optimiser.zero_grad()
            cross_entropy(model(inputs[batch]), labels[batch]).backward()
            optimiser.step()
        reached = accuracy(model, inputs[held], labels[held])
        if reached > best:
            best, best_epoch, state = reached, epoch, copy.deepcopy(model.state_dict())
        print(f"  epoch {epoch}: validation accuracy {reached:.4f}, best {best:.4f}", flush=True)
        if epoch - best_epoch >= recipe.patience:
            break
    model.load_state_dict(state)
    model.eval()
    return {
        "parameters": sum(each.numel() for each in model.parameters() if each.requires_grad),
        "rate": rate,
        "epochs": epoch,
        "best_epoch": best_epoch,
        "validation_accuracy": best,
        "accuracy": accuracy(model, *(torch.from_numpy(part) for part in test_set(recipe, images))),
        "test_samples": len(images.test_labels),
        "training_s": time.process_time() - begin,
    }


def test_set(recipe: Recipe, images: Images) -> tuple[Array, Array]:
    """Inputs as the network takes them, and labels."""
    return images.test_inputs * recipe.full_scale, images.test_labels


def accuracy(model: Network, inputs: Tensor, labels: Tensor) -> float:
    """Of a network in evaluation mode, over batches: curves of many samples take much memory."""
    model.eval()
    with torch.no_grad():
        right = [model(x).argmax(1) == y for x, y in zip(inputs.split(1000), labels.split(1000), strict=True)]
    return float(np.mean(torch.cat(right).numpy()))


def _file_name(name: str) -> str:
    return "_".join("".join(letter if letter.isalnum() else " " for letter in name.lower()).split())
