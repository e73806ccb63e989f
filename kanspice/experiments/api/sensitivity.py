"""`kanspice.sensitivity`: which random parts of a circuit matter, and how bad it can get."""

from __future__ import annotations

from pathlib import Path

from kanspice.base.errors import InputError
from kanspice.base.files import check_outputs
from kanspice.base.files.array_files import Given
from kanspice.engine.engines import engine_named
from kanspice.engine.names import judges_of
from kanspice.engine.running import judge_of
from kanspice.experiments.api.arguments import Limits, Model, Overrides, Tech, limits_of, model_of, technology_of
from kanspice.experiments.evidence import read_evidence
from kanspice.experiments.numbers import check_numbers, plain_numbers
from kanspice.experiments.sensitivity.keys import SPECIMENS
from kanspice.experiments.sensitivity.numbers import ENGINE
from kanspice.experiments.sensitivity.plan import DRAWS, RARE_DRAWS, SIGMAS, SensitivityPlan
from kanspice.experiments.sensitivity.result import Sensitivity
from kanspice.experiments.sensitivity.run import analyse
from kanspice.experiments.sensitivity.worst import MOST_STEPS, STARTS
from kanspice.report.estimate import Workload
from kanspice.report.progress_bar import Bar, bar_of


@plain_numbers
def sensitivity(
    model: Model,
    inputs: Given,
    *,
    config: str | Path | None = None,
    curves: str | Path | None = None,
    labels: Given | None = None,
    targets: Given | None = None,
    limit: int | None = None,
    sized_for: Given | None = None,
    tech: Tech = None,
    set: Overrides = (),
    draws: int = DRAWS,
    sigmas: float = SIGMAS,
    worst: str | Path | None = None,
    max: Limits = (),
    min: Limits = (),
    rare_draws: int = RARE_DRAWS,
    cross_check: int | str = 0,
    timeout: float | None = None,
    seed: int = 0,
    progress: bool | Bar = False,
) -> Sensitivity:
    """Predicts how far specimens of a network's circuit are off, by exact derivatives; finds the worst specimen.

    sized_for: samples (samples, inputs) that circuits are sized for, if those are others than the inputs.
    draws: specimens that are drawn and solved beside the prediction. sigmas: how far every random number of the worst
    specimen may be from 0; worst: a file for it, which `verify` takes as `specimen`. max, min: what metrics may be at
    most and at least: how rare specimens beyond it are, by `rare_draws` of importance sampling for each. cross_check:
    so many samples of the worst specimen by another engine too, "N:ENGINE" by that one. seed: of all that is drawn,
    devices that are stuck and noise among it.
    Raises InputError for what does not fit together, and where nothing random has a gradient; SimulatorError without
    the engine that checks.
    """
    check_numbers(limit=limit, draws=draws, rare_draws=rare_draws, timeout=timeout, seed=seed, sigmas=sigmas)
    technology, loaded = technology_of(tech, set), model_of(model, config, curves)
    evidence = read_evidence(loaded, inputs, labels=labels, targets=targets, sized_for=sized_for).limited(limit)
    limits = limits_of(None, max, min)
    checks, judges = judges_of(cross_check)
    judge, *others = judges or (None,)
    if others:
        raise InputError("one engine checks the worst specimen", where="--cross-check", found=str(cross_check))
    if checks:
        engine_named(judge_of(ENGINE, judge)).find()
    check_outputs([worst])
    plan = SensitivityPlan(seed, draws, sigmas, worst, limits, rare_draws, checks, judge, timeout)
    total = draws + SPECIMENS + STARTS * MOST_STEPS + rare_draws * len(limits)
    work = Workload(total, faster="fewer samples (--limit), or fewer --draws")
    with bar_of(progress)("solving", total, "specimens", work) as told:
        return analyse(loaded, technology, evidence, plan, told)
