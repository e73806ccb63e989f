"""Currents of modules at voltages between their terminals, an operating point for each, against what is right."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from kanspice.base.arrays import Array
from kanspice.base.errors import SimulatorError
from kanspice.engine.simulators.curve_check import ALLOWED, deviation, scale_of
from kanspice.engine.simulators.process import run_program
from kanspice.engine.simulators.raw import read_plots
from kanspice.engine.vacask.elements import GROUND, element, model_lines
from kanspice.engine.vacask.program import VacaskProgram, simulator_environment
from kanspice.engine.vacask.verilog import Proof, VerilogModule, number

_DECK, _SUFFIX = "sweep.sim", ".osdi"


def prove(program: VacaskProgram, folder: Path, modules: Sequence[VerilogModule], deadline: float | None) -> None:
    """Raises SimulatorError where a compiled module of a folder does not carry what it should."""
    proofs = [(module.name, module.proof) for module in modules if module.proof is not None]
    for (name, proof), found in zip(proofs, swept(program, folder, proofs, deadline), strict=True):
        apart = deviation(proof.volts, proof.amps, found)
        if not apart.is_right:
            raise SimulatorError(
                "a device of VACASK is not the curve that it should be",
                where=name,
                expected=f"NumPy's currents to {ALLOWED:g} of the largest",
                found=f"{apart.worst:.3g} of it away at {apart.at_v:.6g} V",
                hint="run `kanspice devices check` and `kanspice doctor`; please report it",
            )


def swept(
    program: VacaskProgram, folder: Path, proofs: Sequence[tuple[str, Proof]], deadline: float | None
) -> list[Array]:
    """Currents (points,) of each module, by its name, whose file lies in the folder."""
    if not proofs:
        return []
    lines = ["kanspice", "ground 0", *(f'load "{name}{_SUFFIX}"' for name, _ in proofs)]
    lines += model_lines(["vsource", *(name for name, _ in proofs)])
    for place, (name, proof) in enumerate(proofs):
        lines.append(f"v{place} (n{place} 0) vsource dc=x[k]")
        lines.append(element(f"d{place}", (f"n{place}", GROUND), name, amps=scale_of(proof.amps)))
    lines += ["control", '  options rawfile="binary" reltol=1e-12 vntol=1e-13 abstol=1e-15', "  var k=0"]
    for place, (_, proof) in enumerate(proofs):
        points = ",".join(map(str, range(len(proof.volts))))
        lines += [f"  var x=[{', '.join(map(number, proof.volts.tolist()))}]", f"  save i(v{place})"]
        lines += [f'  sweep k variable="k" values=[{points}]', f"    analysis s{place} op", "  var k=0"]
    (folder / _DECK).write_text("\n".join([*lines, "endc", ""]), encoding="ascii")
    arguments = [str(program.simulator), "-qp", "-sp", "-se", _DECK]
    run = run_program(arguments, folder, simulator_environment(folder), deadline=deadline)
    if run.returncode != 0 or run.timed_out:
        found = "no time was left" if run.timed_out else run.messages.strip()[-200:]
        raise SimulatorError("VACASK did not evaluate its devices", where=program.simulator, found=found)
    return [_currents(folder / f"s{place}.raw", f"v{place}", proof) for place, (_, proof) in enumerate(proofs)]


def _currents(raw: Path, source: str, proof: Proof) -> Array:
    """What flows out of a source; NaN where a point is missing."""
    plots = read_plots(raw)
    name = f"{source}:flow(br)"
    if len(plots) != 1 or name not in plots[0].vectors or len(plots[0].table) != len(proof.volts):
        return np.full(len(proof.volts), np.nan)
    return -np.asarray(plots[0].table[:, plots[0].vectors.index(name)], dtype=np.float64) / scale_of(proof.amps)
