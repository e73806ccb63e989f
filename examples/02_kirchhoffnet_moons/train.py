"""Train a KirchhoffNet of two nodes that turns standard normal samples into scikit-learn's two moons.

Maximum likelihood, as in the KirchhoffNet paper (Section III-C, Eq. 14): the ODE is run backwards, from the moons to
the normal distribution, together with the logarithm of the density. Writes model.pt, and inputs.npy: 200 standard
normal samples to start from. The same seed gives the same files on the same machine and library versions. A few
minutes on one core.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.spatial.distance import cdist
from sklearn.datasets import make_moons
from torch import Tensor, nn
from torch.distributions import Normal
from torchdiffeq import odeint

from kanspice.families import save
from kanspice.families.kirchhoffnet.branches import ShiftTanh2
from kanspice.families.kirchhoffnet.layer import Layer
from kanspice.families.kirchhoffnet.network import KirchhoffNet
from kanspice.families.kirchhoffnet.topology import FullyConnected

DURATIONS = (0.5, 0.5)
REPEAT = (6, 6)  # branches per ordered pair of nodes, there and back: 72 in each layer, ground included
NOISE = 0.1  # standard deviation of the points around their arcs
POINTS = 4096  # for training; as many others for testing
INPUTS = 200
BATCH = 256
STEPS = 8  # Runge-Kutta steps per period, in training only; with half as many, training exploits their error


class Backwards(nn.Module):
    """A period in reverse time: d/dt of node voltages (samples, nodes) and of the log-density's change (samples,).

    The change is the integral of the divergence of dv/dt. A branch of current i = tanh(p0 v_s + p1 v_d + p2) adds
    p1 (1 - i^2) at its destination and -p0 (1 - i^2) at its source, so the exact divergence costs next to nothing.
    """

    def __init__(self, layer: Layer) -> None:
        super().__init__()
        ends = torch.eye(layer.nodes + 1, dtype=torch.float64)[1:]  # without ground, whose voltage is 0
        source, destination = ends[:, layer.source], ends[:, layer.destination]
        self.gains = layer.theta[0] * source + layer.theta[1] * destination
        self.offsets = layer.theta[2]
        self.into = destination - source
        self.divergence = (self.gains * self.into).sum(0)

    def forward(self, _t: Tensor, state: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        currents = torch.tanh(torch.addmm(self.offsets, state[0], self.gains))
        return -currents @ self.into.T, (1 - currents.square()) @ self.divergence


def log_likelihood(model: KirchhoffNet, points: Tensor) -> Tensor:
    """The mean log-density (nats) that the network has at points (samples, 2)."""
    state = points, points.new_zeros(len(points))
    for layer in reversed(model.layers):
        times = points.new_tensor([0.0, layer.duration])
        voltages, change = odeint(
            Backwards(layer), state, times, method="rk4", options={"step_size": layer.duration / STEPS}
        )
        state = voltages[-1], change[-1]
    return (Normal(0.0, 1.0).log_prob(state[0]).sum(1) - state[1]).mean()


def train(model: KirchhoffNet, points: Tensor, epochs: int) -> None:
    """Fit the model in place with AdamW and a cosine learning-rate schedule."""
    optimiser = torch.optim.AdamW(model.parameters(), lr=4e-2)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, epochs)
    for epoch in range(epochs):
        total = 0.0
        for batch in torch.randperm(len(points)).split(BATCH):
            optimiser.zero_grad()
            loss = -log_likelihood(model, points[batch])
            loss.backward()
            optimiser.step()
            total += loss.item() * len(batch)
        schedule.step()
        print(f"epoch {epoch + 1:3d}: negative log-likelihood {total / len(points):.4f}", flush=True)


def moons(seed: int, out_of: int = 1) -> Tensor:
    """Points (POINTS, 2) of both moons.

    scikit-learn spaces points evenly along the arcs; those drawn out of several times as many are independent.
    """
    return torch.from_numpy(make_moons(out_of * POINTS, noise=NOISE, random_state=seed)[0][:POINTS])


def energy_distance(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """2 E|x - y| - E|x - x'| - E|y - y'| of two sets of points (samples, 2); 0 on average if they have one source."""
    within = [cdist(points, points).sum() / (len(points) * (len(points) - 1)) for points in (one, other)]
    return float(2 * cdist(one, other).mean() - sum(within))


def report(model: KirchhoffNet, points: Tensor, unseen: Tensor, seed: int) -> None:
    """Print the losses, and how far generated samples are from the moons; the ODE is solved as the module does."""
    start = np.random.default_rng([seed, 1]).standard_normal((POINTS, 2))
    with torch.no_grad():
        losses = [-float(log_likelihood(model, part)) for part in (points, unseen)]
        generated = model(torch.from_numpy(start)).numpy()
    one, other = (moons(part, out_of=32).numpy() for part in (2 * seed, 2 * seed + 1))
    print(f"negative log-likelihood {losses[0]:.4f} training, {losses[1]:.4f} test ({POINTS} samples each)")
    for name, samples in (("generated samples", generated), ("other moons", other), ("normal samples", start)):
        print(f"energy distance of {name} to the moons: {energy_distance(samples, one):.1e}")


def main() -> None:
    here = Path(__file__).resolve().parent
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=0, help="of the samples, the start and the order (default 0)")
    parser.add_argument("--epochs", type=int, default=160)
    parser.add_argument("--output", type=Path, default=here, help="folder for the two files (default: this one)")
    options = parser.parse_args()

    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    torch.manual_seed(options.seed)
    points, unseen = moons(2 * options.seed), moons(2 * options.seed + 1)
    topology = FullyConnected(num_node=3, repeat=REPEAT).build()
    model = KirchhoffNet([topology] * len(DURATIONS), DURATIONS, ShiftTanh2())
    train(model, points, options.epochs)
    model.eval()
    report(model, points, unseen, options.seed)

    options.output.mkdir(parents=True, exist_ok=True)
    save(model, options.output / "model.pt")
    np.save(options.output / "inputs.npy", np.random.default_rng([options.seed, 0]).standard_normal((INPUTS, 2)))


if __name__ == "__main__":
    main()
