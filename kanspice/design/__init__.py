"""The frozen intermediate representation: a circuit as stages of arrays in SI units."""

from kanspice.design.connections import FilterBank, SynapseBank
from kanspice.design.file import load_design, save_design
from kanspice.design.stages import (
    Converter,
    Crossbar,
    Design,
    DigitalLayer,
    HeldSum,
    LayerNorm,
    Limiter,
    NodeLosses,
    OdePeriod,
    ReadOut,
    Schematic,
    Stage,
    Switching,
)

__all__ = [
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
    "save_design",
]
