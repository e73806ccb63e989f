"""The batched engine: all samples together, in agreement with ngspice."""

from kanspice.engine.batched.engine import BatchedSession, check_device, solve
from kanspice.engine.batched.row_expansions import KnownRows

__all__ = ["BatchedSession", "KnownRows", "check_device", "solve"]
