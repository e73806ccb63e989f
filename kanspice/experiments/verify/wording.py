"""What one `verify` says, worded once for every rendering."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from kanspice.engine.solution import Outcome
from kanspice.experiments.verify.chip import wording as chips
from kanspice.experiments.verify.result import GapResult
from kanspice.gap.causes import Attribution
from kanspice.gap.cross_check import CrossCheck
from kanspice.gap.metric_table import BY_NAME
from kanspice.gap.metrics import NEGLIGIBLE
from kanspice.gap.projection import ProjectionGap
from kanspice.gap.resolution import OF_THE_GAP, Limit
from kanspice.report.formatting import many, number, percentage, plain, share
from kanspice.report.verdict import Verdict

ROUNDING = 1e-12
"""Relative RMSE below which a gap is the rounding of 64-bit numbers, and is written as 0."""


WORTH_A_WARNING = 0.1
"""Numerical error above this fraction of the gap makes the gap doubtful."""


def distance(result: GapResult) -> Verdict:
    """How far the circuit is from the network."""
    gap, solved = result.gap, result.samples - len(result.failed)
    if solved == 0:
        return Verdict(f"Nothing was measured: no sample of {result.samples:,} was solved", warning=True)
    over = f" over the {solved:,} of {result.samples:,} samples that were solved" if result.failed else ""
    chip = "" if result.chip is None else chips.distances(result.chip, result.samples)
    if gap.relative_rmse is None:
        return Verdict(
            f"The circuit's outputs differ from the network's by {number(gap.rmse)} model units (RMSE){over}{chip};"
            " there is no relative figure, because the network's outputs do not vary over the samples"
        )
    found = result.projection
    learnt = ""
    if found is not None:
        whole = number(found.whole.relative_rmse)
        learnt = f"; from those of the learnt network, by {whole}{_over(found, result.samples)}"
    return Verdict(
        f"{_right(result)}he circuit's outputs differ from the network's by {number(gap.relative_rmse)} of their"
        f" standard deviation (relative RMSE){over}{learnt}{chip}"
    )


def _right(result: GapResult) -> str:
    """How right both are, where that is known, and the first letter of what follows."""
    if result.accuracy is not None:
        network, circuit = (percentage(result.accuracy.get(who, math.nan)) for who in ("reference", "circuit"))
        if network == circuit:
            return f"The network and its circuit are right on {network} of the samples; t"
        return f"The network is right on {network} of the samples, its circuit on {circuit}; t"
    if result.loss is not None:
        network, circuit = (number(result.loss.get(who)) for who in ("reference", "circuit"))
        return f"The network's mean squared error is {network}, its circuit's {circuit}; t"
    return "T"


def numerical(result: GapResult) -> Verdict:
    """Whether the gap is the circuit's, or the simulation's own numerical error."""
    if result.numerical is None:
        return Verdict("numerical error was not measured: nothing says how much of the gap is the circuit's", True)
    error, gap, relative = _comparable(result)
    if math.isnan(error) or math.isnan(gap):
        return Verdict("numerical error could not be compared with the gap: one of them has no value", True)
    if result.unresolved:
        return Verdict(f"not resolved: {'; '.join(result.unresolved)}", True)
    return _beside_the_gap(result, error, gap, relative=relative)


def _beside_the_gap(result: GapResult, error: float, gap: float, *, relative: bool) -> Verdict:
    """What a numerical error says about a gap in the same unit."""
    larger = max(error, gap)
    if larger == 0 or (relative and larger < ROUNDING):
        return Verdict("the circuit agrees with the network to within rounding")
    if relative and larger < NEGLIGIBLE:
        return Verdict(f"the circuit agrees with the network: below {NEGLIGIBLE:g} gap and error are not told apart")
    if error <= WORTH_A_WARNING * gap:
        meaning = "the gap is the circuit's" if relative else "outputs that do not vary give rounding no scale"
        return Verdict(f"numerical error is less than a tenth of the gap: {meaning}")
    which = "the gap is" if error > OF_THE_GAP * gap else "part of the gap is"
    whose = " (of the network's own integration, for the most part)" if _is_the_references(result) else ""
    return Verdict(f"{which} numerical error{whose}, not circuit: it is more than a tenth of the gap", True)


_RERUNS = {
    ("ngspice", "kanalogue"): ", in reverse order, with tighter tolerances",
    ("ngspice", "mlp"): ", in reverse order, with tighter tolerances",
    ("ngspice", "memkan"): ", in reverse order, with tighter tolerances",
    ("ngspice", "memkan-surrogate"): ", in reverse order, with tighter tolerances",
    ("ngspice", "kirchhoffnet"): ", with other time steps",
    ("batched", "kanalogue"): ", from another start, with whole curves in every device",
    ("batched", "mlp"): ", from another start, with whole curves in every device",
    ("batched", "kirchhoffnet"): ", with a tenth of the error in every step",
    ("batched", "phykan"): ": nothing in its formulae can be tighter",
    ("batched", "memkan-surrogate"): ": nothing in its formulae can be tighter",
    ("batched", "memkan"): ": nothing in its formulae can be tighter",
}


_RERUNS_IN_VACASK = {
    "kirchhoffnet": ", with other time steps",
    "phykan": ", in the opposite order",
    "memkan": ", in the opposite order",
    "memkan-surrogate": ", in the opposite order",
}
_FROM_ELSEWHERE = ", each from another start, with tighter tolerances"
"""Of circuits of subcircuits, which ngspice solves sample by sample, each from where macro-models would be."""
_OTHER_START = ", from another start and in the opposite order"
"""Of crossbars in VACASK."""


_RERUNS_OF_FILTERS = {
    "filter": ", in reverse order: the analyses are linear, nothing in them can be tighter",
    "transient": ", with twice as many time steps",
}
"""In ngspice."""


def solved_again(result: GapResult) -> str:
    """How many samples were solved again to measure the numerical error, and how; "" where none were."""
    if result.numerical is None:
        return ""
    engine, family = result.engine.name, result.model.family
    if (engine, family) == ("ngspice", "phykan"):
        how = _RERUNS_OF_FILTERS.get(result.design.fidelity, "")
    elif "starts" in result.engine.options:
        how = _FROM_ELSEWHERE
    else:
        how = _RERUNS_IN_VACASK.get(family, _OTHER_START) if engine == "vacask" else _RERUNS.get((engine, family), "")
    return f"{many(result.numerical.samples, 'sample')} solved again{how}"


def numerical_error(result: GapResult) -> Verdict:
    """The same with the figures that it rests on."""
    found, said = result.numerical, numerical(result)
    if found is None:
        return said
    figures = f"{number(found.relative_rmse)} relative RMSE, {number(found.max_abs)} model units at most"
    return Verdict(f"{said.text} ({figures}, over {solved_again(result)})", said.warning)


REFERENCE_AGAIN = "integrated again with a hundredth of the error in every step"
"""How a network's own numerical error is measured."""


def integrated_again(result: GapResult) -> str:
    """Of how many samples the network's own integration was repeated, and how; "" where it has none."""
    if result.reference_error is None:
        return ""
    return f"{many(result.reference_error.samples, 'sample')} {REFERENCE_AGAIN}"


def _comparable(result: GapResult) -> tuple[float, float, bool]:
    """Numerical error, of circuit and network, and gap in the same unit, and whether that is the relative one."""
    relative = result.doubt.relative_rmse
    if relative is not None and result.gap.relative_rmse is not None:
        return relative, result.gap.relative_rmse, True
    return result.doubt.rmse, result.gap.rmse, False


def _is_the_references(result: GapResult) -> bool:
    """Whether most of the numerical error is the network's own."""
    circuit, reference = result.numerical, result.reference_error
    return reference is not None and (circuit is None or reference.rmse > circuit.rmse)


def weakest(result: GapResult) -> Verdict:
    """Which stage adds most."""
    if not any(math.isfinite(stage.added.rmse) for stage in result.stages):
        return Verdict("no stage was measured")
    if all(stage.added.relative_rmse is None for stage in result.stages):
        return Verdict("no stage has a relative figure: the network does not vary over the samples")
    stage = result.weakest_stage
    if stage is None:
        return Verdict("no stage adds more than rounding")
    return Verdict(f"{plain(stage.name)} adds most: relative RMSE {number(stage.added.relative_rmse)}")


UNCHECKED = "the other engine could not check every sample that it was asked to"
"""Not a word against the results."""


def cross_check(found: CrossCheck) -> Verdict:
    """Whether another engine says the same."""
    engine = f"{plain(found.engine)} {plain(found.engine_version)}".strip()
    checked = f"{engine} on {many(len(found.samples), 'sample')}"
    if found.outcomes:
        first = found.outcomes[0]
        seen = f"sample {first.index} is {first.outcome} here and {first.other_outcome} there"
        return Verdict(f"{checked} disagrees about {many(len(found.outcomes), 'outcome')}: {seen}", warning=True)
    if found.worst is None and not found.not_checked:
        return Verdict(f"{checked}: no sample has a result in either engine")
    said = "" if found.worst is None else _agreement(found, found.worst)
    if found.not_checked:
        lost, count = found.not_checked[0], f"{len(found.not_checked):,} of {many(len(found.samples), 'sample')}"
        others = f"; it {said} on the others" if said else ""
        text = f"{engine}: {count} not checked: sample {lost.index}, {plain(lost.why)}{others}"
        return Verdict(text, warning=True)
    return Verdict(f"{checked} {said}", warning=found.disagrees)


def engines_agree(result: GapResult) -> Verdict:
    """That of several engines which all say the same."""
    checks = result.cross_checks
    *first, last = (
        f"{plain(name)} {plain(version)}".strip()
        for name, version in (
            (result.engine.name, ""),
            *((check.engine, check.engine_version) for check in checks),
        )
    )
    worst = max((check.worst for check in checks if check.worst is not None), default=0.0)
    samples = many(len(checks[0].samples), "sample")
    return Verdict(f"{', '.join(first)} and {last} agree to {number(worst)} of the outputs' spread on {samples}")


def _agreement(found: CrossCheck, worst: float) -> str:
    word = "disagrees by" if found.disagrees else "agrees to"
    figures = f"{number(worst)} of the outputs' standard deviation at most (sample {found.worst_sample})"
    return f"{word} {figures}, allowed {number(found.allowed)}"


def sized_for(result: GapResult) -> str | None:
    """The samples that the circuit was made for, where they are not those that were measured."""
    if result.sized_for is None:
        return None
    return f"{plain(result.design.swing_basis)}, {plain(result.sized_for.path) or 'given'}"


def failures(result: GapResult) -> Verdict:
    """How many samples have no result."""
    count = len(result.failed)
    if count == 0:
        return Verdict(f"solved: {result.samples:,} of {result.samples:,}")
    return Verdict(
        f"{count:,} of {many(result.samples, 'sample')} without a result: in no average; counted as wrong and as"
        " disagreement",
        warning=True,
    )


def stability(result: GapResult) -> Verdict | None:
    """Whether the circuit stays where it was solved; None where all of it does."""
    count = sum(failure.outcome is Outcome.UNSTABLE for failure in result.failed)
    if count == 0:
        return None
    return Verdict(
        f"in {count:,} of {many(result.samples, 'sample')} the circuit does not stand still: it oscillates or runs away"
        " from an operating point that exists on paper only",
        warning=True,
    )


def decisions(result: GapResult) -> Verdict:
    """Whether the largest output is the same one."""
    if result.gap.argmax_agreement is None:
        return Verdict("does not apply: one output" if result.reference.shape[1] == 1 else "not measured")
    return Verdict(f"the same largest output for {share(result.gap.argmax_agreement, result.samples)}")


def further(result: GapResult) -> Iterator[tuple[str, str]]:
    """The metrics that nothing else in a report amounts to, as (title, value with its unit)."""
    for name, value in result.metrics.items():
        metric = BY_NAME.get(name)  # none where another version of kanspice wrote the report
        title, unit = (plain(name), "") if metric is None else (metric.title, metric.unit)
        yield title, f"{number(value)} {unit}".rstrip()


def outcome(result: GapResult) -> Verdict:
    """The last word."""
    unknown = sum(math.isnan(limit.value) for limit in result.limits)
    broken = not_kept(result.limits)
    unstable = stability(result)
    if unstable is not None:
        return Verdict(f"FAILED: {unstable.text}", warning=True)
    why = _unmeasured(result)
    if why is not None:
        return Verdict(f"FAILED: {why}", warning=True)
    if broken or unknown:
        parts = [broken] if broken else []
        parts += [f"{unknown} without a value (relative figures need two samples)"] if unknown else []
        return Verdict(f"FAILED: of {many(len(result.limits), 'limit')}, {' and '.join(parts)}", warning=True)
    return Verdict(
        f"passed: {many(len(result.limits), 'limit')} kept" if result.limits else "measured; no limit was given"
    )


def not_kept(limits: Sequence[Limit]) -> str:
    """How many maxima are exceeded, how many minima not reached: "1 exceeded and 2 not reached"; "" where none is."""
    broken = [limit.is_minimum for limit in limits if not limit.passed and not math.isnan(limit.value)]
    counts = {"exceeded": broken.count(False), "not reached": broken.count(True)}
    return " and ".join(f"{count} {said}" for said, count in counts.items() if count)


def _unmeasured(result: GapResult) -> str | None:
    reasons = (
        (bool(result.failed), "not every sample was solved"),
        (result.engines_disagree, "the engines disagree, so neither can be believed"),
        (result.is_unchecked, UNCHECKED),
        (not result.is_finite, "the gap is no finite number"),
        (bool(result.unresolved), "not resolved: numerical error cannot be told from the gap"),
    )
    return next((why for holds, why in reasons if holds), None)


def projection(found: ProjectionGap, samples: int) -> Verdict:
    """How far the circuit is from the network that its own was made of."""
    whole, made = number(found.whole.relative_rmse), number(found.made.relative_rmse)
    said = f"From the learnt network the circuit is {whole} away (relative RMSE), its network of devices {made}"
    return Verdict(f"{said}{_over(found, samples)}", warning=found.samples < samples)


def _over(found: ProjectionGap, samples: int) -> str:
    """Of which samples, where it is not all of them."""
    return f" (over {found.samples:,} of {many(samples, 'sample')})" if found.samples < samples else ""


def attribution(found: Attribution, samples: int, projection: ProjectionGap | None = None) -> Verdict:
    """What the shares are of, and what made them."""
    if found.orders:
        made = f"± one standard error of {found.orders} orders in which causes join, drawn of all"
    else:
        made = "exact"
    solved = f"{found.trials} circuits, {found.engine} engine"
    if found.samples == 0:
        return Verdict(f"No shares: no sample was solved in all of {solved}", warning=True)
    error = "mean squared error" if projection is None else "mean squared error from the learnt network"
    text = f"Shares of the {error} add up to 100 %; this run's numerical error is not counted: {made}; {solved}"
    if found.samples < samples:
        return Verdict(f"{text}; only of the {many(found.samples, 'sample')} solved in all of them", warning=True)
    return Verdict(text)
