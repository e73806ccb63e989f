"""Crossbars as maps: how large devices are, what each crosspoint adds to the error, and which devices are stuck.

Everything here is of a few samples, and of small maps, so that it costs nothing beside solving the circuit.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from kanspice.base.arrays import Array, Indices
from kanspice.circuit import Crossbar, Design, Tiles
from kanspice.engine.solution import Solution
from kanspice.gap.raster import Raster, binned

MOST_MAPS = 8
"""So many crossbars have maps, the first."""
SIDE = 64
"""A map's rows and columns at most: of larger crossbars neighbours are binned."""
SHOWN = 8
"""So many crosspoints with the largest errors are named, and MOST_STUCK with stuck devices."""
MOST_STUCK = 64
EVALUATIONS = 100_000
"""So many currents are computed for a crossbar; but at FEWEST operating points at least."""
FEWEST = 8


@dataclass(frozen=True)
class Crosspoint:
    """A place in a crossbar. error: RMSE that its devices make at the pair's output, model units."""

    row: int
    pair: int
    error: float


@dataclass(frozen=True)
class CrossbarMap:
    """One crossbar. Maps are (rows, pairs), of larger crossbars the root mean squares of neighbours.

    points: operating points that errors are of. area: of a crosspoint's devices, in units of the reference device.
    error: RMSE in model units that a crosspoint makes at its pair's output, its devices as they are against ideal ones
    whose column is at 0 V; None where it makes none. row_errors, pair_errors: what rows make (their crosspoints'
    errors, added as squares), and what outputs are off by themselves (amplifiers included), as many as the map has.
    worst: the crosspoints with the largest errors. open, shorted: devices that are stuck, and stuck: where, the first.
    wanted: the areas that were compiled; None where the specimen's are the same.
    """

    name: str
    rows: int
    pairs: int
    points: int
    area: Raster
    error: Raster | None
    row_errors: tuple[float, ...]
    pair_errors: tuple[float, ...]
    worst: tuple[Crosspoint, ...]
    open: int
    shorted: int
    stuck: tuple[tuple[int, ...], ...]
    wanted: Raster | None = None


def crossbar_maps(ideal: Design, design: Design, solution: Solution) -> tuple[CrossbarMap, ...]:
    """Of the crossbars of a specimen, the first of them. ideal: the circuit without imperfections."""
    nominal = {name: crossbar for name, crossbar, _, _ in _single(ideal)}
    found = driven_crossbars(design, solution)[:MOST_MAPS]
    return tuple(_map(ideal, design, nominal[each.name], each) for each in found)


@dataclass(frozen=True)
class DrivenCrossbar:
    """A crossbar with the voltages of some of its operating points: of samples, or of samples at positions.

    rows_v: (points, rows). columns_v: (points, 2 * pairs), None where they are at 0 V. outputs_v: (points, pairs).
    samples: (points,) which sample each is of.
    """

    name: str
    crossbar: Crossbar
    rows_v: Array
    columns_v: Array | None
    outputs_v: Array
    samples: Indices


def driven_crossbars(design: Design, solution: Solution) -> tuple[DrivenCrossbar, ...]:
    """The crossbars of a circuit with so many of their operating points as currents are computed for.

    Of crossbars at many positions those that all positions share.
    """
    solved = np.flatnonzero(solution.solved)
    if not solved.size:
        return ()
    found = []
    for name, crossbar, before, tiles in _single(design):
        before_v, outputs_v = solution.stage_v[before][solved], solution.stage_v[name][solved]
        rows_v = before_v if tiles is None else tiles.rows_v(before_v).reshape(-1, crossbar.rows)
        points = some(len(rows_v), crossbar.device_count)
        columns_v = solution.column_v.get(name)
        columns_v = None if columns_v is None else columns_v[solved].reshape(-1, 2 * crossbar.width)[points]
        outputs_v = outputs_v.reshape(-1, crossbar.width)[points]
        samples = np.repeat(solved, len(rows_v) // solved.size)[points]
        found.append(DrivenCrossbar(name, crossbar, rows_v[points], columns_v, outputs_v, samples))
    return tuple(found)


def _single(design: Design) -> Iterator[tuple[str, Crossbar, str, Tiles | None]]:
    """Stage, its crossbar, and the stage before it; and the tiles that share the crossbar, if it is theirs."""
    for before, stage in pairwise(design.stages):
        if isinstance(stage, Crossbar):
            yield stage.name, stage, before.name, None
        elif isinstance(stage, Tiles) and stage.is_reused:
            yield stage.name, stage.crossbars[0], before.name, stage


def some(points: int, devices: int) -> Indices:
    """Which of so many operating points currents of so many devices are computed for, evenly from first to last."""
    most = max(FEWEST, EVALUATIONS // max(devices, 1))
    return np.unique(np.linspace(0, points - 1, min(most, points)).astype(int))


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


def _map(ideal: Design, design: Design, nominal: Crossbar, found: DrivenCrossbar) -> CrossbarMap:
    crossbar, rows_v = found.crossbar, found.rows_v
    here, wanted = _currents(design, crossbar, rows_v, found.columns_v), _currents(ideal, nominal, rows_v, None)
    ohm = np.abs(crossbar.feedback_ohm).reshape(-1, 2).mean(axis=1) * crossbar.subtractor_gain
    squared = np.mean(((here - wanted) * ohm / crossbar.output_v_per_unit) ** 2, axis=0)
    error, alone = np.sqrt(squared), nominal.ideal_v(ideal, rows_v)
    off = np.sqrt(np.mean(((found.outputs_v - alone) / crossbar.output_v_per_unit) ** 2, axis=0))
    kinds = nominal.area.shape[2]
    gone = (nominal.area != 0) & (crossbar.area[:, :, :kinds] == 0)
    short = crossbar.area[:, :, kinds:] != 0
    drawn, wanted_area = np.abs(crossbar.area[:, :, :kinds]).sum(axis=2), np.abs(nominal.area).sum(axis=2)
    where = np.argwhere((gone if not short.size else gone | short).any(axis=2))
    return CrossbarMap(
        name=found.name,
        rows=crossbar.rows,
        pairs=crossbar.width,
        points=len(rows_v),
        area=Raster.of(binned(drawn, SIDE)),
        error=Raster.of(binned(error, SIDE)) if error.any() else None,
        row_errors=_line(np.sqrt(squared.sum(axis=1))),
        pair_errors=_line(off),
        worst=_worst(error),
        open=int(gone.sum() - short.sum()),
        shorted=int(short.sum()),
        stuck=tuple(map(tuple, where[:MOST_STUCK].tolist())),
        wanted=None if np.array_equal(drawn, wanted_area) else Raster.of(binned(wanted_area, SIDE)),
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
