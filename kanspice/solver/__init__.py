"""The batched engine: all samples together, in agreement with ngspice."""

from kanspice.solver.engine import Session, check_device, solve
from kanspice.solver.rows import KnownRows

__all__ = ["KnownRows", "Session", "check_device", "solve"]
