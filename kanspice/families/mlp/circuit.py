"""Multilayer perceptron -> Design, layer after layer.

A linear layer is a crossbar of resistors in differential pairs, into which a BatchNorm beside it is fused. A device as
activation stands alone: the node's voltage, limited to the device's range, drives it, an amplifier turns its current
into the next layer's voltage, and a reference current shifts it. Resistors and ReLUs take any scale of voltage, so
that outputs before them shrink to what amplifiers can give; devices need true volts.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import assert_never

import numpy as np

from kanspice.circuit import Design, InputStage, Stage
from kanspice.circuit.compile import Sizing
from kanspice.circuit.compile.crossbars import (
    AnyRows,
    CrossbarDraft,
    Drive,
    SampleRows,
    built,
    check_amplifiers,
    check_resistor_rows,
    of_one_type,
    row_siemens,
    with_feedback,
    with_feedback_capacitor,
    with_output_scale,
)
from kanspice.circuit.compile.effects import Foreign, fitting
from kanspice.circuit.compile.inputs import drivers, input_stage, layer_norm_stage
from kanspice.circuit.compile.rails import fitted_basis, with_fitting_amps, with_fitting_volts
from kanspice.circuit.stages.limiter import LimiterKind
from kanspice.devices import Device
from kanspice.families.mlp.arrays import DeviceArrays, LayerNormArrays, LimiterArrays, LinearArrays, Step, steps
from kanspice.families.mlp.network import MLP
from kanspice.technology import Technology

_SECTIONS = ("tia", "devices", "ageing", "wires", "clippers", "pairs", "references", "parts", "supply", "process")
_SAMPLED_POINTS = 4001
"""At so many voltages of its clamp a device's current is looked at."""


def technology_for_mlp(model: MLP, technology: Technology) -> Technology:
    """What of a general technology the network's circuit can have, with rails that its devices need.

    Where nobody has set `tia.rail_v`, amplifiers can give what the inputs of devices are limited to. Raises InputError
    for a technology that is not general and has more.
    """
    foreign = list[Foreign]()
    found = steps(model)
    has_levels = any(isinstance(step, DeviceArrays) for step in found)
    if not has_levels:
        expected = "an activation whose input is limited to a range: this network has none"
        foreign.append(Foreign("references", expected, but=["current_sigma"]))
    if not has_levels and not any(isinstance(step, LimiterArrays) and step.kind == "relu" for step in found):
        foreign.append(Foreign("clippers", "a ReLU, or a device as activation: this network has neither"))
    if not any(isinstance(step, LimiterArrays) and step.kind in ("sigmoid", "tanh") for step in found):
        foreign.append(Foreign("pairs", "a sigmoid or tanh as activation: this network has neither"))
    return _with_rails(found, fitting(technology, "a multilayer perceptron", _SECTIONS, foreign))


def _with_rails(found: Sequence[Step], technology: Technology) -> Technology:
    if "rail_v" in technology.tia.model_fields_set:
        return technology
    rail_v = max(technology.tia.rail_v, _needed_rail_v(found, technology))
    return technology.model_copy(update={"tia": technology.tia.model_copy(update={"rail_v": rail_v})})


def _needed_rail_v(found: Sequence[Step], technology: Technology) -> float:
    """For what devices get at most; 0 without any."""
    limits = [max(abs(step.low), abs(step.high)) for step in found if isinstance(step, DeviceArrays)]
    return max(limits, default=0.0) * technology.units.v_unit_v / technology.tia.headroom


def compile_mlp(model: MLP, technology: Technology, sizing: Sizing | None = None) -> Design:
    """The nominal circuit of a trained multilayer perceptron.

    sizing: samples from which amplifier swings are measured; without them the worst case over all inputs within the
    rails is assumed. Raises InputError for imperfections that the circuit cannot have, a BatchNorm beside no linear
    layer, and inputs that no resistor is meant for.
    """
    asked = technology_for_mlp(model, technology)
    technology = _with_fitting_units(model, asked, sizing)
    check_amplifiers(technology.tia)
    building, found = _built(model, technology, sizing), steps(model)
    basis = "worst case over all inputs" if sizing is None else f"{len(sizing.inputs)} sample inputs"
    if technology.tia.rail_v == _needed_rail_v(found, technology):
        basis = f"{basis}; rails of {technology.tia.rail_v:.4g} V, which the devices of activations need"
    return Design(
        family="mlp",
        technology_json=technology.to_json(),
        devices=_as_built(model.curves, technology),
        input_width=model.input_width,
        input_v_per_unit=technology.units.v_unit_v,
        swing_basis=f"{basis}{fitted_basis(asked, technology)}",
        stages=tuple(building.stages),
    )


def _built(model: MLP, technology: Technology, sizing: Sizing | None) -> _Building:
    """All layers, one behind the other."""
    building, found = _Building(model, technology, sizing), steps(model)
    for place, step in enumerate(found):
        building.add(step, takes_any_scale=_take_any_scale(found[place + 1 :]))
    return building


def _with_fitting_units(model: MLP, technology: Technology, sizing: Sizing | None) -> Technology:
    """Inputs, and whatever drives rows later, within what amplifiers follow; rows and columns with what they give."""
    tia = technology.tia
    if math.isinf(tia.common_v):
        return technology
    headroom = min(tia.headroom, tia.common_v / tia.rail_v)
    technology = technology.model_copy(update={"tia": tia.model_copy(update={"headroom": headroom})})
    inputs = [] if sizing is None else [float(np.abs(sizing.inputs).max(initial=0.0))]
    levels = [max(abs(step.low), abs(step.high)) for step in steps(model) if isinstance(step, DeviceArrays)]
    technology = with_fitting_volts(technology, max([*inputs, *levels], default=0.0))
    return with_fitting_amps(technology, _built(model, technology, sizing).drafts, model.curves)


def _as_built(devices: Sequence[Device], technology: Technology) -> tuple[Device, ...]:
    """The devices as they are built, the resistor first; they are sized by the curves that the network knows."""
    if technology.devices.curve == "trained":
        return tuple(devices)
    return (devices[0], *(device.measured() for device in devices[1:]))


def _take_any_scale(following: Sequence[Step]) -> bool:
    """Whether what follows computes the same from voltages of another scale, as resistors and the read-out do."""
    for step in following:
        match step:
            case LinearArrays() | LayerNormArrays():
                return True
            case DeviceArrays():
                return False
            case LimiterArrays():
                if step.kind != "relu":
                    return True
            case _:
                assert_never(step)
    return True


@dataclass
class _Building:
    """A circuit as far as it is built.

    signal: the network's result that the last stage's outputs are. volts: of them per model unit. low, high: what they
    can have at most, in model units, were there no samples. is_driven: whether they can drive the rows of a crossbar.
    """

    model: MLP
    technology: Technology
    sizing: Sizing | None
    stages: list[Stage] = field(default_factory=list)
    drafts: list[tuple[CrossbarDraft, Drive]] = field(default_factory=list)
    signal: str = "l1.input"
    is_driven: bool = False
    volts: float = field(init=False)
    low: float = field(init=False)
    high: float = field(init=False)

    def __post_init__(self) -> None:
        self.volts = self.technology.units.v_unit_v
        self._within_rails()

    def add(self, step: Step, *, takes_any_scale: bool) -> None:
        """Another layer. takes_any_scale: what follows it does."""
        match step:
            case LinearArrays():
                self._add_linear(step, takes_any_scale=takes_any_scale)
            case DeviceArrays():
                self._add_device(step, takes_any_scale=takes_any_scale)
            case LayerNormArrays():
                self._add_norm(step)
            case LimiterArrays():
                self._add_limiter(step)
            case _:
                assert_never(step)

    def _add_linear(self, step: LinearArrays, *, takes_any_scale: bool) -> None:
        if not self.is_driven:
            self._limit(step.place, step.weight.shape[1], "none", self.volts, compares_to=self.signal)
        scale = self.volts / self.technology.units.v_unit_v
        area = of_one_type(step.weight.T, 0, len(self.model.curves))
        name = f"l{step.place}.crossbar"
        draft = CrossbarDraft(
            name, step.name, area, step.bias * scale, self.technology.units.i_unit_a, current_per_unit=scale
        )
        self._build(draft, self._linear_drive(step, scale), takes_any_scale=takes_any_scale)
        self._within_rails()

    def _linear_drive(self, step: LinearArrays, scale: float) -> Drive:
        if self.sizing is None:
            ends = self.model.curves[0].curve.currents(np.stack([self.low, self.high]) * scale)
            currents = np.stack([ends, *(np.zeros(2) for _ in self.model.curves[1:])], axis=1)
            return AnyRows(self.low * scale, self.high * scale, currents)
        rows = self.sizing.answered[self.signal] * scale
        check_resistor_rows(self.model.curves[0], step.place, rows)
        return SampleRows(rows)

    def _add_device(self, step: DeviceArrays, *, takes_any_scale: bool) -> None:
        unit_v, names = self.technology.units.v_unit_v, [device.sha256 for device in self.model.curves]
        width = self._width
        levels_v = step.low * unit_v, step.high * unit_v
        limited = self._limit(step.place, width, "clip", unit_v, levels_v=levels_v)
        area, sign = np.zeros((width, width, len(names))), float(np.sign(step.scale))
        area[:, :, names.index(step.device.sha256)] = sign * np.eye(width)
        name = f"l{step.place}.crossbar"
        shift = np.full(width, sign * step.shift)
        draft = CrossbarDraft(
            name,
            name,
            area,
            shift,
            self.technology.units.i_unit_a,
            current_per_unit=abs(step.scale),
            has_wires=False,
        )
        currents = step.device.curve.numpy(np.linspace(step.low, step.high, _SAMPLED_POINTS))[0]
        drive: Drive
        if self.sizing is None:
            ends = np.zeros((2, len(names)))
            ends[:, names.index(step.device.sha256)] = currents.min(), currents.max()
            drive = AnyRows(step.low, step.high, ends)
        else:
            drive = SampleRows(self.sizing.answered[limited])
        self._build(draft, drive, takes_any_scale=takes_any_scale)
        given = (np.array([currents.min(), currents.max()]) + step.shift) / step.scale
        self.low, self.high = float(given.min()), float(given.max())

    def _add_norm(self, step: LayerNormArrays) -> None:
        unit_v = self.technology.units.v_unit_v
        norm = layer_norm_stage(
            step.place, step.gain, step.offset, step.eps, input_v_per_unit=self.volts, unit_v=unit_v
        )
        self.stages.append(norm)
        self.signal, self.volts, self.is_driven = norm.compares_to, unit_v, False
        self._within_rails()

    def _add_limiter(self, step: LimiterArrays) -> None:
        unit_v = self.technology.units.v_unit_v
        match step.kind:
            case "relu":
                self._limit(step.place, self._width, "clip", self.volts, levels_v=(0.0, np.inf))
                self.low, self.high = max(self.low, 0.0), max(self.high, 0.0)
            case "sigmoid":
                self._limit(step.place, self._width, "sigmoid", unit_v)
                self.low, self.high = 0.0, 1.0
            case "tanh":
                self._limit(step.place, self._width, "tanh", unit_v)
                self.low, self.high = -1.0, 1.0
            case _:
                assert_never(step.kind)

    def _limit(
        self,
        place: int,
        width: int,
        kind: LimiterKind,
        unit_v: float,
        *,
        levels_v: tuple[float, float] = (-np.inf, np.inf),
        compares_to: str | None = None,
    ) -> str:
        """An input stage, which drives rows; the network's result that it is compared with."""
        stage = input_stage(
            place,
            self.technology,
            np.zeros(width),
            levels_v,
            kind=kind,
            input_v_per_unit=self.volts,
            unit_v=unit_v,
        )
        self.signal = compares_to or stage.name
        self.stages.append(replace(stage, compares_to=self.signal))
        self.volts, self.is_driven = unit_v, True
        return self.signal

    def _build(self, draft: CrossbarDraft, drive: Drive, *, takes_any_scale: bool) -> None:
        """Chooses what is left to choose of a crossbar."""
        devices, technology = self.model.curves, self.technology
        self.drafts.append((draft, drive))
        before = self.stages[-1]
        if isinstance(before, InputStage):
            self.stages += drivers(before, technology, row_siemens(draft, devices, technology))
        draft = with_feedback(draft, drive, devices, technology)
        if takes_any_scale:
            draft = with_output_scale(draft, drive, devices, technology)
        stage = built(with_feedback_capacitor(draft, drive, devices, technology), technology)
        self.stages.append(stage)
        self.signal, self.volts, self.is_driven = stage.compares_to, stage.output_v_per_unit, False

    @property
    def _width(self) -> int:
        return self.stages[-1].width if self.stages else self.model.input_width

    def _within_rails(self) -> None:
        """Nothing is known of the outputs but that amplifiers give them."""
        rail = self.technology.tia.rail_v / self.volts
        self.low, self.high = -rail, rail
