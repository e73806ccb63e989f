"""The law of a varistor: steep, and the same for both signs."""

import sympy

from kanspice.devices.laws import Law, V

_A, _B = sympy.symbols(("a", "b"), real=True)
HYPERBOLIC_SINE = Law(
    name="hyperbolic_sine",
    equation="I = a sinh(V / b), tunnelling through a barrier at grain boundaries",
    parameters=("a", "b"),
    expression=_A * (sympy.exp(V / _B) - sympy.exp(-V / _B)) / 2,
    positive={"b": "the voltage by which the current grows e-fold, in volts"},
)
