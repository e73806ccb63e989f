"""A report read back from its JSON, which may be a stranger's: everything that JSON can say, or one clear message."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from kanspice.base.errors import InputError
from kanspice.base.files import parse_json, read_file, refuse_constant
from kanspice.base.validation import validate
from kanspice.engine.solution import FailedSample, Outcome
from kanspice.experiments.facts import CircuitFacts, EngineRun, InputsFacts, ModelFacts, Swing
from kanspice.experiments.verify.document import (
    SCHEMA,
    CausePart,
    ComparedPart,
    CrossCheckPart,
    DesignPart,
    DistributionPart,
    Document,
    Figure,
    GapPart,
    ModelPart,
    NumericalPart,
    PhysicalPart,
    StagePart,
    SwingPart,
    WorstPart,
)
from kanspice.experiments.verify.result import GapResult
from kanspice.gap.causes import Attribution, Cause, Share, Trial
from kanspice.gap.costs import Areas, PhysicalCost, StageCost
from kanspice.gap.cross_check import CrossCheck, NotChecked, OtherOutcome
from kanspice.gap.distribution import Distribution, LogDensities
from kanspice.gap.metrics import Gap
from kanspice.gap.resolution import Limit, NumericalGap, Variation
from kanspice.gap.stage_gap import StageGap
from kanspice.gap.worst import WorstSample

MAX_BYTES = 64_000_000
"""A report of a million samples, all failed, is smaller."""


def read_report(path: str | Path) -> GapResult:
    """The result that `verify --json` wrote. Raises InputError for a file that is none.

    Outputs are not in the file: `reference` and `outputs` have no rows, and there are no waveforms.
    """
    return from_json(read_file(path, "the report", MAX_BYTES, may_be_empty=True), path)


def from_json(text: str | bytes, where: str | Path) -> GapResult:
    """The result that `to_json` wrote. Raises InputError for text that is none."""
    expected = "what `kanspice verify --json` wrote"
    data = parse_json(text, where, "the report is not JSON", expected, constant=refuse_constant)
    schema = data.get("schema") if isinstance(data, dict) else None
    if schema != SCHEMA:
        found = "none" if schema is None else repr(schema)[:100]
        expected, hint = f'"schema": "{SCHEMA}", of `kanspice verify --json`', _hint(schema)
        raise InputError("this is no report of a gap", where=where, expected=expected, found=found, hint=hint)
    return _result(validate(Document, data, where))


_PAGES = {
    "kanspice.control": "kanspice control ... --html F writes a loop's page, with the trajectories that its JSON lacks",
    "kanspice.settling": "kanspice settle ... --html F writes its page, with the waveforms that its JSON lacks",
    "kanspice.study": "a study's page is study.html in its folder; kanspice study --resume DIR writes it again",
    "kanspice.comparison": "kanspice report A.json B.json --html F writes a comparison's page, from both reports",
}


def _hint(schema: object) -> str | None:
    """Which command makes the page of another of our documents."""
    return _PAGES.get(schema.rpartition("/")[0]) if isinstance(schema, str) else None


def _result(document: Document) -> GapResult:
    rows = np.empty((0, document.outputs or 0))
    numerical, checked = document.numerical_error, document.cross_check
    return GapResult(
        model=_model(document.model),
        inputs=InputsFacts(**document.inputs.model_dump()),
        design=_design(document.design),
        engine=EngineRun(**document.engine.model_dump()),
        samples=document.samples,
        failed=tuple(_failed(failure.index, failure.outcome, failure.advice) for failure in document.failed_samples),
        gap=_gap(document.gap),
        external_gap=None if document.external_gap is None else _gap(document.external_gap),
        external_circuit_gap=None if document.external_circuit_gap is None else _gap(document.external_circuit_gap),
        accuracy=_compared(document.accuracy),
        loss=_compared(document.loss),
        numerical=None if numerical is None else _numerical(numerical),
        reference_error=None if document.reference_error is None else _numerical(document.reference_error),
        variation=None if document.variation is None else Variation(**document.variation.model_dump()),
        cross_check=None if checked is None else _cross_check(checked),
        stages=tuple(_stage(stage) for stage in document.stages),
        causes=tuple(_cause(cause) for cause in document.causes),
        attribution=None if document.attribution is None else Attribution(**document.attribution.model_dump()),
        physical=None if document.physical is None else _physical(document.physical),
        worst=tuple(_worst(sample) for sample in document.worst_samples),
        timing={name: _number(seconds) for name, seconds in document.timing.items()},
        memory=document.memory,
        limits=tuple(Limit(limit.metric, _number(limit.value), limit.max) for limit in document.limits),
        notes=tuple(document.notes),
        versions=document.versions,
        command=document.command,
        distribution=None if document.distribution is None else _distribution(document.distribution),
        metrics=document.metrics,
        reference=rows,
        outputs=rows,
    )


def _model(part: ModelPart) -> ModelFacts:
    devices = None if part.devices is None else tuple(part.devices)
    return ModelFacts(**part.model_dump(exclude={"devices"}), devices=devices)


def _design(part: DesignPart) -> CircuitFacts:
    technology = {section: _infinite(table) for section, table in part.technology.items()}
    swing = tuple(_swing(crossbar) for crossbar in part.swing)
    return CircuitFacts(**part.model_dump(exclude={"technology", "swing"}), technology=technology, swing=swing)


def _swing(part: SwingPart) -> Swing:
    figures = part.model_dump(exclude={"stage"})
    return Swing(part.stage, **{name: _number(figure) for name, figure in figures.items()})


def _infinite(value: object) -> object:
    """A technology with the texts "inf" and "-inf" as the numbers that they stand for."""
    if isinstance(value, dict):
        return {key: _infinite(inner) for key, inner in value.items()}
    return float(value) if value in ("inf", "-inf") else value


def _number(figure: Figure) -> float:
    return float("nan") if figure is None else figure


def _failed(index: int, outcome: Outcome, advice: str) -> FailedSample:
    """What was seen is before the advice that every such outcome has."""
    return FailedSample(index, outcome, advice.removesuffix(outcome.advice).removesuffix("; "))


def _gap(part: GapPart) -> Gap:
    return Gap(_number(part.rmse), _number(part.max_abs), part.relative_rmse, part.max_relative, part.argmax_agreement)


def _compared(part: ComparedPart | None) -> dict[str, float] | None:
    return None if part is None else {"reference": _number(part.reference), "circuit": _number(part.circuit)}


def _distribution(part: DistributionPart) -> Distribution:
    dense = part.log_density
    return Distribution(
        samples=part.samples,
        energy_distance=_number(part.energy_distance),
        noise=_number(part.noise),
        log_density=None
        if dense is None
        else LogDensities(
            dense.samples, _number(dense.reference), _number(dense.circuit), _number(dense.error), dense.unknown
        ),
    )


def _numerical(part: NumericalPart) -> NumericalGap:
    return NumericalGap(part.samples, _number(part.rmse), _number(part.max_abs), part.relative_rmse)


def _stage(part: StagePart) -> StageGap:
    return StageGap(
        name=part.name,
        gap=Gap(_number(part.rmse), _number(part.max_abs), part.relative_rmse, part.max_relative, None),
        added=Gap(_number(part.added_rmse), _number(part.added_max_abs), part.added_relative_rmse, None, None),
        largest_v=_number(part.largest_v),
        largest_column_v=part.largest_column_v,
        behavioural=part.behavioural,
    )


def _cause(part: CausePart) -> Cause:
    without = None
    if part.without_failed_samples is not None:
        without = _trial(part.without_rmse, part.without_relative_rmse, part.without_failed_samples)
    share = None if part.share is None else Share(part.share, part.share_standard_error or 0.0)
    return Cause(part.name, part.value, _trial(part.rmse, part.relative_rmse, part.failed_samples), without, share)


def _trial(rmse: Figure, relative: Figure, failed: int) -> Trial:
    return Trial(Gap(_number(rmse), float("nan"), relative, None, None), failed, np.empty(0))


def _worst(part: WorstPart) -> WorstSample:
    return WorstSample(
        index=part.index,
        output=part.output,
        network=_number(part.network),
        circuit=_number(part.circuit),
        max_abs=_number(part.max_abs),
        max_relative=part.max_relative,
        decisions=None if part.decisions is None else (part.decisions[0], part.decisions[1]),
    )


def _physical(part: PhysicalPart) -> PhysicalCost:
    stages = tuple(
        StageCost(
            **stage.model_dump(exclude={"areas"}),
            areas=None if stage.areas is None else Areas(**stage.areas.model_dump()),
        )
        for stage in part.stages
    )
    whole = part.model_dump(exclude={"stages", "assumptions", "devices", "amplifiers"})
    return PhysicalCost(**whole, stages=stages, assumptions=tuple(part.assumptions))


def _cross_check(part: CrossCheckPart) -> CrossCheck:
    return CrossCheck(
        engine=part.engine.name,
        engine_version=part.engine.version,
        samples=tuple(part.samples),
        worst=part.worst_relative,
        worst_sample=part.worst_sample,
        allowed=part.allowed,
        outcomes=tuple(OtherOutcome(each.index, each.outcome, each.other_outcome) for each in part.different_outcomes),
        not_checked=tuple(NotChecked(each.index, each.why) for each in part.not_checked),
    )
