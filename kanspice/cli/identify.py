"""`kanspice identify`: which chip was measured."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from kanspice.cli.calibrate import Unknown
from kanspice.cli.deliverables import Deliverables, deliver, delivers
from kanspice.cli.options import (
    MEASURED,
    Config,
    Curves,
    Inputs,
    LimitOption,
    ModelArgument,
    Quiet,
    Set,
    SizedForOption,
    Tech,
    bar_before,
    command_line,
)


@delivers(html={"help": "Write a page to read."})
def identify(
    model: ModelArgument,
    *,
    inputs: Inputs,
    measured: Annotated[Path, MEASURED],
    noise: Annotated[
        float, typer.Option("--noise", metavar="X", help="Of measured outputs, of the network's spread.")
    ] = 1e-3,
    unknown: Unknown = None,
    config: Config = None,
    curves: Curves = None,
    limit: LimitOption = None,
    sized_for: SizedForOption = None,
    tech: Tech = None,
    set_: Set = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="SPECIMEN.npz", help="Write the specimen's numbers.")
    ] = None,
    wanted: Deliverables,
    quiet: Quiet = False,
) -> None:
    """Find which chip was measured: its random numbers and keys of its technology, with intervals.

    Every fifth measured sample is kept apart: errors there that no chip of the technology has say that something is
    missing from it. What these samples cannot tell is said, and which others to measure next.

    Exit code: 0 explained; 1 no chip of the technology explains what was measured; 2 bad input; 3 nothing is known,
    since such fits do not find chips drawn from the technology either, or outputs are too far from linear.

    Examples:

    `kanspice identify model.pt --inputs x.npy --measured chip.npy --set devices.area_sigma=0.05 -o chip.npz`

    `kanspice identify model.pt --inputs x.npy --measured chip.npy --tech typical --unknown tia.gain=3 --html chip.html`
    """
    from kanspice.experiments.api.identify import identify as run  # noqa: PLC0415 - torch takes seconds to import
    from kanspice.experiments.identify.document import identification_json  # noqa: PLC0415

    result = run(
        model,
        inputs,
        measured,
        noise=noise,
        unknown=unknown or (),
        config=config,
        curves=curves,
        limit=limit,
        sized_for=sized_for,
        tech=tech,
        set=set_ or (),
        output=output,
        progress=bar_before([*wanted.files, output], quiet),
    )
    result = replace(result, command=command_line())
    deliver(result.page(), wanted, quiet, lambda: identification_json(result))
    raise typer.Exit(result.exit_code)
