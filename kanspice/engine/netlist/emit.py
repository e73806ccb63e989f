"""Design -> netlist. Pure: the same design and fidelity give the same text.

The circuit is written from its outputs to its inputs, and crossbars row by row. ngspice numbers its unknowns as it sets
elements up, type by type and from the last to the first; its solver then finds what it can eliminate where it looks
first. With 784 x 256 pairs it took a third of the time of another order, most of which was moving rows of the matrix.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from itertools import chain
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
    NetlistStage,
    Rectifier,
    Sort,
    SynapseBank,
    Tiles,
)
from kanspice.engine.fidelity import Fidelity, check_fidelity
from kanspice.engine.netlist.filters import filter_netlist
from kanspice.engine.netlist.library import library_text
from kanspice.engine.netlist.names import column_node, input_node, stage_node, tia_node
from kanspice.engine.netlist.netlist import CIRCUIT, DEVICES, Netlist, Text, whole
from kanspice.engine.netlist.periods import period_netlist
from kanspice.engine.netlist.realised import LIBRARY, library_lines, supply_lines, supply_volts
from kanspice.engine.netlist.sheet import Lines, Sheet, none
from kanspice.engine.netlist.stages.average import write_average
from kanspice.engine.netlist.stages.crossbar import of_columns, write_crossbar
from kanspice.engine.netlist.stages.differential_pairs import write_differential_pairs
from kanspice.engine.netlist.stages.drivers import write_drivers
from kanspice.engine.netlist.stages.filter_bank import write_filter_bank
from kanspice.engine.netlist.stages.layer_norm import write_layer_norm
from kanspice.engine.netlist.stages.limiter import write_limiter
from kanspice.engine.netlist.stages.rectifier import write_rectifier
from kanspice.engine.netlist.stages.synapse_bank import write_synapse_bank
from kanspice.engine.netlist.stages.tiles import write_tiles
from kanspice.engine.netlist.weight import estimated_bytes

_TITLE = "* kanspice circuit: drive the input nodes named in manifest.json, add an analysis and .end"


def build_netlist(
    design: Design, fidelity: Fidelity, *, full_cells: bool = False, dynamic: bool = False, named: bool = False
) -> Netlist:
    """The netlist of a design at a fidelity that its family has, InputError for another.

    full_cells: write whole curves into the devices even where a shorter cell would do.
    dynamic: with everything of crossbars that takes time, for transients; operating points are the same.
    named: devices, branches and filters are instances of subcircuits that bear their names: slower, and for readers.
    """
    check_fidelity(design, fidelity)
    sort = design.sort
    match sort:
        case Sort.PERIODS:
            return period_netlist(design, fidelity, named=named)
        case Sort.FILTERS if fidelity == "filter":
            return filter_netlist(design)
        case Sort.CROSSBARS | Sort.SYNAPSES | Sort.FILTERS:
            full_cells = full_cells or dynamic
            return _operating_point(Sheet(design, fidelity, full_cells=full_cells, dynamic=dynamic, named=named))
        case _:
            assert_never(sort)


def _operating_point(sheet: Sheet) -> Netlist:
    """A chain of stages, each between the nodes of the one before and its own."""
    design = sheet.design
    inputs = [input_node(index) for index in range(design.input_width)]
    signal, probes, sections = inputs, {}, list[Text]()
    for stage in design.to_netlist:
        outputs = [stage_node(stage.name, index) for index in range(stage.width)]
        lines = _written(sheet, stage, signal, outputs)
        sections.append(partial(_section, f"* {stage.name}\n{sheet.cut()}\n", lines))
        signal, probes[stage.name] = outputs, tuple(outputs)
    return Netlist(
        fidelity=sheet.fidelity,
        files=_files(sheet, sections),
        inputs=(*inputs, *sheet.noises),
        probes=probes,
        columns={crossbar.name: of_columns(crossbar, column_node) for crossbar in design.all_crossbars},
        amplifiers={crossbar.name: of_columns(crossbar, tia_node) for crossbar in design.all_crossbars},
        reach_v=sheet.reach_v,
        nodes=len(sheet.nodes) + sheet.inner_nodes,
        elements=sheet.tally.elements,
        simulator_bytes=estimated_bytes(sheet.tally.simulator_bytes),
        first_s=sheet.tally.first_s,
        row_sources=sheet.row_sources,
        amplifier_sources=sheet.amplifier_sources,
        cells=tuple(sheet.cells),
        starts=sheet.starts,
        supply_v=supply_volts(design),
    )


def _written(sheet: Sheet, stage: NetlistStage, signal: Sequence[str], outputs: Sequence[str]) -> Lines:
    """Writes what stands around a stage's array, and returns the array's elements."""
    match stage:
        case Limiter():
            write_limiter(sheet, stage, signal, outputs)
            return none
        case Rectifier():
            write_rectifier(sheet, stage, signal, outputs)
            return none
        case Drivers():
            write_drivers(sheet, stage, signal, outputs)
            return none
        case DifferentialPairs():
            write_differential_pairs(sheet, stage, signal, outputs)
            return none
        case LayerNorm():
            write_layer_norm(sheet, stage, signal, outputs)
            return none
        case Crossbar():
            return write_crossbar(sheet, stage, signal, outputs)
        case FilterBank():
            return write_filter_bank(sheet, stage, signal, outputs)
        case SynapseBank():
            return write_synapse_bank(sheet, stage, signal, outputs)
        case Average():
            write_average(sheet, stage, signal, outputs)
            return none
        case Tiles():
            return write_tiles(sheet, stage, signal, outputs)
        case _:
            assert_never(stage)


def _files(sheet: Sheet, sections: Sequence[Text]) -> dict[str, Text]:
    realised, libraries = sheet.design.realised, dict[str, Text]()
    supplied = ""
    if realised is not None:
        supplied = "\n".join(supply_lines(sheet.design, realised.amplifier)) + "\n"
        libraries[LIBRARY] = whole("\n".join(library_lines(realised)) + "\n")
    head = whole(f"{_TITLE}\n.include subcircuits.lib\n.include devices.lib\n{supplied}")
    functions = "\n".join(sheet.functions.values())
    return {
        CIRCUIT: partial(_one_after_the_other, (head, *reversed(sections))),
        "subcircuits.lib": whole(f"* kanspice subcircuits\n{library_text(sheet.used)}"),
        DEVICES: whole(f"* device curves as functions of volts, in current units\n{functions}\n"),
        **libraries,
    }


def _one_after_the_other(texts: Iterable[Text]) -> Iterator[str]:
    return chain.from_iterable(text() for text in texts)


def _section(around: str, lines: Lines) -> Iterator[str]:
    """A stage: what stands around its array, and the array's elements."""
    return chain([around], (f"{line}\n" for line in lines()))
