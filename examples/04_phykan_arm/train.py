"""Train a 3-8-2 PhyKAN on the forward kinematics of a planar arm with three links.

Writes model.pt, and inputs.npy and targets.npy: 500 test samples, which training never sees. The same seed gives the
same files on the same machine and library versions. About a minute on one core.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch

from kanspice.families.phykan.network import PhyKAN
from kanspice.families.training_script import TrainingScript

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
    script = TrainingScript.from_command_line(__doc__, __file__, adam_steps=300, lbfgs_steps=800)
    random = script.begin()
    inputs = random.uniform(-1.0, 1.0, (SAMPLES + TEST_SAMPLES, 3))
    x, y = torch.from_numpy(inputs), torch.from_numpy(hand(inputs))
    model = PhyKAN(WIDTHS, FILTERS)
    error = script.fit(model, x[:SAMPLES], y[:SAMPLES], learning_rate=0.03)
    with torch.no_grad():
        off = torch.linalg.vector_norm(model(x[SAMPLES:]) - y[SAMPLES:], dim=1)
    print(f"training error, root mean square {error**0.5:.2e} ({SAMPLES} samples)")
    print(f"test samples: hand off by {off.mean():.2e} on average, {off.max():.2e} at most ({TEST_SAMPLES} samples)")
    script.write(model, x[SAMPLES:], y[SAMPLES:])


if __name__ == "__main__":
    main()
