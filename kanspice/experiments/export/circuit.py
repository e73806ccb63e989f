"""A design as a circuit of named elements in groups that people know: stages, columns, periods."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from kanspice.base.errors import InputError
from kanspice.circuit import Crossbar, Design, FilterBank, Sort, Stage, Switching, SynapseBank
from kanspice.engine.fidelity import Fidelity
from kanspice.engine.netlist import CIRCUIT, Netlist, build_netlist
from kanspice.engine.netlist.names import layer_of
from kanspice.engine.netlist.netlist import DEVICES
from kanspice.engine.netlist.switching import SUBCIRCUITS, capacitor_nodes
from kanspice.experiments.export.elements import Element, Instance, Passive, Subcircuit, element, subcircuits_of

_EDGE = 1e-4
"""Of the shortest period: how long a clock takes to rise where switches are ideal. What is carried over it is carried
in the same time on both sides."""
_INSTANCES = 4
"""How many times as much memory instances of subcircuits take as their elements by themselves: measured, 258 MB and not
65 MB for 4,736 devices in ngspice 39."""
_TRANSFER = 10.0
"""Edges that sampling what is held takes, and adding it."""
_COLUMN = re.compile(r"_(?:c|t|b|q)(\d+)([pn])(?:_|$)|_sub(\d+)$")
_CONNECTION = re.compile(r"_[kiapg]\d+_(\d+)_\d+$|_(?:s|noise)(\d+)$")
_NO_GMIN = re.compile(r"\.options gmin=(\S+)")


@dataclass(frozen=True)
class Group:
    """Elements that belong together, and what they are."""

    about: str
    elements: tuple[Element, ...]


@dataclass(frozen=True)
class StageSection:
    """What a stage, or a period, is made of."""

    title: str
    groups: tuple[Group, ...]


@dataclass(frozen=True)
class PlainCircuit:
    """A circuit without stimulus and analysis.

    compiled: the design whose answers it has: as it was compiled, but for what is drawn outside of circuits (`notes`).
    design: what is written: with ideal switches between periods where it has none. devices: subcircuits that carry the
    network's numbers; library: what stands around them. gmin: siemens that simulators may put across junctions.
    """

    compiled: Design
    design: Design
    netlist: Netlist
    devices: tuple[Subcircuit, ...]
    library: tuple[Subcircuit, ...]
    sections: tuple[StageSection, ...]
    gmin: float | None = None
    notes: tuple[str, ...] = ()

    @property
    def elements(self) -> Iterator[Element]:
        """All of them, in the order of their sections."""
        return (each for section in self.sections for group in section.groups for each in group.elements)


def plain_circuit(design: Design, fidelity: Fidelity) -> PlainCircuit:
    """The circuit of a design, every device by itself. Raises InputError for one that no deck of one run can be."""
    fidelity, notes = _of_devices(design, fidelity), tuple(_left_out(design))
    compiled = replace(design, jitter_s=0.0, noise_k=0.0)
    design = _in_one_run(compiled) if design.sort is Sort.PERIODS else compiled
    netlist = build_netlist(design, fidelity, named=True)
    netlist = replace(netlist, simulator_bytes=_INSTANCES * netlist.simulator_bytes)
    texts = {name: netlist.text(name) for name in netlist.files}
    devices, library = (tuple(subcircuits_of(_without_title(texts.get(name, "")))) for name in (DEVICES, SUBCIRCUITS))
    if design.sort is Sort.PERIODS:
        sections = tuple(_period_sections(design, texts))
    else:
        sections = tuple(_stage_sections(design, texts[CIRCUIT]))[::-1]
    gmin = _NO_GMIN.search(texts[CIRCUIT])
    least = float(gmin[1]) if gmin else None
    return PlainCircuit(compiled, design, netlist, devices, library, sections, least, notes)


def _left_out(design: Design) -> Iterator[str]:
    """What no deck of one sample has, since it is drawn anew for every sample when voltages are read."""
    if design.noise_k > 0:
        yield "the thermal noise of capacitors is left out: it is drawn for every sample"
    if design.jitter_s > 0:
        yield "jitter is left out: outputs are taken when they should be"
    if design.adc is not None:
        yield "voltages are those before the converter at the outputs"
    if design.digital is not None:
        yield "voltages are those of the circuit; the network's last layer is computed from them"


def _of_devices(design: Design, fidelity: Fidelity) -> Fidelity:
    """The level of detail at which every device is written by itself."""
    if fidelity == "filter":
        raise InputError(
            "RC networks alone have no answers to compare",
            where="fidelity",
            expected="behavioural or transient",
            found=fidelity,
            hint="kanspice compile MODEL --fidelity behavioural",
        )
    return "device" if fidelity in ("shared", "merged") else fidelity


def _in_one_run(design: Design) -> Design:
    """A design of periods whose clocks let them follow each other in one transient."""
    if design.switching is not None:
        return design
    known: dict[int, float] = {}
    for period, numbers in zip(design.periods, design.capacitors, strict=True):
        news = [number for number in numbers if number not in known]
        if known and news and period.fill == "repeat":
            raise _refused("later periods whose new nodes begin at the voltages of others")
        for number, farads in zip(numbers, period.capacitor_f.tolist(), strict=True):
            if known.setdefault(number, farads) != farads:
                raise _refused("a node whose capacitor changes from period to period")
    edge_s = _EDGE * min(period.period_s for period in design.periods)
    switching = Switching(0.0, math.inf, edge_s, hold_s=0.0, transfer_s=_TRANSFER * edge_s if design.sums else 0.0)
    return replace(design, switching=switching)


def _refused(found: str) -> InputError:
    problem = "this circuit is not one that runs at once"
    return InputError(problem, where="kanspice export", found=found, hint="kanspice simulate has it period by period")


def _without_title(text: str) -> str:
    """A library without the line that names the file."""
    return text.partition("\n")[2] if text.startswith(("* kanspice subcircuits", "* device curves")) else text


def _stage_sections(design: Design, text: str) -> Iterator[StageSection]:
    """The sections of a circuit of operating points, which the netlist has from its outputs to its inputs."""
    stages = {stage.name: stage for stage in design.stages}
    for part in re.split(r"^\* (?=l\d+\.)", text, flags=re.M)[1:]:
        name, _, body = part.partition("\n")
        found = [element(line) for line in body.splitlines() if line and line[0] not in "*."]
        stage = stages[name.strip()]
        yield StageSection(_title(design, name.strip()), tuple(_groups(stage, found)))


def _groups(stage: Stage, elements: Sequence[Element]) -> Iterator[Group]:
    if isinstance(stage, Crossbar):
        return _columns(elements)
    if isinstance(stage, FilterBank | SynapseBank):
        return _connections(elements)
    return iter((Group("", tuple(elements)),))


def _connections(elements: Sequence[Element]) -> Iterator[Group]:
    """Elements by the output whose sum they go into."""
    found: dict[int, list[Element]] = {}
    for each in elements:
        match = _CONNECTION.search(each.name.lower())
        found.setdefault(int(match[1] or match[2]) if match else -1, []).append(each)
    for output, members in sorted(found.items()):
        yield Group(
            "what rows share" if output < 0 else f"output {output}, its sum and its connections", tuple(members)
        )


def _title(design: Design, name: str) -> str:
    stage = next(stage for stage in design.stages if stage.name == name)
    kind = type(stage).__name__
    words = " ".join(re.findall(r"[A-Z][a-z]*", kind)).lower()
    return f"{name}: {words}, {stage.width} outputs, {stage.output_v_per_unit:g} V per model unit"


def _columns(elements: Sequence[Element]) -> Iterator[Group]:
    """Elements by the output that they belong to: its positive column, its negative one, what reads both."""
    found: dict[tuple[int, str], list[Element]] = {}
    for each in elements:
        found.setdefault(_column_of(each), []).append(each)
    for (output, sign), members in sorted(found.items(), key=lambda item: (item[0][0], "pn-".find(item[0][1]))):
        column = {"p": "positive column", "n": "negative column", "-": "difference of its columns"}
        about = "drivers and wires of rows" if output < 0 else f"output {output}, {column[sign]}"
        yield Group(about, tuple(members))


def _column_of(each: Element) -> tuple[int, str]:
    match = _COLUMN.search(each.name.lower())
    if match is None:
        return -1, "-"
    return (int(match[3]), "-") if match[3] else (int(match[1]), match[2])


def _period_sections(design: Design, texts: Mapping[str, str]) -> Iterator[StageSection]:
    """First the nodes, which all periods share; then what each layer's names begin with, and its branches."""
    around = [element(line) for line in texts[CIRCUIT].splitlines() if line and line[0] not in "*."]
    nodes = {node for names in capacitor_nodes(design) for node in names}
    at_nodes = [each for each in around if each.nodes[0] in nodes and not isinstance(each, Instance)]
    yield StageSection("nodes", (Group("a capacitor each, and what they lose", tuple(map(_without_start, at_nodes))),))
    others = [each for each in around if each not in at_nodes]
    for layer, about in _layers(design).items():
        own = [each for each in others if layer_of(each.name[1:].replace("_", ".", 1)) == layer]
        others = [each for each in others if each not in own]
        groups = [Group("clocks, and switches between nodes and branches", tuple(own))]
        if f"{layer}_bank.cir" in texts:
            lines = texts[f"{layer}_bank.cir"].splitlines()
            bank = tuple(element(line) for line in lines if line and line[0] not in "*.")
            groups.append(Group(f"{len(bank)} branches", bank))
        yield StageSection(about, tuple(groups))
    if others:
        raise ValueError(f"no layer of its own: {others[0].name}")


def _layers(design: Design) -> dict[str, str]:
    """What each layer is, by the beginning of its names."""
    found = {layer_of(stage.name): stage.name for stage in design.stages}
    return found | {layer_of(p.name): f"{p.name}: a period of {p.period_s:g} s" for p in design.periods}


def _without_start(each: Element) -> Element:
    """A node's capacitor begins where the bench says."""
    return replace(each, start_v=None) if isinstance(each, Passive) else each
