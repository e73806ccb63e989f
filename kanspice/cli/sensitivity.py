"""`kanspice sensitivity`: which random parts of a circuit matter, and how bad it can get."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from kanspice.cli.deliverables import Deliverables, deliver, delivers
from kanspice.cli.options import (
    Config,
    Curves,
    Inputs,
    Labels,
    LimitOption,
    ModelArgument,
    Quiet,
    Set,
    SizedForOption,
    Targets,
    Tech,
    Timeout,
    bar_before,
    command_line,
)


@delivers(html={"help": "Write a report to read."})
def sensitivity(
    model: ModelArgument,
    *,
    inputs: Inputs,
    config: Config = None,
    curves: Curves = None,
    labels: Labels = None,
    targets: Targets = None,
    limit: LimitOption = None,
    sized_for: SizedForOption = None,
    tech: Tech = None,
    set_: Set = None,
    draws: Annotated[
        int, typer.Option("--draws", min=0, metavar="N", help="Specimens drawn and solved beside the prediction.")
    ] = 100,
    sigmas: Annotated[
        float,
        typer.Option("--sigmas", min=0.01, max=100, metavar="X", help="How far the worst specimen's parts may be off."),
    ] = 3.0,
    worst: Annotated[
        Path | None, typer.Option("--worst", metavar="F.npz", help="Write the worst specimen, for verify --specimen.")
    ] = None,
    max_: Annotated[
        list[str] | None,
        typer.Option("--max", metavar="METRIC=VALUE", help="How rare are specimens beyond it, e.g. relative_rmse=0.2?"),
    ] = None,
    min_: Annotated[
        list[str] | None,
        typer.Option("--min", metavar="METRIC=VALUE", help="How rare are specimens below it, e.g. accuracy=0.9?"),
    ] = None,
    rare_draws: Annotated[
        int, typer.Option("--rare-draws", min=2, metavar="N", help="Specimens solved for each --max.")
    ] = 200,
    cross_check: Annotated[
        str,
        typer.Option(
            "--cross-check", metavar="N[:ENGINE]", help="N samples of the worst specimen by ngspice, or by one named."
        ),
    ] = "0",
    wanted: Deliverables,
    timeout: Timeout = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of all that is drawn.")] = 0,
    quiet: Quiet = False,
) -> None:
    """Predict how far specimens of a model's circuit are off, which parts that is due to, and find the worst one.

    By exact derivatives of the circuit with respect to the random number behind every part.

    Exit code: 0 analysed; 2 bad input; 3 another engine says something else of the worst specimen, or is missing.

    Example: `kanspice sensitivity model.pt --inputs inputs.npy --labels labels.npy --tech typical --worst worst.npz`
    """
    from kanspice.experiments.api.sensitivity import sensitivity as run  # noqa: PLC0415 - torch takes seconds to import
    from kanspice.experiments.sensitivity.document import sensitivity_json  # noqa: PLC0415

    result = run(
        model,
        inputs,
        config=config,
        curves=curves,
        labels=labels,
        targets=targets,
        limit=limit,
        sized_for=sized_for,
        tech=tech,
        set=set_ or (),
        draws=draws,
        sigmas=sigmas,
        worst=worst,
        max=max_ or (),
        min=min_ or (),
        rare_draws=rare_draws,
        cross_check=cross_check,
        timeout=timeout,
        seed=seed,
        progress=bar_before([*wanted.files, *([] if worst is None else [worst])], quiet),
    )
    result = replace(result, command=command_line())
    deliver(result.page(), wanted, quiet, lambda: sensitivity_json(result))
    raise typer.Exit(result.exit_code)
