"""Thousands of specimens of crossbars for MNIST: the study, its cost, and its worst specimen again in ngspice.

    python -m benchmarks.draws [--trials N] [--jobs N] [--folder DIR] [-o FILE.json]

KANSPICE_REFERENCE_DATA must be set. What is in the folder already is kept: a study that was interrupted goes on, and
times are those of the draws that are measured now.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from benchmarks.report import cpu_s, surroundings, write
from kanspice.experiments.ensemble.journal import JOURNAL, PLAN
from kanspice.experiments.study.run import resume, run

SETTINGS = ("tia.gain=1000", "devices.area_sigma=0.05")
SAMPLES = 100
_COMMAND = (sys.executable, "-c", "from kanspice.cli import main; main()", "study")


def main() -> None:
    """Runs or ends the study and writes the JSON."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--trials", type=int, default=10_000)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--folder", type=Path, default=Path("out/benchmark_draws"))
    parser.add_argument("-o", "--output", type=Path, default=Path("out/benchmark_draws.json"))
    arguments = parser.parse_args()
    write(surroundings() | measured(arguments.folder, arguments.trials, arguments.jobs), arguments.output)


def measured(folder: Path, trials: int, jobs: int) -> dict[str, object]:
    """The study's cost and what it found."""
    before, started = known(folder), time.monotonic()
    words = ["--resume", str(folder)] if (folder / PLAN).exists() else [*study(trials), "-o", str(folder)]
    _, seconds = cpu_s(lambda: subprocess.run([*_COMMAND, *words, "--jobs", str(jobs)], check=True))
    wall_s = time.monotonic() - started
    prepared = resume(folder)
    point = run(prepared, folder).points[0]
    worst = min(point.draws, key=lambda draw: (draw.metrics["accuracy"], -(draw.metrics["relative_rmse"] or 0)))
    again = prepared.benches[0].check(worst.trial, worst.seed).found
    return {
        "asked": len(point.draws),
        "draws": len(point.draws),
        "samples": SAMPLES,
        "settings": SETTINGS,
        "jobs": jobs,
        "measured_now": known(folder) - before,
        "cpu_s": seconds,
        "wall_s": wall_s,
        "largest_process_bytes": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024,
        "failed_draws": len(point.incomplete),
        "accuracy": quantiles([draw.metrics["accuracy"] for draw in point.draws]),
        "relative_rmse": quantiles([draw.metrics["relative_rmse"] for draw in point.draws]),
        "reference_accuracy": prepared.reference_accuracy,
        "worst": {
            "trial": worst.trial,
            "seed": worst.seed,
            "accuracy": worst.metrics["accuracy"],
            "relative_rmse": worst.metrics["relative_rmse"],
            "ngspice_samples": len(again.samples),
            "disagreement": again.worst,
            "different_outcomes": len(again.outcomes),
        },
    }


def known(folder: Path) -> int:
    """Draws that a study's folder holds; its journal has cross-checks beside them."""
    path = folder / JOURNAL
    lines = path.read_bytes().splitlines(keepends=True) if path.exists() else []
    return sum(json.loads(line)["kind"] == "draw" for line in lines if line.endswith(b"\n"))


def study(trials: int) -> list[str]:
    """The command line after `kanspice study`."""
    data = Path(os.environ["KANSPICE_REFERENCE_DATA"]) / "kanalogue"
    checkpoint = data / "mnist_batchnorm_3basis"
    files = [str(checkpoint / "best.pth"), "--config", str(checkpoint / "config.json"), "--curves", str(data / "iv")]
    files += ["--inputs", str(checkpoint / "inputs.npy"), "--labels", str(checkpoint / "labels.npy")]
    settings = [word for setting in SETTINGS for word in ("--set", setting)]
    return [*files, "--limit", str(SAMPLES), *settings, "--trials", str(trials), "--cross-check", "2"]


def quantiles(values: list) -> dict[str, float]:
    """Of values over draws, those of draws without a figure left out."""
    found = np.array([value for value in values if value is not None])
    return {name: float(np.quantile(found, part)) for name, part in QUANTILES.items()}


QUANTILES = {"smallest": 0.0, "5 %": 0.05, "median": 0.5, "95 %": 0.95, "largest": 1.0}


if __name__ == "__main__":
    main()
