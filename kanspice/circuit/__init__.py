"""The frozen intermediate representation: a circuit as stages of arrays in SI units."""

from kanspice.circuit.design import Design
from kanspice.circuit.file import load_design, save_design
from kanspice.circuit.parts import Converter, NodeLosses, Schematic, Switching
from kanspice.circuit.sorts import Sort
from kanspice.circuit.stages import (
    Average,
    ChainStage,
    Connections,
    Crossbar,
    DigitalLayer,
    FilterBank,
    HeldSum,
    LayerNorm,
    Limiter,
    NetlistStage,
    OdePeriod,
    PeriodStage,
    PointStage,
    ReadOut,
    Stage,
    SynapseBank,
    Tiles,
    ToneStage,
)

__all__ = [
    "Average",
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
    "NetlistStage",
    "NodeLosses",
    "OdePeriod",
    "PeriodStage",
    "PointStage",
    "ReadOut",
    "Schematic",
    "Sort",
    "Stage",
    "Switching",
    "SynapseBank",
    "Tiles",
    "ToneStage",
    "load_design",
    "save_design",
]
