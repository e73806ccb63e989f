"""What a calibration says, in plain sentences: one wording for the terminal and for the page."""

from __future__ import annotations

from collections.abc import Iterator

from kanspice.experiments.calibrate.result import CalibrationResult, Candidate, ChipGap
from kanspice.experiments.facts import sized_for_rows
from kanspice.report.blocks import Fact, Table
from kanspice.report.formatting import NOTHING, many, number, percentage, plain
from kanspice.report.verdict import Verdict

_WHAT = {
    "outputs": "gain and offset of every output once it is read",
    "columns": "gain and offset of every column pair: feedback resistors and a reference current",
    "clips": "the levels of clips, a layer at a time",
    "references": "reference currents, a crossbar at a time",
    "areas": "what some devices are programmed to",
}


def answer(result: CalibrationResult) -> Verdict:
    """What to set, or that nothing helps."""
    chosen = result.chosen
    if chosen is None:
        most = max(each.measurements for each in result.candidates)
        said = f"Nothing helps beyond doubt with {many(most, 'measured sample')}: leave the chip as it is"
        return Verdict(said, warning=True)
    if chosen.chip is not None and result.untouched is not None:
        change = f"gap {number(result.untouched.gap)} becomes {number(chosen.chip.gap)}"
        if chosen.chip.accuracy is not None and result.untouched.accuracy is not None:
            change += f", accuracy {percentage(result.untouched.accuracy)} becomes {percentage(chosen.chip.accuracy)}"
    else:
        change = f"gap {number(chosen.untouched)} becomes about {number(chosen.expected_gap)}"
    said = f"Set {_named(chosen.trims)}: {change}, on samples that nothing was fitted to"
    if not result.is_followed:
        doubt = "no specimen of the technology explains the chip, and trims may do something else to it"
        return Verdict(f"Doubtful: {doubt}. {said}", warning=True)
    if result.lost:
        doubt = f"{many(result.lost, 'sample')} more of the chip have no result then"
        return Verdict(f"Doubtful: {doubt}. {said}", warning=True)
    return Verdict(said)


def _named(trims: str) -> str:
    return trims.replace("+", " and ")


def facts(result: CalibrationResult) -> Iterator[Fact]:
    """What there is beside."""
    if result.network_accuracy is not None:
        said = f"network {percentage(result.network_accuracy)}"
        if result.untouched is not None and result.untouched.accuracy is not None:
            said += f", chip as it is {percentage(result.untouched.accuracy)}"
        yield "accuracy", said
    for twin in result.twins:
        said = (
            f"of {many(twin.measurements, 'sample')}: off by {number(twin.error)} of the network's spread where it was"
            f" not fitted; the circuit as it was meant to be is off by {number(twin.untouched_error)}"
        )
        yield "twin", said
    if result.left_out:
        yield "not in the twin", ", ".join(result.left_out)
    if result.output is not None:
        yield "what to set", plain(result.output) + (", which has no trims" if result.chosen is None else "")
    if result.unwritten is not None:
        said = f"not written to {plain(result.unwritten)}: what may be there is of another calibration"
        yield "what to set", Verdict(said, warning=True)


def setup(result: CalibrationResult) -> Iterator[tuple[str, str]]:
    """What it was made of."""
    yield "model", f"{plain(result.model)} ({result.family})"
    yield "technology", plain(result.technology)
    yield "chip", plain(result.chip)
    yield "samples", f"{result.samples:,}, of which {result.measured:,} were measured for this"
    yield from sized_for_rows(result.sized_for)
    yield "trims", f"set with {result.bits} bits; areas: {percentage(result.area_fraction)} of the devices"
    if result.keys:
        yield "not known", ", ".join(plain(key) for key in result.keys)


def table(result: CalibrationResult) -> Table:
    """Every candidate."""
    simulated = any(each.chip is not None for each in result.candidates)
    labelled = any(each.chip is not None and each.chip.accuracy is not None for each in result.candidates)
    header = [
        "measured: trims",
        "trims set",
        "judged\nby",
        "gap judged\nbefore",
        "gap judged\nafter",
        "gap\nexpected",
        "used",
    ]
    header += ["chip's gap"] if simulated else []
    header += ["chip's\naccuracy"] if labelled else []
    return Table(
        header,
        [_row(each, simulated=simulated, labelled=labelled) for each in result.candidates],
        texts=frozenset({6}),
        spare=frozenset({1, 3}),
    )


def _row(each: Candidate, *, simulated: bool, labelled: bool) -> list[str]:
    found = [f"{each.measurements:,}: {each.trims}", f"{each.set_count:,}", f"{each.judged:,}"]
    found += [number(each.untouched), _with_failed(each.judged_gap, each.judged_failed)]
    found.append(_with_failed(each.expected_gap, each.expected_failed))
    found.append("yes" if each.is_used else "no")
    found += [_gap(each.chip)] if simulated else []
    return found + ([_accuracy(each.chip)] if labelled else [])


def _gap(chip: ChipGap | None) -> str:
    return NOTHING if chip is None else _with_failed(chip.gap, chip.failed)


def _with_failed(gap: float, failed: int) -> str:
    return number(gap) + (f" ({failed} failed)" if failed else "")


def _accuracy(chip: ChipGap | None) -> str:
    return NOTHING if chip is None or chip.accuracy is None else percentage(chip.accuracy)


def kinds(result: CalibrationResult) -> Iterator[tuple[str, str]]:
    """What was tried."""
    names = dict.fromkeys(name for each in result.candidates for name in each.trims.split("+"))
    for name in names:
        yield name, _WHAT[name]


def method(result: CalibrationResult) -> str:
    """How it was done."""
    fifth = "Every fifth measured sample is kept apart: it says whether trims help, and nothing is fitted to it."
    return (
        f"{fifth} The others say which specimen the chip is, its twin, and which others it could be as well; trims are"
        " found on several of these, set as the hardware can set them, and used only where squared errors become"
        " smaller beyond chance (Student's t, of all trims that are tried);"
        " with labels, also no fewer of these samples may have their largest output where the network has it. Judged by"
        " so many samples; those in brackets would ask more of amplifiers than their rails, and are in no gap."
    )
