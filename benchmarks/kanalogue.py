"""What ngspice costs as kanspice drives it on a KANalogue network, against two plain ways, in one run.

    python -m benchmarks.kanalogue [--samples 100] [--plain-samples 5] [-o FILE.json]

Model: the reference 196-64-10 checkpoint with three device types (39,552 devices) where KANSPICE_REFERENCE_DATA
names the reference data, else a random network of the same size. Compared, all on the same circuit:

- `shared` and `device`: kanspice's two fidelities, the whole `solve` call with its numerical-error rerun;
- `plain`: PySpice as its examples use it: for every sample one circuit, one parse, one operating point;
- `naive device`: the whole curve in every source, one process, one sweep.

Seconds are of the processor, simulators included.
"""

from __future__ import annotations

import argparse
import os
import re
import tempfile
from pathlib import Path

import numpy as np

from benchmarks.report import cpu_s, relative_rmse, surroundings, write
from kanspice.base.spice_numbers import spice_number
from kanspice.circuit import Design
from kanspice.devices import load_device
from kanspice.engine.netlist import build_netlist
from kanspice.engine.ngspice.deck import NORMAL, sweep_deck
from kanspice.engine.ngspice.engine import solve
from kanspice.engine.ngspice.process import RAW_FILE, run_deck
from kanspice.engine.ngspice.program import find_ngspice
from kanspice.engine.options import RunOptions
from kanspice.engine.simulators.raw import read_plots
from kanspice.families import load
from kanspice.families.common import load_array
from kanspice.families.common.following import reference_stages
from kanspice.families.compiling import sizing_of
from kanspice.families.kanalogue.circuit import compile_kanalogue
from kanspice.families.kanalogue.network import KANalogue
from kanspice.technology import Technology

CHECKPOINT = "kanalogue/mnist_batchnorm_3basis"
_DEVICE = re.compile(r"[BG](l\d+)_d(\d+)_(\d+)_(\d+) ")
_SHARED = re.compile(r"[BR]l\d+_(phi|g)\d+_\d+ ")


def main() -> None:
    """Runs every row, prints them as they are done, and writes the JSON."""
    arguments = _arguments()
    name, model, inputs = _network(arguments.samples)
    reference = reference_stages(model, inputs)
    design = compile_kanalogue(model, Technology(), sizing_of(model, inputs))
    rows = {
        "shared": _kanspice(design, inputs, reference, "shared"),
        "device": _kanspice(design, inputs[: arguments.device_samples], reference, "device"),
    }
    if arguments.plain_samples:
        from benchmarks import plain  # noqa: PLC0415, PySpice is optional

        rows["plain"] = plain.row(design, inputs[: arguments.plain_samples], reference)
    if arguments.naive_samples:
        rows["naive device"] = _naive(design, inputs[: arguments.naive_samples], reference)
    report = {
        "model": name,
        "devices": design.device_count,
        "samples": len(inputs),
        "rows": rows,
        "ratios": _ratios(rows, len(inputs)),
    }
    write(surroundings() | report, arguments.output)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--samples", type=int, default=100)
    parser.add_argument("--plain-samples", type=int, default=5, help="samples for PySpice; 0 without it")
    parser.add_argument("--device-samples", type=int, default=20)
    parser.add_argument("--naive-samples", type=int, default=8, help="samples for the naive device deck; 0 skips it")
    parser.add_argument("-o", "--output", type=Path, default=Path("out/benchmark_kanalogue.json"))
    return parser.parse_args()


def _network(samples: int) -> tuple[str, KANalogue, np.ndarray]:
    data = os.environ.get("KANSPICE_REFERENCE_DATA")
    if data:
        folder = Path(data) / CHECKPOINT
        loaded = load(folder / "best.pth", folder / "config.json", folder.parent / "iv")
        return CHECKPOINT, loaded.model, load_array(folder / "inputs.npy", "the inputs")[:samples]
    devices = [load_device(name) for name in ("Z21", "Z15", "ZAZ21")]
    rng = np.random.default_rng(0)
    images = rng.random((samples, 196)) * (rng.random((samples, 196)) < 0.4)
    return "random 196-64-10", KANalogue((196, 64, 10), devices).eval(), images


def _kanspice(design: Design, inputs: np.ndarray, reference: dict, fidelity: str) -> dict:
    solution, seconds = cpu_s(lambda: solve(design, inputs, fidelity, RunOptions(), hints=reference))
    once = RunOptions(check_samples=0)
    costs = (cpu_s(lambda part=part: solve(design, part, fidelity, once))[1] for part in (inputs[:1], inputs))
    last = design.stages[-1]
    return {
        "samples": len(inputs),
        "cpu_s": seconds,
        "deck_bytes": solution.netlist["bytes"],
        **_load_and_sample(*costs, len(inputs)),
        "relative_rmse": relative_rmse(solution.stage_v[last.name] / last.output_v_per_unit, reference),
        "failed_samples": len(solution.failed),
    }


def _naive(design: Design, inputs: np.ndarray, reference: dict) -> dict:
    """The curve written out in every device, solved as one sweep in one process."""
    netlist = build_netlist(design, "device")
    crossbars = {crossbar.name.partition(".")[0]: crossbar for crossbar in design.crossbars}
    lines = []
    for line in netlist.text("circuit.cir").splitlines():
        found = _DEVICE.match(line)
        if found:
            layer, (row, pair, device) = found[1], map(int, found.groups()[1:])
            area = crossbars[layer].area[row, pair, device]
            name, ends = line.split()[0], line.split()[1:3]
            scale = spice_number(abs(area) * crossbars[layer].current_unit_a)
            curve = design.devices[device].curve.spice(f"v({','.join(ends)})")
            lines.append(f"{name} {' '.join(ends)} i={curve} m={scale}")
        elif not _SHARED.match(line):
            lines.append(line)
    nodes = netlist.probes[design.stages[-1].name]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        netlist.write(folder)
        (folder / "circuit.cir").write_text("\n".join(lines) + "\n")
        costs = []
        for part in (inputs[:1], inputs):
            (folder / "run.cir").write_text(sweep_deck(netlist.inputs, part, nodes, NORMAL))
            costs.append(cpu_s(lambda: run_deck(find_ngspice(), folder, "run.cir"))[1])
        plots = read_plots(folder / RAW_FILE)
        deck_bytes = (folder / "circuit.cir").stat().st_size
    outputs = plots[0].table[:, 1:] / design.stages[-1].output_v_per_unit
    return {
        "samples": len(inputs),
        "cpu_s": costs[1],
        "deck_bytes": deck_bytes,
        **_load_and_sample(*costs, len(inputs)),
        "relative_rmse": relative_rmse(outputs, reference),
    }


def _load_and_sample(one_s: float, all_s: float, samples: int) -> dict[str, float]:
    """What one sample more costs, and what is left for the deck; from runs of one sample and of all."""
    per_sample_s = (all_s - one_s) / (samples - 1)
    return {"load_s": one_s - per_sample_s, "per_sample_s": per_sample_s}


def _ratios(rows: dict, samples: int) -> dict:
    ratios = {}
    if "plain" in rows:
        plain, whole_s = rows["plain"], rows["shared"]["cpu_s"]
        ratios["plain / shared"] = plain["cpu_per_sample_s"] * samples / whole_s
        ratios["plain without building its deck / shared"] = plain["parse_and_solve_per_sample_s"] * samples / whole_s
    if "naive device" in rows:
        naive, device = rows["naive device"], rows["device"]
        ratios["naive device / device, load"] = naive["load_s"] / device["load_s"]
        ratios["naive device / device, per sample"] = naive["per_sample_s"] / device["per_sample_s"]
    return ratios


if __name__ == "__main__":
    main()
