"""Two results of one question, before and after a change: what moved, and whether the gap grew by more than allowed."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from kanspice.base.errors import InputError
from kanspice.experiments.verify.result import GapResult
from kanspice.gap.metric_table import Need, metric_named
from kanspice.gap.metrics import NEGLIGIBLE
from kanspice.gap.resolution import Limit
from kanspice.report.blocks import Page
from kanspice.report.frames import Columns
from kanspice.report.shown import Shown

GROWTH = "relative_rmse_growth"
"""The metric of a limit on how much the gap grew."""


@dataclass(frozen=True)
class Pair:
    """One figure before and after; None where there is none."""

    name: str
    before: float | None
    after: float | None

    @property
    def growth(self) -> float | None:
        """Change as a fraction of what it was before; None where that is nothing."""
        if self.before is None or self.after is None or self.before == 0:
            return None
        return (self.after - self.before) / self.before


@dataclass(frozen=True)
class StagePair:
    """One stage's gap, and what it adds, before and after."""

    name: str
    gap: Pair
    added: Pair


@dataclass(frozen=True)
class Change:
    """One fact that is not the same; None where it is missing."""

    name: str
    before: object
    after: object


@dataclass(frozen=True, repr=False)
class Comparison(Shown):
    """Two results and the largest growth of the gap that is allowed, as a fraction, if any is."""

    before: GapResult
    after: GapResult
    max_growth: float | None = None

    def page(self) -> Page:
        from kanspice.experiments.compare.page import comparison_page  # noqa: PLC0415 - which shows this

        return comparison_page(self)

    def columns(self) -> Columns:
        """A row for each figure of the whole circuit."""
        return {
            "figure": [pair.name for pair in self.pairs],
            "before": [pair.before for pair in self.pairs],
            "after": [pair.after for pair in self.pairs],
            "growth": [pair.growth for pair in self.pairs],
        }

    @property
    def obstacles(self) -> tuple[str, ...]:
        """Why the two gaps say nothing about each other, if so."""
        return tuple(_obstacles(self.before, self.after))

    @property
    def is_comparable(self) -> bool:
        """Whether the two gaps say something about each other."""
        return not self.obstacles

    @property
    def growth(self) -> float:
        """By what fraction the gap grew beyond both runs' numerical error; 0 where it did not; NaN where unknown."""
        return math.nan if self.obstacles else growth(self.before, self.after)

    @property
    def limit(self) -> Limit | None:
        """What is allowed and what was found."""
        return None if self.max_growth is None else Limit(GROWTH, self.growth, self.max_growth)

    @property
    def measured(self) -> bool:
        """Both runs solved every sample, and what was asked about them has an answer."""
        runs = (self.before, self.after)
        whole = all(run.is_measured for run in runs)
        return whole and (self.limit is None or not math.isnan(self.limit.value))

    @property
    def exit_code(self) -> int:
        """0 within what is allowed, 1 the gap grew by more, 3 not measured."""
        if not self.measured:
            return 3
        return 0 if self.limit is None or self.limit.passed else 1

    @property
    def passed(self) -> bool:
        """Measured, and within what is allowed."""
        return self.exit_code == 0

    @property
    def pairs(self) -> tuple[Pair, ...]:
        """The figures of the whole circuit that either has."""
        before, after = _figures(self.before), _figures(self.after)
        return tuple(pair for pair in _pairs(before, after) if (pair.before, pair.after) != (None, None))

    @property
    def stages(self) -> tuple[StagePair, ...]:
        """Every stage that either has, by name."""
        gaps = [{stage.name: stage.gap.relative_rmse for stage in run.stages} for run in (self.before, self.after)]
        added = [{stage.name: stage.added.relative_rmse for stage in run.stages} for run in (self.before, self.after)]
        pairs = zip(_pairs(*gaps), _pairs(*added), strict=True)
        return tuple(StagePair(gap.name, gap, own) for gap, own in pairs)

    @property
    def causes(self) -> tuple[Pair, ...]:
        """What each imperfection does by itself (relative RMSE), where both runs were asked."""
        if not (self.before.causes and self.after.causes):
            return ()
        runs = (self.before, self.after)
        return _pairs(*({cause.name: cause.alone.gap.relative_rmse for cause in run.causes} for run in runs))

    @property
    def technology(self) -> tuple[Change, ...]:
        """Every value of the technology that is not the same, `section.key`."""
        return _changes(*(_flat(run.design.technology) for run in (self.before, self.after)))

    @property
    def facts(self) -> tuple[Change, ...]:
        """Every other fact that is not the same: network, samples, true answers, circuit, engine, versions."""
        return (*_answers(self.before, self.after), *_changes(_facts(self.before), _facts(self.after)))

    def compares(self, metric: str) -> bool:
        """Whether a metric of both says something about each other: of accuracies also the true answers are one."""
        needs = None if (known := metric_named(metric)) is None else known.needs
        is_of_answers = needs in {Need.LABELS, Need.TARGETS, Need.LABELLED_CHIP}
        return self.is_comparable and not (is_of_answers and self.has_other_answers)

    @property
    def has_other_answers(self) -> bool:
        """Whether both have true answers, and these are others."""
        return bool(_answers(self.before, self.after))


def growth(before: GapResult, after: GapResult) -> float:
    """By what fraction the gap grew, beyond the numerical error of both; 0 where it did not.

    A gap below `NEGLIGIBLE` is none: what such a gap grows by is a fraction of that. NaN without two relative figures.
    """
    old, new = before.gap.relative_rmse, after.gap.relative_rmse
    if old is None or new is None:
        return math.nan
    doubt = _error(before) + _error(after)
    return max(new - max(old, NEGLIGIBLE) - doubt, 0.0) / max(old, NEGLIGIBLE)


def check_baseline(baseline: GapResult, samples_sha256: str, where: str) -> None:
    """Raises InputError for a result that nothing measured with these samples can be held against."""
    if not baseline.is_measured or baseline.gap.relative_rmse is None:
        raise InputError(
            "the baseline has no gap to compare with",
            where=where,
            expected="a report of two samples or more, all of them solved, whose gap is no numerical error",
            found="; ".join((f"{len(baseline.failed)} of {baseline.samples} without a result", *baseline.unresolved)),
            hint="make another with `kanspice verify --json`",
        )
    if baseline.inputs.sha256 != samples_sha256:
        raise InputError(
            "the baseline was measured with other samples",
            where=where,
            expected=f"samples with SHA-256 {samples_sha256[:12]}...",
            found=f"{baseline.samples} samples with {baseline.inputs.sha256[:12]}...",
            hint="the same --inputs and --limit, or a new baseline with `kanspice verify --json`",
        )


def held_against(result: GapResult, baseline: GapResult, max_growth: float, source: str) -> GapResult:
    """The same result with one more limit: how much its gap may have grown since the baseline, read from `source`."""
    limit = Limit(GROWTH, Comparison(baseline, result).growth, max_growth)
    found = baseline.gap.relative_rmse
    note = f"baseline {source}: relative RMSE {found:.3g}; growth is beyond the numerical error of both runs"
    return replace(result, limits=(*result.limits, limit), notes=(*result.notes, note))


def _error(result: GapResult) -> float:
    """Its numerical errors; none where they were not measured, so that nothing hides behind them."""
    return result.doubt.relative_rmse or 0.0


def _answers(before: GapResult, after: GapResult) -> tuple[Change, ...]:
    """The true classes, or answers, where both reports say which these are; old ones do not."""
    known = before.answers_sha256, after.answers_sha256
    if None in known or known[0] == known[1]:
        return ()
    return (Change("answers.sha256", *known),)


def _obstacles(before: GapResult, after: GapResult) -> Iterator[str]:
    if before.inputs.sha256 != after.inputs.sha256:
        yield f"other samples: {before.samples:,} before, {after.samples:,} after, and not the same ones"
    if before.model.family != after.model.family:
        yield f"another family of networks: {before.model.family} before, {after.model.family} after"


SECONDS = "seconds per sample"
"""What a run took is no figure of its circuit."""
_FOUND = ("waveforms", "residual_a")
"""Among an engine's options, what it found or kept."""


def _figures(result: GapResult) -> dict[str, float | None]:
    gap = result.gap
    compared = {"accuracy": result.accuracy, "loss": result.loss}
    return {
        "relative_rmse": gap.relative_rmse,
        "max_relative": gap.max_relative,
        "rmse": _finite(gap.rmse),
        "max_abs": _finite(gap.max_abs),
        "argmax_agreement": gap.argmax_agreement,
        "numerical relative_rmse": None if result.numerical is None else result.numerical.relative_rmse,
        "reference's error": None if result.reference_error is None else result.reference_error.relative_rmse,
        **{
            f"{name}, {who}": None if values is None else values.get(key)
            for name, values in compared.items()
            for who, key in (("network", "reference"), ("circuit", "circuit"))
        },
        **_chip_figures(result),
        "failed samples": float(len(result.failed)),
        SECONDS: result.timing.get("per_sample_s"),
        **result.metrics,
    }


def _chip_figures(result: GapResult) -> dict[str, float | None]:
    """Of a chip that was measured, if one was."""
    chip = result.chip
    if chip is None:
        return {}
    nominal = None if chip.nominal is None else chip.nominal.gap.relative_rmse
    return {
        "chip from network, relative_rmse": chip.network.relative_rmse,
        "chip from circuit, relative_rmse": chip.predicted.relative_rmse,
        "chip from circuit without random parts": nominal,
        "chip's squared gap, not explained": chip.unexplained,
        "accuracy, chip": None if chip.accuracy is None else chip.accuracy.get("chip"),
    }


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _facts(result: GapResult) -> dict[str, object]:
    """What a comparison names where it differs. Paths are not here: the same file has another one elsewhere."""
    tables: Mapping[str, Mapping[str, object]] = {
        "model": {key: getattr(result.model, key) for key in ("family", "sha256", "parameters", "devices")},
        "inputs": {"sha256": result.inputs.sha256, "samples": result.samples},
        "sized for": {} if result.sized_for is None else {"sha256": result.sized_for.sha256},
        "chip": {} if result.measured is None else {"sha256": result.measured.sha256},
        "specimen": {} if result.specimen is None else {"sha256": result.specimen.sha256},
        "circuit": {key: getattr(result.design, key) for key in ("devices", "nodes", "fidelity", "swing_basis")},
        "engine": {"name": result.engine.name, "version": result.engine.version},
        "options": {key: value for key, value in result.engine.options.items() if key not in _FOUND},
        "versions": result.versions,
    }
    return {f"{table}.{key}": value for table, facts in tables.items() for key, value in facts.items()}


def _flat(technology: Mapping[str, object]) -> dict[str, object]:
    """`section.key` -> value; of a technology that has a value of its own (its name) just `key`."""
    found: dict[str, object] = {}
    for section, value in technology.items():
        if isinstance(value, Mapping):
            found |= {f"{section}.{key}": inner for key, inner in value.items()}
        else:
            found[section] = value
    return found


def _pairs(before: Mapping[str, float | None], after: Mapping[str, float | None]) -> tuple[Pair, ...]:
    return tuple(Pair(name, before.get(name), after.get(name)) for name in {**before, **after})


def _changes(before: Mapping[str, object], after: Mapping[str, object]) -> tuple[Change, ...]:
    names = {**before, **after}
    return tuple(
        Change(name, before.get(name), after.get(name)) for name in names if before.get(name) != after.get(name)
    )
