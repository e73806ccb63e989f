"""The published MNIST KirchhoffNet in ngspice: one image, both layers, all 460,136 branches; time, memory and error.

    python -m benchmarks.kirchhoffnet_mnist [--steps 24 48] [--image 0] [--fidelity merged] [-o FILE.json]

Needs the reference data (KANSPICE_REFERENCE_DATA). A row for each number n of time steps per period: the result that
runs with n and n / 2 steps lead to. Errors are against the authors' float64 outputs, relative to their standard
deviation over 20 images.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path

import numpy as np
from rich.console import Console

from benchmarks.report import surroundings, write
from kanspice.base.process_memory import peak_bytes
from kanspice.circuit import Design
from kanspice.engine.ngspice.engine import solve
from kanspice.engine.options import RunOptions
from kanspice.families import load
from kanspice.families.common import load_array
from kanspice.families.kirchhoffnet.circuit import compile_kirchhoffnet
from kanspice.gap import compare, decoded_outputs, spread
from kanspice.report.progress_bar import progress_bar
from kanspice.technology import Technology

CHECKPOINT = "kirchhoffnet/mnist"


def main() -> None:
    """Runs every number of steps, prints what came out, and writes the JSON."""
    arguments = _arguments()
    data = os.environ.get("KANSPICE_REFERENCE_DATA")
    if not data:
        sys.exit("set KANSPICE_REFERENCE_DATA to the folder of the reference data")
    folder = Path(data) / CHECKPOINT
    loaded = load(folder / "model.pth", folder / "config.yaml")
    design = compile_kirchhoffnet(loaded.model, Technology())
    image = slice(arguments.image, arguments.image + 1)
    inputs = load_array(folder / "inputs.npy", "the inputs")[image]
    published = load_array(folder / "outputs.npy", "the outputs")
    expected, scale = published[image], spread(published)
    rows = {}
    for steps in arguments.steps:
        row, outputs = _run(design, inputs, steps, arguments.fidelity)
        rows[f"{steps} steps"] = row | _errors(outputs, expected, scale)
    report = {
        **surroundings(),
        "model": CHECKPOINT,
        "image": arguments.image,
        "branches": design.device_count,
        "fidelity": arguments.fidelity,
        "kanspice_peak_bytes": peak_bytes(),
        "rows": rows,
    }
    write(report, arguments.output)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--steps", type=int, nargs="+", default=[24, 48])
    parser.add_argument("--image", type=int, default=0)
    parser.add_argument("--fidelity", choices=("device", "merged"), default="merged")
    parser.add_argument("-o", "--output", type=Path, default=Path("out/benchmark_kirchhoffnet_mnist.json"))
    return parser.parse_args()


def _run(design: Design, inputs: np.ndarray, steps: int, fidelity: str) -> tuple[dict, np.ndarray]:
    started, before = time.monotonic(), os.times()
    options = RunOptions(steps=steps, check_samples=0)
    with progress_bar(Console(stderr=True), f"{steps} steps", 1) as progress:
        solution = solve(design, inputs, fidelity, options, progress=progress)
    outputs = decoded_outputs(design, solution)
    row = {
        "wall_s": time.monotonic() - started,
        "simulator_cpu_s": os.times().children_user - before.children_user,
        "simulator_peak_bytes": solution.simulator_peak_bytes,
        "netlist_bytes": solution.netlist["bytes"],
        "elements": solution.netlist["elements"],
        **solution.timing_s,
    }
    return row, outputs


def _errors(outputs: np.ndarray, expected: np.ndarray, scale: float) -> dict:
    gap = compare(outputs, expected)
    return {
        "relative_rmse": gap.rmse / scale,
        "max_abs": gap.max_abs,
        "same_digit": bool((outputs.argmax(axis=1) == expected.argmax(axis=1)).all()),
    }


if __name__ == "__main__":
    main()
