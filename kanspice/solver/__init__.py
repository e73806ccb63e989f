"""Batched solver of designs: all samples together, in agreement with ngspice."""

from kanspice.solver.engine import Session, check_device, solve
from kanspice.solver.options import Progress, SolverOptions
from kanspice.solver.rows import KnownRows

__all__ = ["KnownRows", "Progress", "Session", "SolverOptions", "check_device", "solve"]
