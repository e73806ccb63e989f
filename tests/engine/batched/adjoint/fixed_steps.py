"""Central differences of a design of periods, at the very steps that the engine once took.

An integrator that chooses its steps anew for a design that differs a little moves its own error about; at the corners
of laws that is more than a difference resolves. So the engine's own stages are gone through once more, at the same
parts of the same stretches: the map whose derivative the adjoint is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np

from kanspice.circuit import Design
from kanspice.engine.batched import periods
from kanspice.engine.batched.courses import PeriodRecord, Stretch
from kanspice.engine.batched.integrator import Integrated, _Run
from kanspice.engine.batched.periods import PeriodSolver


class FixedSteps:
    """A design, inputs, and weights (samples, width) of what stages give; a loss is their weighted sum."""

    def __init__(self, design: Design, inputs_v: Any, late_s: Any, weights: Mapping[str, Any]) -> None:
        self.design, self.inputs_v, self.late_s, self.weights = design, inputs_v, late_s, weights
        record = PeriodRecord()
        self.stage_v = PeriodSolver(design).solve(inputs_v, late_s, record=record).stage_v
        self.stretches = [stretch for course in record.courses.values() for stretch in course.stretches]

    def loss(self, design: Design | None = None, inputs_v: Any = None, late_s: Any = None) -> float:
        """Of a design that differs a little, at the same steps."""
        arriving = self.inputs_v if inputs_v is None else inputs_v, self.late_s if late_s is None else late_s
        with _following(self.stretches):
            stage_v = PeriodSolver(design or self.design).solve(*arriving).stage_v
        return sum(float((stage_v[name] * weight).sum()) for name, weight in self.weights.items())

    def difference(self, along: Mapping[tuple[str, str], Any], step: float) -> float:
        """The central difference by a stage's fields, or those of what else the design has, along a direction."""
        sides = []
        for sign in (1, -1):
            design = self.design
            for name, direction in along.items():
                design = _changed(design, name, sign * step * direction)
            sides.append(self.loss(design))
        return (sides[0] - sides[1]) / (2 * step)


def _changed(design: Design, name: tuple[str, str], by: Any) -> Design:
    place, field = name
    if not place:
        return replace(design, **{field: getattr(design, field) + float(by)})
    if hasattr(design, place):
        return replace(design, **{place: _moved(getattr(design, place), field, by)})
    stages = [_moved(stage, field, by) if stage.name == place else stage for stage in design.stages]
    return replace(design, stages=tuple(stages))


def _moved(record: Any, field: str, by: Any) -> Any:
    value = getattr(record, field)
    return replace(record, **{field: value + by if isinstance(value, np.ndarray) else value + float(by)})


@contextmanager
def _following(stretches: list[Stretch]) -> Iterator[None]:
    """Meanwhile every call of `follow` takes the steps of the next stretch."""
    left, known = iter(stretches), periods.follow

    def follow(slope, start, span, method, tolerance, *, pull=None, deadline=None, steps=None):
        stretch, state = next(left), start.copy()
        stop = np.zeros(len(start)) + span[1]
        for step in stretch.steps:
            own = step.samples
            ratio = (stop[own] - span[0]) / (stretch.stop[own] - stretch.begin)
            run = _Run.__new__(_Run)
            run.slope, run.method, run.state = slope, method, state[own]
            run.time = span[0] + (step.time - stretch.begin) * ratio
            run.now = slope(run.time, run.state)
            length = step.length * ratio
            state[own] = (run._stages(length) if pull is None else run._pulled_stages(pull, length))[0]
        return Integrated(state, stop, np.zeros(len(start), dtype=bool))

    periods.follow = follow
    try:
        yield
    finally:
        periods.follow = known
