"""What an inference costs, as blocks of a page."""

from __future__ import annotations

from collections.abc import Sequence

from kanspice.base.quantities import UNKNOWN, si
from kanspice.gap.costs import DigitalCost, PhysicalCost, StageCost
from kanspice.report.blocks import Block, Detail, Fact, Facts, Line, Table
from kanspice.report.formatting import NOTHING, many, number, plain
from kanspice.report.verdict import Verdict

_OPERATIONS = 1e12
"""What an analogue chip's operations per joule are given in: tera-operations per second and watt."""


def blocks(cost: PhysicalCost) -> tuple[Block, ...]:
    """The sum of it, and, where there is room, every stage's part and what all of it rests on."""
    facts = _facts(cost)
    details: list[Block] = [_stages(cost), *_said(cost.assumptions)]
    if cost.digital is not None:
        facts += _digital_facts(cost, cost.digital)
        details += [_energies(cost.digital), _chips(cost.digital), *_said(cost.digital.assumptions)]
    return Facts(facts), Detail(details)


def _said(lines: Sequence[str]) -> list[Line]:
    return [Line(Verdict(f"{plain(line)}."), small=True) for line in lines]


def _facts(cost: PhysicalCost) -> list[Fact]:
    power = si(cost.power_w, "W")
    if cost.power_w is not None:
        power += f" (mean of {many(cost.samples, 'sample')}; {si(cost.largest_power_w, 'W')} at most)"
    if cost.modelled_w is not None:
        power += f"; by the amplifiers' macro-models {si(cost.modelled_w, 'W')}"
    every = [("power", power), ("latency", si(cost.latency_s, "s")), ("energy", si(cost.energy_j, "J"))]
    every += [] if cost.charge_c is None else [("charge", si(cost.charge_c, "C"))]
    every += [("by part", _by_part(cost))] if cost.parts_w or cost.parts_j else []
    unknown = ", ".join(label for label, text in every if text == UNKNOWN)
    found: list[Fact] = [(label, text) for label, text in every if text != UNKNOWN]
    return [*found, (unknown, f"{UNKNOWN}: {plain(cost.assumptions[-1])}")] if unknown else found


def _by_part(cost: PhysicalCost) -> str:
    """Joules of an inference where they are known, else watts; what an inference takes besides is joules."""
    known = {} if cost.energy_j is not None else cost.parts_w
    parts = [*((name, si(value, "W")) for name, value in known.items() if value > 0)]
    besides = "" if cost.energy_j is not None else " an inference"
    parts += [(name, f"{si(value, 'J')}{besides}") for name, value in cost.parts_j.items() if value > 0]
    return ", ".join(f"{plain(name)} {text}" for name, text in parts) or "nothing"


def _digital_facts(cost: PhysicalCost, digital: DigitalCost) -> list[Fact]:
    done = digital.operations
    counts = (
        f"{count:,.0f} {name}"
        for name, count in (
            ("multiplications", done.multiplications),
            ("additions", done.additions),
            ("parameters read", done.reads),
        )
    )
    energies = ", ".join(f"{plain(each.arithmetic)} {si(each.energy_j, 'J')}" for each in digital.energies)
    facts: list[Fact] = [("digital", f"{energies} an inference ({', '.join(counts)})")]
    compared = [each for each in digital.energies if each.energy_j > 0]
    if cost.energy_j is not None:
        ratios = (
            f"{number(cost.energy_j / each.energy_j)} times that of {plain(each.arithmetic)}" for each in compared
        )
        facts.append(("against digital", f"the circuit's energy is {', '.join(ratios)}"))
    elif cost.power_w is not None:
        rates = (f"{plain(each.arithmetic)} at {si(cost.power_w / each.energy_j, 'Hz')}" for each in compared)
        facts.append(
            (
                "against digital",
                f"as much power as {', '.join(rates)} (inferences a second); less often, digital takes less",
            )
        )
    return facts


def _energies(digital: DigitalCost) -> Table:
    parts = list(dict.fromkeys(name for each in digital.energies for name in each.parts_j))
    rows = [
        [
            plain(each.arithmetic),
            si(each.energy_j, "J"),
            *(si(each.parts_j.get(name), "J") for name in parts),
            plain(each.memory),
        ]
        for each in digital.energies
    ]
    header = ["digital", "energy", *map(plain, parts), "parameters in"]
    return Table(header, rows, texts=frozenset({len(header) - 1}))


def _chips(digital: DigitalCost) -> Table:
    rows = [
        [plain(each.chip), number(each.operations_per_j / _OPERATIONS), si(each.energy_j, "J"), plain(each.reference)]
        for each in digital.chips
    ]
    header = ("at the figures of an analogue chip", "TOPS/W", "energy", "reference")
    return Table(header, rows, texts=frozenset({3}))


def _stages(cost: PhysicalCost) -> Table:
    parts = list(dict.fromkeys(name for stage in cost.stages for name in stage.parts_w))
    has_areas = any(stage.areas is not None for stage in cost.stages)
    has_energy = any(stage.energy_j is not None for stage in cost.stages)
    header = ["stage", "devices", *(("area: sum", "largest", "smallest") if has_areas else ())]
    header += ["amplifiers", "power", "most", *parts, *(("energy", "charge") if has_energy else ())]
    rows = [_row(stage, parts, has_areas=has_areas, has_energy=has_energy) for stage in cost.stages]
    return Table(header, rows)


def _row(stage: StageCost, parts: Sequence[str], *, has_areas: bool, has_energy: bool) -> list[str]:
    cells = [stage.name, f"{stage.devices:,}"]
    if has_areas:
        areas = stage.areas
        cells += [NOTHING] * 3 if areas is None else [number(a) for a in (areas.total, areas.largest, areas.smallest)]
    cells += [f"{stage.amplifiers:,}", si(stage.power_w, "W"), si(stage.largest_power_w, "W")]
    cells += [si(stage.parts_w.get(name), "W") for name in parts]
    return cells + ([si(stage.energy_j, "J"), si(stage.charge_c, "C")] if has_energy else [])
