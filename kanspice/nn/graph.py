"""The graph of a circuit that was solved: stage by stage from its inputs to its outputs.

Every stage's values are those that the engine found, to the last bit; their derivatives are of the same formulas, run
again on what is traced, or, where a stage is the solution of equations, of these.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
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
    Tiles,
)
from kanspice.circuit.amplifiers import differences_v
from kanspice.circuit.stages.tiles import drivers_of
from kanspice.engine.batched.array_devices import processor_named
from kanspice.engine.batched.operating_points import StageChain
from kanspice.engine.batched.row_expansions import KnownRows
from kanspice.engine.fidelity import Fidelity
from kanspice.engine.solution import Solution
from kanspice.nn.crossbars import Folds, SolvedCrossbar, amplifiers_v
from kanspice.nn.periods import read_v
from kanspice.nn.states import OtherStates


@dataclass(frozen=True)
class Solved:
    """A circuit, and what the engine found for some samples of it."""

    design: Design
    solution: Solution
    fidelity: Fidelity
    known_rows: KnownRows
    device: str
    """What computes, as `RunOptions` has it."""
    with_areas: frozenset[str]
    """The crossbars whose areas were given, so that each of them may want a gradient: those of 0 too."""

    def found_v(self, stage: str) -> Array:
        """(samples that have a result, width)."""
        return self.of("stage_v", stage)

    def of(self, table: str, stage: str) -> Array:
        """(samples that have a result, ...) of a table of the solution."""
        values: Array = getattr(self.solution, table)[stage][self.solution.solved]
        return values

    def chain(self, tile: Crossbar | None) -> StageChain:
        """What solved the circuit, or a tile of it by itself."""
        design = self.design
        if tile is not None:
            stages = drivers_of(tile), tile
            design = replace(design, stages=stages, input_width=tile.rows, dac=None, adc=None, input_noise_v=0.0)
        processor = processor_named(self.device)
        return StageChain(design, self.fidelity, self.known_rows, row_currents=False, processor=processor)


@dataclass(frozen=True)
class CircuitNotes:
    """What is noted of a circuit besides its outputs. other_states: None where nobody asks."""

    folds: Folds
    other_states: OtherStates | None = None


class _Matched(torch.autograd.Function):
    """Values that were found another way, with the graph of computed ones."""

    @staticmethod
    def forward(_ctx: Any, _computed: Tensor, values: Tensor) -> Tensor:
        return values

    @staticmethod
    def backward(_ctx: Any, *gradients: Tensor) -> Any:
        return gradients[0], None


def graph_of(
    solved: Solved, design: Design, inputs: Tensor, found: CircuitNotes, numbers: Sequence[int] | None = None
) -> Tensor:
    """Outputs (samples that have a result, outputs) in model units. design: the traced one; inputs: of these samples.

    numbers: which samples they are, for what is drawn for each.
    """
    if design.is_timed:
        computed = _graph_of_periods(solved, design, inputs, numbers)
    else:
        computed = _graph_of_stages(solved, design, inputs, found, numbers)
    outputs = read_outputs(solved.design, solved.found_v(design.last_of_circuit.name))
    return matched(computed, outputs).tensor


def _graph_of_stages(
    solved: Solved, design: Design, inputs: Tensor, found: CircuitNotes, numbers: Sequence[int] | None
) -> Tensor:
    """The same of a circuit that settles, stage by stage."""
    arriving = design.inputs_v(traced(inputs), numbers)
    ends = np.cumsum([design.input_width, *(bank.width for bank in design.noisy_banks)]).tolist()
    volts: Any = arriving[:, : ends[0]]
    noises_v = [arriving[:, a:b] for a, b in pairwise(ends)]
    for stage, known in zip(design.to_netlist, solved.design.to_netlist, strict=True):
        match stage:
            case Crossbar():
                assert isinstance(known, Crossbar)  # noqa: S101 - the same circuit, untraced
                volts = _crossbar_v(solved, known, design, stage, volts, found)
            case Tiles():
                assert isinstance(known, Tiles)  # noqa: S101 - as above
                volts = _tiles_v(solved, known, design, stage, volts, found)
            case Limiter() | Rectifier() | DifferentialPairs() | Drivers() | LayerNorm() | FilterBank() | Average():
                volts = stage.ideal_v(design, volts)
            case SynapseBank():
                volts = stage.ideal_v(design, volts)
                if stage.is_noisy:
                    volts = volts + noises_v.pop(0)
            case _:
                assert_never(stage)
        volts = matched(volts, solved.found_v(stage.name))
    return tensor_of(read_outputs(design, volts))


def read_outputs(design: Design, volts: Any) -> Any:
    """Outputs (samples, outputs) in model units of what leaves the circuit: converted, and through what is digital."""
    read_v = volts if design.adc is None else design.adc.convert(volts)
    outputs_v = read_v if design.digital is None else design.digital.computed_v(read_v)
    return outputs_v / design.stages[-1].output_v_per_unit


def _crossbar_v(  # noqa: PLR0917 - once, from above
    solved: Solved, known: Crossbar, design: Design, crossbar: Crossbar, rows_v: Any, found: CircuitNotes
) -> Any:
    """What a crossbar's subtractors give. known: the untraced one."""
    columns_v, amplifier_a = (solved.of(table, known.name) for table in ("column_v", "amplifier_a"))
    rows, all_types = _plain_rows(rows_v), known.name in solved.with_areas
    if found.other_states is not None:
        found.other_states.look_at(solved.design, crossbar, rows_v, columns_v, known)
    each = SolvedCrossbar(known, solved.chain(None), rows, columns_v, amplifier_a, found.folds, all_types=all_types)
    return differences_v(crossbar, traced(amplifiers_v(each, design, crossbar, rows_v)))


def _tiles_v(  # noqa: PLR0917 - once, from above
    solved: Solved, known: Tiles, design: Design, tiles: Tiles, before_v: Any, found: CircuitNotes
) -> Any:
    """What tiles give, position after position: those that share a crossbar are samples of it."""
    samples, rows_v = len(before_v), tiles.rows_v(before_v)
    tables = [
        solved.of(table, known.name).reshape(samples, known.positions, -1) for table in ("column_v", "amplifier_a")
    ]
    groups = [range(known.positions)] if known.is_reused else [[position] for position in range(known.positions)]
    outputs_v = []
    for number, positions in enumerate(groups):
        crossbar, own = tiles.crossbars[number], known.crossbars[number]
        seen_v = rows_v[:, np.array(positions)].reshape(-1, own.rows)
        columns_v, amplifier_a = (table[:, positions].reshape(-1, 2 * own.width) for table in tables)
        chain = solved.chain(own)
        if found.other_states is not None:
            found.other_states.look_at(chain.design, crossbar, seen_v, columns_v, own)
        each = SolvedCrossbar(own, chain, _plain_rows(seen_v), columns_v, amplifier_a, found.folds, all_types=False)
        given_v = differences_v(crossbar, traced(amplifiers_v(each, design, crossbar, seen_v)))
        outputs_v.append(given_v.reshape(samples, len(positions), own.width))
    return np.concatenate(outputs_v, axis=1).reshape(samples, -1)


def _graph_of_periods(solved: Solved, design: Design, inputs: Tensor, numbers: Sequence[int] | None) -> Tensor:
    """The same of a circuit of periods, which are followed back together."""
    read = design.last_of_circuit.name
    volts: Any = read_v(solved.design, design, traced(inputs), solved.found_v(read), numbers)
    if design.noise_k > 0:
        volts = matched(volts + design.read_noise_v(len(inputs), numbers), solved.found_v(read))
    return tensor_of(read_outputs(design, volts))


def matched(computed: Any, values: Array) -> TracedArray:
    """Values that the engine found, (samples, width), with the graph of what is computed."""
    found = torch.from_numpy(np.ascontiguousarray(values))
    return TracedArray(_Matched.apply(tensor_of(computed), found))  # type: ignore[no-untyped-call]


def _plain_rows(volts: Any) -> Array:
    return np.ascontiguousarray(volts.tensor.detach().numpy())
