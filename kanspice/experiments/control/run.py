"""Closed loops whose draws are kept in a folder: by many processes, and going on whatever ended them."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from kanspice.base.files import read_file
from kanspice.circuit import Design
from kanspice.experiments.control.loop import Episode, Steps
from kanspice.experiments.control.measure import PreparedLoop, prepare
from kanspice.experiments.control.plan import LoopRequest
from kanspice.experiments.control.result import ControlResult
from kanspice.experiments.control.setup import ReferenceLoop
from kanspice.experiments.ensemble import ensemble as ensembles
from kanspice.experiments.ensemble.identity import circuits_sha256, sha256
from kanspice.experiments.ensemble.journal import Journal
from kanspice.experiments.ensemble.workers import Workers
from kanspice.experiments.facts import versions
from kanspice.experiments.prepared import network_of
from kanspice.experiments.sizing import SizingSamples


@dataclass(frozen=True)
class Kept:
    """A loop with draws that a folder keeps. identity: everything that results depend on, by name."""

    request: LoopRequest
    prepared: PreparedLoop
    identity: Mapping[str, Any]


def start(request: LoopRequest, folder: Path, progress: Steps | None = None) -> Kept:
    """Prepares a loop with draws and makes its folder. Raises InputError where the folder holds something already."""
    return ensembles.start(request, folder, partial(_prepared, progress=progress))


def resume(folder: Path, progress: Steps | None = None) -> Kept:
    """Prepares that of a folder again. Raises InputError where its results would not be the same any more."""
    return ensembles.resume(folder, LoopRequest, partial(_prepared, progress=progress))


def run(
    kept: Kept,
    folder: Path,
    workers: Workers,
    progress: Steps | None = None,
    warn: Callable[[str], None] | None = None,
) -> ControlResult:
    """Measures what the folder's journal does not have yet, and returns everything; how long it took apart from it.

    The circuit of the first seed is tried again, whatever the journal has.
    """
    with Journal(folder, kept.identity) as journal:
        found = kept.prepared.run(journal, workers, progress, warn)
    seconds = {f"{who}_step_s": value for who, value in found.step_s.items()} | {"load_s": found.load_s}
    return replace(
        found,
        step_s=dict.fromkeys(found.step_s, math.nan),
        load_s=math.nan,
        timing={**found.timing, **seconds},
        command=kept.request.command,
    )


def _prepared(request: LoopRequest, progress: Steps | None) -> Kept:
    loaded = replace(network_of(request), path=Path(request.model))

    def identity(reference: ReferenceLoop, circuits: Sequence[Design]) -> Mapping[str, Any]:
        return {
            "circuits": circuits_sha256(circuits),
            "plant": _plant_sha256(request),
            "loop": _loop_sha256(reference.episodes),
            **({} if reference.sized_for is None else {"sized_for": reference.sized_for.facts.sha256}),
            "versions": versions(),
            "request": request.to_dict(),
        }

    prepared = prepare(
        loaded,
        request.technology,
        request.plant,
        request.options,
        request.draws(),
        identity=identity,
        sized_for=SizingSamples.read(loaded, request.sized_for and request.at(request.sized_for)),
        progress=progress,
    )
    return Kept(request, prepared, {} if prepared.ensemble is None else prepared.ensemble.identity)


def _plant_sha256(request: LoopRequest) -> str | None:
    """Of the plant's curves, where it has some."""
    if request.plant_curves is None:
        return None
    return hashlib.sha256(read_file(request.at(request.plant_curves), "the plant's curves")).hexdigest()


def _loop_sha256(episodes: Sequence[Episode]) -> str:
    """Of what the network does with the plant."""
    parts = (part for each in episodes for part in (each.observations, each.commands, each.rewards))
    return hashlib.sha256("".join(map(sha256, parts)).encode()).hexdigest()
