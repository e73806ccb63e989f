"""How often a computer that integrates a KirchhoffNet's periods evaluates the currents of their branches."""

from __future__ import annotations

import numpy as np

from kanspice.base.arrays import Array
from kanspice.circuit import Design, OdePeriod
from kanspice.circuit.stages.trajectory import followed

TOLERANCE = 1e-3
"""Relative and absolute, in model units: the loosest of the configurations that the authors of KirchhoffNet publish,
which all name Dormand and Prince's method."""
_SAMPLES = 4


def evaluations_of(design: Design, inputs: Array) -> dict[str, float]:
    """Period -> evaluations, mean over the first samples of inputs (samples, inputs), model units.

    Samples that cannot be followed are left out; NaN where none can.
    """
    counted: dict[str, list[int]] = {period.name: [] for period in design.periods}
    for sample in inputs[:_SAMPLES] * design.input_v_per_unit if design.periods else ():
        volts, ends = sample[None], dict[str, Array]()
        for stage in design.stages:
            if isinstance(stage, OdePeriod):
                with np.errstate(over="ignore", invalid="ignore"):  # of what grows without bound
                    volts, evaluations = followed(stage, volts, "RK45", TOLERANCE, TOLERANCE)
                if not np.isfinite(volts).all():
                    break
                counted[stage.name].append(evaluations)
            else:
                volts = stage.ideal_v(design, volts, ends)
            ends[stage.name] = volts
    return {name: float(np.mean(found)) if found else float("nan") for name, found in counted.items()}
