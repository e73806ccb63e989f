"""What an inference costs, as lines on a terminal and as a section of a page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kanspice.gap.costs import PhysicalCost, StageCost
from kanspice.report.formatting import NOTHING, many, number, prefix

UNKNOWN = "not known"


@dataclass(frozen=True)
class Section:
    """Texts of a page's section: facts are labels and texts, rows belong to the headings."""

    facts: Sequence[tuple[str, str]]
    headings: Sequence[str]
    rows: Sequence[Sequence[str]]
    assumptions: Sequence[str]


def lines(cost: PhysicalCost) -> list[str]:
    """The sum of it, a line each."""
    said = [f"{label} {text}" for label, text in _facts(cost) if text != UNKNOWN]
    unknown = [label for label, text in _facts(cost) if text == UNKNOWN]
    return said + ([f"{', '.join(unknown)}: {UNKNOWN} ({cost.assumptions[-1]})"] if unknown else [])


def section(cost: PhysicalCost) -> Section:
    """All of it."""
    parts = list(dict.fromkeys(name for stage in cost.stages for name in stage.parts_w))
    has_areas = any(stage.areas is not None for stage in cost.stages)
    has_energy = any(stage.energy_j is not None for stage in cost.stages)
    headings = ["stage", "devices", *(("area: sum", "largest", "smallest") if has_areas else ())]
    headings += ["amplifiers", "power", "most", *parts, *(("energy", "charge") if has_energy else ())]
    rows = [_row(stage, parts, has_areas=has_areas, has_energy=has_energy) for stage in cost.stages]
    return Section(_facts(cost), headings, rows, cost.assumptions)


def _facts(cost: PhysicalCost) -> list[tuple[str, str]]:
    power = si(cost.power_w, "W")
    if cost.power_w is not None:
        power += f" (mean of {many(cost.samples, 'sample')}; {si(cost.largest_power_w, 'W')} at most)"
    facts = [("power", power), ("latency", si(cost.latency_s, "s")), ("energy", si(cost.energy_j, "J"))]
    return facts if cost.charge_c is None else [*facts, ("charge", si(cost.charge_c, "C"))]


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
