"""What an amplifier's page opens with: how good it is, how fast, how far it goes, whether it is stable."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kanspice.experiments.characterise import wording
from kanspice.experiments.characterise.figures import decibels, quantity
from kanspice.experiments.characterise.plots import bode_plot
from kanspice.report.blocks import Highlight, Highlights, Picture
from kanspice.report.formatting import number, plain
from kanspice.report.verdict import Verdict

if TYPE_CHECKING:
    from kanspice.experiments.characterise.result import AmplifierResult

_USE = "as a technology (`-o tia.toml`) `kanspice verify model.pt --tech tia.toml` says what it does to a network"


def highlights(result: AmplifierResult) -> Highlights:
    """Gain, bandwidth, output, stability."""
    return Highlights([_gain(result), _bandwidth(result), _output(result), _stability(result)])


def picture(result: AmplifierResult) -> Picture:
    """Its gain and phase over frequency."""
    return Picture.of("Open-loop gain and phase over frequency", bode_plot, result)


def _gain(result: AmplifierResult) -> Highlight:
    found = result.figures_found
    said = Verdict(f"{number(found.gain)} open loop; offset {quantity(found.offset_v, 'V')}")
    return Highlight("gain", f"{decibels(found.gain):.1f} dB", said, again=True)


def _bandwidth(result: AmplifierResult) -> Highlight:
    found = result.figures_found
    if found.gbw_hz is None:
        why = found.why_not.get("gbw_hz", "it was not measured")
        return Highlight("gain-bandwidth product", "not known", Verdict(plain(why)), again=True)
    margin = "" if found.phase_margin_deg is None else f"; {number(found.phase_margin_deg)} degrees of phase margin"
    drives = f"with {wording.load(result.load)}{margin}"
    return Highlight("gain-bandwidth product", quantity(found.gbw_hz, "Hz"), Verdict(drives), again=True)


def _output(result: AmplifierResult) -> Highlight:
    found = result.figures_found
    said = Verdict(f"output, from the middle of the supplies; {quantity(found.quiescent_a, 'A')} at rest")
    return Highlight("output", wording.stops(found.swing), said, again=True)


def _stability(result: AmplifierResult) -> Highlight:
    """What is wrong with it; else what to do with it."""
    if result.oscillates:
        return Highlight("stable", "no", wording.follower(result), again=True)
    if result.latches:
        why = next((said for _, said in wording.column(result) if isinstance(said, Verdict) and said.warning), None)
        return Highlight("stable", "no", why or Verdict("it latches", warning=True), again=True)
    known = result.measured.steps.small is not None
    return Highlight("stable", "yes" if known else "not known", Verdict(f"{wording.follower(result).text}; {_USE}"))
