"""Node voltages over time: the circuit's against the network's at the same times."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import numpy as np

from kanspice.base.arrays import Array
from kanspice.circuit import (
    Design,
    OdePeriod,
    Switching,
)
from kanspice.engine.solution import Solution, Waveform
from kanspice.gap.waveform_pairs import PeriodWaveforms, SampleWaveforms

FollowSample = Callable[[int, Mapping[str, Array]], Mapping[str, Array] | None]
"""The network: a sample, and for each period when (points,), in model time since it began -> voltages (points, nodes),
in model units; None where there was no time to follow it."""


def compare_waveforms(design: Design, solution: Solution, follow: FollowSample) -> tuple[SampleWaveforms, ...]:
    """Each sample's waveforms, period by period, with what the network does at the same times. Samples in order; none
    of a sample that the network was not followed for.
    """
    compared = (_compare(design, sample, kept, follow) for sample, kept in _by_sample(solution))
    return tuple(found for found in compared if found is not None)


def _by_sample(solution: Solution) -> Iterator[tuple[int, dict[str, Waveform]]]:
    for sample in sorted({waveform.sample for waveform in solution.waveforms}):
        yield sample, {waveform.stage: waveform for waveform in solution.waveforms if waveform.sample == sample}


def _compare(design: Design, sample: int, kept: Mapping[str, Waveform], follow: FollowSample) -> SampleWaveforms | None:
    times = {
        period.compares_to: _model_time(period, design.switching, kept[period.name].time_s - start_s)
        for period, start_s in zip(design.periods, design.begins_s, strict=True)
    }
    expected = follow(sample, times)
    if expected is None:
        return None
    return SampleWaveforms(
        sample=sample,
        periods=tuple(
            PeriodWaveforms(
                stage=period.name,
                time_s=kept[period.name].time_s,
                circuit_v=kept[period.name].node_v,
                reference_v=expected[period.compares_to] * period.unit_v,
            )
            for period in design.periods
        ),
        outputs=tuple(range(design.nodes_read.start + 1, design.nodes_read.stop + 1)),
        unit_v=design.periods[0].unit_v,
        unit_s=design.periods[0].unit_s,
    )


def _model_time(period: OdePeriod, switching: Switching | None, since_s: Array) -> Array:
    """How far the network is; one whose answer is taken late has been at its end since."""
    on_s: Array = np.clip(_on_s(period, switching, since_s), 0.0, period.period_s)
    return on_s / period.unit_s


def _on_s(period: OdePeriod, switching: Switching | None, since_s: Array) -> Array:
    """For how long a period's bank has acted: where its clock is half on, half as long."""
    if switching is None:
        return since_s
    return _risen_s(since_s, switching.rise_s) - _risen_s(since_s - period.period_s, switching.rise_s)


def _risen_s(since_s: Array, rise_s: float) -> Array:
    """The area under a line that rises from 0 to 1 and stays there."""
    on_edge: Array = np.clip(since_s, 0, rise_s) ** 2 / (2 * rise_s) if rise_s else np.zeros_like(since_s)
    return on_edge + np.maximum(since_s - rise_s, 0)
