"""How far the batched engine is from a simulator, on every shipped example and reference checkpoint: the worst sample.

    python -m benchmarks.agreement [--judge ngspice|vacask] [--only PATTERN]... [--large] [-o FILE.json]

Both engines solve the same designs. Crossbars have exact operating points; KirchhoffNets are integrated by a simulator
with twice the time steps until halving them changes its outputs by little, so that what is left is not its own error.
Rows that need the reference checkpoints are left out where KANSPICE_REFERENCE_DATA is not set. --only: rows of such
names, * for anything; those of an earlier run are kept. --large: the crossbars for MNIST with wires, and with
amplifiers that saturate, too: ngspice 39 takes ten minutes of processor time for each, VACASK seconds.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from fnmatch import fnmatchcase
from pathlib import Path

import numpy as np

from benchmarks.report import cpu_s, surroundings, write
from benchmarks.targets import checkpoint, resistor, wired
from kanspice import project
from kanspice.circuit import Design
from kanspice.engine.engines import engine_named
from kanspice.engine.fidelity import resolve_fidelity
from kanspice.engine.options import RunOptions
from kanspice.engine.running import solve
from kanspice.engine.solution import Solution
from kanspice.experiments.api.arguments import model_of
from kanspice.families import LoadedModel, compile_model, load, technology_for
from kanspice.families.common import load_array
from kanspice.families.common.following import reference_stages
from kanspice.families.compiling import sizing_of
from kanspice.gap import spread
from kanspice.gap.cross_check import CROSSBAR_TOLERANCE, PERIOD_TOLERANCE, cross_checked
from kanspice.technology import load_technology

OURS = "batched"
RESULTS = {"ngspice": "agreement", "vacask": "agreement_vacask"}
"""Judge -> the name of its file of results."""
EXAMPLES = Path(__file__).parents[1] / "examples"
MNIST = "kanalogue/mnist_batchnorm_3basis"
_SIZED_BY = 100
"""Samples: what amplifiers' feedback is chosen for, and over which outputs' standard deviation is taken."""
_MOST_STEPS = 6400
_OWN_ERROR = 0.2
"""Of the tolerance: what a simulator's steps may leave before a difference is put down to anything else."""


@dataclass(frozen=True)
class Judge:
    """A simulator, and how far from it answers may be: settled ones, and those of KirchhoffNets.

    first_steps: how many time steps it begins with.
    """

    engine: str
    settled: float
    timed: float
    first_steps: int


JUDGES = {
    "ngspice": Judge("ngspice", CROSSBAR_TOLERANCE, PERIOD_TOLERANCE, 100),
    "vacask": Judge("vacask", 1e-11, 1e-5, 200),
}

Source = Callable[[], tuple[LoadedModel | None, Design, np.ndarray]]


@dataclass(frozen=True)
class Case:
    """A circuit that both engines solve. samples: how many of the inputs, the first, ngspice gets."""

    circuit: str
    technology: str
    source: Source
    samples: int
    is_large: bool = False

    @property
    def name(self) -> str:
        """Of its row."""
        return f"{self.circuit}: {self.technology}"


@dataclass(frozen=True)
class Row:
    """What was found. worst: of the outputs' standard deviation. own_error: the same of the simulator's run, if it has
    time steps, and batched_error of the batched engine's on those samples, which is allowed on top of the target.

    different: samples that ended differently. failed: samples without a result in both engines.
    """

    circuit: str
    technology: str
    samples: int
    failed: int
    different: int
    worst: float | None
    target: float
    own_error: float | None
    batched_error: float | None
    steps: int | None
    theirs_s: float


def main() -> None:
    """Runs the rows, prints them and writes the JSON after each."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--judge", choices=list(JUDGES), default="ngspice")
    parser.add_argument("--only", action="append", default=[])
    parser.add_argument("--large", action="store_true")
    parser.add_argument("-o", "--output", type=Path)
    arguments = parser.parse_args()
    judge = JUDGES[arguments.judge]
    output = arguments.output or Path(f"out/benchmark_{RESULTS[judge.engine]}.json")
    rows = json.loads(output.read_text())["rows"] if arguments.only and output.exists() else {}
    for case in cases():
        wanted = any(fnmatchcase(case.name, pattern) for pattern in arguments.only) or not arguments.only
        if wanted and (arguments.large or not case.is_large):
            print(case.name, file=sys.stderr, flush=True)
            rows[case.name] = asdict(measured(case, judge))
            write(surroundings() | {"rows": rows}, output)


def measured(case: Case, judge: Judge) -> Row:
    """One case by both engines."""
    loaded, design, inputs = case.source()
    few = list(range(min(case.samples, len(inputs))))
    fidelity, own_fidelity = (
        resolve_fidelity(design, "auto", engine_named(e).fidelities) for e in (judge.engine, OURS)
    )
    tolerance = judge.timed if design.periods else judge.settled
    ours = solve(OURS, design, inputs, own_fidelity, RunOptions(check_samples=0))
    hints = None if loaded is None else reference_stages(loaded.model, inputs[few])
    steps = judge.first_steps if design.periods else None
    theirs_s = 0.0
    while True:
        options = RunOptions(check_samples=len(few) if design.periods else 0, steps=steps)
        theirs, took_s = cpu_s(lambda: solve(judge.engine, design, inputs[few], fidelity, options, hints=hints))  # noqa: B023
        theirs_s += took_s
        own_error = own(design, ours, theirs)
        if steps is None or steps >= _MOST_STEPS or (own_error or 0) <= _OWN_ERROR * tolerance:
            break
        steps *= 2
    again = solve(OURS, design, inputs[few], own_fidelity, RunOptions(check_samples=len(few)))
    found = cross_checked(design, ours, theirs, few)
    return Row(
        circuit=case.circuit,
        technology=case.technology,
        samples=len(few),
        failed=len({failure.index for failure in ours.failed} & {failure.index for failure in theirs.failed}),
        different=len(found.outcomes),
        worst=found.worst,
        target=tolerance,
        own_error=own_error,
        batched_error=own(design, ours, again),
        steps=steps,
        theirs_s=theirs_s,
    )


def own(design: Design, ours: Solution, theirs: Solution) -> float | None:
    """A numerical error, if it was measured, of the outputs' standard deviation."""
    if theirs.numerical_error is None:
        return None
    return theirs.numerical_error.max_abs_v / spread(ours.stage_v[design.stages[-1].name])


# --- the circuits ---


def example(folder: str, model: str, *settings: str, tech: str | None = None, limit: int = _SIZED_BY) -> Source:
    """A shipped example in a technology."""

    def source() -> tuple[LoadedModel, Design, np.ndarray]:
        loaded = load(EXAMPLES / folder / model)
        inputs = load_array(EXAMPLES / folder / "inputs.npy", "the inputs")[:limit]
        return loaded, compiled(loaded, inputs, settings, tech), inputs

    return source


def from_reference(folder: str, files: tuple[str, ...], *settings: str, tech: str | None = None) -> Source:
    """A reference checkpoint in a technology."""

    def source() -> tuple[LoadedModel, Design, np.ndarray]:
        loaded, inputs = checkpoint((folder, files))
        inputs = inputs[:_SIZED_BY]
        return loaded, compiled(loaded, inputs, settings, tech), inputs

    return source


def compiled(loaded: LoadedModel, inputs: np.ndarray, settings: tuple[str, ...], tech: str | None) -> Design:
    """The specimen of seed 0, with what its kind of circuit has of the technology."""
    technology = load_technology(tech, settings).model_copy(update={"general": True})
    return compile_model(loaded, technology_for(loaded, technology), sizing_of(loaded.model, inputs))


def resistors(rows: int, pairs: int, ohm: float, *settings: str) -> Source:
    """A crossbar of straight lines with wires."""

    def source() -> tuple[None, Design, np.ndarray]:
        return None, *wired(rows, pairs, 20, [resistor()], ohm, *settings)

    return source


def cases() -> Iterator[Case]:
    """All of them."""
    yield from _crossbars()
    yield from _made_of_layers()
    yield from _connections()
    yield from _kirchhoffnets()


CROSSBARS = {
    "ideal": ((), 20),
    "gain 1000": (("tia.gain=1000",), 10),
    "mismatch 5 %, gain 1000": (("devices.area_sigma=0.05", "tia.gain=1000"), 5),
    "offsets 1 mV": (("tia.offset_sigma_v=1e-3",), 5),
    "swing 1 V": (("tia.swing_v=1.0",), 5),
    "swing 1 V, gain 1000": (("tia.swing_v=1.0", "tia.gain=1000"), 2),
    "everything but wires": (
        (
            *("tia.gain=1000", "tia.offset_sigma_v=1e-3", "tia.feedback_sigma=0.01", "tia.output_ohm=1e3"),
            *("devices.area_sigma=0.05", "devices.series_ohm=1e3", "clippers.knee_v=2e-3"),
        ),
        3,
    ),
}


def _wires(ohm: float) -> tuple[str, ...]:
    return f"wires.row_ohm={ohm}", f"wires.column_ohm={ohm}"


def _crossbars() -> Iterator[Case]:
    digits = "01_kanalogue_digits", "model.pt"
    for technology, (settings, samples) in CROSSBARS.items():
        yield Case("digits example", technology, example(*digits, *settings), samples)
    for ohm in (1.0, 10.0):
        yield Case("digits example", f"wires {ohm:g} ohm", example(*digits, *_wires(ohm)), 2)
    yield Case("digits example", "typical", example(*digits, tech="typical"), 2)
    for rows, pairs in ((16, 8), (64, 16)):
        for ohm in (1.0, 10.0):
            settings = ("tia.gain=1000", "wires.driver_ohm=20") if pairs == 8 else ()
            words = f"wires {ohm:g} ohm" + (", gain 1000, drivers" if settings else "")
            yield Case(f"{rows} x {pairs} pairs of resistors", words, resistors(rows, pairs, ohm, *settings), 5)
    if not os.environ.get("KANSPICE_REFERENCE_DATA"):
        return
    files = "best.pth", "config.json", "../iv"
    for technology, (settings, samples) in CROSSBARS.items():
        is_large = "tia.swing_v=1.0" in settings and "tia.gain=1000" in settings
        few = 1 if is_large else samples
        yield Case("MNIST checkpoint, 3 devices", technology, from_reference(MNIST, files, *settings), few, is_large)
    for ohm in (1.0, 10.0):
        source = from_reference(MNIST, files, *_wires(ohm))
        yield Case("MNIST checkpoint, 3 devices", f"wires {ohm:g} ohm", source, 1, is_large=True)
    for technology in ("ideal", "gain 1000"):
        settings, samples = CROSSBARS[technology]
        source = from_reference("kanalogue/mnist_layernorm_2basis", files, *settings)
        yield Case("MNIST checkpoint, 2 devices, layer norm", technology, source, samples)


DIODES = "a21", "z15", "z21"


def _of_the_authors(name: str, *settings: str, tech: str | None = None) -> Source:
    """A multilayer perceptron of the KANalogue authors', its activations devices."""
    return from_reference(f"kanalogue/mlp_and_kan/{name}", ("best.pth", "config.json"), *settings, tech=tech)


def _projected(name: str, *settings: str, tech: str | None = None) -> Source:
    """A KAN of learnt edges, made of devices."""

    def source() -> tuple[LoadedModel, Design, np.ndarray]:
        folder = Path(os.environ["KANSPICE_REFERENCE_DATA"]) / "kanalogue" / "mlp_and_kan" / name
        inputs = load_array(folder / "inputs.npy", "the inputs")
        loaded = model_of(project(folder / "best.pth", inputs, DIODES, resistor=True, constant=True).network)
        return loaded, compiled(loaded, inputs[:_SIZED_BY], settings, tech), inputs[:_SIZED_BY]

    return source


def _convolutions(layout: str, *settings: str, tech: str | None = None) -> Source:
    """A CNN-KAN of the KANalogue authors' with 1,024 positions."""

    def source() -> tuple[LoadedModel, Design, np.ndarray]:
        folder = Path(os.environ["KANSPICE_REFERENCE_DATA"]) / "kanalogue" / "authors_cli_run_cnn"
        inputs = np.load(folder / "inputs.npy").reshape(20, -1)
        loaded = load(folder, curves=folder.parent / "iv")
        return loaded, compiled(loaded, inputs, (f"convolution.layout={layout}", *settings), tech), inputs

    return source


def _made_of_layers() -> Iterator[Case]:
    """Families whose layers are crossbars, or were made of them."""
    if not os.environ.get("KANSPICE_REFERENCE_DATA"):
        return
    for technology, settings, tech in (("ideal", (), None), ("gain 1000", ("tia.gain=1000",), None)):
        for name in ("mlp_rtdaf", "mlp_mosfet", "mlp_cmtdaf"):
            yield Case(f"{name} of the authors", technology, _of_the_authors(name, *settings, tech=tech), 5)
        for name in ("bspline_kan", "gottlieb_kan"):
            yield Case(f"{name}, projected", technology, _projected(name, *settings, tech=tech), 3)
        yield Case("CNN-KAN of the authors, reused", technology, _convolutions("reused", *settings, tech=tech), 1)


def _connections() -> Iterator[Case]:
    shipped = (
        ("arm example", "04_phykan_arm"),
        ("cart-pole example", "05_phykan_cartpole"),
        ("kinematics example, memdiodes", "06_memkan_kinematics"),
        ("photovoltaic example", "08_phykan_photovoltaic"),
    )
    for technology, tech in (("ideal", None), ("typical", "typical")):
        for name, folder in shipped:
            yield Case(name, technology, example(folder, "model.pt", tech=tech), 20)
        if os.environ.get("KANSPICE_REFERENCE_DATA"):
            for name in ("cartpole_controller", "arm_forward_kinematics"):
                source = from_reference(f"phykan/{name}", ("model.pt", "config.json"), tech=tech)
                yield Case(f"{name} checkpoint", technology, source, 20)


KIRCHHOFFNETS = {
    "behavioural, ideal": ((), None),
    "behavioural, typical": ((), "typical"),
    "schematic, real parts": (
        (
            *("branches.realisation=schematic", "branches.switch_on_ohm=1e4", "branches.switch_off_ohm=1e9"),
            "branches.source_ohm=1e8",
            *("branches.pair_saturation=0.9", "branches.vccs_saturation=3"),
        ),
        None,
    ),
    "schematic, typical": (("branches.realisation=schematic",), "typical"),
}


def _kirchhoffnets() -> Iterator[Case]:
    shipped = (
        ("two moons example", "02_kirchhoffnet_moons", "model.pt", 8),
        ("regression example, small", "03_kirchhoffnet_regression", "model_small.pt", 8),
        ("regression example, medium", "03_kirchhoffnet_regression", "model_medium.pt", 4),
        ("KirchhoffNet digits example", "07_kirchhoffnet_digits", "model.pt", 2),
    )
    for technology, (settings, tech) in KIRCHHOFFNETS.items():
        for name, folder, model, samples in shipped:
            yield Case(name, technology, example(folder, model, *settings, tech=tech), samples)
    if not os.environ.get("KANSPICE_REFERENCE_DATA"):
        return
    for name in ("twomoon", "circle", "potential2"):
        for technology in ("behavioural, ideal", "behavioural, typical"):
            settings, tech = KIRCHHOFFNETS[technology]
            source = from_reference(f"kirchhoffnet/{name}", ("model.pth", "config.yaml"), *settings, tech=tech)
            yield Case(f"{name} checkpoint", technology, source, 8)


if __name__ == "__main__":
    main()
