"""The registry of analytic device laws: one SymPy expression each, and its torch, NumPy and ngspice forms.

A card names a law and gives its parameters; it never brings an expression of its own. Installed packages may bring
laws, as entry points.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np
import sympy
from scipy.special import expit

from kanspice.base.plugins import Plugged, plugged
from kanspice.devices.curves import spice_literal

ELEMENTARY_CHARGE_C = 1.602176634e-19
BOLTZMANN_J_PER_K = 1.380649e-23

V = sympy.Symbol("V", real=True)


class logistic(sympy.Function):  # type: ignore[misc] # noqa: N801 - named like SymPy's own functions
    """1 / (1 + exp(-x))."""

    def fdiff(self, argindex: int = 1) -> sympy.Expr:
        return self * (1 - self)


class softplus(sympy.Function):  # type: ignore[misc] # noqa: N801
    """ln(1 + exp(x)), evaluated so that exp never overflows."""

    def fdiff(self, argindex: int = 1) -> sympy.Expr:
        return logistic(self.args[0])


class step(sympy.Function):  # type: ignore[misc] # noqa: N801
    """1 above 0, else 0."""


class ramp(sympy.Function):  # type: ignore[misc] # noqa: N801
    """max(x, 0)."""

    def fdiff(self, argindex: int = 1) -> sympy.Expr:
        return step(self.args[0])


@dataclass(frozen=True)
class Law:
    """I(V) as a SymPy expression of `V` (volts) and of parameters named `parameters`; `equation` cites its source.

    positive: what those of the parameters are that mean nothing at zero or below.
    """

    name: str
    equation: str
    parameters: tuple[str, ...]
    expression: sympy.Expr
    positive: Mapping[str, str] = field(default_factory=dict)


def _resonant_tunnelling() -> Law:
    names = ("a", "b", "c", "d", "n1", "n2", "h", "temperature_k")
    a, b, c, d, n1, n2, h, kelvin = sympy.symbols(names, real=True)
    per_volt = ELEMENTARY_CHARGE_C / BOLTZMANN_J_PER_K / kelvin
    alpha, eta, gamma = per_volt * (b - c), per_volt * n1, per_volt * n2
    supply = softplus(alpha + eta * V) - softplus(alpha - eta * V)
    resonance = sympy.pi / 2 + sympy.atan((c - n1 * V) / d)
    return Law(
        "resonant_tunnelling",
        "Li et al., Bridging Function Approximation and Device Physics, Eq. 4",
        names,
        a * supply * resonance + h * (sympy.exp(gamma * V) - 1),
        positive={"temperature_k": "the absolute temperature of the device in kelvin, such as 300"},
    )


def _square_law() -> Law:
    names = ("k", "vth")
    k, vth = sympy.symbols(names, real=True)
    return Law(
        "square_law",
        "Li et al., Bridging Function Approximation and Device Physics, Eq. 5",
        names,
        k * ramp(V - vth) ** 2,
    )


def _esaki_tunnelling() -> Law:
    names = ("ip", "vp", "i_s", "v_s")
    ip, vp, i_s, v_s = sympy.symbols(names, real=True)
    return Law(
        "esaki_tunnelling",
        "Sze and Ng, Physics of Semiconductor Devices, tunnel diode: tunnelling, and one exponential behind the valley",
        names,
        ip * (V / vp) * sympy.exp(1 - V / vp) + i_s * (sympy.exp(V / v_s) - 1),
        positive={
            "vp": "the voltage of the peak",
            "v_s": "the voltage in which the current behind the valley grows e-fold",
        },
    )


def _memdiode() -> Law:
    names = ("i_0", "alpha", "beta")
    i_0, alpha, beta = sympy.symbols(names, real=True)
    return Law(
        "memdiode",
        "Miranda's quasi-static memdiode in one state, without its series resistance",
        names,
        i_0 * (sympy.exp(beta * alpha * V) - sympy.exp(-(1 - beta) * alpha * V)),
    )


def _gaussian_bump() -> Law:
    names = ("a", "mu", "sigma", "g")
    a, mu, sigma, g = sympy.symbols(names, real=True)
    bump = sympy.exp(-(((V - mu) / sigma) ** 2) / 2) - sympy.exp(-((mu / sigma) ** 2) / 2)
    return Law(
        "gaussian_bump",
        "a bump of the current beside a conductance, with no current at 0 V",
        names,
        a * bump + g * V,
        positive={"sigma": "the bump's half width, in volts"},
    )


GROUP = "kanspice.device_laws"
"""The entry points by which other packages bring laws."""
_OWN = (_resonant_tunnelling(), _square_law(), _esaki_tunnelling(), _memdiode(), _gaussian_bump())


@cache
def plugged_laws() -> Plugged[Law]:
    """Those of other packages; looked for when first asked, since they import this module themselves."""
    return plugged(GROUP, Law, _usable_name, [law.name for law in _OWN])


@cache
def laws() -> Mapping[str, Law]:
    """All of them by name."""
    return {law.name: law for law in (*_OWN, *plugged_laws().found)}


def _usable_name(law: Law) -> str:
    """The law's name. Raises ValueError for an expression of other symbols and functions than can be evaluated."""
    symbols = {V, *sympy.symbols(law.parameters, real=True)}
    foreign = sorted(map(str, law.expression.free_symbols - symbols))
    functions = {node.func for node in sympy.preorder_traversal(law.expression) if node.args}
    foreign += sorted(function.__name__ for function in functions - set(_SPICE_NODES) - {sympy.Pow})
    powers = [node for node in law.expression.atoms(sympy.Pow) if not node.exp.is_Integer]
    foreign += sorted(map(str, powers))
    if foreign:
        raise ValueError(f"its expression has what cannot be written for every engine: {', '.join(foreign)}")
    return law.name


@cache
def numpy_forms(name: str) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """Functions of (V, *parameters): current and its symbolic derivative dI/dV."""
    functions = {
        "softplus": lambda x: np.logaddexp(0.0, x),
        "logistic": expit,
        "ramp": lambda x: np.maximum(x, 0.0),
        "step": lambda x: np.where(x > 0, 1.0, 0.0),
        "exp": np.exp,
        "atan": np.arctan,
        "pi": math.pi,
    }
    law = laws()[name]
    return _compiled(law, law.expression, functions), _compiled(law, sympy.diff(law.expression, V), functions)


@cache
def torch_form(name: str) -> Callable[..., Any]:
    """Function of (V, *parameters) with V a float64 tensor; differentiable by autograd."""
    import torch  # noqa: PLC0415 - torch takes a second to import

    functions = {
        "softplus": lambda x: torch.logaddexp(x, torch.zeros_like(x)),
        "ramp": torch.relu,
        "exp": lambda x: torch.exp(x) if isinstance(x, torch.Tensor) else math.exp(x),  # also of parameters alone
        "atan": torch.atan,
        "pi": math.pi,
    }
    return _compiled(laws()[name], laws()[name].expression, functions)


def _compiled(law: Law, expression: sympy.Expr, functions: Mapping[str, Any]) -> Callable[..., Any]:
    symbols = [V, *sympy.symbols(law.parameters, real=True)]
    function: Callable[..., Any] = sympy.lambdify(symbols, expression, modules=[dict(functions)])
    return function


def spice_form(name: str, argument: str, parameters: Mapping[str, float]) -> str:
    """The law as an ngspice expression of `argument`, its parameters printed as numbers."""
    return _spice_with_numbers(laws()[name].expression, argument, parameters)


def spice_derivative_form(name: str, argument: str, parameters: Mapping[str, float]) -> str:
    """dI/dV of the law, likewise."""
    return _spice_with_numbers(sympy.diff(laws()[name].expression, V), argument, parameters)


def _spice_with_numbers(expression: sympy.Expr, argument: str, parameters: Mapping[str, float]) -> str:
    numbers = {sympy.Symbol(key, real=True): sympy.Float(value) for key, value in parameters.items()}
    return _spice(expression.xreplace(numbers), argument)


def _spice(node: sympy.Expr, argument: str) -> str:
    if node == V:
        return argument
    if node.is_number:
        return spice_literal(float(node))
    arguments = [_spice(child, argument) for child in node.args]
    if isinstance(node, sympy.Pow):
        return _spice_power(arguments[0], int(node.exp))
    return _SPICE_NODES[node.func](*arguments)


def _spice_power(base: str, exponent: int) -> str:
    """Integer powers as products: ngspice's own power operators are slow and differ between versions."""
    product = "(" + "*".join([base] * abs(exponent)) + ")"
    return product if exponent > 0 else f"(1/{product})"


def _spice_softplus(x: str) -> str:
    return f"({x} < 0 ? ln(1+exp({x})) : ({x}+ln(1+exp(-({x})))))"


_SPICE_NODES: Mapping[Any, Callable[..., str]] = {
    sympy.Add: lambda *terms: "(" + "+".join(terms) + ")",
    sympy.Mul: lambda *factors: "(" + "*".join(factors) + ")",
    sympy.exp: lambda x: f"exp({x})",
    sympy.atan: lambda x: f"atan({x})",
    softplus: _spice_softplus,
    logistic: lambda x: f"(0.5*(1+tanh(0.5*{x})))",
    ramp: lambda x: f"max({x}, 0)",
    step: lambda x: f"u({x})",
}
