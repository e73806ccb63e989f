"""Activations that a KirchhoffNet's branches may have, one record each: those of torch, by its names.

Arrays may be NumPy's or torch's. To add one is to add its record to `_ALL`.

Left out is `hardshrink`, whose current would jump. `gelu` has an error function, which no circuit simulator has: it is
relu(x) less |x| times the normal distribution's tail, a Gaussian times Hart's rational function (1968), right to 1e-15.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from kanspice.base.arrays import Array, namespace
from kanspice.devices.curves import spice_literal

_SELU_SCALE, _SELU_ALPHA = 1.0507009873554805, 1.6732632423543772
_GELU_ABOVE = (
    *(220.206867912376, 221.213596169931, 112.079291497871, 33.912866078383, 6.37396220353165),
    *(0.700383064443688, 3.52624965998911e-2),
)
_GELU_BELOW = (
    *(440.413735824752, 793.826512519948, 637.333633378831, 296.564248779674, 86.7807322029461),
    *(16.064177579207, 1.75566716318264, 8.83883476483184e-2),
)
"""Coefficients of Hart's numerator and denominator, the constants first."""
_LEAK = 0.01
"""Slope of a leaky ReLU below zero."""


@dataclass(frozen=True)
class Activation:
    """A function a of the drive x, and everything that circuits need to know of it."""

    name: str
    function: Callable[[Array], Array]
    spice: str
    """The same as an expression of ngspice, {x} in it the voltage that the drive is, such as `v(node)`."""
    steepest: float
    """|da/dx| at most."""
    grows: float
    offset: float = 0.0
    """|a(x)| <= grows |x| + offset."""
    is_smooth: bool = False
    """Whether none of its derivatives jumps, so that integrators of a high order pay."""
    below: float | None = None
    """Where it is linear on either side of zero: its slope below, of 1 above."""

    def text(self, x: str) -> str:
        """Of a voltage, `v(node)`; where the function has two slopes, of any expression."""
        return self.spice.format(x=x)


def _xp(x: Array) -> Any:
    return namespace(x)


def _negative_exponential(x: Array) -> Array:
    grown: Array = _xp(x).expm1(x.clip(max=0.0))
    return grown


def _sigmoid(x: Array) -> Array:
    risen: Array = 0.5 * (1 + _xp(x).tanh(x / 2))
    return risen


def _softplus(x: Array) -> Array:
    xp = _xp(x)
    ramp: Array = xp.logaddexp(xp.zeros_like(x), x)
    return ramp


def _hard_sigmoid(x: Array) -> Array:
    return (x / 6 + 0.5).clip(0.0, 1.0)


def _gelu(x: Array) -> Array:
    xp = _xp(x)
    size = xp.abs(x)
    above, below = xp.zeros_like(x), xp.zeros_like(x)
    for coefficient in reversed(_GELU_ABOVE):
        above = above * size + coefficient
    for coefficient in reversed(_GELU_BELOW):
        below = below * size + coefficient
    activated: Array = x.clip(min=0.0) - size * xp.exp(-x * x / 2) * above / below
    return activated


def _polynomial(coefficients: Sequence[float]) -> str:
    """Of |x|, the constant first, by Horner's rule."""
    text = spice_literal(coefficients[-1])
    for coefficient in reversed(coefficients[:-1]):
        text = f"({text}*abs({{x}})+{spice_literal(coefficient)})"
    return text


_LN2 = float(np.log(2))
_SIGMOID = "0.5*(1+tanh({x}/2))"
_SOFTPLUS = "max({x},0)+ln(1+exp(-abs({x})))"
_HARD_SIGMOID = "min(max({x}/6+0.5,0),1)"
_ELU = "uramp({x})+exp(min({x},0))-1"
_GELU_TAIL = f"exp(-0.5*{{x}}*{{x}})*{_polynomial(_GELU_ABOVE)}/{_polynomial(_GELU_BELOW)}"

IDENTITY = Activation("identity", lambda x: x, "{x}", 1.0, 1.0, is_smooth=True, below=1.0)
RELU = Activation("relu", lambda x: x.clip(min=0.0), "uramp({x})", 1.0, 1.0, below=0.0)
LEAKY_RELU = Activation(
    "leaky_relu",
    lambda x: _xp(x).maximum(x, _LEAK * x),
    f"uramp({{x}})-{_LEAK}*uramp(-({{x}}))",
    1.0,
    1.0,
    below=_LEAK,
)
TANH = Activation("tanh", lambda x: _xp(x).tanh(x), "tanh({x})", 1.0, 0.0, 1.0, is_smooth=True)
_ALL = (
    IDENTITY,
    Activation("celu", lambda x: x.clip(min=0.0) + _negative_exponential(x), _ELU, 1.0, 1.0),
    Activation("elu", lambda x: x.clip(min=0.0) + _negative_exponential(x), _ELU, 1.0, 1.0),
    Activation("gelu", _gelu, "uramp({x})-abs({x})*" + _GELU_TAIL, 1.13, 1.0, is_smooth=True),
    Activation("hardsigmoid", _hard_sigmoid, _HARD_SIGMOID, 1 / 6, 0.0, 1.0),
    Activation("hardswish", lambda x: x * _hard_sigmoid(x), "{x}*" + _HARD_SIGMOID, 1.5, 1.0),
    Activation("hardtanh", lambda x: x.clip(-1.0, 1.0), "min(max({x},-1),1)", 1.0, 0.0, 1.0),
    LEAKY_RELU,
    Activation(
        "logsigmoid", lambda x: -_softplus(-x), "min({x},0)-ln(1+exp(-abs({x})))", 1.0, 1.0, _LN2, is_smooth=True
    ),
    Activation(
        "mish", lambda x: x * _xp(x).tanh(_softplus(x)), "{x}*tanh(" + _SOFTPLUS + ")", 1.1, 1.0, is_smooth=True
    ),
    RELU,
    Activation("relu6", lambda x: x.clip(0.0, 6.0), "min(max({x},0),6)", 1.0, 0.0, 6.0),
    Activation(
        "selu",
        lambda x: _SELU_SCALE * (x.clip(min=0.0) + _SELU_ALPHA * _negative_exponential(x)),
        f"{spice_literal(_SELU_SCALE)}*(uramp({{x}})+{spice_literal(_SELU_ALPHA)}*(exp(min({{x}},0))-1))",
        _SELU_SCALE * _SELU_ALPHA,
        _SELU_SCALE * _SELU_ALPHA,
    ),
    Activation("sigmoid", _sigmoid, _SIGMOID, 0.25, 0.0, 1.0, is_smooth=True),
    Activation("silu", lambda x: x * _sigmoid(x), "{x}*" + _SIGMOID, 1.1, 1.0, is_smooth=True),
    Activation("softplus", _softplus, _SOFTPLUS, 1.0, 1.0, _LN2, is_smooth=True),
    Activation(
        "softshrink",
        lambda x: (x - 0.5).clip(min=0.0) + (x + 0.5).clip(max=0.0),
        "max({x}-0.5,0)+min({x}+0.5,0)",
        1.0,
        1.0,
    ),
    Activation("softsign", lambda x: x / (1 + _xp(x).abs(x)), "{x}/(1+abs({x}))", 1.0, 0.0, 1.0),
    TANH,
    Activation("tanhshrink", lambda x: x - _xp(x).tanh(x), "{x}-tanh({x})", 1.0, 1.0, is_smooth=True),
)
ACTIVATIONS: Mapping[str, Activation] = {activation.name: activation for activation in _ALL}
