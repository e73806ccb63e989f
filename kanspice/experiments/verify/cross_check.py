"""Some samples by another engine, beside those of a run or of a study's draw."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from kanspice.base.arrays import Array
from kanspice.base.errors import InputError
from kanspice.circuit import Design
from kanspice.circuit.uniqueness import swings_without_wires
from kanspice.engine.engines import engine_named
from kanspice.engine.fidelity import FidelityChoice, resolve_fidelity
from kanspice.engine.memory import NoRoomError
from kanspice.engine.progress import Advance, Progress, SideRun
from kanspice.engine.running import solve
from kanspice.engine.solution import Solution, columns_hint
from kanspice.experiments.verify.options import VerifyOptions
from kanspice.gap import CrossCheck, cross_checked
from kanspice.gap.cross_check import unchecked


def check_judge(judge: str | None, fidelity: FidelityChoice) -> None:
    """Raises InputError for a cross-check that its engine cannot do."""
    if judge is not None and fidelity != "auto" and fidelity not in engine_named(judge).fidelities:
        hint = (
            f"leave it out, or --cross-check N:ENGINE: {judge} has {', '.join(sorted(engine_named(judge).fidelities))}"
        )
        raise InputError(f"{judge} has not this fidelity", where="--cross-check", found=fidelity, hint=hint)


def cross_check(
    design: Design,
    inputs: Array,
    solution: Solution,
    options: VerifyOptions,
    engine: str,
    *,
    hints: Mapping[str, Array],
    progress: Progress | None,
    numbers: Sequence[int],
) -> CrossCheck:
    """Some of the samples (samples, inputs) by another engine, which measures its own error on the same ones.

    numbers: (samples,) which they are.
    """
    count = min(options.cross_check, len(inputs))
    samples = sorted(np.random.default_rng(options.run.seed).choice(len(inputs), count, replace=False).tolist())
    chosen = {name: values[samples] for name, values in {**hints, **_beyond_swings(design, solution)}.items()}
    again = replace(options.run, check_samples=count if design.is_timed else 0, waveforms=0)
    part = inputs[samples]
    fidelity = resolve_fidelity(design, options.fidelity, engine_named(engine).fidelities)
    side_run = SideRun("cross-check", count)

    def beside(advance: Advance) -> None:
        if progress is not None:
            progress(replace(advance, side_run=side_run))

    which = [numbers[sample] for sample in samples]
    try:
        found = solve(engine, design, part, fidelity, again, hints=chosen, progress=beside, numbers=which)
    except NoRoomError as error:
        return unchecked(engine, samples, f"{error.problem}: {error.found}; {error.expected}")
    return cross_checked(design, solution, found, samples)


def _beyond_swings(design: Design, solution: Solution) -> dict[str, Array]:
    """Where a judge starts if amplifiers have a swing, beyond which Newton's method has no slope to go by: at what is
    to be checked. Whether that is an operating point, it finds out by itself; that there is no other one is proven of
    every column without wires, and with wires it starts from nothing.
    """
    if not swings_without_wires(design):
        return {}
    stages = {stage.compares_to: solution.stage_v[stage.name] / stage.output_v_per_unit for stage in design.stages}
    return stages | {columns_hint(name): columns_v for name, columns_v in solution.column_v.items()}
