"""Every imperfection of crossbars by itself, swept over a decade: does the gap grow with it?

    python -m benchmarks.sweeps [--samples N] [-o FILE.json]

The digits example, and, where KANSPICE_REFERENCE_DATA is set, the MNIST KANalogue checkpoint; batched engine, seed 0.
Converters get 9 to 5 bits. Where the gap falls from one value to the next the row says by how much.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

from benchmarks.report import surroundings, write
from kanspice.experiments.evidence import Evidence
from kanspice.experiments.verify.run import VerifyOptions, verify
from kanspice.families import LoadedModel, load
from kanspice.families.common import load_array
from kanspice.technology import load_technology

DIGITS = Path(__file__).parents[1] / "examples" / "01_kanalogue_digits"
MNIST = "kanalogue/mnist_batchnorm_3basis"

# From mild to severe.
_DECADE = (1.0, 10**0.25, 10**0.5, 10**0.75, 10.0)
_BITS = (9.0, 8.0, 7.0, 6.0, 5.0)
# `tia.input_bias_a` is not among them: with equal feedback it is the same in both columns of a pair, and cancels.
SWEEPS = {
    "tia.gain": tuple(3000 / factor for factor in _DECADE),
    "tia.offset_sigma_v": tuple(2e-4 * factor for factor in _DECADE),
    "tia.output_ohm": tuple(1e4 * factor for factor in _DECADE),
    "tia.feedback_sigma": tuple(2e-3 * factor for factor in _DECADE),
    "devices.area_sigma": tuple(0.01 * factor for factor in _DECADE),
    "devices.area_step": tuple(0.003 * factor for factor in _DECADE),
    "devices.area_levels": tuple(300 / factor for factor in _DECADE),
    "devices.shift_sigma_v": tuple(2e-3 * factor for factor in _DECADE),
    "devices.series_ohm": tuple(1e3 * factor for factor in _DECADE),
    "devices.temperature_c": tuple(27 + 10 * factor for factor in _DECADE),
    "devices.stuck_open": tuple(3e-4 * factor for factor in _DECADE),
    "devices.stuck_short": tuple(3e-4 * factor for factor in _DECADE),
    "wires.row_ohm": tuple(1.0 * factor for factor in _DECADE),
    "wires.column_ohm": tuple(1.0 * factor for factor in _DECADE),
    "wires.driver_ohm": tuple(30.0 * factor for factor in _DECADE),
    "clippers.knee_v": tuple(3e-3 * factor for factor in _DECADE),
    "references.current_sigma": tuple(2e-3 * factor for factor in _DECADE),
    "references.clip_sigma": tuple(2e-3 * factor for factor in _DECADE),
    "converters.dac_bits": _BITS,
    "converters.adc_bits": _BITS,
    "converters.input_noise_v": tuple(2e-3 * factor for factor in _DECADE),
}
# What an imperfection needs to have an effect, or an answer.
NEEDS = {
    "tia.output_ohm": ["tia.gain=300.0"],
    "devices.temperature_c": ["devices.current_per_k=1e-3", "devices.voltage_per_k=5e-4"],
    "devices.stuck_short": ["devices.short_ohm=1e6"],
}


def main() -> None:
    """Runs every sweep, prints it, and writes the JSON."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--samples", type=int, default=100)
    parser.add_argument("-o", "--output", type=Path, default=Path("out/benchmark_sweeps.json"))
    arguments = parser.parse_args()
    report = {
        **surroundings(),
        "rows": {
            f"{name}, {cause}": sweep(loaded, evidence.limited(arguments.samples), cause)
            for name, loaded, evidence in models()
            for cause in SWEEPS
        },
    }
    write(report, arguments.output)


def models() -> Iterator[tuple[str, LoadedModel, Evidence]]:
    """What there is to measure: name, model, samples."""
    yield "digits", load(DIGITS / "model.pt"), Evidence(load_array(DIGITS / "inputs.npy", "the inputs"))
    if data := os.environ.get("KANSPICE_REFERENCE_DATA"):
        folder = Path(data) / MNIST
        loaded = load(folder / "best.pth", folder / "config.json", folder.parent / "iv")
        yield "mnist", loaded, Evidence(load_array(folder / "inputs.npy", "the inputs"))


def sweep(loaded: LoadedModel, evidence: Evidence, cause: str) -> dict[str, object]:
    """The gap for each value of an imperfection, and whether it never falls."""
    gaps, failed = [], []
    for value in SWEEPS[cause]:
        whole = cause.endswith(("bits", "levels"))
        written = f"{value:.0f}" if whole else repr(float(f"{value:.6g}"))
        technology = load_technology(None, [f"{cause}={written}", *NEEDS.get(cause, [])])
        result = verify(loaded, technology, evidence, VerifyOptions(engine="batched"))
        gaps.append(result.gap.relative_rmse or 0.0)
        failed.append(len(result.failed))
    falls = [1 - after / before for before, after in pairwise(gaps)]
    return {
        "values": SWEEPS[cause],
        "relative_rmse": gaps,
        "failed_samples": failed,
        "grows": all(fall <= 0 for fall in falls),
        "largest_fall": max(0.0, *falls),
    }


if __name__ == "__main__":
    main()
