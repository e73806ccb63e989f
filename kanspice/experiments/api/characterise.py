"""`kanspice.characterise`: the figures of an operational amplifier that comes as a subcircuit."""

from __future__ import annotations

import math
from pathlib import Path

from kanspice.base.errors import InputError
from kanspice.base.files import check_outputs, inputs_spared, write_text
from kanspice.base.validation import similar
from kanspice.engine.ngspice.characterise.measure import measure
from kanspice.experiments.characterise.result import AmplifierResult
from kanspice.experiments.numbers import check_numbers, plain_numbers
from kanspice.subcircuits.amplifier import DEFAULT_PINS, Amplifier, parse_roles
from kanspice.subcircuits.characterisation import Load
from kanspice.subcircuits.process import CORNERS, PROCESSES, Models
from kanspice.subcircuits.subcircuit import read_subcircuit

DRAWS = 50
"""Of the offset, where a process says how parts differ."""
LOAD_F = 2e-12


@inputs_spared()
@plain_numbers
def characterise(
    netlist: str | Path,
    *,
    subckt: str | None = None,
    pins: str = DEFAULT_PINS,
    supply: float | None = None,
    vdd: float | None = None,
    vss: float | None = None,
    load_ohm: float = math.inf,
    load_f: float = LOAD_F,
    temperature: float = 27.0,
    bias_a: float = 0.0,
    process: str | None = None,
    draws: int | None = None,
    seed: int = 0,
    output: str | Path | None = None,
) -> AmplifierResult:
    """What an operational amplifier does: gain, speed, swing, offset, noise, states, by standard benches in ngspice.

    netlist: a file with its subcircuit. subckt: which one; the only one that no other uses if None. pins: what its pins
    are, in order, of `in+ in- out vdd vss gnd bias`. supply: volts, either sign; or vdd and vss. load_ohm, load_f: from
    the output to the middle of the supplies. temperature: degrees Celsius. bias_a: into its pin `bias`. process: whose
    transistors it is made of, and a corner, as in `gf180:ss`. draws: of parts that differ by mismatch, 0 for none.
    output: a technology to write, where the part neither oscillates nor latches.
    Raises InputError for a netlist that could run a command or is no amplifier with such pins, SimulatorError where it
    has no operating point.
    """
    check_numbers(draws=draws, seed=seed)
    models = None if process is None else models_of(process)
    upper, lower = _supplies(supply, vdd, vss, models)
    if not load_ohm > 0 or not load_f >= 0:
        problem, expected = "this is no load", "more than 0 ohm, and 0 farads or more"
        raise InputError(problem, where="the load", expected=expected, found=f"{load_ohm:g} ohm, {load_f:g} F")
    subcircuit = read_subcircuit(Path(netlist), subckt)
    amplifier = Amplifier(
        subcircuit, parse_roles(pins), upper, lower, bias_a=bias_a, models=models, temperature_c=temperature
    )
    check_outputs([output])
    wanted = (0 if models is None else DRAWS) if draws is None else draws
    result = AmplifierResult(measure(amplifier, Load(load_ohm, load_f), draws=wanted, seed=seed), str(netlist), seed)
    if output is not None and result.exit_code == 0:
        write_text(output, result.technology(Path(output).parent))
    return result


def models_of(text: str) -> Models:
    """Transistors from `NAME` or `NAME:CORNER`. Raises InputError for a process or a corner that there is not."""
    name, _, corner = text.partition(":")
    if name not in PROCESSES:
        known = ", ".join(PROCESSES)
        raise InputError(f"no process '{name}'", where="--process", expected=known, hint=similar(name, PROCESSES))
    chosen = corner or CORNERS[0]
    if chosen not in CORNERS:
        raise InputError(f"no corner '{corner}'", where="--process", expected=", ".join(CORNERS))
    return Models(PROCESSES[name].name, next(each for each in CORNERS if each == chosen))


def _supplies(supply: float | None, vdd: float | None, vss: float | None, models: Models | None) -> tuple[float, float]:
    """Upper and lower supply. Raises InputError where it is not said, or said twice."""
    if supply is not None and (vdd is not None or vss is not None):
        raise InputError("the supplies are said twice", where="--supply", found="--vdd or --vss beside it")
    if (vdd is None) != (vss is None):
        raise InputError("one supply is missing", where="--vdd and --vss", expected="both, or --supply")
    if vdd is not None and vss is not None:
        return vdd, vss
    if supply is None and models is None:
        hint = "--supply 2.5 for 2.5 V either sign, or --vdd 5 --vss 0"
        raise InputError("the supplies of the amplifier are not said", where="--supply", hint=hint)
    half = PROCESSES[models.process].rail_v if supply is None and models is not None else supply
    return half or 0.0, -(half or 0.0)
