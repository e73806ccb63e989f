"""Activations as ngspice expressions of a voltage `x`."""

from __future__ import annotations

from collections.abc import Sequence

from kanspice.circuit.activations import GELU_ABOVE, GELU_BELOW, SELU_ALPHA, SELU_SCALE
from kanspice.devices.curves import spice_literal


def _polynomial(coefficients: Sequence[float]) -> str:
    """Of |x|, the constant first, by Horner's rule."""
    text = spice_literal(coefficients[-1])
    for coefficient in reversed(coefficients[:-1]):
        text = f"({text}*abs({{x}})+{spice_literal(coefficient)})"
    return text


_SIGMOID = "0.5*(1+tanh({x}/2))"
_SOFTPLUS = "max({x},0)+ln(1+exp(-abs({x})))"
_HARD_SIGMOID = "min(max({x}/6+0.5,0),1)"
_ELU = "uramp({x})+exp(min({x},0))-1"
_GELU_TAIL = f"exp(-0.5*{{x}}*{{x}})*{_polynomial(GELU_ABOVE)}/{_polynomial(GELU_BELOW)}"
_EXPRESSIONS = {
    "identity": "{x}",
    "celu": _ELU,
    "elu": _ELU,
    "gelu": "uramp({x})-abs({x})*" + _GELU_TAIL,
    "hardsigmoid": _HARD_SIGMOID,
    "hardswish": "{x}*" + _HARD_SIGMOID,
    "hardtanh": "min(max({x},-1),1)",
    "leaky_relu": "uramp({x})-0.01*uramp(-{x})",
    "logsigmoid": "min({x},0)-ln(1+exp(-abs({x})))",
    "mish": "{x}*tanh(" + _SOFTPLUS + ")",
    "relu": "uramp({x})",
    "relu6": "min(max({x},0),6)",
    "selu": f"{spice_literal(SELU_SCALE)}*(uramp({{x}})+{spice_literal(SELU_ALPHA)}*(exp(min({{x}},0))-1))",
    "sigmoid": _SIGMOID,
    "silu": "{x}*" + _SIGMOID,
    "softplus": _SOFTPLUS,
    "softshrink": "max({x}-0.5,0)+min({x}+0.5,0)",
    "softsign": "{x}/(1+abs({x}))",
    "tanh": "tanh({x})",
    "tanhshrink": "{x}-tanh({x})",
}


def activation_text(name: str, voltage: str) -> str:
    """The activation of a voltage, `v(node)`, as an expression."""
    return _EXPRESSIONS[name].format(x=voltage)
