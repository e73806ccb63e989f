"""Train a 2-8-2 MemKAN on the inverse kinematics of a planar arm with two links.

Writes model.pt, and inputs.npy and targets.npy: 500 test samples, which training never sees. The same seed gives the
same files on the same machine and library versions. One to two minutes on one core.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from kanspice.families.memkan.memdiode import SynapseConstants
from kanspice.families.memkan.network import MemKAN
from kanspice.families.training_script import TrainingScript

Array = npt.NDArray[np.float64]

WIDTHS = (2, 8, 2)
CONSTANTS = SynapseConstants(load_ohm=(100.0, 1000.0), divider_ohm=(30.0, 300.0))  # volts out, not millivolts
LINKS = (2 / 3, 1 / 3)  # together 1: distances are in reaches of the arm
RAD_PER_UNIT = 1.2  # the joint angle of an output of 1
NEAREST, FARTHEST = 0.4, 0.95  # where the hand is to be, from the shoulder
WIDEST_RAD = 0.9  # to either side of straight ahead
SAMPLES, TEST_SAMPLES = 1200, 500
GAIN_WEIGHT, RANGE_WEIGHT = 1e-7, 1.0  # of the penalties on large gains and on voltages that will be limited
PENALISED_SAMPLES = 200


def places(samples: int, random: np.random.Generator) -> Array:
    """Where the hand is to be, (samples, 2), evenly over the part of the ring that the arm works in."""
    distance = np.sqrt(random.uniform(NEAREST**2, FARTHEST**2, samples))
    direction = random.uniform(-WIDEST_RAD, WIDEST_RAD, samples)
    return np.stack([distance * np.cos(direction), distance * np.sin(direction)], axis=1)


def joints(hand: Array) -> Array:
    """The joint angles (samples, 2) in units of 1.2 rad, each from the link before, that bring the hand there.

    Of the two ways, the one whose elbow bends to the left.
    """
    first, second = LINKS
    distance, direction = np.hypot(*hand.T), np.arctan2(hand[:, 1], hand[:, 0])
    elbow = np.arccos((distance**2 - first**2 - second**2) / (2 * first * second))
    shoulder = direction - np.arctan2(second * np.sin(elbow), first + second * np.cos(elbow))
    return np.stack([shoulder, elbow], axis=1) / RAD_PER_UNIT


def hands(angles: Array) -> Array:
    """Where the hand is (samples, 2) with joint angles (samples, 2) in units of 1.2 rad."""
    links = np.cumsum(RAD_PER_UNIT * angles, axis=1)
    return np.stack([np.cos(links) @ LINKS, np.sin(links) @ LINKS], axis=1)


def penalty(model: MemKAN, inputs: Tensor) -> Tensor:
    """What makes gains small, so that errors of amplifiers are too, and hidden voltages stay within their range."""
    gains = sum((layer.gain.square().mean() for layer in model.synapse_layers()), torch.zeros(()))
    stages = model.stages(inputs)
    return GAIN_WEIGHT * gains + RANGE_WEIGHT * (stages["l1.synapses"] - stages["l2.input"]).square().mean()


def main() -> None:
    script = TrainingScript.from_command_line(__doc__, __file__, adam_steps=500, lbfgs_steps=800)
    random = script.begin()
    hand = places(SAMPLES + TEST_SAMPLES, random)
    x, y = torch.from_numpy(hand), torch.from_numpy(joints(hand))
    model = MemKAN(WIDTHS, constants=CONSTANTS)
    error = script.fit(model, x[:SAMPLES], y[:SAMPLES], penalty=lambda: penalty(model, x[:PENALISED_SAMPLES]))
    with torch.no_grad():
        found = model(x[SAMPLES:])
    off = np.linalg.norm(hands(found.numpy()) - hand[SAMPLES:], axis=1)
    print(f"training error, root mean square {error**0.5:.2e} ({SAMPLES} samples)")
    print(f"test error,     root mean square {(found - y[SAMPLES:]).square().mean().sqrt():.2e}")
    print(f"test samples: hand off by {off.mean():.2e} on average, {off.max():.2e} at most ({TEST_SAMPLES} samples)")
    script.write(model, x[SAMPLES:], y[SAMPLES:])


if __name__ == "__main__":
    main()
