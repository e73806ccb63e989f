"""Transfer curves followed from the middle outwards, and led across from either end, where other states may show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from kanspice.base.arrays import Array
from kanspice.base.spice_numbers import spice_number as number
from kanspice.engine.ngspice.analyses import Analysis, Vectors, analyse
from kanspice.subcircuits.characterisation import VoltageRange

TIMEOUT_S = 60.0
"""Of a bench. A part takes less than a second."""
_COLD = 33
"""Operating points that are found from scratch."""
_SAME = 0.01
"""Of a curve's range: what differs by more is another state."""


@dataclass(frozen=True)
class LedCurve:
    """Vectors over what was swept, `x`, in rising order."""

    x: Array
    vectors: Mapping[str, Array]


@dataclass(frozen=True)
class TransferCurve:
    """A transfer curve. outwards: followed from the middle to both ends, or as far as ngspice finds operating points.

    across: from the lower end to the upper one, and back, and points that are found one by one, each from scratch. A
    curve without any operating point is not there.
    """

    outwards: LedCurve
    across: tuple[LedCurve, ...]

    def other_states(self, vector: str) -> VoltageRange | None:
        """From where to where a curve led across is in another state than that followed outwards; None: nowhere."""
        y, known = self.outwards.vectors[vector], self.outwards.x
        most, found = _SAME * float(np.ptp(y)), np.empty(0)
        for curve in self.across:
            apart = np.abs(curve.vectors[vector] - np.interp(curve.x, known, y)) > most
            found = np.append(found, curve.x[apart & (curve.x >= known[0]) & (curve.x <= known[-1])])
        return VoltageRange(float(found.min()), float(found.max())) if found.size else None


@dataclass(frozen=True)
class NoTransferCurve:
    """There is no operating point in the middle, and why."""

    why: str


@dataclass(frozen=True)
class LedSource:
    """A source led over a span around 0, in so many steps, and which vectors are kept."""

    source: str
    span: VoltageRange
    vectors: tuple[str, ...]
    points: int

    def way(self, name: str, start: float, end: float) -> Analysis:
        """From a value to another."""
        step = (self.span.high - self.span.low) / self.points
        command = f"dc {self.source} {number(start)} {number(end)} {number(step if end > start else -step)}"
        return Analysis(name, command, self.vectors, end=end, is_partial=True)

    def point(self, name: str, value: float) -> Analysis:
        """At one value, from scratch."""
        return Analysis(name, "op", self.vectors, before=(f"alter {self.source} dc = {number(value)}",))


def traced(circuit: Sequence[str], sweep: LedSource, middle_v: float) -> TransferCurve | NoTransferCurve:
    """The curve of a source; voltages are then from `middle_v`."""
    low, high = sweep.span.low, sweep.span.high
    ways = {"up": (0.0, high), "down": (0.0, low), "rising": (low, high), "falling": (high, low)}
    cold = np.linspace(low, high, _COLD)
    analyses = [sweep.way(name, *way) for name, way in ways.items()]
    analyses += [sweep.point(f"cold{index}", value) for index, value in enumerate(cold)]
    found = analyse(circuit, analyses, TIMEOUT_S)
    curves = {name: _curve(table, sweep.vectors, middle_v) for name, table in found.found.items() if name in ways}
    if "up" not in curves or "down" not in curves:
        return NoTransferCurve(next(iter(found.why_not.values())))
    down, up = curves["down"], curves["up"]
    outwards = LedCurve(
        np.concatenate([down.x[:-1], up.x]),
        {name: np.concatenate([down.vectors[name][:-1], up.vectors[name]]) for name in sweep.vectors},
    )
    across = [curves[name] for name in ("rising", "falling") if name in curves]
    points = {value: found.found[f"cold{index}"] for index, value in enumerate(cold) if f"cold{index}" in found.found}
    across += [_points(points, sweep.vectors, middle_v)] if points else []
    return TransferCurve(outwards, tuple(across))


def _points(points: Mapping[float, Vectors], vectors: Sequence[str], middle_v: float) -> LedCurve:
    """Operating points by what was swept."""
    found = {name: np.array([table[name][0].real for table in points.values()]) for name in vectors}
    return LedCurve(np.array(list(points)), {name: _from_middle(name, found[name], middle_v) for name in vectors})


def _curve(table: Vectors, vectors: Sequence[str], middle_v: float) -> LedCurve:
    x = np.asarray(next(iter(table.values())).real)
    order = np.argsort(x, kind="stable")
    return LedCurve(x[order], {name: _from_middle(name, table[name].real[order], middle_v) for name in vectors})


def _from_middle(name: str, values: Array, middle_v: float) -> Array:
    return values - middle_v if name.startswith("v(") else values
