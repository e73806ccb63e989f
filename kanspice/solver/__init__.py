"""The batched engine: all samples together, in agreement with ngspice."""

from kanspice.solver.engine import Session, check_device, solve
from kanspice.solver.row_expansions import KnownRows

__all__ = ["KnownRows", "Session", "check_device", "solve"]
