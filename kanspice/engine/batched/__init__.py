"""The batched engine: all samples together, in agreement with ngspice."""

from kanspice.engine.batched.engine import Session, check_device, solve
from kanspice.engine.batched.row_expansions import KnownRows

__all__ = ["KnownRows", "Session", "check_device", "solve"]
