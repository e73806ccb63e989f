"""The same column as a deck of kanspice's own, and what ngspice finds in a deck of one column."""

from __future__ import annotations

import math
from pathlib import Path

from kanspice.base.errors import SimulatorError
from kanspice.engine.ngspice.deck import NORMAL
from kanspice.engine.ngspice.diagnose import first_complaint, suspicion
from kanspice.engine.ngspice.process import RAW_FILE, run_deck
from kanspice.engine.ngspice.program import NgspiceProgram
from kanspice.engine.simulators.raw import read_plots
from kanspice.experiments.export.formats.format import OutOfTimeError
from kanspice.experiments.export.kicad.column import Column
from kanspice.experiments.export.kicad.models import MODELS_FILE

DIRECTIVES = (f".options reltol={NORMAL.reltol:g} vntol={NORMAL.vntol:g} abstol={NORMAL.abstol:g}", ".op")
"""What a simulator is to do: they stand on the sheet, too, and so in the netlist that KiCad makes of it."""


def deck_text(column: Column) -> str:
    """The column without KiCad: `ngspice -b column.cir`."""
    lines = [f"* {column.stage}, column {column.place}: {column.output} is to be {column.expected_v!r} V"]
    lines += [f".include {MODELS_FILE}", *(part.spice_line for part in column.parts), *DIRECTIVES, ".end"]
    return "\n".join(lines) + "\n"


def output_v(program: NgspiceProgram, folder: Path, deck: str, column: Column, deadline: float) -> float:
    """What a deck's column gives. deadline: value of time.monotonic().

    Raises SimulatorError for no result, or one that cannot be believed.
    """
    run = run_deck(program, folder, deck, deadline=deadline)
    plots = read_plots(folder / RAW_FILE)
    (folder / RAW_FILE).unlink(missing_ok=True)
    doubt = suspicion(run.messages)
    if run.timed_out:
        raise OutOfTimeError("ngspice was not at its end in time", where=deck)
    if run.was_killed or doubt is not None or len(plots) != 1 or not len(plots[0].table):
        found = doubt[1] if doubt else first_complaint(run.messages)
        raise SimulatorError("ngspice gave no result that can be believed", where=deck, found=found)
    names = list(plots[0].vectors)
    if f"v({column.output})" not in names:
        raise SimulatorError("the simulator gave no voltage", where=deck, expected=f"v({column.output})")
    volts = float(plots[0].table[0][names.index(f"v({column.output})")])
    if not math.isfinite(volts):
        raise SimulatorError("the simulator gave no voltage", where=column.output, found=str(volts))
    return volts
