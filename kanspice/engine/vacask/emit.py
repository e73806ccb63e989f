"""Chains of crossbars in VACASK's language, from the design's arrays: what ngspice's netlists say, said once more.

Stages' outputs, columns and amplifiers have the names that they have there; nothing else is taken from there.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import assert_never

from kanspice.base.errors import InputError
from kanspice.circuit import (
    ChainStage,
    Crossbar,
    Design,
    DifferentialPairs,
    LayerNorm,
    Limiter,
    Rectifier,
    Sort,
)
from kanspice.devices import Curve
from kanspice.engine.fidelity import Fidelity
from kanspice.engine.netlist import Netlist
from kanspice.engine.netlist.names import input_node, stage_node
from kanspice.engine.netlist.netlist import whole
from kanspice.engine.vacask.crossbar import CrossbarElements
from kanspice.engine.vacask.inputs import limiter_lines, norm_lines, pair_lines, rectifier_lines
from kanspice.engine.vacask.verilog import module_of

CIRCUIT = "circuit.inc"
FIDELITIES: frozenset[Fidelity] = frozenset({"device"})
_PARTS = (
    *("resistor", "buffer", "clip", "clamp", "sigmoid", "tanh", "rectifiers", "pair", "norm"),
    *("tia_ideal", "tia", "tia_limited", "subtractor"),
)
"""The modules of parts.va, without their `kan_`."""
_SORTS = {
    Sort.CROSSBARS: "crossbars",
    Sort.SYNAPSES: "synapses",
    Sort.FILTERS: "filters",
    Sort.PERIODS: "periods, which are followed over time",
}
_PROGRAM_BYTES, _ELEMENT_BYTES = 30_000_000, 1_700
"""What a process takes, measured with 40,000 to 150,000 elements, and a margin."""
_SECONDS_PER_ELEMENT = 4e-5
"""Of the processor, until the first sample is solved: with wires."""


def check_design(design: Design) -> None:
    """Raises InputError for a circuit that this engine does not solve, by its name."""
    if design.tiles:
        raise _refused("tiles")
    if design.sort is not Sort.CROSSBARS:
        raise _refused(_SORTS[design.sort])


def check_fidelity(fidelity: Fidelity) -> None:
    """Raises InputError for one that this engine does not have."""
    if fidelity not in FIDELITIES:
        raise _refused(f"fidelity {fidelity}")


def _refused(found: str) -> InputError:
    return InputError(
        "VACASK does not solve this",
        where="engine vacask",
        expected="a chain of crossbars at its operating points, at fidelity device",
        found=found,
        hint="--engine batched, or ngspice",
    )


def build_circuit(design: Design) -> tuple[Netlist, dict[str, str]]:
    """The circuit without what drives it, and the modules that it needs: name -> Verilog-A, and parts.va besides.

    Raises InputError for a circuit that this engine does not solve.
    """
    check_design(design)
    modules = [module_of(curve) for curve in _curves(design)]
    signal = inputs = [input_node(index) for index in range(design.input_width)]
    probes: dict[str, tuple[str, ...]] = {}
    crossbars: dict[str, CrossbarElements] = {}
    lines = list(_models([name for name, _ in modules]))
    for stage in design.chain:
        outputs = [stage_node(stage.name, index) for index in range(stage.width)]
        lines += _written(stage, signal, outputs, [name for name, _ in modules], crossbars)
        signal, probes[stage.name] = outputs, tuple(outputs)
    netlist = Netlist(
        fidelity="device",
        files={CIRCUIT: whole("\n".join(lines) + "\n")},
        inputs=tuple(inputs),
        probes=probes,
        columns={name: tuple(crossbar.columns) for name, crossbar in crossbars.items()},
        amplifiers={name: tuple(crossbar.amplifiers) for name, crossbar in crossbars.items()},
        reach_v={},
        nodes=len(inputs) + sum(map(len, probes.values())) + sum(each.inner_nodes for each in crossbars.values()),
        elements=len(lines),
        simulator_bytes=_PROGRAM_BYTES + _ELEMENT_BYTES * len(lines),
        first_s=_SECONDS_PER_ELEMENT * len(lines),
        row_sources={name: tuple(crossbar.row_meters) for name, crossbar in crossbars.items()},
        amplifier_sources={name: tuple(crossbar.column_meters) for name, crossbar in crossbars.items()},
    )
    return netlist, dict(modules)


def _curves(design: Design) -> list[Curve]:
    """Of every device type, in volts."""
    return [device.curve.stretched(design.input_v_per_unit) for device in design.devices]


def _models(devices: Sequence[str]) -> Iterator[str]:
    """What elements are instances of, each by its module's own name."""
    names = ("vsource", "isource", *(f"kan_{part}" for part in _PARTS), *dict.fromkeys(devices))
    return (f"model {name} {name}" for name in names)


def _written(
    stage: ChainStage,
    signal: Sequence[str],
    outputs: Sequence[str],
    modules: Sequence[str],
    crossbars: dict[str, CrossbarElements],
) -> Iterator[str]:
    """The elements of a stage; a crossbar also joins the others. modules: of every device type."""
    match stage:
        case Limiter():
            return limiter_lines(stage, signal, outputs)
        case Rectifier():
            return rectifier_lines(stage, signal, outputs)
        case DifferentialPairs():
            return pair_lines(stage, signal, outputs)
        case LayerNorm():
            return norm_lines(stage, signal, outputs)
        case Crossbar():
            crossbars[stage.name] = CrossbarElements(stage, signal, outputs, modules)
            return crossbars[stage.name].lines()
        case _:
            assert_never(stage)
