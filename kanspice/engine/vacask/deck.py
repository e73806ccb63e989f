"""The run deck: stimulus and analyses around a circuit that lies beside it. Numbers and our own names, nothing else."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from kanspice.base.arrays import Array
from kanspice.circuit import Crossbar, Design, LayerNorm
from kanspice.circuit.bounds import output_bounds_v
from kanspice.engine.vacask.inputs import NORM_OHM
from kanspice.engine.vacask.verilog import number

_LEAST_A = 1e-15
_ROUNDINGS = 8
"""How many roundings of a voltage the currents at a node may be off by, over the least resistance there."""
_PER_LINE = 40
_INTO_NODES_S = 1e5
"""How firmly a start is held at the voltages that it is given; with the simulator's own, 10, it hardly is."""
_PATIENCE = 'op_itl=20 op_itlcont=20 op_homotopy=["gshunt","gdev","src"]'
"""How samples are tried again that did not converge."""


@dataclass(frozen=True)
class NodeTolerances:
    """When VACASK takes a sample for solved."""

    reltol: float
    vntol: float
    abstol: float


def tolerances(design: Design, largest_input_v: Array) -> NodeTolerances:
    """As tight as rounding lets them be: the last digits cost one iteration in seven.

    Below what a wire's voltage is rounded to, over its resistance, nothing would converge. largest_input_v: (inputs,).
    """
    bounds, largest_a = output_bounds_v(design, largest_input_v), _LEAST_A
    before_v = largest_input_v
    for stage in design.to_operating_point:
        largest_v = float(np.max(before_v, initial=0.0))
        if isinstance(stage, Crossbar):
            wires = [ohm for ohm in (stage.driver_ohm, stage.row_ohm, stage.column_ohm) if ohm > 0]
            largest_a = max([largest_a, *(_rounded_a(largest_v, ohm) for ohm in wires)])
        elif isinstance(stage, LayerNorm):
            largest_a = max(largest_a, _rounded_a(largest_v, NORM_OHM))
        before_v = np.minimum(bounds[stage.name], _most_v(stage))
    return NodeTolerances(reltol=1e-12, vntol=1e-13, abstol=largest_a)


def _rounded_a(volts: float, ohm: float) -> float:
    return _ROUNDINGS * float(np.finfo(np.float64).eps) * volts / ohm


def _most_v(stage: object) -> float:
    """What a stage really gives at most, where more fails."""
    return stage.rail_v if isinstance(stage, Crossbar) else math.inf


@dataclass(frozen=True)
class LoadedCircuit:
    """What lies beside a deck's folder. file: has the circuit. loaded: files of compiled modules. inputs: the nodes to
    drive. vectors: what is kept."""

    file: str
    loaded: Sequence[str]
    inputs: Sequence[str]
    vectors: Sequence[str]


def block_deck(
    circuit: LoadedCircuit,
    inputs_v: Array,
    starts: Sequence[Mapping[str, float]],
    accepted: NodeTolerances,
    *,
    patient: bool,
) -> str:
    """A deck that solves every row of `inputs_v` (samples, inputs; volts) by itself: analysis `p<row>`, results in
    `p<row>.raw`. A sample that fails leaves the others alone, and none starts where another ended.

    starts: for each row, node -> volts, where it starts; none where there are none. patient: try more for samples that
    are hard.
    """
    lines = ["kanspice", "ground 0", *(f'load "../{name}"' for name in circuit.loaded), f'include "../{circuit.file}"']
    lines += [f"v{name} ({name} 0) vsource dc=x{place}[k]" for place, name in enumerate(circuit.inputs)]
    lines += ["control", "  abort except analysis"]
    lines.append(
        f'  options rawfile="binary" strictoutput=0 reltol={number(accepted.reltol)} vntol={number(accepted.vntol)}'
        f" abstol={number(accepted.abstol)} nr_nsforce={number(_INTO_NODES_S)}{f' {_PATIENCE}' if patient else ''}"
    )
    lines.append("  var k=0")
    lines += [f"  var x{place}=[{', '.join(map(number, column))}]" for place, column in enumerate(inputs_v.T.tolist())]
    lines += saved_lines(circuit.vectors)
    for row, start in enumerate(starts):
        lines += [f"  var k={row}", f"  analysis p{row} op{_start(start)}"]
    return "\n".join([*lines, "endc", ""])


def saved_lines(vectors: Sequence[str]) -> Iterator[str]:
    """What an analysis keeps."""
    for first in range(0, len(vectors), _PER_LINE):
        yield f"  save {' '.join(vectors[first : first + _PER_LINE])}"


def _start(start: Mapping[str, float]) -> str:
    values = ", ".join(f'"{node}", {number(volts)}' for node, volts in start.items())
    return f" nodeset={{{values}}}" if start else ""
