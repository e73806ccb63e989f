"""The only place that starts ngspice: batch runs, raw files, diagnosis."""

from kanspice.ngspice.blocks import Advance, NgspiceOptions, Progress, SideRun
from kanspice.ngspice.engine import solve
from kanspice.ngspice.resident import Resident

__all__ = ["Advance", "NgspiceOptions", "Progress", "Resident", "SideRun", "solve"]
