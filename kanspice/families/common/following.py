"""A network followed through its stages, outside torch: what it makes of samples, as NumPy arrays."""

from __future__ import annotations

import numpy as np
import torch

from kanspice.base.arrays import Array
from kanspice.base.errors import KanspiceError
from kanspice.families.common.network import DivergenceError, LateError, Network

_BLOCK = 256
_TIGHTER = 100.0
NO_TIME_LEFT = "the network itself was not followed to its end before --timeout"
"""Why a sample has no stages, where that is not its own fault."""
_NOT_FINITE = "the network's own values are not finite"
_OTHERS = "check the parameters, and whether the network was trained on inputs like these"


def reference_stages(model: Network, inputs: Array) -> dict[str, Array]:
    """`model.stages` in evaluation mode for inputs (samples, inputs), block by block, as float64 arrays."""
    model.eval()
    with torch.no_grad():
        blocks = [model.stages(torch.from_numpy(np.ascontiguousarray(block))) for block in _blocks(inputs)]
    return {name: np.concatenate([block[name].numpy() for block in blocks]) for name in blocks[0]}


def followed_stages(
    model: Network, inputs: Array, timeout_s: float | None = None
) -> tuple[dict[str, Array], dict[int, str]]:
    """`reference_stages`, and why some samples have none: the network cannot be followed, or some value is not finite.

    Their rows are NaN. timeout_s: how long a network may be integrated; samples that come later have none either,
    for `NO_TIME_LEFT`. Raises DivergenceError if that is so for all of them, LateError where time was the reason.
    """
    stages, without = _followed(model, inputs) if timeout_s is None else _followed_until(model, inputs, timeout_s)
    first: DivergenceError | None = None
    for name, values in stages.items():
        for index in np.flatnonzero(~np.isfinite(values).all(axis=1)).tolist():
            first = first or DivergenceError(_NOT_FINITE, where=f"sample {index}, {name}", hint=_OTHERS)
            without.setdefault(index, f"{name}: {_NOT_FINITE}")
    if first is not None and len(without) == len(inputs):
        raise first
    for values in stages.values():
        values[list(without)] = np.nan
    return stages, without


def _followed(model: Network, inputs: Array) -> tuple[dict[str, Array], dict[int, str]]:
    """The same, whatever the values are that can be followed."""
    try:
        return reference_stages(model, inputs), {}
    except DivergenceError as error:
        everywhere = error
    rows: dict[int, dict[str, Array]] = {}
    diverged: dict[int, str] = {}
    for index in range(len(inputs)):
        try:
            rows[index] = reference_stages(model, inputs[index : index + 1])
        except DivergenceError as error:
            place = (error.where or "").partition(", ")[2]
            diverged[index] = f"{place}: {error.problem}" if place else error.problem
    if not rows:
        raise everywhere
    widths = {name: values.shape[1] for name, values in next(iter(rows.values())).items()}
    stages = {name: np.full((len(inputs), width), np.nan) for name, width in widths.items()}
    for index, values in rows.items():
        for name, row in values.items():
            stages[name][index] = row[0]
    return stages, diverged


def _followed_until(model: Network, inputs: Array, timeout_s: float) -> tuple[dict[str, Array], dict[int, str]]:
    """As `_followed`, block by block for so long."""
    if model.block is None:
        return _followed(model, inputs)
    limited, size = model.within(timeout_s), min(model.block, _BLOCK)
    rows: dict[int, dict[str, Array]] = {}
    without: dict[int, str] = {}
    first_error: KanspiceError | None = None
    for first in range(0, max(len(inputs), 1), size):
        block = inputs[first : first + size]
        try:
            rows[first], own = _followed(limited, block)
        except (DivergenceError, LateError) as error:
            first_error = first_error or error
            why = NO_TIME_LEFT if isinstance(error, LateError) else error.problem
            own = dict.fromkeys(range(len(block)), why)
        without |= {first + index: why for index, why in own.items()}
    if not rows:
        raise first_error or LateError(NO_TIME_LEFT)
    widths = {name: values.shape[1] for name, values in next(iter(rows.values())).items()}
    stages = {name: np.full((len(inputs), width), np.nan) for name, width in widths.items()}
    for first, found in rows.items():
        for name, values in found.items():
            stages[name][first : first + len(values)] = values
    return stages, without


def change_when_tightened(
    model: Network, stage: str, inputs: Array, values: Array, timeout_s: float | None = None
) -> Array | None:
    """By how much a stage's values (samples, width) of a network move when it is integrated 100 times as exactly.

    Infinite where it then cannot be followed, also within timeout_s. None for a network that is a formula.
    """
    tight = model.tighter(_TIGHTER)
    if tight is None:
        return None
    try:
        found = followed_stages(tight, inputs, timeout_s)[0][stage]
    except (DivergenceError, LateError):
        found = np.full_like(values, np.nan)
    return np.where(np.isfinite(found), found - values, np.inf)


def _blocks(inputs: Array) -> list[Array]:
    return [inputs[start : start + _BLOCK] for start in range(0, max(len(inputs), 1), _BLOCK)]
