"""Metrics by the names that limits, studies and JUnit know them by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from kanspice.design import Design
from kanspice.gap.distribution import METRICS
from kanspice.gap.metrics import Gap
from kanspice.gap.resolution import Limit, NumericalGap
from kanspice.gap.result import StageGap


def metric_names(design: Design, *, generates: bool = False) -> list[str]:
    """Every metric that a limit can be put on; of a network that generates, also those of distributions."""
    return [
        *(METRICS if generates else ()),
        *("rmse", "max_abs", "relative_rmse", "max_relative", "argmax_disagreement"),
        *("numerical_rmse", "accuracy_drop", "unstable_fraction"),
        *(f"{stage.name}.relative_rmse" for stage in design.stages),
    ]


def judged(wanted: Sequence[tuple[str, float]], values: dict[str, float | None]) -> tuple[Limit, ...]:
    """The limits with what was measured; NaN where nothing was."""
    limits = []
    for metric, largest in wanted:
        value = values[metric]
        limits.append(Limit(metric, float("nan") if value is None else value, largest))
    return tuple(limits)


def metric_values(
    gap: Gap,
    stages: tuple[StageGap, ...],
    numerical: NumericalGap | None,
    accuracies: dict[str, float] | None,
    unstable: float,
) -> dict[str, float | None]:
    """Every metric by its name. Fractions of samples are rounded: 1 - 0.7 is not to exceed 0.3.

    unstable: fraction of the samples whose operating point the circuit does not stay at.
    """
    values: dict[str, float | None] = {key: value for key, value in asdict(gap).items() if key != "argmax_agreement"}
    agreement = gap.argmax_agreement
    values["argmax_disagreement"] = None if agreement is None else round(1 - agreement, 12)
    values["numerical_rmse"] = None if numerical is None else numerical.rmse
    drop = None if accuracies is None else round(accuracies["reference"] - accuracies["circuit"], 12)
    values["accuracy_drop"] = drop
    values["unstable_fraction"] = unstable
    return values | {f"{stage.name}.relative_rmse": stage.gap.relative_rmse for stage in stages}
