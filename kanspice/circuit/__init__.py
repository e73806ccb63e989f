"""The frozen intermediate representation: a circuit as stages of arrays in SI units."""

from kanspice.circuit.design import Design
from kanspice.circuit.file import load_design, save_design
from kanspice.circuit.parts import Converter, NodeLosses, Schematic, Switching
from kanspice.circuit.stages import (
    Connections,
    Crossbar,
    DigitalLayer,
    FilterBank,
    HeldSum,
    LayerNorm,
    Limiter,
    OdePeriod,
    ReadOut,
    Stage,
    SynapseBank,
    not_among,
)

__all__ = [
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
    "ReadOut",
    "Schematic",
    "Stage",
    "Switching",
    "SynapseBank",
    "load_design",
    "not_among",
    "save_design",
]
