"""What gaps are judged by, one record for each metric: limits, studies, comparisons and reports loop over them.

To add a metric, add its record to FURTHER: it is then in `--max` or `--min`, in files of limits, in every draw,
quantile and sweep of a study, in comparisons, and in the JSON, the tables and the pages of a run.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from typing import TYPE_CHECKING, Any, Generic, Literal, Protocol, TypeVar

import numpy as np

from kanspice.base.arrays import Array, Indices
from kanspice.gap.chip import ChipGaps
from kanspice.gap.distribution import Distribution, log_density_difference
from kanspice.gap.metrics import Gap, accuracy, mean_squared_error
from kanspice.gap.resolution import Doubt, NumericalGap

if TYPE_CHECKING:
    import numpy.typing as npt

    from kanspice.gap.stage_gap import StageGap

T_contra = TypeVar("T_contra", contravariant=True)


class Need(Enum):
    """What a metric needs besides samples."""

    NOTHING = "nothing"
    LABELS = "labels"
    TARGETS = "targets"
    GENERATION = "generation"
    """A network whose outputs are samples of a distribution."""
    ORIGINAL = "original"
    """A network of devices that was made of a learnt one, and holds it."""
    CHIP = "chip"
    """What a chip gave."""
    LABELLED_CHIP = "labelled chip"
    """The same, and labels."""


@dataclass(frozen=True)
class Metric(Generic[T_contra]):
    """One figure that circuits are judged by.

    name: as limits, documents and comparisons know it. title: for readers. unit: what 1 is; "" for a ratio, "fraction"
    for one that readers get in percent. better: which way it improves; None for what only says how to read another.
    of: its value; None where there is none. error: what numerical errors can change it by, where that is judged.
    """

    name: str
    title: str
    unit: str
    better: Literal["less", "more"] | None
    of: Callable[[T_contra], float | None]
    needs: Need = Need.NOTHING
    error: Callable[[Doubt], float | None] | None = None

    @property
    def is_limitable(self) -> bool:
        """Whether "at most", or "at least", makes sense of it."""
        return self.better is not None


class MetricSource(Protocol):
    """What most metrics are computed from, which a result that was read back has as well."""

    @property
    def gap(self) -> Gap: ...
    @property
    def numerical(self) -> NumericalGap | None: ...
    @property
    def unstable_fraction(self) -> float: ...
    @property
    def accuracy(self) -> Mapping[str, float] | None: ...
    @property
    def loss(self) -> Mapping[str, float] | None: ...
    @property
    def distribution(self) -> Distribution | None: ...
    @property
    def chip(self) -> ChipGaps | None: ...


@dataclass(frozen=True)
class Measurements:
    """Everything that a gap's metrics are computed from, of one circuit: a run's and a study's draw fill in the same.

    outputs, reference: (samples, outputs), model units, NaN where there is no answer. solved: (samples,) True where
    the circuit has a result. labels: (samples,) classes; targets: (samples, outputs) true answers. unstable_fraction:
    of the samples, whose operating point the circuit does not stay at. generates: whether the network generates, and
    distribution: what its circuit's samples are then as one, where that was found. from_learnt: the circuit's gap from
    the learnt network that its own was made of, if it was. chip: how far one that was measured is from both, if any.
    """

    outputs: Array
    reference: Array
    solved: npt.NDArray[np.bool_]
    gap: Gap
    numerical: NumericalGap | None
    unstable_fraction: float
    labels: Indices | None = None
    targets: Array | None = None
    generates: bool = False
    distribution: Distribution | None = None
    from_learnt: Gap | None = None
    chip: ChipGaps | None = None

    @cached_property
    def errors(self) -> Array:
        """(solved samples, outputs): the circuit's outputs less the network's, model units."""
        return self.outputs[self.solved] - self.reference[self.solved]

    @cached_property
    def answered(self) -> npt.NDArray[np.bool_]:
        """(samples,) True where the network has an answer."""
        return np.asarray(np.isfinite(self.reference).all(axis=1))

    @cached_property
    def accuracy(self) -> dict[str, float] | None:
        """Of network and circuit, over all samples; None without labels."""
        if self.labels is None:
            return None
        return {
            "reference": accuracy(self.reference, self.labels, self.answered),
            "circuit": accuracy(self.outputs, self.labels, self.solved),
        }

    @cached_property
    def loss(self) -> dict[str, float] | None:
        """Mean squared errors of network and circuit, each over the samples that it answers; None without targets."""
        if self.targets is None:
            return None
        return {
            "reference": mean_squared_error(self.reference, self.targets, self.answered),
            "circuit": mean_squared_error(self.outputs, self.targets, self.solved),
        }

    @property
    def given(self) -> frozenset[Need]:
        """What there is for metrics that need something."""
        return given(
            labels=self.labels is not None,
            targets=self.targets is not None,
            generates=self.generates,
            projected=self.from_learnt is not None,
            chip=self.chip is not None,
        )


def given(
    *, labels: bool, targets: bool, generates: bool, projected: bool = False, chip: bool = False
) -> frozenset[Need]:
    """What there is for metrics that need something."""
    there = {
        Need.NOTHING: True,
        Need.LABELS: labels,
        Need.TARGETS: targets,
        Need.GENERATION: generates,
        Need.ORIGINAL: projected,
        Need.CHIP: chip,
        Need.LABELLED_CHIP: chip and labels,
    }
    return frozenset(need for need, is_there in there.items() if is_there)


def _disagreement(found: MetricSource) -> float | None:
    """Rounded, as all fractions of samples are: 1 - 0.7 is not to exceed 0.3."""
    agreement = found.gap.argmax_agreement
    return None if agreement is None else round(1 - agreement, 12)


def _agreement(found: MetricSource) -> float | None:
    return found.gap.argmax_agreement


def _accuracy_drop(found: MetricSource) -> float | None:
    accuracies = found.accuracy
    return None if accuracies is None else round(accuracies["reference"] - accuracies["circuit"], 12)


def _loss_increase(found: Measurements) -> float | None:
    """Over the samples that both have a result for: a sample that failed is on neither side."""
    if found.targets is None:
        return None
    both = found.solved & found.answered
    circuit, network = (mean_squared_error(rows, found.targets, both) for rows in (found.outputs, found.reference))
    return circuit - network


def _error_of_loss(doubt: Doubt) -> float | None:
    """Outputs that are off by e (root mean square) put the root of a loss off by e at most: the triangle inequality."""
    if doubt.loss is None:
        return None
    return doubt.rmse * (2 * math.sqrt(max(doubt.loss.values())) + doubt.rmse)


def _max_relative_error(doubt: Doubt) -> float | None:
    scale = None if doubt.variation is None else doubt.variation.standard_deviation
    return doubt.max_abs / scale if scale else None


def _chip_disagreement(found: MetricSource) -> float | None:
    agreement = None if found.chip is None else found.chip.network.argmax_agreement
    return None if agreement is None else round(1 - agreement, 12)


def _chip_accuracy_drop(found: MetricSource) -> float | None:
    accuracies = None if found.chip is None else found.chip.accuracy
    return None if accuracies is None else round(accuracies["reference"] - accuracies["chip"], 12)


FIGURES: tuple[Metric[MetricSource], ...] = (
    Metric("rmse", "RMSE", "model units", "less", lambda m: m.gap.rmse, error=lambda d: d.rmse),
    Metric("max_abs", "largest error", "model units", "less", lambda m: m.gap.max_abs, error=lambda d: d.max_abs),
    Metric(
        "relative_rmse", "relative RMSE", "", "less", lambda m: m.gap.relative_rmse, error=lambda d: d.relative_rmse
    ),
    Metric(
        "max_relative", "largest relative error", "", "less", lambda m: m.gap.max_relative, error=_max_relative_error
    ),
    Metric("argmax_disagreement", "disagreement of decisions", "fraction", "less", _disagreement),
    Metric(
        "numerical_rmse",
        "numerical error (RMSE)",
        "model units",
        "less",
        lambda m: None if m.numerical is None else m.numerical.rmse,
    ),
    Metric("accuracy_drop", "drop of accuracy", "fraction", "less", _accuracy_drop, Need.LABELS),
    Metric("unstable_fraction", "fraction of unstable samples", "fraction", "less", lambda m: m.unstable_fraction),
    Metric(
        "numerical_relative_rmse",
        "numerical error (relative RMSE)",
        "",
        "less",
        lambda m: None if m.numerical is None else m.numerical.relative_rmse,
    ),
    Metric(
        "accuracy",
        "accuracy",
        "fraction",
        "more",
        lambda m: None if m.accuracy is None else m.accuracy["circuit"],
        Need.LABELS,
    ),
    Metric("argmax_agreement", "agreement of decisions", "fraction", "more", _agreement),
    Metric(
        "loss",
        "loss (MSE)",
        "squared model units",
        "less",
        lambda m: None if m.loss is None else m.loss["circuit"],
        Need.TARGETS,
        _error_of_loss,
    ),
    Metric(
        "energy_distance",
        "energy distance",
        "",
        "less",
        lambda m: None if m.distribution is None else m.distribution.energy_distance,
        Need.GENERATION,
    ),
    Metric(
        "log_density_difference",
        "difference of log-densities",
        "nats",
        "less",
        lambda m: log_density_difference(m.distribution),
        Need.GENERATION,
    ),
    Metric(
        "energy_distance_noise",
        "noise of the energy distance",
        "",
        None,
        lambda m: None if m.distribution is None else m.distribution.noise,
        Need.GENERATION,
    ),
)
"""Those that results, their documents and comparisons have had keys of their own for since before there was a table."""

FURTHER: tuple[Metric[Measurements], ...] = (
    Metric(
        "loss_increase",
        "increase of the loss",
        "squared model units",
        "less",
        _loss_increase,
        Need.TARGETS,
        _error_of_loss,
    ),
    Metric(
        "learnt_relative_rmse",
        "relative RMSE from the learnt network",
        "",
        "less",
        lambda m: None if m.from_learnt is None else m.from_learnt.relative_rmse,
        Need.ORIGINAL,
        lambda d: d.relative_rmse,
    ),
)
"""All others."""

CHIP: tuple[Metric[MetricSource], ...] = (
    Metric(
        "chip_circuit_relative_rmse",
        "relative RMSE of the chip from the circuit",
        "",
        "less",
        lambda m: None if m.chip is None else m.chip.predicted.relative_rmse,
        Need.CHIP,
        lambda d: None if d.numerical is None else d.numerical.relative_rmse,
    ),
    Metric(
        "chip_network_relative_rmse",
        "relative RMSE of the chip from the network",
        "",
        "less",
        lambda m: None if m.chip is None else m.chip.network.relative_rmse,
        Need.CHIP,
        lambda d: None if d.reference is None else d.reference.relative_rmse,
    ),
    Metric(
        "chip_unexplained",
        "share of the chip's squared gap that the circuit does not explain",
        "",
        "less",
        lambda m: None if m.chip is None else m.chip.unexplained,
        Need.CHIP,
    ),
    Metric(
        "chip_argmax_disagreement",
        "disagreement of the chip's decisions with the network's",
        "fraction",
        "less",
        _chip_disagreement,
        Need.CHIP,
    ),
    Metric(
        "chip_accuracy_drop",
        "drop of the chip's accuracy",
        "fraction",
        "less",
        _chip_accuracy_drop,
        Need.LABELLED_CHIP,
    ),
)
"""Those of a chip that was measured, which results have keys of their own for."""

METRICS: tuple[Metric[Measurements], ...] = (*FIGURES, *FURTHER, *CHIP)
BY_NAME = {metric.name: metric for metric in METRICS}

STAGE_METRICS: tuple[Metric[StageGap], ...] = (
    Metric("relative_rmse", "relative RMSE", "", "less", lambda stage: stage.gap.relative_rmse),
)
"""Of each stage's outputs; limits know them as `STAGE.METRIC`."""


def limitable(there: frozenset[Need], stages: Iterable[str] = ()) -> list[str]:
    """The names that a limit can be put on, with what there is besides samples; of a circuit with these stages."""
    found = [metric.name for metric in METRICS if metric.is_limitable and metric.needs in there]
    return found + [f"{stage}.{metric.name}" for stage in stages for metric in STAGE_METRICS if metric.is_limitable]


def metric_named(name: str, metrics: Mapping[str, Metric[Any]] = BY_NAME) -> Metric[Any] | None:
    """The metric that a limit's name stands for, a stage's `STAGE.METRIC` too; None where there is none."""
    of_stages = {metric.name: metric for metric in STAGE_METRICS}
    stage, _, last = name.rpartition(".")
    return metrics.get(name) or (of_stages.get(last) if stage else None)


def has_minimum(name: str, metrics: Mapping[str, Metric[Any]] = BY_NAME) -> bool:
    """Whether a limit on the metric is a minimum: it is better the larger it is."""
    metric = metric_named(name, metrics)
    return metric is not None and metric.better == "more"


def metric_values(found: Measurements, stages: Sequence[StageGap] = ()) -> dict[str, float | None]:
    """Every metric by its name, in the order of the table.

    Without labels accuracies are None; what needs something else that there is not is left out.
    """
    there = found.given | {Need.LABELS}
    values = {metric.name: metric.of(found) for metric in METRICS if metric.needs in there}
    return values | {f"{stage.name}.{metric.name}": metric.of(stage) for stage in stages for metric in STAGE_METRICS}


def found_again(result: MetricSource) -> dict[str, float | None]:
    """Of all metrics, those that something else in a result amounts to, by name: `further` are the others."""
    values = {metric.name: metric.of(result) for metric in (*FIGURES, *CHIP)}
    return {name: value if value is None or math.isfinite(value) else None for name, value in values.items()}


def further(values: dict[str, float | None]) -> dict[str, float | None]:
    """Of all metrics, those that nothing else in a result amounts to."""
    return {metric.name: values[metric.name] for metric in FURTHER if metric.name in values}
