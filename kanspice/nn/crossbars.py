"""A crossbar in torch's graph: what the engine found, and how it changes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor

from kanspice.base.arrays import Array, Flags
from kanspice.base.traced import tensor_of
from kanspice.circuit import Crossbar, Design
from kanspice.circuit.amplifiers import outputs_v
from kanspice.devices import Device
from kanspice.engine.batched.adjoint.columns import SettledColumns, column_gradients
from kanspice.engine.batched.adjoint.gradients import CrossbarGradients
from kanspice.engine.batched.adjoint.wires import wired_gradients
from kanspice.engine.batched.operating_points import StageChain

ARRAYS = ("column_area", "shift_v", "bias_a", "feedback_ohm", "offset_v")
OHMS = ("driver_ohm", "row_ohm", "column_ohm")
BENDS = ("series", "stretch")
NUMBERS = ("open_loop_gain", "output_ohm", "swing_v", *OHMS, "current_unit_a")
"""What of a crossbar its amplifiers' voltages depend on, in the order of `_Amplifiers`."""


@dataclass
class Folds:
    """Samples that a gradient was asked of and that have none: they are at the edge of another state.

    without: (samples,) of those that were solved.
    """

    without: Flags
    by_stage: dict[str, int] = field(default_factory=dict)
    """How many samples, or positions of samples, by where."""

    def add(self, stage: str, without: Flags) -> None:
        """without: (samples,), or (samples * positions,) where each position of a sample counts as one."""
        if without.any():
            self.by_stage[stage] = self.by_stage.get(stage, 0) + int(without.sum())
            self.without |= without.reshape(len(self.without), -1).any(axis=1)


@dataclass(frozen=True)
class SolvedCrossbar:
    """A crossbar as the engine solved it for samples that have a result."""

    crossbar: Crossbar
    chain: StageChain
    rows_v: Array
    columns_v: Array
    amplifier_a: Array
    folds: Folds
    all_types: bool
    """Whether areas of types that it has none of count, and are no constants of 0."""

    def gradients(self, gradient_v: Array, *, shifts: bool, wires: bool, bends: bool) -> CrossbarGradients:
        """By all that its amplifiers' voltages depend on; gradient_v: by these, (samples, 2 * pairs).

        shifts, wires: whether gradients by these are wanted too where there are none. bends: by what bends curves.
        """
        devices = self.chain.design.devices if bends else ()
        if wires or self.crossbar.has_wires:
            return wired_gradients(self.chain, self.crossbar, self.rows_v, gradient_v, devices)
        found = [
            self._of_block(slice(first, first + self.chain.block), gradient_v, devices, shifts=shifts)
            for first in range(0, len(self.rows_v), self.chain.block)
        ]
        return CrossbarGradients.joined(found)

    def _of_block(
        self, block: slice, gradient_v: Array, devices: Sequence[Device], *, shifts: bool
    ) -> CrossbarGradients:
        rows_v = np.ascontiguousarray(self.rows_v[block])
        every_device = shifts or (self.all_types and len(self.crossbar.types) < self.crossbar.area.shape[2])
        currents = self.chain.currents(self.crossbar, rows_v, every_device=every_device)
        parts = rows_v, self.columns_v[block], self.amplifier_a[block]
        settled = SettledColumns(self.crossbar, *parts, self.chain.design.input_v_per_unit)
        return column_gradients(settled, currents, gradient_v[block], devices)


class _Amplifiers(torch.autograd.Function):
    """The amplifiers' voltages (samples, 2 * pairs) that the engine found."""

    @staticmethod
    def forward(ctx: Any, solved: SolvedCrossbar, _rows_v: Tensor, _unit_v: Tensor, *_parts: Tensor) -> Tensor:
        ctx.solved = solved
        volts = outputs_v(solved.crossbar, solved.columns_v, solved.amplifier_a)
        return torch.from_numpy(np.ascontiguousarray(volts))

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Any:
        solved: SolvedCrossbar = ctx.solved
        gradient_v = np.ascontiguousarray(gradients[0].numpy())
        wanted = dict(zip(("rows_v", "unit_v", *ARRAYS, *NUMBERS, *BENDS), ctx.needs_input_grad[1:], strict=True))
        wires = any(wanted[name] for name in OHMS)
        bends = any(wanted[name] for name in BENDS)
        found = solved.gradients(gradient_v, shifts=wanted["shift_v"], wires=wires, bends=bends)
        solved.folds.add(solved.crossbar.name, found.without)
        return None, *(
            torch.as_tensor(np.asarray(getattr(found, name))) if is_wanted else None
            for name, is_wanted in wanted.items()
        )


def amplifiers_v(solved: SolvedCrossbar, design: Design, crossbar: Crossbar, rows_v: Any) -> Tensor:
    """What a crossbar's amplifiers give, (samples, 2 * pairs), with a graph to all that is traced.

    design, crossbar: the traced ones. rows_v: (samples, rows) volts, traced.
    """
    shift_v = np.repeat(crossbar.shift_v, 2, axis=1)
    by_column = {"column_area": crossbar.column_area, "shift_v": shift_v}
    parts = [tensor_of(by_column.get(name, getattr(crossbar, name))) for name in (*ARRAYS, *NUMBERS)]
    bends = [torch.stack([tensor_of(getattr(device, name)) for device in design.devices]) for name in BENDS]
    answer: Tensor = _Amplifiers.apply(  # type: ignore[no-untyped-call]
        solved, tensor_of(rows_v), tensor_of(design.input_v_per_unit), *parts, *bends
    )
    return answer
