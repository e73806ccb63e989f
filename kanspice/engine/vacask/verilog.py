"""Device curves in Verilog-A: one module for each, from the definition that NumPy, torch and ngspice have too."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from kanspice.base.arrays import Array
from kanspice.base.errors import InputError
from kanspice.devices import Analytic, Curve, PiecewisePolynomial
from kanspice.engine.simulators.curve_check import checked_volts

if TYPE_CHECKING:
    import sympy

_MODULE = """`include "disciplines.vams"
module {name}(a, c);
 inout a, c; electrical a, c;
 (*type="instance"*) parameter real amps = 1.0;
 (*type="instance"*) parameter real shift = 0.0;
 real x, y, f;
 analog begin
  x = V(a, c) - shift;
{current}  I(a, c) <+ amps * f;
 end
endmodule
"""
_SMALLEST = float(np.finfo(np.float64).tiny)


def number(value: float) -> str:
    """The shortest decimal text that reads back as the value; 0 for what is below normal numbers, which VACASK refuses.

    Raises InputError for what is not finite.
    """
    value = float(value)
    if not math.isfinite(value):
        raise InputError("the circuit has a value that is no finite number", where="engine vacask", found=repr(value))
    text = repr(value) if abs(value) >= _SMALLEST else "0.0"
    return f"({text})" if text.startswith("-") else text


@dataclass(frozen=True)
class Proof:
    """What flows through a module from its first terminal to its second, with the parameters that it has by itself,
    `amps` of 1 among them.

    volts: between its terminals, (points,). amps: what is right there.
    """

    volts: Array
    amps: Array


@dataclass(frozen=True)
class VerilogModule:
    """A module, or several, to be compiled: the name tells the text."""

    name: str
    text: str
    proof: Proof | None = None
    """What is asked of it before it is believed; None for what stands around devices."""


def module_of(curve: Curve) -> VerilogModule:
    """A curve's module: `amps` times the curve flows from `a` to `c`, of whose voltage `shift` is lost.

    Raises InputError for a curve of no kind that is known.
    """
    match curve:
        case PiecewisePolynomial():
            current = _piecewise(curve)
        case Analytic():
            current = _analytic(curve)
        case _:
            raise InputError("VACASK has no such curve", where="--engine", found=type(curve).__name__)
    name = "phi_" + hashlib.sha256(current.encode()).hexdigest()[:24]
    volts = checked_volts(curve)
    return VerilogModule(name, _MODULE.format(name=name, current=current), Proof(volts, curve.numpy(volts)[0]))


def _piecewise(curve: PiecewisePolynomial) -> str:
    """Beyond its ends the curve keeps their currents; at a corner, as in NumPy, the piece to the right counts."""
    (low, high), _ = curve.numpy([curve.lo_v, curve.hi_v])
    lines = [
        f"  if (x < {number(curve.lo_v)}) f = {number(low)};",
        f"  else if (x > {number(curve.hi_v)}) f = {number(high)};",
        "  else begin",
        *_pieces(curve, 0, len(curve.coefficients), "   "),
        "  end",
    ]
    return "\n".join(lines) + "\n"


def _pieces(curve: PiecewisePolynomial, first: int, stop: int, indent: str) -> list[str]:
    """Pieces first .. stop - 1, found by halving."""
    if stop - first == 1:
        start, polynomial = number(curve.breakpoints[first]), _polynomial(curve.coefficients[first])
        return [f"{indent}y = x - {start};", f"{indent}f = {polynomial};"]
    middle = (first + stop) // 2
    return [
        f"{indent}if (x < {number(curve.breakpoints[middle])}) begin",
        *_pieces(curve, first, middle, indent + " "),
        f"{indent}end else begin",
        *_pieces(curve, middle, stop, indent + " "),
        f"{indent}end",
    ]


def _polynomial(row: Array) -> str:
    """Horner's form of ascending coefficients in `y`; zeros at the end are left out."""
    *lower, highest = np.trim_zeros(row, "b") if row.any() else (0.0,)
    text = number(highest)
    for coefficient in reversed(lower):
        text = f"({number(coefficient)} + y * {text})"
    return text


def _analytic(curve: Analytic) -> str:
    """The law of a voltage within the range; mirrored about its value at 0 V, if the curve is."""
    low, high = number(curve.lo_v), number(curve.hi_v)
    lines = [f"  x = min(max(x, {low}), {high}) / {number(curve.stretch)};"]
    if curve.mirrored:
        lines += ["  y = abs(x);", f"  f = {_law(curve)};"]
        lines.append(f"  f = x < 0.0 ? {number(2 * float(curve.numpy(0.0)[0]))} - f : f;")
    else:
        lines += ["  y = x;", f"  f = {_law(curve)};"]
    return "\n".join(lines) + "\n"


def _law(curve: Analytic) -> str:
    """The law's expression of `y`, with numbers for its parameters."""
    import sympy  # noqa: PLC0415 - takes half a second to import

    from kanspice.devices.laws import laws  # noqa: PLC0415

    numbers = {sympy.Symbol(key, real=True): sympy.Float(value) for key, value in curve.parameters.items()}
    return _written(laws()[curve.law].expression.xreplace(numbers), _functions())


def _functions() -> Mapping[Any, Callable[..., str]]:
    """How what laws are made of is written."""
    import sympy  # noqa: PLC0415

    from kanspice.devices import laws  # noqa: PLC0415

    return {
        sympy.Add: lambda *terms: f"({' + '.join(terms)})",
        sympy.Mul: lambda *factors: f"({' * '.join(factors)})",
        sympy.exp: lambda x: f"exp({x})",
        sympy.atan: lambda x: f"atan({x})",
        laws.softplus: lambda x: f"(max({x}, 0.0) + ln(1.0 + exp(-abs({x}))))",
        laws.logistic: lambda x: f"(0.5 * (1.0 + tanh(0.5 * {x})))",
        laws.ramp: lambda x: f"max({x}, 0.0)",
        laws.step: lambda x: f"({x} > 0.0 ? 1.0 : 0.0)",
    }


def _written(node: sympy.Expr, functions: Mapping[Any, Callable[..., str]]) -> str:
    from kanspice.devices.laws import V  # noqa: PLC0415

    if node == V:
        return "y"
    if node.is_number:
        return number(float(node))
    arguments = [_written(child, functions) for child in node.args]
    if node.is_Pow:
        exponent = int(node.exp)
        product = f"({' * '.join([arguments[0]] * abs(exponent))})"
        return product if exponent > 0 else f"(1.0 / {product})"
    return functions[node.func](*arguments)
