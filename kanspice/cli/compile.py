"""`kanspice compile`: a trained model as a netlist."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kanspice.cli.options import Config, Curves, FidelityName, FidelityOption, ModelArgument, Quiet, Set, Tech, say


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
    tech: Tech = None,
    set_: Set = None,
    fidelity: FidelityOption = FidelityName.AUTO,
    quiet: Quiet = False,
) -> None:
    """Write a model's circuit to a folder: netlist, subcircuits, design and manifest.

    Example: `kanspice compile model.pt -o circuit --set tia.gain=1000`
    """
    from kanspice.engine.fidelity import resolve_fidelity  # noqa: PLC0415
    from kanspice.experiments.compile import write_compiled  # noqa: PLC0415
    from kanspice.families import compile_model, load, sizing_for  # noqa: PLC0415 - torch takes seconds to import
    from kanspice.families.common import load_array  # noqa: PLC0415
    from kanspice.report.formatting import plain  # noqa: PLC0415
    from kanspice.technology import load_technology  # noqa: PLC0415

    technology = load_technology(tech, set_ or ())
    loaded = load(model, config, curves)
    samples = None if inputs is None else load_array(inputs, "the inputs", loaded.input_width)
    design = compile_model(loaded, technology, sizing_for(loaded, technology, samples))
    chosen = resolve_fidelity(design, fidelity.value)
    folder = output or Path(f"{model.stem}.circuit")
    manifest = write_compiled(design, chosen, folder)
    if not quiet:
        counts = f"{manifest['devices']} devices, {manifest['nodes']} nodes, {chosen} fidelity"
        for line in (*map(plain, loaded.notes), counts):
            say(line)
        if design.crossbars:
            say(f"amplifiers sized for {design.swing_basis}")
        if design.crossbars and samples is None:
            say("verify sizes them for its inputs: pass the same --inputs here to get the circuit it measures")
        say(f"wrote {folder}")
