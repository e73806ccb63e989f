"""Runs the studies, and writes the page from what is known."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

import torch

from benchmarks.papers import bases, generation, inference_time, nodes, regression, robustness, table1
from benchmarks.papers.rows import Rows, Setting, measure

STUDIES: dict[str, Callable[[Setting], Rows]] = {
    "table1": table1.rows,
    "bases": bases.rows,
    "nodes": nodes.rows,
    "robustness": robustness.rows,
    "regression": regression.rows,
    "generation": generation.rows,
    "inference_time": inference_time.rows,
}
RESULTS = Path(__file__).parents[1] / "results" / "papers"
"""Of the full measurement; the quick one keeps its rows beside its networks."""


def main() -> None:
    """All studies, or those that are named."""
    parser = argparse.ArgumentParser(description="The papers' tables and figures, as circuits.")
    parser.add_argument(
        "studies", nargs="*", metavar="STUDY", help=f"of {', '.join(STUDIES)}; all of them if none is named"
    )
    parser.add_argument("--quick", action="store_true", help="a tenth of the samples and draws, in out/papers-quick")
    parser.add_argument("--only", default="", metavar="WORDS", help="rows whose names hold this")
    parser.add_argument("--folder", type=Path, help="where networks are kept (default out/papers, or out/papers-quick)")
    arguments = parser.parse_args()
    unknown = [name for name in arguments.studies if name not in STUDIES]
    if unknown:
        parser.error(f"unknown study {unknown[0]!r}; there are {', '.join(STUDIES)}")
    torch.set_num_threads(1)
    folder = arguments.folder or Path("out/papers-quick" if arguments.quick else "out/papers")
    setting = Setting(folder, folder / "results" if arguments.quick else RESULTS, arguments.quick)
    for name in arguments.studies or STUDIES:
        measure(name, STUDIES[name](setting), setting, arguments.only)


if __name__ == "__main__":
    main()
