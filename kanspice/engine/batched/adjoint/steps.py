"""A Runge-Kutta step, followed back: the derivative of the very steps that were taken, at the lengths that they had.

Lengths count as parts of the whole stretch: a stretch that begins or ends at another time has the same steps, all of
them longer or later.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from kanspice.base.arrays import Array
from kanspice.engine.batched.adjoint.motions import MotionBack
from kanspice.engine.batched.integrator import RungeKutta, TakenStep


@dataclass(frozen=True)
class StepBack:
    """What changes with the state, (samples, width), and with the time and the length, (samples,), of a step."""

    state: Array
    time: Array
    length: Array


def step_back(method: RungeKutta, motion: MotionBack, step: TakenStep, weights: Array) -> StepBack:
    """Of what a step came to, weighted: (samples, width)."""
    return (
        _explicit(method, motion, step, weights)
        if motion.motion.pull is None
        else _pulled(method, motion, step, weights)
    )


def _explicit(method: RungeKutta, motion: MotionBack, step: TakenStep, weights: Array) -> StepBack:
    slopes = _slopes(method, motion, step) if step.slopes is None else step.slopes
    length, stages = step.length[:, None], method.stages
    changes = [np.zeros_like(step.state), *(_sum(method.a[stage, :stage], slopes) for stage in range(1, stages))]
    by_length, by_time = (weights * _sum(method.b, slopes)).sum(axis=1), np.zeros(len(weights))
    by_stage: list[Array] = [np.empty(0)] * stages
    for stage in reversed(range(stages)):
        of_slope = length * (method.b[stage] * weights + _later(method.a, stage, by_stage))
        time = step.time + float(method.c[stage]) * step.length
        by_stage[stage], moved = motion.slope_back(time, step.state + length * changes[stage], of_slope)
        by_length += (by_stage[stage] * changes[stage]).sum(axis=1) + method.c[stage] * moved
        by_time += moved
    return StepBack(weights + sum(by_stage), by_time, by_length)


def _slopes(method: RungeKutta, motion: MotionBack, step: TakenStep) -> list[Array]:
    """At the stages, as the engine had them."""
    slopes: list[Array] = []
    for stage in range(method.stages):
        state = step.state + step.length[:, None] * _sum(method.a[stage, :stage], slopes)
        slopes.append(motion.motion.slope(step.time + float(method.c[stage]) * step.length, state))
    return slopes


def _pulled(method: RungeKutta, motion: MotionBack, step: TakenStep, weights: Array) -> StepBack:
    """With implicit stages: x = known + weight * pull(x), whose derivative is that of its solution."""
    stages, known_changes, explicit, pulls = _pulled_stages(method, motion, step)
    length, implicit = step.length[:, None], method.implicit
    slopes = [own + pulled for own, pulled in zip(explicit, pulls, strict=True)]
    by_length, by_time = (weights * _sum(method.b, slopes)).sum(axis=1), np.zeros(len(weights))
    by_known: list[Array] = [np.empty(0)] * method.stages
    for stage in reversed(range(method.stages)):
        of_slope = length * (method.b[stage] * weights + _later(method.a, stage, by_known))
        of_pull = length * (method.b[stage] * weights + _later(implicit, stage, by_known))
        time, state = step.time + float(method.c[stage]) * step.length, stages[stage]
        by_state, moved = motion.slope_back(time, state, of_slope)
        if stage == 0:
            more, later = motion.pull_back(time, state, of_pull)
            by_known[0] = by_state + more
        else:
            part = float(implicit[stage, stage])
            weight = part * step.length
            # the pull is (x - known) / weight, and equals the pull's slope at x: what it counts, x counts through it
            solved = motion.settled_back(time, state, weight, by_state + of_pull / weight[:, None])
            by_known[stage] = solved - of_pull / weight[:, None]
            _, later = motion.pull_back(time, state, weight[:, None] * solved)
            by_length += part * (by_known[stage] * pulls[stage]).sum(axis=1)
        by_length += (by_known[stage] * known_changes[stage]).sum(axis=1) + method.c[stage] * (moved + later)
        by_time += moved + later
    return StepBack(weights + sum(by_known), by_time, by_length)


def _pulled_stages(
    method: RungeKutta, motion: MotionBack, step: TakenStep
) -> tuple[list[Array], list[Array], list[Array], list[Array]]:
    """States at the stages, what was known of them per length, and slopes without and of the pull."""
    pull, state = motion.motion.pull, step.state
    assert pull is not None  # noqa: S101 - see `step_back`
    states, changes = [state], [np.zeros_like(state)]
    slopes, pulls = [motion.motion.slope(step.time, state)], [pull.slope(step.time, state)]
    for stage in range(1, method.stages):
        changes.append(_sum(method.a[stage, :stage], slopes) + _sum(method.implicit[stage, :stage], pulls))
        time, weight = step.time + float(method.c[stage]) * step.length, method.implicit[stage, stage] * step.length
        known = state + step.length[:, None] * changes[-1]
        states.append(pull.settled(time, known, weight))
        slopes.append(motion.motion.slope(time, states[-1]))
        pulls.append((states[-1] - known) / weight[:, None])
    return states, changes, slopes, pulls


def _later(table: Array, stage: int, by_stage: Sequence[Array]) -> Any:
    """What a stage's slope counts through the stages after it."""
    last = stage + 1 == len(by_stage)
    return 0.0 if last else _sum(table[stage + 1 :, stage], by_stage[stage + 1 :])


def _sum(weights: Array, parts: Sequence[Array] | Array) -> Any:
    """Of as many parts as there are; 0 of none."""
    total: Any = 0.0
    for weight, part in zip(weights.tolist(), parts, strict=False):
        if weight != 0:
            total = total + weight * part
    return total
