"""The SPICE models that a sheet's parts refer to: one file, which KiCad's simulator and ngspice both read."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kanspice.circuit import Crossbar, Design
from kanspice.engine.netlist.named import named_cells

MODELS_FILE = "models.lib"
OP_AMP = "opamp_"
"""No device's subcircuit is called so: their names do not end so."""
_INFINITE = ("* Its gain is infinite: the second source says that the first gives nothing.", "Eout out inside out 0 1")
"""A gain of 1e12 would amplify what rounding leaves of its inputs' difference."""


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
        found = {"gain": self.gain} if math.isfinite(self.gain) else {}
        found |= {"offset": self.offset_v} if self.offset_v else {}
        found |= {"rout": self.output_ohm} if self.output_ohm > 0 else {}
        limited = math.isfinite(self.swing_v) and math.isfinite(self.gain)
        return found | ({"swing": self.swing_v} if limited else {})


@dataclass(frozen=True)
class PoleModel:
    """Of an amplifier with nothing but a gain-bandwidth product; infinite: ideal."""

    gbw_hz: float

    @property
    def parameters(self) -> Mapping[str, float]:
        """What an instance says of itself."""
        return {"gbw": self.gbw_hz} if math.isfinite(self.gbw_hz) else {}


AmplifierModel = OpAmpModel | PoleModel


def crossbar_library(design: Design, crossbar: Crossbar) -> str:
    """The subcircuits of a crossbar's device types, and of its op-amp."""
    curves = [device.curve.stretched(design.input_v_per_unit) for device in design.devices]
    cells = named_cells(design.devices, curves, crossbar, shifts=bool(crossbar.shift_v.any()))
    return "\n".join([*(cell.definition for cell in cells), _op_amp(crossbar)])


def pole_library(*, has_pole: bool) -> str:
    """The op-amp of filters, and of benches."""
    if not has_pole:
        return _op_amp_text("", [], ["Einside inside 0 plus minus 1", *_INFINITE])
    lines = ["Gin 0 inner plus minus 1", "Cinner inner 0 {0.15915494309189535/gbw}", "Eout out 0 inner 0 1"]
    return _op_amp_text("gbw=1e6", ["gbw  gain-bandwidth product in hertz"], lines)


def _op_amp(crossbar: Crossbar) -> str:
    """The op-amp of a crossbar: gain and offset, and where it has them an output resistance and a swing."""
    offset = "Voffset p plus {offset}"
    if crossbar.holds_columns:
        lines = [offset, "Einside inside 0 p minus 1", *_INFINITE]
        return _op_amp_text("offset=0", ["offset  input-referred offset voltage"], lines)
    drive, end = "Eopamp inside 0 p minus {gain}", ["Vsense inside out 0"]
    parameters = "gain=1e6 offset=0"
    meanings = ["gain    open-loop voltage gain", "offset  input-referred offset voltage"]
    if math.isfinite(crossbar.swing_v):
        drive = "Bopamp inside 0 v=min(max({gain}*(v(p)-v(minus)),{-swing}),{swing})"
        parameters += " swing=1e30"
        meanings.append("swing   largest output, either sign")
    if crossbar.output_ohm > 0:
        end = ["Vsense inside y 0", "Hout y out Vsense {rout}"]
        parameters += " rout=0"
        meanings.append("rout    output resistance in ohms")
    return _op_amp_text(parameters, meanings, [offset, drive, *end])


def _op_amp_text(parameters: str, meanings: Sequence[str], lines: Sequence[str]) -> str:
    head = ["* An op-amp. Its supplies are pins that carry nothing.", *(f"*   {text}" for text in meanings)]
    ports = f".subckt {OP_AMP} plus minus vcc vee out{' params: ' if parameters else ''}{parameters}"
    return "\n".join([*head, ports, *lines, f".ends {OP_AMP}", ""])
