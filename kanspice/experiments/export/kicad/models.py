"""The SPICE models that a sheet's parts refer to: one file, which KiCad's simulator and ngspice both read."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from kanspice.circuit import Crossbar, Design
from kanspice.engine.netlist.named import device_names, named_cells

MODELS_FILE, OP_AMP = "models.lib", "kanspice_opamp"
_AS_GOOD_AS_INFINITE = 1e12
"""Of an open-loop gain: the column is then held to some picovolts."""


@dataclass(frozen=True)
class OpAmpModel:
    """Of an amplifier at rest; its supplies carry nothing."""

    gain: float
    offset_v: float
    output_ohm: float
    swing_v: float

    @property
    def parameters(self) -> Mapping[str, float]:
        """What an instance says of itself."""
        found = {"gain": min(self.gain, _AS_GOOD_AS_INFINITE)}
        found |= {"offset": self.offset_v} if self.offset_v else {}
        found |= {"rout": self.output_ohm} if self.output_ohm > 0 else {}
        limited = math.isfinite(self.swing_v) and math.isfinite(self.gain)
        return found | ({"swing": self.swing_v} if limited else {})


@dataclass(frozen=True)
class ModelLibrary:
    """names: of every device type's subcircuit. text: the subcircuits of a crossbar's device types, and its op-amp."""

    names: tuple[str, ...]
    op_amp: str
    text: str

    @classmethod
    def of(cls, design: Design, crossbar: Crossbar) -> ModelLibrary:
        names = device_names(design.devices)
        curves = [device.curve.stretched(design.input_v_per_unit) for device in design.devices]
        shifts = bool(crossbar.shift_v.any())
        devices = [cell.definition for cell in named_cells(design.devices, curves, crossbar, shifts=shifts)]
        return cls(tuple(names), OP_AMP, "\n".join([*devices, _op_amp(crossbar)]))


def _op_amp(crossbar: Crossbar) -> str:
    """The op-amp of a crossbar: gain and offset, and where it has them an output resistance and a swing."""
    resistive = crossbar.output_ohm > 0 and not crossbar.holds_columns
    drive = "Eopamp inside 0 p minus {gain}"
    parameters = "gain=1e12 offset=0"
    if math.isfinite(crossbar.swing_v) and not crossbar.holds_columns:
        drive = "Bopamp inside 0 v=min(max({gain}*(v(p)-v(minus)),{-swing}),{swing})"
        parameters += " swing=1e30"
    end = "Vsense inside out 0"
    if resistive:
        end = "Vsense inside y 0\nHout y out Vsense {rout}"
        parameters += " rout=0"
    return "\n".join(
        [
            "* An op-amp at rest. Its supplies are pins that carry nothing.",
            "*   gain    open-loop voltage gain",
            "*   offset  input-referred offset voltage",
            *(["*   swing   largest output, either sign"] if "swing" in parameters else []),
            *(["*   rout    output resistance in ohms"] if resistive else []),
            f".subckt {OP_AMP} plus minus vcc vee out params: {parameters}",
            "Voffset p plus {offset}",
            drive,
            end,
            f".ends {OP_AMP}",
            "",
        ]
    )
