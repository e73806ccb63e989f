"""One specimen of a design: the same circuit with its parts as they come out of production.

Names of draws: the stage and the array, `l1.crossbar.area`.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from kanspice.design import Crossbar, Design
from kanspice.draws import Draw
from kanspice.technology import Technology


def made(design: Design, technology: Technology, draw: Draw) -> Design:
    """The specimen of a nominal design that `draw` draws, and the noise that its inputs have."""
    stages = [_crossbar(stage, technology, draw) if isinstance(stage, Crossbar) else stage for stage in design.stages]
    return replace(design, stages=tuple(stages), seed=draw.seed)


def _crossbar(crossbar: Crossbar, technology: Technology, draw: Draw) -> Crossbar:
    devices, tia = technology.devices, technology.tia
    area = crossbar.area
    if devices.area_step > 0:
        area = np.round(area / devices.area_step) * devices.area_step
    if devices.area_sigma > 0:
        area = area * np.maximum(1 + devices.area_sigma * draw.normal(f"{crossbar.name}.area", area.shape), 0.0)
    if devices.stuck_open > 0:
        area = np.where(draw.uniform(f"{crossbar.name}.stuck_open", area.shape) < devices.stuck_open, 0.0, area)
    columns = (2 * crossbar.width,)
    offset_v = tia.offset_sigma_v * draw.normal(f"{crossbar.name}.offset_v", columns)
    feedback = 1 + tia.feedback_sigma * draw.normal(f"{crossbar.name}.feedback_ohm", columns)
    return replace(crossbar, area=area, offset_v=offset_v, feedback_ohm=crossbar.feedback_ohm * np.abs(feedback))
