"""The only place that starts ngspice: batch runs, the shared library, raw files, diagnosis."""

from kanspice.ngspice.engine import NgspiceOptions, Progress, solve

__all__ = ["NgspiceOptions", "Progress", "solve"]
