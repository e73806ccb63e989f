"""Currents between pairs of nodes, compiled: one pair after the other, many samples side by side."""

from __future__ import annotations

import numpy as np

from kanspice.base.arrays import Array, Indices
from kanspice.base.compiled import compiled


@compiled
def add_currents(volts: Array, starts: Indices, high: Indices, numbers: Array, into: Array) -> None:
    """Adds terms (terms,) of what flows from one node to another to what flows into nodes.

    volts, into: (nodes, samples). starts: (nodes + 1,) the first term out of every node, and how many terms there are.
    high: (terms,) the node that each leads to. numbers: (terms, 8) as `terms` makes them. What is no number stays none.
    """
    samples = volts.shape[1]
    out = np.empty(samples)
    for low in range(len(volts)):
        low_v, low_a = volts[low], into[low]
        out[:] = 0.0
        for term in range(starts[low], starts[low + 1]):
            slope, offset = numbers[term, 0], numbers[term, 1]
            slope_a, offset_a, sign_a = numbers[term, 2], numbers[term, 3], numbers[term, 4]
            slope_b, offset_b, sign_b = numbers[term, 5], numbers[term, 6], numbers[term, 7]
            high_v, high_a = volts[high[term]], into[high[term]]
            for sample in range(samples):
                across = low_v[sample] - high_v[sample]
                a, b = slope_a * across + offset_a, slope_b * across + offset_b
                ramps = sign_a * (0.0 if a < 0 else a) + sign_b * (0.0 if b < 0 else b)
                current = slope * across + offset + ramps
                out[sample] += current
                high_a[sample] += current
        for sample in range(samples):
            low_a[sample] -= out[sample]
