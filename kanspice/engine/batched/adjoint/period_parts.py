"""Gradients by the parts of a design of periods, by way of the numbers in units that the engine works with.

These are worked out of the design again, traced, by the engine's own formulas; so what a period's numbers change a loss
by becomes what its parts do.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields, replace
from typing import Any

import numpy as np

from kanspice.base.arrays import Array
from kanspice.base.traced import is_traced, tensor_of, traced
from kanspice.circuit import Design, DigitalLayer, OdePeriod
from kanspice.engine.batched.adjoint.branches import NUMBERS
from kanspice.engine.batched.adjoint.period_sums import PeriodSums
from kanspice.engine.batched.adjoint.periods import PeriodGradients, PeriodsBack
from kanspice.engine.batched.courses import PeriodRecord
from kanspice.engine.batched.period_numbers import PeriodNumbers, driving_branches, period_numbers
from kanspice.engine.batched.periods import PeriodSolver

Name = tuple[str, str]
"""A stage of a design and its field, or what else it has by name (`schematic`) and a field of that; `("", "lag_s")`."""
_OF_SWITCHES = ("ohm", "off_leak", "others", "peak", "rise", "transfer", "on", "off")
_OF_PERIODS = ("unit_v", "unit_s", "per_current", "leak", "supply", "clamp", "lag", "sampling")
_KEPT_NUMBERS = 2**17
"""A megabyte for each step: a hundred or so of them in a block are usual, a thousand where nearly all is stiff."""
_SHARED = ("schematic", "switching", "losses")


def period_gradients(
    design: Design, inputs_v: Array, late_s: Array, gradient_v: Mapping[str, Array], *, block: int | None = None
) -> tuple[PeriodGradients, dict[Name, Array]]:
    """How a loss changes with what arrives, and with every continuous array and number that the design has.

    inputs_v: (samples, inputs) volts, and late_s: (samples,), as `PeriodSolver.solve` takes them, which is done again,
    to the last bit. gradient_v: (samples, width) how the loss changes per volt of what stages give, by their names.
    block: samples at a time. Samples that have no answer are `without` a gradient, and in no sum. Numbers that are
    infinite have none either. `periods` says how exact all this is.
    """
    found = gradients_of(design, inputs_v, late_s, gradient_v, block=block)
    return found, _by_part(design, found)


def gradients_of(
    design: Design, inputs_v: Array, late_s: Array, gradient_v: Mapping[str, Array], *, block: int | None = None
) -> PeriodGradients:
    """The first of what `period_gradients` gives."""
    solver = PeriodSolver(design)
    back, found, size = PeriodsBack(solver), list[PeriodGradients](), block or _block(solver)
    for first in range(0, max(len(inputs_v), 1), size):
        part, record = slice(first, first + size), PeriodRecord()
        solver.solve(inputs_v[part], late_s[part], record=record)
        found.append(back.pulled_back(record, {name: values[part] for name, values in gradient_v.items()}))
    return replace(
        found[-1],
        inputs_v=np.concatenate([each.inputs_v for each in found]),
        late_s=np.concatenate([each.late_s for each in found]),
        without=np.concatenate([each.without for each in found]),
    )


def _block(solver: PeriodSolver) -> int:
    """How many samples are followed back at a time: every step's slopes are kept, at all stages."""
    numbers = max(period.nodes * period.motion.states_per_node * period.method.stages for period in solver.periods)
    return max(1, min(solver.block, _KEPT_NUMBERS // numbers))


def numbers_of(design: Design) -> dict[str, Any]:
    """What the periods of a design depend on, as numbers in units; traced where the design is."""
    found: dict[str, Any] = {}
    for stage in design.over_time:
        if isinstance(stage, OdePeriod):
            branches, numbers = driving_branches(stage, design.schematic), period_numbers(design, stage)
            found |= {f"{stage.name}.{name}": getattr(branches, name) for name in NUMBERS}
            found |= {f"{stage.name}.{name}": value for name, value in _flat(numbers)}
        elif isinstance(stage, DigitalLayer):
            found |= {f"{stage.name}.{name}": getattr(stage, name) for name in ("weight", "offset_v")}
    return found


def gradients_by_number(design: Design, found: PeriodGradients) -> dict[str, Array]:
    """By what `numbers_of` gives, by the same names."""
    by_number: dict[str, Any] = {}
    for stage in design.over_time:
        if isinstance(stage, OdePeriod):
            numbers, sums = period_numbers(design, stage), found.by_period[stage.name]
            values = {**found.by_branches[stage.name], **{name: _of(sums, numbers, name) for name, _ in _flat(numbers)}}
            by_number |= {f"{stage.name}.{name}": np.asarray(value) for name, value in values.items()}
        elif isinstance(stage, DigitalLayer):
            by_number |= {f"{stage.name}.weight": found.weight, f"{stage.name}.offset_v": found.offset_v}
    return by_number


def _flat(numbers: PeriodNumbers) -> Iterator[tuple[str, Any]]:
    for name in _OF_PERIODS:
        yield name, getattr(numbers, name)
    for place, point in enumerate(numbers.points):
        yield f"points.{place}", point
    if numbers.switches is not None:
        for name in _OF_SWITCHES:
            yield name, getattr(numbers.switches, name)


def _of(sums: PeriodSums, numbers: PeriodNumbers, name: str) -> Array | float:
    if name == "lag":
        return -sums.rate / numbers.lag**2 if numbers.lag else 0.0
    kind, _, place = name.partition(".")
    value: Array | float = getattr(sums, kind)[int(place)] if place else getattr(sums, kind)
    return value


def _by_part(design: Design, found: PeriodGradients) -> dict[Name, Array]:
    import torch  # noqa: PLC0415 - torch takes a second to import

    leaves: dict[Name, Any] = {}
    whole, by_number = _with_leaves(design, leaves), gradients_by_number(design, found)
    with torch.enable_grad():
        numbers = {name: tensor_of(value) for name, value in numbers_of(whole).items() if is_traced(value)}
    wanted = {name: tensor for name, tensor in numbers.items() if tensor.requires_grad}
    weights = [torch.as_tensor(by_number[name]).reshape(tensor.shape) for name, tensor in wanted.items()]
    tensors = [leaf.tensor for leaf in leaves.values()]
    parts = torch.autograd.grad(list(wanted.values()), tensors, weights, allow_unused=True)
    zeros = (np.zeros(leaf.shape) for leaf in leaves.values())
    return {name: none if part is None else part.numpy() for name, part, none in zip(leaves, parts, zeros, strict=True)}


def _with_leaves(design: Design, leaves: dict[Name, Any]) -> Design:
    """The design with traced parts, which are put into `leaves`."""
    stages = tuple(
        _traced(stage, stage.name, leaves) if isinstance(stage, OdePeriod | DigitalLayer) else stage
        for stage in design.stages
    )
    shared = {
        name: _traced(getattr(design, name), name, leaves) for name in _SHARED if getattr(design, name) is not None
    }
    if design.lag_s > 0:
        leaves["", "lag_s"] = shared["lag_s"] = _leaf(design.lag_s)
    return replace(design, stages=stages, **shared)


def _traced(record: Any, name: str, leaves: dict[Name, Any]) -> Any:
    """A record with its continuous fields traced."""
    changed = {}
    for field in fields(record):
        value = getattr(record, field.name)
        is_array = isinstance(value, np.ndarray) and value.dtype == np.float64
        if is_array or (isinstance(value, float) and np.isfinite(value)):
            changed[field.name] = leaves[name, field.name] = _leaf(value)
    return replace(record, **changed)


def _leaf(value: Array | float) -> Any:
    import torch  # noqa: PLC0415 - torch takes a second to import

    return traced(torch.tensor(value, dtype=torch.float64, requires_grad=True))
