"""Parts of a column: what each is called, shown as, simulated as and bought as."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import assert_never

import numpy as np

from kanspice.base.spice_numbers import spice_number
from kanspice.experiments.export.kicad.models import AmplifierModel
from kanspice.technology.standard_values import nearest

_PREFIXES = ((1e9, "G"), (1e6, "M"), (1e3, "k"), (1.0, ""), (1e-3, "m"), (1e-6, "u"), (1e-9, "n"), (1e-12, "p"))


@dataclass(frozen=True)
class Resistor:
    ohm: float


@dataclass(frozen=True)
class Wire:
    """Segments of a wire, which have a resistance and are no part."""

    ohm: float


@dataclass(frozen=True)
class Capacitor:
    farads: float


@dataclass(frozen=True)
class VoltageSource:
    volts: float


@dataclass(frozen=True)
class SineSource:
    """Of an amplitude."""

    volts: float
    hz: float


@dataclass(frozen=True)
class CurrentSource:
    """amps: from the first net through the source to the second. ohm, rail: of the resistor that is built instead."""

    amps: float
    ohm: float
    rail: str


@dataclass(frozen=True)
class CurveDevice:
    """A device with a curve of its own: `amps` times the curve, moved by `shift_v`; `area` reference devices."""

    subcircuit: str
    area: float
    amps: float
    shift_v: float


@dataclass(frozen=True)
class BranchModel:
    """A branch of a KirchhoffNet, which carries its law from its first net to its second.

    leaves: whether its first net is the node that the sheet is of. values: of its subcircuit's parameters.
    """

    subcircuit: str
    leaves: bool
    values: tuple[tuple[str, float], ...]


@dataclass(frozen=True)
class OpAmp:
    """Nets are those of its inputs, + and -, of its supplies, and of its output."""

    subcircuit: str
    model: AmplifierModel


Model = Resistor | Wire | Capacitor | VoltageSource | SineSource | CurrentSource | CurveDevice | BranchModel | OpAmp


@dataclass(frozen=True)
class Component:
    """A part between nets. reference: as on the sheet, `R1`; its letter is SPICE's, but for an op-amp's U."""

    reference: str
    nets: tuple[str, ...]
    model: Model

    @property
    def spice_line(self) -> str:
        """The element."""
        letter = "X" if isinstance(self.model, OpAmp) else ""
        values = " ".join(f"{key}={value}" for key, value in parameters(self.model).items())
        nodes = " ".join("0" if net == "GND" else net for net in self.nets)
        match self.model:
            case SineSource():
                text = parameters(self.model)
                return f"{self.reference} {nodes} dc 0 ac {text['ac']} sin(0 {text['ampl']} {text['f']})"
            case Resistor() | Wire() | Capacitor() | VoltageSource() | CurrentSource():
                return f"{self.reference} {nodes} {next(iter(parameters(self.model).values()))}"
            case CurveDevice() | BranchModel() | OpAmp():
                return f"{letter}{self.reference} {nodes} {self.model.subcircuit} {values}"
            case _:
                assert_never(self.model)


def parameters(model: Model) -> Mapping[str, str]:
    """SPICE's parameters, in braces: KiCad rounds bare numbers to six digits if they are negative or have a power."""
    match model:
        case Resistor() | Wire():
            values = {"r": model.ohm}
        case Capacitor():
            values = {"c": model.farads}
        case VoltageSource():
            values = {"dc": model.volts}
        case SineSource():
            values = {"dc": 0.0, "ampl": model.volts, "f": model.hz, "ac": model.volts}
        case CurrentSource():
            values = {"dc": model.amps}
        case CurveDevice():
            values = {"amps": model.amps} | ({"shift": model.shift_v} if model.shift_v else {})
        case BranchModel():
            values = dict(model.values)
        case OpAmp():
            values = dict(model.model.parameters)
        case _:
            assert_never(model)
    return {key: f"{{{spice_number(value)}}}" for key, value in values.items()}


def simulation_fields(model: Model, library: str) -> Mapping[str, str]:
    """KiCad's fields for its simulator. library: the file of subcircuits."""
    text = " ".join(f"{key}={value}" for key, value in parameters(model).items())
    match model:
        case Resistor() | Wire():
            fields = {"Sim.Device": "R", "Sim.Pins": "1=+ 2=-"}
        case Capacitor():
            fields = {"Sim.Device": "C", "Sim.Pins": "1=+ 2=-"}
        case VoltageSource():
            fields = {"Sim.Device": "V", "Sim.Type": "DC", "Sim.Pins": "1=+ 2=-"}
        case SineSource():
            fields = {"Sim.Device": "V", "Sim.Type": "SIN", "Sim.Pins": "1=+ 2=-"}
        case CurrentSource():
            fields = {"Sim.Device": "I", "Sim.Type": "DC", "Sim.Pins": "1=+ 2=-"}
        case CurveDevice():
            fields = {"Sim.Device": "SUBCKT", "Sim.Library": library, "Sim.Name": model.subcircuit}
            fields |= {"Sim.Pins": "1=a 2=k"}
        case BranchModel():
            fields = {"Sim.Device": "SUBCKT", "Sim.Library": library, "Sim.Name": model.subcircuit}
            fields |= {"Sim.Pins": "1=s 2=d"}
        case OpAmp():
            fields = {"Sim.Device": "SUBCKT", "Sim.Library": library, "Sim.Name": model.subcircuit}
            fields |= {"Sim.Pins": "1=plus 2=minus 3=vcc 4=vee 5=out"}
        case _:
            assert_never(model)
    return fields | {"Sim.Params": text}


def shown(model: Model) -> str:
    """What a sheet says: of a resistor the nearest value of E96, of a capacitor that of E24, as a board has them."""
    match model:
        case Resistor():
            return engineering(float(nearest(np.array(model.ohm), "E96")))
        case Wire():
            return engineering(model.ohm)
        case Capacitor():
            return engineering(float(nearest(np.array(model.farads), "E24")))
        case VoltageSource():
            return f"{engineering(model.volts, digits=3)}V"
        case SineSource():
            return f"{engineering(model.volts)}V {engineering(model.hz)}Hz"
        case CurrentSource():
            return f"{engineering(model.amps)}A"
        case CurveDevice():
            return f"{model.subcircuit} x{model.area:.4g}"
        case BranchModel():
            return f"{engineering(dict(model.values)['amps'])}A"
        case OpAmp():
            return "op-amp"
        case _:
            assert_never(model)


def engineering(value: float, *, digits: int = 4) -> str:
    """`4990.0` -> `4.99k`."""
    if value == 0:
        return "0"
    factor, prefix = next(
        (each for each in _PREFIXES if abs(value) >= each[0] * (1 - 0.5 * 10.0**-digits)), _PREFIXES[-1]
    )
    return f"{value / factor:.{digits}g}{prefix}"
