"""What lies in a compiled folder for those who open it by hand: a bench to run the netlist with, and a README."""

from __future__ import annotations

from collections.abc import Iterator

from kanspice.base.arrays import Array
from kanspice.circuit import Design, Sort
from kanspice.engine.netlist import CIRCUIT, Netlist
from kanspice.engine.netlist.netlist import Text, whole
from kanspice.experiments.export.bench import bench_of, example_inputs
from kanspice.experiments.export.circuit import PlainCircuit
from kanspice.experiments.export.formats.ngspice import NGSPICE, ngspice_deck
from kanspice.experiments.export.formats.spice import DECK
from kanspice.experiments.export.readme import meaning_of_names

README = "README.md"
_EXPORTED = """`kanspice export` writes it for people and several simulators: every device as an instance of a named
subcircuit, with what should come out:"""
_APART = """Left to itself ngspice steps to the amplifiers' operating point, which takes minutes for hundreds of them.
`kanspice simulate` says where to begin:"""
BY_HAND = frozenset({DECK, README})
"""Files that are for people only: the folder is the same circuit without them, and with others in their place."""


def by_hand(design: Design, netlist: Netlist, inputs: Array | None) -> dict[str, Text]:
    """The files, by name.

    inputs: samples (samples, inputs) in model units, of which the bench has the first; an example of ours if None.
    """
    plain = PlainCircuit(design, design, netlist, (), (), ())
    if design.sort is Sort.PERIODS or netlist.fidelity == "filter":
        return {README: whole("\n".join(_readme(plain, None)) + "\n")}
    samples, sample = (example_inputs(design), None) if inputs is None else (inputs, 0)
    bench = bench_of(plain, samples, sample, answered=False)
    return {
        DECK: ngspice_deck(plain, bench),
        README: whole("\n".join(_readme(plain, NGSPICE.by_hand)) + "\n"),
    }


def _readme(circuit: PlainCircuit, command: str | None) -> Iterator[str]:
    design, netlist = circuit.design, circuit.netlist
    yield f"# The circuit of a {design.family} network"
    yield ""
    yield f"{design.device_count:,} devices in {len(design.stages)} stages, fidelity {netlist.fidelity}."
    yield ""
    if command is None:
        reason = (
            "its nodes begin at a sample's voltages, which a run sets"
            if design.periods
            else "RC networks alone have no outputs"
        )
        yield f"`{CIRCUIT}` has no bench: {reason}. `kanspice export` writes a circuit that runs at once:"
    else:
        yield f"`{CIRCUIT}` is written as ngspice solves it fastest. A bench drives one sample and prints the outputs:"
        yield ""
        yield "```"
        yield command
        yield "```"
        yield ""
        yield _APART if design.realised is not None else _EXPORTED
    yield ""
    yield "```"
    if design.realised is None:
        yield "kanspice export FOLDER --to ngspice --inputs inputs.npy --sample 0 -o for_ngspice"
    yield "kanspice simulate FOLDER --inputs inputs.npy -o outputs.npz"
    yield "```"
    yield ""
    yield "- `nodes.csv`: which node is which; `elements.csv`: which element is which device, with its parameters"
    yield "- `manifest.json`: inputs, outputs, volts per model unit, technology, digests"
    yield from (f"- {line}" for line in meaning_of_names(circuit, named=False))
