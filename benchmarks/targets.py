"""Every target of speed, measured: both sides of each ratio in one run, in seconds of processor time.

    python -m benchmarks.targets [--only NAME]... [--large] [-o FILE.json]

Rows that need the reference checkpoints are left out where KANSPICE_REFERENCE_DATA is not set, that of badcrossbar
where it is not installed. --large: wires on 196 x 64 pairs in ngspice too, which takes ten minutes.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from benchmarks.report import cpu_s, surroundings, write
from kanspice.base.draws import Draw
from kanspice.circuit import Design
from kanspice.circuit.specimens import draw_specimen
from kanspice.devices import Device, load_device
from kanspice.engine.fidelity import resolve_fidelity
from kanspice.engine.options import RunOptions
from kanspice.engine.running import solve
from kanspice.engine.solution import Solution
from kanspice.families import LoadedModel, compile_model, compile_nominal, load
from kanspice.families.common import load_array
from kanspice.families.common.following import reference_stages
from kanspice.families.compiling import sizing_of
from kanspice.families.kanalogue.circuit import compile_kanalogue
from kanspice.families.kanalogue.network import KANalogue
from kanspice.technology import load_technology

KANALOGUE = "kanalogue/mnist_batchnorm_3basis", ("best.pth", "config.json", "../iv")
MOONS = "kirchhoffnet/twomoon", ("model.pth", "config.yaml")
MNIST_ODE = "kirchhoffnet/mnist", ("model.pth", "config.yaml")
WIRE_SIZES = ((16, 8), (32, 16), (64, 16), (128, 32))
LARGE = (196, 64)
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
    parser.add_argument("--large", action="store_true")
    parser.add_argument("-o", "--output", type=Path, default=Path("out/benchmark_targets.json"))
    arguments = parser.parse_args()
    chosen = arguments.only or [name for name in ROWS if name != LARGE_WIRES or arguments.large]
    rows = json.loads(arguments.output.read_text())["rows"] if arguments.only and arguments.output.exists() else {}
    for name in chosen:
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


def finite_gain() -> Row:
    """Crossbars for MNIST, amplifiers of gain 1000: batched against ngspice, one process, loading spread."""
    loaded, inputs = checkpoint(KANALOGUE)
    design = compile_model(loaded, load_technology(None, ["tia.gain=1000"]), sizing_of(loaded.model, inputs[:100]))
    return engines(design, loaded, inputs[:100], few=3, target=None)


def moons() -> Row:
    """A network of two nodes, 10,000 samples."""
    loaded, _ = checkpoint(MOONS)
    inputs = np.random.default_rng(_SEED).normal(size=(10_000, 2))
    design = compile_model(loaded, load_technology(None, []), sizing_of(loaded.model, inputs))
    return engines(design, loaded, inputs, few=20, target=100, steps=64)


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


def draws() -> Row:
    """Mismatch draws x 100 samples at finite gain; ngspice's time from 1 and 3 samples of one draw."""
    loaded, inputs = checkpoint(KANALOGUE)
    inputs, draws_made, samples = inputs[:100], 5, 100
    technology = load_technology(None, ["tia.gain=1000", "devices.area_sigma=0.05"])
    nominal = compile_nominal(loaded, technology, sizing_of(loaded.model, inputs))

    def all_draws() -> list[Solution]:
        specimens = (draw_specimen(nominal, technology, Draw(seed)) for seed in range(draws_made))
        return [solved("batched", specimen, inputs) for specimen in specimens]

    ours, ours_s = cpu_s(all_draws)
    specimen = draw_specimen(nominal, technology, Draw(0))
    hints = reference_stages(loaded.model, inputs[:3])
    judge, theirs_s = judged(specimen, inputs[:3], samples, hints=hints)
    counts = {"draws": draws_made, "samples": samples, "devices": nominal.device_count, "ngspice_samples": 3}
    return Row("ngspice", "draw", 1000, ours_s / draws_made, theirs_s, apart(specimen, ours[0], judge), counts)


def wires(size: tuple[int, int], target: float | None = None) -> Row:
    """A crossbar of three device types with 1 ohm a segment: batched against ngspice on the same circuit."""
    design, inputs = wired(*size, samples=100)
    return engines(design, None, inputs, few=3, target=target)


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


def engines(
    design: Design,
    loaded: LoadedModel | None,
    inputs: np.ndarray,
    *,
    few: int,
    target: float | None,
    steps: int | None = None,
) -> Row:
    """Batched against ngspice, whose time for so many samples comes from few of them."""
    hints = None if loaded is None else reference_stages(loaded.model, inputs[:few])
    ours, ours_s = cpu_s(lambda: solved("batched", design, inputs))
    judge, theirs_s = judged(design, inputs[:few], len(inputs), hints=hints, steps=steps)
    counts = {"devices": design.device_count, "samples": len(inputs), "ngspice_samples": few}
    if steps is not None:
        counts["steps"] = steps
    disagreement = apart(design, ours, judge)
    samples = len(inputs)
    return Row("ngspice", "sample", target, ours_s / samples, theirs_s / samples, disagreement, counts)


def judged(
    design: Design, few: np.ndarray, samples: int, *, hints: dict | None, steps: int | None = None
) -> tuple[Solution, float]:
    """ngspice's answers for a few samples, and the seconds that `samples` would take: it loads a circuit once."""
    first = None if hints is None else {name: values[:1] for name, values in hints.items()}
    _, one_s = cpu_s(lambda: solved("ngspice", design, few[:1], hints=first, steps=steps))
    judge, few_s = cpu_s(lambda: solved("ngspice", design, few, hints=hints, steps=steps))
    return judge, one_s + (few_s - one_s) / (len(few) - 1) * (samples - 1)


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


LARGE_WIRES = "wires, {} x {} pairs".format(*LARGE)
ROWS: dict[str, tuple[Callable[[], bool] | None, Callable[[], Row]]] = {
    "crossbars, finite gain": (has_data, finite_gain),
    "mismatch draws": (has_data, draws),
    "two moons": (has_data, moons),
    "two moons, torch": (has_data, torch_ode),
    "resistors with wires": (has_badcrossbar, badcrossbar),
    **{f"wires, {size[0]} x {size[1]} pairs": (None, partial(wires, size)) for size in WIRE_SIZES},
    LARGE_WIRES: (None, partial(wires, LARGE, 100)),
}


if __name__ == "__main__":
    main()
