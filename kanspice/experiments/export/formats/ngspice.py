"""A folder for ngspice 39 and newer: `ngspice -b bench.cir`."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np

from kanspice.base.arrays import Array
from kanspice.base.errors import SimulatorError
from kanspice.devices.curves import spice_literal
from kanspice.engine.netlist.netlist import Text, whole
from kanspice.engine.ngspice.deck import NORMAL
from kanspice.engine.ngspice.diagnose import first_complaint, suspicion
from kanspice.engine.ngspice.process import RAW_FILE, run_deck
from kanspice.engine.ngspice.program import find_ngspice
from kanspice.engine.simulators.memory import announce
from kanspice.engine.simulators.raw import Plot, read_plots
from kanspice.experiments.export.bench import Bench, Probe
from kanspice.experiments.export.circuit import PlainCircuit
from kanspice.experiments.export.formats.format import ExportFormat, OutOfTimeError, Simulated
from kanspice.experiments.export.formats.spice import Dialect, plain_number

CIRCUIT, DEVICES, PARTS, DECK = "circuit.cir", "devices.lib", "subcircuits.lib", "bench.cir"
_TIME_SLACK = 1e-9
_PER_LINE = 6
NGSPICE = Dialect(
    title="ngspice",
    literal=lambda value: spice_literal(value).removesuffix(".0"),
    braced=True,
    condition="({test} ? {yes} : {no})",
    power="^",
    functions={},
    source="{gives}={value}",
    multiplier=True,
    instance="",
    subcircuit="params:",
)


def ngspice_files(circuit: PlainCircuit, bench: Bench) -> Mapping[str, Text]:
    """The deck, and what it includes."""
    return {
        DECK: whole("\n".join(_deck(circuit, bench)) + "\n"),
        CIRCUIT: partial(NGSPICE.circuit_text, circuit, (DEVICES, PARTS)),
        DEVICES: whole(NGSPICE.library_text("what carries the network's numbers", circuit.devices)),
        PARTS: whole(NGSPICE.library_text("what stands around it", circuit.library)),
    }


def _deck(circuit: PlainCircuit, bench: Bench) -> Iterator[str]:
    yield f"* test bench of a {circuit.design.family} network: ngspice -b {DECK}"
    yield f".include {CIRCUIT}"
    yield ""
    yield from drive_lines(bench)
    yield ""
    gmin = "" if circuit.gmin is None else f" gmin={circuit.gmin:g}"
    if bench.transient is None:
        yield f".options reltol={NORMAL.reltol:g} vntol={NORMAL.vntol:g} abstol={NORMAL.abstol:g}{gmin}"
        yield ".options itl1=300 itl2=150"
        yield "* an operating point, as a sweep of one point: so it can be measured"
        yield "Vpoint point 0 0"
        yield ".dc Vpoint 0 0 1"
    else:
        yield f".options method=trap reltol=1e-7 vntol=1e-10 abstol=1e-15 trtol=1e9{gmin}"
        step_s, end_s = bench.transient.step_s, bench.transient.end_s
        yield f".tran {plain_number(step_s / 10)} {plain_number(end_s)} 0 {plain_number(step_s)} uic"
    yield ""
    yield "* what comes out, and by how much that differs from what kanspice found (expected.csv), in volts"
    for index, each in enumerate(bench.outputs):
        yield from _measure(index, each)
    yield from wrapped(".save", [f"v({each.node})" for each in bench.stages], bench)
    yield ".end"


def drive_lines(bench: Bench) -> Iterator[str]:
    """The sources of the inputs, or the voltages that capacitors begin at."""
    if bench.drives:
        yield f"* inputs, volts: {of_sample(bench)}"
        yield from (f"V{node} {node} 0 {plain_number(volts)}" for node, volts in bench.drives.items())
    if bench.starts:
        yield f"* voltages at which the nodes begin: {of_sample(bench)}"
        yield from (f".ic v({node})={plain_number(volts)}" for node, volts in bench.starts.items())


def of_sample(bench: Bench) -> str:
    """Which inputs these are, in words."""
    return "an example that kanspice chose" if bench.sample is None else f"sample {bench.sample}"


def _measure(index: int, each: Probe) -> Iterator[str]:
    """A measurement, and its distance from what is expected. Of one point, the largest is its value."""
    if each.at_s is None:
        yield f".meas dc y{index} max v({each.node})"
        kind = "dc"
    else:
        yield f".meas tran y{index} find v({each.node}) at={plain_number(each.at_s)}"
        kind = "tran"
    if each.expected_v is not None:
        yield f".meas {kind} y{index}_off param='y{index}-({plain_number(each.expected_v)})'"


def wrapped(card: str, words: Sequence[str], bench: Bench) -> Iterator[str]:
    """One card over several lines, with the inputs' nodes."""
    known = dict.fromkeys([*words, *(f"v({node})" for node in (*bench.drives, *bench.starts))])
    texts = list(known)
    for place in range(0, len(texts), _PER_LINE):
        yield f"{'+' if place else card} {' '.join(texts[place : place + _PER_LINE])}"


def simulated_by_ngspice(circuit: PlainCircuit, bench: Bench, folder: Path, timeout_s: float) -> Simulated:
    """Runs the deck of a folder. Raises SimulatorError without ngspice, or without a result that can be believed."""
    program = find_ngspice()
    announce("kanspice export", circuit.netlist, 1, None)
    run = run_deck(program, folder, DECK, deadline=time.monotonic() + timeout_s)
    plots = read_plots(folder / RAW_FILE)
    (folder / RAW_FILE).unlink(missing_ok=True)
    doubt = suspicion(run.messages)
    if run.timed_out:
        raise OutOfTimeError("ngspice was not at its end in time", found=f"no result in {timeout_s:g} s")
    if run.was_killed or doubt is not None or len(plots) != 1:
        found = doubt[1] if doubt else first_complaint(run.messages)
        raise SimulatorError("ngspice gave no result that can be believed", where=DECK, found=found)
    how = "the files of this folder, as they are"
    return Simulated(tuple(read_off(plots[0], bench)), "ngspice", program.version_text.removeprefix("ngspice-"), how)


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
    by_hand=f"ngspice -b {DECK}",
    prints="It prints the outputs `y0`, `y1` and so on in volts, and `y0_off`: how far each is from what is expected.",
    files=ngspice_files,
    find=find_ngspice,
    simulate=simulated_by_ngspice,
)
