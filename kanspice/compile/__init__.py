"""Technology + nominal design -> specimen: what all families' circuits have in common; passes, converters, draws."""

from kanspice.compile.converters import add_converters
from kanspice.compile.sizing import Sizing
from kanspice.compile.specimens import draw_specimen

__all__ = ["Sizing", "add_converters", "draw_specimen"]
