"""Controllers in the PhyKAN authors' units that nobody publishes: trained here, each on its plant."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from benchmarks.papers.rows import Setting
from kanspice.base.arrays import Array
from kanspice.experiments.control.plants import PlanarArm, PowerTracking, SerialArm
from kanspice.experiments.control.plants.arm import RAD_PER_UNIT
from kanspice.experiments.control.plants.photovoltaic import V_PER_UNIT
from kanspice.experiments.control.plants.serial_arm import DenavitHartenberg, six_axes
from kanspice.families import save
from kanspice.families.common.training import fit
from kanspice.families.phykan.network import PhyKAN

_STEP_V, _SOFT_V = 12.0, 8.0
"""Of whoever is imitated: up to 12 V a period towards the maximum power point, most of it from 8 V or so away."""
_TURNS = 100
_PLACES, _UPDATES, _BATCH = 20_000, 12_000, 256
"""Of the six-axis arm's training."""
_SEEDS = 1000
"""From here on: the loops' own begin at 0."""


def six_axis_arm(setting: Setting) -> Path:
    """3-32-6, four filters a connection: joint angles for a place in space, trained through the arm's kinematics.

    Joints beyond their range cost as much as a hand as far away: squashed, they stay where they once are.
    """
    path = setting.folder / "controllers" / "six_axis_arm.pt"
    if not path.exists():
        torch.manual_seed(0)
        model, table = PhyKAN((3, 32, 6), 4, thresholding=True), six_axes()
        places = _reachable(table, setting.part(_PLACES), np.random.default_rng(0))
        steps = setting.part(_UPDATES)
        adam = torch.optim.Adam(model.parameters(), lr=0.01)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(adam, steps)
        for _ in range(steps):
            wanted = places[torch.randint(len(places), (_BATCH,))]
            actions = model(wanted)
            away = (hand_m(table, actions) - wanted).square().sum(1)
            beyond = (actions - actions.clamp(0.0, 1.0)).square().sum(1)
            adam.zero_grad()
            (away + beyond).mean().backward()
            adam.step()
            schedule.step()
        _kept(model.eval(), path)
    return path


def planar_arm(setting: Setting) -> Path:
    """2-8-2, three filters a connection: joint angles of an arm of two links, trained in the same way."""
    path = setting.folder / "controllers" / "planar_arm.pt"
    if not path.exists():
        torch.manual_seed(0)
        model, arm = PhyKAN((2, 8, 2), 3, thresholding=True), PlanarArm()
        places = torch.from_numpy(_on_paths(arm, setting.part(1000)))
        through = _Through(model, lambda actions: planar_hand(arm.links, actions))
        fit(through, places, places, adam_steps=setting.part(500), learning_rate=0.02, lbfgs_steps=setting.part(500))
        _kept(model, path)
    return path


def photovoltaic(setting: Setting) -> Path:
    """4-6-1, three filters a connection: the step in volts, imitating one who knows where most power is to be had."""
    path = setting.folder / "controllers" / "photovoltaic.pt"
    if not path.exists():
        torch.manual_seed(0)
        observations, steps = _tracked(setting.part(3000), np.random.default_rng(0))
        model = PhyKAN((4, 6, 1), 3, thresholding=True)
        fit(model, observations, steps, adam_steps=500, learning_rate=0.03, lbfgs_steps=setting.part(500))
        _kept(model, path)
    return path


class _Through(torch.nn.Module):
    """Where the hand goes when the network is told where it should be: places (samples, axes) to places."""

    def __init__(self, model: PhyKAN, hand: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.model, self.hand = model, hand

    def forward(self, places: Tensor) -> Tensor:
        """(samples, axes)."""
        return self.hand(self.model(places))


def planar_hand(links: Array, actions: Tensor) -> Tensor:
    """As `PlanarArm.hand`, for actions (samples, joints): (samples, 2)."""
    angles = torch.cumsum(actions * RAD_PER_UNIT, dim=1)
    lengths = torch.from_numpy(links)
    return torch.stack([angles.cos() @ lengths, angles.sin() @ lengths], dim=1)


def hand_m(table: DenavitHartenberg, actions: Tensor) -> Tensor:
    """As `DenavitHartenberg.hand_m`, for actions (samples, joints): (samples, 3)."""
    place = torch.zeros(len(actions), 3, dtype=torch.float64)
    for joint in reversed(range(table.joints)):
        theta = table.start_rad[joint] + table.range_rad[joint] * actions[:, joint]
        twist = float(table.twist_rad[joint])
        x, y, z = place.unbind(1)
        y, z = np.cos(twist) * y - np.sin(twist) * z, np.sin(twist) * y + np.cos(twist) * z
        x, z = x + float(table.length_m[joint]), z + float(table.offset_m[joint])
        place = torch.stack([theta.cos() * x - theta.sin() * y, theta.sin() * x + theta.cos() * y, z], dim=1)
    return place


def _reachable(table: DenavitHartenberg, count: int, random: np.random.Generator) -> Tensor:
    """Places (count, 3) on the plant's own paths."""
    arm, places = SerialArm(table), []
    while len(places) < count:
        arm.reset(seed=int(random.integers(2**32)))
        places += [table.hand_m(arm.leading(period)) for period in range(0, _TURNS, 10)]
    return torch.from_numpy(np.array(places[:count]))


def _on_paths(arm: PlanarArm, count: int) -> Array:
    """Targets (count, 2) of ten places on every path."""
    places = []
    for seed in range(math.ceil(count / 10)):
        place, _ = arm.reset(seed=seed + _SEEDS)
        for period in range(_TURNS):
            if period % 10 == 0:
                places.append(place)
            place, *_ = arm.step(np.zeros(len(arm.links)))
    return np.array(places[:count])


def _tracked(count: int, random: np.random.Generator) -> tuple[Tensor, Tensor]:
    """Observations (count, 4) about the maximum power point, and the steps wanted there (count, 1), in volts."""
    plant = PowerTracking()
    observations: list[Array] = []
    steps: list[float] = []
    step, info = 0.0, {"best_v": V_PER_UNIT / 2}
    for period in range(count):
        if period % 20 == 0:
            plant.reset(seed=int(random.integers(2**32)))
            step = 0.0
        observation, _, _, _, info = plant.step([step + 2.0 * random.standard_normal()])
        step = _STEP_V * float(np.tanh((info["best_v"] - V_PER_UNIT * observation[0]) / _SOFT_V))
        observations.append(observation)
        steps.append(step)
    return torch.from_numpy(np.array(observations)), torch.from_numpy(np.array(steps)[:, None])


def _kept(model: PhyKAN, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    save(model, path)
