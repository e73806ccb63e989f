"""Chips of the digits example as ngspice simulates them: what is measured of them, and what they really are.

Each is a specimen of `SAID` whose keys `UNKNOWN` have other values than that says: drawn, as its parts are, from what
the technology leaves open. Wires are those of drivers, since chains of segments take ngspice five times as long.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from benchmarks.report import cpu_s
from benchmarks.tune import DIGITS, digits
from kanspice import load_technology
from kanspice.base.draws import Draw
from kanspice.circuit import Design
from kanspice.engine.options import RunOptions
from kanspice.engine.running import solve
from kanspice.experiments.evidence import read_evidence
from kanspice.experiments.followed import Followed
from kanspice.experiments.identify.twin import Twin, parse_keys
from kanspice.families import load
from kanspice.gap import decoded_outputs, spread

SAID = ("tia.gain=1000", "devices.area_sigma=0.05", "tia.offset_sigma_v=0.002", "wires.driver_ohm=20")
UNKNOWN = ("tia.gain=3", "wires.driver_ohm=2")
NOISE = 1e-3
"""Of what is measured, of the spread of the network's outputs."""
_POOL = 800


@dataclass(frozen=True)
class Chip:
    """outputs: (inputs, outputs) as measured, noise included. true: the unknowns as its twin counts them.

    engine, cpu_s: what simulated it, and in what time.
    """

    seed: int
    outputs: np.ndarray
    true: np.ndarray
    engine: str
    cpu_s: float


@cache
def pool() -> np.ndarray:
    """Inputs that can be measured, in a random order: digits that the example was trained on."""
    inputs = digits()["inputs"]
    return np.ascontiguousarray(inputs[np.random.default_rng(7).permutation(len(inputs))[:_POOL]])


@cache
def twin(*said: str, unknown: tuple[str, ...] = UNKNOWN) -> Twin:
    """Of the example in a technology; `SAID` if nothing is said. Sized for all of the pool."""
    loaded = load(DIGITS / "model.pt")
    return Twin(loaded, load_technology(None, said or SAID), followed().sizing, parse_keys(unknown))


@cache
def followed() -> Followed:
    """What the network makes of the pool."""
    loaded = load(DIGITS / "model.pt")
    return Followed.of(loaded, read_evidence(loaded, pool()), load_technology(None, SAID))


@cache
def expected() -> np.ndarray:
    """Its outputs."""
    return followed().expected(twin().nominal)


def scale() -> float:
    """How much its outputs vary."""
    return spread(expected())


def chip(seed: int, samples: int, found: Twin, engine: str = "ngspice", folder: Path | None = None) -> Chip:
    """The first samples of the pool. folder: where chips are kept; one that is there with as many samples is taken."""
    true = unknowns(found, seed)
    kept = None if folder is None else _kept(folder, engine, seed, samples, true)
    if kept is not None:
        return kept
    made, seconds = cpu_s(lambda: simulated(found.design(true), pool()[:samples], engine))
    outputs = made + NOISE * scale() * np.random.default_rng([seed, 2]).standard_normal(made.shape)
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        np.savez(folder / f"{engine}_{seed}_{samples}.npz", outputs=outputs, true=true, cpu_s=seconds)
    return Chip(seed, outputs, true, engine, seconds)


def _kept(folder: Path, engine: str, seed: int, samples: int, true: np.ndarray) -> Chip | None:
    """That which has the fewest samples of those that have enough."""
    sizes = sorted(int(path.stem.rpartition("_")[2]) for path in folder.glob(f"{engine}_{seed}_*.npz"))
    for size in sizes:
        with np.load(folder / f"{engine}_{seed}_{size}.npz") as kept:
            if size >= samples and np.array_equal(kept["true"], true):
                return Chip(seed, kept["outputs"][:samples], true, engine, float(kept["cpu_s"]) * samples / size)
    return None


def unknowns(found: Twin, seed: int) -> np.ndarray:
    """What the specimen of a seed has: its parts' numbers, and keys, all drawn from what is known of them."""
    parts = [Draw(seed).normal(array.name, array.shape).ravel() for array in found.arrays]
    return np.concatenate([*parts, np.random.default_rng([seed, 1]).standard_normal(len(found.keys))])


def simulated(design: Design, inputs: np.ndarray, engine: str) -> np.ndarray:
    """What a circuit gives, in model units."""
    options = RunOptions(check_samples=0, row_currents=False, prove_states=False)
    return decoded_outputs(design, solve(engine, design, inputs, "device", options))
