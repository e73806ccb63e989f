"""Closed loops: a network and its circuit control a plant, and what the circuit's gap does to that."""

from kanspice.experiments.control.loop import Ending, Episode, Loop
from kanspice.experiments.control.measure import control
from kanspice.experiments.control.result import ControlResult, metric_values
from kanspice.experiments.control.setup import ControlOptions
from kanspice.experiments.control.success import Draws

__all__ = ["ControlOptions", "ControlResult", "Draws", "Ending", "Episode", "Loop", "control", "metric_values"]
