"""Train a KirchhoffNet with one projection layer on scikit-learn's 8x8 digits.

The layer is the KirchhoffNet paper's Proj layer (Section II-B): a grid of 64 nodes that start at the pixels, branches
between neighbours, and ten more nodes, connected with the whole grid, that become the scores of the digits. Writes
model.pt, and inputs.npy and labels.npy: the 200 test samples, which training never sees. The same seed gives the same
files on the same machine and library versions. A few minutes on one core.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import Tensor
from torch.nn.functional import cross_entropy, pad
from torchdiffeq import odeint

from kanspice.families import save
from kanspice.families.kirchhoffnet.branches import ShiftRelu1
from kanspice.families.kirchhoffnet.integrator import Integrator
from kanspice.families.kirchhoffnet.network import KirchhoffNet
from kanspice.families.kirchhoffnet.topology import Mixed

SIDE, CLASSES = 8, 10
NEIGHBOURS = 2  # side of the kernel within which all pixels are connected
INPUT_NOISE = 0.1  # standard deviation of the noise added to training inputs; a pixel is 0 to 1
TEST_SAMPLES = 200
SMOOTHING = 0.1  # of the labels in training: it keeps the scores within a few volts
BATCH = 64
STEPS = 4  # Runge-Kutta steps, in training only


def digits(seed: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Training inputs (1597, 64), test inputs (200, 64) in [0, 1]; training labels, test labels."""
    images, labels = load_digits(return_X_y=True)
    parts = train_test_split(images / 16, labels, test_size=TEST_SAMPLES, random_state=seed, stratify=labels)
    inputs, test_inputs, targets, test_targets = (torch.from_numpy(np.ascontiguousarray(part)) for part in parts)
    return inputs, test_inputs, targets, test_targets


def untrained() -> KirchhoffNet:
    """One period of length 1; the pixels begin on the grid's nodes, the ten others at 0 V."""
    grid = {"num_channel": 1, "width": SIDE, "height": SIDE, "neighbor_size": NEIGHBOURS}
    topology = Mixed(**grid, fully_connect_node=CLASSES, repeat=(1, 1)).build()
    return KirchhoffNet(
        [topology],
        [1.0],
        ShiftRelu1(),
        input_width=SIDE**2,
        readout=f"last{CLASSES}",
        integrator=Integrator(rtol=1e-5, atol=1e-5),  # for the accuracies; a checkpoint does not hold it
    )


def scores(model: KirchhoffNet, inputs: Tensor) -> Tensor:
    """The outputs (samples, 10) with fixed steps, and gradients through them: faster than the adjoint method."""
    layer = model.layers[0]
    start = pad(inputs, (0, layer.nodes - inputs.shape[1]))
    times = inputs.new_tensor([0.0, layer.duration])
    path = odeint(layer, start, times, method="rk4", options={"step_size": layer.duration / STEPS})
    return model.readout.select(path[-1])


def train(model: KirchhoffNet, inputs: Tensor, targets: Tensor, epochs: int) -> None:
    """Fit the model in place with AdamW and a cosine learning-rate schedule."""
    optimiser = torch.optim.AdamW(model.parameters(), lr=1e-2, weight_decay=0.1)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, epochs)
    for epoch in range(epochs):
        total = 0.0
        for batch in torch.randperm(len(inputs)).split(BATCH):
            noisy = inputs[batch] + INPUT_NOISE * torch.randn(len(batch), inputs.shape[1], dtype=torch.float64)
            optimiser.zero_grad()
            loss = cross_entropy(scores(model, noisy), targets[batch], label_smoothing=SMOOTHING)
            loss.backward()
            optimiser.step()
            total += loss.item() * len(batch)
        schedule.step()
        print(f"epoch {epoch + 1:3d}: training loss {total / len(inputs):.4f}", flush=True)
    model.eval()


def accuracy(model: KirchhoffNet, inputs: Tensor, targets: Tensor) -> float:
    """The fraction of right answers."""
    with torch.no_grad():
        return float((model(inputs).argmax(dim=1) == targets).double().mean())


def main() -> None:
    here = Path(__file__).resolve().parent
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=0, help="of the split, the start and the order (default 0)")
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--output", type=Path, default=here, help="folder for the three files (default: this one)")
    options = parser.parse_args()

    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    torch.manual_seed(options.seed)
    inputs, test_inputs, targets, test_targets = digits(options.seed)
    model = untrained()
    train(model, inputs, targets, options.epochs)
    print(f"training accuracy {accuracy(model, inputs, targets):.4f} ({len(inputs)} samples)")
    print(f"test accuracy     {accuracy(model, test_inputs, test_targets):.4f} ({len(test_inputs)} samples)")

    options.output.mkdir(parents=True, exist_ok=True)
    save(model, options.output / "model.pt")
    np.save(options.output / "inputs.npy", test_inputs.numpy())
    np.save(options.output / "labels.npy", test_targets.numpy())


if __name__ == "__main__":
    main()
