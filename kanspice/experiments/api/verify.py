"""`kanspice.verify`: how far a circuit is from its network."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from kanspice.base.errors import InputError
from kanspice.base.files.array_files import Given
from kanspice.engine.fidelity import FidelityChoice
from kanspice.engine.names import judges_of
from kanspice.engine.options import RunOptions
from kanspice.experiments.api.arguments import Limits, Model, Overrides, Tech, limits_of, model_of, technology_of
from kanspice.experiments.api.compare import report_of
from kanspice.experiments.api.specimens import SpecimenOrFile, specimen_of
from kanspice.experiments.compare import check_baseline, held_against
from kanspice.experiments.evidence import read_evidence
from kanspice.experiments.numbers import check_numbers, plain_numbers
from kanspice.experiments.verify import run as verifying
from kanspice.experiments.verify.options import VerifyOptions
from kanspice.experiments.verify.result import GapResult
from kanspice.families import technology_for
from kanspice.gap.limits import parse_growth
from kanspice.report.progress_bar import Bar, bar_of
from kanspice.technology.loading import Realisation


@plain_numbers
def verify(
    model: Model,
    inputs: Given,
    *,
    config: str | Path | None = None,
    curves: str | Path | None = None,
    labels: Given | None = None,
    targets: Given | None = None,
    reference: Given | None = None,
    measured: Given | None = None,
    limit: int | None = None,
    sized_for: Given | None = None,
    tech: Tech = None,
    set: Overrides = (),
    realisation: Realisation | None = None,
    engine: str = "ngspice",
    device: str = "cpu",
    fidelity: FidelityChoice = "auto",
    cross_check: int | str = 0,
    attribute: bool = False,
    max: Limits = (),
    min: Limits = (),
    limits: str | Path | None = None,
    baseline: str | Path | GapResult | None = None,
    max_growth: str | float | None = None,
    jobs: int = 1,
    timeout: float | None = None,
    seed: int = 0,
    specimen: SpecimenOrFile | None = None,
    waveforms: int = 0,
    progress: bool | Bar = False,
) -> GapResult:
    """Simulates a network's circuit for inputs (samples, inputs) and measures how far it is from the network.

    labels: (samples,) true classes. targets: (samples, outputs), true answers of a regression. reference: (samples,
    outputs) computed elsewhere. measured: (samples, outputs) in model units of a chip, NaN where nothing was measured:
    how far it is from network and circuit. limit: the first so many samples, of a circuit that is sized for all.
    sized_for: samples (samples, inputs) that the circuit is sized for instead, such as those of training.
    fidelity: as `resolve_fidelity` says. cross_check: so many random samples by another engine too, "N:ENGINE" by that
    one, "N:ENGINE,ENGINE" by both.
    attribute: solve again with some of the imperfections, to tell what each one does. max, min: what metrics may be at
    most and at least; they override limits, a file. baseline: an earlier result, since which the gap may have grown by
    `max_growth`, "10%" or 0.1. jobs: simulator processes. timeout: seconds for the network's own integration, and for
    the simulation: each. seed: draws random imperfections, and the samples that are solved twice. specimen: random
    imperfections by their numbers, in place of those that the seed draws. waveforms: of so many samples, where the
    circuit answers after a time, node voltages are kept.
    Raises InputError for what does not fit together, SimulatorError without a simulator.
    """
    check_numbers(limit=limit, jobs=jobs, timeout=timeout, seed=seed, waveforms=waveforms)
    kept = limits_of(limits, max, min)
    growth = _Growth.of(baseline, max_growth)
    technology, loaded = technology_of(tech, set, realisation), model_of(model, config, curves)
    evidence = read_evidence(
        loaded,
        inputs,
        labels=labels,
        targets=targets,
        reference=reference,
        measured=measured,
        sized_for=sized_for,
    ).limited(limit)
    how = RunOptions(jobs=jobs, timeout_s=timeout, seed=seed, waveforms=waveforms, device=device)
    checks, judges = judges_of(cross_check)
    judge, *others = judges or (None,)
    given = None if specimen is None else specimen_of(specimen)
    further = tuple(filter(None, others))
    options = VerifyOptions(fidelity, how, kept, attribute, engine, checks, judge, further, given)
    if growth is not None:
        growth.check(evidence.sha256)
    samples = len(evidence.inputs)
    fitting = technology_for(loaded, technology)
    work = options.work(samples, fitting)
    with bar_of(progress)("simulating", samples * options.solves(fitting), work=work) as told:
        result = verifying.verify(loaded, technology, evidence, options, told)
    return result if growth is None else growth.hold(result)


@dataclass(frozen=True)
class _Growth:
    """How much the gap may have grown since an earlier run. source: where that came from."""

    source: str
    baseline: GapResult
    allowed: float

    @classmethod
    def of(cls, baseline: str | Path | GapResult | None, max_growth: str | float | None) -> _Growth | None:
        """None where neither was given. Raises InputError where only one was."""
        if baseline is None and max_growth is None:
            return None
        if baseline is None or max_growth is None:
            lacking, hint = ("--max-growth", "10%") if max_growth is None else ("--baseline", "A.json")
            raise InputError(
                "a baseline and a growth need each other", expected=f"also {lacking}", hint=f"{lacking} {hint}"
            )
        source = "the baseline" if isinstance(baseline, GapResult) else str(baseline)
        return cls(source, report_of(baseline), parse_growth(str(max_growth)))

    def check(self, samples_sha256: str) -> None:
        """Raises InputError where it was about other samples."""
        check_baseline(self.baseline, samples_sha256, self.source)

    def hold(self, result: GapResult) -> GapResult:
        """The result with its growth as a limit."""
        return held_against(result, self.baseline, self.allowed, self.source)
