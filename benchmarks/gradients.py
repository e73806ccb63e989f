"""What gradients cost beside answers: `kanspice.nn.Circuit`, by all that the network was trained to.

    python -m benchmarks.gradients [-o FILE.json]

100 samples of the MNIST KANalogue checkpoint and of the published `circle` KirchhoffNet, both of the reference data
(KANSPICE_REFERENCE_DATA). Answers are compiled and solved; states are not proven, which would be part of both. The
least of a few repetitions counts.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

import kanspice
from benchmarks.report import cpu_s, surroundings, write
from kanspice.families.common import load_array
from kanspice.nn import Circuit

SAMPLES, REPETITIONS = 100, 5
WIRES = ["wires.row_ohm=1", "wires.column_ohm=1", "wires.driver_ohm=20"]
MNIST = {
    "MNIST, gain 1000": (None, ["tia.gain=1000"]),
    "MNIST, gain 1000, 5 % areas, 5 mV": (
        None,
        ["tia.gain=1000", "devices.area_sigma=0.05", "tia.offset_sigma_v=0.005"],
    ),
    "MNIST, gain 1000, wires of 1 ohm": (None, ["tia.gain=1000", *WIRES]),
    "MNIST, typical, gain 1000": ("typical", ["tia.gain=1000"]),
}
CIRCLE = ["branches.realisation=schematic", "branches.pair_saturation=1.05"]


def main() -> None:
    """Measures every case, prints a table, and writes the JSON."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("-o", "--output", type=Path, default=Path("out/benchmark_gradients.json"))
    arguments = parser.parse_args()
    data = Path(os.environ["KANSPICE_REFERENCE_DATA"])
    folder = data / "kanalogue/mnist_batchnorm_3basis"
    model = kanspice.load(folder / "best.pth", folder / "config.json", folder.parent / "iv")
    inputs = load_array(folder / "inputs.npy", "the inputs").reshape(500, -1)[:SAMPLES]
    rows = {
        name: costs(Circuit(model, kanspice.load_technology(*tech), inputs, prove_states=False), inputs)
        for name, tech in MNIST.items()
    }
    folder = data / "kirchhoffnet/circle"
    model = kanspice.load(folder / "model.pth", folder / "config.yaml")
    inputs = load_array(folder / "inputs.npy", "the inputs")[:SAMPLES]
    rows["circle, saturation 1.05"] = costs(Circuit(model, kanspice.load_technology(None, CIRCLE), inputs), inputs)
    print("| case | answers, s | with gradients, s | times |\n|---|---|---|---|")
    for name, row in rows.items():
        print(f"| {name} | {row['answers_s']:.3f} | {row['with_gradients_s']:.3f} | {row['times']:.2f} |")
    write({**surroundings(), "rows": rows}, arguments.output)


def costs(circuit: Circuit, inputs: np.ndarray) -> dict[str, float]:
    """Processor seconds of answers, and of these with gradients."""
    samples = torch.from_numpy(np.ascontiguousarray(inputs))

    def answers() -> None:
        with torch.no_grad():
            circuit(samples)

    def with_gradients() -> None:
        torch.nansum(circuit(samples) ** 2).backward()

    alone, both = least_s(answers), least_s(with_gradients)
    return {"answers_s": alone, "with_gradients_s": both, "times": both / alone}


def least_s(work: Callable[[], None]) -> float:
    """Of a few repetitions, after one that counts for nothing."""
    work()
    return min(cpu_s(work)[1] for _ in range(REPETITIONS))


if __name__ == "__main__":
    main()
