"""Train a 3-8-2 PhyKAN on the forward kinematics of a planar arm with three links.

Writes model.pt, and inputs.npy and targets.npy: 500 test samples, which training never sees. The same seed gives the
same files on the same machine and library versions. About a minute on one core.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from kanspice.models import PhyKAN, save
from kanspice.models.training import fit

Array = npt.NDArray[np.float64]

WIDTHS, FILTERS = (3, 8, 2), 3
LINKS = np.array([0.5, 0.3, 0.2])
RAD_PER_UNIT = 1.2  # the joint angle of an input of 1
SAMPLES, TEST_SAMPLES = 2000, 500


def hand(inputs: Array) -> Array:
    """Where the hand is (samples, 2) with joint angles (samples, 3) in units of 1.2 rad, each from the link before."""
    angles = np.cumsum(RAD_PER_UNIT * inputs, axis=1)
    return np.stack([np.cos(angles) @ LINKS, np.sin(angles) @ LINKS], axis=1)


def main() -> None:
    here = Path(__file__).resolve().parent
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=0, help="of the samples and the start (default 0)")
    parser.add_argument("--adam-steps", type=int, default=300)
    parser.add_argument("--lbfgs-steps", type=int, default=800)
    parser.add_argument("--output", type=Path, default=here, help="folder for the three files (default: this one)")
    options = parser.parse_args()

    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    torch.manual_seed(options.seed)
    inputs = np.random.default_rng(options.seed).uniform(-1.0, 1.0, (SAMPLES + TEST_SAMPLES, 3))
    x, y = torch.from_numpy(inputs), torch.from_numpy(hand(inputs))
    model = PhyKAN(WIDTHS, FILTERS)
    error = fit(
        model,
        x[:SAMPLES],
        y[:SAMPLES],
        adam_steps=options.adam_steps,
        learning_rate=0.03,
        lbfgs_steps=options.lbfgs_steps,
    )
    with torch.no_grad():
        off = torch.linalg.vector_norm(model(x[SAMPLES:]) - y[SAMPLES:], dim=1)
    print(f"training error, root mean square {error**0.5:.2e} ({SAMPLES} samples)")
    print(f"test samples: hand off by {off.mean():.2e} on average, {off.max():.2e} at most ({TEST_SAMPLES} samples)")

    options.output.mkdir(parents=True, exist_ok=True)
    save(model, options.output / "model.pt")
    np.save(options.output / "inputs.npy", x[SAMPLES:].numpy())
    np.save(options.output / "targets.npy", y[SAMPLES:].numpy())


if __name__ == "__main__":
    main()
