"""The network as a circuit of kanspice's stages: it knows no torch."""

from __future__ import annotations

import numpy as np

from kanspice.circuit import Crossbar, Design, LayerNorm, Stage
from kanspice.circuit.compile import Sizing
from kanspice.circuit.compile.current_unit import with_current_unit
from kanspice.circuit.compile.effects import fitting
from kanspice.circuit.compile.inputs import input_stage
from kanspice.families.common.network import as_array
from kanspice.technology import Technology
from kanspice_varistor.network import REACH, VaristorNet

SECTIONS = ("tia", "devices", "wires", "clippers", "references", "supply")


def technology_for_varistors(model: VaristorNet, technology: Technology) -> Technology:
    """What of a general technology the circuit can have. InputError for another that has more."""
    return with_current_unit(fitting(technology, "a crossbar of varistors", SECTIONS), model.curves)


def compile_varistors(model: VaristorNet, technology: Technology, sizing: Sizing | None = None) -> Design:
    """Clippers, a crossbar and, between layers, a LayerNorm; a sample's largest column current sizes the feedback."""
    technology = technology_for_varistors(model, technology)
    unit_v, stages = technology.units.v_unit_v, list[Stage]()
    for layer, (weight, bias) in enumerate(zip(model.weights, model.biases, strict=True), start=1):
        area, offset = as_array(weight), as_array(bias)
        levels = (-REACH * unit_v, REACH * unit_v)
        stages.append(input_stage(layer, technology, np.zeros(len(area)), levels, unit_v=unit_v))
        inputs = None if sizing is None else sizing.answered[f"l{layer}.input"]
        stages.append(_crossbar(model, technology, layer, area=area, bias=offset, inputs=inputs))
        if layer <= len(model.norms):
            norm = model.norms[layer - 1]
            gain, shift = as_array(norm.weight) * unit_v, as_array(norm.bias) * unit_v
            name = f"l{layer}.norm"
            scale = stages[-1].output_v_per_unit
            stages.append(LayerNorm(name, name, gain, shift, norm.eps * scale**2, unit_v))
    return Design(
        family="varistor",
        technology_json=technology.to_json(),
        devices=model.curves,
        input_width=model.input_width,
        input_v_per_unit=unit_v,
        swing_basis="worst case over all inputs" if sizing is None else f"{len(sizing.inputs)} sample inputs",
        stages=tuple(stages),
    )


def _crossbar(
    model: VaristorNet,
    technology: Technology,
    layer: int,
    *,
    area: np.ndarray,
    bias: np.ndarray,
    inputs: np.ndarray | None,
) -> Crossbar:
    """Feedback so large that no amplifier leaves its rails, and outputs scaled down where they would."""
    units, tia, wires = technology.units, technology.tia, technology.wires
    rows = np.full((1, len(area)), REACH) if inputs is None else inputs
    currents = np.abs(model.device.curve.numpy(rows)[0])
    sides = [np.maximum(sign * area, 0.0) for sign in (1, -1)]
    peak = max(float((currents @ side).max()) for side in sides) + float(np.abs(bias).max())
    limit_v = tia.rail_v * tia.headroom
    feedback_ohm = min(units.v_unit_v, limit_v / max(peak, 1e-12)) / units.i_unit_a
    output_v = units.v_unit_v * min(1.0, limit_v / (2 * max(peak, 1e-12) * units.v_unit_v))
    columns = 2 * area.shape[1]
    bias_a = np.stack([np.maximum(bias, 0), np.maximum(-bias, 0)], axis=1).ravel() * units.i_unit_a
    return Crossbar(
        name=f"l{layer}.crossbar",
        compares_to=f"l{layer}.crossbar",
        area=area[:, :, None],
        shift_v=np.zeros((*area.shape, 1)),
        bias_a=bias_a - tia.input_bias_a,
        current_unit_a=units.i_unit_a,
        feedback_ohm=np.full(columns, feedback_ohm),
        feedback_f=np.zeros(columns),
        offset_v=np.zeros(columns),
        open_loop_gain=tia.gain,
        subtractor_gain=output_v / units.i_unit_a / feedback_ohm,
        output_v_per_unit=output_v,
        column_swing_v=feedback_ohm * peak * units.i_unit_a,
        rail_v=tia.rail_v,
        output_ohm=tia.output_ohm,
        swing_v=tia.swing_v,
        driver_ohm=wires.driver_ohm,
        row_ohm=wires.row_ohm,
        column_ohm=wires.column_ohm,
        gbw_hz=tia.gbw_hz,
        slew_v_per_s=tia.slew_v_per_s,
        junction_f=technology.devices.junction_f,
        row_f=wires.row_f,
        column_f=wires.column_f,
    )
