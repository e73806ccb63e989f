"""Technology -> nominal circuit: what all families have in common; sizes, units, converters."""

from kanspice.circuit.compile.converters import add_converters
from kanspice.circuit.compile.sizing import Sizing

__all__ = ["Sizing", "add_converters"]
