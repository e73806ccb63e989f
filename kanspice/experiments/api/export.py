"""`kanspice.export`: a compiled circuit in another simulator's language, with a receipt."""

from __future__ import annotations

from pathlib import Path

from kanspice.base.errors import InputError, SimulatorError
from kanspice.base.files import is_folder, is_there
from kanspice.base.files.array_files import Given, load_array
from kanspice.experiments.compile.circuit import Circuit
from kanspice.experiments.export.bench import bench_of, example_inputs
from kanspice.experiments.export.circuit import plain_circuit
from kanspice.experiments.export.exported import Exported
from kanspice.experiments.export.folder import EXPORTED, write_export
from kanspice.experiments.export.formats.format import ExportPlan
from kanspice.experiments.export.formats.table import SHEET_FORMAT, check_format, export_format
from kanspice.experiments.export.kicad.export import export_sheet
from kanspice.experiments.export.receipt import prove
from kanspice.experiments.numbers import check_numbers, plain_numbers

RECEIPT_TIMEOUT_S = 600.0
"""How long the simulator that gives the receipt may take."""


@plain_numbers
def export(
    circuit: str | Path | Circuit,
    to: str,
    output: str | Path,
    *,
    inputs: Given | None = None,
    sample: int | None = None,
    part: str | None = None,
    timeout: float | None = None,
) -> Exported:
    """Writes a compiled circuit and a test bench in another simulator's language, and has it checked there.

    circuit: a folder that `compile` wrote, or what it returned. to: the language, one of `EXPORT_FORMATS`; or "kicad",
    a sheet of one `part`, the first if None: "1:0p" is the positive column of output 0 of layer 1, "1:0,2,1" filter 1
    from row 0 to output 2, "1:v2" node 2. output: the folder to write. inputs: samples (samples, inputs) in model
    units, of which `sample` (0 if None) is the bench's; an example that kanspice chooses if None. timeout: seconds for
    the simulator; 600 if None.
    Raises InputError for what cannot be exported, or a folder that is in the way, SimulatorError where the circuit has
    no answer, or the simulator finds another one. Nothing is written then.
    """
    check_numbers(sample=sample, timeout=timeout)
    folder, timeout_s = Path(output), RECEIPT_TIMEOUT_S if timeout is None else timeout
    of_part = check_format(to) == SHEET_FORMAT
    if part is not None and not of_part:
        raise InputError("only a KiCad project is of one part", where="--part", expected="--to kicad", found=to)
    compiled = _circuit_of(circuit)
    if sample is not None and inputs is None:
        raise InputError("a sample of no inputs", where="--sample", hint="pass --inputs X.npy, too")
    design = compiled.design
    if design.transistors is not None:
        raise InputError(
            "circuits of transistors are not exported",
            where="kanspice export",
            expected="branches.realisation = 'behavioural' or 'schematic'",
            hint="transistors.lib and the banks of the compiled folder are their netlist, for ngspice",
        )
    if design.realised is not None:
        raise InputError(
            "amplifiers that are subcircuits are not exported",
            where="kanspice export",
            expected="a circuit of their figures: process.pdk = 'none', and no tia.subcircuit",
            hint="amplifiers.lib and circuit.cir of the compiled folder are their netlist, for ngspice",
        )
    samples = example_inputs(design) if inputs is None else load_array(inputs, "the inputs", design.input_width)
    number = None if inputs is None else sample or 0
    if of_part:
        return export_sheet(design, folder, samples, sample=number, place=part, timeout_s=timeout_s)
    EXPORTED.refuse_others(folder)
    plain = plain_circuit(design, compiled.fidelity)
    plan = ExportPlan(export_format(to), plain, bench_of(plain, samples, number, answered=True))
    receipt = prove(plan, timeout_s)
    if receipt.simulated and not receipt.passed:
        hint = "nothing was written; kanspice verify MODEL --cross-check 1 compares kanspice's own engines"
        raise SimulatorError("the export is another circuit", where=f"--to {to}", found=receipt.line(), hint=hint)
    write_export(folder, plan, receipt)
    written, notes = plan.written, plain.notes
    return Exported(folder, written.title, written.by_hand, plan.bench.outputs, notes, receipt)


def _circuit_of(circuit: object) -> Circuit:
    hint = "kanspice compile MODEL -o FOLDER makes one"
    if isinstance(circuit, Circuit):
        return circuit
    if not isinstance(circuit, str | Path):
        raise InputError("this is no circuit", found=f"a {type(circuit).__name__}", hint=hint)
    path = Path(circuit)
    if not is_there(path):
        raise InputError("no such folder", where=path, hint=hint)
    if not is_folder(path):
        expected = "a folder that kanspice compile wrote"
        raise InputError("is not a compiled folder", where=path, expected=expected, found="a file", hint=hint)
    return Circuit.read(path)
