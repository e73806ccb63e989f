"""Synthetic results of amplifiers: a good one, and one with everything that can be wrong."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np

from kanspice.engine.ngspice.characterise.benches import Benches, ColumnFeedback
from kanspice.engine.ngspice.characterise.curves import Response, Transfer
from kanspice.engine.ngspice.characterise.measure import MeasuredAmplifier
from kanspice.engine.ngspice.characterise.noise import NoiseDensity
from kanspice.engine.ngspice.characterise.states import ColumnStates, Start
from kanspice.engine.ngspice.characterise.static import Static
from kanspice.engine.ngspice.characterise.steps import Oscillation, Step, Steps
from kanspice.engine.ngspice.characterise.tracing import LedCurve, TransferCurve
from kanspice.experiments.characterise.result import AmplifierResult
from kanspice.subcircuits.amplifier import DEFAULT_PINS, Amplifier, parse_roles
from kanspice.subcircuits.characterisation import Characterisation, Load, VoltageRange
from kanspice.subcircuits.subcircuit import SubcircuitDefinition

_PART = SubcircuitDefinition("opamp", ("inp", "inn", "out", "vdd", "vss"), ("* lines",), "opamp.cir")
_GAIN, _POLE_HZ, _STOP_V = 1e4, 1e3, 1.5


def _figures() -> Characterisation:
    return Characterisation(
        load=Load(farad=1e-11),
        gain=_GAIN,
        output_ohm=3e5,
        output_fast_ohm=900.0,
        offset_v=-5e-5,
        bias_a=0.0,
        offset_a=0.0,
        inverting_ohm=math.inf,
        quiescent_a=1e-4,
        swing=VoltageRange(-1.5, 1.5),
        linear=VoltageRange(-1.4, 1.4),
        common_mode=VoltageRange(-1.0, 1.5),
        source_a=3e-3,
        sink_a=8e-5,
        gbw_hz=1e7,
        unity_hz=9e6,
        phase_margin_deg=60.0,
        input_f=7e-14,
        slew_up_v_per_s=1e7,
        slew_down_v_per_s=9e6,
        noise_v_per_rthz=1.4e-8,
        noise_corner_hz=2e5,
        offset_sigma_v=3e-3,
        offset_draws_v=(1e-3, -4e-3, 2e-3),
    )


def _curve(x: np.ndarray, out: np.ndarray, across: tuple[LedCurve, ...] = ()) -> TransferCurve:
    vectors = {"v(out)": out, "v(m)": -out / _GAIN}
    both = across or (LedCurve(x, vectors), LedCurve(x, vectors))
    return TransferCurve(LedCurve(x, vectors), both)


def _measured(figures: Characterisation) -> MeasuredAmplifier:
    led = np.linspace(-3.0, 3.0, 61)
    out = np.clip(led, -_STOP_V, _STOP_V)
    hertz = np.logspace(-3, 8, 56)
    response = Response(hertz, _GAIN / (1 + 1j * hertz / _POLE_HZ))
    time = np.linspace(0.0, 1e-6, 21)
    step = Step(time, np.where(time > 1e-7, 0.02, 0.0), 0.02 * (1 - np.exp(-time / 1e-7)))
    amps = np.linspace(-2e-4, 2e-4, 41)
    column = _curve(amps, np.clip(-1e4 * amps, -_STOP_V, _STOP_V))
    whole = VoltageRange(-2e-4, 2e-4)
    start = Start(1e-4, time, np.full(21, -1.0), -1.0, -1.0, -1.0)
    return MeasuredAmplifier(
        benches=Benches(Amplifier(_PART, parse_roles(DEFAULT_PINS), 1.65, -1.65), figures.load),
        figures=figures,
        static=Static(figures, Transfer(out, -np.tan(out) / _GAIN), _curve(led, out), _curve(led, out), response),
        steps=Steps(step, step, None),
        noise=NoiseDensity(hertz, 1.4e-8 * np.sqrt(1 + 2e5 / hertz)),
        states=ColumnStates(ColumnFeedback(1e4, 5e-13), column, whole, None, math.nan, (start, start)),
        engine_version="39",
        wall_s=2.0,
    )


def good() -> AmplifierResult:
    """Every figure, one state."""
    return AmplifierResult(
        _measured(_figures()), "/circuits/opamp.cir", 3, "kanspice characterise opamp.cir --supply 1.65"
    )


def bad() -> AmplifierResult:
    """It oscillates, latches, has current feedback, and some figures could not be measured."""
    names = ("slew_up_v_per_s", "slew_down_v_per_s", "noise_v_per_rthz", "noise_corner_hz", "offset_sigma_v")
    figures = replace(
        _figures(),
        **dict.fromkeys(names),
        inverting_ohm=8.0,
        offset_draws_v=(),
        common_mode=None,
        phase_margin_deg=-5.0,
        why_not=dict.fromkeys((*names, "common_mode"), "no operating point: <script>"),
    )
    measured = _measured(figures)
    states = measured.states
    assert isinstance(states, ColumnStates)
    start = states.starts[0]
    starts = (replace(start, started_v=1.4), replace(start, recovered_v=None), replace(start, started_v=None))
    return AmplifierResult(
        replace(
            measured,
            steps=Steps(measured.steps.small, None, Oscillation(1e7, 0.5)),
            noise=None,
            states=replace(
                states,
                right=VoltageRange(-9e-5, 2e-4),
                others=VoltageRange(-2e-4, -1e-4),
                other_v=-1.5,
                starts=starts,
            ),
        ),
        "/circuits/opamp.cir",
    )


AMPLIFIERS: Mapping[str, Callable[[], AmplifierResult]] = {"good": good, "bad": bad}
