"""The graph of a circuit that was solved: stage by stage from its inputs to its outputs.

Every stage's values are those that the engine found, to the last bit; their derivatives are of the same formulas, run
again on what is traced, or, where a stage is the solution of equations, of these.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, assert_never

import numpy as np
import torch
from torch import Tensor

from kanspice.base.arrays import Array
from kanspice.base.traced import TracedArray, tensor_of, traced
from kanspice.circuit import (
    Average,
    Crossbar,
    Design,
    DifferentialPairs,
    Drivers,
    FilterBank,
    LayerNorm,
    Limiter,
    Rectifier,
    SynapseBank,
)
from kanspice.circuit.amplifiers import differences_v
from kanspice.engine.batched.operating_points import StageChain
from kanspice.engine.fidelity import Fidelity
from kanspice.engine.solution import Solution
from kanspice.nn.crossbars import Folds, SolvedCrossbar, amplifiers_v


@dataclass(frozen=True)
class Solved:
    """A circuit, and what the engine found for some samples of it."""

    design: Design
    solution: Solution
    fidelity: Fidelity
    chain: StageChain

    def found_v(self, stage: str) -> Array:
        """(samples that have a result, width)."""
        return self.solution.stage_v[stage][self.solution.solved]


class _Matched(torch.autograd.Function):
    """Values that were found another way, with the graph of computed ones."""

    @staticmethod
    def forward(_ctx: Any, _computed: Tensor, values: Tensor) -> Tensor:
        return values

    @staticmethod
    def backward(_ctx: Any, *gradients: Tensor) -> Any:
        return gradients[0], None


def graph_of(
    solved: Solved, design: Design, inputs: Tensor, folds: Folds, numbers: Sequence[int] | None = None
) -> Tensor:
    """Outputs (samples that have a result, outputs) in model units. design: the traced one; inputs: of these samples.

    numbers: which samples they are, for what is drawn for each.
    """
    arriving = design.inputs_v(traced(inputs), numbers)
    ends = np.cumsum([design.input_width, *(bank.width for bank in design.noisy_banks)]).tolist()
    volts: Any = arriving[:, : ends[0]]
    noises_v = [arriving[:, a:b] for a, b in pairwise(ends)]
    for stage, known in zip(design.to_operating_point, solved.design.to_operating_point, strict=True):
        match stage:
            case Crossbar():
                assert isinstance(known, Crossbar)  # noqa: S101 - the same circuit, untraced
                found = SolvedCrossbar.of(known, solved.chain, _plain_rows(volts), solved.solution, folds)
                outputs_v = amplifiers_v(found, stage, volts, design.input_v_per_unit)
                volts = differences_v(stage, traced(outputs_v))
            case Limiter() | Rectifier() | DifferentialPairs() | Drivers() | LayerNorm() | FilterBank() | Average():
                volts = stage.ideal_v(design, volts)
            case SynapseBank():
                volts = stage.ideal_v(design, volts)
                if stage.is_noisy:
                    volts = volts + noises_v.pop(0)
            case _:
                assert_never(stage)
        volts = matched(volts, solved.found_v(stage.name))
    last = design.last_of_circuit
    read = volts if design.adc is None else design.adc.convert(volts)
    return tensor_of(read / last.output_v_per_unit)


def matched(computed: Any, values: Array) -> TracedArray:
    """Values that the engine found, (samples, width), with the graph of what is computed."""
    found = torch.from_numpy(np.ascontiguousarray(values))
    return TracedArray(_Matched.apply(tensor_of(computed), found))  # type: ignore[no-untyped-call]


def _plain_rows(volts: TracedArray) -> Array:
    return np.ascontiguousarray(volts.tensor.detach().numpy())
