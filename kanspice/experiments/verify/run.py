"""The whole path: load, follow the network, compile, solve, check, attribute, measure. Every study calls these."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

from kanspice.base.errors import InputError
from kanspice.base.stopwatch import Stopwatch
from kanspice.circuit import Design
from kanspice.engine.engines import engine_named
from kanspice.engine.fidelity import Fidelity, resolve_fidelity
from kanspice.engine.progress import Progress
from kanspice.engine.running import check_design, check_device, check_judge_of_subcircuits, check_mismatch, solve
from kanspice.engine.solution import Solution
from kanspice.experiments.evidence import Evidence
from kanspice.experiments.followed import Followed
from kanspice.experiments.generator import generates
from kanspice.experiments.verify.chip.nominal import nominal_outputs
from kanspice.experiments.verify.cross_check import check_judge, cross_check
from kanspice.experiments.verify.measured import Measured
from kanspice.experiments.verify.options import VerifyOptions
from kanspice.experiments.verify.projected import original_of
from kanspice.experiments.verify.result import GapResult
from kanspice.families import LoadedModel, compile_both, compile_macro_model, compile_nominal, technology_for
from kanspice.gap import (
    CrossCheck,
    Gap,
    Trial,
    check_limits,
    compare,
    decoded_outputs,
    given,
    numerical_gap,
    squared_errors,
)
from kanspice.gap.causes import Attributed, attributed, attribution, numerical_cause, solve_all, with_macro_model
from kanspice.gap.limits import LimitPair
from kanspice.technology import Technology

_OF_MACRO_MODELS = "batched"
"""What solves the circuits that an attribution compares where amplifiers are subcircuits."""
_MISMATCH = "process.mismatch"


def verify(
    loaded: LoadedModel,
    technology: Technology,
    evidence: Evidence,
    options: VerifyOptions | None = None,
    progress: Progress | None = None,
) -> GapResult:
    """Follows the network, compiles it, simulates every sample and compares, stage by stage.

    Raises InputError for evidence or limits that do not fit the model, SimulatorError without a simulator.
    """
    options, watch = options or VerifyOptions(), Stopwatch()
    evidence.check_fit(loaded.input_width, loaded.output_width)
    technology = technology_for(loaded, technology)
    with watch.part("reference_s"):
        reference = Followed.of(loaded, evidence, technology, options.run.timeout_s)
    with watch.part("compile_s"):
        if options.specimen is not None:
            options.specimen.check_fits(compile_nominal(loaded, technology, reference.sizing), technology)
        circuit = compile_both(loaded, technology, reference.sizing, options.draw)
    if evidence.measured is not None:
        evidence.measured.check(reference.expected(circuit.specimen), reference.scale(circuit.specimen))
    fidelity = resolve_fidelity(circuit.specimen, options.fidelity, engine_named(options.engine).fidelities)
    _check(options, circuit.specimen, fidelity, loaded, evidence)
    began = time.monotonic()
    solution, checks = _solved(reference, circuit.specimen, fidelity, options, progress, watch)
    measured = Measured(technology, reference, circuit, solution, checks, specimen=options.specimen)
    if evidence.measured is not None:
        with watch.part("nominal_s"):
            measured = replace(measured, nominal=nominal_outputs(reference, technology, options, circuit.specimen))
    if options.attribute:
        with watch.part("attribution_s"):
            measured = replace(measured, attributed=_attributed(measured, options, began, progress))
    return measured.result(options.limits, options.run.device, watch)


def _solved(  # noqa: PLR0917, once, from `verify`
    reference: Followed,
    design: Design,
    fidelity: Fidelity,
    options: VerifyOptions,
    progress: Progress | None,
    watch: Stopwatch,
) -> tuple[Solution, tuple[CrossCheck, ...]]:
    """All samples, those among them that the network has an answer for solved, and some of these checked."""
    which, inputs, hints = reference.answered, reference.inputs, reference.hints
    solution = solve(
        options.engine, design, inputs, fidelity, options.run, hints=hints, progress=progress, numbers=which
    )
    checks: tuple[CrossCheck, ...] = ()
    for judge in options.checking:
        with watch.part("cross_check_s"):
            found = cross_check(design, inputs, solution, options, judge, hints=hints, progress=progress, numbers=which)
            checks = (*checks, found)
    if not reference.without:
        return solution, checks
    return solution.among(which, reference.failures), tuple(check.among(which) for check in checks)


def _check(options: VerifyOptions, design: Design, fidelity: Fidelity, loaded: LoadedModel, evidence: Evidence) -> None:
    """Raises InputError for what cannot be done, before anything long."""
    check_device(options.run.device, design, options.engine, options.checked_by)
    check_design(design, options.engine, None)
    check_mismatch(design, options.engine)
    for judge in options.checking:
        check_judge(judge, options.fidelity)
        check_design(design, judge, None)
        check_judge_of_subcircuits(design, options.engine, judge)
    _check_limits(options.limits, loaded, design, evidence, fidelity)


def _attributed(measured: Measured, options: VerifyOptions, started: float, progress: Progress | None) -> Attributed:
    """The gap's causes: the same samples again, with some of the imperfections, as `planned`.

    ngspice's trials take as many time steps as all imperfections together took. The numerical error is the run's own.
    started: time.monotonic() when the simulation began.
    """
    reference, technology, design = measured.reference, measured.technology, measured.design
    if design.realised is not None:  # what macro-models do not know is in what they leave out
        technology = technology.without([_MISMATCH])
    engine, plan = _trial_engine(options, measured.cross_checks, design), options.plan(technology)
    expected, scale, projected = measured.expected, measured.scale, measured.projected
    which, arriving, hints = reference.answered, reference.inputs, reference.hints
    steps = measured.solution.engine_options.get("steps")
    again = replace(options.run, check_samples=0, waveforms=0, steps=steps if isinstance(steps, int) else None)
    timeout_s = options.run.timeout_s

    def trial_of(solution: Solution, design: Design) -> Trial:
        outputs, failed = decoded_outputs(design, solution), len(solution.failed)
        gap = compare(outputs, expected, solution.solved, scale)
        beside = None if projected is None else projected.trial(outputs, solution.solved, failed)
        return Trial(gap, failed, squared_errors(outputs, expected, solution.solved), beside)

    def solve_with(technology: Technology) -> Trial:
        design = compile_macro_model(reference.loaded, technology, reference.sizing, options.draw)
        fidelity = resolve_fidelity(design, options.fidelity, engine_named(engine).fidelities)
        left_s = None if timeout_s is None else max(timeout_s - (time.monotonic() - started), 0.0)
        limited = replace(again, timeout_s=left_s)
        solution = solve(engine, design, arriving, fidelity, limited, hints=hints, progress=progress, numbers=which)
        return trial_of(solution.among(which, reference.failures), design)

    whole = trial_of(measured.solution, design)
    full = whole if engine == options.engine and design.realised is None else None
    trials = solve_all(plan, technology, solve_with, full)
    causes = attributed(plan, technology, trials)
    if design.realised is not None and engine_named(options.engine).has_subcircuits:
        causes = with_macro_model(causes, design.realised.amplifier.subcircuit.name, whole, plan, trials)
    numerical = numerical_gap(design, measured.solution, scale)
    if numerical is not None:
        largest = numerical.max_abs / scale if scale else None
        gap = Gap(numerical.rmse, numerical.max_abs, numerical.relative_rmse, largest, None)
        causes = (*causes, numerical_cause(gap, plan, trials))
    return Attributed(causes, attribution(plan, trials, engine, scale))


def _trial_engine(options: VerifyOptions, checks: Sequence[CrossCheck], design: Design) -> str:
    """The run's own, or the judge, where that solves samples together and was found to agree on this very circuit.

    Of parts that are subcircuits, trials change the macro-models: for these there is an engine that is fast.
    """
    if design.realised is not None:
        return _OF_MACRO_MODELS
    judge = options.checked_by
    agrees = bool(checks) and checks[0].passed
    return judge if judge is not None and agrees and engine_named(judge).solves_together else options.engine


def _check_limits(
    limits: Sequence[LimitPair], loaded: LoadedModel, design: Design, evidence: Evidence, fidelity: Fidelity
) -> None:
    if limits and fidelity == "shared" and not design.is_ideal:
        raise InputError(
            "a limit on a circuit that leaves out the columns' voltages proves nothing",
            where="--max",
            expected="--fidelity device where amplifiers have a finite gain",
            found="--fidelity shared",
        )
    there = given(
        labels=evidence.labels is not None,
        targets=evidence.targets is not None,
        generates=generates(loaded),
        projected=original_of(loaded) is not None,
        chip=evidence.measured is not None,
    )
    check_limits(limits, there, "the limits", [stage.name for stage in design.stages])
