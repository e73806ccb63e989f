"""KirchhoffNets of transistors: units in which everything fits between the supplies.

Volts per unit are the most that keep every node where amplifiers and mirrors work; the unit of current is the one at
which pairs are in weak inversion; capacitors are so large that gates follow their nodes in time.
"""

from __future__ import annotations

import numpy as np

from kanspice.base.errors import InputError
from kanspice.circuit import TransistorBranches
from kanspice.circuit.branch_laws import LAWS, LawName
from kanspice.circuit.compile.effects import Foreign, fitting
from kanspice.circuit.compile.sizing import Sizing
from kanspice.circuit.transistor_branches import CELLS, BranchCells, has_transistors
from kanspice.technology import Technology

_MARGIN = 1.05
"""How much farther than at the ends of periods nodes may come, in between and for other samples."""
_LAGS = 200.0
"""How much longer than the lag of its branches' currents a period is at least: of two moons' gap of 1.4 % with as many,
1.1 % are there however long periods are, and with half as many it is 2.1 %."""
_EDGE = 1e-3
"""Of the shortest period: what clocks take to rise and fall. Faster ones couple more into nodes."""
_OF_TRANSISTORS = "what its transistors do: branches.realisation = 'behavioural' or 'schematic' have figures"


def transistor_technology(technology: Technology) -> Technology:
    """What of a general technology a circuit of transistors can have: InputError for another that has more.

    Nothing of what branches and switches are otherwise described with: their transistors have it.
    """
    foreign = [Foreign("branches", _OF_TRANSISTORS, but=["references"]), Foreign("parts", _OF_TRANSISTORS)]
    if technology.switches.mode == "phased":
        foreign.append(Foreign("switches", "switches.mode = 'monolithic'"))
    own = "on_ohm", "off_ohm", "injected_c", "injected_sigma_c"
    foreign.append(Foreign("switches", _OF_TRANSISTORS, only=own))
    sections = "kirchhoffnet", "branches", "parts", "switches", "process"
    return fitting(technology, "a KirchhoffNet of transistors", sections, foreign)


def transistor_branches(technology: Technology, law: LawName, *, holds: bool) -> TransistorBranches | None:
    """The transistors that branches are built of; None where they are not. InputError where there are no such cells.

    holds: whether voltages of some period are held, to be added later.
    """
    if technology.branches.realisation != "transistor":
        return None
    process = technology.process
    if not has_transistors(law):
        raise InputError(
            "there is no circuit of transistors for this branch function",
            expected=f"one of {', '.join(name for name in LAWS if has_transistors(name))}",
            found=law,
            hint="use branches.realisation = 'behavioural' or 'schematic'",
        )
    if holds and technology.switches.mode == "monolithic":
        raise InputError(
            "there are no transistors that hold a period's voltages, and add them",
            where="switches.mode",
            expected="'phased', for a network with a residual",
            found=technology.switches.mode,
        )
    if process.pdk == "none" or process.pdk not in CELLS:
        raise InputError(
            "there are no branches of this process's transistors",
            where="process.pdk",
            expected=f"one of {', '.join(CELLS)}",
            found=process.pdk,
            hint="--set process.pdk=gf180",
        )
    proportional = technology.branches.references == "proportional"
    return TransistorBranches(process.pdk, process.corner, process.mismatch, process.temperature_c, proportional)


def swing_basis(sizing: Sizing | None) -> str:
    """What volts per unit were chosen for."""
    return "volts that were given" if sizing is None else f"{len(sizing.inputs)} sample inputs"


def with_fitting_units(
    technology: Technology, transistors: TransistorBranches, sizing: Sizing | None, *, shortest: float
) -> Technology:
    """The technology with volts and amps per unit, capacitors and edges that fit; what somebody has set is kept.

    Volts and amps are those at 27 degrees until they are found to fit.

    shortest: how long the shortest period is, in model time. InputError for values that do not fit, or without samples
    that say how far nodes come.
    """
    cells, units, nodes = transistors.cells, technology.units, technology.kirchhoffnet
    unit_v = _unit_v(technology, cells, sizing)
    unit_a = units.i_unit_a if "i_unit_a" in units.model_fields_set else cells.unit_a
    if unit_a > cells.largest_unit_a:
        raise InputError(
            "differential pairs would leave weak inversion, where they are a tanh",
            where="units.i_unit_a",
            expected=f"at most {cells.largest_unit_a:.3g} A",
            found=f"{unit_a:.3g} A",
        )
    farads = nodes.capacitance_f
    if "capacitance_f" not in nodes.model_fields_set:
        farads = _LAGS * cells.lag_s * unit_a / (unit_v * shortest)
    switches = technology.switches
    if switches.mode == "monolithic" and "rise_s" not in switches.model_fields_set:
        switches = switches.model_copy(update={"rise_s": _EDGE * shortest * farads * unit_v / unit_a})
    warmth = transistors.warmth
    units = units.model_copy(update={"v_unit_v": warmth * unit_v, "i_unit_a": warmth * unit_a})
    nodes = nodes.model_copy(update={"capacitance_f": farads})
    return technology.model_copy(update={"units": units, "kirchhoffnet": nodes, "switches": switches})


def _unit_v(technology: Technology, cells: BranchCells, sizing: Sizing | None) -> float:
    """Volts per unit: those that were set, or the most that fit."""
    units = technology.units
    is_set = "v_unit_v" in units.model_fields_set
    if sizing is None or not sizing.stages:
        if is_set:
            return units.v_unit_v
        raise InputError(
            "without samples nobody knows how far the nodes come, and how many volts a unit may be",
            where="units.v_unit_v",
            hint="give --inputs, or set units.v_unit_v",
        )
    ends = [values for name, values in sizing.answered.items() if name.startswith("l") and values.size]
    largest = max(float(np.abs(values).max()) for values in (sizing.inputs, *ends))
    if not is_set:
        return cells.reach_v / (_MARGIN * largest)
    if units.v_unit_v * largest > cells.reach_v:
        raise InputError(
            "nodes would come farther than amplifiers and mirrors work",
            where="units.v_unit_v",
            expected=f"at most {cells.reach_v / largest:.3g} V: nodes reach {largest:.3g}, of {cells.reach_v:g} V",
            found=f"{units.v_unit_v:g} V",
            hint="leave it out: volts per unit are then chosen",
        )
    return units.v_unit_v
