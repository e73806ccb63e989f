"""The only place that starts ngspice: batch runs, the shared library, raw files, diagnosis."""

from kanspice.ngspice.blocks import Advance, NgspiceOptions, Progress, SideRun
from kanspice.ngspice.engine import solve

__all__ = ["Advance", "NgspiceOptions", "Progress", "SideRun", "solve"]
