"""The whole path: load, compile, simulate, compare. The command line and every study call these functions."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
import numpy.typing as npt

from kanspice.design import Design
from kanspice.design.branches import PIECEWISE_LINEAR_LAWS
from kanspice.draws import Draw
from kanspice.engines import EngineName, check_device, other, solve
from kanspice.errors import InputError
from kanspice.evidence import Evidence
from kanspice.families import LoadedModel, compile_model, technology_for
from kanspice.gap import (
    CrossCheck,
    Gap,
    GapResult,
    Trial,
    check_limits,
    compare,
    cross_checked,
    decoded_outputs,
    given,
    squared_errors,
)
from kanspice.gap.causes import Plan, attributed, attribution, numerical_cause, planned, solve_all
from kanspice.gap.cross_check import unchecked
from kanspice.measured import Measured, Reference, generates, has_answer, scale_of
from kanspice.models.following import NO_TIME_LEFT
from kanspice.netlist import Fidelity, fidelities
from kanspice.ngspice import Advance, NgspiceOptions, Progress, SideRun
from kanspice.ngspice.room import NoRoomError
from kanspice.solution import FailedSample, Outcome, Solution
from kanspice.technology import Technology

Array = npt.NDArray[np.float64]
FidelityChoice = Literal["auto"] | Fidelity


@dataclass(frozen=True)
class VerifyOptions:
    """How to verify. fidelity `auto` takes what is fastest of those that are the same circuit as `device`.

    attribute: solve the circuit again with some of the technology's imperfections, to tell what each one does.
    cross_check: how many samples, drawn with the seed, the other engine solves too; where they agree, the batched one
    solves what `attribute` needs.
    """

    fidelity: FidelityChoice = "auto"
    ngspice: NgspiceOptions = field(default_factory=NgspiceOptions)
    limits: Sequence[tuple[str, float]] = ()
    attribute: bool = False
    engine: EngineName = "ngspice"
    cross_check: int = 0

    def solves(self, technology: Technology) -> int:
        """How many times `verify` solves every sample."""
        if not self.attribute:
            return 1
        again = self.engine == "ngspice" and self.cross_check > 0
        return len(self.plan(technology).trials) + again

    def plan(self, technology: Technology) -> Plan:
        """Which circuits `attribute` needs."""
        return planned(technology, Draw(self.ngspice.seed))


def resolve_fidelity(design: Design, choice: FidelityChoice) -> Fidelity:
    """`auto` -> `shared` when every device on a row sees the row's voltage anyway, `device` otherwise.

    For a KirchhoffNet -> `merged` where branches between the same two nodes add up to one piecewise linear element: 1.3
    times as fast for one branch, 3 times for four. Sums of other laws are slower than their parts by a few percent.
    """
    if choice != "auto":
        return choice
    if design.is_ideal:
        return "shared"
    laws = {period.law for period in design.periods}
    merges = bool(laws) and laws <= set(PIECEWISE_LINEAR_LAWS) and design.schematic is None
    return "merged" if merges else fidelities(design)[0]


def verify(
    loaded: LoadedModel,
    technology: Technology,
    evidence: Evidence,
    options: VerifyOptions | None = None,
    progress: Progress | None = None,
) -> GapResult:
    """Compiles the model, simulates every sample and compares, stage by stage.

    Raises InputError for evidence or limits that do not fit the model, SimulatorError without a simulator.
    """
    options, began = options or VerifyOptions(), time.monotonic()
    evidence.check_fit(loaded.input_width, loaded.output_width)
    technology = technology_for(loaded, technology)
    draw = Draw(options.ngspice.seed)
    reference = Reference(loaded, evidence, options.ngspice.timeout_s)
    sizing, compiling = reference.sizing(technology), time.monotonic()
    design = compile_model(loaded, technology, sizing, draw)
    compile_s = time.monotonic() - compiling
    fidelity = resolve_fidelity(design, options.fidelity)
    check_other_engine(fidelity, options.cross_check)
    check_device(options.ngspice.device, design, options.engine, options.cross_check)
    _check_limits(options.limits, generates(loaded), design, evidence, fidelity)
    stages, diverged = reference.answers
    followed = [index for index in range(len(evidence.inputs)) if index not in diverged]
    hints = {name: values[followed] for name, values in stages.items()}
    started, inputs = time.monotonic(), evidence.inputs[followed]
    solution = solve(
        options.engine, design, inputs, fidelity, options.ngspice, hints=hints, progress=progress, numbers=followed
    )
    checked: CrossCheck | None = None
    timing: dict[str, float] = {}
    if options.cross_check:
        checking = time.monotonic()
        checked = cross_check(design, inputs, solution, options, hints=hints, progress=progress, numbers=followed)
        timing["cross_check_s"] = time.monotonic() - checking
    if diverged:
        without = _unfollowed(diverged)
        solution = solution.among(followed, without)
        checked = checked and checked.among(followed)
    found = Measured(loaded, technology, evidence, reference, design, sizing, compile_s, solution)
    result = replace(found.result(options.limits, options.ngspice.device), cross_check=checked)
    if options.attribute:
        attributing = time.monotonic()
        result = _attributed(found, result, options, started, progress)
        timing["attribution_s"] = time.monotonic() - attributing
    timing["total_s"] = time.monotonic() - began
    return replace(result, timing={**result.timing, **timing})


def check_other_engine(fidelity: FidelityChoice, cross_check: int) -> None:
    """Raises InputError for a cross-check that no other engine can do."""
    if cross_check and fidelity == "transient":
        hint = "leave it out; filters over time are ngspice's alone"
        raise InputError("no other engine has this fidelity", where="--cross-check", found=fidelity, hint=hint)


def cross_check(
    design: Design,
    inputs: Array,
    solution: Solution,
    options: VerifyOptions,
    *,
    hints: Mapping[str, Array],
    progress: Progress | None,
    numbers: Sequence[int],
) -> CrossCheck:
    """Some of the samples (samples, inputs) by the other engine, which measures its own error on the same ones.

    numbers: (samples,) which they are.
    """
    count = min(options.cross_check, len(inputs))
    samples = sorted(np.random.default_rng(options.ngspice.seed).choice(len(inputs), count, replace=False).tolist())
    chosen = {name: values[samples] for name, values in hints.items()}
    again = replace(options.ngspice, check_samples=count if design.periods else 0, waveforms=0)
    fidelity = resolve_fidelity(design, options.fidelity)
    side_run = SideRun("cross-check", count)

    def beside(advance: Advance) -> None:
        if progress is not None:
            progress(replace(advance, side_run=side_run))

    which = [numbers[sample] for sample in samples]
    engine, part = other(options.engine), inputs[samples]
    try:
        found = solve(engine, design, part, fidelity, again, hints=chosen, progress=beside, numbers=which)
    except NoRoomError as error:
        return unchecked(engine, samples, f"{error.problem}: {error.found}; {error.expected}")
    return cross_checked(design, solution, found, samples)


def _attributed(
    measured: Measured, result: GapResult, options: VerifyOptions, started: float, progress: Progress | None
) -> GapResult:
    """The result with its causes: the same samples again, with some of the imperfections, as `planned`.

    ngspice's trials take as many time steps as all imperfections together took. The numerical error is the run's own.
    started: time.monotonic() when the simulation began.
    """
    evidence, technology = measured.evidence, measured.technology
    engine, plan = _trial_engine(options, result.cross_check), options.plan(technology)
    expected = result.reference
    scale = scale_of(expected, evidence)
    followed = np.flatnonzero(has_answer(expected))
    without = _unfollowed(measured.reference.answers[1])
    hints = {name: values[followed] for name, values in measured.reference.answers[0].items()}
    steps = measured.solution.engine_options.get("steps")
    again = replace(options.ngspice, check_samples=0, waveforms=0, steps=steps if isinstance(steps, int) else None)
    timeout_s = options.ngspice.timeout_s

    def trial_of(solution: Solution, design: Design) -> Trial:
        outputs = decoded_outputs(design, solution)
        gap = compare(outputs, expected, solution.solved, scale)
        return Trial(gap, len(solution.failed), squared_errors(outputs, expected, solution.solved))

    def solve_with(technology: Technology) -> Trial:
        draw = Draw(options.ngspice.seed)
        design = compile_model(measured.loaded, technology, measured.sizing, draw)
        fidelity = resolve_fidelity(design, options.fidelity)
        left_s = None if timeout_s is None else max(timeout_s - (time.monotonic() - started), 0.0)
        limited, inputs = replace(again, timeout_s=left_s), evidence.inputs[followed]
        which = followed.tolist()
        solution = solve(engine, design, inputs, fidelity, limited, hints=hints, progress=progress, numbers=which)
        return trial_of(solution.among(which, without), design)

    full = trial_of(measured.solution, measured.design) if engine == options.engine else None
    trials = solve_all(plan, technology, solve_with, full)
    causes = attributed(plan, technology, trials)
    if result.numerical is not None:
        found = result.numerical
        largest = found.max_abs / scale if scale else None
        gap = Gap(found.rmse, found.max_abs, found.relative_rmse, largest, None)
        causes = (*causes, numerical_cause(gap, plan, trials))
    return replace(result, causes=causes, attribution=attribution(plan, trials, engine, scale))


def _unfollowed(why: Mapping[int, str]) -> list[FailedSample]:
    """The samples that the network has no answer for, or was not followed for in time."""
    return [
        FailedSample(index, Outcome.TIMED_OUT if reason == NO_TIME_LEFT else Outcome.NO_REFERENCE, reason)
        for index, reason in why.items()
    ]


def _trial_engine(options: VerifyOptions, checked: CrossCheck | None) -> EngineName:
    """The run's own, or the batched one where that was found to agree on this very circuit."""
    return "batched" if checked is not None and checked.passed else options.engine


def _check_limits(
    limits: Sequence[tuple[str, float]], generates: bool, design: Design, evidence: Evidence, fidelity: Fidelity
) -> None:
    if limits and fidelity == "shared" and not design.is_ideal:
        raise InputError(
            "a limit on a circuit that leaves out the columns' voltages proves nothing",
            where="--max",
            expected="--fidelity device where amplifiers have a finite gain",
            found="--fidelity shared",
        )
    there = given(labels=evidence.labels is not None, targets=evidence.targets is not None, generates=generates)
    check_limits(limits, there, "the limits", [stage.name for stage in design.stages])
