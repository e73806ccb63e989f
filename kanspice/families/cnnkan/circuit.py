"""CNN-KAN -> Design: small crossbars of resistors and of devices at every position, then an average and a crossbar.

A convolution is a crossbar over the pixels of its window, wherever the window is; beyond an image's edge its rows are
grounded. What it gives drives the devices of a pixel's KANalogue layer, into which BatchNorm is fused. Resistors take
any scale of voltage, so that outputs before them shrink to what amplifiers can give; devices need true volts.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from kanspice.base.arrays import Array, Indices
from kanspice.base.traced import asarray
from kanspice.circuit import Average, Crossbar, Design, Stage, Tiles
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
    with_feedback,
    with_feedback_capacitor,
    with_output_scale,
)
from kanspice.circuit.compile.current_unit import with_current_unit
from kanspice.circuit.compile.effects import Foreign, fitting
from kanspice.circuit.compile.inputs import input_stage
from kanspice.circuit.stages.crossbar import current_ranges
from kanspice.circuit.stages.tiles import GROUND
from kanspice.devices import Device
from kanspice.families.cnnkan.arrays import BlockArrays, block_arrays, head_arrays
from kanspice.families.cnnkan.network import CNNKAN, Window
from kanspice.technology import Technology

_SECTIONS = ("tia", "devices", "ageing", "wires", "convolution", "references", "parts", "supply")
_SAMPLES = 64
"""Images whose windows are looked at together."""


def technology_for_cnnkan(model: CNNKAN, technology: Technology) -> Technology:
    """What of a general technology the network's circuit can have, with the unit of current of the devices' cards.

    Raises InputError for a technology that is not general and has more.
    """
    foreign = Foreign("references", "inputs that are clipped: this network has none", but=["current_sigma"])
    return with_current_unit(fitting(technology, "a CNN-KAN", _SECTIONS, [foreign]), model.devices)


def compile_cnnkan(model: CNNKAN, technology: Technology, sizing: Sizing | None = None) -> Design:
    """The nominal circuit of a trained CNN-KAN.

    sizing: samples from which amplifier swings are measured; without them the worst case over all inputs within the
    rails is assumed. Raises InputError for imperfections that the circuit cannot have.
    """
    technology = technology_for_cnnkan(model, technology)
    check_amplifiers(technology.tia)
    building = _Building(model, technology, sizing)
    building.add_inputs()
    blocks = block_arrays(model)
    for number, block in enumerate(blocks):
        building.add_convolution(block)
        building.add_pixels(block, is_last=number == len(blocks) - 1)
    building.add_average(blocks[-1])
    building.add_head(*head_arrays(model))
    return Design(
        family="cnnkan",
        technology_json=technology.to_json(),
        devices=_as_built(model.curves, technology),
        input_width=model.input_width,
        input_v_per_unit=technology.units.v_unit_v,
        swing_basis="worst case over all inputs" if sizing is None else f"{len(sizing.inputs)} sample inputs",
        stages=tuple(building.stages),
    )


def _as_built(devices: Sequence[Device], technology: Technology) -> tuple[Device, ...]:
    """The devices as they are built, the resistor first; they are sized by the curves that the network knows."""
    if technology.devices.curve == "trained":
        return tuple(devices)
    return (devices[0], *(device.measured() for device in devices[1:]))


def seen_by(window: Window, channels: int, size: tuple[int, int], *, pixels_first: bool) -> Indices:
    """(positions, channels x kernel x kernel), the values of an image that a window sees, row by row; beyond its edge
    `GROUND`. pixels_first: values come pixel by pixel, of each its channels; otherwise channel by channel."""
    height, width = size
    down, across = (np.arange(length) * window.stride - window.padding for length in window.size_after(size))
    offsets = np.arange(window.kernel)
    y = down[:, None, None, None] + offsets[:, None]
    x = across[None, :, None, None] + offsets
    pixel = np.where((y >= 0) & (y < height) & (x >= 0) & (x < width), y * width + x, GROUND)
    pixel = pixel.reshape(len(down) * len(across), 1, -1)
    channel = np.arange(channels)[:, None]
    value = pixel * channels + channel if pixels_first else channel * height * width + pixel
    seen: Indices = np.where(pixel == GROUND, GROUND, value).reshape(len(pixel), -1)
    return seen


@dataclass(frozen=True)
class _SeenRows(Drive):
    """What positions see of samples' values (samples, width), in volts per unit of the devices' curves."""

    values: Array
    seen: Indices

    def column_currents(self, draft: CrossbarDraft, devices: Sequence[Device]) -> tuple[Array, Array]:
        draft, devices = _of_used_types(draft, devices)
        positive, negative = zip(*(rows.column_currents(draft, devices) for rows in self._blocks()), strict=True)
        return np.concatenate(positive), np.concatenate(negative)

    def row_currents(self, draft: CrossbarDraft, devices: Sequence[Device]) -> Array:
        draft, devices = _of_used_types(draft, devices)
        return asarray(np.max([rows.row_currents(draft, devices) for rows in self._blocks()], axis=0))

    def outputs(self, draft: CrossbarDraft, devices: Sequence[Device]) -> Array:
        draft, devices = _of_used_types(draft, devices)
        return np.concatenate([rows.outputs(draft, devices) for rows in self._blocks()])

    def least_slopes(self, draft: CrossbarDraft, devices: Sequence[Device]) -> Array:
        draft, devices = _of_used_types(draft, devices)
        least: Array = np.min([rows.least_slopes(draft, devices) for rows in self._blocks()], axis=0)
        return least

    def _blocks(self) -> Iterator[SampleRows]:
        grounded = np.concatenate([self.values, np.zeros((len(self.values), 1))], axis=1)
        for first in range(0, len(grounded), _SAMPLES):
            yield SampleRows(grounded[first : first + _SAMPLES, self.seen].reshape(-1, self.seen.shape[1]))


def _of_used_types(draft: CrossbarDraft, devices: Sequence[Device]) -> tuple[CrossbarDraft, Sequence[Device]]:
    """The same without the types of devices that it has none of: there are many windows to look at."""
    used = np.flatnonzero(draft.area.any(axis=(0, 1)))
    if not used.size:
        return draft, devices
    return replace(draft, area=draft.area[:, :, used]), [devices[place] for place in used.tolist()]


@dataclass
class _Building:
    """A circuit as far as it is built.

    signal: the network's result that the last stage's outputs are. volts: of them per model unit.
    """

    model: CNNKAN
    technology: Technology
    sizing: Sizing | None
    stages: list[Stage] = field(default_factory=list)
    signal: str = "l1.input"
    volts: float = field(init=False)
    layer: int = 0

    def __post_init__(self) -> None:
        self.volts = self.technology.units.v_unit_v

    def add_inputs(self) -> None:
        """Passed on as they are."""
        self.layer += 1
        self._pass_on(self.model.input_width)

    def add_convolution(self, block: BlockArrays) -> None:
        """Its outputs drive devices, which need true volts."""
        outputs, channels = block.weight.shape[:2]
        seen = seen_by(self.model.window, channels, block.size, pixels_first=self.layer > 1)
        scale = self.volts / self.technology.units.v_unit_v
        area = of_one_type(block.weight.reshape(outputs, -1).T, 0, len(self.model.curves))
        name = f"l{self.layer}.tiles"
        draft = self._draft(name, area, np.zeros(outputs), current_per_unit=scale)
        self._add_tiles(name, draft, self._resistors_drive(seen, scale), seen, takes_any_scale=False)

    def add_pixels(self, block: BlockArrays, *, is_last: bool) -> None:
        """A block's layer of devices with its norm. is_last: devices follow, which need true volts."""
        norm = block.norm
        gain = norm.gain / np.sqrt(norm.variance + norm.eps)
        bias = (block.bias - norm.mean) * gain + norm.offset
        seen = np.arange(math.prod(block.size_after) * len(bias)).reshape(-1, len(bias))
        draft = self._draft(f"l{self.layer}.norm", self._of_devices(block.coeffs * gain[None, :, None]), bias)
        drive = self._devices_drive(seen)
        self._add_tiles(f"l{self.layer}.tiles", draft, drive, seen, takes_any_scale=not is_last)

    def add_average(self, block: BlockArrays) -> None:
        """Of every channel over the last block's pixels."""
        name = f"l{self.layer}.average"
        shape = math.prod(block.size_after), block.weight.shape[0]
        ohm = self.technology.convolution.average_ohm * np.ones(shape)
        self.stages.append(Average(name, name, ohm, self.volts))
        self.signal = name

    def add_head(self, coeffs: Array, bias: Array) -> None:
        """The last layer of devices, behind drivers."""
        self._pass_on(len(coeffs))
        name = f"l{self.layer}.crossbar"
        draft = self._draft(name, self._of_devices(coeffs), bias)
        drive = self._devices_drive(np.arange(len(coeffs))[None, :])
        self.stages.append(self._built(draft, drive, takes_any_scale=True))

    def _pass_on(self, width: int) -> None:
        """The last outputs, by buffers."""
        buffers = input_stage(
            self.layer,
            self.technology,
            np.zeros(width),
            (-math.inf, math.inf),
            kind="none",
            input_v_per_unit=self.volts,
            unit_v=self.volts,
        )
        self.stages.append(replace(buffers, compares_to=self.signal))

    def _draft(self, compares_to: str, area: Array, bias: Array, current_per_unit: float = 1.0) -> CrossbarDraft:
        name = f"l{self.layer}.crossbar"
        return CrossbarDraft(
            name, compares_to, area, bias, self.technology.units.i_unit_a, current_per_unit=current_per_unit
        )

    def _of_devices(self, coeffs: Array) -> Array:
        """Areas (in, out, 1 + K): no resistors."""
        return np.concatenate([np.zeros((*coeffs.shape[:2], 1)), coeffs], axis=2)

    def _resistors_drive(self, seen: Indices, scale: float) -> Drive:
        """Of resistors that see the last outputs, times a scale, in units of voltage."""
        resistor = self.model.curves[0]
        if self.sizing is None:
            rail = self.technology.tia.rail_v / self.technology.units.v_unit_v
            currents = np.zeros((2, len(self.model.curves)))
            currents[:, 0] = resistor.curve.numpy(np.array([-rail, rail]))[0]
            return AnyRows(-rail, rail, currents)
        values = self._values(self.sizing) * scale
        check_resistor_rows(resistor, self.layer, values)
        return _SeenRows(values, seen)

    def _devices_drive(self, seen: Indices) -> Drive:
        """Of devices that see the last outputs."""
        if self.sizing is None:
            curves = [device.curve for device in self.model.devices]
            low, high = min(curve.lo_v for curve in curves), max(curve.hi_v for curve in curves)
            return AnyRows(low, high, current_ranges(self.model.curves))
        return _SeenRows(self._values(self.sizing), seen)

    def _values(self, sizing: Sizing) -> Array:
        """The samples' values where the circuit has got to, model units."""
        return sizing.answered[self.signal]

    def _add_tiles(
        self, name: str, draft: CrossbarDraft, drive: Drive, seen: Indices, *, takes_any_scale: bool
    ) -> None:
        crossbar, convolution = self._built(draft, drive, takes_any_scale=takes_any_scale), self.technology.convolution
        crossbars: tuple[Crossbar, ...] = (crossbar,)
        if convolution.layout == "unrolled":
            names = (f"l{self.layer}p{position}.crossbar" for position in range(len(seen)))
            crossbars = tuple(replace(crossbar, name=own) for own in names)
        self.stages.append(Tiles(name, draft.compares_to, seen, crossbars, convolution.position_s))
        self.signal, self.volts = draft.compares_to, crossbar.output_v_per_unit
        self.layer += 1

    def _built(self, draft: CrossbarDraft, drive: Drive, *, takes_any_scale: bool) -> Crossbar:
        """Chooses what is left to choose of a crossbar."""
        devices, technology = self.model.curves, self.technology
        draft = with_feedback(draft, drive, devices, technology)
        if takes_any_scale:
            draft = with_output_scale(draft, drive, devices, technology)
        return built(with_feedback_capacitor(draft, drive, devices, technology), technology)
