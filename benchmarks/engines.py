"""The batched engine beside ngspice on the published checkpoints: time per sample, and how far apart they are.

    python -m benchmarks.engines [--only NAME]... [-o FILE.json]

Needs the reference data (KANSPICE_REFERENCE_DATA). Each row solves one design with both engines in one run, without the
reruns that measure numerical error; ngspice gets as few samples as it takes, and loading its deck is in its figure.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np

from benchmarks.kanalogue import _cpu
from kanspice.engines import solve
from kanspice.gap.cross_check import cross_checked
from kanspice.memory import peak_bytes
from kanspice.models import load, load_array
from kanspice.models.reference import reference_stages
from kanspice.ngspice import NgspiceOptions
from kanspice.ngspice.program import find_ngspice
from kanspice.pipeline import compile_model, resolve_fidelity
from kanspice.technology import load_technology


@dataclass(frozen=True)
class Case:
    """One row: a checkpoint, its technology, how many samples each engine gets, and ngspice's steps per period."""

    folder: str
    files: tuple[str, ...]
    overrides: tuple[str, ...]
    batched: int
    ngspice: int
    steps: int | None = None


CASES = {
    "crossbars, finite gain": Case(
        "kanalogue/mnist_batchnorm_3basis", ("best.pth", "config.json", "../iv"), ("tia.gain=1000",), 500, 3
    ),
    "two moons": Case("kirchhoffnet/twomoon", ("model.pth", "config.yaml"), (), 10_000, 50, 64),
    "mnist ODE": Case("kirchhoffnet/mnist", ("model.pth", "config.yaml"), (), 1, 1, 24),
}


def main() -> None:
    """Runs every row, prints it, and writes the JSON."""
    arguments = _arguments()
    data = os.environ.get("KANSPICE_REFERENCE_DATA")
    if not data:
        sys.exit("set KANSPICE_REFERENCE_DATA to the folder of the reference data")
    rows = {name: _row(Path(data), case) for name, case in CASES.items() if name in (arguments.only or CASES)}
    report = {
        "schema": "kanspice.benchmark/1",
        "machine": {"cpu": _cpu(), "cores": os.cpu_count(), "system": platform.platform()},
        "versions": {name: version(name) for name in ("kanspice", "numpy", "scipy")}
        | {"python": platform.python_version(), "ngspice": find_ngspice().version_text},
        "rows": rows,
    }
    text = json.dumps(report, indent=1)
    print(text)
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    arguments.output.write_text(text + "\n", encoding="utf-8")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--only", action="append", choices=list(CASES))
    parser.add_argument("-o", "--output", type=Path, default=Path("out/benchmark_engines.json"))
    return parser.parse_args()


def _row(data: Path, case: Case) -> dict:
    folder = data / case.folder
    loaded = load(*(folder / name for name in case.files))
    kept = load_array(folder / "inputs.npy", "the inputs")
    inputs = np.random.default_rng(0).normal(size=(case.batched, kept.shape[1])) if case.batched > len(kept) else kept
    inputs = inputs[: case.batched]
    design = compile_model(loaded, load_technology(None, case.overrides), inputs)
    fidelity = resolve_fidelity(design, "auto")
    hints = {name: values[: case.ngspice] for name, values in reference_stages(loaded.model, inputs[:64]).items()}
    few = inputs[: case.ngspice]
    batched, batched_s = _timed(lambda: solve("batched", design, inputs, fidelity, NgspiceOptions(check_samples=0)))
    judge, judge_s = _timed(
        lambda: solve("ngspice", design, few, fidelity, NgspiceOptions(check_samples=0, steps=case.steps), hints=hints)
    )
    checked = cross_checked(design, batched, judge, range(len(few)))
    per_sample = {"batched": batched_s / len(inputs), "ngspice": judge_s / len(few)}
    return {
        "model": case.folder,
        "technology": list(case.overrides),
        "devices": design.device_count,
        "samples": {"batched": len(inputs), "ngspice": len(few)},
        "per_sample_s": per_sample,
        "ratio": per_sample["ngspice"] / per_sample["batched"],
        "ngspice_analysis_per_sample_s": judge.timing_s["per_sample_s"],
        "ratio_of_analysis": judge.timing_s["per_sample_s"] / per_sample["batched"],
        "worst_relative_disagreement": checked.worst,
        "different_outcomes": len(checked.outcomes),
        "batched_peak_bytes_so_far": peak_bytes(),
        "ngspice_steps_per_period": case.steps,
    }


def _timed(work: Callable[[], object]) -> tuple:
    started = time.monotonic()
    solution = work()
    return solution, time.monotonic() - started


if __name__ == "__main__":
    main()
