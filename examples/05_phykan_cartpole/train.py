"""Train a 4-6-1 PhyKAN to balance a pole on a cart, by imitating a linear-quadratic regulator.

Writes model.pt, and inputs.npy and targets.npy: 500 test states, which training never sees, and the regulator's
action in them. The same seed gives the same files on the same machine and library versions. Half a minute on one core.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from scipy.linalg import solve_discrete_are

from kanspice.experiments.control.plants import CartPole
from kanspice.experiments.control.plants.cartpole import SCALE, START
from kanspice.families.phykan.network import PhyKAN
from kanspice.families.training_script import TrainingScript

Array = npt.NDArray[np.float64]

WIDTHS, FILTERS = (4, 6, 1), 3
SAMPLES, TEST_SAMPLES = 1200, 500
RANGE = np.array([1.5, 1.5, 0.22, 1.2])  # of the states that training sees, in SI units, to either side
ACTION_WEIGHT = 0.1  # of the regulator: what an action of 1 costs, where an input of 1 costs 1
EPISODES, PERIODS = 10, 500


def after_a_period(state: Array, action: float) -> Array:
    """The state (4,) in SI units after one control period."""
    plant = CartPole()
    plant.reset(options={"state": state})
    return plant.step([action])[0] * SCALE


def regulator() -> Array:
    """The gains k (4,) of the action -k @ state / SCALE, of the plant linearised about standing still, upright."""
    small = 1e-6
    moves = [
        (after_a_period(small * unit[:4], small * unit[4]) - after_a_period(-small * unit[:4], -small * unit[4]))
        for unit in np.eye(5)
    ]
    jacobian = np.stack(moves, axis=1) / (2 * small)
    a, b = jacobian[:, :4], jacobian[:, 4:]
    r = np.array([[ACTION_WEIGHT]])
    p = solve_discrete_are(a, b, np.diag(SCALE**-2), r)
    gains: Array = np.linalg.solve(r + b.T @ p @ b, b.T @ p @ a)[0]
    return gains * SCALE


def periods_balanced(model: PhyKAN, state: Array) -> int:
    """For how many control periods, at most 500, the model keeps the pole up and the cart on its track."""
    plant = CartPole()
    observation, _ = plant.reset(options={"state": state})
    for period in range(PERIODS):
        with torch.no_grad():
            action = model(torch.from_numpy(observation[None])).numpy()[0]
        observation, _, fallen, _, _ = plant.step(action)
        if fallen:
            return period
    return PERIODS


def main() -> None:
    script = TrainingScript.from_command_line(__doc__, __file__, adam_steps=300, lbfgs_steps=600)
    random = script.begin()
    states = random.uniform(-RANGE, RANGE, (SAMPLES + TEST_SAMPLES, 4)) / SCALE
    x, y = torch.from_numpy(states), torch.from_numpy(-states @ regulator()[:, None])
    model = PhyKAN(WIDTHS, FILTERS)
    error = script.fit(model, x[:SAMPLES], y[:SAMPLES], learning_rate=0.03)
    with torch.no_grad():
        off = (model(x[SAMPLES:]) - y[SAMPLES:]).square().mean().sqrt()
    balanced = [periods_balanced(model, random.uniform(-START, START, 4)) for _ in range(EPISODES)]
    print(f"training error, root mean square {error**0.5:.2e}, of actions of {y.std():.2f} ({SAMPLES} states)")
    print(f"test error,     root mean square {off:.2e} ({TEST_SAMPLES} states)")
    print(f"balanced for {balanced} periods")
    script.write(model, x[SAMPLES:], y[SAMPLES:])


if __name__ == "__main__":
    main()
