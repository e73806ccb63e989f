"""`kanspice verify`: how far the circuit is from the network."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kanspice.cli.options import (
    Config,
    Curves,
    Engine,
    EngineName,
    FidelityName,
    FidelityOption,
    Jobs,
    Limit,
    Model,
    Quiet,
    Set,
    Tech,
    Timeout,
    Verbose,
    parse_limits,
    progress_bar,
    spare_inputs,
)
from kanspice.errors import InputError

if TYPE_CHECKING:
    from rich.console import Console

    from kanspice.evidence import Evidence
    from kanspice.gap import GapResult
    from kanspice.models import LoadedModel


def verify(
    model: Model,
    *,
    inputs: Annotated[Path, typer.Option("--inputs", help="Samples (samples, inputs): .npy, .npz or .csv.")],
    config: Config = None,
    curves: Curves = None,
    labels: Annotated[Path | None, typer.Option("--labels", help="True classes, for accuracies.")] = None,
    targets: Annotated[
        Path | None, typer.Option("--targets", help="True answers of a regression, for the mean squared error.")
    ] = None,
    reference: Annotated[
        Path | None, typer.Option("--reference", help="Outputs computed elsewhere for the same inputs.")
    ] = None,
    limit: Limit = None,
    tech: Tech = None,
    set_: Set = None,
    engine: Engine = EngineName.NGSPICE,
    fidelity: FidelityOption = FidelityName.AUTO,
    cross_check: Annotated[
        int,
        typer.Option(
            "--cross-check", min=0, metavar="N", help="N random samples by the other engine too: do they agree?"
        ),
    ] = 0,
    attribute: Annotated[
        bool, typer.Option("--attribute", help="Solve again with each imperfection alone, and with all but each.")
    ] = False,
    max_: Annotated[
        list[str] | None,
        typer.Option("--max", metavar="METRIC=VALUE", help="Fail (exit 1) above this, e.g. relative_rmse=1e-3."),
    ] = None,
    json: Annotated[str | None, typer.Option("--json", metavar="F", help="Write JSON; - prints it.")] = None,
    html: Annotated[Path | None, typer.Option("--html", metavar="F", help="Write a report to read.")] = None,
    junit: Annotated[Path | None, typer.Option("--junit", metavar="F", help="Write JUnit XML for CI.")] = None,
    jobs: Jobs = 1,
    timeout: Timeout = None,
    seed: Annotated[
        int, typer.Option("--seed", min=0, help="Draws random imperfections, and the samples that are solved twice.")
    ] = 0,
    waveforms: Annotated[
        int | None,
        typer.Option(
            "--waveforms",
            min=0,
            metavar="N",
            help="Keep the node voltages of so many samples, for the energy of an inference; 3 with --html.",
        ),
    ] = None,
    verbose: Verbose = False,
    quiet: Quiet = False,
) -> None:
    """Simulate a model's circuit and measure how far it is from the network, stage by stage.

    Exit code: 0 measured and within every --max; 1 a limit exceeded; 2 bad input; 3 could not measure.

    Example: `kanspice verify model.pt --inputs inputs.npy --labels labels.npy --max relative_rmse=1e-3 --html gap.html`
    """
    from rich.console import Console  # noqa: PLC0415 - --help stays fast

    from kanspice.models import load  # noqa: PLC0415 - torch takes seconds to import
    from kanspice.ngspice import NgspiceOptions  # noqa: PLC0415
    from kanspice.pipeline import VerifyOptions  # noqa: PLC0415
    from kanspice.pipeline import verify as run  # noqa: PLC0415
    from kanspice.report import SHOWN_WAVEFORMS  # noqa: PLC0415
    from kanspice.technology import load_technology  # noqa: PLC0415

    console = Console(stderr=json == "-", quiet=quiet)
    spare_inputs([_file(json), html, junit], [model, config, inputs, labels, targets, reference, tech])
    limits = parse_limits(max_ or [])
    technology = load_technology(tech, set_ or ())
    loaded = load(model, config, curves)
    evidence = _evidence(loaded, inputs, labels, targets, reference).limited(limit)
    kept = _kept_waveforms(loaded, waveforms, 0 if html is None else SHOWN_WAVEFORMS)
    ngspice = NgspiceOptions(jobs=jobs, timeout_s=timeout, seed=seed, waveforms=kept)
    options = VerifyOptions(fidelity.value, ngspice, limits, attribute, engine.value, cross_check)
    total = len(evidence.inputs) * options.solves(technology)
    with progress_bar(Console(stderr=True, quiet=quiet), "simulating", total) as progress:
        result = run(loaded, technology, evidence, options, progress)
    _deliver(result, console, json, html, junit)
    if verbose:
        for name in ("design", "engine", "versions"):
            console.print(name, getattr(result, name))
    raise typer.Exit(result.exit_code)


def _file(json: str | None) -> Path | None:
    return None if json is None or json == "-" else Path(json)


def _kept_waveforms(loaded: LoadedModel, wanted: int | None, default: int) -> int:
    """Of how many samples. Raises InputError where a number is given for circuits that have none."""
    if wanted is not None and loaded.family != "kirchhoffnet":
        problem, expected = "operating points have no waveforms", "a KirchhoffNet"
        raise InputError(problem, where="--waveforms", expected=expected, found=loaded.family)
    return default if wanted is None else wanted


def _evidence(
    loaded: LoadedModel, inputs: Path, labels: Path | None, targets: Path | None, reference: Path | None
) -> Evidence:
    from kanspice.evidence import Evidence  # noqa: PLC0415
    from kanspice.models import load_array, load_labels  # noqa: PLC0415

    return Evidence(
        inputs=load_array(inputs, "the inputs", loaded.input_width),
        labels=None if labels is None else load_labels(labels),
        external=None if reference is None else load_array(reference, "the reference outputs", loaded.output_width),
        targets=None if targets is None else load_array(targets, "the targets", loaded.output_width),
        source=str(inputs),
    )


def _deliver(result: GapResult, console: Console, json: str | None, html: Path | None, junit: Path | None) -> None:
    from kanspice.report import print_gap, to_html, to_json, to_junit, write_text  # noqa: PLC0415

    print_gap(result, console)
    if json == "-":
        typer.echo(to_json(result), nl=False)
    elif json is not None:
        write_text(Path(json), to_json(result))
    if html is not None:
        write_text(html, to_html(result))
        console.print(f"report: {html}", soft_wrap=True, highlight=False, markup=False)
    if junit is not None:
        write_text(junit, to_junit(result))
