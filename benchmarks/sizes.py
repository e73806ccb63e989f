"""Large crossbars in ngspice: processor time, memory and error of a first sample, and what the batched engine takes.

    python -m benchmarks.sizes [--size 784-256-10]... [-o FILE.json]

Random KANalogues of three device types with ideal amplifiers; rows of an earlier run that are not run again are kept.
3072-1024-256-10, 10.2 million devices, takes 11 GB and a quarter of an hour.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path

import numpy as np

from benchmarks.report import cpu_s, surroundings, write
from kanspice.base.process_memory import peak_bytes
from kanspice.circuit import Design
from kanspice.devices import load_device
from kanspice.engine.options import RunOptions
from kanspice.engine.running import solve
from kanspice.engine.solution import Solution
from kanspice.families.common.following import reference_stages
from kanspice.families.compiling import sizing_of
from kanspice.families.kanalogue.circuit import compile_kanalogue
from kanspice.families.kanalogue.network import KANalogue
from kanspice.technology import Technology

SIZES = ("784-256-10", "3072-1024-256-10")
_DEVICES = ("z21", "z15", "zaz21")
_SAMPLES = 100
_ONCE = RunOptions(check_samples=0, row_currents=False)


def main() -> None:
    """Runs the sizes, prints them and writes the JSON."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--size", action="append")
    parser.add_argument("-o", "--output", type=Path, default=Path("out/benchmark_sizes.json"))
    arguments = parser.parse_args()
    rows = json.loads(arguments.output.read_text())["rows"] if arguments.output.exists() else {}
    for size in arguments.size or SIZES[:1]:
        print(size, file=sys.stderr)
        rows[size] = row(tuple(map(int, size.split("-")))) | {"load_average": os.getloadavg()[0]}
        write(surroundings() | {"rows": rows}, arguments.output)


def row(widths: tuple[int, ...]) -> dict[str, object]:
    """One size: the first sample in ngspice, then all in the batched engine. Seconds are of the processor."""
    model = KANalogue(widths, [load_device(name) for name in _DEVICES]).eval()
    inputs = np.random.default_rng(0).random((_SAMPLES, widths[0]))
    expected = list(reference_stages(model, inputs).values())[-1]
    design, compiled_s = cpu_s(lambda: compile_kanalogue(model, Technology(), sizing_of(model, inputs)))
    solution, ngspice_s = cpu_s(lambda: _solved("ngspice", design, inputs[:1]))
    batched, batched_s = cpu_s(lambda: _solved("batched", design, inputs))
    scale = expected.std()
    return {
        "devices": design.device_count,
        "elements": solution.netlist["elements"],
        "deck_bytes": solution.netlist["bytes"],
        "compile_s": compiled_s,
        "ngspice_s": ngspice_s,
        "ngspice_peak_bytes": solution.simulator_peak_bytes,
        "ngspice_error": _largest(_outputs(design, solution) - expected[:1], scale),
        "batched_per_sample_s": batched_s / _SAMPLES,
        "batched_samples": _SAMPLES,
        "batched_error": _largest(_outputs(design, batched) - expected, scale),
        "kanspice_peak_bytes": peak_bytes(),
    }


def _solved(engine: str, design: Design, inputs: np.ndarray) -> Solution:
    solution = solve(engine, design, inputs, "shared", _ONCE)
    if solution.failed:
        raise SystemExit(f"{engine}: {solution.failed[0]}")
    return solution


def _outputs(design: Design, solution: Solution) -> np.ndarray:
    last = design.stages[-1]
    return solution.stage_v[last.name] / last.output_v_per_unit


def _largest(differences: np.ndarray, scale: float) -> float:
    """Of the reference's standard deviation."""
    return float(np.abs(differences).max() / scale)


if __name__ == "__main__":
    main()
