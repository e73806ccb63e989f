"""A KirchhoffNet's branches and nodes in VACASK's language.

A branch is an instance of a module: `amps` times the activation of `alpha v_s + beta v_d + gamma` flows from its source
to its destination. An ideal one has the activation's own module, from the text that ngspice has; those of schematics
are in parts.va, as what their parts amount to.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Sequence
from typing import assert_never

import numpy as np

from kanspice.base.arrays import Array
from kanspice.circuit import NodeLosses, OdePeriod, Schematic
from kanspice.circuit.activations import Activation
from kanspice.circuit.branch_laws import LAWS
from kanspice.engine.netlist.names import branch_element, layer_of
from kanspice.engine.vacask.elements import GROUND, element, level
from kanspice.engine.vacask.verilog import Proof, VerilogModule

_MODULE = """`include "disciplines.vams"
module {name}(s, d);
 inout s, d; electrical s, d;
 (*type="instance"*) parameter real amps = 1.0;
 (*type="instance"*) parameter real alpha = 1.0;
 (*type="instance"*) parameter real beta = -1.0;
 (*type="instance"*) parameter real gamma = 0.0;
 real x;
 analog begin
  x = alpha * V(s) + beta * V(d) + gamma;
  I(s, d) <+ amps * ({activation});
 end
endmodule
"""

_DRIVES = np.linspace(-12.0, 12.0, 241)
"""At which an activation is asked for: on both sides of every corner, and on them."""


def branch_module(activation: Activation) -> VerilogModule:
    """An activation's module."""
    text = activation.text("x").replace("uramp(", "max(0.0, ")  # the one function that Verilog-A calls otherwise
    name = "act_" + hashlib.sha256(text.encode()).hexdigest()[:24]
    return VerilogModule(name, _MODULE.format(name=name, activation=text), Proof(_DRIVES, activation.function(_DRIVES)))


def own_module(period: OdePeriod, schematic: Schematic | None) -> VerilogModule | None:
    """The module of a period's branches, where it is none of parts.va."""
    law = LAWS[period.law]
    return branch_module(law.activation) if schematic is None or law.is_conductance else None


def branch_lines(period: OdePeriod, nodes: Sequence[str], schematic: Schematic | None) -> Iterator[str]:
    """Every branch that carries a current and changes a voltage; ideal sources without a schematic.

    nodes: those of the bank by their numbers, ground first.
    """
    law, layer = LAWS[period.law], layer_of(period.name)
    module, columns = _built(period, schematic)
    carries = np.flatnonzero((period.source != period.destination) & (columns["amps"] != 0))
    if law.is_conductance:
        carries = carries[columns["alpha"][carries] != 0]
    ends = period.source[carries].tolist(), period.destination[carries].tolist()
    values = zip(*(column[carries].tolist() for column in columns.values()), strict=True)
    for index, source, destination, own in zip(carries.tolist(), *ends, values, strict=True):
        between = nodes[source], nodes[destination]
        yield element(branch_element(layer, index), between, module, **dict(zip(columns, own, strict=True)))


def _built(period: OdePeriod, schematic: Schematic | None) -> tuple[str, dict[str, Array]]:
    """The module of a period's branches, and their parameters, (branches,) each."""
    law, of = LAWS[period.law], LAWS[period.law].drive.coefficients(period.theta)
    drive = {"alpha": of.alpha / period.unit_v, "beta": of.beta / period.unit_v, "gamma": of.gamma}
    unit_a, every = period.gain * period.current_unit_a, np.ones(period.branches)
    own = own_module(period, schematic)
    if schematic is None or own is not None:
        return branch_module(law.activation).name, {"amps": of.weight * unit_a, **drive}
    sources = {"largest": every * level(schematic.vccs_saturation), "joint": every * law.drive.of_difference}
    match law.schematic:
        case "pair":
            tail = schematic.pair_saturation * period.tail
            return "kan_pair_branch", {"amps": unit_a * tail, **drive, **sources, "tail": tail}
        case "switched conductance":
            return "kan_switched_branch", {**drive, **_behind_switch(period, of.weight, schematic)}
        case "switched sources":
            on, off = (ohm / schematic.source_ohm for ohm in (schematic.switch_on_ohm, schematic.switch_off_ohm))
            return "kan_switched_branch", {
                **drive,
                **sources,
                "amps": unit_a / (1 + on),
                "below": every * (0.0 if math.isinf(off) else (1 + on) / (1 + off)),
            }
        case "conductance" | None:
            raise ValueError(f"{law.name} has no schematic")
        case name:
            assert_never(name)


def _behind_switch(period: OdePeriod, weight: Array, schematic: Schematic) -> dict[str, Array]:
    """A conductance with its current source, in series with a one-sided switch; the drive is in units of voltage.

    Of a slope of 0 nothing is built. A negative one is turned around by a mirror.
    """
    siemens = np.abs(weight) * period.current_unit_a / period.unit_v
    on, off_ohm = 1 + siemens * schematic.switch_on_ohm, schematic.switch_off_ohm
    amps = np.sign(weight) * period.gain * period.unit_v * siemens / on
    return {"amps": amps, "below": np.zeros_like(on) if math.isinf(off_ohm) else on / (1 + siemens * off_ohm)}


def node_line(node: str, farads: float, losses: NodeLosses | None) -> str:
    """A node's capacitor, and what else it loses."""
    values = {}
    if losses is not None and math.isfinite(losses.leak_ohm):
        values["leak"] = 1 / losses.leak_ohm
    if losses is not None and losses.clamps:
        values |= {"supply": losses.supply_v, "clamp": 1 / losses.clamp_ohm}
    return element(f"{node}_c", (node, GROUND), "kan_node", c=farads, **values)


def pole_line(outer: str, inner: str, late: str, period: OdePeriod, lag_s: float) -> str:
    """The pole between a node and the branches that end there: what they carry together follows their laws' sum."""
    ohm = period.unit_v / period.current_unit_a
    return element(f"{late}_p", (outer, inner, late), "kan_pole", ohm=ohm, lag=lag_s)
