"""The specimen of a whole design, stage by stage."""

from __future__ import annotations

from dataclasses import replace
from typing import assert_never

from kanspice.base.draws import Draw
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
from kanspice.circuit.specimens.crossbar import crossbar_specimen, devices_of
from kanspice.circuit.specimens.differential_pairs import differential_pairs_specimen
from kanspice.circuit.specimens.drivers import drivers_specimen
from kanspice.circuit.specimens.filter_bank import filter_bank_specimen
from kanspice.circuit.specimens.limiter import limiter_specimen
from kanspice.circuit.specimens.ode_period import ode_period_specimen, with_kept_capacitors
from kanspice.circuit.specimens.rectifier import rectifier_specimen
from kanspice.circuit.specimens.synapse_bank import synapse_bank_specimen
from kanspice.circuit.specimens.tiles import average_specimen, tiles_specimen
from kanspice.technology import Technology


def draw_specimen(design: Design, technology: Technology, draw: Draw) -> Design:
    """The specimen of a nominal design that `draw` draws, and the noise that its inputs have.

    Raises InputError for imperfections that contradict each other, or what the devices are.
    """
    stages = with_kept_capacitors([_stage(stage, design, technology, draw) for stage in design.stages])
    return replace(
        design,
        stages=stages,
        devices=devices_of(design, technology),
        seed=draw.seed,
        specimen_sha256=draw.specimen_sha256,
    )


def _stage(  # noqa: PLR0911 - one for each kind
    stage: Stage, design: Design, technology: Technology, draw: Draw
) -> Stage:
    match stage:
        case Crossbar():
            return crossbar_specimen(stage, design, technology, draw)
        case Limiter():
            return limiter_specimen(stage, technology, draw)
        case Drivers():
            return drivers_specimen(stage, technology, draw)
        case Rectifier():
            return rectifier_specimen(stage, technology, draw)
        case DifferentialPairs():
            return differential_pairs_specimen(stage, technology, draw)
        case OdePeriod():
            return ode_period_specimen(stage, technology, draw)
        case FilterBank():
            return filter_bank_specimen(stage, technology, draw)
        case SynapseBank():
            return synapse_bank_specimen(stage, technology, draw)
        case Tiles():
            return tiles_specimen(stage, design, technology, draw)
        case Average():
            return average_specimen(stage, technology, draw)
        case LayerNorm() | HeldSum() | ReadOut() | DigitalLayer():
            return stage
        case _:
            assert_never(stage)
