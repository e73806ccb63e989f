"""How finely a period is integrated, and how many steps an error asks for."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

TARGET = 7e-4
"""Numerical error that is aimed at, as part of the outputs' standard deviation over the samples."""
PILOT_STEPS = 25
_LEAST_STEPS, _MOST_STEPS = 20, 4000
_ASYMPTOTIC = 0.02
"""Below this relative error the law of squares is trusted to find the number of steps."""
_RELTOL_TIMES_STEPS_SQUARED = 2.5e-3


@dataclass(frozen=True)
class Stepping:
    """The trapezoidal rule with this many even steps per period; its error falls with their square."""

    steps: int

    @property
    def reltol(self) -> float:
        """Newton's method stops when voltages and currents move by less than this part.

        ngspice keeps a capacitor's charge of the last iterate but one, so this is a step's error, not its square; it
        falls as a step's own does. Measured: 1e-6 at 50 steps adds nothing to the error and little to the time.
        """
        return _RELTOL_TIMES_STEPS_SQUARED / self.steps**2

    def finer(self, times: int) -> Stepping:
        """The same with that many times more steps."""
        return Stepping(self.steps * times)


def relative_error(coarse: Array, fine: Array) -> float:
    """The error of the finer of two results (samples, outputs), one with half as many steps as the other.

    A standard error of the mean square is added: a few samples carry most of the error and may be missing here.
    """
    squares = np.mean(((coarse - fine) / 3) ** 2, axis=1)
    error = float(np.sqrt(squares.mean() + squares.std() / np.sqrt(len(squares))))
    scale = float(np.sqrt(np.mean(np.var(fine, axis=0))))
    if scale == 0:
        scale = float(np.sqrt(np.mean(fine**2)))
    return error / scale if scale > 0 else 0.0


def is_asymptotic(error: float) -> bool:
    """True where the error is small enough to say from it how many steps another needs."""
    return error <= _ASYMPTOTIC


def steps_for(error: float, steps: int) -> int:
    """How many steps the target needs when `steps` have this error."""
    needed = math.ceil(steps * math.sqrt(error / TARGET)) if math.isfinite(error) else _MOST_STEPS
    return min(max(needed, _LEAST_STEPS), _MOST_STEPS)
