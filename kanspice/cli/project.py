"""`kanspice project`: a KAN of learnt functions, made of devices."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from kanspice.cli.deliverables import Deliverables, deliver, delivers
from kanspice.cli.options import (
    Config,
    Inputs,
    Labels,
    LimitOption,
    Quiet,
    bar_before,
    command_line,
)


@delivers(html={"help": "Write a report to read."})
def project(
    model: Annotated[
        Path,
        typer.Argument(
            metavar="MODEL",
            help="A state dict of pykan, efficient-kan, inkan or the KANalogue authors, or a .csv of measured edges.",
        ),
    ],
    *,
    inputs: Inputs,
    devices: Annotated[
        str, typer.Option("--devices", metavar="A,B,...", help="Cards of every crosspoint, by name or path.")
    ],
    output: Annotated[Path, typer.Option("-o", "--output", metavar="OUT.pt", help="The KANalogue to write.")],
    config: Config = None,
    labels: Labels = None,
    limit: LimitOption = None,
    resistor: Annotated[bool, typer.Option("--resistor", help="Also a resistor at every crosspoint.")] = False,
    constant: Annotated[bool, typer.Option("--constant", help="Also a constant for every edge, in the bias.")] = False,
    ridge: Annotated[
        float,
        typer.Option("--ridge", min=0.0, metavar="X", help="Hold areas back, of the mean square of their currents."),
    ] = 1e-4,
    fine_tune: Annotated[
        int,
        typer.Option("--fine-tune", min=0, max=100_000, metavar="EPOCHS", help="Train on the model's own outputs."),
    ] = 0,
    max_edge: Annotated[
        float | None,
        typer.Option(
            "--max-edge",
            min=0.0,
            metavar="X",
            help="Fail (exit 1) where an edge is off by more standard deviations of its layer's sums.",
        ),
    ] = None,
    outputs: Annotated[
        Path | None,
        typer.Option("--outputs", metavar="F.npy", help="Write the model's own outputs, for verify --reference."),
    ] = None,
    wanted: Deliverables,
    quiet: Quiet = False,
) -> None:
    """Make every learnt edge of a KAN of devices, by least squares over the samples, and write it as a KANalogue.

    Exit code: 0 projected; 1 an edge beyond --max-edge; 2 bad input; 3 the model has no answer for some sample.

    Example: `kanspice project best.pth --inputs x.npy --devices a21,z21,z15,zaz21 --resistor --constant -o out.pt`
    """
    from kanspice.experiments.api.project import project as run  # noqa: PLC0415 - torch takes seconds to import
    from kanspice.experiments.project.document import projection_json  # noqa: PLC0415

    result = run(
        model,
        inputs,
        [name.strip() for name in devices.split(",")],
        output=output,
        config=config,
        labels=labels,
        limit=limit,
        resistor=resistor,
        constant=constant,
        ridge=ridge,
        fine_tune=fine_tune,
        max_edge=max_edge,
        outputs=outputs,
        progress=bar_before([*wanted.files, output, outputs], quiet),
    )
    result = replace(result, command=command_line())
    deliver(result.page(), wanted, quiet, lambda: projection_json(result))
    raise typer.Exit(result.exit_code)
