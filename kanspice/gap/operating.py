"""Where on their curves the devices of crossbars work."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kanspice.base.arrays import Array, Indices
from kanspice.circuit import Design
from kanspice.engine.solution import Solution
from kanspice.gap.crossbar_maps import DrivenCrossbar, device_volts, driven_crossbars

BINS = 40
"""Of voltages, from one end of the shown range to the other."""
POINTS = 121
"""Of a curve."""
EXAMPLES = 32
"""So many operating points of devices are named, of each type."""
_AIR = 0.5
"""Of the range that is used, shown on either side at most."""


@dataclass(frozen=True)
class DevicePoint:
    """A device of a type at one operating point: of the crossbar of a stage, at a row and a pair of columns.

    negative: whether it is on the pair's negative column. volts: across it.
    """

    stage: str
    row: int
    pair: int
    negative: bool
    sample: int
    volts: float


@dataclass(frozen=True)
class DeviceUse:
    """All devices of one type in crossbars, at `points` operating points of each at most.

    low_v, high_v: the voltages that are shown, of the curve's range as much as is near to what is used. shares: of all
    device voltages the part in each of equal bins between them. currents_a: at equally spaced voltages between them, of
    a device of area 1. falling: the part of all device voltages where the current falls as the voltage rises; beyond:
    the part outside of what the device's card has. examples: some of them, from the lowest voltage to the highest
    as evenly as there are any.
    """

    name: str
    devices: int
    points: int
    low_v: float
    high_v: float
    shares: tuple[float, ...]
    currents_a: tuple[float, ...]
    falling: float
    beyond: float
    examples: tuple[DevicePoint, ...] = ()


@dataclass(frozen=True)
class _Driven:
    """Devices of a type in one crossbar: where they are, (devices,) each, and their volts (points, devices)."""

    found: DrivenCrossbar
    places: tuple[Indices, ...]
    volts: Array

    def point(self, number: int) -> DevicePoint:
        """Of a number of `volts`, counted row by row."""
        at, device = divmod(number, self.volts.shape[1])
        row, pair = (int(where[device]) for where in self.places[:2])
        kind = int(self.places[2][device])
        negative = bool(self.found.crossbar.area[row, pair, kind] < 0)
        volts = float(f"{self.volts[at, device]:.5g}")
        return DevicePoint(self.found.name, row, pair, negative, int(self.found.samples[at]), volts)


def device_uses(design: Design, solution: Solution) -> tuple[DeviceUse, ...]:
    """Every type of device that a crossbar of `driven_crossbars` has."""
    driven, found = driven_crossbars(design, solution), []
    for kind in range(len(design.devices)):
        volts = []
        for each in driven:
            places = np.nonzero(each.crossbar.area[:, :, kind])
            if places[0].size:
                across = device_volts(each.crossbar, each.rows_v, each.columns_v, kind, places)
                volts.append(_Driven(each, (*places, np.full(places[0].size, kind)), across))
        if volts:
            unit_a = driven[0].crossbar.current_unit_a
            found.append(_use(design, kind, unit_a, volts))
    return tuple(found)


def _use(design: Design, kind: int, unit_a: float, by_crossbar: Sequence[_Driven]) -> DeviceUse:
    """unit_a: of device current."""
    device, unit_v, volts = (
        design.devices[kind],
        design.input_v_per_unit,
        np.concatenate([each.volts.ravel() for each in by_crossbar]),
    )
    first, last = device.curve.lo_v * unit_v, device.curve.hi_v * unit_v
    used_low, used_high = float(volts.min()), float(volts.max())
    air = _AIR * (used_high - used_low) or 0.5 * abs(used_high) or unit_v
    low, high = min(max(first, used_low - air), used_low), max(min(last, used_high + air), used_high)
    counts, _ = np.histogram(volts, BINS, (low, high))
    slopes = device.curve.numpy(volts / unit_v)[1]
    currents = device.curve.numpy(np.linspace(low, high, POINTS) / unit_v)[0]
    return DeviceUse(
        name=device.name,
        devices=sum(each.volts.shape[1] for each in by_crossbar),
        points=max(len(each.volts) for each in by_crossbar),
        low_v=low,
        high_v=high,
        shares=tuple(float(f"{count / volts.size:.4g}") for count in counts),
        currents_a=tuple(float(f"{current * unit_a:.5g}") for current in currents),
        falling=float(np.mean(slopes < 0)),
        beyond=float(np.mean((volts < first) | (volts > last))),
        examples=tuple(
            by_crossbar[which].point(number) for which, number in evenly([each.volts for each in by_crossbar])
        ),
    )


def evenly(groups: Sequence[Array]) -> list[tuple[int, int]]:
    """EXAMPLES values of all groups at most, from the lowest to the highest as evenly as there are any.

    Which group each is of, and its number there, counted row by row.
    """
    values = np.concatenate([group.ravel() for group in groups])
    rising = np.argsort(values, kind="stable")
    even = np.linspace(values[rising[0]], values[rising[-1]], EXAMPLES)
    picked = rising[np.unique(np.searchsorted(values[rising], even))]
    starts = np.cumsum([0, *(group.size for group in groups)])
    which = np.searchsorted(starts, picked, side="right") - 1
    return list(zip(which.tolist(), (picked - starts[which]).tolist(), strict=True))
