"""`kanspice verify`: how far the circuit is from the network."""

from __future__ import annotations

import shlex
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kanspice.base.errors import InputError
from kanspice.base.files import refuse_inputs
from kanspice.cli.options import (
    Config,
    CrossCheckOption,
    Curves,
    Deliverable,
    DeviceOption,
    EngineOption,
    FidelityName,
    FidelityOption,
    Jobs,
    Junit,
    LimitOption,
    Markdown,
    ModelArgument,
    Quiet,
    Set,
    Tech,
    Timeout,
    Verbose,
    check_of,
    hand_over,
)
from kanspice.report.estimate import Workload
from kanspice.report.progress_bar import progress_bar

if TYPE_CHECKING:
    from rich.console import Console

    from kanspice.experiments.verify.result import GapResult
    from kanspice.experiments.verify.run import VerifyOptions
    from kanspice.families import LoadedModel
    from kanspice.technology import Technology


def verify(
    model: ModelArgument,
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
    limit: LimitOption = None,
    tech: Tech = None,
    set_: Set = None,
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
    limits: Annotated[
        Path | None,
        typer.Option("--limits", metavar="FILE.toml", help="More limits: METRIC = VALUE lines; --max overrides them."),
    ] = None,
    baseline: Annotated[
        Path | None, typer.Option("--baseline", metavar="A.json", help="An earlier --json, for --max-growth.")
    ] = None,
    max_growth: Annotated[
        str | None,
        typer.Option("--max-growth", metavar="X", help="Fail (exit 1) where the gap grew by more since the baseline."),
    ] = None,
    json: Annotated[str | None, typer.Option("--json", metavar="F", help="Write JSON; - prints it.")] = None,
    markdown: Markdown = None,
    html: Annotated[Path | None, typer.Option("--html", metavar="F", help="Write a report to read.")] = None,
    junit: Junit = None,
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

    Exit code: 0 measured and within every limit; 1 a limit exceeded; 2 bad input; 3 could not measure.

    Example: `kanspice verify model.pt --inputs inputs.npy --labels labels.npy --max relative_rmse=1e-3 --html gap.html`
    """
    from kanspice.cli.terminal import Terminal  # noqa: PLC0415 - --help stays fast
    from kanspice.engine.options import RunOptions  # noqa: PLC0415
    from kanspice.experiments.evidence import read_evidence  # noqa: PLC0415 - torch takes seconds to import
    from kanspice.experiments.verify.html import SHOWN_WAVEFORMS  # noqa: PLC0415
    from kanspice.experiments.verify.run import VerifyOptions  # noqa: PLC0415
    from kanspice.experiments.verify.run import verify as run  # noqa: PLC0415
    from kanspice.families import load  # noqa: PLC0415
    from kanspice.gap.limits import merged, parse_limits, read_limits  # noqa: PLC0415
    from kanspice.technology import load_technology  # noqa: PLC0415

    wanted = Deliverable(json, markdown, html, junit)
    console = Terminal(stderr=wanted.prints, quiet=quiet)
    kept = merged([] if limits is None else read_limits(limits), parse_limits(max_ or []))
    growth = _Growth.of(baseline, max_growth)
    technology = load_technology(tech, set_ or ())
    loaded = load(model, config, curves)
    evidence = read_evidence(loaded, inputs, labels=labels, targets=targets, reference=reference).limited(limit)
    refuse_inputs(wanted.files)
    if growth is not None:
        growth.check(evidence.sha256)
    followed = _kept_waveforms(loaded, waveforms, 0 if html is None else SHOWN_WAVEFORMS)
    how = RunOptions(jobs=jobs, timeout_s=timeout, seed=seed, waveforms=followed, device=device)
    options = VerifyOptions(fidelity.value, how, kept, attribute, engine, *check_of(cross_check))
    total = len(evidence.inputs) * options.solves(technology)
    work = _work(len(evidence.inputs), options, technology)
    with progress_bar(Terminal(stderr=True, quiet=quiet), "simulating", total, work=work) as progress:
        result = run(loaded, technology, evidence, options, progress)
    result = replace(result, command=shlex.join(["kanspice", *sys.argv[1:]]))
    if growth is not None:
        result = growth.hold(result)
    _deliver(result, console, wanted)
    if verbose:
        for name in ("design", "engine", "versions"):
            console.print(name, getattr(result, name))
    raise typer.Exit(result.exit_code)


def _work(samples: int, options: VerifyOptions, technology: Technology) -> Workload:
    """What is to be done at the pace of the first samples, and what would be faster."""
    from kanspice.engine.engines import engine_named  # noqa: PLC0415 - --help stays fast

    switches = options.changes_engines
    faster = ["fewer samples (--limit)"]
    one_by_one = not engine_named(options.engine).solves_together
    if one_by_one and options.fidelity != "transient":
        faster.insert(0, "--engine batched --cross-check 2")
    if one_by_one and options.run.jobs == 1:
        faster.append("more processes (--jobs)")
    rounds = 1 if switches else options.solves(technology)
    return Workload(samples, rounds=rounds, faster=", or ".join(faster))


@dataclass(frozen=True)
class _Growth:
    """How much the gap may have grown since an earlier run."""

    source: Path
    baseline: GapResult
    allowed: float

    @classmethod
    def of(cls, baseline: Path | None, max_growth: str | None) -> _Growth | None:
        """None where neither was given. Raises InputError where only one was."""
        if baseline is None and max_growth is None:
            return None
        if baseline is None or max_growth is None:
            lacking, hint = ("--max-growth", "10%") if max_growth is None else ("--baseline", "A.json")
            raise InputError(
                "a baseline and a growth need each other", expected=f"also {lacking}", hint=f"{lacking} {hint}"
            )
        from kanspice.experiments.verify.reading import read_report  # noqa: PLC0415
        from kanspice.gap.limits import parse_growth  # noqa: PLC0415 - --help stays fast

        return cls(baseline, read_report(baseline), parse_growth(max_growth))

    def check(self, samples_sha256: str) -> None:
        from kanspice.experiments.compare import check_baseline  # noqa: PLC0415

        check_baseline(self.baseline, samples_sha256, str(self.source))

    def hold(self, result: GapResult) -> GapResult:
        from kanspice.experiments.compare import held_against  # noqa: PLC0415

        return held_against(result, self.baseline, self.allowed, str(self.source))


def _kept_waveforms(loaded: LoadedModel, wanted: int | None, default: int) -> int:
    """Of how many samples. Raises InputError where a number is given for circuits that have none."""
    if wanted is not None and loaded.family != "kirchhoffnet":
        problem, expected = "operating points have no waveforms", "a KirchhoffNet"
        raise InputError(problem, where="--waveforms", expected=expected, found=loaded.family)
    return default if wanted is None else wanted


def _deliver(result: GapResult, console: Console, wanted: Deliverable) -> None:
    from kanspice.experiments.verify.document import to_json  # noqa: PLC0415
    from kanspice.experiments.verify.html import to_html  # noqa: PLC0415
    from kanspice.experiments.verify.junit import to_junit  # noqa: PLC0415
    from kanspice.experiments.verify.markdown import to_markdown  # noqa: PLC0415
    from kanspice.experiments.verify.table import print_gap  # noqa: PLC0415

    print_gap(result, console)
    hand_over(
        wanted,
        console,
        json=lambda: to_json(result),
        markdown=lambda: to_markdown(result),
        html=lambda: to_html(result),
        junit=lambda: to_junit(result),
    )
