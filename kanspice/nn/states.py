"""How near columns are to states besides the one that they are in, with a graph: what training keeps circuits from."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from kanspice.base.arrays import Array, Indices
from kanspice.base.traced import tensor_of
from kanspice.circuit import Crossbar, Design
from kanspice.circuit.amplifiers import drawn_a
from kanspice.circuit.columns import column_currents_a
from kanspice.circuit.uniqueness import doubtful_columns

_VOLTAGES = 32
"""That columns are looked at, each time others."""
_HELD = 0.5
"""Of what its resistor alone would hold a column with: so much is to be left everywhere."""


@dataclass
class OtherStates:
    """What columns lack to have one state, of the samples that a circuit solved.

    A column at c has no other state if whatever is above c is pulled down to it and whatever is below it up. Wanted is
    that the current that does so be `_HELD` of what the feedback resistor would draw for being so far away; what a
    sample lacks is summed over columns, each where it lacks most, in swings of its amplifier.
    """

    seed: int
    lacking: Tensor
    """(samples,)."""

    @classmethod
    def of(cls, samples: int, seed: int) -> OtherStates:
        """Before anything was looked at."""
        return cls(seed, torch.zeros(samples, dtype=torch.float64))

    def look_at(self, design: Design, crossbar: Crossbar, rows_v: Any, columns_v: Array, known: Crossbar) -> None:
        """Adds what the columns of a crossbar lack that are at columns_v (samples, 2 * pairs).

        rows_v: (samples, rows) and crossbar, traced; known: the untraced one. With wires nothing is looked at. Samples
        may be several times as many: positions of one after the other.
        """
        rows = tensor_of(rows_v)
        doubtful = doubtful_columns(design, known, rows.detach().numpy())
        if known.has_wires or not doubtful.any():
            return
        generator = np.random.default_rng([self.seed, known.rows, known.width])
        worst = _Worst.of(design, known, rows.detach().numpy(), columns_v, generator)
        which = np.flatnonzero(doubtful[worst.sample, worst.column])
        if which.size:
            found = worst.among(which).lacking_v(design, crossbar, known, rows) / _swing_v(known)
            owner = torch.from_numpy(worst.sample[which] // (len(rows) // len(self.lacking)))
            self.lacking = self.lacking.index_add(0, owner, found)


@dataclass(frozen=True)
class _Worst:
    """Where columns lack most: (n,) each, with the voltage and on which side of the column's own that is."""

    sample: Indices
    column: Indices
    volts: Array
    away_v: Array

    @classmethod
    def of(
        cls, design: Design, known: Crossbar, rows_v: Array, columns_v: Array, generator: np.random.Generator
    ) -> _Worst:
        """By devices that are not shifted, at voltages that devices can change their currents at."""
        unit_v = design.input_v_per_unit
        low_v = rows_v.min() - max(device.curve.hi_v for device in design.devices) * unit_v
        high_v = rows_v.max() - min(device.curve.lo_v for device in design.devices) * unit_v
        grid_v = np.linspace(low_v, high_v, _VOLTAGES, endpoint=False)
        grid_v += generator.random() * (grid_v[1] - grid_v[0])
        unshifted = replace(known, shift_v=np.zeros_like(known.shift_v))
        current_a = column_currents_a(
            design, unshifted, np.repeat(rows_v, _VOLTAGES, axis=0), np.tile(grid_v, len(rows_v))
        ).reshape(len(rows_v), _VOLTAGES, -1)
        held_a = drawn_a(known, np.broadcast_to(grid_v[:, None], current_a.shape[1:]))[0]
        away_v = grid_v[:, None] - columns_v[:, None, :]
        lacking_v = np.sign(away_v) * (current_a - held_a) * (known.feedback_ohm + known.output_ohm)
        lacking_v += _HELD * np.abs(away_v)
        place = lacking_v.argmax(axis=1)
        sample, column = np.nonzero(np.take_along_axis(lacking_v, place[:, None], axis=1)[:, 0] > 0)
        point = place[sample, column]
        return cls(sample, column, grid_v[point], away_v[sample, point, column])

    def among(self, which: Indices) -> _Worst:
        """Some of them."""
        return _Worst(self.sample[which], self.column[which], self.volts[which], self.away_v[which])

    def lacking_v(self, design: Design, crossbar: Crossbar, known: Crossbar, rows_v: Tensor) -> Tensor:
        """What is lacking, at least 0, in volts across the feedback resistor, with a graph."""
        column, pair = torch.from_numpy(self.column), torch.from_numpy(self.column // 2)
        volts, away_v = torch.from_numpy(self.volts), torch.from_numpy(self.away_v)
        across_v = (rows_v[torch.from_numpy(self.sample)] - volts[:, None])[:, :, None]
        across_v = across_v - tensor_of(crossbar.shift_v)[:, pair].transpose(0, 1)
        units = across_v / design.input_v_per_unit
        basis = torch.stack([device.curve.torch(units[:, :, k]) for k, device in enumerate(design.devices)], dim=-1)
        areas = tensor_of(crossbar.column_area)[:, column].transpose(0, 1)
        current_a = (areas * basis).sum(dim=(1, 2)) * tensor_of(crossbar.current_unit_a)
        current_a = current_a + tensor_of(crossbar.bias_a)[column]
        feedback_ohm, offset_v = (tensor_of(each)[column] for each in (crossbar.feedback_ohm, crossbar.offset_v))
        amplifiers: Any = replace(known, feedback_ohm=feedback_ohm, offset_v=offset_v)  # type: ignore[arg-type]
        held_a: Any = drawn_a(amplifiers, volts)[0]  # type: ignore[arg-type]
        excess_v: Tensor = (current_a - held_a) * (feedback_ohm + known.output_ohm)
        return torch.relu(torch.sign(away_v) * excess_v + _HELD * away_v.abs())


def _swing_v(crossbar: Crossbar) -> float:
    return min(crossbar.swing_v, crossbar.column_swing_v)
