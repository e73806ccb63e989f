"""A folder for VACASK: modules of Verilog-A, instances of them, and a bench: `vacask bench.sim`."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path

import numpy as np

from kanspice.base.errors import SimulatorError
from kanspice.engine.netlist.netlist import Text, whole
from kanspice.engine.simulators.process import run_program
from kanspice.engine.simulators.raw import read_plots
from kanspice.engine.vacask.program import VacaskProgram, compiler_environment, find_linker, find_vacask
from kanspice.experiments.export.bench import Bench
from kanspice.experiments.export.circuit import PlainCircuit
from kanspice.experiments.export.elements import Passive, Source
from kanspice.experiments.export.expressions import Number
from kanspice.experiments.export.formats.format import ExportFormat, OutOfTimeError, Simulated
from kanspice.experiments.export.formats.ngspice import read_off
from kanspice.experiments.export.formats.spice import of_sample
from kanspice.experiments.export.formats.verilog_a import BASICS, modules_text, verilog_number
from kanspice.experiments.export.formats.verilog_instances import instance_lines, models_used, with_modules

DECK, CIRCUIT, DEVICES, PARTS = "bench.sim", "circuit.inc", "devices.va", "parts.va"
COMPARE = "compare.py"
_PER_LINE = 8
_LEAST_A, _ROUNDINGS = 1e-15, 8
_PART_OF_GAP = 0.1
_COMPARE = '''"""What vacask left in measured.raw beside what kanspice found (expected.csv): python compare.py"""

import csv
import struct

content = open("measured.raw", "rb").read()
head, _, body = content.partition(b"Binary:\\n")
lines = head.decode("ascii").splitlines()
names = [line.split()[1] for line in lines[lines.index("Variables:") + 1 :] if line.strip()]
size = 8 * len(names)
numbers = [struct.unpack(f"<{len(names)}d", body[at : at + size]) for at in range(0, len(body), size)]
for row in csv.DictReader(open("expected.csv")):
    at_s = float(row["time_s"]) if row["time_s"] else 0.0
    point = min(numbers, key=lambda point: abs(point[0] - at_s)) if row["time_s"] else numbers[0]
    volts = point[names.index(row["node"])]
    print(f"{row['node']:12} {volts: .9f} V   off by {volts - float(row['volts']):.2e} V")
'''


def vacask_files(circuit: PlainCircuit, bench: Bench) -> Mapping[str, Text]:
    """The deck, what it loads and includes, and a script that compares."""
    circuit = with_modules(circuit)
    return module_files(circuit) | {
        DECK: whole("\n".join(_deck(circuit, bench)) + "\n"),
        CIRCUIT: whole("\n".join(_circuit(circuit)) + "\n"),
        COMPARE: whole(_COMPARE),
    }


def module_files(circuit: PlainCircuit) -> dict[str, Text]:
    """The modules of a circuit: what carries the network's numbers, and what stands around it."""
    library = (*circuit.devices, *circuit.library)
    return {
        DEVICES: whole(modules_text("what carries the network's numbers", circuit.devices, library)),
        PARTS: whole(modules_text("what stands around it", circuit.library, library, BASICS)),
    }


def _circuit(circuit: PlainCircuit) -> Iterator[str]:
    yield f"// {circuit.design.family} network: {circuit.design.device_count:,} devices, in signal order"
    yield from (f"model {name} {name}" for name in models_used(circuit))
    yield ""
    yield from instance_lines(circuit, ", ")


def _deck(circuit: PlainCircuit, bench: Bench) -> Iterator[str]:
    yield f"test bench of a {circuit.design.family} network: vacask {DECK}"
    yield "ground 0"
    yield from (f'load "{name}"' for name in (DEVICES, PARTS))
    yield f'include "{CIRCUIT}"'
    yield ""
    if bench.drives:
        yield f"// inputs, volts: {of_sample(bench)}"
    yield from (f"V{node} ({node} 0) vsource dc={verilog_number(volts)}" for node, volts in bench.drives.items())
    yield ""
    yield "control"
    yield "  abort always"
    yield from (f"  {line}" for line in _analysis(circuit, bench))
    yield "endc"


def _analysis(circuit: PlainCircuit, bench: Bench) -> Iterator[str]:
    names = list(dict.fromkeys(each.node for each in bench.stages))
    rows = [names[at : at + _PER_LINE] for at in range(0, len(names), _PER_LINE)]
    saved = [f"save {' '.join(f'v({name})' for name in row)}" for row in rows]
    if bench.transient is None:
        yield f'options rawfile="binary" reltol=1e-12 vntol=1e-13 abstol={verilog_number(_abstol(circuit, bench))}'
        yield from saved
        yield "analysis measured op"
        return
    step_s, end_s = bench.transient.step_s, bench.transient.end_s
    yield 'options rawfile="binary" tran_method="trap" tran_redofactor=0 tran_lteratio=1e9 nr_contbypass=0'
    yield f"options reltol=1e-7 vntol=1e-10 abstol={verilog_number(_transient_abstol(circuit, bench))} chgtol=1e-24"
    yield from saved
    times = f"stop={verilog_number(end_s)} step={verilog_number(step_s / 100)} maxstep={verilog_number(step_s)}"
    if bench.starts:
        yield f"// voltages at which the nodes begin: {of_sample(bench)}"
    starts = ", ".join(f'"{node}", {verilog_number(volts)}' for node, volts in bench.starts.items())
    yield f'analysis measured tran {times} icmode="uic" ic={{{starts}}}'


def _abstol(circuit: PlainCircuit, bench: Bench) -> float:
    """What rounding a voltage makes of the current through the least resistance; less, no current can be."""
    values = [each.value for each in circuit.elements if isinstance(each, Passive) and each.kind == "R"]
    ohms = [value.value for value in values if isinstance(value, Number)]
    volts = [*bench.drives.values(), *(each.expected_v or 1.0 for each in bench.stages)]
    rounded_v = _ROUNDINGS * float(np.finfo(np.float64).eps) * max(map(abs, volts))
    return max(_LEAST_A, rounded_v / min(ohms)) if ohms else _LEAST_A


def _transient_abstol(circuit: PlainCircuit, bench: Bench) -> float:
    """The same of the largest capacitor's current in the shortest step, which is one beside a corner of a clock."""
    clocks = [each.points for each in circuit.elements if isinstance(each, Source) and each.points]
    gaps_s = [later - time_s for points in clocks for (time_s, _), (later, _) in pairwise(points)]
    values = [each.value for each in circuit.elements if isinstance(each, Passive) and each.kind == "C"]
    farads = max((value.value for value in values if isinstance(value, Number)), default=0.0)
    largest_v = max(abs(each.expected_v or 1.0) for each in bench.stages)
    rounded_c = _ROUNDINGS * float(np.finfo(np.float64).eps) * largest_v * farads
    return max(_LEAST_A, rounded_c / (_PART_OF_GAP * min(gaps_s))) if gaps_s else _LEAST_A


def find_all() -> VacaskProgram:
    """The simulator, with what its compiler needs. Raises SimulatorError where something is missing."""
    find_linker()
    return find_vacask()


def simulated_by_vacask(_: PlainCircuit, bench: Bench, folder: Path, timeout_s: float) -> Simulated:
    """Runs the deck of a folder. Raises SimulatorError without VACASK, or without a result that can be believed."""
    program = find_all()
    environment = compiler_environment(folder) | {"SIM_OPENVAF": str(program.compiler)}
    arguments = [str(program.simulator), "-qp", "-sp", "-se", DECK]
    run = run_program(arguments, folder, environment, deadline=time.monotonic() + timeout_s)
    if run.timed_out:
        raise OutOfTimeError("VACASK was not at its end in time", found=f"no result in {timeout_s:g} s")
    plots = read_plots(folder / "measured.raw")
    if run.returncode != 0 or len(plots) != 1 or not plots[0].is_complete:
        found = run.messages.strip()[-300:] or f"exit status {run.returncode}, and no whole result"
        raise SimulatorError("VACASK gave no result that can be believed", where=DECK, found=found)
    vectors = tuple(name if name == "time" else f"v({name})" for name in plots[0].vectors)
    volts = tuple(read_off(type(plots[0])(plots[0].name, vectors, plots[0].table), bench))
    return Simulated(volts, "VACASK", program.version, "the files of this folder, as they are")


FORMAT = ExportFormat(
    name="vacask",
    title="VACASK",
    by_hand=f"vacask {DECK} && python {COMPARE}",
    prints="`vacask` leaves the voltages of all stages in `measured.raw`; the script prints how far each is from what"
    " is expected.",
    files=vacask_files,
    find=find_all,
    simulate=simulated_by_vacask,
)
