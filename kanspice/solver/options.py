"""How the batched solver runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

Progress = Callable[[int], None]
Expects = Callable[[int], None]


@dataclass(frozen=True)
class SolverOptions:
    """How to run.

    timeout_s: for the whole simulation; what is not finished then is `timed out`. check_samples: how many samples are
    solved again, tighter, to measure numerical error: half of them those that differ most from the reference, the
    others chosen by `seed`. waveforms: for how many of the samples, the first that were solved, the node voltages of a
    circuit that answers after a time are kept over time. block: samples at a time; if None, as many as fit well into
    the processor's cache; with NumPy no answer depends on it, to the last bit. row_currents: whether what crossbars'
    rows take from their drivers is found too, as the physical cost needs it. device: what computes, see
    `processor_named`.
    """

    timeout_s: float | None = None
    check_samples: int = 8
    seed: int = 0
    waveforms: int = 0
    block: int | None = None
    row_currents: bool = True
    device: str = "cpu"
