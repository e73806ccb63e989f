"""A folder for Xyce: `Xyce bench.cir`.

Its expressions stand in braces as a whole, and parameters in them bare; powers are `**`, since `^` is the exclusive or
of two truths there. A behavioural source has no multiplier. Voltages of `.IC` are held while the transient's operating
point is found.
"""

from __future__ import annotations

import csv
import os
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np

from kanspice.base.errors import SimulatorError
from kanspice.engine.netlist.netlist import Text
from kanspice.engine.simulators.process import run_program
from kanspice.engine.simulators.raw import Plot
from kanspice.experiments.export.bench import Bench, Probe
from kanspice.experiments.export.circuit import PlainCircuit
from kanspice.experiments.export.formats.format import ExportFormat, OutOfTimeError, Simulated
from kanspice.experiments.export.formats.ngspice import read_off
from kanspice.experiments.export.formats.spice import (
    DECK,
    Dialect,
    column_starts,
    deck_lines,
    dialect_files,
    plain_number,
)

_TABLE = "measured.csv"
_PROGRAM = "Xyce"
_PASSED_ON = ("PATH", "TMPDIR", "LD_LIBRARY_PATH")
XYCE = Dialect(
    title="Xyce",
    by_hand=f"{_PROGRAM} {DECK}",
    literal=plain_number,
    braced=False,
    condition="IF({test}, {yes}, {no})",
    power="**",
    functions={"u": "STP"},
    source="{gives}={{{value}}}",
    multiplier=False,
    instance="PARAMS:",
    subcircuit="PARAMS:",
    saves="",
)


def xyce_files(circuit: PlainCircuit, bench: Bench) -> Mapping[str, Text]:
    """The deck, and what it includes."""
    return dialect_files(XYCE, circuit, deck_lines(XYCE, bench, _analysis(circuit, bench), _measure))


def _analysis(circuit: PlainCircuit, bench: Bench) -> Iterator[str]:
    if circuit.gmin is not None:
        yield f".OPTIONS DEVICE GMIN={circuit.gmin:g}"
    yield ".OPTIONS NONLIN RELTOL=1e-12 ABSTOL=1e-15"
    if bench.transient is None:
        yield from column_starts(circuit)
        yield "* an operating point, as a sweep of one point"
        yield "Vpoint point 0 0"
        yield ".DC Vpoint 0 0 1"
    else:
        step_s, end_s = map(plain_number, (bench.transient.step_s, bench.transient.end_s))
        yield ".OPTIONS TIMEINT METHOD=TRAP RELTOL=1e-7 ABSTOL=1e-10"
        yield f".TRAN {step_s} {end_s} 0 {step_s}"
    nodes = " ".join(f"V({each.node})" for each in bench.stages)
    kind = "DC" if bench.transient is None else "TRAN"
    yield f".PRINT {kind} FORMAT=CSV FILE={_TABLE} PRECISION=17 {nodes}"


def _measure(index: int, each: Probe) -> Iterator[str]:
    """A measurement, and its distance from what is expected. Of one point, the largest is its value."""
    kind = "DC" if each.at_s is None else "TRAN"
    what = f"MAX V({each.node})" if each.at_s is None else f"FIND V({each.node}) AT={plain_number(each.at_s)}"
    yield f".MEASURE {kind} y{index} {what} PRECISION=15"
    if each.expected_v is not None:
        yield f".MEASURE {kind} y{index}_off EQN {{y{index}-({plain_number(each.expected_v)})}} PRECISION=15"


def find_xyce() -> Path:
    """The program on PATH. Raises SimulatorError where there is none."""
    found = shutil.which(_PROGRAM)
    if found is None:
        hint = "https://xyce.sandia.gov has it; no package index does"
        raise SimulatorError("the simulator Xyce is not installed", expected=f"`{_PROGRAM}` on PATH", hint=hint)
    return Path(found).absolute()


def _simulated(_: PlainCircuit, bench: Bench, folder: Path, timeout_s: float) -> Simulated:
    """Runs the deck of a folder. Raises SimulatorError without a whole table of results."""
    passed_on = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    environment = {"LC_ALL": "C", "HOME": str(folder)} | passed_on
    run = run_program([str(find_xyce()), DECK], folder, environment, deadline=time.monotonic() + timeout_s)
    if run.timed_out:
        raise OutOfTimeError("Xyce was not at its end in time", found=f"no result in {timeout_s:g} s")
    if run.returncode != 0:
        found = run.messages.strip()[-300:] or f"exit status {run.returncode}"
        raise SimulatorError("Xyce gave no result that can be believed", where=DECK, found=found)
    plot = _table(folder / _TABLE)
    return Simulated(
        tuple(read_off(plot, bench)), _PROGRAM, _version(run.messages), "the files of this folder, as they are"
    )


def _table(path: Path) -> Plot:
    """What was printed. Raises SimulatorError where there is no table of numbers."""
    try:
        with path.open(encoding="ascii") as file:
            header, *rows = csv.reader(file)
        table = np.array(rows, dtype=np.float64).reshape(len(rows), len(header))
    except (OSError, ValueError) as error:
        raise SimulatorError("Xyce left no table of voltages", where=_TABLE, found=str(error)) from error
    return Plot("Xyce", _names(header), table)


def _names(header: Sequence[str]) -> tuple[str, ...]:
    return tuple(name.strip().lower() for name in header)


def _version(messages: str) -> str:
    words = messages.split()
    return next((after for before, after in pairwise(words) if before == "Release"), "")


FORMAT = ExportFormat(
    name="xyce",
    title="Xyce",
    by_hand=XYCE.by_hand,
    prints="It prints the outputs `Y0`, `Y1` and so on in volts, and `Y0_OFF`: how far each is from what is expected;"
    f" {_TABLE} has the voltages of all stages.",
    files=xyce_files,
    find=find_xyce,
    simulate=_simulated,
)
