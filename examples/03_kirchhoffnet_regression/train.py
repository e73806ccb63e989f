"""Train the small and the medium KirchhoffNet of the KirchhoffNet paper's Table I on scikit-learn's Friedman #1 data.

The paper's setting (Section III-A): one fully connected layer, the branch function of Eq. 10, squared error, AdamW
with learning rate 5e-4, batches of 64, 400 epochs. Writes model_small.pt and model_medium.pt, and inputs.npy and
targets.npy: the 1,639 test samples. The same seed gives the same files on the same machine and library versions.
About six minutes on one core.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch
from sklearn.datasets import make_friedman1
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import MinMaxScaler
from torch import Tensor
from torch.nn.functional import mse_loss, pad

from kanspice.families import save
from kanspice.families.kirchhoffnet.branches import ShiftRelu1
from kanspice.families.kirchhoffnet.layer import Layer
from kanspice.families.kirchhoffnet.network import KirchhoffNet
from kanspice.families.kirchhoffnet.topology import FullyConnected

SAMPLES = 4096
TEST_FRACTION = 0.4
FEATURES = 5
NODES = {"small": 7, "medium": 12}  # with ground; the last one is the output
PAPER = {"small": (8.81e-4, 168), "medium": (1.95e-5, 528)}  # Table I: test loss (mean of 10 runs), parameters
BATCH = 64
STEPS = 4  # Runge-Kutta steps, in training only


def friedman(seed: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Training and test inputs (samples, 5), training and test targets (samples, 1); in training from 0 to 1."""
    inputs, targets = make_friedman1(SAMPLES, FEATURES, noise=0.0, random_state=seed)
    parts = train_test_split(inputs, targets[:, None], test_size=TEST_FRACTION, random_state=seed)
    scaled = []
    for training, test in (parts[:2], parts[2:]):
        scaler = MinMaxScaler().fit(training)
        scaled += [torch.from_numpy(scaler.transform(part)) for part in (training, test)]
    return scaled[0], scaled[1], scaled[2], scaled[3]


def untrained(nodes: int) -> KirchhoffNet:
    """One period of length 1: the features begin on nodes 1 to 5, all others at 0 V; the last node is the output."""
    topology = FullyConnected(num_node=nodes).build()
    return KirchhoffNet([topology], [1.0], ShiftRelu1(), input_width=FEATURES, readout="last1")


def at_the_end(layer: Layer, voltages: Tensor) -> Tensor:
    """Node voltages (samples, nodes) after the period, by the classical Runge-Kutta method with fixed steps.

    For so few nodes, choosing each branch's ends by a product with a matrix is faster than by index.
    """
    ends = torch.eye(layer.nodes + 1, dtype=torch.float64)[1:]  # without ground, whose voltage is 0
    source, destination = ends[:, layer.source], ends[:, layer.destination]
    into = (destination - source).T
    step = layer.duration / STEPS

    def slope(v: Tensor) -> Tensor:
        return layer.branch.current(v @ source, v @ destination, layer.theta) @ into

    for _ in range(STEPS):
        first = slope(voltages)
        second = slope(voltages + step / 2 * first)
        third = slope(voltages + step / 2 * second)
        fourth = slope(voltages + step * third)
        voltages = voltages + step / 6 * (first + 2 * second + 2 * third + fourth)
    return voltages


def train(model: KirchhoffNet, inputs: Tensor, targets: Tensor, epochs: int) -> None:
    """Fit the model in place. Gradients through fixed steps take a tenth of the adjoint method's time."""
    optimiser = torch.optim.AdamW(model.parameters(), lr=5e-4)
    start = pad(inputs, (0, model.nodes[0] - FEATURES))
    for epoch in range(epochs):
        total = 0.0
        for batch in torch.randperm(len(inputs)).split(BATCH):
            optimiser.zero_grad()
            outputs = model.readout.select(at_the_end(model.layers[0], start[batch]))
            loss = mse_loss(outputs, targets[batch])
            loss.backward()
            optimiser.step()
            total += loss.item() * len(batch)
        if (epoch + 1) % 20 == 0 or epoch + 1 == epochs:
            print(f"  epoch {epoch + 1:3d}: training loss {total / len(inputs):.3e}", flush=True)
    model.eval()


def test_loss(model: KirchhoffNet, inputs: Tensor, targets: Tensor) -> float:
    """The mean squared error."""
    with torch.no_grad():
        return float(mse_loss(model(inputs), targets))


def main() -> None:
    here = Path(__file__).resolve().parent
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=0, help="of the data, the start and the order (default 0)")
    parser.add_argument("--epochs", type=int, default=400)
    parser.add_argument("--output", type=Path, default=here, help="folder for the four files (default: this one)")
    options = parser.parse_args()

    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    inputs, test_inputs, targets, test_targets = friedman(options.seed)
    options.output.mkdir(parents=True, exist_ok=True)
    for size, nodes in NODES.items():
        torch.manual_seed(options.seed)
        model = untrained(nodes)
        print(f"{size}: {nodes} nodes with ground, {len(inputs)} training samples", flush=True)
        train(model, inputs, targets, options.epochs)
        save(model, options.output / f"model_{size}.pt")
        loss, parameters = test_loss(model, test_inputs, test_targets), sum(p.numel() for p in model.parameters())
        print(f"  test loss {loss:.3e} / {parameters} parameters ({len(test_inputs)} samples)")
        print("  paper     {:.3e} / {} parameters (Table I, mean of 10 runs)".format(*PAPER[size]), flush=True)
    np.save(options.output / "inputs.npy", test_inputs.numpy())
    np.save(options.output / "targets.npy", test_targets.numpy())


if __name__ == "__main__":
    main()
