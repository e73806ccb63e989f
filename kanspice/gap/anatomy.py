"""What a circuit is made of, stage by stage: as much as a drawing of its blocks needs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, assert_never

from kanspice.base.quantities import si
from kanspice.circuit import (
    Average,
    Crossbar,
    Design,
    DifferentialPairs,
    DigitalLayer,
    Drivers,
    FilterBank,
    HeldSum,
    LayerNorm,
    Limiter,
    OdePeriod,
    ReadOut,
    Rectifier,
    Stage,
    SynapseBank,
    Tiles,
)

Symbol = Literal[
    "limiter", "driver", "crossbar", "norm", "filter", "synapse", "average", "tiles", "period", "sum", "digital"
]
"""What stands for a kind of stage in a drawing."""


@dataclass(frozen=True)
class StageShape:
    """One stage.

    name: as everywhere else. symbol: what is drawn. made_of: in a few words. inputs, outputs: how many voltages.
    adds: the stage whose voltages, held since, it adds; "" for all but such sums.
    """

    name: str
    symbol: Symbol
    made_of: str
    inputs: int
    outputs: int
    adds: str = ""


def anatomy(design: Design) -> tuple[StageShape, ...]:
    """Every stage of a circuit, in signal order."""
    return tuple(_shapes(design))


def _shapes(design: Design) -> Iterator[StageShape]:
    inputs = design.input_width
    for stage in design.stages:
        symbol, made_of = _told(stage)
        adds = stage.held if isinstance(stage, HeldSum) else ""
        yield StageShape(stage.name, symbol, made_of, inputs, stage.width, adds)
        inputs = stage.width


def _told(stage: Stage) -> tuple[Symbol, str]:  # noqa: PLR0911, PLR0912 - one for each kind
    match stage:
        case Limiter():
            said = "followers" if stage.kind == "none" else f"{stage.width} limiters ({stage.kind})"
            return "limiter", said
        case Rectifier():
            return "limiter", f"{stage.width} rectifiers"
        case DifferentialPairs():
            return "limiter", f"{stage.width} differential pairs ({stage.shape})"
        case Drivers():
            return "driver", f"{stage.width} row drivers"
        case Crossbar():
            return "crossbar", _crossbar(stage)
        case LayerNorm():
            return "norm", "LayerNorm, its formula"
        case FilterBank():
            return "filter", _connections(stage, "filters")
        case SynapseBank():
            return "synapse", _connections(stage, "synapses")
        case Average():
            return "average", f"averages of {stage.ohm.shape[0]:,} positions"
        case Tiles():
            each = f"{_crossbar(stage.crossbars[0])}"
            used = "one for" if stage.is_reused else "one at each of"
            return "tiles", f"{each}, {used} {stage.positions:,} positions"
        case OdePeriod():
            lasts = si(stage.period_s, "s")
            branches = f"{stage.branches:,} branch{'es' * (stage.branches != 1)}"
            return "period", f"{stage.nodes:,} node{'s' * (stage.nodes != 1)}, {branches}, {lasts}"
        case HeldSum():
            return "sum", f"adds what {stage.held} ended with"
        case ReadOut():
            return "driver", f"{stage.width:,} node{'s' * (stage.width != 1)} read out"
        case DigitalLayer():
            return "digital", f"a digital layer, {stage.weight.shape[0]} to {stage.width}"
        case _:
            assert_never(stage)


def _crossbar(crossbar: Crossbar) -> str:
    return f"{crossbar.rows} rows x {crossbar.width} pairs of columns, {crossbar.device_count:,} devices"


def _connections(bank: FilterBank | SynapseBank, parts: str) -> str:
    return f"{bank.rows} x {bank.width} connections, {bank.device_count:,} {parts}"
