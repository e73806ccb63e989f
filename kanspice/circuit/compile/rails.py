"""Volts and amps of a model unit, chosen so that everything fits what amplifiers follow and give."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from kanspice.base.traced import number
from kanspice.circuit.compile.crossbars import CrossbarDraft, Drive
from kanspice.circuit.compile.current_unit import stated_unit_a
from kanspice.devices import Device
from kanspice.technology import Technology


def with_fitting_volts(technology: Technology, largest: float) -> Technology:
    """The technology with `units.v_unit_v` such that rows of at most `largest` model units, either sign, have at most
    `tia.common_v`, where that is finite and nobody has set the unit."""
    common_v = technology.tia.common_v
    if math.isinf(common_v) or "v_unit_v" in technology.units.model_fields_set or not 0 < largest < math.inf:
        return technology
    return _with_units(technology, v_unit_v=common_v / largest)


def with_fitting_amps(
    technology: Technology, drafts: Sequence[tuple[CrossbarDraft, Drive]], devices: Sequence[Device]
) -> Technology:
    """The technology with `units.i_unit_a` such that no row and no column of these crossbars takes more than
    `tia.output_a`, where that is finite and nobody has set the unit; devices get no larger than their cards say."""
    most_a = technology.tia.output_a
    if math.isinf(most_a) or "i_unit_a" in technology.units.model_fields_set:
        return technology
    largest = max((_largest(draft, drive, devices) for draft, drive in drafts), default=0.0)
    if largest <= 0:
        return technology
    return _with_units(technology, i_unit_a=min(most_a / largest, stated_unit_a(devices)))


def fitted_basis(asked: Technology, technology: Technology) -> str:
    """What a report says of units that were chosen; nothing of others. asked: before they were."""
    tia, units = technology.tia, technology.units
    chosen = []
    if units.v_unit_v != asked.units.v_unit_v:
        chosen.append(f"{units.v_unit_v:.4g} V, for rows within {tia.common_v:g} V (tia.common_v)")
    if units.i_unit_a != asked.units.i_unit_a:
        limit = f"{units.i_unit_a:.4g} A, for rows and columns within {tia.output_a:g} A (tia.output_a)"
        chosen.append(limit)
    return f"; a model unit is {', and '.join(chosen)}" if chosen else ""


def _largest(draft: CrossbarDraft, drive: Drive, devices: Sequence[Device]) -> float:
    """Of the currents of rows and columns, in units of current."""
    columns = max(number(np.abs(side).max(initial=0.0)) for side in drive.column_currents(draft, devices))
    return max(columns, number(drive.row_currents(draft, devices).max(initial=0.0)))


def _with_units(technology: Technology, **units: float) -> Technology:
    return technology.model_copy(update={"units": technology.units.model_copy(update=units)})
