"""`kanspice characterise`: what an operational amplifier does."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from kanspice.base.files import check_outputs
from kanspice.cli.deliverables import Deliverables, deliver, delivers
from kanspice.cli.options import Quiet, command_line

_PINS = "in+,in-,out,vdd,vss"


@delivers(html={"help": "Write a page to read."})
def characterise(
    netlist: Annotated[Path, typer.Argument(metavar="OPAMP.cir", help="A netlist with its subcircuit.")],
    *,
    subckt: Annotated[
        str | None, typer.Option("--subckt", metavar="NAME", help="Which subcircuit, if there are several.")
    ] = None,
    pins: Annotated[
        str, typer.Option("--pins", metavar="A,B,...", help="What its pins are: in+ in- out vdd vss gnd bias.")
    ] = _PINS,
    supply: Annotated[
        float | None, typer.Option("--supply", metavar="V", help="Volts either sign; a process says its own.")
    ] = None,
    vdd: Annotated[float | None, typer.Option("--vdd", metavar="V", help="Upper supply, instead.")] = None,
    vss: Annotated[float | None, typer.Option("--vss", metavar="V", help="Lower supply, instead.")] = None,
    load_ohm: Annotated[
        float, typer.Option("--load-ohm", metavar="OHM", help="From the output to the middle of the supplies.")
    ] = math.inf,
    load_f: Annotated[float, typer.Option("--load-f", metavar="F", help="The same, in farads.")] = 2e-12,
    temperature: Annotated[float, typer.Option("--temperature", metavar="C", help="Degrees Celsius.")] = 27.0,
    bias_a: Annotated[float, typer.Option("--bias-a", metavar="A", help="Into its pin `bias`.")] = 0.0,
    process: Annotated[
        str | None,
        typer.Option("--process", metavar="NAME[:CORNER]", help="Transistors: gf180 or sky130; tt, ff, ss, fs or sf."),
    ] = None,
    draws: Annotated[
        int | None,
        typer.Option("--draws", min=0, metavar="N", help="Parts drawn for the offset's sigma; 50 with --process."),
    ] = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of the draws.")] = 0,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", metavar="TIA.toml", help="Write a technology with these figures."),
    ] = None,
    wanted: Deliverables,
    quiet: Quiet = False,
) -> None:
    """Measure an operational amplifier in ngspice: gain, bandwidth, margin, slew, swing, offset, noise, states.

    Its output is led up, down and found from scratch, its supplies come up, it is overloaded: one that latches, or
    oscillates as a follower, is exit code 3, and no technology is written.

    Exit code: 0 measured; 2 bad input, or pins in another order; 3 it latches, oscillates, or has no operating point.

    Examples: `kanspice characterise opamp.cir --process gf180 -o tia.toml --html opamp.html`,
    `kanspice characterise ad8051.lib --pins in+,in-,vdd,vss,out --vdd 5 --vss 0 --load-ohm 2000`
    """
    from kanspice.experiments.api.characterise import characterise as run  # noqa: PLC0415 - --help stays fast
    from kanspice.experiments.characterise.document import amplifier_json  # noqa: PLC0415

    check_outputs([*wanted.files, output])
    result = run(
        netlist,
        subckt=subckt,
        pins=pins,
        supply=supply,
        vdd=vdd,
        vss=vss,
        load_ohm=load_ohm,
        load_f=load_f,
        temperature=temperature,
        bias_a=bias_a,
        process=process,
        draws=draws,
        seed=seed,
        output=output,
    )
    result = replace(result, command=command_line())
    deliver(result.page(), wanted, quiet, lambda: amplifier_json(result))
    raise typer.Exit(result.exit_code)
