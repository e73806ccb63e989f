"""Circuits with an operating point in VACASK's language, from the design's arrays.

It is what ngspice's netlists say, said once more. Stages' outputs, columns and amplifiers have the names that they have
there; nothing else is taken from there.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import assert_never

from kanspice.circuit import (
    Average,
    Crossbar,
    Design,
    DifferentialPairs,
    Drivers,
    FilterBank,
    LayerNorm,
    Limiter,
    PointStage,
    Rectifier,
    SynapseBank,
)
from kanspice.devices import Curve
from kanspice.engine.fidelity import Fidelity
from kanspice.engine.netlist import Netlist
from kanspice.engine.netlist.names import input_node, stage_node
from kanspice.engine.netlist.netlist import whole
from kanspice.engine.vacask.connections import average_lines, filter_lines, noise_nodes, synapse_lines
from kanspice.engine.vacask.crossbar import CrossbarElements
from kanspice.engine.vacask.elements import model_lines
from kanspice.engine.vacask.inputs import driver_lines, limiter_lines, norm_lines, pair_lines, rectifier_lines
from kanspice.engine.vacask.verilog import VerilogModule, module_of

CIRCUIT = "circuit.inc"
_PARTS = (
    *(
        "resistor",
        "buffer",
        "follower",
        "clip",
        "clamp",
        "sigmoid",
        "tanh",
        "rectifier",
        "rectifier_ideal",
        "pair",
        "norm",
    ),
    *("tia_ideal", "tia", "tia_limited", "subtractor", "synapse", "tone", "filter", "sum"),
)
"""The modules of parts.va, without their `kan_`."""
PROGRAM_BYTES, ELEMENT_BYTES = 30_000_000, 1_700
"""What a process takes, measured with 40,000 to 150,000 elements, and a margin."""
SECONDS_PER_ELEMENT = 4e-5
"""Of the processor, until the first sample is solved: with wires."""


def build_circuit(design: Design, fidelity: Fidelity) -> tuple[Netlist, list[VerilogModule]]:
    """The circuit without what drives it, and the modules that it needs besides parts.va."""
    modules = [module_of(curve) for curve in _curves(design)]
    signal = inputs = [input_node(index) for index in range(design.input_width)]
    noises = [node for bank in design.noisy_banks for node in noise_nodes(bank)]
    probes: dict[str, tuple[str, ...]] = {}
    crossbars: dict[str, CrossbarElements] = {}
    names = [module.name for module in modules]
    lines = list(model_lines(["vsource", "isource", *(f"kan_{part}" for part in _PARTS), *names]))
    for stage in design.to_operating_point:
        outputs = [stage_node(stage.name, index) for index in range(stage.width)]
        lines += _written(stage, signal, outputs, names, crossbars)
        signal, probes[stage.name] = outputs, tuple(outputs)
    netlist = Netlist(
        fidelity=fidelity,
        files={CIRCUIT: whole("\n".join(lines) + "\n")},
        inputs=(*inputs, *noises),
        probes=probes,
        columns={name: tuple(crossbar.columns) for name, crossbar in crossbars.items()},
        amplifiers={name: tuple(crossbar.amplifiers) for name, crossbar in crossbars.items()},
        reach_v={},
        nodes=len(inputs) + sum(map(len, probes.values())) + sum(each.inner_nodes for each in crossbars.values()),
        elements=len(lines),
        simulator_bytes=PROGRAM_BYTES + ELEMENT_BYTES * len(lines),
        first_s=SECONDS_PER_ELEMENT * len(lines),
        row_sources={name: tuple(crossbar.row_meters) for name, crossbar in crossbars.items()},
        amplifier_sources={name: tuple(crossbar.column_meters) for name, crossbar in crossbars.items()},
    )
    return netlist, modules


def _curves(design: Design) -> list[Curve]:
    """Of every device type, in volts."""
    return [device.curve.stretched(design.input_v_per_unit) for device in design.devices]


def _written(
    stage: PointStage,
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
        case Drivers():
            return driver_lines(stage, signal, outputs)
        case DifferentialPairs():
            return pair_lines(stage, signal, outputs)
        case LayerNorm():
            return norm_lines(stage, signal, outputs)
        case Crossbar():
            crossbars[stage.name] = CrossbarElements(stage, signal, outputs, modules)
            return crossbars[stage.name].lines()
        case SynapseBank():
            return synapse_lines(stage, signal, outputs)
        case FilterBank():
            return filter_lines(stage, signal, outputs)
        case Average():
            return average_lines(stage, signal, outputs)
        case _:
            assert_never(stage)
