"""Networks tuned through their circuits, beside plain training and noise on weights, on specimens that none saw.

    python -m benchmarks.tune [--cases "NAME;..."] [--seeds N] [--trials N] [--alone] [-o FILE.json]

The digits example with scikit-learn's other samples, and, where KANSPICE_REFERENCE_DATA is set, the MNIST KANalogue
checkpoint and the published `circle` KirchhoffNet. A row is written as soon as it is measured, and rows of a file that
is there already are kept. Most of its time is ngspice's, which looks at ten tuned specimens of each.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

import kanspice
from benchmarks.report import cpu_s, surroundings, write
from kanspice.experiments.tune.result import LOST, TuningResult
from kanspice.experiments.tune.wording import arm_name
from kanspice.families.common import load_array

DIGITS = Path(__file__).parents[1] / "examples" / "01_kanalogue_digits"
FULL_SCALE, INPUT_NOISE = 0.7, 0.05
"""Of the digits example's training."""


@dataclass(frozen=True)
class Case:
    """A network, what it is tuned on, and the technology. given: what `kanspice.tune` is told."""

    model: Callable[[], dict]
    set_: dict[str, object]
    given: dict[str, object]


@cache
def digits() -> dict:
    """Trained on what the example is trained on, measured on its test samples."""
    from sklearn.datasets import load_digits  # noqa: PLC0415 - an extra
    from sklearn.model_selection import train_test_split  # noqa: PLC0415

    images, labels = load_digits(return_X_y=True)
    parts = train_test_split(images / 16 * FULL_SCALE, labels, test_size=200, random_state=0, stratify=labels)
    assert np.array_equal(parts[1], np.load(DIGITS / "inputs.npy"))
    given = dict(zip(("inputs", "test_inputs", "labels", "test_labels"), map(np.ascontiguousarray, parts), strict=True))
    return {"model": DIGITS / "model.pt", **given, "input_noise": INPUT_NOISE}


@cache
def mnist() -> dict:
    """The checkpoint's 500 images that its own training did not see: 300 to train on, 200 to measure."""
    folder = Path(os.environ["KANSPICE_REFERENCE_DATA"]) / "kanalogue/mnist_batchnorm_3basis"
    model = kanspice.load(folder / "best.pth", folder / "config.json", folder.parent / "iv")
    inputs, labels = load_array(folder / "inputs.npy", "the inputs").reshape(500, -1), np.load(folder / "labels.npy")
    return {"model": model, "inputs": inputs, "labels": labels}


@cache
def circle() -> dict:
    """The published network's own outputs are what its circuit is to give: it is trained on normal numbers, which the
    published inputs are too, and measured on these."""
    folder = Path(os.environ["KANSPICE_REFERENCE_DATA"]) / "kirchhoffnet/circle"
    model = kanspice.load(folder / "model.pth", folder / "config.yaml")
    drawn = np.random.default_rng(5).normal(size=(1024, 2))
    return {"model": model, "inputs": drawn, "test_inputs": load_array(folder / "inputs.npy", "the inputs")}


GAIN, AREAS = {"tia.gain": 10.0}, {"devices.area_sigma": 0.1}
SWING = {"tia.gain": 1000.0, "tia.swing_v": 2.0}
CASES = {
    "gain 10, areas 10 %": Case(digits, GAIN | AREAS, {"epochs": 32}),
    "swing 2 V, areas 10 %": Case(digits, SWING | AREAS, {"epochs": 30}),
    "offsets 20 mV": Case(digits, {"tia.gain": 1000.0, "tia.offset_sigma_v": 0.02}, {"epochs": 60}),
    "4 levels, areas 10 %": Case(digits, {"devices.area_levels": 4} | AREAS, {"epochs": 20}),
    "MNIST, gain 30": Case(mnist, {"tia.gain": 30.0}, {"epochs": 10}),
    "MNIST, swing 2 V": Case(mnist, {"tia.gain": 1000.0, "tia.swing_v": 2.0}, {"epochs": 10}),
    "circle, saturation 1.05": Case(
        circle,
        {"branches.realisation": "schematic", "branches.pair_saturation": 1.05},
        {"epochs": 10, "rate": 0.001},
    ),
}


def main() -> None:
    """Tunes every case with every seed, prints a table, and writes the JSON."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--cases", help="parts of names, semicolons between (default: all that there is data for)")
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--trials", type=int, default=200)
    parser.add_argument("--alone", action="store_true", help="without trainings that stand beside")
    parser.add_argument("-o", "--output", type=Path, default=Path("out/benchmark_tune.json"))
    arguments = parser.parse_args()
    rows = json.loads(arguments.output.read_text())["rows"] if arguments.output.exists() else {}
    for name in chosen(arguments.cases):
        for seed in range(arguments.seeds):
            rows |= row(name, CASES[name], seed, arguments.trials, alone=arguments.alone)
            write({**surroundings(), "rows": rows}, arguments.output)
    print("\n".join(table(rows)))


def chosen(names: str | None) -> list[str]:
    """Cases by parts of their names. All that there is data for if None."""
    if names is not None:
        wanted = [part.strip() for part in names.split(";")]
        return [name for name in CASES if any(part in name for part in wanted)]
    there = "KANSPICE_REFERENCE_DATA" in os.environ
    return [name for name, case in CASES.items() if there or case.model is digits]


def row(name: str, case: Case, seed: int, trials: int, *, alone: bool) -> dict[str, object]:
    """What becomes of one case with one seed."""
    result, seconds = cpu_s(
        lambda: kanspice.tune(
            **case.model(), set=case.set_, **case.given, seed=seed, trials=trials, alone=alone, cross_check=10
        )
    )
    assert isinstance(result, TuningResult)
    worst = [check.found.worst for check in result.checks if check.found.worst is not None]
    return {
        f"{name}, seed {seed}": {
            "draws": len(result.tuned.draws),
            "samples": result.samples,
            "sizing_samples": result.sizing_samples,
            "networks": {arm_name(arm.kind): figures(result, arm) for arm in result.arms},
            "checked": len(result.checks),
            "judge": result.checks[0].found.engine if result.checks else None,
            "judge_differs": max(worst, default=None),
            "judge_disagrees": result.engines_disagree,
            "processor_s": round(seconds, 1),
        }
    }


def figures(result: TuningResult, arm: object) -> dict[str, object]:
    """Of one network."""
    found = arm.summary
    yields = {f"yield_{lost:g}": round(each.fraction, 4) for lost, each in zip(LOST, result.yields(arm), strict=False)}
    return {
        "alone": arm.itself,
        "mean": None if found is None else found.mean,
        "worst": None if found is None else found.quantiles[0 if result.is_classification else -1],
        **yields,
        "failed_samples": arm.failed_samples,
        "training_s": None if arm.course is None else round(arm.course.processor_s, 1),
        "epochs": None if arm.course is None else arm.course.epochs,
    }


def table(rows: dict[str, dict]) -> Iterator[str]:
    """As Markdown: of classifications the mean accuracy and yields, of regressions the mean error."""
    networks = list(dict.fromkeys(name for each in rows.values() for name in each["networks"]))
    yield "| case | draws | " + " | ".join([*networks, "training, s"]) + " |"
    yield "|---" * (len(networks) + 3) + "|"
    for name, each in rows.items():
        cells = [cell(each["networks"].get(network)) for network in networks]
        seconds = each["networks"]["through the circuit"]["training_s"]
        yield f"| {name} | {each['draws']} | " + " | ".join([*cells, f"{seconds:.0f}"]) + " |"


def cell(found: dict | None) -> str:
    """ "98.3, 100 (100)": mean accuracy, and how many lose at most 1 % (2 %), in percent; else the mean error."""
    if found is None or found["mean"] is None:
        return "-"
    if "yield_0.01" not in found:
        return f"{found['mean']:.3g}"
    return f"{100 * found['mean']:.1f}, {100 * found['yield_0.01']:.0f} ({100 * found['yield_0.02']:.0f})"


if __name__ == "__main__":
    main()
