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

from kanspice.base.traced import number
from kanspice.circuit import Design, InputStage, Stage
from kanspice.circuit.compile import Sizing
from kanspice.circuit.compile.crossbars import (
    AnyRows,
    CrossbarDraft,
    Drive,
    SampleRows,
    built,
    check_amplifiers,
    row_siemens,
    with_feedback,
    with_feedback_capacitor,
    with_output_scale,
)
from kanspice.circuit.compile.current_unit import with_current_unit
from kanspice.circuit.compile.effects import Foreign, fitting
from kanspice.circuit.compile.inputs import drivers, input_stage, layer_norm_stage
from kanspice.circuit.compile.rails import fitted_basis, with_fitting_amps, with_fitting_volts
from kanspice.circuit.stages.crossbar import current_ranges
from kanspice.circuit.stages.limiter import LimiterKind
from kanspice.devices import Device
from kanspice.families.kanalogue.arrays import BatchNormArrays, LayerArrays, LayerNormArrays, input_range, layer_arrays
from kanspice.families.kanalogue.network import KANalogue
from kanspice.technology import Technology

_LIMITER_KINDS: dict[str, LimiterKind] = {
    "PosHC": "clip",
    "NegHC": "clip",
    "sigmoid": "sigmoid",
    "tanh": "tanh",
    "None": "none",
}


@dataclass(frozen=True)
class _DraftLayer:
    """A layer on its way to the circuit; `drive` is what its rows have."""

    index: int
    crossbar: CrossbarDraft
    drive: Drive
    batch_norm: BatchNormArrays | None
    layer_norm: LayerNormArrays | None


@dataclass(frozen=True)
class _Draft:
    model: KANalogue
    technology: Technology
    sizing: Sizing | None
    layers: tuple[_DraftLayer, ...]

    def with_crossbars(self, change: Callable[[_DraftLayer], CrossbarDraft]) -> _Draft:
        return replace(self, layers=tuple(replace(layer, crossbar=change(layer)) for layer in self.layers))


def technology_for_kanalogue(model: KANalogue, technology: Technology) -> Technology:
    """What of a general technology the network's circuit can have, with the unit of current of the devices' cards.

    Raises InputError for a technology that is not general and has more.
    """
    foreign = list[Foreign]()
    if _LIMITER_KINDS[model.input_stage] not in ("sigmoid", "tanh"):
        foreign.append(Foreign("pairs", f"a sigmoid or tanh at the inputs: this network's are '{model.input_stage}'"))
    if _LIMITER_KINDS[model.input_stage] != "clip":
        expected = f"inputs that are clipped: this network's are '{model.input_stage}'"
        foreign += [Foreign("clippers", expected), Foreign("references", expected, but=["current_sigma"])]
    sections = ("tia", "devices", "ageing", "wires", "clippers", "pairs", "references", "parts", "supply", "process")
    return with_current_unit(fitting(technology, "a crossbar", sections, foreign), model.devices)


def compile_kanalogue(model: KANalogue, technology: Technology, sizing: Sizing | None = None) -> Design:
    """The nominal circuit of a trained KANalogue network.

    sizing: samples from which amplifier swings are measured; without them the worst case over all inputs is assumed.
    Raises InputError for imperfections that the circuit cannot have.
    """
    technology = technology_for_kanalogue(model, technology)
    check_amplifiers(technology.tia)
    drives = _drives(model, sizing)
    layers = [
        _draft_layer(index, layer, drive, technology)
        for index, (layer, drive) in enumerate(zip(layer_arrays(model), drives, strict=True), 1)
    ]
    draft = _Draft(model, technology, sizing, tuple(layers))
    for compile_pass in PASSES:
        draft = compile_pass(draft)
    return _assemble(draft, technology)


def _draft_layer(index: int, layer: LayerArrays, drive: Drive, technology: Technology) -> _DraftLayer:
    name = f"l{index}.crossbar"
    return _DraftLayer(
        index=index,
        crossbar=CrossbarDraft(name, name, layer.coeffs, layer.bias, technology.units.i_unit_a),
        drive=drive,
        batch_norm=layer.norm if isinstance(layer.norm, BatchNormArrays) else None,
        layer_norm=layer.norm if isinstance(layer.norm, LayerNormArrays) else None,
    )


def _drives(model: KANalogue, sizing: Sizing | None) -> list[Drive]:
    layers = len(model.widths) - 1
    if sizing is None:
        low, high = input_range(model) or (-math.inf, math.inf)
        return [AnyRows(float(low), float(high), current_ranges(model.devices)) for _ in range(layers)]
    stages = sizing.answered
    return [SampleRows(stages[f"l{index}.input"]) for index in range(1, layers + 1)]


def fuse_batch_norm(draft: _Draft) -> _Draft:
    """gamma (y - mu) / sqrt(var + eps) + beta is again a crossbar: areas and bias scaled, bias shifted."""

    def fuse(layer: _DraftLayer) -> _DraftLayer:
        norm, crossbar = layer.batch_norm, layer.crossbar
        if norm is None:
            return layer
        gain = norm.gain / np.sqrt(norm.variance + norm.eps)
        fused = replace(
            crossbar,
            area=crossbar.area * gain[None, :, None],
            bias=(crossbar.bias - norm.mean) * gain + norm.offset,
            compares_to=f"l{layer.index}.norm",
        )
        return replace(layer, crossbar=fused, batch_norm=None)

    return replace(draft, layers=tuple(map(fuse, draft.layers)))


def set_feedback(draft: _Draft) -> _Draft:
    """Chooses each layer's feedback so that its largest column current stays within rail x headroom."""
    devices, technology = draft.model.devices, draft.technology
    return draft.with_crossbars(lambda layer: with_feedback(layer.crossbar, layer.drive, devices, technology))


def scale_outputs(draft: _Draft) -> _Draft:
    """Shrinks outputs to fit the rails where what follows can take them so: the read-out, LayerNorm, sigmoid, tanh.

    Outputs that reach the devices through a clip, or as they are, keep one voltage unit per model unit: devices need
    true volts. A clip hides what is beyond the rails; without one the samples concerned fail.
    """
    devices, technology, last = draft.model.devices, draft.technology, len(draft.layers)
    needs_volts = _LIMITER_KINDS[draft.model.input_stage] in ("clip", "none")

    def scale(layer: _DraftLayer) -> CrossbarDraft:
        if layer.index != last and layer.layer_norm is None and needs_volts:
            return layer.crossbar
        return with_output_scale(layer.crossbar, layer.drive, devices, technology)

    return draft.with_crossbars(scale)


def set_feedback_capacitors(draft: _Draft) -> _Draft:
    """Chooses each layer's feedback capacitor for the steepest fall that the currents of a column take together."""
    devices, technology = draft.model.devices, draft.technology
    return draft.with_crossbars(lambda layer: with_feedback_capacitor(layer.crossbar, layer.drive, devices, technology))


def fit_units(draft: _Draft) -> _Draft:
    """Chooses the units of voltage and current so that rows stay within what amplifiers follow and give."""
    largest = max(_largest_row(draft.model, layer.drive) for layer in draft.layers)
    technology = with_fitting_volts(draft.technology, largest)
    drafts = [(layer.crossbar, layer.drive) for layer in draft.layers]
    technology = with_fitting_amps(technology, drafts, draft.model.devices)
    fitted = replace(draft, technology=technology)
    return fitted.with_crossbars(lambda layer: replace(layer.crossbar, current_unit_a=technology.units.i_unit_a))


def _largest_row(model: KANalogue, drive: Drive) -> float:
    """What rows have at most, either sign, in model units: by their clip, or in the samples."""
    ends = input_range(model)
    if ends is not None:
        return float(np.abs(ends).max())
    return number(np.abs(drive.rows).max()) if isinstance(drive, SampleRows) else math.inf


PASSES: tuple[Callable[[_Draft], _Draft], ...] = (
    fuse_batch_norm,
    fit_units,
    set_feedback,
    scale_outputs,
    set_feedback_capacitors,
)


def _assemble(draft: _Draft, asked: Technology) -> Design:
    """asked: the technology before units were chosen."""
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
        swing_basis=f"{basis}{fitted_basis(asked, technology)}",
        stages=tuple(stages),
    )


def _devices(draft: _Draft) -> tuple[Device, ...]:
    """The devices as they are built; what they are sized for is the curves that the network knows."""
    if draft.technology.devices.curve == "points":
        return tuple(device.measured() for device in draft.model.devices)
    return tuple(draft.model.devices)


def _layer_stages(draft: _Draft, layer: _DraftLayer, input_v_per_unit: float) -> list[Stage]:
    limiter = _limiter(draft, layer, input_v_per_unit)
    taken = row_siemens(layer.crossbar, draft.model.devices, draft.technology)
    followers = drivers(limiter, draft.technology, taken)
    stages: list[Stage] = [limiter, *followers, built(layer.crossbar, draft.technology)]
    if layer.layer_norm is not None:
        unit_v, norm = draft.technology.units.v_unit_v, layer.layer_norm
        scaled_v = unit_v * layer.crossbar.output_scale
        stages.append(
            layer_norm_stage(layer.index, norm.gain, norm.offset, norm.eps, input_v_per_unit=scaled_v, unit_v=unit_v)
        )
    return stages


def _limiter(draft: _Draft, layer: _DraftLayer, input_v_per_unit: float) -> InputStage:
    unit_v = draft.technology.units.v_unit_v
    low, high = input_range(draft.model) or (-np.inf, np.inf)
    return input_stage(
        layer.index,
        draft.technology,
        np.zeros(layer.crossbar.area.shape[0]),
        (float(low) * unit_v, float(high) * unit_v),
        kind=_LIMITER_KINDS[draft.model.input_stage],
        input_v_per_unit=input_v_per_unit,
        unit_v=unit_v,
    )
