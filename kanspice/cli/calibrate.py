"""`kanspice calibrate`: what to set on one chip that was measured."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from kanspice.cli.deliverables import Deliverables, deliver, delivers
from kanspice.cli.options import (
    ENGINES,
    Config,
    Curves,
    Inputs,
    Labels,
    LimitOption,
    MeasuredOption,
    ModelArgument,
    Quiet,
    Set,
    SizedForOption,
    Tech,
    bar_before,
    command_line,
    engine_of,
)

Unknown = Annotated[
    list[str] | None,
    typer.Option(
        "--unknown",
        metavar="SECTION.KEY=FACTOR",
        help="Of the technology: known within a factor only, either way. Several times for several.",
    ),
]


@delivers(html={"help": "Write a page to read."})
def calibrate(
    model: ModelArgument,
    *,
    inputs: Inputs,
    measured: MeasuredOption = None,
    chip: Annotated[
        int | None,
        typer.Option("--chip", min=0, metavar="SEED", help="Simulate a chip instead, which only its outputs tell of."),
    ] = None,
    engine: Annotated[
        str, typer.Option("--engine", parser=engine_of, metavar=ENGINES, help="What simulates it.")
    ] = "ngspice",
    measurements: Annotated[
        str | None,
        typer.Option(
            "--measurements", metavar="N,N,...", help="How many samples to measure; all there are, or 50, if not given."
        ),
    ] = None,
    trims: Annotated[
        str,
        typer.Option(
            "--trims",
            metavar="A,B+C,...",
            help="What can be set: outputs, columns, clips, references, areas; each is tried, B+C together.",
        ),
    ] = "outputs,columns,columns+areas",
    area_fraction: Annotated[
        float, typer.Option("--area-fraction", metavar="F", help="Of the devices that may be programmed again.")
    ] = 0.05,
    bits: Annotated[int, typer.Option("--bits", min=1, max=24, metavar="B", help="That trims are set with.")] = 8,
    unknown: Unknown = None,
    config: Config = None,
    curves: Curves = None,
    labels: Labels = None,
    limit: LimitOption = None,
    sized_for: SizedForOption = None,
    tech: Tech = None,
    set_: Set = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="TRIMS.npz", help="Write what to set.")
    ] = None,
    wanted: Deliverables,
    quiet: Quiet = False,
) -> None:
    """Find what to set on one chip, from what it gave for some samples, and how much of the gap that leaves.

    Trims are found on the chip's twin, the specimen that explains what was measured. Every fifth measured sample is
    kept apart and says whether they help: what does not help beyond chance is not used.

    Exit code: 0 calibrated, or found that nothing helps; 1 no specimen of the technology explains the chip; 2 bad
    input; 3 the chip, or samples of it with these trims, could not be simulated. No trims are written but with 0.

    Examples:

    `kanspice calibrate model.pt --inputs x.npy --measured chip.npy --set devices.area_sigma=0.1 -o trims.npz`

    `kanspice calibrate model.pt --inputs x.npy --labels y.npy --chip 7 --set devices.area_sigma=0.3
    --measurements 20,50 --html calibration.html`
    """
    from kanspice.experiments.api.calibrate import calibrate as run  # noqa: PLC0415 - torch takes seconds to import
    from kanspice.experiments.calibrate.document import calibration_json  # noqa: PLC0415

    result = run(
        model,
        inputs,
        measured=measured,
        chip=chip,
        engine=engine,
        measurements=counts_of(measurements),
        trims=trims.split(","),
        area_fraction=area_fraction,
        bits=bits,
        unknown=unknown or (),
        config=config,
        curves=curves,
        labels=labels,
        limit=limit,
        sized_for=sized_for,
        tech=tech,
        set=set_ or (),
        output=output,
        progress=bar_before([*wanted.files, output], quiet),
    )
    result = replace(result, command=command_line())
    deliver(result.page(), wanted, quiet, lambda: calibration_json(result))
    raise typer.Exit(result.exit_code)


def counts_of(text: str | None) -> list[int]:
    """Whole numbers separated by commas; what typer shows of others is what it shows of any bad choice."""
    try:
        return [] if text is None else [int(part) for part in text.split(",")]
    except ValueError:
        problem = f"{text!r} is no list of whole numbers, as 20,50,200."
        raise typer.BadParameter(problem, param_hint="--measurements") from None
