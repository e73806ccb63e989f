"""Train a 4-6-1 PhyKAN to hold a photovoltaic array at its maximum power, by imitating one who knows where that is.

Writes model.pt, and inputs.npy and targets.npy: 500 test observations, which training never sees, and the step that
was wanted in them. The same seed gives the same files on the same machine and library versions. Half a minute on one
core.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import torch

from kanspice.experiments.control.plants import PhotovoltaicArray
from kanspice.experiments.control.plants.photovoltaic import V_PER_UNIT
from kanspice.families.phykan.network import PhyKAN
from kanspice.families.training_script import TrainingScript

Array = npt.NDArray[np.float64]

WIDTHS, FILTERS = (4, 6, 1), 3
SAMPLES, TEST_SAMPLES = 1500, 500
DAY = 100  # control periods under one sky
GAIN, SOFT_V = 0.4, 10.0  # towards the maximum power point: up to 0.4 of a step, most of it from 10 V or so away
DITHER, SHARPNESS = 0.8, 3.0  # back from where the last step came: up to 0.8 of one
NOISE = 0.3  # of the steps that gather states: standard deviation
EPISODES, PERIODS = 10, 500


def wanted(observation: Array, best_v: float) -> float:
    """The step to take after an observation (4,) when most power is to be had at a voltage: towards it, and to and fro.

    To and fro, because a network that sees no history learns from power ratios where it is only if it keeps moving.
    """
    towards = math.tanh((best_v - V_PER_UNIT * observation[0]) / SOFT_V)
    return GAIN * towards - DITHER * math.tanh(SHARPNESS * observation[2])


def experience(samples: int, random: np.random.Generator) -> tuple[Array, Array]:
    """Observations (samples, 4) of an array that is tracked with noise, and the steps wanted there (samples, 1).

    Every observation follows a step, so that its last step and power ratio mean something.
    """
    plant = PhotovoltaicArray()
    observations, steps = [], []
    step = 0.0
    for period in range(samples):
        if period % DAY == 0:
            plant.reset(seed=int(random.integers(2**32)))
        observation, _, _, _, info = plant.step([step + NOISE * random.standard_normal()])
        step = wanted(observation, info["best_v"])
        observations.append(observation)
        steps.append([step])
    return np.array(observations), np.array(steps)


def tracked(model: PhyKAN, seed: int) -> float:
    """The tracking efficiency of the model, of 1, under one sky."""
    plant = PhotovoltaicArray()
    observation, _ = plant.reset(seed=seed)
    rewards = []
    for _ in range(PERIODS):
        with torch.no_grad():
            action = model(torch.from_numpy(observation[None])).numpy()[0]
        observation, reward, *_ = plant.step(action)
        rewards.append(reward)
    return float(np.mean(rewards))


def main() -> None:
    script = TrainingScript.from_command_line(__doc__, __file__, adam_steps=300, lbfgs_steps=400)
    random = script.begin()
    observations, steps = experience(SAMPLES + TEST_SAMPLES, random)
    x, y = torch.from_numpy(observations), torch.from_numpy(steps)
    model = PhyKAN(WIDTHS, FILTERS, thresholding=True)
    error = script.fit(model, x[:SAMPLES], y[:SAMPLES], learning_rate=0.03)
    with torch.no_grad():
        off = (model(x[SAMPLES:]) - y[SAMPLES:]).square().mean().sqrt()
    efficiencies = [tracked(model, int(random.integers(2**32))) for _ in range(EPISODES)]
    print(f"training error, root mean square {error**0.5:.2e}, of steps of {y.std():.2f} ({SAMPLES} observations)")
    print(f"test error,     root mean square {off:.2e} ({TEST_SAMPLES} observations)")
    print(f"tracking efficiency {np.mean(efficiencies):.4f}, worst sky {min(efficiencies):.4f} ({EPISODES} skies)")
    script.write(model, x[SAMPLES:], y[SAMPLES:])


if __name__ == "__main__":
    main()
