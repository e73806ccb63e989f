"""What several folders of tests share: tiny devices, networks and designs, and answers that owe nothing to ngspice."""

from __future__ import annotations

import numpy as np
import torch
from scipy.optimize import brentq

from kanspice.base.draws import Draw
from kanspice.circuit import Crossbar, Design, Limiter
from kanspice.circuit.specimens import draw_specimen
from kanspice.devices import Device, list_devices, load_device
from kanspice.families.compiling import sizing_of
from kanspice.families.kanalogue.circuit import compile_kanalogue
from kanspice.families.kanalogue.network import KANalogue
from kanspice.technology import Technology, load_technology

DEVICE_NAMES = [device.name for device in list_devices()]


def polynomial_device(name, breakpoints, rows):
    """A device whose curve is a piecewise polynomial; rows hold ascending powers of (v - breakpoint)."""
    return Device.from_dict(
        {
            "format": "kanspice.device/1",
            "name": name,
            "description": "test device",
            "source": "none",
            "reverse": "clamp",
            "units": {"voltage": "V", "current": "A"},
            "range": {"lo_v": breakpoints[0], "hi_v": breakpoints[-1]},
            "curve": {"kind": "piecewise_polynomial", "breakpoints_v": breakpoints, "coefficients": rows},
        }
    )


# I = 2 V up to 0.5 V, then -2 V per volt down to 0.2 at 0.9 V: the falling slope of a tunnel diode in two lines.
PEAK = polynomial_device("peak", [0.0, 0.5, 0.9], [[0.0, 2.0], [1.0, -2.0]])
LINE = polynomial_device("line", [-10.0, 10.0], [[-10.0, 1.0]])  # I = V, of either sign


def network(widths, devices, *, input_stage="PosHC", norm="batch", seed=0) -> KANalogue:
    """A network in evaluation mode with random parameters, norms' statistics included."""
    generator = torch.Generator().manual_seed(seed)
    model = KANalogue(widths, devices, input_stage=input_stage, norm=norm)
    with torch.no_grad():
        for name, tensor in model.state_dict().items():
            if tensor.is_floating_point():
                drawn = torch.randn(tensor.shape, generator=generator, dtype=tensor.dtype)
                tensor.copy_(drawn.abs() + 0.1 if "running_var" in name else drawn)
    return model.eval()


def inputs_for(model, samples, seed=0):
    """Inputs (samples, inputs) around the devices' ranges, some exactly at 0."""
    values = np.random.default_rng(seed).uniform(-0.4, 1.8, (samples, model.input_width))
    values[0, 0] = 0.0
    return values


def technology(*overrides: str) -> Technology:
    return load_technology(None, overrides)


def design_of(model, samples=None, *overrides: str) -> Design:
    sizing = None if samples is None else sizing_of(model, samples)
    return compile_kanalogue(model, technology(*overrides), sizing)


def specimen_of(model, samples, *overrides: str, seed=0) -> Design:
    """What `seed` draws of the design."""
    return draw_specimen(design_of(model, samples, *overrides), technology(*overrides), Draw(seed))


def crossbar_design(
    devices, area, bias=None, *, gain=np.inf, feedback=1e6, offset=None, v_unit=1.0, swing=0.0, rail=np.inf
) -> Design:
    """One crossbar behind plain buffers. area: (rows, pairs, devices); bias: (pairs,) in current units of 1 uA."""
    area = np.asarray(area, dtype=float)
    rows, pairs, _ = area.shape
    bias = np.zeros(pairs) if bias is None else np.asarray(bias, dtype=float)
    units = {"compares_to": "l1.input", "low_v": -np.inf, "high_v": np.inf, "unit_v": v_unit}
    crossbar = Crossbar(
        name="l1.crossbar",
        compares_to="l1.crossbar",
        area=area,
        shift_v=np.zeros_like(area),
        bias_a=np.stack([np.maximum(bias, 0), np.maximum(-bias, 0)], axis=1).ravel() * 1e-6,
        current_unit_a=1e-6,
        feedback_ohm=np.full(2 * pairs, feedback),
        feedback_f=np.zeros(2 * pairs),
        offset_v=np.zeros(2 * pairs) if offset is None else np.asarray(offset, dtype=float),
        open_loop_gain=gain,
        subtractor_gain=1.0,
        output_v_per_unit=1.0,
        column_swing_v=swing,
        rail_v=rail,
    )
    return Design(
        family="kanalogue",
        model_sha256="",
        technology_json=technology().to_json(),
        devices=tuple(devices),
        input_width=rows,
        input_v_per_unit=v_unit,
        swing_basis="none",
        stages=(
            Limiter(name="l1.input", width=rows, kind="none", input_v_per_unit=1.0, shift_v=np.zeros(rows), **units),
            crossbar,
        ),
    )


def column_current(design, crossbar, rows_v, column, volts):
    """Amps into a column at `volts`, from the curves alone; columns are positive and negative in turn."""
    pair, sign = column // 2, (1 if column % 2 == 0 else -1)
    area = np.maximum(sign * crossbar.area[:, pair, :], 0)
    units = (rows_v[:, None] - volts - crossbar.shift_v[:, pair, :]) / design.input_v_per_unit
    basis = np.stack([device.curve.numpy(units[:, k])[0] for k, device in enumerate(design.devices)], axis=-1)
    return np.sum(area * basis) * crossbar.current_unit_a + crossbar.bias_a[column]


def column_voltage(design, crossbar, rows_v, column):
    """The voltage at which a column's currents balance, by bisection: scalar, in NumPy, from the curves alone.

    column: positive and negative in turn. The op-amp drives its output through its own resistance, as far as it goes.
    """
    if np.isinf(crossbar.open_loop_gain):
        return crossbar.offset_v[column]

    def excess(volts):
        wanted = crossbar.open_loop_gain * (crossbar.offset_v[column] - volts)
        driven = min(max(wanted, -crossbar.swing_v), crossbar.swing_v)
        held = (volts - driven) / (crossbar.feedback_ohm[column] + crossbar.output_ohm)
        return column_current(design, crossbar, rows_v, column, volts) - held

    return brentq(excess, -50.0, 50.0, xtol=1e-15, rtol=1e-14)


def crossbar_output(design, crossbar, rows_v):
    """(columns (2 * pairs,), outputs (pairs,)) in volts of a crossbar for rows (rows,) in volts."""
    numbers = range(2 * crossbar.width)
    columns = np.array([column_voltage(design, crossbar, rows_v, number) for number in numbers])
    currents = np.array([column_current(design, crossbar, rows_v, number, columns[number]) for number in numbers])
    amplifiers = columns - crossbar.feedback_ohm * currents
    if np.isinf(crossbar.open_loop_gain):
        amplifiers = np.clip(amplifiers, -crossbar.swing_v, crossbar.swing_v)
    outputs = crossbar.subtractor_gain * (amplifiers[1::2] - amplifiers[::2])
    return columns, np.clip(outputs, -crossbar.swing_v, crossbar.swing_v)


__all__ = [
    "DEVICE_NAMES",
    "LINE",
    "PEAK",
    "column_voltage",
    "crossbar_design",
    "crossbar_output",
    "design_of",
    "inputs_for",
    "load_device",
    "network",
    "polynomial_device",
    "technology",
]
