"""Table I and Fig. 6 of the KirchhoffNet paper: test losses of KirchhoffNets and MLPs, and of their circuits.

California housing is not bundled with scikit-learn, and has no rows.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from itertools import pairwise
from statistics import mean, stdev

import numpy as np
import torch
from sklearn.datasets import load_diabetes, make_friedman1
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import MinMaxScaler
from torch import Tensor, nn
from torch.nn.functional import mse_loss, pad

import kanspice
from benchmarks.papers.circuits import second_opinion
from benchmarks.papers.classifiers import Trained
from benchmarks.papers.keeping import kept
from benchmarks.papers.ode import runge_kutta, voltages
from benchmarks.papers.rows import Row, Rows, Setting
from kanspice.base.arrays import Array
from kanspice.families.common.network import Network
from kanspice.families.kirchhoffnet.branches import ShiftRelu1
from kanspice.families.kirchhoffnet.network import KirchhoffNet
from kanspice.families.kirchhoffnet.topology import FullyConnected
from kanspice.families.mlp.network import MLP

PAPER = {
    "Friedman #1": {
        "MLP-s": (9.97e-4, 181),
        "KirchhoffNet-s": (8.81e-4, 168),
        "MLP-m": (1.35e-4, 561),
        "KirchhoffNet-m": (1.95e-5, 528),
        "MLP-l": (6.28e-5, 1596),
        "KirchhoffNet-l": (1.11e-5, 1520),
    },
    "diabetes": {
        "MLP-s": (2.71e-2, 421),
        "KirchhoffNet-s": (2.91e-2, 528),
        "MLP-m": (2.61e-2, 889),
        "KirchhoffNet-m": (3.09e-2, 840),
        "MLP-l": (2.67e-2, 1581),
        "KirchhoffNet-l": (3.48e-2, 1520),
    },
}
"""Test loss, mean of ten runs, and parameters."""
NODES = {
    "Friedman #1": {"KirchhoffNet-s": 7, "KirchhoffNet-m": 12, "KirchhoffNet-l": 20},
    "diabetes": {"KirchhoffNet-s": 12, "KirchhoffNet-m": 15, "KirchhoffNet-l": 20},
}
"""Ground among them; the last one is the output."""
HIDDEN = {
    "Friedman #1": {"MLP-s": (10, 10), "MLP-m": (20, 20), "MLP-l": (28, 25, 26)},
    "diabetes": {"MLP-s": (15, 15), "MLP-m": (24, 24), "MLP-l": (23, 23, 31)},
}
"""ReLUs between linear layers, as the authors' FeedForwardNet. The paper gives numbers of parameters and no widths: two
equal ones, or three that are nearly, have as many."""
SEEDS = 10
EPOCHS, BATCH, RATE = 400, 64, 5e-4
COURSE = 20
"""Epochs between two entries of a training's course."""
JUDGED = 3
CHIPS, CHIP_SAMPLES = 20, 200
"""Specimens of the first seed's circuit, on the first unseen samples."""
STEPS, FINE_STEPS, FINE_EPOCHS = 4, 8, 5
"""Of a KirchhoffNet's period in training, then in some further epochs: a network that was trained through few steps has
learnt their error, too, and loses several times as much when its circuit, or an adaptive solver, follows it exactly."""
_SPLIT = 42
"""The authors' random_state, of the data and of their division: runs differ in nothing but the network's seed."""


@dataclass(frozen=True)
class Samples:
    """inputs, targets: for training, from 0 to 1; test_inputs, test_targets. (samples, features or 1)."""

    inputs: Array
    targets: Array
    test_inputs: Array
    test_targets: Array


def _split(inputs: Array, targets: Array, test: float) -> Samples:
    """Scaled by what the training samples have."""
    found = []
    for training, other in (
        train_test_split(each, test_size=test, random_state=_SPLIT) for each in (inputs, targets[:, None])
    ):
        scaler = MinMaxScaler().fit(training)
        found += [scaler.transform(training), scaler.transform(other)]
    inputs, test_inputs, targets, test_targets = found
    return Samples(inputs, targets, test_inputs, test_targets)


@cache
def friedman() -> Samples:
    return _split(*make_friedman1(4096, 5, noise=0.0, random_state=_SPLIT), test=0.4)


@cache
def diabetes() -> Samples:
    return _split(*load_diabetes(return_X_y=True), test=0.3)


DATA: dict[str, Callable[[], Samples]] = {"Friedman #1": friedman, "diabetes": diabetes}


def rows(setting: Setting) -> Rows:
    """Everything with one seed, then with the next; many chips of the first, and another simulator's word of it."""
    for seed in _seeds(setting):
        for data, sizes in PAPER.items():
            for name in sizes:
                yield f"{data}; {name}; seed {seed}", partial(_row, data, name, seed, setting)
    for data, sizes in PAPER.items():
        for name in sizes:
            yield f"{data}; {name}; chips", partial(_chips, data, name, setting)
    for data, sizes in PAPER.items():
        for name in sizes:
            yield f"{data}; {name}; judge", partial(_judged, data, name, setting)


def of_seeds(rows: Mapping[str, Row], data: str, name: str) -> list[Row]:
    """Those of one network that were trained."""
    return [row for key, row in rows.items() if key.startswith(f"{data}; {name}; seed")]


def mean_loss(found: Sequence[Row]) -> tuple[float, float | None]:
    """Of the networks on unseen samples, and its standard error where there are several."""
    losses = [row["test_loss"] for row in found]
    return mean(losses), stdev(losses) / len(losses) ** 0.5 if len(losses) > 1 else None


def _seeds(setting: Setting) -> range:
    return range(setting.part(SEEDS, at_least=2))


def _row(data: str, name: str, seed: int, setting: Setting) -> Row:
    """test_loss: of the network, and of its ideal circuit."""
    network, samples = trained(data, name, seed, setting), DATA[data]()
    facts = network.facts if seed == 0 else {key: of for key, of in network.facts.items() if key != "course"}
    return facts | {"ideal": _ideal(network, samples, setting)}


def _ideal(network: Trained, samples: Samples, setting: Setting) -> Row:
    part = setting.part(len(samples.test_inputs), at_least=20)
    found = kanspice.verify(
        network.path,
        samples.test_inputs[:part],
        targets=samples.test_targets[:part],
        engine="batched",
    )
    return {
        "samples": found.samples,
        "failed_samples": len(found.failed),
        "test_loss": None if found.loss is None else dict(found.loss),
        "relative_rmse": found.gap.relative_rmse,
        "latency_s": None if found.physical is None else found.physical.latency_s,
        "devices": found.design.devices,
        "sha256": found.model.sha256,
    }


def _chips(data: str, name: str, setting: Setting) -> Row:
    """Losses and gaps of specimens of `typical`, in the order of their seeds."""
    network, samples = trained(data, name, 0, setting), DATA[data]()
    some = setting.part(CHIP_SAMPLES, at_least=20)
    found = [
        kanspice.verify(
            network.path,
            samples.test_inputs[:some],
            targets=samples.test_targets[:some],
            tech="typical",
            engine="batched",
            seed=seed,
        )
        for seed in range(setting.part(CHIPS, at_least=3))
    ]
    losses = [each.loss for each in found if each.loss is not None]
    return {
        "samples": found[0].samples,
        "failed_samples": [len(each.failed) for each in found],
        "network_loss": losses[0]["reference"],
        "losses": [each["circuit"] for each in losses],
        "relative_rmse": [each.gap.relative_rmse for each in found],
        "sha256": found[0].model.sha256,
    }


def _judged(data: str, name: str, setting: Setting) -> Row:
    inputs = np.ascontiguousarray(DATA[data]().test_inputs[:JUDGED])
    return second_opinion(trained(data, name, 0, setting).path, inputs, "ideal", "ngspice")


def trained(data: str, name: str, seed: int, setting: Setting) -> Trained:
    """As the paper has it: squared error, 400 epochs, batches of 64, AdamW at 5e-4; then a KirchhoffNet's finer."""

    def train() -> tuple[Network, Row]:
        torch.manual_seed(seed)
        model, begin = network(data, name), time.process_time()
        course = fit(model, DATA[data](), setting.part(EPOCHS))
        return model, {
            "parameters": sum(each.numel() for each in model.parameters()),
            "epochs": setting.part(EPOCHS),
            "seed": seed,
            "test_loss": _unseen(model, data),
            "test_samples": len(DATA[data]().test_targets),
            "training_s": time.process_time() - begin,
            "course": course,
        }

    def finer() -> tuple[Network, Row]:
        torch.manual_seed(seed)
        model, begin = kanspice.load(coarse.path).model, time.process_time()
        fit(model, DATA[data](), FINE_EPOCHS, FINE_STEPS)
        spent = coarse.facts["training_s"] + time.process_time() - begin
        found = {"epochs": coarse.facts["epochs"] + FINE_EPOCHS, "test_loss": _unseen(model, data), "training_s": spent}
        return model, coarse.facts | {"coarse_test_loss": coarse.facts["test_loss"]} | found

    place = setting.folder / "regression" / data.split(maxsplit=1)[0].lower()
    kept_as = f"{name.lower().replace('-', '_')}_{seed}"
    coarse = kept(place / f"{kept_as}.pt", train)
    return kept(place / f"{kept_as}_finer.pt", finer) if name in NODES[data] else coarse


def _unseen(model: Network, data: str) -> float:
    """Loss on the test samples, of a KirchhoffNet by an adaptive solver."""
    samples = DATA[data]()
    with torch.no_grad():
        return float(mse_loss(model(torch.from_numpy(samples.test_inputs)), torch.from_numpy(samples.test_targets)))


def network(data: str, name: str) -> KirchhoffNet | MLP:
    """Untrained, drawn from torch's global generator.

    A KirchhoffNet has one period of length 1 and the branches of Eq. 10; features begin on its first nodes.
    """
    features = DATA[data]().inputs.shape[1]
    if name in NODES[data]:
        topology = FullyConnected(num_node=NODES[data][name]).build()
        return KirchhoffNet([topology], [1.0], ShiftRelu1(), input_width=features, readout="last1")
    layers: list[nn.Module] = []
    for widths in pairwise((features, *HIDDEN[data][name], 1)):
        layers += [nn.Linear(*widths), nn.ReLU()]
    return MLP(layers[:-1])


def fit(model: KirchhoffNet | MLP, samples: Samples, epochs: int, steps: int = STEPS) -> list[float]:
    """Trains in place. Returns the mean training loss of the first epoch, and of every COURSE-th.

    Through few fixed steps, gradients of a KirchhoffNet take a tenth of the adjoint method's time.
    """
    inputs, targets = torch.from_numpy(samples.inputs), torch.from_numpy(samples.targets)
    optimiser = torch.optim.AdamW(model.parameters(), lr=RATE)
    course = []
    for epoch in range(1, epochs + 1):
        total = 0.0
        for batch in torch.randperm(len(inputs)).split(BATCH):
            optimiser.zero_grad()
            loss = mse_loss(_outputs(model, inputs[batch], steps), targets[batch])
            loss.backward()
            optimiser.step()
            total += loss.item() * len(batch)
        if epoch == 1 or epoch % COURSE == 0:
            course.append(total / len(inputs))
            print(f"  epoch {epoch}: training loss {course[-1]:.3e}", flush=True)
    return course


def _outputs(model: KirchhoffNet | MLP, inputs: Tensor, steps: int) -> Tensor:
    if isinstance(model, MLP):
        return model(inputs)
    (layer,) = model.layers
    start = pad(inputs, (0, model.nodes[0] - model.input_width))
    end, _ = runge_kutta(voltages(layer), start, layer.duration, steps)
    return model.readout.select(end)
