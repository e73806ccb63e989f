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
    DifferentialPairs,
    DigitalLayer,
    FilterBank,
    HeldSum,
    InputStage,
    LayerNorm,
    Limiter,
    NetlistStage,
    OdePeriod,
    PeriodStage,
    PointStage,
    ReadOut,
    Rectifier,
    Stage,
    SynapseBank,
    Tiles,
    ToneStage,
)
from kanspice.circuit.transistor_branches import TransistorBranches

__all__ = [
    "Average",
    "ChainStage",
    "Connections",
    "Converter",
    "Crossbar",
    "Design",
    "DifferentialPairs",
    "DigitalLayer",
    "FilterBank",
    "HeldSum",
    "InputStage",
    "LayerNorm",
    "Limiter",
    "NetlistStage",
    "NodeLosses",
    "OdePeriod",
    "PeriodStage",
    "PointStage",
    "ReadOut",
    "Rectifier",
    "Schematic",
    "Sort",
    "Stage",
    "Switching",
    "SynapseBank",
    "Tiles",
    "ToneStage",
    "TransistorBranches",
    "load_design",
    "save_design",
]
