"""Chips that ngspice simulated, found again by `kanspice identify`: errors, intervals, and what is found to be missing.

    python -m benchmarks.identify [--chips N] [--large N] [--folder DIR] [-o FILE.json]

The digits example with 5 % areas, offsets, drivers of about 20 ohm and a gain of about 1,000 that are both not known
(`benchmarks.chips`), measured with 0.1 % noise. `chips`: 50 measured inputs of each of 100 chips, of which 10 are kept
apart. `inputs`: more and more of 300, of a few chips. `choosing`: 60 more inputs beside 40, as the tool says or at
random. `wires`: chips with wires, fitted without. Chips are kept in the folder, rows in the file: what is there is not
measured again.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
from scipy.stats import norm

from benchmarks.chips import NOISE, SAID, UNKNOWN, Chip, chip, expected, pool, scale, twin
from benchmarks.report import cpu_s, surroundings, write
from kanspice.experiments.identify.result import REJECTED
from kanspice.experiments.identify.run import Identified, Investigated
from kanspice.experiments.identify.twin import Twin

FEW, MANY = 50, 300
"""Measured inputs of a chip, every fifth of which is kept apart."""
NUMBERS = (100, 300)
FIRST, CHOSEN, TEST = 40, 60, 60
"""Of `choosing`: inputs that are measured anyway, those that are chosen, and others that say how good that was."""
WITHIN = float(norm.ppf(0.95))
TOLD = 0.9
"""Of a standard deviation: an unknown that has less left was told something."""
WIRED = 100
"""Measured inputs of chips with wires that are fitted without."""
BARE = ("tia.gain=1000", "devices.area_sigma=0.05", "tia.offset_sigma_v=0.002")
WIRES = {
    **{f"drivers of {ohm} ohm": (f"wires.driver_ohm={ohm}",) for ohm in (50, 1000)},
    **{f"segments of {ohm} ohm": (f"wires.row_ohm={ohm}", f"wires.column_ohm={ohm}") for ohm in (5, 20, 50)},
}
GAIN = ("tia.gain=3",)


def main() -> None:
    """Measures what the file has not got, prints tables, and writes the JSON."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--chips", type=int, default=100)
    parser.add_argument("--large", type=int, default=3, help="chips with 300 measured inputs")
    parser.add_argument("--folder", type=Path, default=Path("out/benchmark_identify"))
    parser.add_argument("-o", "--output", type=Path, default=Path("out/benchmark_identify.json"))
    arguments = parser.parse_args()
    parts = {
        "chips": (range(arguments.chips), lambda seed: found_again(chip(seed, FEW, twin(), folder=arguments.folder))),
        "inputs": (range(arguments.large), lambda seed: by_inputs(chip(seed, MANY, twin(), folder=arguments.folder))),
        "choosing": (range(arguments.large), lambda seed: chosen(chip(seed, MANY, twin(), folder=arguments.folder))),
        "wires": (WIRES, without_wires),
    }
    kept = json.loads(arguments.output.read_text())["rows"] if arguments.output.exists() else {}
    for name, (keys, measure) in parts.items():
        rows = kept.setdefault(name, {})
        for key in keys:
            if f"{key}" not in rows:
                rows[f"{key}"] = measure(key)
                report = {**surroundings(), "said": SAID, "unknown": UNKNOWN, "noise": NOISE}
                write({**report, "summary": summary(kept), "rows": kept}, arguments.output)
    print(json.dumps(summary(kept), indent=1))


def identified(found: Twin, outputs: np.ndarray, measured: Iterable[int]) -> tuple[Identified, float]:
    """The chip fitted to some of its measured outputs (samples, outputs), and the processor's seconds that took."""
    own = np.full_like(expected(), np.nan)
    own[list(measured)] = outputs[list(measured)]
    investigated = Investigated(found, pool(), expected(), own, scale(), NOISE * scale())
    return cpu_s(lambda: Identified(investigated))


def found_again(made: Chip) -> dict[str, object]:
    """One chip: how far off its twin is, and how many of its true numbers are in their intervals."""
    found, seconds = identified(twin(), made.outputs, range(FEW))
    suspects = found.suspects()
    return {
        "gap": relative(made.outputs - expected()[:FEW]),
        "nominal_error": found.nominal_error,
        "error": found.error,
        "ratio": found.ratio,
        "effort": found.fit.effort,
        "chance": found.chance,
        "chi_squared": found.fit.chi_squared,
        "outputs_covered": found.covered,
        "intervals": intervals(found, made.true),
        "suspects": {each.name: round(each.score, 3) for each in suspects if "missing" not in each.name},
        "loudest": {"name": suspects[0].name, "score": suspects[0].score, "chance": suspects[0].chance},
        "ngspice_s": round(made.cpu_s, 2),
        "processor_s": round(seconds, 2),
    }


def intervals(found: Identified, true: np.ndarray) -> dict[str, list[int]]:
    """Kind of unknown -> [true numbers in their 90 % intervals, all; the same of those that were told something]."""
    own, sigma = found.twin, found.posterior.sigma
    inside = np.abs(true - found.fit.unknowns) < WITHIN * sigma
    kinds: dict[str, list[np.ndarray]] = {}
    for array in own.arrays:
        where = own.places[array.name].start + np.flatnonzero(own.matter(array))
        kinds.setdefault(array.part, []).append(where)
    for key in own.keys:
        kinds[key.name] = [np.array([own.places[key.name].start])]
    every = {kind: np.concatenate(parts) for kind, parts in kinds.items()}
    told = {kind: where[sigma[where] < TOLD] for kind, where in every.items()}
    return {
        kind: [int(inside[where].sum()), len(where), int(inside[told[kind]].sum()), len(told[kind])]
        for kind, where in every.items()
    }


def by_inputs(made: Chip) -> dict[str, object]:
    """Errors of the inputs that were not fitted, by how many were measured; raw: of the circuit as meant to be."""
    rows = {}
    for count in NUMBERS:
        found, seconds = identified(twin(), made.outputs, range(count))
        apart = np.setdiff1d(np.arange(MANY), found.chip.fitting)
        error, raw = errors(found, made, apart)
        rows[f"{count}"] = {
            "fitted": len(found.chip.fitting),
            "error": error,
            "raw": raw,
            "error_over_raw": error / raw,
            "ratio": found.ratio,
            "effort": found.fit.effort,
            "chance": found.chance,
            "loudest": found.suspects()[0].score,
            "intervals": intervals(found, made.true),
            "processor_s": round(seconds, 2),
        }
    return {"inputs": rows, "ngspice_s": round(made.cpu_s, 2)}


def errors(found: Identified, made: Chip, apart: np.ndarray) -> tuple[float, float]:
    """(of the twin, of the circuit as it was meant to be) against these measured outputs, of the spread."""
    nothing = np.zeros(found.twin.size)
    outputs = (found.twin.answer(pool()[apart], there).outputs for there in (found.fit.unknowns, nothing))
    error, raw = (relative(each - made.outputs[apart]) for each in outputs)
    return error, raw


def chosen(made: Chip) -> dict[str, object]:
    """Errors of the last inputs, with `CHOSEN` more of those before them: that would tell most, or any."""
    test = np.arange(MANY - TEST, MANY)
    others = np.arange(FIRST, MANY - TEST)
    outputs = made.outputs.copy()
    found, _ = identified(twin(), outputs, range(FIRST))
    listed = found.telling(CHOSEN, len(others))
    ways: dict[str, Callable[[], np.ndarray]] = {
        "none": lambda: np.array([], dtype=int),
        "chosen": lambda: np.array([each.sample for each in listed]),
        "random": lambda: np.random.default_rng(made.seed).permutation(others)[:CHOSEN],
    }
    row: dict[str, object] = {}
    for name, more in ways.items():
        again, _ = identified(twin(), outputs, np.concatenate([np.arange(FIRST), more()]))
        error, raw = errors(again, made, test)
        row[name] = {"error": error, "error_over_raw": error / raw, "informed": again.posterior.informed}
    return row


def without_wires(name: str) -> dict[str, object]:
    """A chip with wires, of the batched engine, that is fitted without any: what says so."""
    made = chip(1000, WIRED, twin(*BARE, *WIRES[name], unknown=GAIN), engine="batched")
    found, seconds = identified(twin(*BARE, unknown=GAIN), made.outputs, range(WIRED))
    suspects = found.suspects()
    return {
        "nominal_error": found.nominal_error,
        "error": found.error,
        "ratio": found.ratio,
        "effort": found.fit.effort,
        "chance": found.chance,
        "found": [each.name for each in suspects if each.chance < REJECTED][:3],
        "wires": {
            each.name: {"value": each.value, "seen": each.seen, "score": each.score, "chance": each.chance}
            for each in suspects
            if each.name.startswith("wires")
        },
        "processor_s": round(seconds, 2),
    }


def summary(rows: dict[str, dict]) -> dict[str, object]:
    """Of all rows that there are."""
    found: dict[str, object] = {}
    if rows.get("chips"):
        found["chips"] = of_chips(list(rows["chips"].values()))
    if rows.get("inputs"):
        each = [row["inputs"] for row in rows["inputs"].values()]
        found["inputs"] = {
            count: {
                "error_over_raw": middle([row[count]["error_over_raw"] for row in each]),
                "covered": covered([row[count]["intervals"] for row in each])["together"],
            }
            for count in each[0]
        }
    if rows.get("choosing"):
        every = list(rows["choosing"].values())
        found["choosing"] = {way: middle([row[way]["error_over_raw"] for row in every]) for way in every[0]}
    return found


def of_chips(rows: list[dict]) -> dict[str, object]:
    """Of chips with few measured inputs."""
    return {
        "chips": len(rows),
        "gap": middle([row["gap"] for row in rows]),
        "error_over_raw": middle([row["error"] / row["nominal_error"] for row in rows]),
        **{name: middle([row[name] for row in rows]) for name in ("ratio", "effort", "chi_squared", "outputs_covered")},
        "least_chance": min(row["chance"] for row in rows),
        "unlikely": sum(row["chance"] < REJECTED for row in rows),
        "scores": {
            name: [float(np.mean(values)), float(np.std(values))]
            for name in rows[0]["suspects"]
            if (values := [row["suspects"][name] for row in rows if name in row["suspects"]])
        },
        "loudest": middle([row["loudest"]["score"] for row in rows]),
        "false_alarms": sum(row["loudest"]["chance"] < REJECTED for row in rows),
        "covered": covered([row["intervals"] for row in rows]),
        **{name: middle([row[name] for row in rows if name in row]) for name in ("ngspice_s", "processor_s")},
    }


def covered(rows: list[dict]) -> dict[str, dict[str, float]]:
    """Of true numbers, those in their 90 % intervals, and how many there are; and of those that were told something."""
    kinds = list(dict.fromkeys(kind for row in rows for kind in row))
    sums = {kind: np.sum([row[kind] for row in rows], axis=0) for kind in kinds}
    sums["together"] = np.sum(list(sums.values()), axis=0)
    return {
        kind: {
            "covered": inside / max(numbers, 1),
            "numbers": int(numbers),
            "covered_of_told": told_inside / max(told, 1),
            "told": int(told),
        }
        for kind, (inside, numbers, told_inside, told) in sums.items()
    }


def middle(values: list[float]) -> dict[str, float]:
    """Median, what 90 % are below, and the most."""
    return {"median": float(np.median(values)), "90 %": float(np.quantile(values, 0.9)), "most": float(np.max(values))}


def relative(off: np.ndarray) -> float:
    """Root mean square, of the spread of the network's outputs."""
    return float(np.sqrt(np.mean(off**2)) / scale())


if __name__ == "__main__":
    main()
