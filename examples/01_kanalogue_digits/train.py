"""Train a 64-32-10 KANalogue network of two tunnel-diode types on scikit-learn's 8x8 digits.

Writes model.pt, and inputs.npy and labels.npy: the 200 test samples, which training never sees. The same seed
gives the same files on the same machine and library versions. About half a minute on one core.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import Tensor
from torch.nn.functional import cross_entropy

from kanspice.devices import load_device
from kanspice.families import save
from kanspice.families.kanalogue.network import KANalogue

DEVICES = ("z21", "z15")
WIDTHS = (64, 32, 10)
FULL_SCALE = 0.7  # a white pixel in model units (volts, unless scaled otherwise): where z21 has its peak
INPUT_NOISE = 0.05  # standard deviation of the noise added to training inputs, in the same units
TEST_SAMPLES = 200
BATCH = 64


def digits(seed: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Training inputs (1597, 64), test inputs (200, 64) in [0, FULL_SCALE]; training labels, test labels."""
    images, labels = load_digits(return_X_y=True)
    parts = train_test_split(
        images / 16 * FULL_SCALE, labels, test_size=TEST_SAMPLES, random_state=seed, stratify=labels
    )
    inputs, test_inputs, targets, test_targets = (torch.from_numpy(np.ascontiguousarray(part)) for part in parts)
    return inputs, test_inputs, targets, test_targets


def train(model: KANalogue, inputs: Tensor, targets: Tensor, epochs: int) -> None:
    """Fit the model in place with AdamW and a cosine learning-rate schedule."""
    optimiser = torch.optim.AdamW(model.parameters(), lr=5e-3, weight_decay=0.1)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, epochs)
    model.train()
    for _ in range(epochs):
        for batch in torch.randperm(len(inputs)).split(BATCH):
            noisy = inputs[batch] + INPUT_NOISE * torch.randn(len(batch), inputs.shape[1], dtype=torch.float64)
            optimiser.zero_grad()
            cross_entropy(model(noisy), targets[batch]).backward()
            optimiser.step()
        schedule.step()
    model.eval()


def accuracy(model: KANalogue, inputs: Tensor, targets: Tensor) -> float:
    with torch.no_grad():
        return float((model(inputs).argmax(dim=1) == targets).double().mean())


def main() -> None:
    here = Path(__file__).resolve().parent
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=0, help="of the split, the start and the order (default 0)")
    parser.add_argument("--epochs", type=int, default=100)
    parser.add_argument("--output", type=Path, default=here, help="folder for the three files (default: this one)")
    options = parser.parse_args()

    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    torch.manual_seed(options.seed)
    inputs, test_inputs, targets, test_targets = digits(options.seed)
    model = KANalogue(WIDTHS, [load_device(name) for name in DEVICES], input_stage="PosHC", norm="batch")
    train(model, inputs, targets, options.epochs)
    print(f"training accuracy {accuracy(model, inputs, targets):.4f} ({len(inputs)} samples)")
    print(f"test accuracy     {accuracy(model, test_inputs, test_targets):.4f} ({len(test_inputs)} samples)")

    options.output.mkdir(parents=True, exist_ok=True)
    save(model, options.output / "model.pt")
    np.save(options.output / "inputs.npy", test_inputs.numpy())
    np.save(options.output / "labels.npy", test_targets.numpy())


if __name__ == "__main__":
    main()
