"""Closed loops: a network and its circuit control a plant, and what the circuit's gap does to that."""

from kanspice.control.loop import Ending, Episode, Loop
from kanspice.control.measure import ControlOptions, control
from kanspice.control.result import ControlResult, metric_values

__all__ = ["ControlOptions", "ControlResult", "Ending", "Episode", "Loop", "control", "metric_values"]
