"""How an engine runs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

KEPT_WAVEFORMS = 3
"""For so many samples unless something else is said: to look at, not to fill disk and memory with."""


@dataclass(frozen=True)
class RunOptions:
    """How to run; an engine leaves alone what it has not got.

    timeout_s: for the whole simulation; what is not finished then is `timed out`. check_samples: how many samples are
    solved again, tighter, to measure numerical error: half of them those that differ most from the reference, the
    others chosen by `seed`; all by `seed` where ngspice solves circuits that answer after a time. waveforms: for how
    many of the samples, the first that were solved, the node voltages of such a circuit are kept over time.
    row_currents: whether what crossbars' rows take from their drivers is found too, as the physical cost needs it;
    ngspice gives it in any case.

    Of ngspice: jobs, processes at a time; steps, time steps per period, an even number; if None, as many as a few
    samples need for a numerical error of 5e-4 of the outputs' standard deviation.
    Of the batched engine: device, what computes (see `processor_named`); block, samples at a time; if None, as many as
    fit well into the processor's cache; with NumPy no answer depends on it, to the last bit; prove_states, whether a
    crossbar that could settle in more than one state is found out, which can take longer than all else: False is for
    answers that nobody reports, as while a network is trained.
    """

    jobs: int = 1
    timeout_s: float | None = None
    check_samples: int = 8
    seed: int = 0
    steps: int | None = None
    waveforms: int = 0
    device: str = "cpu"
    block: int | None = None
    row_currents: bool = True
    prove_states: bool = True

    def named(self, names: Iterable[str]) -> dict[str, object]:
        """Some of them, as a solution keeps them."""
        return {name: getattr(self, name) for name in names}
