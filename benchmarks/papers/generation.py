"""Figs. 7, 8 and 10 of the KirchhoffNet paper: what networks generate in the plane, and what their circuits do.

Points at every period's end are kept in the folder, for the figures: see kirchhoffnet_figures.
"""

from __future__ import annotations

import copy
import os
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch

import kanspice
from benchmarks.papers.data import MissingDataError
from benchmarks.papers.flows import trained
from benchmarks.papers.ode import flow
from benchmarks.papers.plane import POTENTIALS, TASKS, WINDOW, energy_distance
from benchmarks.papers.rows import Row, Rows, Setting
from kanspice.base.arrays import Array
from kanspice.experiments.verify.result import GapResult
from kanspice.families.kirchhoffnet.density import log_densities, log_densities_at
from kanspice.families.kirchhoffnet.network import KirchhoffNet
from kanspice.families.loading import LoadedModel

PUBLISHED = {"circles": "circle", "moons": "twomoon", "potential2": "potential2"}
"""Folders of the authors' networks."""
ENDLESS = ("potential2",)
"""Those whose network was trained on a density without ends, which has no integral: the band of the second potential
from minus to plus infinity. There is nothing to compare what it makes with, but what its circuits make."""
_OF_DATA = ("divergence", "divergence_error", "energy_distance")
SAMPLES = 2000
FRESH = 5
"""Pairs of fresh samples that say how far two of one distribution are from each other."""
_SIDE = 60
_STEPS = 32
_BLOCK = 600


def rows(setting: Setting) -> Rows:
    """Six tasks, two potentials, and the networks of the authors' that are here."""
    for task in (*TASKS, *POTENTIALS):
        yield f"{task}; ours", partial(_ours, task, setting)
    for task in PUBLISHED:
        yield f"{task}; published", partial(_published, task, setting)


def points_file(name: str, setting: Setting) -> Path:
    """Of a row, by its name: see `_Points.save`."""
    return setting.folder / "plane" / f"{name.replace('; ', '_').replace(' ', '_')}_points.npz"


def _ours(task: str, setting: Setting) -> Row:
    network = trained(task, setting)
    return network.facts | _measured(task, f"{task}; ours", kanspice.load(network.path), setting)


def _published(task: str, setting: Setting) -> Row:
    data = os.environ.get("KANSPICE_REFERENCE_DATA")
    if not data:
        raise MissingDataError("the authors' networks are not here: set KANSPICE_REFERENCE_DATA")
    folder = Path(data) / "kirchhoffnet" / PUBLISHED[task]
    loaded = kanspice.load(folder / "model.pth", folder / "config.yaml")
    row = _measured(task, f"{task}; published", loaded, setting)
    return {key: of for key, of in row.items() if task not in ENDLESS or key not in _OF_DATA}


def _measured(task: str, name: str, loaded: LoadedModel, setting: Setting) -> Row:
    """Likelihood or divergence of the network; how far it and its circuits are from the data, and these from others."""
    samples = setting.part(SAMPLES)
    random = np.random.default_rng(1)
    draw = TASKS[task] if task in TASKS else POTENTIALS[task].draw
    start, data = random.standard_normal((samples, 2)), draw(samples, random)
    ideal = kanspice.verify(_without_densities(loaded.model), start, tech="ideal", engine="batched")
    typical = kanspice.verify(loaded, start, tech="typical", engine="batched")
    points = _Points.of(start, data, typical)
    points.save(points_file(name, setting), None if task in TASKS else _grid_density(loaded.model))
    fresh = [energy_distance(draw(samples, random), draw(samples, random)) for _ in range(FRESH)]
    return {
        "parameters": loaded.parameters,
        "layers": len(loaded.model.layers),
        "duration": loaded.model.durations[0],
        "law": loaded.model.branch.name,
        "branches": sum(topology.edges for topology in loaded.model.topologies),
        "samples": samples,
        **_likelihood(task, loaded.model, start, data),
        "energy_distance": {
            "network": energy_distance(points.network[-1], data),
            "ideal": _finite_distance(ideal.outputs, data),
            "typical": _finite_distance(typical.outputs, data),
            "fresh": {"mean": float(np.mean(fresh)), "largest": max(fresh)},
        },
        "ideal": _circuit(ideal),
        "typical": _circuit(typical),
        "periods": points.summary(),
        "sha256": loaded.sha256,
    }


def _likelihood(task: str, model: KirchhoffNet, start: Array, data: Array) -> Row:
    """In nats: the mean negative log-density of unseen points; of a potential, KL[q || p]. And that of the truth."""
    if task in TASKS:
        found = log_densities_at(model, data)
        return {
            "negative_log_likelihood": -float(np.nanmean(found)),
            "not_followed": int(np.isnan(found).sum()),
        }
    with torch.no_grad():
        made = model(torch.from_numpy(start)).numpy()
    against = log_densities(model, start) - POTENTIALS[task].log_density(made)
    return {"divergence": float(against.mean()), "divergence_error": float(against.std() / len(start) ** 0.5)}


def _without_densities(model: KirchhoffNet) -> KirchhoffNet:
    """The same network: the ideal circuit's samples are the network's, and their densities take most of the time."""
    plain = copy.copy(model)
    plain.generation = None
    return plain


def _circuit(result: GapResult) -> Row:
    """What `kanspice verify` says of a circuit, and of its distribution where it was asked for that."""
    found = result.distribution
    dense = None if found is None else found.log_density
    return {
        "failed_samples": len(result.failed),
        "relative_rmse": result.gap.relative_rmse,
        "latency_s": None if result.physical is None else result.physical.latency_s,
        "distribution": None
        if found is None
        else {
            "samples": found.samples,
            "energy_distance": found.energy_distance,
            "noise": found.noise,
            "told_apart": found.is_told_apart,
        },
        "log_density": None if dense is None else {"network": dense.reference, "circuit": dense.circuit},
    }


def _finite_distance(outputs: Array, data: Array) -> float:
    return energy_distance(outputs[np.isfinite(outputs).all(axis=1)], data)


def grid() -> Array:
    """Points (points, 2) of the window, row by row."""
    side = np.linspace(-WINDOW, WINDOW, _SIDE)
    return np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)


def _grid_density(model: KirchhoffNet) -> Array:
    """(points,) log-density that the network has on the grid, NaN where it cannot be followed."""
    found = []
    with torch.no_grad():
        for points in torch.from_numpy(grid()).split(_BLOCK):
            start, change, _ = flow(model, points, _STEPS, backwards=True)
            found.append(-start.square().sum(1) / 2 - np.log(2 * np.pi) - change)
    return torch.cat(found).numpy()


@dataclass(frozen=True)
class _Points:
    """data, start: (samples, 2). network, typical: (periods, samples, 2), at every period's end."""

    data: Array
    start: Array
    network: Array
    typical: Array

    @classmethod
    def of(cls, start: Array, data: Array, typical: GapResult) -> _Points:
        if typical.generated is None:
            raise TypeError("the network does not generate")
        ends = typical.generated.ends
        return cls(data, start, np.stack([at.reference for at in ends]), np.stack([at.circuit for at in ends]))

    def save(self, path: Path, log_density: Array | None) -> None:
        """In single precision, and the log-density on the grid besides, where there is one."""
        arrays = {"data": self.data, "start": self.start, "network": self.network, "typical": self.typical}
        if log_density is not None:
            arrays["log_density"] = log_density
        np.savez_compressed(path, **{name: array.astype(np.float32) for name, array in arrays.items()})

    def summary(self) -> Row:
        """Of every period: mean and standard deviation of both coordinates."""
        return {
            name: [{"mean": np.nanmean(at, 0).tolist(), "std": np.nanstd(at, 0).tolist()} for at in ends]
            for name, ends in (("network", self.network), ("typical", self.typical))
        }
