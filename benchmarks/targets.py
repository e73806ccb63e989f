"""The batched engine against libraries that compute the same: both sides of each ratio in one run, in seconds of
processor time.

    python -m benchmarks.targets [--only NAME]... [-o FILE.json]

Rows that need the reference checkpoints are left out where KANSPICE_REFERENCE_DATA is not set, that of badcrossbar
where it is not installed. Simulators are in `benchmarks.judges`.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.report import cpu_s, surroundings, write
from kanspice.circuit import Design
from kanspice.devices import Device, load_device
from kanspice.engine.fidelity import resolve_fidelity
from kanspice.engine.options import RunOptions
from kanspice.engine.running import solve
from kanspice.engine.solution import Solution
from kanspice.families import LoadedModel, compile_model, load
from kanspice.families.common import load_array
from kanspice.families.common.following import reference_stages
from kanspice.families.compiling import sizing_of
from kanspice.families.kanalogue.circuit import compile_kanalogue
from kanspice.families.kanalogue.network import KANalogue
from kanspice.technology import load_technology

KANALOGUE = "kanalogue/mnist_batchnorm_3basis", ("best.pth", "config.json", "../iv")
MOONS = "kirchhoffnet/twomoon", ("model.pth", "config.yaml")
_SEED = 0


@dataclass(frozen=True)
class Row:
    """A measured target. Times are of one sample, or of what `each` says, in seconds of processor time."""

    against: str
    each: str
    target: float | None
    ours_s: float
    theirs_s: float
    disagreement: float | None
    counts: dict[str, object]

    def to_dict(self) -> dict[str, object]:
        """Plain values, the ratio among them."""
        return {**self.__dict__, "ratio": self.theirs_s / self.ours_s}


def main() -> None:
    """Runs the rows, prints them and writes the JSON; rows of an earlier run that are not run again are kept."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--only", action="append", choices=list(ROWS))
    parser.add_argument("-o", "--output", type=Path, default=Path("out/benchmark_targets.json"))
    arguments = parser.parse_args()
    rows = json.loads(arguments.output.read_text())["rows"] if arguments.only and arguments.output.exists() else {}
    for name in arguments.only or ROWS:
        needs, work = ROWS[name]
        if not needs or needs():
            print(name, file=sys.stderr)
            rows[name] = work().to_dict() | {"load_average": os.getloadavg()[0]}
            write(surroundings() | {"rows": rows}, arguments.output)


def has_data() -> bool:
    """Whether the reference checkpoints are there."""
    return bool(os.environ.get("KANSPICE_REFERENCE_DATA"))


def has_badcrossbar() -> bool:
    """Whether it is installed."""
    return importlib.util.find_spec("badcrossbar") is not None


def torch_ode() -> Row:
    """The same network: the batched engine against torchdiffeq, which solves its reference at the same samples."""
    loaded, _ = checkpoint(MOONS)
    inputs = np.random.default_rng(_SEED).normal(size=(2_000, 2))
    design = compile_model(loaded, load_technology(None, []), sizing_of(loaded.model, inputs))
    ours, ours_s = cpu_s(lambda: solved("batched", design, inputs))
    reference, theirs_s = cpu_s(lambda: reference_stages(loaded.model, inputs))
    last = design.stages[-1]
    expected = reference[last.compares_to]
    far = np.abs(ours.stage_v[last.name] / last.output_v_per_unit - expected).max() / expected.std()
    counts = {"samples": len(inputs), "branches": design.device_count}
    return Row("torchdiffeq", "sample", None, ours_s / len(inputs), theirs_s / len(inputs), float(far), counts)


def badcrossbar(rows: int = 196, pairs: int = 64, samples: int = 1000) -> Row:
    """A crossbar of resistors, 1 ohm a segment, against badcrossbar's answers for the same array."""
    from badcrossbar import compute  # noqa: PLC0415, an optional dependency

    design, inputs = wired(rows, pairs, samples, [resistor()])
    crossbar = design.crossbars[0]
    siemens = np.empty((rows, 2 * pairs))
    siemens[:, ::2] = np.maximum(crossbar.area[:, :, 0], 0)
    siemens[:, 1::2] = np.maximum(-crossbar.area[:, :, 0], 0)
    with np.errstate(divide="ignore"):
        ohms = 1 / (siemens * crossbar.current_unit_a)
    ours, ours_s = cpu_s(lambda: solved("batched", design, inputs))
    volts = inputs.T * design.input_v_per_unit

    def theirs() -> np.ndarray:
        return compute(volts, ohms, r_i=crossbar.row_ohm, node_voltages=False, all_currents=False).currents.output

    amps, theirs_s = cpu_s(theirs)
    expected = (amps + crossbar.bias_a) * crossbar.feedback_ohm
    expected_v = crossbar.subtractor_gain * (expected[:, ::2] - expected[:, 1::2])
    far = np.abs(ours.stage_v[crossbar.name] - expected_v).max() / expected_v.std()
    counts = {"rows": rows, "columns": 2 * pairs, "samples": samples}
    return Row("badcrossbar", "sample", 10, ours_s / samples, theirs_s / samples, float(far), counts)


def solved(
    engine: str, design: Design, inputs: np.ndarray, *, hints: dict | None = None, steps: int | None = None
) -> Solution:
    """Without the reruns that measure numerical error."""
    options = RunOptions(check_samples=0, steps=steps)
    solution = solve(engine, design, inputs, resolve_fidelity(design, "auto"), options, hints=hints)
    if solution.failed:
        raise RuntimeError(f"{engine}: {len(solution.failed)} samples failed: {solution.failed[0]}")
    return solution


def apart(design: Design, ours: Solution, judge: Solution) -> float:
    """The worst difference of any output, of the outputs' standard deviation."""
    name = design.stages[-1].name
    expected = judge.stage_v[name]
    return float(np.abs(ours.stage_v[name][: len(expected)] - expected).max() / ours.stage_v[name].std())


def wired(
    rows: int, pairs: int, samples: int, devices: Sequence[Device] = (), ohm: float = 1.0, *more: str
) -> tuple[Design, np.ndarray]:
    """A random layer with wires, and inputs (samples, rows) for it."""
    kinds = list(devices) or [load_device(name) for name in ("z21", "z15", "zaz21")]
    model = KANalogue((rows, pairs), kinds).eval()
    rng = np.random.default_rng(_SEED)
    inputs = rng.random((samples, rows)) * (rng.random((samples, rows)) < 0.4)
    technology = load_technology(None, [f"wires.row_ohm={ohm}", f"wires.column_ohm={ohm}", *more])
    return compile_kanalogue(model, technology, sizing_of(model, inputs)), inputs


def resistor() -> Device:
    """A device that carries 1 A per volt from -10 V to 10 V."""
    curve = {"kind": "piecewise_polynomial", "breakpoints_v": [-10.0, 10.0], "coefficients": [[-10.0, 1.0]]}
    return Device.from_dict(
        {
            "format": "kanspice.device/1",
            "name": "resistor",
            "description": "a straight line",
            "source": "none",
            "reverse": "clamp",
            "units": {"voltage": "V", "current": "A"},
            "range": {"lo_v": -10.0, "hi_v": 10.0},
            "curve": curve,
        }
    )


def checkpoint(which: tuple[str, tuple[str, ...]]) -> tuple[LoadedModel, np.ndarray]:
    """A reference model and its inputs."""
    folder = Path(os.environ["KANSPICE_REFERENCE_DATA"]) / which[0]
    return load(*(folder / name for name in which[1])), load_array(folder / "inputs.npy", "the inputs")


ROWS: dict[str, tuple[Callable[[], bool] | None, Callable[[], Row]]] = {
    "two moons, torch": (has_data, torch_ode),
    "resistors with wires": (has_badcrossbar, badcrossbar),
}


if __name__ == "__main__":
    main()
