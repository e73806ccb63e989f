"""Running a netlist that somebody else wrote: looked at first, because a deck can run any command.

ngspice is given one deck of exactly the lines that were looked at (`subcircuits/inspection.py`); `trust` skips this.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from kanspice.base.errors import InputError, SimulatorError
from kanspice.base.files import check_outputs, opened
from kanspice.engine.ngspice.diagnose import first_complaint, suspicion
from kanspice.engine.ngspice.process import RAW_FILE, run_deck
from kanspice.engine.ngspice.program import find_ngspice
from kanspice.engine.simulators.process import working_folder
from kanspice.engine.simulators.raw import Plot, read_plots
from kanspice.subcircuits.inspection import WHAT, inspected_deck

UNTRUSTED_TIMEOUT_S = 600.0
"""A stranger's netlist may run for ever; --timeout says otherwise."""
_DECK = "netlist.cir"
_TITLE = "* netlist"
_NO_NUMBER = 1e30
"""ngspice writes 1e32 for a division by zero; no voltage or current is near it."""


@dataclass(frozen=True)
class NetlistRun:
    """Plots of a foreign netlist, and what ngspice said."""

    plots: tuple[Plot, ...]
    messages: str
    engine_version: str
    wall_s: float


def run_netlist(
    path: Path, *, trust: bool = False, timeout_s: float | None = None, results: Path | None = None
) -> NetlistRun:
    """Runs the analyses in a netlist, in a fresh folder.

    results: where the caller will write them.
    Raises InputError for a netlist that is unreadable or, without `trust`, not known to be harmless, and, before it is
    run, where the results would go over a file of it;
    SimulatorError when ngspice gives no complete, finite result.
    """
    program = find_ngspice()
    with opened(path, WHAT, None):
        checked = None if trust else inspected_deck(path)
    if results is not None:
        check_outputs([results])
    if checked is not None and checked.analyses == 0:
        expected = "at least one of .op, .dc, .ac, .tran and the like"
        raise InputError("the netlist holds no analysis", where=path, expected=expected)
    if timeout_s is None and not trust:
        timeout_s = UNTRUSTED_TIMEOUT_S
    deadline = None if timeout_s is None else time.monotonic() + timeout_s
    with working_folder() as folder:
        if checked is None:
            deck = Path(os.path.realpath(path))
            run = run_deck(program, deck.parent, str(deck), deadline=deadline, raw=folder / RAW_FILE)
        else:
            (folder / _DECK).write_text("\n".join([_TITLE, *checked.lines]) + "\n", encoding="utf-8")
            run = run_deck(program, folder, _DECK, deadline=deadline)
        plots = tuple(read_plots(folder / RAW_FILE))
    if run.timed_out:
        raise SimulatorError(
            "the simulation was ended", where=path, found=f"no result in {timeout_s:g} s", hint="raise --timeout"
        )
    doubt = suspicion(run.messages)
    if doubt is not None:
        raise SimulatorError("ngspice did not converge", where=path, found=doubt[1])
    wanted = 1 if checked is None else max(checked.analyses, 1)
    if run.was_killed or len(plots) < wanted or any(plot.table.size == 0 for plot in plots):
        complaint = f"ended by signal {-run.returncode}" if run.was_killed else first_complaint(run.messages)
        raise SimulatorError("ngspice gave no complete results", where=path, found=complaint)
    _check_numbers(plots, path)
    return NetlistRun(plots, run.messages, program.version_text, run.wall_s)


def _check_numbers(plots: tuple[Plot, ...], path: Path) -> None:
    for plot in plots:
        bad = ~(np.abs(plot.table) < _NO_NUMBER)
        if bad.any():
            point, vector = np.argwhere(bad)[0].tolist()
            found = f"{plot.vectors[vector]} = {plot.table[point, vector]:g} in {plot.name}"
            hint = "look for a division by zero"
            raise SimulatorError("a result is not a finite number", where=path, found=found, hint=hint)
