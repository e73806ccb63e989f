"""What tests of closed loops share: a network that balances, plants and controllers that misbehave."""

from __future__ import annotations

import numpy as np
import torch
from circuits import LINE, network

from kanspice.engine.solution import FailedSample, Outcome
from kanspice.experiments.control.controllers import Commands
from kanspice.experiments.control.plants import Box

BALANCES = [2.98670254, 4.55927528, 4.50994855, 12.54331842]
"""A linear-quadratic regulator's gains for observations of the cart-pole."""


def linear(gains, bias=0.0):
    """A network whose output is linear: gains (inputs, outputs)."""
    gains = np.asarray(gains, dtype=float)
    model = network(gains.shape, [LINE], input_stage="None", norm="none")
    with torch.no_grad():
        model.crossbars[0].coeffs.copy_(torch.from_numpy(gains[:, :, None]))
        model.crossbars[0].bias.copy_(torch.as_tensor(np.broadcast_to(bias, gains.shape[1:]).copy()))
    return model


class Counter:
    """A plant whose observation counts periods; `answer` can be replaced for what a period does instead."""

    def __init__(self, width=1, actions=1, bound=np.inf, answer=None):
        self.observation_space = Box.of(width)
        self.action_space = Box.of(actions, bound)
        self.answer = answer
        self.seeds, self.actions, self.closed = [], [], False

    def reset(self, *, seed=None, options=None):
        self.seeds.append(seed)
        self.actions.append([])
        self.period = 0
        return np.zeros(self.observation_space.shape), {}

    def step(self, action):
        self.actions[-1].append(np.array(action))
        self.period += 1
        if self.answer is not None and (given := self.answer(self.period)) is not None:
            return given
        return np.full(self.observation_space.shape, float(self.period)), 1.0, False, False, {}

    def close(self):
        self.closed = True


class Echo:
    """A controller whose command is the observation plus one; it gives up at some observations."""

    def __init__(self, without=()):
        self.without = without

    def commands(self, observations, numbers):
        lost = [place for place, row in enumerate(observations) if row[0] in self.without]
        failed = {place: FailedSample(place, Outcome.DIVERGED, "no way") for place in lost}
        return Commands(observations[:, :1] + 1, failed)
