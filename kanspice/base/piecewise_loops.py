"""Currents between pairs of nodes, compiled: one pair after the other, many samples side by side."""

from __future__ import annotations

from kanspice.base.arrays import Array, Indices
from kanspice.base.compiled import compiled


@compiled
def add_currents(volts: Array, low: Indices, high: Indices, numbers: Array, into: Array) -> None:
    """Adds terms of what flows from node `low` to node `high`, (terms,) each, to what flows into nodes.

    volts, into: (nodes, samples). numbers: (terms, 8) as `terms` makes them. What is no number stays none.
    """
    for term in range(len(low)):
        slope, offset = numbers[term, 0], numbers[term, 1]
        slope_a, offset_a, sign_a = numbers[term, 2], numbers[term, 3], numbers[term, 4]
        slope_b, offset_b, sign_b = numbers[term, 5], numbers[term, 6], numbers[term, 7]
        low_v, high_v, low_a, high_a = volts[low[term]], volts[high[term]], into[low[term]], into[high[term]]
        for sample in range(len(low_v)):
            across = low_v[sample] - high_v[sample]
            a, b = slope_a * across + offset_a, slope_b * across + offset_b
            ramps = sign_a * (0.0 if a < 0 else a) + sign_b * (0.0 if b < 0 else b)
            current = slope * across + offset + ramps
            low_a[sample] -= current
            high_a[sample] += current
