"""The engine that is the simulator ngspice, and the only place that starts it: batch runs, raw files, diagnosis."""

from kanspice.ngspice.engine import solve
from kanspice.ngspice.resident import Resident

__all__ = ["Resident", "solve"]
