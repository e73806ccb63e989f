"""What a computer does for one sample, counted stage by stage from the circuit without imperfections.

Whatever is a function of one number, such as a device's curve, a tanh or 1 / sqrt, is a table of straight pieces: a
look-up of two numbers, a multiplication and an addition. Devices on one row share their type's curve.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import assert_never

import numpy as np

from kanspice.base.arrays import Indices
from kanspice.circuit import (
    Average,
    Crossbar,
    Design,
    DifferentialPairs,
    DigitalLayer,
    Drivers,
    FilterBank,
    HeldSum,
    InputStage,
    LayerNorm,
    Limiter,
    OdePeriod,
    ReadOut,
    Rectifier,
    Stage,
    SynapseBank,
    Tiles,
)
from kanspice.circuit.activations import IDENTITY
from kanspice.circuit.branch_laws import LAWS
from kanspice.circuit.drives import BOTH_ENDS, DIFFERENCE, SCALED, SHIFTED, BranchDrive
from kanspice.circuit.stages.synapse_bank import BAND_PASS
from kanspice.devices import is_resistance

_OF_DRIVES: Mapping[type[BranchDrive], tuple[int, int]] = {
    type(SCALED): (1, 1),
    type(SHIFTED): (1, 2),
    type(DIFFERENCE): (1, 2),
    type(BOTH_ENDS): (2, 2),
}
"""Multiplications and additions of a branch's drive and weight."""
_STEP_EVALUATIONS, _STEP_SUMS = 6, 26
"""Of a step of Dormand and Prince's method: evaluations, and multiply-adds for each node, its error's included."""


@dataclass(frozen=True)
class Operations:
    """Counts for one sample.

    multiplications, additions: with those of functions; a comparison is an addition. functions: of one number, looked
    up. parameters: numbers that are kept. reads: of parameters. moves: of activations, read or written.
    """

    multiplications: float = 0.0
    additions: float = 0.0
    functions: float = 0.0
    parameters: float = 0.0
    reads: float = 0.0
    moves: float = 0.0

    def __add__(self, other: Operations) -> Operations:
        return Operations(*(getattr(self, each.name) + getattr(other, each.name) for each in fields(self)))


def _counted(
    *, multiply_adds: float = 0, multiplies: float = 0, adds: float = 0, functions: float = 0, **numbers: float
) -> Operations:
    """With functions as table look-ups. numbers: `parameters`, read once unless `reads` says how often, and `moves`."""
    numbers = {"reads": numbers.get("parameters", 0.0), **numbers}
    multiplications, additions = multiply_adds + multiplies + functions, multiply_adds + adds + functions
    return Operations(float(multiplications), float(additions), float(functions), **numbers)


def operations_of(design: Design, evaluations: Mapping[str, float]) -> dict[str, Operations]:
    """Stage by stage. evaluations: period -> how often its branches' currents are evaluated."""
    return {stage.name: _of_stage(design, stage, evaluations) for stage in design.stages}


def _of_stage(design: Design, stage: Stage, evaluations: Mapping[str, float]) -> Operations:
    match stage:
        case Crossbar():
            return _of_crossbar(design, stage)
        case Tiles():
            return _of_tiles(design, stage)
        case FilterBank():
            return _of_filters(stage)
        case SynapseBank():
            return _of_synapses(stage)
        case OdePeriod():
            return _of_period(stage, evaluations[stage.name])
        case Limiter() | Rectifier() | DifferentialPairs():
            return _of_inputs(stage)
        case LayerNorm() | Average() | DigitalLayer():
            return _of_outputs(stage)
        case HeldSum():
            return _counted(adds=stage.width, moves=stage.width)
        case Drivers() | ReadOut():
            return Operations()
        case _:
            assert_never(stage)


def _of_inputs(stage: InputStage) -> Operations:
    """A clip compares with each level that it has; what is limited is not moved for it."""
    shifts = int(np.count_nonzero(stage.shift_v))
    if isinstance(stage, DifferentialPairs) or (isinstance(stage, Limiter) and stage.kind in ("sigmoid", "tanh")):
        return _counted(functions=stage.width, adds=shifts, parameters=shifts)
    clips = isinstance(stage, Rectifier) or stage.kind == "clip"
    levels = sum(map(math.isfinite, (stage.low_v, stage.high_v))) if clips else 0
    return _counted(adds=levels * stage.width + shifts, parameters=shifts)


def _of_outputs(stage: LayerNorm | Average | DigitalLayer) -> Operations:
    """What stands behind a layer."""
    width = stage.width
    if isinstance(stage, LayerNorm):  # a mean, what is left, its mean square, 1 / sqrt, a gain and an offset
        return _counted(
            multiply_adds=2 * width,
            multiplies=width + 2,
            adds=2 * width + 1,
            functions=1,
            parameters=2 * width,
            moves=2 * width,
        )
    if isinstance(stage, Average):
        return _counted(adds=stage.ohm.size - width, multiplies=width, moves=stage.ohm.size + width)
    size = stage.weight.size
    return _counted(multiply_adds=size, adds=width, parameters=size + width, moves=sum(stage.weight.shape))


def _curved(design: Design, crossbar: Crossbar) -> Indices:
    """(rows,) how many curves each row's voltage is looked up in: those of its device types, resistors left out."""
    bent = [not is_resistance(device.curve) for device in design.devices]
    has_any = (crossbar.area != 0).any(axis=1)
    return np.asarray(np.count_nonzero(has_any[:, bent], axis=1))


def _of_crossbar(design: Design, crossbar: Crossbar) -> Operations:
    devices, biases = crossbar.device_count, int(np.count_nonzero(crossbar.bias_a))
    return _counted(
        multiply_adds=devices,
        adds=biases,
        functions=int(_curved(design, crossbar).sum()),
        parameters=devices + biases,
        moves=crossbar.rows + crossbar.width,
    )


def _of_tiles(design: Design, tiles: Tiles) -> Operations:
    """Positions share their parameters, and each value is read once, however many positions see it."""
    first, sees = tiles.crossbars[0], tiles.seen >= 0
    devices, biases = np.count_nonzero(first.area, axis=(1, 2)), int(np.count_nonzero(first.bias_a))
    return _counted(
        multiply_adds=int((sees * devices).sum()),
        adds=biases * tiles.positions,
        functions=int((sees * _curved(design, first)).sum()),
        parameters=int(devices.sum()) + biases,
        moves=np.unique(tiles.seen[sees]).size + tiles.width,
    )


def _of_filters(bank: FilterBank) -> Operations:
    """With f the row's frequency, f^2 once, a filter adds g f a / sqrt((1 + a^2 f^2) (1 + b^2 f^2))."""
    normed = bank.width * bool(np.any(bank.scale != 1) or np.any(bank.bias_v))
    return _counted(
        multiply_adds=3 * bank.device_count + normed,
        multiplies=2 * bank.device_count + bank.rows,
        functions=bank.device_count + bank.rows,
        parameters=3 * bank.device_count + 2 * normed,
        moves=bank.rows + bank.width,
    )


def _of_synapses(bank: SynapseBank) -> Operations:
    """A synapse adds g omega(a v + b), omega being Wright's function; band-passes add a multiple of v besides."""
    exists = bank.gain != 0
    divided = int(np.any(exists & (bank.kind == BAND_PASS), axis=2).sum())
    biases = int(np.count_nonzero(bank.bias_v))
    return _counted(
        multiply_adds=2 * bank.device_count + divided,
        adds=biases,
        functions=bank.device_count,
        parameters=3 * bank.device_count + divided + biases,
        moves=bank.rows + bank.width,
    )


def _of_period(period: OdePeriod, evaluations: float) -> Operations:
    """A branch's current changes the voltage of either node that it ends at; parameters are read every time,
    also those that branches share, and kept once."""
    law, branches = LAWS[period.law], period.branches
    multiplies, adds = _OF_DRIVES[type(law.drive)]
    below, functions = law.activation.below, 0
    if law.activation is not IDENTITY and below is None:
        functions = 1
    elif law.activation is not IDENTITY:  # which of two slopes, the one above zero being 1
        multiplies, adds = multiplies + (below != 0), adds + 1
    ends = int(np.count_nonzero(period.source) + np.count_nonzero(period.destination))
    return _counted(
        multiply_adds=evaluations / _STEP_EVALUATIONS * _STEP_SUMS * period.nodes,
        multiplies=evaluations * branches * multiplies,
        adds=evaluations * (branches * adds + ends),
        functions=evaluations * branches * functions,
        parameters=law.rows * np.unique(period.theta, axis=1).shape[1],
        reads=evaluations * law.rows * branches,
        moves=evaluations * 2 * period.nodes,
    )
