"""The stage that every layer of crossbars and of synapses begins with."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from kanspice.circuit import Limiter
from kanspice.circuit.stages.limiter import LimiterKind
from kanspice.technology import Technology


def input_stage(
    layer: int,
    technology: Technology,
    shift_v: npt.NDArray[np.float64],
    levels_v: tuple[float, float],
    *,
    kind: LimiterKind = "clip",
    input_v_per_unit: float = 1.0,
    unit_v: float = 1.0,
) -> Limiter:
    """`l<layer>.input`, as wide as shift_v (width,); levels_v: of a clip, the lower first."""
    name, (low_v, high_v) = f"l{layer}.input", levels_v
    return Limiter(
        name=name,
        compares_to=name,
        width=len(shift_v),
        kind=kind,
        low_v=low_v,
        high_v=high_v,
        input_v_per_unit=input_v_per_unit,
        unit_v=unit_v,
        shift_v=shift_v,
        knee_v=technology.clippers.knee_v,
    )
