"""A folder for LTspice: open bench.cir, or `LTspice -b bench.cir`.

Of its expressions: conditions are `if(test, yes, no)`, powers `**`, since `^` is the exclusive or of two truths there.
A behavioural source has no multiplier, and numbers are read to their last digit.

LTspice runs on Windows and macOS only. The receipt is from ngspice, in its mode for netlists of LTspice, which knows no
`if` for itself (its mode for PSpice does, but bends large exponentials as PSpice does).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from kanspice.engine.netlist.netlist import Text
from kanspice.engine.ngspice.program import find_ngspice
from kanspice.experiments.export.bench import Bench, Probe
from kanspice.experiments.export.circuit import PlainCircuit
from kanspice.experiments.export.formats.format import ExportFormat, Simulated
from kanspice.experiments.export.formats.ngspice import NgspiceRun, run_in_ngspice
from kanspice.experiments.export.formats.spice import (
    DECK,
    Dialect,
    column_starts,
    deck_lines,
    dialect_files,
    plain_number,
)

_BEHAVIOUR = "lt"
_PROOF = "proof.cir"
_IF = f"""* the deck, where if() is known
.func if(test,yes,no) {{((test) ? (yes) : (no))}}
.include {DECK}
.end
"""
LTSPICE = Dialect(
    title="LTspice",
    by_hand=f"LTspice -b {DECK}",
    literal=plain_number,
    braced=True,
    condition="if({test}, {yes}, {no})",
    power="**",
    functions={},
    source="{gives}={value}",
    multiplier=False,
    instance="",
    subcircuit="params:",
    saves="",
)


def ltspice_files(circuit: PlainCircuit, bench: Bench) -> Mapping[str, Text]:
    """The deck, and what it includes."""
    return dialect_files(LTSPICE, circuit, deck_lines(LTSPICE, bench, _analysis(circuit, bench), _measure))


def _analysis(circuit: PlainCircuit, bench: Bench) -> Iterator[str]:
    gmin = "" if circuit.gmin is None else f" gmin={circuit.gmin:g}"
    if bench.transient is None:
        yield f".options reltol=1e-9 vntol=1e-12 abstol=1e-18 numdgt=15{gmin}"
        yield from column_starts(circuit)
        yield ".op"
    else:
        yield f".options method=trap reltol=1e-7 vntol=1e-10 abstol=1e-15 numdgt=15 plotwinsize=0{gmin}"
        step_s, end_s = map(plain_number, (bench.transient.step_s, bench.transient.end_s))
        yield f".tran {step_s} {end_s} 0 {step_s} uic"


def _measure(index: int, each: Probe) -> Iterator[str]:
    """A measurement, and its distance from what is expected."""
    kind = "op" if each.at_s is None else "tran"
    at = "" if each.at_s is None else f" at={plain_number(each.at_s)}"
    yield f".meas {kind} y{index} find v({each.node}){at}"
    if each.expected_v is not None:
        yield f".meas {kind} y{index}_off param y{index}-({plain_number(each.expected_v)})"


def _simulated(circuit: PlainCircuit, bench: Bench, folder: Path, timeout_s: float) -> Simulated:
    (folder / _PROOF).write_text(_IF, encoding="ascii")
    how = f"in its mode for LTspice, ngbehavior={_BEHAVIOUR}, with if() defined; LTspice itself was not run"
    return run_in_ngspice(circuit, bench, NgspiceRun(folder, _PROOF, _BEHAVIOUR), timeout_s, how)


FORMAT = ExportFormat(
    name="ltspice",
    title="LTspice",
    by_hand=LTSPICE.by_hand,
    prints="Or open bench.cir in LTspice and run it. Its log has the outputs `y0`, `y1` and so on in volts, and"
    " `y0_off`: how far each is from what is expected.",
    files=ltspice_files,
    find=find_ngspice,
    simulate=_simulated,
)
