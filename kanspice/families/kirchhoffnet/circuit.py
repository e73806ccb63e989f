"""KirchhoffNet -> Design: the network is the circuit (paper, Eq. 7), so compiling is a choice of units.

A branch carries `units.i_unit_a` amps for a model current of 1, a node stands at `units.v_unit_v` volts for a model
voltage of 1, and every node has `kirchhoffnet.capacitance_f` farads to ground: model time 1 is C V_0 / I_0 seconds.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np

from kanspice.base.arrays import Array
from kanspice.base.errors import InputError
from kanspice.base.traced import asarray
from kanspice.circuit import Design, DigitalLayer, HeldSum, NodeLosses, OdePeriod, ReadOut, Schematic, Stage, Switching
from kanspice.circuit.activations import ACTIVATIONS
from kanspice.circuit.branch_laws import LAWS, SCHEMATIC_LAWS, LawName, own_name
from kanspice.circuit.compile import Sizing
from kanspice.circuit.compile.effects import Foreign, fitting
from kanspice.circuit.compile.transistor_branches import (
    swing_basis,
    transistor_branches,
    transistor_technology,
    with_fitting_units,
)
from kanspice.families.kirchhoffnet.arrays import PeriodArrays, period_arrays, projector_arrays
from kanspice.families.kirchhoffnet.branches import DeviceBranch
from kanspice.families.kirchhoffnet.network import KirchhoffNet
from kanspice.technology import Technology

_SUDDEN = 1e-6
"""Part of the shortest period that a clock's edge takes when no time is given."""

_TRANSFER = 1e-2
"""Part of the shortest period that sampling a voltage to be held takes at least, and adding it. ngspice merges moments
that are nearer to each other than a twenty-thousandth of a step."""

_CLOSED, _STIFF = 1e-6, 1e3
"""A one-sided switch and a current source that are as good as ideal, in resistances of a unit branch."""
_HOWEVER_BUILT = "gain_sigma", "offset_sigma_v", "parasitic_f", "bandwidth_hz"
"""Imperfections of branches that are there however branches are built."""
_CLAMPED = 1e-3
"""A supply's clamp that is as good as ideal, in resistances of a unit branch."""


def technology_for_kirchhoffnet(model: KirchhoffNet, technology: Technology) -> Technology:
    """What of a general technology the network's circuit can have. InputError for another that has more."""
    law, schematic = LAWS[_law(model)], technology.branches.realisation == "schematic"
    if technology.branches.realisation == "transistor":
        return transistor_technology(technology)
    foreign = list[Foreign]()
    if not law.drive.has_inputs:
        without_inputs = "branches with inputs: a conductance has none"
        foreign.append(Foreign("branches", without_inputs, only=["offset_sigma_v", "bandwidth_hz"]))
    if not schematic:
        foreign.append(Foreign("branches", "branches.realisation = 'schematic'", but=_HOWEVER_BUILT))
    elif law.schematic is not None:
        own = law.imperfections
        foreign.append(Foreign("branches", f"for {law.name}: {', '.join(own) or 'none'}", but=(*own, *_HOWEVER_BUILT)))
    if not (schematic and law.is_resistive):
        foreign.append(Foreign("parts", "branches.realisation = 'schematic', and branches that are conductances"))
    if technology.switches.mode == "phased":
        foreign.append(Foreign("switches", "switches.mode = 'monolithic'"))
    return fitting(technology, "a KirchhoffNet", ("kirchhoffnet", "branches", "parts", "switches"), foreign)


def compile_kirchhoffnet(model: KirchhoffNet, technology: Technology, sizing: Sizing | None = None) -> Design:
    """The circuit of a KirchhoffNet: a period for each layer, then the read-out, and what is digital after it.

    Raises InputError for a branch function that has no circuit yet, and for imperfections that the circuit cannot have.
    """
    law = _law(model)
    technology = technology_for_kirchhoffnet(model, technology)
    transistors = transistor_branches(technology, law, holds=model.residual is not None)
    if transistors is not None:
        technology = with_fitting_units(technology, transistors, sizing, shortest=min(model.durations))
    stages: list[Stage] = []
    inputs, unit_v = model.input_width, technology.units.v_unit_v
    all_arrays = period_arrays(model)
    capacitors_f = _capacitors_f(all_arrays, technology)
    for index, arrays in enumerate(all_arrays, start=1):
        period = _period(model, technology, law, arrays, index=index, inputs=inputs)
        stages.append(replace(period, capacitor_f=capacitors_f[: arrays.nodes]))
        inputs = arrays.nodes
        if model.residual is not None and index == model.residual[1]:
            name = f"l{index}.residual"
            stages.append(HeldSum(name, name, f"l{model.residual[0]}.period", inputs, unit_v))
    stages.append(ReadOut("readout", "readout", model.readout.start, model.readout.width, unit_v))
    projector = projector_arrays(model)
    if projector is not None:
        weight, bias = projector
        stages.append(DigitalLayer("projector", "projector", weight, bias * unit_v, unit_v))
    periods = [stage for stage in stages if isinstance(stage, OdePeriod)]
    return Design(
        family="kirchhoffnet",
        technology_json=technology.to_json(),
        devices=(),
        input_width=model.input_width,
        input_v_per_unit=unit_v,
        swing_basis="none: there are no amplifiers" if transistors is None else swing_basis(sizing),
        stages=tuple(stages),
        schematic=_schematic(technology, law),
        transistors=transistors,
        switching=_switching(technology, periods, holds=model.residual is not None),
        losses=_losses(technology),
        jitter_s=technology.kirchhoffnet.jitter_sigma_s,
        noise_k=technology.kirchhoffnet.noise_k,
        lag_s=1 / (2 * math.pi * technology.branches.bandwidth_hz),
    )


def _losses(technology: Technology) -> NodeLosses | None:
    nodes, units = technology.kirchhoffnet, technology.units
    if math.isinf(nodes.leak_ohm) and math.isinf(nodes.supply_v):
        return None
    return NodeLosses(nodes.leak_ohm, nodes.supply_v, nodes.clamp_ohm or _CLAMPED * units.v_unit_v / units.i_unit_a)


def _schematic(technology: Technology, law: LawName) -> Schematic | None:
    if technology.branches.realisation != "schematic":
        return None
    if LAWS[law].schematic is None:
        raise InputError(
            "the paper draws no schematic of this branch function",
            expected=f"one of {', '.join(SCHEMATIC_LAWS)}",
            found=law,
            hint="use branches.realisation = 'behavioural'",
        )
    branches, unit_ohm = technology.branches, technology.units.v_unit_v / technology.units.i_unit_a
    return Schematic(
        switch_on_ohm=branches.switch_on_ohm or _CLOSED * unit_ohm,
        switch_off_ohm=branches.switch_off_ohm,
        source_ohm=_STIFF * unit_ohm if math.isinf(branches.source_ohm) else branches.source_ohm,
        pair_saturation=branches.pair_saturation,
        vccs_saturation=branches.vccs_saturation,
    )


def _switching(technology: Technology, periods: Sequence[OdePeriod], *, holds: bool) -> Switching | None:
    """holds: whether voltages of some period are held, to be added later."""
    switches = technology.switches
    if switches.mode == "phased":
        if switches.rise_s > 0 and not technology.general:
            raise InputError(
                "switches.rise_s would have no effect", where="technology", expected="switches.mode = 'monolithic'"
            )
        return None
    for before, after in pairwise(periods):
        if after.nodes > before.nodes and after.fill == "repeat":
            raise InputError(
                "nodes that appear and repeat others' voltages need a copying circuit",
                expected="fill 'zeros', or switches.mode = 'phased'",
                found=f"fill 'repeat' from {before.nodes} to {after.nodes} nodes at {after.name}",
            )
    shortest_s = min(period.period_s for period in periods)
    rise_s = switches.rise_s or shortest_s * _SUDDEN
    if rise_s >= shortest_s:
        raise InputError(
            "the clocks are slower than a period",
            where="switches.rise_s",
            expected=f"less than {shortest_s:.4g} s",
            found=f"{rise_s:.4g} s",
        )
    transfer_s = max(rise_s, _TRANSFER * shortest_s) if holds else 0.0
    return Switching(switches.on_ohm, switches.off_ohm, rise_s, switches.hold_s + switches.skew_s, transfer_s)


def _law(model: KirchhoffNet) -> LawName:
    branch = model.branch
    if not isinstance(branch, DeviceBranch):
        return branch.name
    law = f"Device{1 if branch.negation else 2}.{branch.activation or 'identity'}"
    if law not in LAWS:
        raise InputError(
            "this activation has no circuit", expected=f"one of {', '.join(ACTIVATIONS)}", found=repr(branch.activation)
        )
    return own_name(law)


def _capacitors_f(periods: Sequence[PeriodArrays], technology: Technology) -> Array:
    """(nodes,) from every node to ground, of as many as the largest period has, with what branches add to them."""
    ends = np.concatenate([end for period in periods for end in (period.source, period.destination)])
    loads = np.bincount(ends, minlength=max(period.nodes for period in periods) + 1)[1:]
    nodes = technology.kirchhoffnet
    return asarray(nodes.capacitance_f + nodes.parasitic_f + technology.branches.parasitic_f * loads)


def _lasting_s(planned_s: float, clock_s: float) -> float:
    """How long a period lasts that a clock begins and ends. Ticks finer than numbers resolve leave it as it is."""
    if clock_s <= planned_s * np.finfo(np.float64).eps:
        return planned_s
    return max(round(planned_s / clock_s), 1) * clock_s


def _period(
    model: KirchhoffNet, technology: Technology, law: LawName, arrays: PeriodArrays, *, index: int, inputs: int
) -> OdePeriod:
    units, capacitor_f = technology.units, technology.kirchhoffnet.capacitance_f
    unit_s = capacitor_f * units.v_unit_v / units.i_unit_a
    return OdePeriod(
        name=f"l{index}.period",
        compares_to=f"l{index}.period",
        inputs=inputs,
        nodes=arrays.nodes,
        fill=model.fill,
        law=law,
        source=arrays.source,
        destination=arrays.destination,
        theta=arrays.theta,
        current_unit_a=units.i_unit_a,
        unit_v=units.v_unit_v,
        unit_s=unit_s,
        capacitor_f=capacitor_f * np.ones(arrays.nodes),
        period_s=_lasting_s(arrays.duration * unit_s, technology.kirchhoffnet.clock_s),
        gain=np.ones(arrays.theta.shape[1]),
        tail=np.ones(arrays.theta.shape[1]),
        injected_c=np.zeros(arrays.nodes),
        late_on_s=0.0,
        late_off_s=0.0,
    )
