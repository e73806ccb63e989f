"""What an inference costs, as blocks of a page."""

from __future__ import annotations

from collections.abc import Sequence

from kanspice.gap.costs import PhysicalCost, StageCost
from kanspice.report.blocks import Block, Detail, Fact, Facts, Line, Table
from kanspice.report.formatting import NOTHING, many, number, plain, prefix
from kanspice.report.verdict import Verdict

UNKNOWN = "not known"


def blocks(cost: PhysicalCost) -> tuple[Block, ...]:
    """The sum of it, and, where there is room, every stage's part and what all of it rests on."""
    assumptions = [Line(Verdict(f"{plain(line)}."), small=True) for line in cost.assumptions]
    return Facts(_facts(cost)), Detail([_stages(cost), *assumptions])


def _facts(cost: PhysicalCost) -> list[Fact]:
    power = si(cost.power_w, "W")
    if cost.power_w is not None:
        power += f" (mean of {many(cost.samples, 'sample')}; {si(cost.largest_power_w, 'W')} at most)"
    if cost.modelled_w is not None:
        power += f"; by the amplifiers' macro-models {si(cost.modelled_w, 'W')}"
    every = [("power", power), ("latency", si(cost.latency_s, "s")), ("energy", si(cost.energy_j, "J"))]
    every += [] if cost.charge_c is None else [("charge", si(cost.charge_c, "C"))]
    unknown = ", ".join(label for label, text in every if text == UNKNOWN)
    found: list[Fact] = [(label, text) for label, text in every if text != UNKNOWN]
    return [*found, (unknown, f"{UNKNOWN}: {plain(cost.assumptions[-1])}")] if unknown else found


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


def si(value: float | None, unit: str) -> str:
    """A quantity with three digits and a prefix: 12.3 µW."""
    if value is None:
        return UNKNOWN
    chosen = prefix(value)
    return f"{value / chosen.factor:.3g} {chosen.symbol}{unit}"
