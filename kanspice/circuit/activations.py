"""Activations that a KirchhoffNet's `Device` branches may have, and how fast they grow: those of torch, by its names.

Arrays may be NumPy's or torch's.

Left out is `hardshrink`, whose current would jump. `gelu` has an error function, which no circuit simulator has: it is
relu(x) less |x| times the normal distribution's tail, a Gaussian times Hart's rational function (1968), right to 1e-15.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from kanspice.base.arrays import Array, namespace

SELU_SCALE, SELU_ALPHA = 1.0507009873554805, 1.6732632423543772
GELU_ABOVE = (
    *(220.206867912376, 221.213596169931, 112.079291497871, 33.912866078383, 6.37396220353165),
    *(0.700383064443688, 3.52624965998911e-2),
)
GELU_BELOW = (
    *(440.413735824752, 793.826512519948, 637.333633378831, 296.564248779674, 86.7807322029461),
    *(16.064177579207, 1.75566716318264, 8.83883476483184e-2),
)
"""Coefficients of Hart's numerator and denominator, the constants first."""
_LEAK = 0.01


@dataclass(frozen=True)
class Activation:
    """A function a of the drive x.

    steepest: |da/dx| at most. grows, offset: |a(x)| <= grows |x| + offset.
    """

    function: Callable[[Array], Array]
    steepest: float
    grows: float
    offset: float = 0.0


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
    for coefficient in reversed(GELU_ABOVE):
        above = above * size + coefficient
    for coefficient in reversed(GELU_BELOW):
        below = below * size + coefficient
    activated: Array = x.clip(min=0.0) - size * xp.exp(-x * x / 2) * above / below
    return activated


_LN2 = float(np.log(2))
ACTIVATIONS: dict[str, Activation] = {
    "identity": Activation(lambda x: x, 1.0, 1.0),
    "celu": Activation(lambda x: x.clip(min=0.0) + _negative_exponential(x), 1.0, 1.0),
    "elu": Activation(lambda x: x.clip(min=0.0) + _negative_exponential(x), 1.0, 1.0),
    "gelu": Activation(_gelu, 1.13, 1.0),
    "hardsigmoid": Activation(_hard_sigmoid, 1 / 6, 0.0, 1.0),
    "hardswish": Activation(lambda x: x * _hard_sigmoid(x), 1.5, 1.0),
    "hardtanh": Activation(lambda x: x.clip(-1.0, 1.0), 1.0, 0.0, 1.0),
    "leaky_relu": Activation(lambda x: _xp(x).maximum(x, _LEAK * x), 1.0, 1.0),
    "logsigmoid": Activation(lambda x: -_softplus(-x), 1.0, 1.0, _LN2),
    "mish": Activation(lambda x: x * _xp(x).tanh(_softplus(x)), 1.1, 1.0),
    "relu": Activation(lambda x: x.clip(min=0.0), 1.0, 1.0),
    "relu6": Activation(lambda x: x.clip(0.0, 6.0), 1.0, 0.0, 6.0),
    "selu": Activation(
        lambda x: SELU_SCALE * (x.clip(min=0.0) + SELU_ALPHA * _negative_exponential(x)),
        SELU_SCALE * SELU_ALPHA,
        SELU_SCALE * SELU_ALPHA,
    ),
    "sigmoid": Activation(_sigmoid, 0.25, 0.0, 1.0),
    "silu": Activation(lambda x: x * _sigmoid(x), 1.1, 1.0),
    "softplus": Activation(_softplus, 1.0, 1.0, _LN2),
    "softshrink": Activation(lambda x: (x - 0.5).clip(min=0.0) + (x + 0.5).clip(max=0.0), 1.0, 1.0),
    "softsign": Activation(lambda x: x / (1 + _xp(x).abs(x)), 1.0, 0.0, 1.0),
    "tanh": Activation(lambda x: _xp(x).tanh(x), 1.0, 0.0, 1.0),
    "tanhshrink": Activation(lambda x: x - _xp(x).tanh(x), 1.0, 1.0),
}
