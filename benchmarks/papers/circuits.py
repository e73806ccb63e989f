"""What a trained network's circuit does: accuracy, gap, causes, a second opinion, and what that took."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

import kanspice
from benchmarks.papers.data import MissingDataError
from benchmarks.papers.rows import Row, Setting
from kanspice.base.arrays import Array
from kanspice.base.errors import InputError, SimulatorError
from kanspice.engine.engines import engine_named
from kanspice.experiments.study.result import PointResult
from kanspice.experiments.verify.result import GapResult
from kanspice.families.common.network import Network

_EXPLAINED, _EXPLAINED_SAMPLES = 0.005, 100
"""Accuracies that differ by more are attributed to causes, on so many samples."""
_WORKERS = ("jobs", "scheduler")
"""Who measures a study: its results do not depend on that."""
_ASKED = "asked.json"


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


def matters(lost: float) -> bool:
    """True for more than half a point; a difference of two fractions, which rounding is taken from."""
    return round(abs(lost), 9) > _EXPLAINED


def explained_samples(setting: Setting) -> int:
    """How many causes are looked for on."""
    return setting.part(_EXPLAINED_SAMPLES, at_least=20)


def explained(lost: float, path: Path, inputs: Array, labels: Array | None, setting: Setting, **verify: object) -> Row:
    """What a circuit in typical parts loses of accuracy or success, and if that is more than half a point, why.

    shares: of the mean squared gap of its first chip on some of these samples, by cause, the largest first. verify:
    what `kanspice.verify` is told besides.
    """
    if not matters(lost):
        return {"lost": lost}
    count = explained_samples(setting)
    some = None if labels is None else np.ascontiguousarray(labels[:count])
    told = {"labels": some, "tech": "typical", "engine": "batched", "attribute": True} | verify
    result = kanspice.verify(path, np.ascontiguousarray(inputs[:count]), **told)
    shares = {each.name: each.share.fraction for each in result.causes if each.share is not None}
    shares = dict(sorted(shares.items(), key=lambda one: -one[1]))
    return {"lost": lost} | outcome(result) | {"shares": shares}


def lost_in_typical(row: Row) -> float:
    """Accuracy that one specimen loses, on the samples that it was measured on."""
    accuracy = row["typical"]["accuracy"]
    return accuracy["reference"] - accuracy["circuit"]


def specimens(folder: Path, path: Path, samples: tuple[Array, Array], tech: str, trials: int, **study: object) -> Row:
    """Draws of a circuit, by `kanspice study` in a folder where an interrupted one goes on: accuracies, and the worst.

    samples: inputs and labels. study: what `kanspice.study` is told besides. Raises InputError where the folder has as
    many draws of another study.
    """
    begin, wall = time.process_time(), time.monotonic()
    place, asked = drawn_in(folder, trials), _asked(samples, {"tech": tech} | study)
    goes_on = place.exists()
    if goes_on:
        _check_asked(place, asked)
        result = kanspice.study(resume=place, **{name: study[name] for name in _WORKERS if name in study})
    else:
        place.parent.mkdir(parents=True, exist_ok=True)
        for name, array in zip(("inputs", "labels"), samples, strict=True):
            np.save(place.with_name(f"{name}.npy"), array)
        place.with_name(_ASKED).write_text(asked, encoding="utf-8")
        files = {name: place.with_name(f"{name}.npy") for name in ("inputs", "labels")}
        result = kanspice.study(path, out=place, tech=tech, trials=trials, **(files | {"cross_check": 0} | study))
    return {
        "network_accuracy": result.reference_accuracy,
        "samples": result.samples,
        "trials": len(result.points[0].draws),
        "technology": tech,
        "points": [{"values": list(point.point.values)} | _spread(point) for point in result.points],
        "processor_per_draw_s": None if goes_on else (time.process_time() - begin) / (trials * len(result.points)),
        "sha256": result.model.sha256,
        "wall_s": time.monotonic() - wall,
    }


def drawn_in(folder: Path, trials: int) -> Path:
    """The folder of a study with so many draws: one with another number is another study."""
    return folder / f"{trials} draws" / "study"


def _asked(samples: tuple[Array, Array], study: Row) -> str:
    """All that a study's results depend on, but its network, which the study's own folder knows."""
    digests = [hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest() for array in samples]
    told = {name: value for name, value in study.items() if name not in _WORKERS}
    return json.dumps({"samples": digests} | told, sort_keys=True)


def _check_asked(place: Path, asked: str) -> None:
    there = place.with_name(_ASKED).read_text(encoding="utf-8")
    if there != asked:
        raise InputError("another study is there", where=place, expected=asked, found=there, hint="remove the folder")


def second_opinion(
    model: Path | Network, inputs: Array, tech: str, judge: str, *, set_: Sequence[str] = (), seed: int = 0
) -> Row:
    """The same circuit in a simulator: the largest difference of outputs, of their standard deviation.

    Raises MissingDataError where the simulator is not here.
    """
    try:
        engine_named(judge).find()
    except SimulatorError as error:
        raise MissingDataError(f"{error.problem}, {error.hint}") from error
    begin, wall = time.process_time(), time.monotonic()
    result = kanspice.verify(
        model, inputs, tech=tech, set=set_, engine="batched", cross_check=f"{len(inputs)}:{judge}", seed=seed
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
