"""The engine that is the simulator ngspice, and the only place that starts it: batch runs, raw files, diagnosis."""

from kanspice.engine.ngspice.engine import solve
from kanspice.engine.ngspice.resident import Resident

__all__ = ["Resident", "solve"]
