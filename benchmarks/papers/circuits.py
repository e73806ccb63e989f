"""What a trained network's circuit does: accuracy, gap, causes, a second opinion, and what that took."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

import kanspice
from benchmarks.papers.rows import Row
from kanspice.base.arrays import Array
from kanspice.experiments.study.result import PointResult
from kanspice.experiments.verify.result import GapResult

EXPLAINED = 0.005
"""Accuracies that differ by more are attributed to causes."""


def circuit(path: Path, inputs: Array, labels: Array, tech: str, *, set_: Sequence[str] = (), seed: int = 0) -> Row:
    """One specimen in the batched engine: accuracy of network and circuit on the same samples, and their gap."""
    begin = time.process_time()
    result = kanspice.verify(path, inputs, labels=labels, tech=tech, set=set_, engine="batched", seed=seed)
    seconds = time.process_time() - begin
    return outcome(result) | {
        "technology": tech,
        "settings": list(set_),
        "seed": seed,
        "processor_per_sample_s": seconds / len(inputs),
    }


def outcome(result: GapResult) -> Row:
    """What a page says of a result."""
    return {
        "samples": result.samples,
        "failed_samples": len(result.failed),
        "accuracy": None if result.accuracy is None else dict(result.accuracy),
        "relative_rmse": result.gap.relative_rmse,
        "devices": result.design.devices,
        "parameters": result.model.parameters,
        "sha256": result.model.sha256,
    }


def causes(path: Path, inputs: Array, labels: Array, tech: str, seed: int = 0) -> Row:
    """Shares of the mean squared gap by cause, the largest first, of some samples."""
    result = kanspice.verify(path, inputs, labels=labels, tech=tech, engine="batched", attribute=True, seed=seed)
    shares = {each.name: each.share.fraction for each in result.causes if each.share is not None}
    return outcome(result) | {"shares": dict(sorted(shares.items(), key=lambda one: -one[1]))}


def specimens(folder: Path, path: Path, samples: tuple[Array, Array], tech: str, trials: int, **study: object) -> Row:
    """Draws of a circuit, by `kanspice study` in a folder where an interrupted one goes on: accuracies, and the worst.

    samples: inputs and labels. study: what `kanspice.study` is told besides.
    """
    begin, wall = time.process_time(), time.monotonic()
    if (folder / "study").exists():
        result = kanspice.study(resume=folder / "study")
    else:
        folder.mkdir(parents=True, exist_ok=True)
        for name, array in zip(("inputs", "labels"), samples, strict=True):
            np.save(folder / f"{name}.npy", array)
        given = {"inputs": folder / "inputs.npy", "labels": folder / "labels.npy", "cross_check": 0} | study
        result = kanspice.study(path, out=folder / "study", tech=tech, trials=trials, **given)
    return {
        "network_accuracy": result.reference_accuracy,
        "samples": result.samples,
        "trials": len(result.points[0].draws),
        "technology": tech,
        "points": [{"values": list(point.point.values)} | _spread(point) for point in result.points],
        "processor_per_draw_s": (time.process_time() - begin) / (trials * len(result.points)),
        "sha256": result.model.sha256,
        "wall_s": time.monotonic() - wall,
    }


def second_opinion(path: Path, inputs: Array, tech: str, judge: str, *, set_: Sequence[str] = (), seed: int = 0) -> Row:
    """The same circuit in a simulator: the largest difference of outputs, of their standard deviation."""
    begin, wall = time.process_time(), time.monotonic()
    result = kanspice.verify(
        path, inputs, tech=tech, set=set_, engine="batched", cross_check=f"{len(inputs)}:{judge}", seed=seed
    )
    check = result.cross_check
    return {
        "judge": judge,
        "technology": tech,
        "settings": list(set_),
        "samples": len(check.samples),
        "difference": check.worst,
        "agrees": not check.disagrees,
        "wall_s": time.monotonic() - wall,
        "own_processor_s": time.process_time() - begin,
    }


def first(inputs: Array, labels: Array, count: int) -> tuple[Array, Array]:
    """The first samples: test sets are shuffled."""
    return np.ascontiguousarray(inputs[:count]), np.ascontiguousarray(labels[:count])


def _spread(point: PointResult) -> Row:
    """Accuracies over draws; a sample without a result is not classified right. worst: the draw to look at again."""
    accuracies = np.array([draw.metrics["accuracy"] for draw in point.draws], dtype=float)
    worst = point.draws[int(np.argmin(accuracies))]
    return {
        "mean": float(accuracies.mean()),
        "relative_rmse": _mean([draw.metrics["relative_rmse"] for draw in point.draws]),
        "smallest": float(accuracies.min()),
        "largest": float(accuracies.max()),
        "five_percent": float(np.quantile(accuracies, 0.05)),
        "worst_seed": worst.seed,
        "draws_with_failed_samples": sum(bool(draw.failed) for draw in point.draws),
    }


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None
