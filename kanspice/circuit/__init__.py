"""The frozen intermediate representation: a circuit as stages of arrays in SI units."""

from kanspice.circuit.design import Design
from kanspice.circuit.file import load_design, save_design
from kanspice.circuit.parts import Converter, NodeLosses, Schematic, Switching
from kanspice.circuit.stages import (
    ChainStage,
    Connections,
    Crossbar,
    DigitalLayer,
    FilterBank,
    HeldSum,
    LayerNorm,
    Limiter,
    OdePeriod,
    PeriodStage,
    PointStage,
    ReadOut,
    Stage,
    SynapseBank,
    ToneStage,
)

__all__ = [
    "ChainStage",
    "Connections",
    "Converter",
    "Crossbar",
    "Design",
    "DigitalLayer",
    "FilterBank",
    "HeldSum",
    "LayerNorm",
    "Limiter",
    "NodeLosses",
    "OdePeriod",
    "PeriodStage",
    "PointStage",
    "ReadOut",
    "Schematic",
    "Stage",
    "Switching",
    "SynapseBank",
    "ToneStage",
    "load_design",
    "save_design",
]
