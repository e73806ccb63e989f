"""Trainable nonlinear connections in closed loop: success of networks, of ideal circuits, and of drawn ones."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

import kanspice
from benchmarks.papers.circuits import explained, explained_samples, matters
from benchmarks.papers.controllers import photovoltaic, planar_arm, six_axis_arm
from benchmarks.papers.data import MissingDataError
from benchmarks.papers.rows import Row, Rows, Setting, measured_row
from kanspice.experiments.control import ControlResult

EXAMPLES = Path(__file__).parents[2] / "examples"


@dataclass(frozen=True)
class Loop:
    """model: its checkpoint, trained now where it is not here. plant: its name. steps: control periods at most."""

    model: Callable[[Setting], Path]
    plant: str
    steps: int


def _example(name: str) -> Callable[[Setting], Path]:
    return lambda _: EXAMPLES / name / "model.pt"


def _authors_cart(_: Setting) -> Path:
    data = os.environ.get("KANSPICE_REFERENCE_DATA")
    if not data:
        raise MissingDataError("the authors' controller is not here: KANSPICE_REFERENCE_DATA is not set")
    return Path(data) / "phykan" / "cartpole_controller" / "model.pt"


LOOPS: Mapping[str, Loop] = {
    "pole on a cart, examples/05": Loop(_example("05_phykan_cartpole"), "cartpole", 500),
    "pole on a cart, the authors' class": Loop(_authors_cart, "cartpole", 500),
    "photovoltaic array, examples/08": Loop(_example("08_phykan_photovoltaic"), "pv", 300),
    "photovoltaic array, the authors' units": Loop(photovoltaic, "pv-curves", 300),
    "planar arm of two links": Loop(planar_arm, "arm", 100),
    "six-axis arm": Loop(six_axis_arm, "arm6", 100),
}
EPISODES, TRIALS = 10, 20


def rows(setting: Setting) -> Rows:
    """Every loop, as an ideal circuit and as specimens of `typical`; and why these fail where the network does not."""
    for name, loop in LOOPS.items():
        for tech in ("ideal", "typical"):
            yield f"{name}; {tech}", partial(_row, loop, tech, setting)
        yield f"{name}; causes", partial(_causes, name, loop, setting)


def _row(loop: Loop, tech: str, setting: Setting) -> Row:
    trials = None if tech == "ideal" else setting.part(TRIALS)
    result = _controlled(loop, tech, setting, trials=trials, spot_check=0 if trials else None)
    return {"technology": tech, "plant": loop.plant, "steps": loop.steps} | _outcome(result)


def _causes(name: str, loop: Loop, setting: Setting) -> Row:
    """Of the gap of actions for what the network sees: samples spread over its episodes."""
    row = measured_row("loops", f"{name}; typical", setting)
    lost = row["network_success"] - row["specimens"]["success"]
    if not matters(lost):
        return {"lost": lost}
    seen = np.concatenate([each.observations for each in _controlled(loop, "ideal", setting).reference])
    some = seen[np.linspace(0, len(seen) - 1, explained_samples(setting)).astype(int)]
    path = loop.model(setting)
    return explained(lost, path, some, None, setting, config=_config(path), sized_for=seen)


def _controlled(loop: Loop, tech: str, setting: Setting, **draws: int | None) -> ControlResult:
    path = loop.model(setting)
    return kanspice.control(
        path,
        loop.plant,
        config=_config(path),
        tech=tech,
        engine="batched",
        episodes=setting.part(EPISODES, at_least=2),
        steps=loop.steps,
        **draws,
    )


def _config(path: Path) -> Path | None:
    config = path.with_name("config.json")
    return config if config.exists() else None


def _outcome(result: ControlResult) -> Row:
    """successes: fractions of episodes; specimens: of all drawn circuits' episodes, with those that never fail."""
    found: Row = {
        "episodes": len(result.circuit),
        "network_success": result.reference_rate,
        "circuit_success": result.circuit_rate,
        "network_reward": result.reference_mean_reward,
        "circuit_reward": result.circuit_mean_reward,
        "action_relative_rmse": result.along.gap.relative_rmse,
    }
    if not result.points:
        return found
    point = result.points[0]
    good = sum(all(draw.successes) for draw in point.draws)
    return found | {"specimens": {"count": len(point.draws), "success": point.rate, "without_failure": good}}
