"""Chips calibrated from what they gave for some samples, and what they give for samples that nobody measured.

    python -m benchmarks.calibrate [--chips A,B] [--measurements N,N] [--trims A,B+C] [--engine E] [-o FILE.json]
    python -m benchmarks.calibrate --known --trims columns,columns+areas

The digits example with scikit-learn's other samples: chips are measured on what the network was trained on, and held
out are the example's test samples. ngspice (`--engine`) takes 0.25 s of a processor for a sample, so that a chip with
two kinds of trims takes minutes there; the batched engine gives the same outputs to 14 digits. Rows are written as soon
as they are measured, and those of a file that is there already are kept. `--known` finds trims on the chip itself in
place of its twin, from the same samples: what could be reached if everything of the chip were known.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np

import kanspice
from benchmarks.report import cpu_s, surroundings, write
from benchmarks.tune import DIGITS, digits
from kanspice.experiments.api.arguments import technology_of
from kanspice.experiments.api.calibrate import _asked, _of_seed
from kanspice.experiments.calibrate.fit import Practice
from kanspice.experiments.calibrate.result import CalibrationResult, ChipGap
from kanspice.experiments.calibrate.trims import Space, of_chip, parse_trims
from kanspice.experiments.evidence import read_evidence
from kanspice.experiments.followed import Followed
from kanspice.experiments.identify.twin import Twin
from kanspice.families import load
from kanspice.gap import accuracy

SET = {"devices.area_sigma": 0.3, "tia.offset_sigma_v": 0.02}


def main() -> None:
    """Calibrates every chip, prints a table, and writes the JSON."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--chips", default="0,1,2,3,4,5,6,7")
    parser.add_argument("--measurements", default="20,50,200")
    parser.add_argument("--trims", default="outputs,columns")
    parser.add_argument("--engine", default="batched", help="what simulates the chips")
    parser.add_argument("--known", action="store_true", help="trims found on the chip itself")
    parser.add_argument("-o", "--output", type=Path, default=Path("out/benchmark_calibrate.json"))
    arguments = parser.parse_args()
    rows = json.loads(arguments.output.read_text())["rows"] if arguments.output.exists() else {}
    for chip in arguments.chips.split(","):
        if arguments.known:
            rows[f"chip {chip}, all measured, {arguments.engine}"] = known(int(chip), arguments)
            write({**surroundings(), "rows": rows}, arguments.output)
            continue
        for count in arguments.measurements.split(","):
            result, seconds = cpu_s(lambda: calibrated(int(chip), int(count), arguments))  # noqa: B023 - called here
            rows[f"chip {chip}, {count} measured, {arguments.engine}"] = row(result, seconds)
            write({**surroundings(), "rows": rows}, arguments.output)
    print("\n".join(table(rows)))


def samples(count: int) -> tuple[np.ndarray, np.ndarray]:
    """So many training samples to measure; then, in turn, others to find trims with, and the test samples."""
    data = digits()
    order = np.random.default_rng(0).permutation(len(data["inputs"]))
    held = len(data["test_inputs"])
    inputs, labels = (np.concatenate([data[name][order[: count + held]], data[f"test_{name}"]]) for name in NAMES)
    turns = np.stack([count + np.arange(held), count + held + np.arange(held)], axis=1).ravel()
    taken = np.concatenate([np.arange(count), turns])
    return inputs[taken], labels[taken]


NAMES = "inputs", "labels"


def calibrated(chip: int, count: int, arguments: argparse.Namespace) -> CalibrationResult:
    """One chip, of which so many samples are measured."""
    inputs, labels = samples(count)
    return kanspice.calibrate(
        DIGITS / "model.pt",
        inputs,
        labels=labels,
        set=SET,
        chip=chip,
        engine=arguments.engine,
        measurements=[count],
        trims=arguments.trims.split(","),
    )


def known(chip: int, arguments: argparse.Namespace) -> dict[str, object]:
    """One chip, and what trims leave that are found on the chip itself: the samples are those of 50 measured."""
    inputs, labels = samples(50)
    loaded, technology = load(DIGITS / "model.pt"), technology_of(None, SET)
    followed = Followed.of(loaded, read_evidence(loaded, inputs, labels=labels), technology)
    twin = Twin(loaded, technology, followed.sizing)
    candidates = parse_trims(arguments.trims.split(","))
    asked = _of_seed(_asked(twin, followed, candidates, 0.05, 8), chip, arguments.engine, [50])
    assert asked.chip is not None
    assert asked.measure is not None
    places, held = np.concatenate([asked.known[:50], asked.practice]), asked.held_out
    found = {}
    for trims in candidates:
        space = Space(twin.design(np.zeros(twin.size)), of_chip(trims), asked.bits)
        chips, wanted = [asked.chip], asked.expected[places]
        values = Practice(twin, space, chips, asked.inputs[places], wanted, asked.spread, asked.area_fraction).trims()
        outputs = asked.measure(space.applied(asked.chip, values))[held]
        found["+".join(trims)] = {**figures(asked.chip_of(outputs, held)), "used": True}
    untouched = figures(asked.chip_of(asked.measured[held], held))
    network = accuracy(asked.expected[held], labels[held])
    return {"network": network, "untouched": untouched, "trims": found, "as told": None}


def row(result: CalibrationResult, seconds: float) -> dict[str, object]:
    """Of one chip and one number of measured samples."""
    chosen = result.chosen
    assert result.untouched is not None
    return {
        "network": result.network_accuracy,
        "untouched": figures(result.untouched),
        "trims": {
            each.trims: {**figures(each.chip), "used": each.is_used}
            for each in result.candidates
            if each.chip is not None
        },
        "as told": None if chosen is None else chosen.trims,
        "twin_error": result.twins[0].error if result.twins else None,
        "processor_s": round(seconds, 1),
    }


def figures(chip: ChipGap) -> dict[str, object]:
    """On the test samples."""
    return {"gap": round(chip.gap, 4), "accuracy": chip.accuracy, "failed": chip.failed, "samples": chip.samples}


def table(rows: dict[str, dict]) -> Iterator[str]:
    """As Markdown: means over chips by engine, measured samples and trims; and how many became worse."""
    yield "| engine | measured | trims | chips | gap | accuracy | network | fewer right | larger gap |"
    yield "|---|---|---|---|---|---|---|---|---|"
    for kind in dict.fromkeys(name.partition(", ")[2] for name in rows):
        own = [each for name, each in rows.items() if name.partition(", ")[2] == kind]
        for trims in ["untouched", *own[0]["trims"], "as told"]:
            yield line(kind, trims, own)


def line(kind: str, trims: str, own: list[dict]) -> str:
    """One row of it."""
    found = [set_as(each, trims) for each in own]
    before = [each["untouched"] for each in own]
    gap, right = (float(np.mean([each[name] for each in found])) for name in ("gap", "accuracy"))
    network = float(np.mean([each["network"] for each in own]))
    fewer = sum(a["accuracy"] < b["accuracy"] for a, b in zip(found, before, strict=True))
    larger = sum(a["gap"] > b["gap"] for a, b in zip(found, before, strict=True))
    measured, _, engine = kind.partition(" measured, ")
    shown = f"{len(own)} | {gap:.3f} | {100 * right:.1f} | {100 * network:.1f} | {fewer} | {larger}"
    return f"| {engine} | {measured} | {trims} | {shown} |"


def set_as(each: dict, trims: str) -> dict:
    """A chip with these trims; left alone where it is told to be."""
    if trims == "as told":
        trims = each["as told"] or "untouched"
    return each["untouched"] if trims == "untouched" else each["trims"][trims]


if __name__ == "__main__":
    main()
