"""Modules laid out as the PhyKAN authors' classes lay theirs out, and files of pickle instructions written by hand."""

from __future__ import annotations

import io
import zipfile
from collections import defaultdict
from itertools import pairwise
from pathlib import Path

import torch
from torch import nn


class _Pickled:
    """Is pickled as an object of another class, which need not be made for that: torch's optimisers take seconds to."""

    def __init__(self, class_, state):
        self.class_, self.state = class_, state

    def __reduce__(self):
        return self.class_, (), self.state


def _adam(tensors):
    """What Adam keeps of tensors after a step."""
    state = defaultdict(dict)
    for tensor in tensors:
        state[tensor] = {name: torch.zeros_like(tensor) for name in ("step", "exp_avg", "exp_avg_sq")}
    options = {"lr": 1e-3, "betas": (0.9, 0.999), "eps": 1e-8, "amsgrad": False, "foreach": None}
    groups = [{"params": list(tensors), **options}]
    return _Pickled(torch.optim.Adam, {"defaults": options, "state": state, "param_groups": groups})


class PhyKAN(nn.Module):
    """Bears the name of the authors' class; every other attribute than what they train with is given.

    Optimisers, their state, a scheduler and a loss come with it, as with theirs.
    """

    def __init__(self, **attributes):
        super().__init__()
        for name, value in attributes.items():
            setattr(self, name, value)
        for tensor in self.filter_params:
            tensor.requires_grad = True
        self.filter_optim, self.threshold_optim = _adam(self.filter_params), _adam(self.thresholds)
        schedule = {"gamma": 0.99, "optimizer": self.filter_optim, "base_lrs": [1e-3], "last_epoch": 0}
        self.sched1 = _Pickled(torch.optim.lr_scheduler.ExponentialLR, schedule)
        self.lossfn = nn.MSELoss()


class PhyKAN_actor(PhyKAN):  # noqa: N801 - their name
    """The actor of a pair, which keeps its critic."""


class PhyKAN_robotics(PhyKAN):  # noqa: N801 - their name
    """A class of theirs that is not read."""


class MemKAN(nn.Module):
    """Bears the name of the authors' class with a surrogate; what it is given replaces attributes, or is added."""

    def __init__(self, edge_model, shape=(3, 4, 2), units=2, **attributes):
        super().__init__()
        self.Nlayers, self.KANshape, self.sigmoid_s = len(shape) - 1, list(shape), 0.5
        self.edge_model = edge_model
        sizes = list(pairwise(shape))
        self.edge_params = [torch.randn(*size, units, 5) for size in sizes]
        self.gains = [torch.randn(*size, units) for size in sizes]
        self.biases = [0.2 * torch.randn(*size, units) for size in sizes]
        self.edge_optim = _adam([*self.edge_params, *self.gains, *self.biases])
        self.scheduler = _Pickled(torch.optim.lr_scheduler.ExponentialLR, {"gamma": 0.99, "optimizer": self.edge_optim})
        self.lossfn = nn.MSELoss()
        for name, value in attributes.items():
            setattr(self, name, value)


class MemKAN_actor(MemKAN):  # noqa: N801 - their name
    """The actor of a pair, which keeps its critic."""


def surrogate(*hidden, inputs=6, outputs=1):
    """A surrogate of synapses as theirs, untrained."""
    widths = (inputs, *hidden, outputs)
    layers = [part for n_in, n_out in pairwise(widths) for part in (nn.Linear(n_in, n_out), nn.ReLU())]
    return nn.Sequential(*layers[:-1])


def attributes(state, shape, **others):
    """Those of their earlier class for plain tensors by their names; `others` replaces some, or adds to them."""
    names = {name.rpartition(".")[0] for name in state}
    lists = {name: [state[f"{name}.{layer}"].clone() for layer in range(len(shape) - 1)] for name in names}
    plain = {"Nlayers": len(shape) - 1, "KANshape": list(shape), "thresholding": False, "sigmoid_s": 0.5}
    return lists | plain | others


def tables():
    """What the class for the array has besides."""
    return {"low_pass_lookup": torch.tensor([4e3, 2e4, 1e5]), "high_pass_lookup": torch.tensor([5e3, 5e4])}


def torch_file(pickled: bytes, path: Path) -> Path:
    """A file as torch writes it, of these pickle instructions."""
    content = io.BytesIO()
    torch.save({}, content)
    with zipfile.ZipFile(content) as plain, zipfile.ZipFile(path, "w") as file:
        for entry in plain.infolist():
            file.writestr(entry.filename, pickled if entry.filename.endswith("data.pkl") else plain.read(entry))
    return path
