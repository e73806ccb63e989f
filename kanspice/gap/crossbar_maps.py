"""Crossbars as maps: how large devices are, what each crosspoint adds to the error, and which devices are stuck.

Everything here is of a few samples, and of small maps, so that it costs nothing beside solving the circuit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kanspice.base.arrays import Array, Indices
from kanspice.circuit import Crossbar, Design
from kanspice.engine.solution import Solution
from kanspice.gap.raster import Raster, binned

MOST_MAPS = 8
"""So many crossbars have maps, the first."""
SIDE = 64
"""A map's rows and columns at most: of larger crossbars neighbours are binned."""
SHOWN = 8
"""So many crosspoints with the largest errors are named, and MOST_STUCK with stuck devices."""
MOST_STUCK = 64
EVALUATIONS = 400_000
"""So many currents are computed for a crossbar, at least those of one sample."""


@dataclass(frozen=True)
class Crosspoint:
    """A place in a crossbar. error: RMSE that its devices make at the pair's output, model units."""

    row: int
    pair: int
    error: float


@dataclass(frozen=True)
class CrossbarMap:
    """One crossbar. Maps are (rows, pairs), of larger crossbars the root mean squares of neighbours.

    samples: of which errors are. area: of a crosspoint's devices, in units of the reference device. error: RMSE in
    model units that a crosspoint makes at its pair's output, its devices as they are against ideal ones whose column is
    at 0 V; None where it makes none. row_errors, pair_errors: what rows make (their crosspoints' errors, added as
    squares), and what outputs are off by themselves (amplifiers included), as many as the map has.
    worst: the crosspoints with the largest errors. open, shorted: devices that are stuck, and stuck: where, the first.
    """

    name: str
    rows: int
    pairs: int
    samples: int
    area: Raster
    error: Raster | None
    row_errors: tuple[float, ...]
    pair_errors: tuple[float, ...]
    worst: tuple[Crosspoint, ...]
    open: int
    shorted: int
    stuck: tuple[tuple[int, ...], ...]


def crossbar_maps(ideal: Design, design: Design, solution: Solution) -> tuple[CrossbarMap, ...]:
    """Of the crossbars of a specimen, the first of them. ideal: the circuit without imperfections."""
    nominal = {stage.name: stage for stage in ideal.crossbars}
    solved = np.flatnonzero(solution.solved)
    if not solved.size:
        return ()
    return tuple(
        _map(ideal, design, nominal[stage.name], stage, solution, before.name, solved)
        for before, stage in design.driven_crossbars[:MOST_MAPS]
    )


def some(samples: Indices, devices: int) -> Indices:
    """The first of these samples (samples,), so many as currents of so many devices are computed for."""
    return samples[: max(1, EVALUATIONS // max(devices, 1))]


def device_volts(
    crossbar: Crossbar, rows_v: Array, columns_v: Array | None, kind: int, places: Sequence[Indices]
) -> Array:
    """(samples, devices) the voltages across devices of a kind at (row, pair) places.

    rows_v: (samples, rows). columns_v: (samples, 2 * pairs), or None where columns are at 0 V. Wires are left out.
    """
    row, pair = places
    across: Array = rows_v[:, row] - crossbar.shift_v[row, pair, kind]
    if columns_v is None:
        return across
    negative = crossbar.area[row, pair, kind] < 0
    found: Array = across - columns_v[:, 2 * pair + negative]
    return found


def _map(  # noqa: PLR0917, once, from `crossbar_maps`
    ideal: Design,
    design: Design,
    nominal: Crossbar,
    crossbar: Crossbar,
    solution: Solution,
    before: str,
    solved: Indices,
) -> CrossbarMap:
    samples = some(solved, nominal.device_count)
    rows_v, columns_v = solution.stage_v[before][samples], solution.column_v.get(crossbar.name)
    here = _currents(design, crossbar, rows_v, None if columns_v is None else columns_v[samples])
    wanted = _currents(ideal, nominal, rows_v, None)
    ohm = np.abs(crossbar.feedback_ohm).reshape(-1, 2).mean(axis=1) * crossbar.subtractor_gain
    squared = np.mean(((here - wanted) * ohm / crossbar.output_v_per_unit) ** 2, axis=0)
    error, outputs = np.sqrt(squared), solution.stage_v[crossbar.name][samples]
    alone = nominal.ideal_v(ideal, rows_v)
    off = np.sqrt(np.mean(((outputs - alone) / crossbar.output_v_per_unit) ** 2, axis=0))
    kinds = nominal.area.shape[2]
    gone = (nominal.area != 0) & (crossbar.area[:, :, :kinds] == 0)
    short = crossbar.area[:, :, kinds:] != 0
    where = np.argwhere((gone if not short.size else gone | short).any(axis=2))
    return CrossbarMap(
        name=crossbar.name,
        rows=crossbar.rows,
        pairs=crossbar.width,
        samples=len(samples),
        area=Raster.of(binned(np.abs(crossbar.area[:, :, :kinds]).sum(axis=2), SIDE)),
        error=Raster.of(binned(error, SIDE)) if error.any() else None,
        row_errors=_line(np.sqrt(squared.sum(axis=1))),
        pair_errors=_line(off),
        worst=_worst(error),
        open=int(gone.sum() - short.sum()),
        shorted=int(short.sum()),
        stuck=tuple(map(tuple, where[:MOST_STUCK].tolist())),
    )


def _currents(design: Design, crossbar: Crossbar, rows_v: Array, columns_v: Array | None) -> Array:
    """(samples, rows, pairs) amps of the devices of every crosspoint, on positive columns less those on negative."""
    amps = np.zeros((len(rows_v), crossbar.rows, crossbar.width))
    for kind, device in enumerate(design.devices):
        places = np.nonzero(crossbar.area[:, :, kind])
        if places[0].size:
            volts = device_volts(crossbar, rows_v, columns_v, kind, places)
            current = device.curve.numpy(volts / design.input_v_per_unit)[0]
            row, pair = places
            amps[:, row, pair] += crossbar.area[row, pair, kind] * crossbar.current_unit_a * current
    return amps


def _line(errors: Array) -> tuple[float, ...]:
    """At most as many as a map has, to four digits."""
    return tuple(float(f"{error:.4g}") for error in binned(errors[:, None], SIDE)[:, 0])


def _worst(error: Array) -> tuple[Crosspoint, ...]:
    places = np.argsort(-error, axis=None, kind="stable")[:SHOWN]
    rows, pairs = np.unravel_index(places, error.shape)
    found = (Crosspoint(int(row), int(pair), float(error[row, pair])) for row, pair in zip(rows, pairs, strict=True))
    return tuple(each for each in found if each.error > 0)
