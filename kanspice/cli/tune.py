"""`kanspice tune`: a network trained through its circuit."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from kanspice.cli.deliverables import Deliverables, deliver, delivers
from kanspice.cli.ensembles import Corners, Processes
from kanspice.cli.options import (
    Config,
    Curves,
    Inputs,
    LimitOption,
    ModelArgument,
    Quiet,
    Set,
    Tech,
    bar_before,
    command_line,
    say,
)

_CROSS_CHECKED = 3


@delivers(html={"help": "Write a report to read."})
def tune(
    model: ModelArgument,
    *,
    inputs: Inputs,
    output: Annotated[
        Path,
        typer.Option("-o", "--output", metavar="OUT.pt", help="The tuned network; there is always the best so far."),
    ],
    config: Config = None,
    curves: Curves = None,
    labels: Annotated[
        Path | None,
        typer.Option(
            "--labels", help="True classes. Without these and --targets the network's own outputs are what is aimed at."
        ),
    ] = None,
    targets: Annotated[Path | None, typer.Option("--targets", help="True answers of a regression.")] = None,
    test_inputs: Annotated[
        Path | None,
        typer.Option("--test-inputs", help="What is measured; a quarter of the samples, at random, if not given."),
    ] = None,
    test_labels: Annotated[Path | None, typer.Option("--test-labels", help="Their classes.")] = None,
    test_targets: Annotated[Path | None, typer.Option("--test-targets", help="Their true answers.")] = None,
    limit: LimitOption = None,
    tech: Tech = None,
    set_: Set = None,
    corner: Corners = None,
    epochs: Annotated[
        int, typer.Option("--epochs", min=1, max=100_000, metavar="N", help="Passes over all samples, at most.")
    ] = 20,
    seconds: Annotated[
        float | None,
        typer.Option(
            "--seconds", min=0.001, metavar="S", help="Processor time for each training, at most; then not repeatable."
        ),
    ] = None,
    rate: Annotated[
        float,
        typer.Option("--rate", min=0, max=1, metavar="X", help="The largest step, of each tensor's mean magnitude."),
    ] = 0.02,
    input_noise: Annotated[
        float,
        typer.Option("--input-noise", min=0, metavar="X", help="Standard deviation of what training adds to inputs."),
    ] = 0.0,
    noise: Annotated[
        str,
        typer.Option("--noise", metavar="X,Y,...", help="Relative noise on weights, of trainings that stand beside."),
    ] = "0.1,0.3",
    alone: Annotated[bool, typer.Option("--alone", help="Without trainings that stand beside.")] = False,
    trials: Annotated[
        int, typer.Option("--trials", min=1, metavar="N", help="Specimens that networks are measured on.")
    ] = 100,
    seed: Annotated[int, typer.Option("--seed", min=0, metavar="S", help="Of everything that is drawn.")] = 0,
    cross_check: Annotated[
        str | None,
        typer.Option(
            "--cross-check",
            metavar="N[:ENGINE]",
            help="N tuned specimens, 4 samples of each, by another engine too, or by one that is named;"
            f" {_CROSS_CHECKED} if not given.",
        ),
    ] = None,
    jobs: Processes = 1,
    wanted: Deliverables,
    quiet: Quiet = False,
) -> None:
    """Train a network through its circuit, over random specimens and corners, and measure what that does.

    What is measured are specimens and samples that no training saw, of the network as it was given, tuned, and trained
    without the circuit: plainly, and with noise on its weights.

    Exit code: 0 tuned and measured; 2 bad input, or nothing to tune; 3 could not measure.

    Examples:

    `kanspice tune model.pt --inputs x.npy --labels y.npy --set tia.gain=10 -o tuned.pt --html tuned.html`

    `kanspice tune model.pt --inputs x.npy --tech typical --seconds 60 --alone -o tuned.pt`
    """
    from kanspice.experiments.api.tune import tune as run  # noqa: PLC0415 - torch takes seconds to import
    from kanspice.experiments.tune.document import tuning_json  # noqa: PLC0415

    with _kept(output):
        result = run(
            model,
            inputs,
            output=output,
            config=config,
            curves=curves,
            labels=labels,
            targets=targets,
            test_inputs=test_inputs,
            test_labels=test_labels,
            test_targets=test_targets,
            limit=limit,
            tech=tech,
            set=set_ or (),
            corner=corner or (),
            epochs=epochs,
            seconds=seconds,
            rate=rate,
            input_noise=input_noise,
            noise=_numbers(noise),
            alone=alone,
            trials=trials,
            seed=seed,
            cross_check=cross_check,
            jobs=jobs,
            progress=bar_before([*wanted.files, output], quiet),
        )
    result = replace(result, command=command_line())
    deliver(result.page(), wanted, quiet, lambda: tuning_json(result))
    raise typer.Exit(result.exit_code)


def _numbers(text: str) -> list[float]:
    try:
        return [float(part) for part in text.split(",") if part.strip()]
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} is not X,Y,... with numbers.", param_hint="--noise") from error


@contextmanager
def _kept(output: Path) -> Iterator[None]:
    """Whatever ends the work: says if it left a network."""
    before = _when(output)
    try:
        yield
    except BaseException:
        if _when(output) != before:
            say(f"the best network so far is in {output}", err=True)
        raise


def _when(file: Path) -> int | None:
    try:
        return file.stat().st_mtime_ns
    except OSError:
        return None
