"""The SPICE models that a sheet's parts refer to: one file, which KiCad's simulator and ngspice both read."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from kanspice.circuit import Crossbar, Design
from kanspice.engine.netlist.named import named_cells

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
class PoleModel:
    """Of an amplifier with nothing but a gain-bandwidth product; infinite: as good as ideal."""

    gbw_hz: float

    @property
    def parameters(self) -> Mapping[str, float]:
        """What an instance says of itself."""
        return {"gbw": self.gbw_hz} if math.isfinite(self.gbw_hz) else {"gain": _AS_GOOD_AS_INFINITE}


AmplifierModel = OpAmpModel | PoleModel


def crossbar_library(design: Design, crossbar: Crossbar) -> str:
    """The subcircuits of a crossbar's device types, and of its op-amp."""
    curves = [device.curve.stretched(design.input_v_per_unit) for device in design.devices]
    cells = named_cells(design.devices, curves, crossbar, shifts=bool(crossbar.shift_v.any()))
    return "\n".join([*(cell.definition for cell in cells), _op_amp(crossbar)])


def pole_library(*, has_pole: bool) -> str:
    """The op-amp of filters."""
    if has_pole:
        about, parameters = "gain-bandwidth product in hertz", "gbw=1e6"
        lines = ["Gin 0 inner plus minus 1", "Cinner inner 0 {0.15915494309189535/gbw}", "Eout out 0 inner 0 1"]
    else:
        about, parameters, lines = "voltage gain", "gain=1e12", ["Eout out 0 plus minus {gain}"]
    head = ["* An op-amp. Its supplies are pins that carry nothing.", f"*   {parameters.partition('=')[0]}  {about}"]
    head.append(f".subckt {OP_AMP} plus minus vcc vee out params: {parameters}")
    return "\n".join([*head, *lines, f".ends {OP_AMP}", ""])


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
