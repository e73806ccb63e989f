"""The measured gap: pure metrics, split by stage."""

from kanspice.gap.causes import Attribution, Cause, Trial
from kanspice.gap.chip import ChipGaps, ChipOutput, ChipSamples, NominalGap, UnfittedGaps
from kanspice.gap.costs import DigitalCost, PhysicalCost, digital_cost, physical_cost
from kanspice.gap.cross_check import CrossCheck, cross_checked
from kanspice.gap.distribution import (
    Distribution,
    Generated,
    PeriodEnds,
    distribution,
    log_densities,
)
from kanspice.gap.judging import check_limits, judged, unresolved
from kanspice.gap.measure import decoded_outputs, measure, numerical_gap, reference_gap
from kanspice.gap.metric_table import Measurements, given, metric_values
from kanspice.gap.metrics import Gap, accuracy, compare, mean_squared_error, spread, squared_errors
from kanspice.gap.projection import ProjectedLayer, ProjectionGap, from_learnt
from kanspice.gap.resolution import Doubt, Limit, NumericalGap, Variation
from kanspice.gap.stage_gap import StageGap
from kanspice.gap.waveform_pairs import SampleWaveforms
from kanspice.gap.waveforms import compare_waveforms
from kanspice.gap.worst import WorstSample, worst_samples

__all__ = [
    "Attribution",
    "Cause",
    "ChipGaps",
    "ChipOutput",
    "ChipSamples",
    "CrossCheck",
    "DigitalCost",
    "Distribution",
    "Doubt",
    "Gap",
    "Generated",
    "Limit",
    "Measurements",
    "NominalGap",
    "NumericalGap",
    "PeriodEnds",
    "PhysicalCost",
    "ProjectedLayer",
    "ProjectionGap",
    "SampleWaveforms",
    "StageGap",
    "Trial",
    "UnfittedGaps",
    "Variation",
    "WorstSample",
    "accuracy",
    "check_limits",
    "compare",
    "compare_waveforms",
    "cross_checked",
    "decoded_outputs",
    "digital_cost",
    "distribution",
    "from_learnt",
    "given",
    "judged",
    "log_densities",
    "mean_squared_error",
    "measure",
    "metric_values",
    "numerical_gap",
    "physical_cost",
    "reference_gap",
    "spread",
    "squared_errors",
    "unresolved",
    "worst_samples",
]
