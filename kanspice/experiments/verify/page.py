"""A gap as a page: how far, whether to trust it, where it arises, whether it matters, and how it was measured."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping

from kanspice.base.quantities import si
from kanspice.experiments.parts import DesignPart, EnginePart
from kanspice.experiments.verify import (
    answer_blocks,
    cause_plots,
    cause_wording,
    circuit_blocks,
    crossbar_blocks,
    distributions,
    law_blocks,
    opening,
    physical,
    plots,
    projection_blocks,
    sample_plots,
    waveform_plots,
    wording,
)
from kanspice.experiments.verify.chip import blocks as chip_blocks
from kanspice.experiments.verify.chip import wording as chips
from kanspice.experiments.verify.imperfections import imperfections
from kanspice.experiments.verify.result import GapResult
from kanspice.gap.metrics import Gap
from kanspice.report.blocks import (
    Block,
    Detail,
    Fact,
    Facts,
    Failures,
    Limits,
    Line,
    Literal,
    Notes,
    Page,
    Picture,
    Pictures,
    Section,
    Table,
)
from kanspice.report.checks import Check, Problem, engines_problem, limit_check, unresolved_problem
from kanspice.report.formatting import (
    NOTHING,
    counted,
    devices,
    durations,
    many,
    number,
    peaks,
    plain,
    share,
)
from kanspice.report.verdict import Verdict

SHOWN_WAVEFORMS = 3
"""Of so many samples a page shows the node voltages over time."""
_TIMED = ("load_s", "compile_s", "simulate_s")


def gap_page(result: GapResult) -> Page:
    """The gap first, then everything that its reader asks next."""
    return Page(
        title=f"Sim-to-real gap of {plain(result.model.path)}",
        subject=plain(result.model.path),
        command="kanspice verify",
        answer=wording.distance(result),
        outcome=wording.outcome(result),
        exit_code=result.exit_code,
        lead=_lead(result),
        sections=tuple(_sections(result)),
        checks=_checks(result),
        setup=Facts(_setup(result)),
    )


def _lead(result: GapResult) -> list[Block]:
    shown = opening.picture(result)
    limits = [Limits(result.limits)] if result.limits else []
    return [opening.highlights(result), *limits, Pictures([] if shown is None else [shown])]


def _sections(result: GapResult) -> Iterator[Section]:
    notes = Notes([plain(note) for note in result.notes], fold=many(len(result.notes), "note"))
    yield Section("Can the number be trusted?", (Facts(list(_trust(result))), Failures(result.failed), notes))
    if result.chip is not None:
        yield Section("How far is the measured chip?", tuple(chip_blocks.blocks(result, result.chip)))
    yield Section("At which stage does it arise?", _stages(result))
    if result.projection is not None:
        yield Section(
            "How far is it from the learnt network?",
            projection_blocks.blocks(result.projection, result.gap, result.samples),
        )
    if result.causes:
        yield Section("Which cause?", _causes(result))
    if result.waveforms:
        yield Section("How does it grow?", _waveforms(result))
    yield Section("Does it matter?", (Facts(list(_matters(result))), *_outputs(result)))
    for title, blocks in (
        ("Where do devices work?", (*crossbar_blocks.devices(result), *law_blocks.laws(result))),
        ("Where in the crossbars?", crossbar_blocks.maps(result)),
    ):
        if blocks:
            yield Section(title, blocks, aside=True, long=True)
    wrong = answer_blocks.wrong(result)
    if wrong:
        yield Section("Which answers are wrong?", wrong, aside=True, long=True)
    if result.worst:
        yield Section("Which samples are worst?", answer_blocks.worst(result.worst), aside=True, long=True)
    yield Section("What is not ideal?", (_imperfections(result),), aside=True, long=True)
    if result.physical is not None:
        yield Section("What does it cost?", physical.blocks(result.physical))
    yield Section("How it was measured", tuple(_measured(result)), aside=True, long=True)


def _trust(result: GapResult) -> Iterator[Fact]:
    yield "numerical error", wording.numerical_error(result)
    own = result.reference_error
    if own is not None:
        figures = f"{number(own.relative_rmse)} relative RMSE, {number(own.max_abs)} model units at most"
        yield "network's own", f"{figures}: {wording.integrated_again(result)}"
    for check in result.cross_checks:
        yield "other engine", wording.cross_check(check)
    if result.further_checks and all(check.passed for check in result.cross_checks):
        yield "engines", wording.engines_agree(result)
    for who, gap in (("network", result.external_gap), ("circuit", result.external_circuit_gap)):
        if gap is not None:
            yield "same network?", f"the {who} differs from the outputs computed elsewhere by {_relative(gap)}"
    yield "samples", wording.failures(result)


def _relative(gap: Gap) -> str:
    return f"relative RMSE {number(gap.relative_rmse)}, largest relative error {number(gap.max_relative)}"


def _stages(result: GapResult) -> tuple[Block, ...]:
    weakest = wording.weakest(result)
    said = Line(Verdict(f"{weakest.text}.", weakest.warning))
    if not result.stages:
        return (said,)
    has_columns = any(stage.largest_column_v is not None for stage in result.stages)
    rows = []
    for stage in result.stages:
        gaps = stage.gap.relative_rmse, stage.added.relative_rmse, stage.gap.max_abs
        volts = (stage.largest_v, stage.largest_column_v) if has_columns else (stage.largest_v,)
        rows.append([plain(stage.name) + " *" * stage.behavioural, *map(number, gaps), *map(_volts, volts)])
    header = ["stage", "gap, relative RMSE", "added here", "max |error|, model units"]
    header += ["largest\nvoltage", "largest at\ncolumns"]
    formula = "* a behavioural block: its formula was simulated, no circuit"
    added = (
        '"Added here" compares a stage with an ideal one that is fed the circuit\'s own voltages: what it did wrong'
        " itself, not what it passed on."
    )
    return (
        said,
        *circuit_blocks.drawing(result),
        Table(header[: len(rows[0])], rows, fold=many(len(rows), "stage")),
        *([_small(formula)] if any(stage.behavioural for stage in result.stages) else []),
        Detail([_small(added)]),
        Pictures(_further(result, [Picture.of(opening.STAGES, plots.stages, result)])),
    )


def _volts(largest: float | None) -> str:
    return NOTHING if largest is None or math.isnan(largest) else si(largest, "V")


def _small(text: str) -> Line:
    return Line(Verdict(text), small=True)


def _causes(result: GapResult) -> tuple[Block, ...]:
    shared = (
        []
        if result.attribution is None
        else [wording.attribution(result.attribution, result.samples, result.projection)]
    )
    solved = (
        "Gaps are relative RMSE of the same samples, solved with this imperfection and no other, and with all the"
        " others."
    )
    by_section = cause_wording.sections(result.causes)
    own = (
        "The share of a single imperfection is the mean of what it adds first of all and last of all: fair where no"
        " three interact. Sections share fairly whatever interacts, so theirs add up."
    )
    alt = "Share of the squared gap that each imperfection makes; the gap with it alone, and without it"
    return (
        cause_wording.table(result.causes),
        *((by_section, _small(own)) if by_section is not None else ()),
        *(Line(Verdict(f"{said.text}.", said.warning), small=True) for said in shared),
        Detail([_small(solved)]),
        Pictures([Picture.of(alt, cause_plots.causes, result)]),
    )


def _waveforms(result: GapResult) -> tuple[Block, ...]:
    shown = result.waveforms[:SHOWN_WAVEFORMS]
    of = "one sample" if len(shown) == 1 else f"the first {len(shown)} samples"
    how = (
        f"Node voltages of {of}: the circuit's, the ODE's dashed over them, and how far they are apart. Vertical lines"
        " stand where one period ends and the next begins."
    )
    pictures = [
        Picture.of(
            f"Sample {each.sample}: node voltages of circuit and ODE over time, and their difference",
            waveform_plots.waveforms,
            each,
        )
        for each in shown
    ]
    return Detail([Line(Verdict(how))]), Pictures(pictures)


def _matters(result: GapResult) -> Iterator[Fact]:
    gap = result.gap
    units = f"RMSE {number(gap.rmse)}, max |error| {number(gap.max_abs)} model units"
    yield "gap", f"{_relative(gap)}; {units}"
    yield "decisions", wording.decisions(result)
    if result.accuracy is not None:
        network, circuit = (share(result.accuracy.get(who), result.samples) for who in ("reference", "circuit"))
        yield "accuracy", f"network {network}, circuit {circuit}"
    if result.loss is not None:
        network, circuit = (number(result.loss.get(who)) for who in ("reference", "circuit"))
        yield "loss", f"network {network}, circuit {circuit} (mean squared error)"
    yield from (("metrics", f"{title}: {value}") for title, value in wording.further(result))
    if result.distribution is not None:
        yield from (("distribution", said) for said in distributions.lines(result.distribution))


def _outputs(result: GapResult) -> Iterator[Pictures]:
    """Of samples that are points of a plane, or images; then of every output."""
    points = []
    if sample_plots.are_points(result):
        points.append(opening.points(result))
        points.append(Picture.of("The error of every sample, magnified", sample_plots.displacements, result))
    if result.generated is not None:
        points += distributions.pictures(result.generated)
    yield Pictures(_further(result, points))
    if result.outputs.size:
        yield Pictures(
            _further(result, [opening.parity(result), Picture.of("Histogram of output errors", plots.errors, result)])
        )


def _further(result: GapResult, pictures: list[Picture]) -> list[Picture]:
    """Those that the page does not open with."""
    first = opening.picture(result)
    return [each for each in pictures if first is None or each.alt != first.alt]


def _imperfections(result: GapResult) -> Block:
    found = imperfections(result)
    if not found:
        process = result.design.process
        what = "the circuit is the ideal one" if process is None else f"what is not ideal is in the models of {process}"
        return Line(Verdict(f"Nothing in the technology: {plain(what)}."))
    rows = [(each.name, each.value, each.ideal) for each in found]
    return Table(("imperfection", "value", "ideal"), rows, under=[each.meaning for each in found])


def _setup(result: GapResult) -> list[Fact]:
    model, design, engine = result.model, result.design, result.engine
    seed = "" if engine.seed is None else f", seed {plain(engine.seed)}"
    return [
        ("model", f"{plain(model.path)} ({plain(model.family)}, {counted(model.parameters)} parameters)"),
        ("circuit", f"{devices(design.devices)}, {counted(design.nodes)} nodes"),
        ("technology", f"{plain(design.technology_name)}, fidelity {plain(design.fidelity)}"),
        ("engine", f"{plain(engine.label)}{seed}"),
        ("specimen", None if result.specimen is None else f"{plain(result.specimen.path) or 'given'}, not drawn"),
        ("chip", None if result.measured is None else f"measured: {plain(result.measured.path) or 'given'}"),
        ("samples", f"{result.samples:,} from {plain(result.inputs.path)}"),
        ("sized for", wording.sized_for(result)),
        ("time", durations(result.timing)),
        ("memory", peaks(result.memory)),
    ]


def _measured(result: GapResult) -> Iterator[Block]:
    versions = ", ".join(f"{plain(name)} {plain(found)}" for name, found in result.versions.items())
    digests = [("model's SHA-256", plain(result.model.sha256)), ("inputs' SHA-256", plain(result.inputs.sha256))]
    if result.sized_for is not None:
        digests.append(("sizing samples' SHA-256", plain(result.sized_for.sha256)))
    if result.specimen is not None:
        digests.append(("specimen's SHA-256", plain(result.specimen.sha256)))
    if result.measured is not None:
        digests.append(("chip's SHA-256", plain(result.measured.sha256)))
    yield Facts([*_setup(result), *digests, ("measured", result.date), ("versions", versions or NOTHING)])
    if result.command:
        yield Literal(plain(result.command))
    design, engine = _pretty(DesignPart.written(result.design)), _pretty(EnginePart.written(result.engine))
    yield Detail([Literal(design, "design"), Literal(engine, "engine")])


def _pretty(document: Mapping[str, object]) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False)


def _checks(result: GapResult) -> list[Check]:
    """A limit that is exceeded is a failure; what was not measured is an error."""
    total_s = result.timing.get("total_s", sum(result.timing.get(part, 0.0) for part in _TIMED))
    checks = [
        Check("all samples solved", _unsolved(result), total_s),
        Check("gap resolved", unresolved_problem(result.unresolved)),
    ]
    for found in result.cross_checks:
        said = wording.cross_check(found).text
        name = "engines agree" if found is result.cross_check else f"{found.engine} agrees"
        checks.append(Check(name, engines_problem(found.disagrees, not found.passed, said)))
    if result.chip is not None:
        nothing = None if result.chip.compared else Problem("NotCompared", chips.explained(result.chip).text)
        checks.append(Check("chip compared", nothing))
    return [*checks, *map(limit_check, result.limits)]


def _unsolved(result: GapResult) -> Problem | None:
    if not result.failed:
        return None
    listing = [f"sample {each.index}: {each.outcome.value}: {each.advice}" for each in result.failed]
    return Problem("FailedSamples", wording.failures(result).text, detail="\n".join(listing))
