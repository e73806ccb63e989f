"""A folder for ngspice 39 and newer: `ngspice -b bench.cir`."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from kanspice.base.arrays import Array
from kanspice.base.errors import SimulatorError
from kanspice.devices.curves import spice_literal
from kanspice.engine.netlist.netlist import Text
from kanspice.engine.ngspice.deck import NORMAL, eased
from kanspice.engine.ngspice.diagnose import first_complaint, suspicion
from kanspice.engine.ngspice.process import RAW_FILE, run_deck
from kanspice.engine.ngspice.program import find_ngspice
from kanspice.engine.simulators.memory import announce
from kanspice.engine.simulators.raw import Plot, read_plots
from kanspice.experiments.export.bench import Bench, Probe
from kanspice.experiments.export.circuit import PlainCircuit
from kanspice.experiments.export.formats.format import ExportFormat, OutOfTimeError, Simulated
from kanspice.experiments.export.formats.spice import (
    DECK,
    Dialect,
    column_starts,
    deck_lines,
    deck_text,
    dialect_files,
    plain_number,
)

_TIME_SLACK = 1e-9
NGSPICE = Dialect(
    title="ngspice",
    by_hand=f"ngspice -b {DECK}",
    literal=lambda value: spice_literal(value).removesuffix(".0"),
    braced=True,
    condition="({test} ? {yes} : {no})",
    power="^",
    functions={},
    source="{gives}={value}",
    multiplier=True,
    instance="",
    subcircuit="params:",
    saves=".save",
)


def ngspice_files(circuit: PlainCircuit, bench: Bench) -> Mapping[str, Text]:
    """The deck, and what it includes."""
    return dialect_files(NGSPICE, circuit, _deck(circuit, bench))


def ngspice_deck(circuit: PlainCircuit, bench: Bench) -> Text:
    """The deck by itself, for a circuit that lies beside it."""
    return deck_text(NGSPICE, circuit, _deck(circuit, bench))


def _deck(circuit: PlainCircuit, bench: Bench) -> Iterator[str]:
    return deck_lines(NGSPICE, bench, _analysis(circuit, bench), _measure)


def _analysis(circuit: PlainCircuit, bench: Bench) -> Iterator[str]:
    gmin = "" if circuit.gmin is None else f" gmin={circuit.gmin:g}"
    if bench.transient is None:
        accepted = eased(circuit.design, NORMAL)
        yield f".options reltol={accepted.reltol:g} vntol={accepted.vntol:g} abstol={accepted.abstol:g}{gmin}"
        yield ".options itl1=300 itl2=150"
        yield from column_starts(circuit)
        yield "* an operating point, as a sweep of one point: so it can be measured"
        yield "Vpoint point 0 0"
        yield ".dc Vpoint 0 0 1"
    else:
        yield f".options method=trap reltol=1e-7 vntol=1e-10 abstol=1e-15 trtol=1e9{gmin}"
        step_s, end_s = bench.transient.step_s, bench.transient.end_s
        yield f".tran {plain_number(step_s / 10)} {plain_number(end_s)} 0 {plain_number(step_s)} uic"


def _measure(index: int, each: Probe) -> Iterator[str]:
    """A measurement, and its distance from what is expected. Of one point, the largest is its value."""
    kind = "dc" if each.at_s is None else "tran"
    what = f"max v({each.node})" if each.at_s is None else f"find v({each.node}) at={plain_number(each.at_s)}"
    yield f".meas {kind} y{index} {what}"
    if each.expected_v is not None:
        yield f".meas {kind} y{index}_off param='y{index}-({plain_number(each.expected_v)})'"


def simulated_by_ngspice(circuit: PlainCircuit, bench: Bench, folder: Path, timeout_s: float) -> Simulated:
    """Runs the deck of a folder. Raises SimulatorError without ngspice, or without a result that can be believed."""
    how = "the files of this folder, as they are"
    return run_in_ngspice(circuit, bench, NgspiceRun(folder), timeout_s, how)


@dataclass(frozen=True)
class NgspiceRun:
    """A deck in a folder. behaviour: one of ngspice's modes for other simulators' netlists; none if empty."""

    folder: Path
    deck: str = DECK
    behaviour: str = ""


def run_in_ngspice(circuit: PlainCircuit, bench: Bench, wanted: NgspiceRun, timeout_s: float, how: str) -> Simulated:
    """What ngspice finds. how: in words. Raises SimulatorError without it, or without a result that can be believed."""
    program = find_ngspice()
    announce("kanspice export", circuit.netlist, 1, None)
    mode = ("-D", f"ngbehavior={wanted.behaviour}") if wanted.behaviour else ()
    run = run_deck(program, wanted.folder, wanted.deck, deadline=time.monotonic() + timeout_s, options=mode)
    plots = read_plots(wanted.folder / RAW_FILE)
    doubt = suspicion(run.messages)
    if run.timed_out:
        raise OutOfTimeError("ngspice was not at its end in time", found=f"no result in {timeout_s:g} s")
    if run.was_killed or doubt is not None or len(plots) != 1:
        found = doubt[1] if doubt else first_complaint(run.messages)
        raise SimulatorError("ngspice gave no result that can be believed", where=DECK, found=found)
    version = program.version_text.removeprefix("ngspice-")
    return Simulated(tuple(read_off(plots[0], bench)), "ngspice", version, how)


def read_off(plot: Plot, bench: Bench) -> Iterator[float]:
    """The measured voltages. Raises SimulatorError where one is missing, or the analysis has not come to its time."""
    table, place = np.asarray(plot.table, dtype=np.float64), {name: at for at, name in enumerate(plot.vectors)}
    for each in bench.stages:
        at = place.get(f"v({each.node})")
        volts = None if at is None else _at(table, at, each)
        if volts is None or not np.isfinite(volts):
            raise SimulatorError("the simulator gave no voltage", where=each.node, found=f"{len(table)} points")
        yield volts


def _at(table: Array, vector: int, each: Probe) -> float | None:
    if each.at_s is None:
        return float(table[0, vector]) if len(table) else None
    times = table[:, 0]
    if not len(times) or times[-1] < each.at_s * (1 - _TIME_SLACK):
        return None
    return float(np.interp(each.at_s, times, table[:, vector]))


FORMAT = ExportFormat(
    name="ngspice",
    title="ngspice 39 and newer",
    by_hand=NGSPICE.by_hand,
    prints="It prints the outputs `y0`, `y1` and so on in volts, and `y0_off`: how far each is from what is expected.",
    files=ngspice_files,
    find=find_ngspice,
    simulate=simulated_by_ngspice,
)
