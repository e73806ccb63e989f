"""Random and systematic deviations of the parts, as the last passes over a crossbar: the design has what was made.

Names of draws: the crossbar and the array, `l1.crossbar.area`.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from kanspice.design import Crossbar
from kanspice.draws import Draw
from kanspice.technology import Technology


def made(crossbar: Crossbar, technology: Technology, draw: Draw) -> Crossbar:
    """The crossbar as this specimen of the technology has it."""
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
