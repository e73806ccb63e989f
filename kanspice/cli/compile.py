"""`kanspice compile`: a trained model as a netlist."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kanspice.cli.options import (
    Config,
    Curves,
    FidelityName,
    FidelityOption,
    ModelArgument,
    Quiet,
    RealisationOption,
    Set,
    SpecimenOption,
    Tech,
    say,
)


def compile_(
    model: ModelArgument,
    *,
    config: Config = None,
    curves: Curves = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="DIR", help="Folder to write; MODEL's name + .circuit.")
    ] = None,
    inputs: Annotated[
        Path | None, typer.Option("--inputs", help="Samples to size the amplifiers with; worst case if not given.")
    ] = None,
    sized_for: Annotated[
        Path | None,
        typer.Option("--sized-for", metavar="F", help="Samples to size the amplifiers with, in place of --inputs."),
    ] = None,
    tech: Tech = None,
    set_: Set = None,
    realisation: RealisationOption = None,
    fidelity: FidelityOption = FidelityName.AUTO,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Draws random imperfections.")] = 0,
    specimen: SpecimenOption = None,
    specimen_out: Annotated[
        Path | None,
        typer.Option("--specimen-out", metavar="F.npz", help="Write its random imperfections, too, for --specimen."),
    ] = None,
    quiet: Quiet = False,
) -> None:
    """Write a model's circuit to a folder: netlist, subcircuits, design, manifest and a bench to run by hand.

    Example: `kanspice compile model.pt -o circuit --set tia.gain=1000`
    """
    from kanspice.experiments.api.compile import compile as run  # noqa: PLC0415 - torch takes seconds to import
    from kanspice.report.formatting import plain  # noqa: PLC0415 - --help stays fast

    folder = output or Path(f"{model.stem}.circuit")
    circuit = run(
        model,
        folder,
        inputs=inputs,
        sized_for=sized_for,
        config=config,
        curves=curves,
        tech=tech,
        set=set_ or (),
        realisation=None if realisation is None else realisation.value,
        fidelity=fidelity.value,
        seed=seed,
        specimen=specimen,
        specimen_out=specimen_out,
    )
    if not quiet:
        design, manifest = circuit.design, circuit.manifest
        counts = f"{manifest['devices']} devices, {manifest['nodes']} nodes, {circuit.fidelity} fidelity"
        for line in (*map(plain, circuit.notes), counts):
            say(line)
        if design.amplified:
            say(f"amplifiers sized for {design.swing_basis}")
        if design.amplified and inputs is None and sized_for is None:
            say("verify sizes them for its inputs: pass the same --inputs here to get the circuit it measures")
        say(f"wrote {folder}" if specimen_out is None else f"wrote {folder} and {specimen_out}")
