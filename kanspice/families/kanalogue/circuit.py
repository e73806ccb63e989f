"""KANalogue -> Design, as an ordered list of passes over a draft.

Every coefficient becomes the area of one device, its sign picks the column of a differential pair
(first paper, Eq. 2; second paper, Fig. 2e-g). BatchNorm's running statistics disappear into areas and
biases; every layer's feedback resistor is chosen so that its amplifiers stay within their rails.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from kanspice.base.arrays import Array
from kanspice.base.errors import InputError
from kanspice.circuit import Crossbar, Design, LayerNorm, Limiter, Stage
from kanspice.circuit.compile import Sizing
from kanspice.circuit.compile.capacitors import chosen_feedback_f, least_slopes, least_slopes_anywhere
from kanspice.circuit.compile.current_unit import with_current_unit
from kanspice.circuit.compile.effects import Foreign, fitting
from kanspice.circuit.compile.inputs import input_stage
from kanspice.circuit.poles import FeedbackLoop
from kanspice.circuit.stages.crossbar import by_column, current_ranges
from kanspice.circuit.stages.limiter import LimiterKind
from kanspice.devices import Device
from kanspice.families.kanalogue.arrays import BatchNormArrays, LayerArrays, LayerNormArrays, input_range, layer_arrays
from kanspice.families.kanalogue.network import KANalogue
from kanspice.technology import Technology, Tia

_BLOCK = 512
"""Samples whose device currents are held at a time."""
_LIMITER_KINDS: dict[str, LimiterKind] = {
    "PosHC": "clip",
    "NegHC": "clip",
    "sigmoid": "sigmoid",
    "tanh": "tanh",
    "None": "none",
}


@dataclass(frozen=True)
class _DraftLayer:
    """A layer on its way to the circuit; currents and outputs in model units until `assemble`."""

    index: int
    area: Array
    bias: Array
    compares_to: str
    batch_norm: BatchNormArrays | None
    layer_norm: LayerNormArrays | None
    feedback_ohm: float = 0.0
    feedback_f: float = 0.0
    column_swing_v: float = 0.0
    output_scale: float = 1.0


@dataclass(frozen=True)
class _Draft:
    model: KANalogue
    technology: Technology
    sizing: Sizing | None
    layers: tuple[_DraftLayer, ...]


def technology_for_kanalogue(model: KANalogue, technology: Technology) -> Technology:
    """What of a general technology the network's circuit can have, with the unit of current of the devices' cards.

    Raises InputError for a technology that is not general and has more.
    """
    foreign = list[Foreign]()
    if _LIMITER_KINDS[model.input_stage] != "clip":
        expected = f"inputs that are clipped: this network's are '{model.input_stage}'"
        foreign += [Foreign("clippers", expected), Foreign("references", expected, but=["current_sigma"])]
    sections = ("tia", "devices", "wires", "clippers", "references", "supply")
    return with_current_unit(fitting(technology, "a crossbar", sections, foreign), model.devices)


def compile_kanalogue(model: KANalogue, technology: Technology, sizing: Sizing | None = None) -> Design:
    """The nominal circuit of a trained KANalogue network.

    sizing: samples from which amplifier swings are measured; without them the worst case over all inputs is assumed.
    Raises InputError for imperfections that the circuit cannot have.
    """
    technology = technology_for_kanalogue(model, technology)
    _check_amplifiers(technology.tia)
    layers = tuple(_draft_layer(index, layer) for index, layer in enumerate(layer_arrays(model), 1))
    draft = _Draft(model, technology, sizing, layers)
    for compile_pass in PASSES:
        draft = compile_pass(draft)
    return _assemble(draft)


def _check_amplifiers(tia: Tia) -> None:
    if math.isfinite(tia.gbw_hz):
        return
    if math.isfinite(tia.slew_v_per_s):
        problem = "an amplifier that slews has a bandwidth"
        raise InputError(problem, where="tia.slew_v_per_s", expected="also tia.gbw_hz", hint="set tia.gbw_hz")
    if tia.feedback_f not in ("chosen", 0.0):
        problem = "a feedback capacitor acts on an amplifier with a bandwidth"
        raise InputError(problem, where="tia.feedback_f", expected="also tia.gbw_hz", hint="set tia.gbw_hz")


def _draft_layer(index: int, layer: LayerArrays) -> _DraftLayer:
    return _DraftLayer(
        index=index,
        area=layer.coeffs,
        bias=layer.bias,
        compares_to=f"l{index}.crossbar",
        batch_norm=layer.norm if isinstance(layer.norm, BatchNormArrays) else None,
        layer_norm=layer.norm if isinstance(layer.norm, LayerNormArrays) else None,
    )


def fuse_batch_norm(draft: _Draft) -> _Draft:
    """gamma (y - mu) / sqrt(var + eps) + beta is again a crossbar: areas and bias scaled, bias shifted."""

    def fuse(layer: _DraftLayer) -> _DraftLayer:
        norm = layer.batch_norm
        if norm is None:
            return layer
        gain = norm.gain / np.sqrt(norm.variance + norm.eps)
        return replace(
            layer,
            area=layer.area * gain[None, :, None],
            bias=(layer.bias - norm.mean) * gain + norm.offset,
            batch_norm=None,
            compares_to=f"l{layer.index}.norm",
        )

    return replace(draft, layers=tuple(map(fuse, draft.layers)))


def set_feedback(draft: _Draft) -> _Draft:
    """Chooses each layer's feedback so that its largest column current stays within rail x headroom.

    The nominal feedback, one voltage unit per current unit, is kept where it fits; the subtractor restores the scale.
    """
    units, tia = draft.technology.units, draft.technology.tia
    nominal_ohm = units.v_unit_v / units.i_unit_a
    limit_v = tia.rail_v * tia.headroom

    def choose(layer: _DraftLayer, peak: float) -> _DraftLayer:
        peak_a = peak * units.i_unit_a
        feedback_ohm = min(nominal_ohm, limit_v / peak_a) if peak_a > 0 else nominal_ohm
        return replace(layer, feedback_ohm=feedback_ohm, column_swing_v=feedback_ohm * peak_a)

    peaks = _column_peaks(draft)
    return replace(draft, layers=tuple(map(choose, draft.layers, peaks)))


def scale_outputs(draft: _Draft) -> _Draft:
    """Shrinks outputs to fit the rails where what follows can take them so: the read-out, LayerNorm, sigmoid, tanh.

    Outputs that reach the devices through a clip, or as they are, keep one voltage unit per model unit: devices need
    true volts. A clip hides what is beyond the rails; without one the samples concerned fail.
    """
    limit_v = draft.technology.tia.rail_v * draft.technology.tia.headroom
    last = len(draft.layers)
    needs_volts = _LIMITER_KINDS[draft.model.input_stage] in ("clip", "none")

    def scale(layer: _DraftLayer, peak: float) -> _DraftLayer:
        if layer.index != last and layer.layer_norm is None and needs_volts:
            return layer
        peak_v = peak * draft.technology.units.v_unit_v
        return replace(layer, output_scale=min(1.0, limit_v / peak_v) if peak_v > 0 else 1.0)

    peaks = _output_peaks(draft)
    return replace(draft, layers=tuple(map(scale, draft.layers, peaks)))


def set_feedback_capacitors(draft: _Draft) -> _Draft:
    """Chooses each layer's feedback capacitor for the steepest fall that the currents of a column take together."""
    tia = draft.technology.tia
    if math.isinf(tia.gbw_hz):
        return draft
    if tia.feedback_f != "chosen":
        given_f = float(tia.feedback_f)
        return replace(draft, layers=tuple(replace(layer, feedback_f=given_f) for layer in draft.layers))

    def choose(layer: _DraftLayer, slopes: Array) -> _DraftLayer:
        crossbar = _crossbar(draft, layer)
        siemens = slopes * crossbar.current_unit_a / draft.technology.units.v_unit_v
        loop = FeedbackLoop(layer.feedback_ohm, 0.0, tia.output_ohm, tia.gain, tia.gbw_hz)
        return replace(layer, feedback_f=chosen_feedback_f(siemens, crossbar.column_capacitance_f, loop))

    return replace(draft, layers=tuple(map(choose, draft.layers, _column_slopes(draft))))


PASSES: tuple[Callable[[_Draft], _Draft], ...] = (
    fuse_batch_norm,
    set_feedback,
    scale_outputs,
    set_feedback_capacitors,
)


def _assemble(draft: _Draft) -> Design:
    model, technology = draft.model, draft.technology
    stages: list[Stage] = []
    for layer in draft.layers:
        input_v_per_unit = stages[-1].output_v_per_unit if stages else technology.units.v_unit_v
        stages += _layer_stages(draft, layer, input_v_per_unit)
    basis = "worst case over all inputs" if draft.sizing is None else f"{len(draft.sizing.inputs)} sample inputs"
    return Design(
        family="kanalogue",
        technology_json=technology.to_json(),
        devices=_devices(draft),
        input_width=model.input_width,
        input_v_per_unit=technology.units.v_unit_v,
        swing_basis=basis,
        stages=tuple(stages),
    )


def _devices(draft: _Draft) -> tuple[Device, ...]:
    """The devices as they are built; what they are sized for is the curves that the network knows."""
    if draft.technology.devices.curve == "points":
        return tuple(device.measured() for device in draft.model.devices)
    return tuple(draft.model.devices)


def _layer_stages(draft: _Draft, layer: _DraftLayer, input_v_per_unit: float) -> list[Stage]:
    stages: list[Stage] = [_limiter(draft, layer, input_v_per_unit), _crossbar(draft, layer)]
    if layer.layer_norm is not None:
        stages.append(_layer_norm(draft, layer, layer.layer_norm))
    return stages


def _limiter(draft: _Draft, layer: _DraftLayer, input_v_per_unit: float) -> Limiter:
    unit_v = draft.technology.units.v_unit_v
    low, high = input_range(draft.model) or (-np.inf, np.inf)
    return input_stage(
        layer.index,
        draft.technology,
        np.zeros(layer.area.shape[0]),
        (float(low) * unit_v, float(high) * unit_v),
        kind=_LIMITER_KINDS[draft.model.input_stage],
        input_v_per_unit=input_v_per_unit,
        unit_v=unit_v,
    )


def _crossbar(draft: _Draft, layer: _DraftLayer) -> Crossbar:
    units, tia, wires = draft.technology.units, draft.technology.tia, draft.technology.wires
    output_v_per_unit = units.v_unit_v * layer.output_scale
    return Crossbar(
        name=f"l{layer.index}.crossbar",
        compares_to=layer.compares_to,
        area=layer.area,
        shift_v=np.zeros_like(layer.area),
        bias_a=by_column(layer.bias[None, :, None])[0, :, 0] * units.i_unit_a - tia.input_bias_a,
        current_unit_a=units.i_unit_a,
        feedback_ohm=np.full(2 * layer.area.shape[1], layer.feedback_ohm),
        feedback_f=np.full(2 * layer.area.shape[1], layer.feedback_f),
        offset_v=np.zeros(2 * layer.area.shape[1]),
        open_loop_gain=tia.gain,
        subtractor_gain=output_v_per_unit / units.i_unit_a / layer.feedback_ohm,
        output_v_per_unit=output_v_per_unit,
        column_swing_v=layer.column_swing_v,
        rail_v=tia.rail_v,
        output_ohm=tia.output_ohm,
        swing_v=tia.swing_v,
        driver_ohm=wires.driver_ohm,
        row_ohm=wires.row_ohm,
        column_ohm=wires.column_ohm,
        gbw_hz=tia.gbw_hz,
        slew_v_per_s=tia.slew_v_per_s,
        junction_f=draft.technology.devices.junction_f,
        row_f=wires.row_f,
        column_f=wires.column_f,
    )


def _layer_norm(draft: _Draft, layer: _DraftLayer, norm: LayerNormArrays) -> LayerNorm:
    unit_v = draft.technology.units.v_unit_v
    return LayerNorm(
        name=f"l{layer.index}.norm",
        compares_to=f"l{layer.index}.norm",
        gain_v=norm.gain * unit_v,
        offset_v=norm.offset * unit_v,
        eps_v2=norm.eps * (unit_v * layer.output_scale) ** 2,
        output_v_per_unit=unit_v,
    )


def _column_peaks(draft: _Draft) -> list[float]:
    """The largest magnitude of any column's current, per layer, in model current units, bias included."""
    return [float(max(np.abs(pair).max() for pair in currents)) for currents in _column_currents(draft)]


def _output_peaks(draft: _Draft) -> list[float]:
    """The largest magnitude of any output, per layer, in model units."""
    peaks = []
    for positive, negative in _column_currents(draft):
        outputs = positive - (negative[::-1] if draft.sizing is None else negative)
        peaks.append(float(np.abs(outputs).max()))
    return peaks


def _column_currents(draft: _Draft) -> list[tuple[Array, Array]]:
    """(positive, negative) column currents per layer, each (samples, pairs); lowest and highest in the worst case."""
    devices = draft.model.devices
    if draft.sizing is None:
        ranges = current_ranges(devices)[:, None, :]
        return [_pair(np.broadcast_to(ranges, (2, layer.area.shape[0], len(devices))), layer) for layer in draft.layers]
    stages = draft.sizing.answered
    currents = []
    for layer in draft.layers:
        volts = stages[f"l{layer.index}.input"]
        blocks = [volts[start : start + _BLOCK] for start in range(0, len(volts), _BLOCK)]
        positive, negative = zip(*(_pair(_basis(devices, block), layer) for block in blocks), strict=True)
        currents.append((np.concatenate(positive), np.concatenate(negative)))
    return currents


def _column_slopes(draft: _Draft) -> list[Array]:
    """The most negative slope of every column's current, per layer, (2 * pairs,) in model units."""
    devices, areas = draft.model.devices, [by_column(layer.area) for layer in draft.layers]
    if draft.sizing is None:
        low, high = input_range(draft.model) or (-math.inf, math.inf)
        return [least_slopes_anywhere(devices, area, float(low), float(high)) for area in areas]
    stages = draft.sizing.answered
    rows = [stages[f"l{layer.index}.input"] for layer in draft.layers]
    return [least_slopes(devices, area, volts) for area, volts in zip(areas, rows, strict=True)]


def _pair(basis: Array, layer: _DraftLayer) -> tuple[Array, Array]:
    return _sum(basis, layer, 1.0), _sum(basis, layer, -1.0)


def _sum(basis: Array, layer: _DraftLayer, sign: float) -> Array:
    area = np.maximum(sign * layer.area, 0.0)
    columns = area.transpose(0, 2, 1).reshape(-1, area.shape[1])
    return basis.reshape(len(basis), -1) @ columns + np.maximum(sign * layer.bias, 0.0)


def _basis(devices: tuple[Device, ...], volts: Array) -> Array:
    return np.stack([device.curve.numpy(volts)[0] for device in devices], axis=-1)
