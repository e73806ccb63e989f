"""A folder for Spectre and its like: modules of Verilog-A, instances of them, and a bench: `spectre bench.scs`.

The receipt is from VACASK, which is given the same modules and the same instances with a bench of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from kanspice.engine.netlist.netlist import Text, whole
from kanspice.experiments.export.bench import Bench
from kanspice.experiments.export.circuit import PlainCircuit
from kanspice.experiments.export.formats import vacask
from kanspice.experiments.export.formats.format import ExportFormat, Simulated
from kanspice.experiments.export.formats.spice import of_sample
from kanspice.experiments.export.formats.verilog_a import verilog_number
from kanspice.experiments.export.formats.verilog_instances import instance_lines, with_modules

DECK, CIRCUIT = "bench.scs", "circuit.scs"


def _files(circuit: PlainCircuit, bench: Bench) -> Mapping[str, Text]:
    """The bench, the circuit and its modules."""
    circuit = with_modules(circuit)
    return vacask.module_files(circuit) | {
        DECK: whole("\n".join(_deck(circuit, bench)) + "\n"),
        CIRCUIT: whole("\n".join(_circuit(circuit)) + "\n"),
    }


def _circuit(circuit: PlainCircuit) -> Iterator[str]:
    yield f"// {circuit.design.family} network: {circuit.design.device_count:,} devices, in signal order"
    yield "simulator lang=spectre"
    yield from (f'ahdl_include "{name}"' for name in (vacask.DEVICES, vacask.PARTS))
    yield ""
    yield from instance_lines(circuit, " ")


def _deck(circuit: PlainCircuit, bench: Bench) -> Iterator[str]:
    yield f"// test bench of a {circuit.design.family} network: spectre {DECK}"
    yield "simulator lang=spectre"
    yield "global 0"
    yield f'include "{CIRCUIT}"'
    yield ""
    if bench.drives:
        yield f"// inputs, volts: {of_sample(bench)}"
        yield from (f"V{node} ({node} 0) vsource dc={verilog_number(volts)}" for node, volts in bench.drives.items())
    if bench.starts:
        yield f"// voltages at which the nodes begin: {of_sample(bench)}"
        yield from (f"ic {node}={verilog_number(volts)}" for node, volts in bench.starts.items())
    yield ""
    yield "save " + " ".join(dict.fromkeys(each.node for each in bench.stages))
    if bench.transient is None:
        yield "options1 options reltol=1e-9 vabstol=1e-12 iabstol=1e-18"
        yield "measured dc"
    else:
        step_s, end_s = map(verilog_number, (bench.transient.step_s, bench.transient.end_s))
        yield "options1 options reltol=1e-7 vabstol=1e-10 iabstol=1e-15"
        yield f"measured tran stop={end_s} maxstep={step_s} method=trap"
    yield ""
    yield "// what should come out; expected.csv has all stages"
    for each in bench.outputs:
        at = "" if each.at_s is None else f" at {verilog_number(each.at_s)} s"
        volts = "" if each.expected_v is None else f" = {verilog_number(each.expected_v)} V"
        yield f"// {each.node}{volts}{at}"


def _simulated(circuit: PlainCircuit, bench: Bench, folder: Path, timeout_s: float) -> Simulated:
    """The modules as they are; the instances and a bench in VACASK's words."""
    for name, text in vacask.vacask_files(circuit, bench).items():
        if not (folder / name).exists():
            with (folder / name).open("w", encoding="ascii", newline="\n") as file:
                file.writelines(text())
    found = vacask.simulated_by_vacask(circuit, bench, folder, timeout_s)
    return replace(found, how=f"these modules and instances, in a bench of its own; {DECK} itself was not run")


FORMAT = ExportFormat(
    name="veriloga",
    title="Spectre and its like",
    by_hand=f"spectre {DECK}",
    prints=f"Its results have the voltages of all stages; `{DECK}` ends with what they should be. The modules in"
    f" `{vacask.DEVICES}` and `{vacask.PARTS}` are Verilog-A, for any simulator that has it.",
    files=_files,
    find=vacask.find_all,
    simulate=_simulated,
)
