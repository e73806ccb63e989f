"""What a calibration opens with: what to set, what that leaves of the gap, whether to believe it."""

from __future__ import annotations

from collections.abc import Iterator

from kanspice.experiments.calibrate.plots import left_plot
from kanspice.experiments.calibrate.result import CalibrationResult, Candidate
from kanspice.report.blocks import Highlight, Highlights, Picture
from kanspice.report.formatting import NOTHING, many, number, percentage, plain
from kanspice.report.verdict import Verdict


def highlights(result: CalibrationResult) -> Highlights:
    """What to set, gap and accuracy before and after, and the twin that it was found on."""
    return Highlights([_trims(result), *_gap(result), *_accuracy(result), *_twin(result)])


def picture(result: CalibrationResult) -> Picture:
    """What is left, over how much was measured."""
    return Picture.of("What trims leave of the gap, over how many samples were measured", left_plot, result)


def _trims(result: CalibrationResult) -> Highlight:
    chosen = result.chosen
    if chosen is None:
        said = "no trims help beyond chance: measure more samples, or let more be set (`--trims`)"
        return Highlight("what to set", "nothing", Verdict(said, warning=True))
    how = f"{many(chosen.set_count, 'trim')} of {result.bits} bits, from {many(chosen.measurements, 'measured sample')}"
    where = "`-o TRIMS.npz` writes them" if result.output is None else f"they are in {plain(result.output)}"
    return Highlight("what to set", plain(chosen.trims.replace("+", " and ")), Verdict(f"{how}; {where}"))


def _gap(result: CalibrationResult) -> Iterator[Highlight]:
    chosen = result.chosen
    if chosen is None:
        gap = result.candidates[-1].untouched if result.untouched is None else result.untouched.gap
        yield Highlight("gap", number(gap), Verdict("of the network's spread, as the chip is"), again=True)
        return
    before, after, how = _before_and_after(result, chosen)
    said = f"before → after, of the network's spread, on samples that nothing was fitted to{how}"
    doubtful = not result.is_followed or bool(result.lost)
    yield Highlight("gap", f"{number(before)} → {number(after)}", Verdict(said, warning=doubtful), again=True)


def _before_and_after(result: CalibrationResult, chosen: Candidate) -> tuple[float, float, str]:
    if chosen.chip is not None and result.untouched is not None:
        return result.untouched.gap, chosen.chip.gap, ""
    return chosen.untouched, chosen.expected_gap, "; the latter is expected"


def _accuracy(result: CalibrationResult) -> Iterator[Highlight]:
    network, before = result.network_accuracy, None if result.untouched is None else result.untouched.accuracy
    if network is None or before is None:
        return
    chip = None if result.chosen is None else result.chosen.chip
    after = NOTHING if chip is None or chip.accuracy is None else percentage(chip.accuracy)
    figure = percentage(before) if result.chosen is None else f"{percentage(before)} → {after}"
    yield Highlight("accuracy of the chip", figure, Verdict(f"of its network: {percentage(network)}"), again=True)


def _twin(result: CalibrationResult) -> Iterator[Highlight]:
    """Of the most measurements."""
    if result.twins:
        twin = max(result.twins, key=lambda each: each.measurements)
        said = (
            "of the network's spread where it was not fitted; the circuit as it was meant to be is off by"
            f" {number(twin.untouched_error)}"
        )
        yield Highlight("its twin is off by", number(twin.error), Verdict(said), again=True)
