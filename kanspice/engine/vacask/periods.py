"""A design of periods in VACASK's language: a bank for each, and the decks that follow it from given voltages."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain

import numpy as np

from kanspice.base.arrays import Array
from kanspice.circuit import Design, OdePeriod, ReadOut
from kanspice.engine.netlist import Netlist
from kanspice.engine.netlist.names import branches_node, layer_of, period_node
from kanspice.engine.simulators.stepping import Stepping
from kanspice.engine.vacask.branches import branch_lines, node_line, own_module, pole_line
from kanspice.engine.vacask.deck import saved_lines
from kanspice.engine.vacask.elements import model_lines
from kanspice.engine.vacask.emit import ELEMENT_BYTES, PROGRAM_BYTES, SECONDS_PER_ELEMENT
from kanspice.engine.vacask.verilog import VerilogModule, number

_PARTS = ("kan_node", "kan_pole", "kan_pair_branch", "kan_switched_branch")
_RELTOL = 1e-9
_LEAST_OF_UNIT, _LEAST_OF_CHARGE = 1e-3, 1e-6
"""What counts as nothing, in parts of a unit times the tolerance."""
_ROUNDINGS = 64
"""How many roundings of a voltage that nodes begin at, or of a unit, are allowed for."""
_FIRST = 50.0
"""The first step, an implicit Euler one, is so many times shorter than the others; steps then double."""
_RULE = 'tran_method="am" tran_maxord=3 tran_redofactor=0 tran_lteratio=1e9 tran_predictor=0 nr_contbypass=0'
"""Adams-Moulton of order 3 in even steps: the simulator's own step control keeps out of it, as in ngspice."""


def period_circuit(design: Design) -> tuple[Netlist, list[VerilogModule]]:
    """The banks, a file each, and the modules that they need besides parts.va."""
    probes = {period.name: tuple(nodes_of(period)) for period in design.periods}
    probes |= {s.name: probes[p.name] for p in design.periods if (s := design.sum_after(p)) is not None}
    last = probes[design.periods[-1].name]
    probes |= {s.name: last[s.start : s.start + s.width] for s in design.stages if isinstance(s, ReadOut)}
    modules = [own_module(period, design.schematic) for period in design.periods]
    elements = [sum(1 for _ in _bank(design, period)) for period in design.periods]
    netlist = Netlist(
        fidelity="device",
        files={bank_file(period): partial(_text, design, period) for period in design.periods},
        inputs=probes[design.periods[0].name][: design.input_width],
        probes=probes,
        columns={},
        amplifiers={},
        reach_v={},
        nodes=sum(period.nodes for period in design.periods),
        elements=sum(elements),
        simulator_bytes=PROGRAM_BYTES + ELEMENT_BYTES * max(elements),  # a process for each period
        first_s=SECONDS_PER_ELEMENT * sum(elements),
    )
    return netlist, [module for module in modules if module is not None]


def bank_file(period: OdePeriod) -> str:
    """What has a period's elements."""
    return f"{layer_of(period.name)}_bank.inc"


def nodes_of(period: OdePeriod) -> list[str]:
    """Of its capacitors, from node 1 on."""
    return [period_node(layer_of(period.name), node) for node in range(1, period.nodes + 1)]


@dataclass(frozen=True)
class PeriodStarts:
    """A period of a design, from which voltages and for how long.

    start_v: (samples, nodes), volts. lasts_s: (samples,).
    """

    design: Design
    period: OdePeriod
    start_v: Array
    lasts_s: Array


def period_deck(starts: PeriodStarts, loaded: Sequence[str], stepping: Stepping) -> str:
    """A deck that follows a period from the voltages of every sample by itself: analysis `p<sample>`, whose every point
    is in `p<sample>.raw`. loaded: files of compiled modules."""
    design, period = starts.design, starts.period
    nodes, least = nodes_of(period), _RELTOL * _LEAST_OF_UNIT
    rounded_a = _rounded_a(starts, stepping)
    charge_c = _RELTOL * _LEAST_OF_CHARGE * float(period.capacitor_f.min()) * period.unit_v
    lines = ["kanspice", "ground 0", *(f'load "../{name}"' for name in loaded), f'include "../{bank_file(period)}"']
    lines += ["control", "  abort except analysis"]
    lines.append(f'  options rawfile="binary" strictoutput=0 {_RULE}')
    lines.append(
        f"  options reltol={number(_RELTOL)} vntol={number(least * period.unit_v)}"
        f" abstol={number(max(least * period.current_unit_a, rounded_a))} chgtol={number(charge_c)}"
    )
    lines += saved_lines([f"v({node})" for node in nodes])
    for row, (volts, end_s) in enumerate(zip(starts.start_v.tolist(), starts.lasts_s.tolist(), strict=True)):
        step_s = end_s / stepping.steps
        times = f"stop={number(end_s)} step={number(step_s / _FIRST)} maxstep={number(step_s)}"
        lines.append(f'  analysis p{row} tran {times} icmode="uic" ic={{{_starts(design, period, volts)}}}')
    return "\n".join([*lines, "endc", ""])


def _rounded_a(starts: PeriodStarts, stepping: Stepping) -> float:
    """What rounding a node's voltage makes of its capacitor's current in the shortest step: less, no current can be."""
    largest_v = max(float(np.abs(starts.start_v).max(initial=0.0)), starts.period.unit_v)
    shortest_s = float(starts.lasts_s.min()) / stepping.steps / _FIRST
    return (
        _ROUNDINGS * float(np.finfo(np.float64).eps) * largest_v * float(starts.period.capacitor_f.max()) / shortest_s
    )


def _starts(design: Design, period: OdePeriod, volts: Sequence[float]) -> str:
    """Node, volts, node, volts, and so on. What branches carry begins at nothing where it is late."""
    starts = dict(zip(nodes_of(period), volts, strict=True))
    if design.lag_s > 0:
        inner, late = _behind_poles(period)
        starts |= dict(zip(inner, volts, strict=True)) | dict.fromkeys(late, 0.0)
    return ", ".join(f'"{node}", {number(value)}' for node, value in starts.items())


def _behind_poles(period: OdePeriod) -> tuple[list[str], list[str]]:
    """Where the branches hang, and what they carry, for every node from 1 on."""
    inner = [branches_node(layer_of(period.name), node) for node in range(1, period.nodes + 1)]
    return inner, [f"{node}_q" for node in inner]


def _text(design: Design, period: OdePeriod) -> Iterator[str]:
    models = model_lines([*_PARTS, *(own.name for own in [own_module(period, design.schematic)] if own is not None)])
    return (f"{line}\n" for line in chain(models, _bank(design, period)))


def _bank(design: Design, period: OdePeriod) -> Iterator[str]:
    """Its elements, and what hangs on its nodes."""
    nodes = nodes_of(period)
    for node, farads in zip(nodes, period.capacitor_f.tolist(), strict=True):
        yield node_line(node, farads, design.losses)
    hung = nodes
    if design.lag_s > 0:
        hung, late = _behind_poles(period)
        for ends in zip(nodes, hung, late, strict=True):
            yield pole_line(*ends, period, design.lag_s)
    yield from branch_lines(period, ["0", *hung], design.schematic)
