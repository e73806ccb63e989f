"""Batched solver of designs: all samples together, in agreement with ngspice."""

from kanspice.solver.engine import Session, solve
from kanspice.solver.options import Progress, SolverOptions

__all__ = ["Progress", "Session", "SolverOptions", "solve"]
