"""The run deck: stimulus and analysis around a compiled circuit. Built from numbers and our own names only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from kanspice.base.arrays import Array
from kanspice.base.spice_numbers import spice_number
from kanspice.circuit import (
    Design,
    NodeLosses,
    OdePeriod,
    TransistorBranches,
)
from kanspice.engine.netlist.names import layer_of, period_node, start_node
from kanspice.engine.netlist.nodes import held_lines, node_lines
from kanspice.engine.netlist.periods import period_files
from kanspice.engine.netlist.transistor_banks import SUPPLIES
from kanspice.engine.simulators.stepping import Stepping

ONE_THREAD = "set num_threads=1"
"""A command before the first analysis: else ngspice computes transistors on two threads, which wait for each other by
running. On a busy machine that took six times as much of the processors."""


@dataclass(frozen=True)
class Tolerances:
    """ngspice's convergence criteria."""

    reltol: float
    vntol: float
    abstol: float


# At 1e-6 single samples were off by 1e-7 of the outputs, unnoticed; one more Newton iteration costs next to nothing.
NORMAL = Tolerances(reltol=1e-9, vntol=1e-12, abstol=1e-18)
TIGHT = Tolerances(reltol=1e-12, vntol=1e-15, abstol=1e-21)
_TIGHT_ROUNDED = Tolerances(reltol=1e-10, vntol=1e-13, abstol=1e-18)
"""Where rounding is amplified, that of a steep exponential's argument or along wires. With TIGHT not every sample of
memdiodes is solved, and a network of 4,734 devices behind wires not in 60 iterations; with this it is in 18.
"""


OF_TRANSISTORS = Tolerances(reltol=1e-6, vntol=1e-9, abstol=1e-15)
"""In circuits of amplifiers that are subcircuits: their models are rounded more than ours, by junctions' exponentials
and by conditions."""
_TIGHT_OF_TRANSISTORS = Tolerances(reltol=1e-8, vntol=1e-11, abstol=1e-16)


_ROUNDED_A = 1e-15
"""What currents behind wires are rounded to at most, times ten: 1e-9 of a unit of current."""


def tightened(design: Design) -> Tolerances:
    """With which samples are solved again to measure the numerical error."""
    if design.realised is not None:
        return _TIGHT_OF_TRANSISTORS
    return _TIGHT_ROUNDED if any(stage.amplifies_rounding for stage in design.stages) else TIGHT


def normal(design: Design) -> Tolerances:
    """With which samples are solved."""
    return NORMAL if design.realised is None else OF_TRANSISTORS


def eased(design: Design, tolerances: Tolerances) -> Tolerances:
    """With which a sample is tried once more that did not converge: as exact, but for currents of sources.

    A volt is rounded to 1e-16 V, behind wires of an ohm that is 1e-16 A: rows that take next to nothing can go to and
    fro between two roundings for ever. One in some 1,500 operating points of a tile of 6 x 6 pairs did.
    """
    rounds = any(stage.amplifies_rounding for stage in design.stages)
    return replace(tolerances, abstol=max(tolerances.abstol, _ROUNDED_A)) if rounds else tolerances


# ngspice's own step control is told to keep out of it: at equal error it took as many points, in places of its own.
_TRTOL = 1e9
_LEAST_OF_UNIT = 0.1
_RELTOL_TIMES_STEPS_SQUARED = 2.5e-3
_START = 0.1
_RESULTS = "unknown1"
"""What ngspice calls the first plot that it is told to make. All of a plot can be written; of vectors, 999 by name."""


def start_commands(nodes: Sequence[str], start_v: Sequence[float], *, settles: bool) -> list[str]:
    """Commands that say which voltages (nodes,) capacitors begin at; settles: as sources that hold them until then."""
    starts = zip(nodes, start_v, strict=True)
    if settles:
        return [f"alter v{start_node(node)}={spice_number(volts)}" for node, volts in starts]
    return [f"alter @c{node}[ic]={spice_number(volts)}" for node, volts in starts]


def transient_command(end_s: float, step_s: float, *, settles: bool = False) -> str:
    """Runs to `end_s` in even steps of at most `step_s`.

    ngspice's first step, an implicit Euler one, is a tenth of what it is given as the step, or of a hundredth of the
    end where that is less; steps then double. Given a tenth of ours, the start scales with the steps, and so its error.
    settles: from the operating point, not from what capacitors were set to.
    """
    start = "" if settles else " uic"
    return f"tran {spice_number(step_s * _START)} {spice_number(end_s)} 0 {spice_number(step_s)}{start}"


def reltol_of(stepping: Stepping) -> float:
    """Newton's method stops when voltages and currents move by less than this part.

    ngspice keeps a capacitor's charge of the last iterate but one, so this is a step's error, not its square; it
    falls as a step's own does. Measured: 1e-6 at 50 steps adds nothing to the error and little to the time.
    """
    return _RELTOL_TIMES_STEPS_SQUARED / stepping.steps**2


def transient_options(period: OdePeriod, stepping: Stepping) -> list[str]:
    """How periods are integrated: even steps of the trapezoidal rule."""
    reltol = reltol_of(stepping)
    least = reltol * _LEAST_OF_UNIT
    return [
        f".options method=trap reltol={reltol:g} trtol={_TRTOL:g}",
        f".options vntol={least * period.unit_v:g} abstol={least * period.current_unit_a:g}",
    ]


@dataclass(frozen=True)
class PeriodCircuit:
    """A period by itself: the files with its bank and what that needs, and what its nodes lose."""

    period: OdePeriod
    files: tuple[str, ...]
    losses: NodeLosses | None
    transistors: TransistorBranches | None
    """A run of transistors begins with the operating point at its start, not with capacitors without charge."""

    @property
    def settles(self) -> bool:
        """Whether a run begins with an operating point."""
        return self.transistors is not None

    @classmethod
    def of(cls, design: Design, period: OdePeriod) -> PeriodCircuit:
        """That of a design's period."""
        return cls(period, period_files(design, period), design.losses, design.transistors)


def period_deck(circuit: PeriodCircuit, start_v: Array, lasts_s: Array, stepping: Stepping, raw: str) -> str:
    """A deck that runs one period for every row of `start_v` (samples, nodes; volts) in one process.

    The circuit is loaded once; for each sample the capacitors' initial voltages are altered. `raw` gets a plot of one
    point per sample: vector `ended`, the time reached, and `out<j>`, the voltage of node j from 1, at that time.
    lasts_s: (samples,) how long the period is.
    """
    period = circuit.period
    nodes = _period_nodes(period)
    vectors = [f"out{node}" for node in range(1, period.nodes + 1)]
    lines = _circuit_lines(circuit, stepping)
    lines.append("setplot new")
    lines += [f"let {vector}=vector({len(start_v)})" for vector in ("ended", *vectors)]
    for sample, (volts, end_s) in enumerate(zip(start_v.tolist(), lasts_s.tolist(), strict=True)):
        lines += _transient(circuit, volts, end_s, stepping)
        lines.append(f"let {_RESULTS}.ended[{sample}]=time[length(time)-1]")
        lines += [
            f"let {_RESULTS}.{vector}[{sample}]=v({node})[length(time)-1]"
            for vector, node in zip(vectors, nodes, strict=True)
        ]
        lines.append("destroy $curplot")
    lines += [f"setplot {_RESULTS}", f"write {raw} all", "quit", ".endc", ".end"]
    return "\n".join(lines) + "\n"


def waveform_deck(circuit: PeriodCircuit, start_v: Array, lasts_s: float, stepping: Stepping, raw: str) -> str:
    """The same for one sample, `start_v` (nodes,), whose every point is kept: `raw` gets time and node voltages."""
    lines = _circuit_lines(circuit, stepping) + _transient(circuit, start_v.tolist(), lasts_s, stepping)
    lines += [f"write {raw} all", "quit", ".endc", ".end"]
    return "\n".join(lines) + "\n"


def supply_currents(transistors: TransistorBranches | None) -> list[str]:
    """The vectors of the currents through the supplies of a circuit of transistors."""
    return [] if transistors is None else [f"i({name})" for name in SUPPLIES]


def _period_nodes(period: OdePeriod) -> list[str]:
    return [period_node(layer_of(period.name), node) for node in range(1, period.nodes + 1)]


def _circuit_lines(circuit: PeriodCircuit, stepping: Stepping) -> list[str]:
    """The bank, its nodes and how it is integrated, up to where commands begin."""
    period = circuit.period
    nodes = _period_nodes(period)
    capacitors = zip(nodes, period.capacitor_f.tolist(), strict=True)
    return [
        "* kanspice run",
        *(f".include {name}" for name in circuit.files),
        *(line for node, farads in capacitors for line in node_lines(node, farads, circuit.losses)),
        *(line for node in nodes if circuit.settles for line in held_lines(node)),
        *transient_options(period, stepping),
        *wrapped(".save", [*(f"v({node})" for node in nodes), *supply_currents(circuit.transistors)]),
        ".control",
        ONE_THREAD,
    ]


def _transient(circuit: PeriodCircuit, start_v: list[float], end_s: float, stepping: Stepping) -> list[str]:
    """Commands that run the period from these voltages (nodes,) for so long."""
    return [
        *start_commands(_period_nodes(circuit.period), start_v, settles=circuit.settles),
        transient_command(end_s, end_s / stepping.steps, settles=circuit.settles),
    ]


def sweep_deck(
    inputs: Sequence[str],
    inputs_v: Array,
    saved: Sequence[str],
    tolerances: Tolerances,
    hints_v: Mapping[str, float] | None = None,
    *,
    klu: bool = False,
    sources: Sequence[str] = (),
    of_transistors: bool = False,
) -> str:
    """A deck that solves every row of `inputs_v` (samples, inputs; volts) in one process, as points of one sweep.

    The swept source is the sample's index; each input is a table of that index, flat around whole numbers: on a slope
    between neighbours of very different size ngspice would round away the smaller one.
    saved, sources: the nodes whose voltages, and the sources whose currents, are kept.
    hints_v: node -> volts, where Newton's method should start the first point.
    klu: use the KLU solver, for a version that has it; others would ignore the option without a word.
    of_transistors: whether the circuit has some.
    """
    threads = one_thread_lines() if of_transistors else ()
    lines = ["* kanspice run", *threads, ".include circuit.cir", "vindex sample_index 0 0"]
    lines += [f"b{node} {node} 0 v={_table(column)}" for node, column in zip(inputs, inputs_v.T, strict=True)]
    lines += [f".nodeset v({node})={spice_number(volts)}" for node, volts in (hints_v or {}).items()]
    lines += [
        *_operating_point_lines(saved, sources, tolerances, klu=klu),
        f".dc vindex 0 {len(inputs_v) - 1} 1",
        ".end",
    ]
    return "\n".join(lines) + "\n"


def resident_deck(
    inputs: Sequence[str], saved: Sequence[str], sources: Sequence[str], tolerances: Tolerances, *, klu: bool = False
) -> str:
    """A deck for a process that stays up: every input is a voltage source, `v` and its node's name, to be altered."""
    lines = ["* kanspice run", ".include circuit.cir", *(f"v{node} {node} 0 0" for node in inputs)]
    return "\n".join([*lines, *_operating_point_lines(saved, sources, tolerances, klu=klu), ".end"]) + "\n"


def _operating_point_lines(
    saved: Sequence[str], sources: Sequence[str], tolerances: Tolerances, *, klu: bool
) -> list[str]:
    return [
        f".options reltol={tolerances.reltol:g} vntol={tolerances.vntol:g} abstol={tolerances.abstol:g}",
        f".options itl1=300 itl2=150 acct{' klu' if klu else ''}",
        *wrapped(".save", [*(f"v({node})" for node in saved), *(f"i({source})" for source in sources)]),
    ]


def one_thread_lines() -> tuple[str, ...]:
    """The same for a deck whose analysis is no command."""
    return ".control", ONE_THREAD, ".endc"


def _table(column: Array) -> str:
    texts = [spice_number(value) for value in column]
    points = ",".join(f"{index - 0.25},{text},{index + 0.25},{text}" for index, text in enumerate(texts))
    return f"pwl(v(sample_index),{points})"


def wrapped(card: str, words: Sequence[str], per_line: int = 12) -> list[str]:
    """One card over several lines."""
    rows = [" ".join(words[start : start + per_line]) for start in range(0, len(words), per_line)]
    return [f"{card} {rows[0]}", *(f"+ {row}" for row in rows[1:])]
