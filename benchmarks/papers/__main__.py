"""Runs the studies, and writes the page from what is known."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path

import torch

from benchmarks.papers import (
    bases,
    generation,
    inference_time,
    kirchhoffnet_figures,
    loops,
    nodes,
    regression,
    robustness,
    scale,
    table1,
)
from benchmarks.papers.page import OTHERS, draw, page
from benchmarks.papers.rows import Rows, Setting, known, measure

STUDIES: dict[str, Callable[[Setting], Rows]] = {
    "table1": table1.rows,
    "bases": bases.rows,
    "nodes": nodes.rows,
    "robustness": robustness.rows,
    "regression": regression.rows,
    "generation": generation.rows,
    "inference_time": inference_time.rows,
    "loops": loops.rows,
    "scale": scale.rows,
}
ROOT = Path(__file__).parents[2]
RESULTS, DOCS = ROOT / "benchmarks" / "results" / "papers", ROOT / "docs"
"""Of the full measurement; the quick one keeps its rows and its page beside its networks."""
PAGE = "page"


def main() -> None:
    """All studies, or those that are named."""
    parser = argparse.ArgumentParser(description="The papers' tables and figures, as circuits.")
    parser.add_argument(
        "studies",
        nargs="*",
        metavar="STUDY",
        help=f"of {', '.join(STUDIES)}; all of them if none is named; page writes only the page",
    )
    parser.add_argument("--quick", action="store_true", help="a tenth of the samples and draws, in out/papers-quick")
    parser.add_argument("--only", default="", metavar="PATTERN", help="rows whose names match this regular expression")
    parser.add_argument("--device", help="the largest rows of `scale` on this device too: cuda, or torch without a GPU")
    parser.add_argument("--folder", type=Path, help="where networks are kept (default out/papers, or out/papers-quick)")
    arguments = parser.parse_args()
    unknown = [name for name in arguments.studies if name not in {*STUDIES, PAGE}]
    if unknown:
        parser.error(f"unknown study {unknown[0]!r}; there are {', '.join(STUDIES)}")
    torch.set_num_threads(1)
    folder = arguments.folder or Path("out/papers-quick" if arguments.quick else "out/papers")
    setting = Setting(folder, folder / "results" if arguments.quick else RESULTS, arguments.quick)
    for name in arguments.studies or STUDIES:
        if name != PAGE:
            measure(name, STUDIES[name](setting), setting, arguments.only)
    if arguments.device:
        measure("scale", scale.on_device(arguments.device, setting), setting, arguments.only)
    write_page(setting, folder if arguments.quick else DOCS)


def write_page(setting: Setting, folder: Path) -> None:
    """papers.md and its pictures, from all rows that there are."""
    every, others = measured(setting.results)
    (folder / "papers").mkdir(parents=True, exist_ok=True)
    (folder / "papers.md").write_text(page(every, others), encoding="utf-8")
    draw(every, folder / "papers")
    kirchhoffnet_figures.draw(setting, folder / "papers")


def measured(results: Path) -> tuple[dict[str, dict], dict[str, dict]]:
    """Rows of every study, and what other benchmarks measured."""
    beside = ROOT / "benchmarks" / "results"
    others = {name: json.loads((beside / f"{name}.json").read_text(encoding="utf-8")) for name in OTHERS}
    return {name: known(results / f"{name}.json") for name in STUDIES}, others


if __name__ == "__main__":
    main()
