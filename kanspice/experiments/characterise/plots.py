"""Pictures of an amplifier: Bode plot, transfer curves, gain over output, steps, noise, a column's states."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from kanspice.base.quantities import prefix
from kanspice.report.figures import BLUE, GREY, PALETTE, VERMILLION, blank, picture, tick_decades

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from kanspice.engine.ngspice.characterise.noise import NoiseDensity
    from kanspice.engine.ngspice.characterise.states import ColumnStates
    from kanspice.engine.ngspice.characterise.steps import Step
    from kanspice.experiments.characterise.result import AmplifierResult

_LEAST = 0.1
"""Gains down to this are drawn."""


def bode_plot(result: AmplifierResult) -> Figure:
    """Open-loop gain and phase over frequency."""
    response, found = result.measured.static.response, result.figures_found
    shown = np.abs(response.gain) >= _LEAST
    hertz = response.hertz[shown]
    with blank(4.2) as figure:
        gain, phase = figure.subplots(2, 1, sharex=True)
        gain.set_title("Open loop")
        gain.plot(hertz, 20 * np.log10(np.abs(response.gain[shown])), color=BLUE)
        phase.plot(hertz, response.phase_deg[shown], color=BLUE)
        gain.axhline(0, color=GREY, linewidth=0.7)
        phase.axhline(-180, color=GREY, linewidth=0.7)
        if found.unity_hz is not None and found.phase_margin_deg is not None:
            for axes in (gain, phase):
                axes.axvline(found.unity_hz, color=VERMILLION, linestyle="--", linewidth=0.9)
            said = f"{found.phase_margin_deg:.0f} degrees of margin "
            phase.annotate(said, (found.unity_hz, -178), color=VERMILLION, ha="right", va="bottom")
        gain.set(xscale="log", ylabel="gain (dB)")
        phase.set(xlabel="frequency (Hz)", ylabel="phase (degrees)")
        tick_decades(phase.xaxis)
        return figure


def transfer_plot(result: AmplifierResult) -> Figure:
    """The output over the difference of the inputs, followed from the middle outwards and led across both ways."""
    led = result.measured.static.led
    differences = led.outwards.vectors["v(m)"]
    unit = prefix(float(np.abs(differences).max()))
    with picture(3.0, "Transfer curve, open loop") as (figure, axes):
        for curve, colour, style, label in zip(
            (led.outwards, *led.across),
            (BLUE, VERMILLION, PALETTE[2], GREY),
            ("-", "--", ":", "o"),
            ("from the middle", "led up", "led down", "from scratch"),
            strict=False,
        ):
            x = -curve.vectors["v(m)"] / unit.factor
            axes.plot(x, curve.vectors["v(out)"], style, color=colour, label=label, markersize=3)
        axes.set(xlabel=f"in+ above in- ({unit.symbol}V)", ylabel="output (V)")
        axes.legend()
        return figure


def gain_plot(result: AmplifierResult) -> Figure:
    """The open-loop gain over the output's voltage."""
    transfer = result.measured.static.transfer
    gains = np.abs(np.nan_to_num(transfer.gain))
    shown = gains >= 1
    linear = result.figures_found.linear
    with picture(2.8, "Gain over the output's voltage") as (figure, axes):
        axes.plot(transfer.output_v[shown], 20 * np.log10(gains[shown]), color=BLUE)
        for volts in (linear.low, linear.high):
            axes.axvline(volts, color=VERMILLION, linestyle="--", linewidth=0.9)
        axes.set(xlabel="output (V); between the lines a tenth of the gain is left", ylabel="gain (dB)")
        return figure


def step_plot(step: Step, title: str) -> Figure:
    """A step of a follower or of an inverter."""
    time = prefix(float(step.time_s[-1]))
    volts = prefix(float(max(np.ptp(step.input_v), np.ptp(step.output_v))))
    with picture(2.8, title) as (figure, axes):
        axes.plot(step.time_s / time.factor, step.input_v / volts.factor, color=GREY, label="input", linewidth=0.9)
        axes.plot(step.time_s / time.factor, step.output_v / volts.factor, color=BLUE, label="output")
        axes.set(xlabel=f"time ({time.symbol}s)", ylabel=f"{volts.symbol}V")
        axes.legend()
        return figure


def column_plot(states: ColumnStates) -> Figure:
    """A column's output over its current, both ways, and operating points from scratch."""
    unit = prefix(float(np.abs(states.curve.outwards.x).max()))
    with picture(3.0, "As a transimpedance amplifier") as (figure, axes):
        _curves(axes, states, unit.factor)
        axes.set(xlabel=f"current into the column ({unit.symbol}A)", ylabel="output (V)")
        axes.legend()
        return figure


def _curves(axes: Axes, states: ColumnStates, factor: float) -> None:
    known = states.curve.outwards
    axes.plot(known.x / factor, known.vectors["v(out)"], color=BLUE, label="from 0 outwards")
    marks = ((">", VERMILLION, "led up"), ("<", PALETTE[2], "led down"), ("o", GREY, "from scratch"))
    for curve, (mark, colour, label) in zip(states.curve.across, marks, strict=False):
        every = slice(None, None, max(len(curve.x) // 25, 1))
        x, y = curve.x[every] / factor, curve.vectors["v(out)"][every]
        axes.plot(x, y, mark, color=colour, label=label, markersize=3.5, markerfacecolor="none")


def start_plot(states: ColumnStates) -> Figure:
    """Columns whose supplies come up, which are overloaded, and then as before."""
    with picture(2.8, "Supplies come up; 1.5 times a supply's worth; back") as (figure, axes):
        time = prefix(max((float(start.time_s[-1]) for start in states.starts if start.time_s.size), default=1.0))
        current = prefix(max((abs(start.current_a) for start in states.starts), default=1.0))
        for start, colour in zip(states.starts, (BLUE, VERMILLION), strict=False):
            label = f"{start.current_a / current.factor:.3g} {current.symbol}A"
            axes.plot(start.time_s / time.factor, start.output_v, color=colour, label=label)
        axes.set(xlabel=f"time ({time.symbol}s)", ylabel="output (V)")
        axes.legend()
        return figure


def noise_plot(noise: NoiseDensity, result: AmplifierResult) -> Figure:
    """Noise at the input over frequency."""
    from matplotlib.ticker import LogLocator  # noqa: PLC0415 - as in report.figures

    found = result.figures_found
    with picture(2.8, "Noise at the input") as (figure, axes):
        axes.plot(noise.hertz, noise.v_per_rthz * 1e9, color=BLUE)
        if found.noise_v_per_rthz is not None:
            axes.axhline(found.noise_v_per_rthz * 1e9, color=VERMILLION, linestyle="--", linewidth=0.9, label="white")
            axes.legend()
        axes.set(xscale="log", yscale="log", xlabel="frequency (Hz)", ylabel="nV per root hertz")
        for axis in (axes.xaxis, axes.yaxis):
            tick_decades(axis)
        axes.xaxis.set_major_locator(LogLocator(numticks=6))
        return figure
