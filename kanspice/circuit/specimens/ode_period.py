"""A period as it comes out of production: its capacitors, branches and clock."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from kanspice.base.arrays import Array
from kanspice.base.draws import Draw
from kanspice.base.traced import number, plain
from kanspice.circuit import OdePeriod, Stage
from kanspice.circuit.branch_laws import LAWS
from kanspice.circuit.specimens.parts import LEAST
from kanspice.technology import Technology
from kanspice.technology.standard_values import nearest


def ode_period_specimen(period: OdePeriod, technology: Technology, draw: Draw) -> OdePeriod:
    nodes, branches, switches = technology.kirchhoffnet, technology.branches, technology.switches
    each, ends = (period.branches,), (2, period.branches)
    off = 1 + nodes.capacitor_sigma * draw.normal(f"{period.name}.capacitor_f", (period.nodes,))
    theta = period.theta
    if branches.offset_sigma_v > 0:
        offsets_v = branches.offset_sigma_v * draw.normal(f"{period.name}.offset_v", ends)
        theta = LAWS[period.law].with_offsets(theta, offsets_v / period.unit_v)
    charge = draw.normal(f"{period.name}.injected_c", (period.nodes,))
    late_on, late_off = switches.skew_s * draw.uniform(f"{period.name}.late_s", (2,))
    return replace(
        period,
        theta=theta,
        capacitor_f=period.capacitor_f * np.maximum(off, LEAST),
        gain=_standard_gain(period, technology)
        * np.maximum(1 + branches.gain_sigma * draw.normal(f"{period.name}.gain", each), 0.0),
        tail=np.maximum(1 + branches.pair_sigma * draw.normal(f"{period.name}.tail", each), LEAST),
        injected_c=switches.injected_c + switches.injected_sigma_c * charge,
        late_on_s=number(late_on),
        late_off_s=number(late_off),
    )


def _standard_gain(period: OdePeriod, technology: Technology) -> Array:
    """(branches,) what conductances of standard resistors carry, of what they should: without a derivative."""
    period = plain(period)
    law, series = LAWS[period.law], technology.parts.resistors
    if series == "exact" or technology.branches.realisation != "schematic" or not law.is_resistive:
        return np.ones(period.branches)
    of = law.drive.coefficients(period.theta)
    siemens = np.abs(of.weight * of.alpha) * period.current_unit_a / period.unit_v
    there = siemens > 0
    ohm = 1 / np.where(there, siemens, 1.0)
    return np.where(there, ohm / nearest(ohm, series), 1.0)


def with_kept_capacitors(stages: Sequence[Stage]) -> tuple[Stage, ...]:
    """The same, where the nodes that a period and the one before it both have are the same capacitors."""
    kept: list[Stage] = []
    for stage in stages:
        before = next((earlier for earlier in reversed(kept) if isinstance(earlier, OdePeriod)), None)
        if isinstance(stage, OdePeriod) and before is not None:
            known_f = before.capacitor_f[: stage.nodes]
            kept.append(replace(stage, capacitor_f=np.concatenate([known_f, stage.capacitor_f[len(known_f) :]])))
        else:
            kept.append(stage)
    return tuple(kept)
