"""What a trial of a device says, in sentences and tables."""

from __future__ import annotations

import math
from collections.abc import Iterator

from kanspice.base.quantities import si
from kanspice.circuit.compile.card_spread import with_card_spread
from kanspice.experiments.trial.result import DeviceTrial, TaskTrial, TriedDevice
from kanspice.report.blocks import Fact, Highlight, Highlights, Table
from kanspice.report.formatting import NOTHING, many, number, percentage, plain
from kanspice.report.verdict import Verdict
from kanspice.technology import Technology

_CLOSE = 0.02
"""Accuracies that differ by less are alike, of 200 samples."""


def answer(result: DeviceTrial) -> Verdict:
    """How networks of the device do, and their circuits."""
    said = [f"{trial.task} {_percent(trial.network)} → {_percent(trial.mean)}" for trial in result.own.trials]
    return Verdict(f"{plain(result.own.device.name)}: {', '.join(said)} (network → circuit, {_technology(result)})")


def outcome(result: DeviceTrial) -> Verdict:
    """What that amounts to: the largest loss of a circuit, and the place beside the best of the others."""
    lacking = next((trial.why_none for trial in result.own.trials if trial.why_none), None)
    if lacking is not None:
        return Verdict(f"It has no {_technology(result)} circuit: {plain(lacking)}", warning=True)
    worst = max(result.own.trials, key=_lost)
    lost = _lost(worst)
    circuit = (
        "hold what its networks learn"
        if lost < _CLOSE
        else f"lose up to {percentage(lost)} of the samples ({worst.task})"
    )
    places = [_place(result, trial) for trial in result.own.trials]
    said = "; ".join([f"its {_technology(result)} circuits {circuit}", *filter(None, places)])
    return Verdict(f"{said[0].upper()}{said[1:]}.", warning=lost >= _CLOSE)


def _lost(trial: TaskTrial) -> float:
    return trial.network - trial.mean


def _place(result: DeviceTrial, trial: TaskTrial) -> str:
    """Of the device's circuit on a task, beside the best of the others'; "" without others."""
    others = [(each, found) for each in result.devices[1:] if (found := each.on(trial.task)) and found.typical]
    if not others:
        return ""
    best, theirs = max(others, key=lambda each: each[1].mean)
    apart = trial.mean - theirs.mean
    place = "as good as" if abs(apart) < _CLOSE else "better than" if apart > 0 else "behind"
    return f"on {trial.task} it is {place} {plain(best.device.name)} ({_percent(theirs.mean)}), the best beside it"


def highlights(result: DeviceTrial) -> Highlights:
    """Accuracy on every task, peak-to-valley ratio, stability."""
    shown = [
        Highlight(
            trial.task,
            f"{_percent(trial.network)} → {_percent(trial.mean)}",
            Verdict(f"network → {_technology(result)} circuit, {many(result.specimens, 'specimen')}"),
            again=True,
        )
        for trial in result.own.trials
    ]
    return Highlights([*shown, _peak_to_valley(result.own), _stability(result.own, result.technology)])


def _peak_to_valley(own: TriedDevice) -> Highlight:
    extrema = own.peak
    if extrema is None:
        return Highlight("peak", "none", Verdict("the current never falls"), again=True)
    ratio = extrema.peak_to_valley
    said = f"peak at {extrema.peak_v:.4g} V, valley at {extrema.valley_v:.4g} V"
    if ratio is None:
        said += ", where no current is above 0: `--kind passive` fits points with a curve that is never below"
    figure = "undefined" if ratio is None else number(ratio)
    return Highlight("peak to valley", figure, Verdict(said, warning=ratio is None), again=True)


def _stability(own: TriedDevice, technology: Technology) -> Highlight:
    lacking = [trial for trial in own.trials if trial.why_none]
    if lacking:
        return Highlight("stable", "no", Verdict(plain(lacking[0].why_none), warning=True), again=True)
    failed = sum(len(trial.failed) for trial in own.trials)
    if failed or any(trial.unstable for trial in own.trials):
        first = next((trial.failed[0].advice for trial in own.trials if trial.failed), "some specimens swing")
        return Highlight("stable", "no", Verdict(f"{failed} samples: {plain(first)}", warning=True), again=True)
    if math.isinf(technology.tia.gbw_hz):
        said = "every sample has one state; amplifiers are infinitely fast: set `tia.gbw_hz` to ask"
        return Highlight("stable", "not asked", Verdict(said), again=True)
    return Highlight(
        "stable", "yes", Verdict("every sample of every circuit has one state, and stays in it"), again=True
    )


def comparison(result: DeviceTrial) -> Table:
    """A row for every device: peak, and what it does on every task."""
    header, spare = ["device", "peak\nto valley"], {1}
    for task in result.tasks:
        first = len(header)
        header += [
            f"{task}:\nnetwork",
            "ideal\ncircuit",
            f"{_technology(result)}\ncircuit",
            "least",
            "not\nsolved",
            "uses\n0 V to",
        ]
        spare |= {first + 1, first + 3, first + 4, first + 5}
    rows = [[_name(each), _ratio(each), *_on_tasks(each, result.tasks)] for each in result.devices]
    bad = frozenset(k for k, each in enumerate(result.devices) if any(t.why_none or t.failed for t in each.trials))
    return Table(header, rows, texts=frozenset({0}), bad=bad, spare=frozenset(spare))


def _ratio(each: TriedDevice) -> str:
    extrema = each.peak
    return NOTHING if extrema is None else number(extrema.peak_to_valley)


def _name(each: TriedDevice) -> str:
    return f"{plain(each.device.name)}{' (yours)' if each.own else ''}"


def _on_tasks(each: TriedDevice, tasks: tuple[str, ...]) -> Iterator[str]:
    for task in tasks:
        trial = each.on(task)
        if trial is None:
            yield from [NOTHING] * 6
            continue
        yield from (_percent(trial.network), _percent(trial.ideal), _percent(trial.mean))
        least = min(trial.typical) if trial.typical else math.nan
        yield from (_percent(least), _failed(trial), f"{trial.range_v:.3g} V")


def _failed(trial: TaskTrial) -> str:
    return NOTHING if trial.why_none else str(len(trial.failed))


def _percent(fraction: float) -> str:
    return NOTHING if math.isnan(fraction) else percentage(fraction)


def _technology(result: DeviceTrial) -> str:
    return plain(result.technology.name.split(" ")[0].rstrip(",")) or "built"


def fit(result: DeviceTrial) -> list[Fact]:
    """How the curve follows the points, and whether it is physical."""
    device, report = result.own.device, result.report
    rows: list[Fact] = [("source", plain(result.source))]
    if report is not None:
        off = report.residual_rms / report.largest
        most = report.residual_max / report.largest
        rows.append(
            ("points", f"{report.points:,}, off the curve by {off:.2%} of the largest current, {most:.2%} at most")
        )
        if report.law is not None:
            rows.append(("law", f"{report.law.law}, R² = {report.law.r_squared:.6g}"))
    rows += [
        ("current unit", plain(device.card.units.current)),
        ("range", f"{device.curve.lo_v:g} V to {device.curve.hi_v:g} V"),
    ]
    if device.delivers is None:
        rows.append(("passive", "yes: its current has the sign of its voltage"))
    else:
        volts, current = device.delivers
        text = f"at {volts:.4g} V it carries {current:.4g}, against its voltage"
        small = device.within_scatter(current)
        said = "no, but by less than its points scatter" if small else "no; --kind passive fits a curve that is"
        rows.append(("passive", Verdict(f"{said}: {text}", warning=not small)))
    spread = device.card.spread
    if spread is not None:
        drawn = with_card_spread(result.technology, [device]).devices.mismatch_of == "cards"
        use = "its circuits are drawn with it" if drawn else "not used: the technology sets another"
        text = f"{spread.area_sigma:.2%} of the current, {si(spread.shift_sigma_v, 'V')}: {use}"
        rows.append(("spread", f"of {spread.devices} devices: {text}"))
    return rows


def steadiness(result: DeviceTrial) -> list[Fact]:
    """What holds one device, as it was measured and as networks have it."""
    own, tia = result.own, result.technology.tia
    unit_a = result.technology.units.i_unit_a
    sizes = [("in its circuits", unit_a)]
    if own.largest_a is not None:
        sizes.insert(0, ("as measured", own.largest_a))
    rows: list[Fact] = []
    for label, largest_a in sizes:
        fall = own.fall(largest_a)
        if fall is None:
            return [("falls", "nowhere: one amplifier holds it as it holds a resistor")]
        slope = si(-fall.siemens, "A")
        text = (
            f"largest current {si(largest_a, 'A')}; it falls by {slope} per volt at {fall.at_v:.3g} V; "
            f"more than {si(fall.largest_ohm, 'Ω')} in series and it has two currents at one voltage"
        )
        if math.isfinite(tia.gbw_hz):
            held = si(fall.feedback_f(tia.gbw_hz), "F")
            text += f"; an amplifier of {si(tia.gbw_hz, 'Hz')} holds it with {held} across its feedback"
        rows.append((label, text))
    return rows


def setting(result: DeviceTrial) -> list[Fact]:
    """What the networks and circuits are."""
    used = ", ".join(f"{each.task} 0 V to {each.range_v:.3g} V" for each in result.own.trials)
    return [
        ("networks", "digits 64-16-10, two moons 2-12-2, of one type of device, trained without their circuits"),
        ("samples", "200 that no training sees"),
        ("uses", f"{used}; what part of a device's range a network has is chosen on samples held out"),
        ("currents", f"the largest of every device is {si(result.technology.units.i_unit_a, 'A')} at an area of 1"),
        ("technology", f"{plain(result.technology.name)}, {many(result.specimens, 'specimen')} of each circuit"),
        ("took", f"{result.seconds:.0f} s"),
    ]
