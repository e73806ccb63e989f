"""What a sample costs the batched engine, against sizes, samples, draws, wires and layers: slopes fitted, log-log.

    python -m benchmarks.scaling [-o FILE.json]

Random layers of three device types; seconds of processor time, the smaller of two runs.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

import numpy as np

from benchmarks.report import cpu_s, surroundings, write
from benchmarks.targets import solved, wired
from kanspice.base.draws import Draw
from kanspice.circuit.specimens import draw_specimen
from kanspice.devices import load_device
from kanspice.families.compiling import sizing_of
from kanspice.families.kanalogue.circuit import compile_kanalogue
from kanspice.families.kanalogue.network import KANalogue
from kanspice.technology import load_technology

_RUNS = 2


def main() -> None:
    """Runs every series, prints it and writes the JSON."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("-o", "--output", type=Path, default=Path("out/benchmark_scaling.json"))
    arguments = parser.parse_args()
    write(surroundings() | {"series": {name: series(*of) for name, of in SERIES.items()}}, arguments.output)


def series(values: tuple[float, ...], unit: str, prepare: Callable[[float], Callable[[], object]]) -> dict[str, object]:
    """Times over values, and the slope of the straight line through their logarithms."""
    seconds = [min(cpu_s(work)[1] for _ in range(_RUNS)) for work in map(prepare, values)]
    return {"of": unit, "values": values, "seconds": seconds, "slope": slope(values, seconds)}


def slope(values: tuple[float, ...], seconds: list[float]) -> float:
    """Of log(seconds) over log(values)."""
    return float(np.polyfit(np.log(values), np.log(seconds), 1)[0])


def with_wires(rows: int, pairs: int, samples: int, ohm: float) -> Callable[[], object]:
    design, inputs = wired(rows, pairs, samples, ohm=ohm)
    return lambda: solved("batched", design, inputs)


def without_wires(widths: tuple[int, ...], samples: int, draws: int = 1) -> Callable[[], object]:
    model = KANalogue(widths, [load_device(name) for name in ("z21", "z15", "zaz21")]).eval()
    inputs = np.random.default_rng(0).random((samples, widths[0]))
    technology = load_technology(None, ["tia.gain=1000", "devices.area_sigma=0.05", "tia.rail_v=1000"])
    nominal = compile_kanalogue(model, technology, sizing_of(model, inputs))
    return lambda: [solved("batched", draw_specimen(nominal, technology, Draw(seed)), inputs) for seed in range(draws)]


SERIES: dict[str, tuple[tuple[float, ...], str, Callable[[float], Callable[[], object]]]] = {
    "crosspoints, with wires": (
        (1024, 4096, 16384, 65536),
        "rows times columns of a square array, 8 samples, 1 ohm a segment",
        lambda n: with_wires(int(n**0.5), int(n**0.5) // 2, 8, 1.0),
    ),
    "crosspoints, without wires": (
        (1024, 4096, 16384, 65536),
        "rows times columns of a square array, 100 samples, gain 1000",
        lambda n: without_wires((int(n**0.5), int(n**0.5) // 2), 100),
    ),
    "samples, with wires": ((4, 16, 64, 256), "samples, 64 x 32 columns", lambda n: with_wires(64, 16, int(n), 1.0)),
    "samples, without wires": (
        (100, 400, 1600, 6400),
        "samples, 64 x 64 columns, gain 1000",
        lambda n: without_wires((64, 32), int(n)),
    ),
    "ohms a segment": (
        (0.1, 1.0, 10.0, 100.0),
        "ohms a segment, 64 x 32 columns, 16 samples",
        lambda ohm: with_wires(64, 16, 16, ohm),
    ),
    "draws": ((1, 4, 16), "draws of 100 samples, 64 x 64 columns", lambda n: without_wires((64, 32), 100, int(n))),
    "layers": (
        (1, 2, 4, 8),
        "layers of 64 x 128 columns, 100 samples, gain 1000",
        lambda n: without_wires((64,) * (int(n) + 1), 100),
    ),
}


if __name__ == "__main__":
    main()
