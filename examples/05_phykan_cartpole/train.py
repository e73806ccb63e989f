"""Train a 4-6-1 PhyKAN to balance a pole on a cart, by imitating a linear-quadratic regulator.

Writes model.pt, and inputs.npy and targets.npy: 500 test states, which training never sees, and the regulator's
action in them. The same seed gives the same files on the same machine and library versions. Half a minute on one core.
"""

from __future__ import annotations

import argparse
import math
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from scipy.linalg import solve_discrete_are

from kanspice.models import PhyKAN, save
from kanspice.models.training import fit

Array = npt.NDArray[np.float64]

WIDTHS, FILTERS = (4, 6, 1), 3
SAMPLES, TEST_SAMPLES = 1200, 500
SCALE = np.array([2.4, 3.0, 0.418, 5.0])  # of position, speed, angle, angular speed, in SI units: an input of 1
RANGE = np.array([1.5, 1.5, 0.22, 1.2])  # of the states that training sees, in SI units, to either side
ACTION_WEIGHT = 0.1  # of the regulator: what an action of 1 costs, where an input of 1 costs 1

CART_KG, POLE_KG, HALF_LENGTH_M, GRAVITY_M_PER_S2 = 1.0, 0.1, 0.5, 9.8
FORCE_N = 5.0  # per unit of action
STEP_S, STEPS_PER_ACTION = 0.02, 5
EPISODES, PERIODS, START = 10, 500, 0.05


def after_a_period(state: Array, action: float) -> Array:
    """The state (4,) in SI units after one control period: five steps of the semi-implicit Euler method."""
    x, speed, angle, turning = state
    total_kg = CART_KG + POLE_KG
    for _ in range(STEPS_PER_ACTION):
        sine, cosine = math.sin(angle), math.cos(angle)
        pushed = (FORCE_N * action + POLE_KG * HALF_LENGTH_M * turning**2 * sine) / total_kg
        angular = GRAVITY_M_PER_S2 * sine - cosine * pushed
        angular /= HALF_LENGTH_M * (4 / 3 - POLE_KG * cosine**2 / total_kg)
        speed += STEP_S * (pushed - POLE_KG * HALF_LENGTH_M * angular * cosine / total_kg)
        turning += STEP_S * angular
        x, angle = x + STEP_S * speed, angle + STEP_S * turning
    return np.array([x, speed, angle, turning])


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
    for period in range(PERIODS):
        with torch.no_grad():
            action = model(torch.from_numpy((state / SCALE)[None])).item()
        state = after_a_period(state, action)
        if abs(state[0]) > 2.4 or abs(state[2]) > 0.2095:
            return period
    return PERIODS


def main() -> None:
    here = Path(__file__).resolve().parent
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=0, help="of the states and the start (default 0)")
    parser.add_argument("--adam-steps", type=int, default=300)
    parser.add_argument("--lbfgs-steps", type=int, default=600)
    parser.add_argument("--output", type=Path, default=here, help="folder for the three files (default: this one)")
    options = parser.parse_args()

    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    torch.manual_seed(options.seed)
    random = np.random.default_rng(options.seed)
    states = random.uniform(-RANGE, RANGE, (SAMPLES + TEST_SAMPLES, 4)) / SCALE
    x, y = torch.from_numpy(states), torch.from_numpy(-states @ regulator()[:, None])
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
        off = (model(x[SAMPLES:]) - y[SAMPLES:]).square().mean().sqrt()
    balanced = [periods_balanced(model, random.uniform(-START, START, 4)) for _ in range(EPISODES)]
    print(f"training error, root mean square {error**0.5:.2e}, of actions of {y.std():.2f} ({SAMPLES} states)")
    print(f"test error,     root mean square {off:.2e} ({TEST_SAMPLES} states)")
    print(f"balanced for {balanced} periods")

    options.output.mkdir(parents=True, exist_ok=True)
    save(model, options.output / "model.pt")
    np.save(options.output / "inputs.npy", x[SAMPLES:].numpy())
    np.save(options.output / "targets.npy", y[SAMPLES:].numpy())


if __name__ == "__main__":
    main()
