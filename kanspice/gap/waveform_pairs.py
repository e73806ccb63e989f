"""Node voltages over time, of circuit and network."""

from __future__ import annotations

from dataclasses import dataclass

from kanspice.base.arrays import Array


@dataclass(frozen=True)
class PeriodWaveforms:
    """Node voltages during one period, of circuit and network at the same times.

    time_s: (points,) since the inference began. circuit_v, reference_v: (points, nodes), volts.
    """

    stage: str
    time_s: Array
    circuit_v: Array
    reference_v: Array


@dataclass(frozen=True)
class SampleWaveforms:
    """One sample's node voltages, period by period.

    outputs: the nodes, from 1, that are read out in the end. unit_v, unit_s: what 1 is in the model.
    """

    sample: int
    periods: tuple[PeriodWaveforms, ...]
    outputs: tuple[int, ...]
    unit_v: float
    unit_s: float
