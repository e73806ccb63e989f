"""What is on a sheet as a deck of kanspice's own, and what ngspice finds in such a deck."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np

from kanspice.base.errors import SimulatorError
from kanspice.engine.ngspice.diagnose import first_complaint, suspicion
from kanspice.engine.ngspice.process import RAW_FILE, run_deck
from kanspice.engine.ngspice.program import NgspiceProgram
from kanspice.engine.simulators.raw import read_plots
from kanspice.experiments.export.formats.format import OutOfTimeError
from kanspice.experiments.export.kicad.excerpt import Excerpt
from kanspice.experiments.export.kicad.models import MODELS_FILE


def deck_text(excerpt: Excerpt) -> str:
    """The same without KiCad, for `ngspice -b`."""
    lines = [f"* {excerpt.title}: {excerpt.measured} is to be {excerpt.expected_v!r} V", f".include {MODELS_FILE}"]
    lines += [*(part.spice_line for part in excerpt.parts), *excerpt.directives, ".end"]
    return "\n".join(lines) + "\n"


def output_v(program: NgspiceProgram, folder: Path, deck: str, excerpt: Excerpt, deadline: float) -> float:
    """What a deck's output gives: volts, or of sines their amplitude. deadline: value of time.monotonic().

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
    if f"v({excerpt.output})" not in names:
        raise SimulatorError("the simulator gave no voltage", where=deck, expected=f"v({excerpt.output})")
    found_v = plots[0].table[0, names.index(f"v({excerpt.output})")]
    volts = float(abs(found_v)) if np.iscomplexobj(plots[0].table) else float(found_v)
    if not math.isfinite(volts):
        raise SimulatorError("the simulator gave no voltage", where=excerpt.output, found=str(volts))
    return volts
