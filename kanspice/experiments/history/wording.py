"""Results over time, in plain sentences and cells of tables."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from kanspice.experiments.compare import wording as compared
from kanspice.experiments.compare.comparison import Change, Comparison
from kanspice.experiments.history.history import GAP, History, HistoryEntry
from kanspice.experiments.verify.wording import ROUNDING
from kanspice.gap.metric_table import has_minimum, metric_named
from kanspice.report.blocks import Highlight, Highlights
from kanspice.report.formatting import NOTHING, many, number, percentage, plain
from kanspice.report.verdict import Verdict

_DIGITS = 7
"""Of a SHA-256: enough to tell a few apart."""
_NAMED = 3
"""So many reports are named in a sentence."""
_SORTS = {"inputs": "samples", "model": "network", "options": "engine"}
"""Of facts by what their names begin with, where that is not the word for readers."""
_ORDER = ("samples", "answers", "network", "technology", "circuit", "specimen", "chip", "sized for", "engine")
_LEADS = (
    *("inputs.sha256", "inputs.samples", "answers.sha256", "sized for.sha256", "chip.sha256"),
    *("specimen.sha256", "model.sha256", "circuit.fidelity", "options.seed"),
    *("engine.name", "engine.version", "versions.kanspice"),
)
"""Facts that are named first; then come values of the technology, then all others."""


def title(metric: str) -> str:
    """A metric's name for readers: "relative RMSE", "relative RMSE of l1.crossbar"."""
    known = metric_named(metric)
    stage = metric.rpartition(".")[0]
    said = plain(metric) if known is None else known.title
    return f"{said} of {plain(stage)}" if stage and known is not None else said


def is_fraction(metric: str) -> bool:
    """Whether readers get it in percent."""
    known = metric_named(metric)
    return known is not None and known.unit == "fraction"


def figure(metric: str, value: float | None) -> str:
    """A value of a metric; fractions in percent, and 0 for a gap that is rounding."""
    if value is not None and is_fraction(metric):
        return percentage(value)
    return "0" if metric == GAP and value is not None and value < ROUNDING else number(value)


def headline(found: History) -> Verdict:
    """Where the first metric stands, and where it was; or whether the gap grew by more than is allowed."""
    if found.judged is not None:
        said = compared.headline(found.judged)
        before, after = found.entries[-2:]
        return Verdict(f"{said.text} ({plain(before.name)}, then {plain(after.name)})", said.warning)
    metric, count = found.metrics[0], len(found.entries)
    stretch = found.stretches_of(metric)[-1]
    if not found.last.result.is_measured:
        return Verdict(f"the last of {many(count, 'report')} was not measured: {plain(found.last.name)}", warning=True)
    if found.last.value(metric) is None:
        which = f"the last of {many(count, 'report')}" if count > 1 else "the report"
        return Verdict(f"{which} has no {title(metric)}: {plain(found.last.name)}", warning=True)
    is_now = f"the {title(metric)} is {figure(metric, found.last.value(metric))}"
    if count == 1:
        return Verdict(is_now)
    now = f"in the last of {count:,} reports {is_now}"
    values = _measured(found, metric)
    same = "samples" if stretch == found.stretches[-1] else "true answers"
    if len(stretch) == 1:
        return Verdict(f"{now}; the report before it has not the same {same}", warning=True)
    if len(values) < 2:
        return Verdict(now)
    among = "all" if len(stretch) == count else "the last"
    same = "" if len(stretch) == count else f" with the same {same}"
    networks = len({found.entries[place].result.model.sha256 for place in stretch})
    of = f" (of {many(networks, 'network')})" if networks > 1 else ""
    now += f"; in {among} {len(stretch):,}{same}{of}"
    low, high = (figure(metric, edge(values)) for edge in (min, max))
    without = len(stretch) - len(values)
    left = f"; {without:,} of them without one" if without else ""
    return Verdict(f"{now} it is {f'between {low} and {high}' if low != high else 'the same'}{left}")


def highlights(found: History) -> Highlights:
    """The metrics at both ends of what can be compared, how many reports there are, and how many do not pass."""
    shown = [_both_ends(found, metric) for metric in found.metrics[:2]]
    dates = [entry.result.date[:10] for entry in found.entries if entry.result.date is not None]
    spans = f"{dates[0]} to {dates[-1]}" if dates and found.by_date else "in the order given"
    networks = len({entry.result.model.sha256 for entry in found.entries})
    said = f"{spans}; {many(networks, 'network')}"
    shown.append(Highlight("reports", f"{len(found.entries):,}", Verdict(said), again=True))
    bad = [entry for entry in found.entries if entry.result.exit_code]
    said = f"last of them {plain(bad[-1].name)}" if bad else "all of them passed, or had no limit"
    shown.append(Highlight("not passed", f"{len(bad):,}", Verdict(said, warning=found.last in bad), again=True))
    return Highlights(shown)


def _both_ends(found: History, metric: str) -> Highlight:
    stretch, values = found.stretches_of(metric)[-1], _measured(found, metric) or [math.nan]
    first, last = (figure(metric, value) for value in (values[0], values[-1]))
    way = "better larger" if has_minimum(metric) else "better smaller"
    of = "first → last report" if len(stretch) == len(found.entries) else f"over the last {len(stretch)} reports"
    if len(values) < len(stretch):
        of += f", of {len(values):,} that have one"
    return Highlight(title(metric), f"{first} → {last}", Verdict(f"{of}; {way}"), again=True)


def _measured(found: History, metric: str) -> list[float]:
    """Of the reports since samples, or what else the metric is of, last changed that were measured, in order."""
    since = [found.entries[place] for place in found.stretches_of(metric)[-1]]
    values = [entry.value(metric) for entry in since if entry.result.is_measured]
    return [value for value in values if value is not None]


def remarks(found: History) -> list[Verdict]:
    """What a reader must know before comparing the figures; warnings where two things are not the same thing."""
    return list(_remarks(found))


def _remarks(found: History) -> Iterator[Verdict]:
    if found.by_date:
        equal = "; those of one second are in the order given" if found.has_equal_dates else ""
        yield Verdict(f"the order is that of the dates that reports record (UTC){equal}")
        if found.yet_to_come:
            yield Verdict(f"dates that are yet to come, and stand last: {_named(found.yet_to_come)}", warning=True)
    else:
        without = [entry for entry in found.entries if entry.result.date is None]
        text = f"the order is that in which reports were given: {_named(without)} without a date"
        yield Verdict(text, warning=True)
    for entry, step in zip(found.entries[1:], found.steps, strict=True):
        if step.obstacles:
            why = "; ".join(step.obstacles)
            yield Verdict(f"{plain(entry.name)} cannot be compared with the report before it: {why}", warning=True)
    after = list(zip(found.entries[1:], found.steps, strict=True))
    networks = [entry for entry, step in after if _is_other(step, "model.sha256")]
    if networks:
        text = f"another network (checkpoint) than in the report before: {_named(networks)}"
        yield Verdict(text, warning=True)
    answers = [entry for entry, step in after if step.has_other_answers]
    if answers:
        text = f"other true answers (labels or targets) than in the report before: {_named(answers)}"
        yield Verdict(text, warning=True)
    technologies = [entry for entry, step in after if step.technology]
    if technologies:
        yield Verdict(f"another technology than in the report before: {_named(technologies)}")
    unmeasured = [entry for entry in found.entries if not entry.result.is_measured]
    if unmeasured:
        yield Verdict(f"not measured: {_named(unmeasured)}", warning=True)


def _is_other(step: Comparison, *facts: str) -> bool:
    return any(change.name in facts for change in step.facts)


def is_other_network(step: Comparison) -> bool:
    """Whether the checkpoint is another one."""
    return _is_other(step, "model.sha256")


def verdict(entry: HistoryEntry) -> str:
    """A word or two for a cell."""
    match entry.result.exit_code:
        case 0:
            return "passed" if entry.result.limits else "measured"
        case 1:
            return "FAILED"
        case _:
            return "NOT MEASURED"


def measured(found: History, entry: HistoryEntry) -> str:
    """When: the day, with the minute where several reports are of one day."""
    days = [each.result.date[:10] for each in found.entries if each.result.date is not None]
    if entry.result.date is None:
        return NOTHING
    return entry.result.date[:10] if len(set(days)) == len(days) else entry.result.date[:16].replace("T", " ")


def short(sha256: str) -> str:
    """The first digits of a hash."""
    return plain(sha256[:_DIGITS])


def growth(step: Comparison | None) -> str:
    """By how much the gap changed since the report before: "+12 %", "same" within numerical error; "" of the first.

    "-" where the two cannot be compared, or one of them lacks samples.
    """
    if step is None:
        return ""
    if not step.measured or math.isnan(step.growth):
        return NOTHING
    if step.growth > 0:
        return f"+{compared.percent(step.growth)}" if step.growth < 1 else f"x {number(1 + step.growth)}"
    back = Comparison(step.after, step.before).growth
    return f"-{compared.percent(back / (1 + back))}" if back > 0 else "same"


def changes(step: Comparison | None) -> list[Change]:
    """What is not the same as before, the most important first; a technology's name where nothing else of it is."""
    if step is None:
        return []
    leading = {name: place for place, name in enumerate(_LEADS)}
    facts = sorted(step.facts, key=lambda change: leading.get(change.name, len(leading)))
    first = [change for change in facts if change.name in leading]
    values = [change for change in step.technology if change.name != "name"] or list(step.technology)
    return [*first, *values, *(change for change in facts if change.name not in leading)]


def changed(step: Comparison | None) -> str:
    """What sort of things are not the same as before: "network, technology"; "nothing", and "" for the first."""
    if step is None:
        return ""
    sorts = {_SORTS.get(change.name.partition(".")[0], change.name.partition(".")[0]): None for change in step.facts}
    every = [*sorts, *(["technology"] if step.technology else [])]
    return ", ".join(sorted(every, key=lambda sort: _ORDER.index(sort) if sort in _ORDER else len(_ORDER))) or "nothing"


def _named(entries: Sequence[HistoryEntry]) -> str:
    """The newest, and how many more: "e, d, c and 2 more"."""
    names = ", ".join(plain(entry.name) for entry in entries[::-1][:_NAMED])
    more = len(entries) - _NAMED
    return f"{names} and {more:,} more" if more > 0 else names
