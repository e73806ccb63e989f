"""The measured gap: pure metrics, split by stage."""

from kanspice.gap.causes import Attribution, Cause, Trial
from kanspice.gap.cross_check import CrossCheck, cross_checked
from kanspice.gap.measure import decoded_outputs, measure, numerical_gap
from kanspice.gap.metrics import Gap, accuracy, compare, mean_squared_error, spread, squared_errors
from kanspice.gap.result import GapResult, Limit, NumericalGap, SampleWaveforms, StageGap
from kanspice.gap.waveforms import compare_waveforms

__all__ = [
    "Attribution",
    "Cause",
    "CrossCheck",
    "Gap",
    "GapResult",
    "Limit",
    "NumericalGap",
    "SampleWaveforms",
    "StageGap",
    "Trial",
    "accuracy",
    "compare",
    "compare_waveforms",
    "cross_checked",
    "decoded_outputs",
    "mean_squared_error",
    "measure",
    "numerical_gap",
    "spread",
    "squared_errors",
]
