"""The published MNIST KirchhoffNet on images of the MNIST test set: what its circuit gets right, and what that costs.

    python -m benchmarks.kirchhoffnet_accuracy FOLDER [--images 500] [--tech typical] [-o FILE.json]

Writes the images and their labels into FOLDER, and runs `kanspice verify --engine batched` on them. Needs the reference
data (KANSPICE_REFERENCE_DATA): the checkpoint and the test set.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import resource
import subprocess
import sys
from pathlib import Path

import numpy as np

from benchmarks.report import cpu_s, surroundings, write

CHECKPOINT = "kirchhoffnet/mnist"
_KEPT = (
    "model",
    "engine",
    "samples",
    "failed_samples",
    "gap",
    "accuracy",
    "numerical_error",
    "reference_error",
    "timing",
)


def main() -> None:
    """Makes the inputs, measures, prints and writes the JSON."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--images", type=int, default=500)
    parser.add_argument("--tech", default="typical")
    parser.add_argument("-o", "--output", type=Path, default=Path("out/benchmark_kirchhoffnet_accuracy.json"))
    arguments = parser.parse_args()
    data = os.environ.get("KANSPICE_REFERENCE_DATA")
    if not data:
        sys.exit("set KANSPICE_REFERENCE_DATA to the folder of the reference data")
    make_inputs(Path(data), arguments.folder, arguments.images)
    report = arguments.folder / "verify.json"
    command = verify_command(Path(data) / CHECKPOINT, arguments.folder, arguments.tech, report)
    found, seconds = cpu_s(lambda: subprocess.run(command, check=False))
    if found.returncode != 0:
        sys.exit(f"kanspice verify: exit code {found.returncode}")
    measured = json.loads(report.read_text(encoding="utf-8"))
    row = {name: measured[name] for name in _KEPT if name in measured}
    row["model"] = {name: value for name, value in row["model"].items() if name != "path"}
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
    row |= {"technology": arguments.tech, "processor_s": seconds, "peak_bytes": peak}
    write(surroundings() | {"checkpoint": CHECKPOINT} | row, arguments.output)


def make_inputs(data: Path, folder: Path, images: int) -> None:
    """inputs.npy, (images, 784), and labels.npy of the first images of the test set, as the published ones are made.

    Those are grey levels from 0 to 1, row by row, of the first 20 images; a difference ends the program.
    """
    levels = np.frombuffer(gzip.decompress((data / "mnist" / "t10k-images-idx3-ubyte.gz").read_bytes()), np.uint8)
    labels = np.frombuffer(gzip.decompress((data / "mnist" / "t10k-labels-idx1-ubyte.gz").read_bytes()), np.uint8)
    inputs = levels[16:].reshape(-1, 784)[:images] / 255.0
    for name, made in (("inputs", inputs), ("labels", labels[8:][:images].astype(np.int64))):
        published = np.load(data / CHECKPOINT / f"{name}.npy")[:images]
        if not np.array_equal(made[: len(published)], published):
            sys.exit(f"the published {name}.npy is not the beginning of the test set")
        folder.mkdir(parents=True, exist_ok=True)
        np.save(folder / f"{name}.npy", made)


def verify_command(checkpoint: Path, folder: Path, technology: str, report: Path) -> list[str]:
    """What a user would type, by this Python."""
    samples = ["--inputs", folder / "inputs.npy", "--labels", folder / "labels.npy"]
    options = ["--config", checkpoint / "config.yaml", "--engine", "batched", "--tech", technology, "--json", report]
    start = [sys.executable, "-c", "from kanspice.cli import main; main()", "verify", checkpoint / "model.pth"]
    return [str(part) for part in (*start, *samples, *options)]


if __name__ == "__main__":
    main()
