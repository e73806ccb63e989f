"""What tuning came to, in plain sentences and tables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

from kanspice.experiments.verify.wording import cross_check as said_of
from kanspice.report.blocks import Fact, Highlight, Highlights, Table
from kanspice.report.formatting import NOTHING, counted, many, number, percentage, plain, share
from kanspice.report.verdict import Verdict

if TYPE_CHECKING:
    from kanspice.experiments.ensemble.draws import PointDraws
    from kanspice.experiments.ensemble.statistics import Yield
    from kanspice.experiments.tune.result import Arm, ArmKind, TuningResult

_DEVIATIONS = "standard deviations of the targets"


def arm_name(kind: ArmKind) -> str:
    """How a network was trained."""
    if kind.name == "noise":
        return f"noise of {100 * kind.sigma:g} %"
    return {"given": "as given", "plain": "plain training", "circuit": "through the circuit"}[kind.name]


def answer(result: TuningResult) -> Verdict:
    """What tuning does for specimens that it never saw."""
    before, after = result.given.summary, result.tuned.summary
    if after is None:
        return Verdict("Nothing was measured: no sample of any tuned specimen has a result", warning=True)
    specimens = f"{many(len(result.tuned.draws), 'specimen')} that training never saw"
    if result.is_classification:
        was = NOTHING if before is None else percentage(before.mean)
        return Verdict(f"Tuned, {specimens} are {percentage(after.mean)} accurate on average; {was} before")
    was = NOTHING if before is None else number(before.mean)
    said = f"Tuned, the outputs of {specimens} are off by {number(after.mean)} {_DEVIATIONS} (RMS) on average"
    lost = [arm.failed_samples for arm in (result.tuned, result.given)]
    left_out = f"; a draw's samples without a result are in neither: {number(lost[0])}, and {number(lost[1])} before"
    return Verdict(f"{said}; {was} before{left_out if any(lost) else ''}", warning=result.loses_samples)


def highlights(result: TuningResult) -> Highlights:
    """The network as it was given and tuned: mean and worst specimen, and the network alone."""
    both, text = (result.given, result.tuned), percentage if result.is_classification else number
    what = "accuracy" if result.is_classification else "error"
    summaries = [arm.summary for arm in both]
    means = " → ".join(NOTHING if found is None else text(found.mean) for found in summaries)
    alone = " → ".join(NOTHING if arm.itself is None else text(arm.itself) for arm in both)
    shown = [
        Highlight(f"{what} of circuits", means, Verdict("mean of specimens, as given → tuned"), again=True),
        Highlight(f"{what} of the network", alone, Verdict("without a circuit, as given → tuned"), again=True),
    ]
    return Highlights([*shown, *_otherwise(result), _keep(result)])


def _otherwise(result: TuningResult) -> Iterator[Highlight]:
    """The best of the trainings that stand beside."""
    others = [(found.mean, arm) for arm in result.arms[1:] if arm is not result.tuned and (found := arm.summary)]
    if others:
        pick, text = (max, percentage) if result.is_classification else (min, number)
        mean, best = pick(others, key=lambda pair: pair[0])
        said = f"mean of specimens; the best training without the circuit is {arm_name(best.kind)}"
        yield Highlight("without the circuit", text(mean), Verdict(said), again=True)


def _keep(result: TuningResult) -> Highlight:
    """Which network to go on with."""
    if result.is_measured and result.is_better and not result.loses_samples:
        where = "" if result.written is None else f": `kanspice verify {plain(result.written)}` measures it"
        return Highlight("go on with", "the tuned network", Verdict(f"specimens are better with it{where}"))
    said = "tuning did not help: more `--epochs`, another `--rate`, or a better circuit may"
    return Highlight("go on with", "the given network", Verdict(said, warning=True))


def outcome(result: TuningResult) -> Verdict:
    """The last word."""
    if result.engines_disagree:
        return Verdict("FAILED: the engines disagree, so neither can be believed", warning=True)
    if not result.is_measured:
        return Verdict("FAILED: not every draw was measured", warning=True)
    if result.loses_samples:
        return Verdict("tuned and measured, but more samples are without a result than before", warning=True)
    if not result.is_better:
        return Verdict("tuned and measured, but no better than the network as it was given", warning=True)
    return Verdict("tuned and measured" + ("" if result.written is None else f": {plain(result.written)}"))


def yields(result: TuningResult) -> Verdict | None:
    """How many specimens lose little of the network's accuracy; None of a regression."""
    before, after = result.yields(result.given), result.yields(result.tuned)
    if not after or result.given.itself is None:
        return None
    own = percentage(result.given.itself)
    return Verdict(
        f"{_yield(after[0])} of them lose at most 1 % of the network's {own}, {_yield(after[1])} at most 2 %; before"
        f" {_yield(before[0])} and {_yield(before[1])}"
    )


def _yield(found: Yield) -> str:
    return percentage(found.fraction)


def arms(result: TuningResult) -> Table:
    """All networks side by side."""
    header = ["training", "network\nalone", "mean", *_TAILS[result.is_classification]]
    if result.is_classification:
        header += ["at most\n1 % lost", "at most\n2 % lost"]
    failed = any(arm.failed_samples for arm in result.arms)
    header += [*(["failed\nsamples"] if failed else []), "processor\nseconds"]
    return Table(header, [_row(result, arm, failed=failed) for arm in result.arms])


_TAILS = {True: ["5 %\nbelow", "worst"], False: ["5 %\nabove", "worst"]}


def _row(result: TuningResult, arm: Arm, *, failed: bool) -> list[str]:
    found = arm.summary
    if found is None:
        scores = [NOTHING] * 3
    elif result.is_classification:
        scores = [_score(result, value) for value in (found.mean, found.quantiles[1], found.quantiles[0])]
    else:
        scores = [_score(result, value) for value in (found.mean, found.quantiles[-2], found.quantiles[-1])]
    row = [arm_name(arm.kind), _score(result, arm.itself), *scores, *map(_yield, result.yields(arm))]
    row += [number(arm.failed_samples)] if failed else []
    return [*row, NOTHING if arm.course is None else number(arm.course.processor_s)]


def _score(result: TuningResult, value: float | None) -> str:
    if value is None:
        return NOTHING
    return percentage(value) if result.is_classification else number(value)


def of_arms(result: TuningResult) -> str:
    """How to read the table."""
    draws = many(len(result.tuned.draws), "draw")
    scores = "Accuracies" if result.is_classification else f"Root mean squared errors in {_DEVIATIONS}"
    lost = " Accuracy is lost of that of the network as it was given." if result.is_classification else ""
    return (
        f"{scores} of {draws} of each network's circuit, the same specimens for all, on"
        f" {many(result.samples, 'sample')} that no training saw.{lost} A network that was tuned through a circuit is"
        " meant for that circuit: alone it may be worse."
    )


def corners(result: TuningResult) -> Table | None:
    """Before and after, by corner; None for one."""
    if len(result.tuned.points) == 1:
        return None
    rows = [
        (plain(point.point.corner or ""), *(_mean(result, arm, arm.points[place]) for arm in result.arms))
        for place, point in enumerate(result.tuned.points)
    ]
    return Table(("corner", *(arm_name(arm.kind) for arm in result.arms)), rows)


def _mean(result: TuningResult, arm: Arm, point: PointDraws) -> str:
    found = [score for score in map(arm.score_of, point.draws) if score is not None]
    return _score(result, sum(found) / len(found) if found else None)


def trust(result: TuningResult) -> Iterator[Fact]:
    """Why to trust the numbers, or not."""
    yield "unseen?", _unseen(result)
    for arm in result.arms:
        yield "samples", _failures(arm)
        yield "numerical error", _unresolved(arm)
    for said in cross_check(result):
        yield "other engine", said


def _unseen(result: TuningResult) -> Verdict:
    specimens = f"no specimen of training is one of the {many(len(result.seeds), 'seed')} that are measured"
    if not result.repeated:
        return Verdict(f"{specimens}, and no sample is in both")
    count = f"{result.repeated:,} of {many(result.samples, 'measured sample')}"
    return Verdict(
        f"{specimens}; but {count} are among those of training or held out, too: these files overlap", warning=True
    )


def _failures(arm: Arm) -> Verdict | None:
    outcomes: Counter[str] = Counter()
    for draw in arm.draws:
        outcomes.update(draw.failed)
    if not outcomes:
        return None
    listed = ", ".join(f"{count:,} {outcome}" for outcome, count in sorted(outcomes.items()))
    meaning = "wrong answers" if arm.scale is None else "left out of errors"
    return Verdict(f"{arm_name(arm.kind)}: without a result, {meaning}: {listed}", warning=True)


def _unresolved(arm: Arm) -> Verdict | None:
    if not arm.unresolved:
        return None
    first = next(draw for draw in arm.draws if draw.unresolved)
    count = f"{arm.unresolved:,} of {many(len(arm.draws), 'draw')}"
    said = f"{arm_name(arm.kind)}: {count} not resolved: {plain('; '.join(first.unresolved))}"
    return Verdict(said, warning=True)


def cross_check(result: TuningResult) -> Iterator[Verdict]:
    """Whether another engine says the same of tuned specimens."""
    if not result.checks:
        yield Verdict(f"no tuned specimen was checked by another engine: {plain(result.why_unchecked)}", warning=True)
        return
    found = [check.found for check in result.checks]
    if result.engines_disagree or result.is_unchecked or all(each.worst is None for each in found):
        for check in result.checks:
            said = said_of(check.found)
            yield Verdict(f"draw {check.trial}: {said.text}", said.warning)
        return
    largest = max(each.worst or 0.0 for each in found)
    engine = f"{plain(found[0].engine)} {plain(found[0].engine_version)}"
    checked = f"{many(len(found), 'tuned specimen')}, {many(len(found[0].samples), 'sample')} of each"
    yield Verdict(f"{engine} on {checked}, agrees to {number(largest)} of the outputs' standard deviation")


def courses(result: TuningResult) -> Table:
    """How trainings went."""
    rows = []
    for arm in result.arms:
        if arm.course is not None:
            found = arm.course
            left_out = share(found.left_out / found.answers if found.answers else 0.0, found.answers)
            losses = (number(found.losses[0]), number(found.losses[found.best]))
            rows.append((arm_name(arm.kind), counted(found.epochs), counted(found.best), *losses, left_out))
    header = ("training", "epochs", "best after", "loss\nbefore", "loss\nafter", "answers\nwithout gradient")
    return Table(header, rows)


def of_courses(result: TuningResult) -> str:
    """How to read the table."""
    loss = "cross-entropy in nats" if result.is_classification else "squared error in variances of the targets"
    return (
        f"Losses ({loss}) are of samples held out, and of {many(result.schedule.specimens, 'specimen')} of their own;"
        " the network is the one after the epoch where that is least. A training with noise is judged with noise."
    )


def of_again(result: TuningResult) -> str:
    """What the command does that stands below."""
    said = "Measures the tuned network's first specimen by itself"
    if result.places is None:
        return f"{said}."
    rows = "TEST.npy has the rows that --json names as samples.places, and TEST_ANSWERS.npy their answers"
    return f"{said}. {rows}{'' if result.sized_for is None else '; REST.npy has the others'}."


def _sized_for(result: TuningResult) -> str:
    if result.sized_for is None:
        return "nothing in them is sized for samples"
    source = plain(result.sized_for.path) or "Python"
    which = f"in {source}" if result.places is None else f"of {source} that are not measured"
    return f"sized for {many(result.sizing_samples, 'sample')}, all those {which}; steps of training for some of them"


def setup(result: TuningResult) -> list[Fact]:
    """What was done with what."""
    model, schedule = result.model, result.schedule
    aims = {"labels": "classes", "targets": "true answers", "outputs": "the network's own outputs, as it was given"}
    seconds = "" if schedule.seconds is None else f", or {schedule.seconds:g} s of processor time"
    noise = "" if not schedule.input_noise else f", noise of {schedule.input_noise:g} on inputs"
    places = "drawn among those given" if result.places is not None else f"from {plain(result.inputs.path) or 'Python'}"
    return [
        ("model", f"{plain(model.path)} ({plain(model.family)}, {counted(model.parameters)} parameters)"),
        *[("read", plain(note)) for note in result.model_notes],
        ("technology", plain(", ".join(_technologies(result)))),
        (
            "trained on",
            f"{many(result.training_samples, 'sample')}; {result.held_out_samples:,} more told when to stop",
        ),
        ("measured on", f"{many(result.samples, 'sample')}, {places}"),
        ("circuits", _sized_for(result)),
        ("aim", aims[result.aim]),
        ("schedule", f"up to {many(schedule.epochs, 'epoch')}{seconds}; steps of {schedule.rate:g}{noise}"),
        ("draws", f"{many(len(result.seeds), 'draw')} of seed {schedule.seed}"),
    ]


def _technologies(result: TuningResult) -> list[str]:
    return [
        f"{point.point.corner}: {', '.join(point.point.overrides)}"
        if point.point.corner
        else ", ".join(point.point.overrides) or point.point.technology.name
        for point in result.tuned.points
    ]
