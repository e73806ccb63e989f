"""KirchhoffNets that generate points of the plane: their sizes, and how they are trained (Eqs. 14 and 15)."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from benchmarks.papers.classifiers import Trained
from benchmarks.papers.keeping import kept
from benchmarks.papers.ode import flow
from benchmarks.papers.plane import POTENTIALS, TASKS
from benchmarks.papers.rows import Row, Setting
from kanspice.families.kirchhoffnet.branches import Branch, ShiftTanh1, ShiftTanh2
from kanspice.families.kirchhoffnet.generation import Generation
from kanspice.families.kirchhoffnet.network import KirchhoffNet
from kanspice.families.kirchhoffnet.topology import FullyConnected

SPREAD = 0.5
"""Standard deviation of parameters before training. With the authors' 0.13, networks are almost linear, and long stay
so."""
RATE = 2e-2
BATCH = 256
WARM, COLD_SHARE = 0.05, 0.5
"""A potential's energy is weighted with the first at the beginning, and with 1 from this share of the updates on: with
all of it from the start, samples fall into one of two valleys and stay there."""
COURSE = 100
"""Updates between two entries of a training's course."""


@dataclass(frozen=True)
class Shape:
    """D and T of the paper, branches per ordered pair of nodes, there and back, and their law.

    steps: of Runge and Kutta per period, in training. updates: of training.
    """

    layers: int = 4
    duration: float = 0.5
    repeat: int = 10
    branch: Branch = field(default_factory=ShiftTanh2)
    steps: int = 6
    updates: int = 1200

    def network(self) -> KirchhoffNet:
        """Untrained, of two nodes and ground."""
        topology = FullyConnected(num_node=3, repeat=(self.repeat, self.repeat)).build()
        durations = [self.duration] * self.layers
        model = KirchhoffNet([topology] * self.layers, durations, self.branch, generation=Generation())
        for layer in model.layers:
            torch.nn.init.normal_(layer.theta, std=SPREAD)
        return model


SHAPES = {name: Shape() for name in TASKS} | {
    "moons": Shape(layers=2, updates=2000),
    "2spirals": Shape(layers=8, duration=0.2, steps=4, updates=2000),
    "potential1": Shape(layers=8, duration=0.2, branch=ShiftTanh1(), steps=4, updates=2000),
    "potential2": Shape(layers=8, duration=0.2, branch=ShiftTanh1(), steps=4, updates=2000),
}
"""D and T are the paper's. It does not say how many branches there are: as many here as in the authors' files of the
spirals and the potentials, and they have 25 in the others. The law of potentials is that of these files too."""


def trained(task: str, setting: Setting, *, seed: int = 0) -> Trained:
    """AdamW with a cosine schedule, on points that are new in every batch.

    Left alone, training finds networks that are dense where few steps do not follow them.
    """

    def train() -> tuple[KirchhoffNet, Row]:
        torch.manual_seed(seed)
        model = SHAPES[task].network()
        updates = setting.part(SHAPES[task].updates)
        begin = time.process_time()
        course = _fit(model, _loss(task, seed), updates, SHAPES[task].steps)
        return model, {"updates": updates, "batch": BATCH, "course": course, "training_s": time.process_time() - begin}

    return kept(setting.folder / "plane" / f"{task.replace(' ', '_')}.pt", train)


_Loss = Callable[[KirchhoffNet, int, float], Tensor]
"""Of a batch, with so many steps per period, when such a share of the updates is done."""


def _loss(task: str, seed: int) -> _Loss:
    random = np.random.default_rng(seed)
    if task in TASKS:
        return lambda model, steps, _: unlikelihood(model, _single(TASKS[task](BATCH, random)), steps)
    energy = POTENTIALS[task].energy

    def warmed(model: KirchhoffNet, steps: int, done: float) -> Tensor:
        weight = min(1.0, WARM + (1 - WARM) * done / COLD_SHARE)
        start = _single(random.standard_normal((BATCH, 2)))
        return divergence(model, lambda points: weight * energy(points), start, steps)

    return warmed


def unlikelihood(model: KirchhoffNet, points: Tensor, steps: int) -> Tensor:
    """Eq. 14: the mean negative log-density of points (samples, 2), nats, and what keeps steps short enough."""
    start, change, rough = flow(model, points, steps, backwards=True)
    return (_normal(start) + change).mean() + rough


def divergence(model: KirchhoffNet, energy: Callable[[Tensor], Tensor], start: Tensor, steps: int) -> Tensor:
    """Eq. 15: KL[q || p] less log Z, nats, on what becomes of start (samples, 2); p is exp(-energy) / Z.

    And what keeps steps short enough.
    """
    points, change, rough = flow(model, start, steps, backwards=False)
    return (energy(points) - _normal(start) - change).mean() + rough


def _fit(model: KirchhoffNet, loss_of: _Loss, updates: int, steps: int) -> list[float]:
    """The mean loss of every COURSE updates."""
    optimiser = torch.optim.AdamW(model.parameters(), lr=RATE)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, updates)
    losses: list[float] = []
    for update in range(updates):
        optimiser.zero_grad()
        loss = loss_of(model, steps, update / updates)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 10.0)
        optimiser.step()
        schedule.step()
        losses.append(loss.item())
        if (update + 1) % COURSE == 0:
            print(f"  update {update + 1}: loss {np.mean(losses[-COURSE:]):.4f}", flush=True)
    return [float(np.mean(losses[first : first + COURSE])) for first in range(0, updates, COURSE)]


def _normal(points: Tensor) -> Tensor:
    """(samples,) minus the log-density of the standard normal distribution."""
    return points.square().sum(1) / 2 + points.shape[1] / 2 * math.log(2 * math.pi)


def _single(points: np.ndarray) -> Tensor:
    """Training is as good, and twice as fast, in single precision."""
    return torch.from_numpy(points).float()
