"""`kanspice export`: a compiled circuit in another simulator's language, with a receipt."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kanspice.cli.options import Quiet, say


def export(
    circuit: Annotated[Path, typer.Argument(metavar="DIR", help="A folder that `kanspice compile` wrote.")],
    *,
    to: Annotated[
        str,
        typer.Option(
            "--to", metavar="FORMAT", help="ngspice, vacask, xyce, ltspice, veriloga; or kicad: a sheet of one part."
        ),
    ],
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="FOLDER", help="Folder to write; DIR's name + .FORMAT.")
    ] = None,
    inputs: Annotated[
        Path | None, typer.Option("--inputs", help="Samples for the test bench; an example if not given.")
    ] = None,
    sample: Annotated[
        int | None, typer.Option("--sample", min=0, metavar="K", help="Which of them, from 0; the first if not given.")
    ] = None,
    part: Annotated[
        str | None,
        typer.Option("--part", metavar="PLACE", help="For kicad: a column (1:0p), filter (1:0,2,1) or node (1:v2)."),
    ] = None,
    timeout: Annotated[
        float | None,
        typer.Option("--timeout", min=0.001, metavar="S", help="Seconds for the simulator of the receipt; 600."),
    ] = None,
    quiet: Quiet = False,
) -> None:
    """Write a compiled circuit and a test bench in a simulator's language, to be run by hand, with a receipt.

    The receipt says whether an installed simulator, given these files, finds what kanspice found.

    Example: `kanspice export circuit --to ngspice --inputs inputs.npy --sample 3 -o for_ngspice`
    """
    from kanspice.experiments.api.export import export as run  # noqa: PLC0415 - torch takes seconds to import
    from kanspice.experiments.export.formats.table import check_format  # noqa: PLC0415

    name = check_format(to)
    result = run(
        circuit,
        name,
        output or Path(f"{circuit.resolve().name}.{name}"),
        inputs=inputs,
        sample=sample,
        part=part,
        timeout=timeout,
    )
    if not quiet:
        for note in result.notes:
            say(f"note: {note}", err=True)
        for line in result.lines():
            say(line)
