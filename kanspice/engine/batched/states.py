"""Whether the states found of a crossbar with wires are ones that a circuit would come to, and stay in.

Sweeping all inputs up to a sample's, and down to it, is what shows hysteresis on a bench: where both ways do not end in
the state found, there are several. A state that does not stay by itself, too, is one of several: the others hold it up.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from kanspice.base.arrays import Array
from kanspice.circuit import Crossbar
from kanspice.circuit.amplifiers import held_v
from kanspice.circuit.stability import least_eigenvalue
from kanspice.circuit.wires import lost_v
from kanspice.engine.batched.array_devices import host
from kanspice.engine.batched.crosspoints import Crosspoints
from kanspice.engine.batched.wired import IsLate, never, settle_wires

Mask = npt.NDArray[np.bool_]

_PARTS = 8
"""In which inputs are swept: each begins where the two before it point."""
_SAME = 1e-6
"""Of `highest_v`: how far one state may seem from itself."""
TESTED_NUMBERS = 2**15
"""Crosspoints at a time of which least eigenvalues are found: two vectors are kept of every round."""


_TESTED = "each is stable, and the same when the inputs are swept up to the sample and down to it"
_NOT_SWEPT = "each is stable, but no sweep of the inputs could be followed to it from both sides"


@dataclass(frozen=True)
class StateVerdict:
    """On one sample's state. against: what shows that it is not the only one, if anything; tested: what does not."""

    against: str
    tested: str


@dataclass(frozen=True)
class States:
    """crosspoints: of the crossbar, for rows (samples, rows) in volts; highest_v: where its devices' curves end.

    is_late: whether to stop.
    """

    crossbar: Crossbar
    crosspoints: Callable[[Array], Crosspoints]
    highest_v: float
    is_late: IsLate = never

    def verdicts(self, rows_v: Array, lost: Array) -> list[StateVerdict]:
        """One per sample. rows_v: (samples, rows); lost: what crosspoints lose in the states found; volts."""
        if len(rows_v) == 0:
            return []
        swept = {"up to": self.swept_up(rows_v), "down to": self.swept_down(rows_v)}
        least = self._least_eigenvalue(rows_v, lost)
        verdicts = []
        for place in range(len(rows_v)):
            against, followed = "", True
            if least[place] < 0:
                against = f"would not stay in the state that was found: least eigenvalue {least[place]:.3g}"
            for way, (arrived, ends) in swept.items():
                apart_v = float(np.abs(ends[place] - lost[place]).max())
                if arrived[place] and apart_v > _SAME * self.highest_v:
                    against = f"has another state, up to {apart_v:.3g} V away, where inputs swept {way} these end"
                followed &= bool(arrived[place])
            verdicts.append(StateVerdict(against, _TESTED if followed else _NOT_SWEPT))
        return verdicts

    def swept_up(self, rows_v: Array) -> tuple[Mask, Array]:
        """(whether a state was found, what is lost in it) per sample: rows (samples, rows) all grow from 0 V."""
        return self._swept(np.zeros_like(rows_v), rows_v, self._lost(np.zeros_like(rows_v)))

    def swept_down(self, rows_v: Array) -> tuple[Mask, Array]:
        """The same from above, where all devices are beyond their curves' ends."""
        beyond = self._lost(np.full_like(rows_v, np.finfo(np.float32).max))
        from_v = self.highest_v + beyond.max(axis=(1, 2))[:, None]
        return self._swept(np.maximum(rows_v, from_v), rows_v, beyond)

    def _lost(self, rows_v: Array) -> Array:
        """What the currents of devices that lose nothing would lose."""
        current, _ = self._currents(rows_v, np.zeros((*rows_v.shape, 2 * self.crossbar.width)))
        columns_v = held_v(self.crossbar, current.sum(axis=1) + self.crossbar.bias_a)[0]
        return lost_v(self.crossbar, current, columns_v)

    def _swept(self, from_v: Array, to_v: Array, lost: Array) -> tuple[Mask, Array]:
        before = lost
        for part in np.linspace(0, 1, _PARTS + 1).tolist():
            rows_v = from_v + part * (to_v - from_v)
            crosspoints, start = self.crosspoints(rows_v), 2 * lost - before
            patient, is_late = part == 1, self.is_late
            settled, found = settle_wires(self.crossbar, crosspoints, rows_v, start, patient=patient, is_late=is_late)
            before, lost = (found if part == 0 else lost), found
        return settled.converged, lost

    def _least_eigenvalue(self, rows_v: Array, lost: Array) -> Array:
        current, slope = self._currents(rows_v, lost)
        ohm = held_v(self.crossbar, current.sum(axis=1) + self.crossbar.bias_a)[1]
        size = max(1, TESTED_NUMBERS // slope[0].size)
        parts = [slice(first, first + size) for first in range(0, len(slope), size)]
        return np.concatenate([least_eigenvalue(self.crossbar, -slope[part], ohm[part]) for part in parts])

    def _currents(self, rows_v: Array, lost: Array) -> tuple[Array, Array]:
        """Amps at crosspoints, and their derivatives by what is lost there."""
        crosspoints = self.crosspoints(rows_v)
        current, slope = crosspoints.at(crosspoints.processor.array(lost), np.arange(len(rows_v)))
        return host(current), host(slope)
