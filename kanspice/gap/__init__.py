"""The measured gap: pure metrics, split by stage."""

from kanspice.gap.causes import Cause, Trial, attribute, trials_needed
from kanspice.gap.cross_check import CrossCheck, cross_checked
from kanspice.gap.measure import decoded_outputs, measure, numerical_gap
from kanspice.gap.metrics import Gap, accuracy, compare, mean_squared_error, spread
from kanspice.gap.physical import PhysicalCost, physical_cost
from kanspice.gap.result import GapResult, Limit, NumericalGap, SampleWaveforms, StageGap
from kanspice.gap.waveforms import compare_waveforms

__all__ = [
    "Cause",
    "CrossCheck",
    "Gap",
    "GapResult",
    "Limit",
    "NumericalGap",
    "PhysicalCost",
    "SampleWaveforms",
    "StageGap",
    "Trial",
    "accuracy",
    "attribute",
    "compare",
    "compare_waveforms",
    "cross_checked",
    "decoded_outputs",
    "mean_squared_error",
    "measure",
    "numerical_gap",
    "physical_cost",
    "spread",
    "trials_needed",
]
