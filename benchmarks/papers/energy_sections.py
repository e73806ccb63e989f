"""The page's section on energy and time, from what `benchmarks.energy` measured."""

from __future__ import annotations

from collections.abc import Mapping

from benchmarks.papers.markdown import NOTHING, si, small, table
from kanspice.gap.costs.digital.energies import CHIPS

_MOST_PARTS = 3


def energy(found: Mapping) -> list[str]:
    """Per inference: the circuit by part, and a digital one."""
    header = [
        "network",
        "technology",
        "power",
        "largest parts",
        "inference takes",
        "energy",
        "digital, int8",
        "float32",
        "as analogue chips",
    ]
    header += ["circuit to int8", "to float32"]
    return [
        "## Energy and time of an inference",
        "",
        "What [costs](physical-cost.md) are made of, what they leave out, and the sources of digital energies are said "
        "there. Amplifiers take the supply current per megahertz of kanspice's own in gf180, 104 uA for 7.5 MHz: "
        "1.39 mA in crossbars (100 MHz) and 0.69 mA in PhyKANs (50 MHz), at 10 V; those of `gf180` are at 3.3 V, "
        "and 'lean' ones have 2 MHz and 10 megohm around them. That is most of the power of KANalogues and PhyKANs, "
        "and follows kanspice's choice of amplifiers. The MemKAN has no latency, and so no energy. "
        "Of KirchhoffNets only the branches are "
        "counted, no amplifiers, read-out or clocks, but for the one of transistors, where it is all that its supplies "
        "deliver: their ratios say what the network needs, and not what a circuit takes. The digital circuit counts "
        "the same network's operations and memory traffic, one "
        "sample at a time. For scale, what published analogue chips would take for as many operations, from "
        f"the most to the least efficient of these: {_chips()}.",
        "",
        f"`python -m benchmarks.energy` ({found['date']})",
        "",
        *table(header, (_row(name, row) for name, row in found["rows"].items()), text=2),
    ]


def _chips() -> str:
    return "; ".join(
        f"{chip.name}, {chip.operations_per_j / 1e12:.3g} TOPS/W ({chip.reference})"
        for chip in sorted(CHIPS, key=lambda chip: -chip.operations_per_j)
    )


def _row(name: str, row: Mapping) -> list[str]:
    parts = sorted(row.get("parts_w", {}).items(), key=lambda part: -part[1])[:_MOST_PARTS]
    largest = ", ".join(f"{part} {si(watts, 'W')}" for part, watts in parts if watts > 0)
    digital = row["digital_j"]
    cells = [name, f"`{row['tech']}`", si(row["power_w"], "W"), largest or NOTHING]
    cells += [
        si(row["latency_s"], "s"),
        si(row["energy_j"], "J"),
        si(digital["int8"], "J"),
        si(digital["float32"], "J"),
        " to ".join(si(end(row["chips_j"].values()), "J") for end in (min, max)),
    ]
    return [*cells, *(_times(row, kind) for kind in ("int8", "float32"))]


def _times(row: Mapping, kind: str) -> str:
    against = row.get("against_digital", {}).get(kind) or {}
    times = against.get("times")
    if times is None:
        return NOTHING
    return f"{times:.3g}x" if times >= 10 else f"{small(times)}x"
