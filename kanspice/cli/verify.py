"""`kanspice verify`: how far the circuit is from the network."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kanspice.base.errors import InputError
from kanspice.cli.deliverables import Deliverables, deliver, delivers
from kanspice.cli.options import (
    Config,
    CrossCheckOption,
    Curves,
    DeviceOption,
    EngineOption,
    FidelityName,
    FidelityOption,
    Inputs,
    Jobs,
    Labels,
    LimitOption,
    MeasuredOption,
    ModelArgument,
    Quiet,
    RealisationOption,
    Set,
    SizedForOption,
    SpecimenOption,
    Targets,
    Tech,
    Timeout,
    Verbose,
    bar_before,
    command_line,
)

if TYPE_CHECKING:
    from kanspice.families import LoadedModel


@delivers(html={"help": "Write a report to read."})
def verify(
    model: ModelArgument,
    *,
    inputs: Inputs,
    config: Config = None,
    curves: Curves = None,
    labels: Labels = None,
    targets: Targets = None,
    reference: Annotated[
        Path | None, typer.Option("--reference", help="Outputs computed elsewhere for the same inputs.")
    ] = None,
    measured: MeasuredOption = None,
    limit: LimitOption = None,
    sized_for: SizedForOption = None,
    tech: Tech = None,
    set_: Set = None,
    realisation: RealisationOption = None,
    engine: EngineOption = "ngspice",
    device: DeviceOption = "cpu",
    fidelity: FidelityOption = FidelityName.AUTO,
    cross_check: CrossCheckOption = "0",
    attribute: Annotated[
        bool, typer.Option("--attribute", help="Solve again with some of the imperfections: what does each one do?")
    ] = False,
    max_: Annotated[
        list[str] | None,
        typer.Option("--max", metavar="METRIC=VALUE", help="Fail (exit 1) above this, e.g. relative_rmse=1e-3."),
    ] = None,
    min_: Annotated[
        list[str] | None,
        typer.Option("--min", metavar="METRIC=VALUE", help="Fail (exit 1) below this, e.g. accuracy=0.9."),
    ] = None,
    limits: Annotated[
        Path | None,
        typer.Option(
            "--limits", metavar="FILE.toml", help="More limits: METRIC = VALUE lines; --max, --min override them."
        ),
    ] = None,
    baseline: Annotated[
        Path | None, typer.Option("--baseline", metavar="A.json", help="An earlier --json, for --max-growth.")
    ] = None,
    max_growth: Annotated[
        str | None,
        typer.Option("--max-growth", metavar="X", help="Fail (exit 1) where the gap grew by more since the baseline."),
    ] = None,
    wanted: Deliverables,
    jobs: Jobs = 1,
    timeout: Timeout = None,
    seed: Annotated[
        int, typer.Option("--seed", min=0, help="Draws random imperfections, and the samples that are solved twice.")
    ] = 0,
    specimen: SpecimenOption = None,
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

    Exit code: 0 measured and within every limit; 1 a limit not kept; 2 bad input; 3 could not measure.

    Example: `kanspice verify model.pt --inputs inputs.npy --labels labels.npy --max relative_rmse=1e-3 --html gap.html`
    """
    from kanspice.experiments.api.verify import verify as run  # noqa: PLC0415 - torch takes seconds to import
    from kanspice.experiments.verify.document import to_json  # noqa: PLC0415
    from kanspice.experiments.verify.page import SHOWN_WAVEFORMS  # noqa: PLC0415
    from kanspice.families import load  # noqa: PLC0415

    loaded = load(model, config, curves)
    _check_waveforms(loaded, waveforms)
    result = run(
        loaded,
        inputs,
        labels=labels,
        targets=targets,
        reference=reference,
        measured=measured,
        limit=limit,
        sized_for=sized_for,
        tech=tech,
        set=set_ or (),
        realisation=None if realisation is None else realisation.value,
        engine=engine,
        device=device,
        fidelity=fidelity.value,
        cross_check=cross_check,
        attribute=attribute,
        max=max_ or (),
        min=min_ or (),
        limits=limits,
        baseline=baseline,
        max_growth=max_growth,
        jobs=jobs,
        timeout=timeout,
        seed=seed,
        specimen=specimen,
        waveforms=(SHOWN_WAVEFORMS if wanted.with_pictures else 0) if waveforms is None else waveforms,
        progress=bar_before(wanted.files, quiet),
    )
    result = replace(result, command=command_line())
    console = deliver(result.page(), wanted, quiet, lambda: to_json(result))
    if verbose:
        for name in ("design", "engine", "versions"):
            console.print(name, getattr(result, name))
    raise typer.Exit(result.exit_code)


def _check_waveforms(loaded: LoadedModel, wanted: int | None) -> None:
    """Raises InputError where a number is given for circuits that have none."""
    if wanted is not None and loaded.family != "kirchhoffnet":
        problem, expected = "operating points have no waveforms", "a KirchhoffNet"
        raise InputError(problem, where="--waveforms", expected=expected, found=loaded.family)
