"""A trained PhyKAN as arrays, for those who build its circuit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kanspice.base.arrays import Array
from kanspice.families.common.network import as_array
from kanspice.families.phykan.network import BandLayer, FilterSettings, PhyKAN


@dataclass(frozen=True)
class FilterArrays:
    """One layer of a PhyKAN: settings of its filters, each (n_in, n_out, K), and its nodes' thresholds (n_in,).

    gain: signed, zero where there is no connection. high_hz, low_hz: cut-offs of the high-pass and low-pass filters.
    threshold: the value that is squashed to 1/2. How values become frequencies, `model.constants` say.
    scale, offset: (n_out,) what the sums are multiplied with, and what is added: 1 and 0 unless they are normalised.
    """

    gain: Array
    high_hz: Array
    low_hz: Array
    threshold: Array
    scale: Array
    offset: Array


def filter_arrays(model: PhyKAN) -> tuple[FilterArrays, ...]:
    """The trained layers, in order, as the model has them: rounded to its grid if it has one."""
    return tuple(
        _filter_arrays(found, layer) for found, layer in zip(model.settings(), model.band_layers(), strict=True)
    )


def _filter_arrays(found: FilterSettings, layer: BandLayer) -> FilterArrays:
    width = found.gain.shape[1]
    return FilterArrays(
        gain=as_array(found.gain),
        high_hz=as_array(found.high_hz),
        low_hz=as_array(found.low_hz),
        threshold=as_array(layer.threshold),
        scale=np.ones(width) if layer.scale is None else as_array(layer.scale),
        offset=np.zeros(width) if layer.offset is None else as_array(layer.offset),
    )
