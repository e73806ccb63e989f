"""Crossbars side by side, each with drivers of its own between the stage before and its rows."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from itertools import chain

from kanspice.base.errors import InputError
from kanspice.circuit import Tiles
from kanspice.circuit.stages.tiles import GROUND, drivers_of
from kanspice.engine.netlist.names import stage_node
from kanspice.engine.netlist.sheet import Lines, Sheet
from kanspice.engine.netlist.stages.crossbar import write_crossbar
from kanspice.engine.netlist.stages.limiter import write_limiter


def write_tiles(sheet: Sheet, tiles: Tiles, signal: Sequence[str], outputs: Sequence[str]) -> Lines:
    """Between the nodes of the stage before and the outputs of all crossbars; what lies in the crossbars is returned.

    Raises InputError for a crossbar that positions share: it has no operating point at all of them.
    """
    if tiles.is_reused and tiles.positions > 1:
        raise InputError(
            "positions that come to a crossbar one after the other are no operating point of one netlist",
            where=tiles.name,
            expected='convolution.layout = "unrolled"',
            found='convolution.layout = "reused"',
            hint="--set convolution.layout=unrolled; `kanspice verify` solves both",
        )
    nodes, pairs = {GROUND: "0", **dict(enumerate(signal))}, tiles.crossbars[0].width
    arrays = list[Lines]()
    for place, (crossbar, seen) in enumerate(zip(tiles.crossbars, tiles.seen.tolist(), strict=True)):
        drivers = drivers_of(crossbar)
        rows = [stage_node(drivers.name, row) for row in range(crossbar.rows)]
        write_limiter(sheet, drivers, [nodes[output] for output in seen], rows)
        arrays.append(write_crossbar(sheet, crossbar, rows, outputs[place * pairs : (place + 1) * pairs]))
    return partial(_all, arrays)


def _all(arrays: Sequence[Lines]) -> chain[str]:
    return chain.from_iterable(lines() for lines in arrays)
