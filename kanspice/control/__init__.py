"""Closed loops: a network and its circuit control a plant, and what the circuit's gap does to that."""

from kanspice.control.bench import ControlOptions
from kanspice.control.loop import Ending, Episode, Loop
from kanspice.control.measure import control
from kanspice.control.result import ControlResult, metric_values
from kanspice.control.success import Draws

__all__ = ["ControlOptions", "ControlResult", "Draws", "Ending", "Episode", "Loop", "control", "metric_values"]
