"""How much the parts of a specimen differ from what they should be."""

from __future__ import annotations

import numpy as np

from kanspice.base.arrays import Array
from kanspice.base.draws import Draw
from kanspice.base.traced import number

LEAST = 0.05
"""Of what a part should be: one that would come out smaller would be thrown away."""


def reference(sigma: float, name: str, draw: Draw) -> float:
    """What a reference is, relative to what it should be."""
    return number(1 + sigma * draw.normal(name, (1,))[0])


def spread(name: str, sigma: float, shape: tuple[int, ...], draw: Draw) -> Array:
    """What parts are, of what they should be."""
    return np.maximum(1 + sigma * draw.normal(name, shape), LEAST)
