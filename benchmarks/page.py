"""docs/performance.md, written from the figures that were measured last.

    python -m benchmarks.page

Reads benchmarks/results/*.json and draws docs/performance.svg; the words about what is missed are here.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure

HERE = Path(__file__).parent
PAGE = HERE.parent / "docs" / "performance.md"
PLOT = HERE.parent / "docs" / "performance.svg"

NAMES = {
    "two moons, torch": "KirchhoffNet of two nodes, two moons, and its reference in torch",
    "resistors with wires": "196 x 128 resistors, 1 ohm a segment",
    "MNIST, gain 1000": "KANalogue checkpoint for MNIST, amplifiers of gain 1000",
    "MNIST, gain 1000, mismatch": "the same, a draw of mismatch of 5 %",
    "MNIST, gain 1000, wires": "the same without mismatch, wires of 1 ohm a segment",
    "two moons": "KirchhoffNet of two nodes, two moons",
    "two moons, exact": "the same, to 2e-7",
    "circles": "KirchhoffNet of two nodes, circles",
}
TARGETS = {"wires, 64 x 16 pairs": 50, "wires, 196 x 64 pairs": 300, "two moons": 100, "two moons, exact": 100}
"""At least so many times the fastest judge."""
REMARKS = {
    "resistors with wires": "badcrossbar factors the linear system once and solves it for every sample; the batched "
    "solver eliminates column after column once, and every sample is a product with what is left.",
    "two moons": "the batched engine takes 404 evaluations of 300 tanh a sample for an error of 1e-8; the judge stops "
    "at 1e-5. As exact as the batched engine, the judge takes four times the steps.",
}


def main() -> None:
    """Writes the page and its picture."""
    results = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in (HERE / "results").glob("*.json")}
    PAGE.write_text(page(results), encoding="utf-8")
    draw(results["scaling"])


def page(results: Mapping[str, Mapping]) -> str:
    """The page as Markdown, from every file of results by its name."""
    parts = [
        *_head(results["judges"]),
        *_judges(results["judges"]["rows"]),
        *_targets(results["targets"]["rows"]),
        *_ngspice(results["kanalogue"]),
        *_sizes(results["sizes"]),
        *_agreement(results["agreement"], results["agreement_vacask"]),
        *_draws(results["draws"]),
        *_images(results["kirchhoffnet_accuracy"]),
        *_scaling(results["scaling"]),
    ]
    return "\n".join(parts) + "\n"


def _head(report: Mapping) -> list[str]:
    machine, versions = report["machine"], report["versions"]
    return [
        "# Performance",
        "",
        "Written by `python -m benchmarks.page` from `benchmarks/results/`; `make bench-engines` measures anew, into "
        "`out/`. badcrossbar is optional: `pip install --no-deps badcrossbar pathvalidate`.",
        "",
        f"Measured on {report['date']}: {machine['cpu']}, {machine['cores']} cores, other work beside it. Times are of "
        "the processor, simulators included, one thread; both sides of a ratio are of one run. "
        + ", ".join(f"{name} {number}" for name, number in versions.items() if number)
        + ".",
        "",
    ]


def _judges(rows: Mapping) -> list[str]:
    """Every simulator beside the batched engine."""
    judges = list(dict.fromkeys(judge for row in rows.values() for judge in row["judges"]))
    lines = [
        "## Against the fastest judge",
        "",
        "What a further sample of a sweep takes; in brackets what the first takes, with writing and loading the "
        "circuit. The ratio is that of further samples, of the fastest judge to the batched engine, whose loops were "
        "compiled before: once an installation, a few seconds. Differences are the largest, of the outputs' standard "
        "deviation. An array has three device types at every crosspoint and wires of 1 ohm a segment. A KirchhoffNet's "
        "judge takes the fewest of 50, 100, ... 800 steps that are within 1e-5 of the batched engine's answers, which "
        "are within 1e-7 of the truth.",
        "",
        f"| circuit | devices | {' | '.join(judges)} | batched | ratio | target | worst difference |",
        f"|---|---:|{'---:|' * len(judges)}---:|---:|---:|---:|",
    ]
    for name, row in rows.items():
        cells = " | ".join(_first_and_further(row["judges"].get(judge)) for judge in judges)
        worst = max(found["disagreement"] for found in row["judges"].values())
        lines.append(
            f"| {NAMES.get(name, name.replace('wires, ', 'array, '))} | {row['devices']:,} | {cells} "
            f"| {_first_and_further(row['ours'])} | {_ratio(row['ratio'])} "
            f"| {_verdict(row['ratio'], TARGETS.get(name))} | {worst:.1e} |"
        )
    lines += ["", "A dash: not run, since its first sample takes minutes (`--large` runs it).", ""]
    return [*lines, *(f"- {NAMES[name]}: {REMARKS[name]}" for name in rows if name in REMARKS), ""]


def _first_and_further(row: Mapping | None) -> str:
    if row is None:
        return "-"
    steps = f", {row['steps']} steps" if "steps" in row else ""
    return f"{_seconds(row['further_s'])} ({_seconds(row['first_s'])}{steps})"


def _verdict(ratio: float, target: float | None) -> str:
    return "" if target is None else f"{target:,.0f}, {'kept' if ratio >= target else '**missed**'}"


def _targets(rows: Mapping) -> list[str]:
    lines = [
        "## Against libraries",
        "",
        "| work | against | theirs | batched | ratio | target | worst difference |",
        "|---|---|---:|---:|---:|---:|---:|",
    ]
    for name, row in rows.items():
        times = f"{_seconds(row['theirs_s'])} | {_seconds(row['ours_s'])} | {_ratio(row['ratio'])}"
        verdict = _verdict(row["ratio"], row["target"])
        lines.append(f"| {NAMES[name]} | {row['against']} | {times} | {verdict} | {row['disagreement']:.1e} |")
    lines += ["", "Times are of one sample. Differences are of the outputs' standard deviation.", ""]
    return [*lines, *(f"- {NAMES[name]}: {REMARKS[name]}" for name in rows if name in REMARKS), ""]


def _images(report: Mapping) -> list[str]:
    gap, accuracy, samples = report["gap"], report["accuracy"], report["samples"]
    return [
        "## A KirchhoffNet on images",
        "",
        f"The published MNIST network, two periods of 230,068 branches, on the first {samples} images of the test set, "
        f"`--tech {report['technology']}`, {len(report['failed_samples'])} of them without an answer "
        "(`python -m benchmarks.kirchhoffnet_accuracy FOLDER`). The gap and the numerical errors are of the outputs' "
        "standard deviation; the latter are those of a few images, the worst among them, solved again. Seconds are of "
        "the processor, for an image, its reference in torchdiffeq and what is solved again included.",
        "",
        "| accuracy, reference | circuit | same digit | gap (RMS) | numerical error (RMS) | of the reference | seconds "
        "| memory |",
        "|---:|---:|---:|---:|---:|---:|---:|---:|",
        f"| {accuracy['reference']:.1%} | {accuracy['circuit']:.1%} | {gap['argmax_agreement']:.1%} "
        f"| {gap['relative_rmse']:.3g} | {report['numerical_error']['relative_rmse']:.1e} "
        f"| {report['reference_error']['relative_rmse']:.1e} "
        f"| {report['processor_s'] / samples:.2g} | {report['peak_bytes'] / 2**20:.0f} MiB |",
        "",
    ]


def _ngspice(report: Mapping) -> list[str]:
    """What kanspice saves by how it writes netlists and runs them."""
    rows, ratios, samples = report["rows"], report["ratios"], report["samples"]
    plain, shared, device, naive = (rows[name] for name in ("plain", "shared", "device", "naive device"))
    cells = (
        (f"{samples} samples, ideal amplifiers", plain["cpu_per_sample_s"] * samples, shared["cpu_s"], 30),
        ("loading it with whole curves", naive["load_s"], device["load_s"], 5),
        ("a sample with whole curves", naive["per_sample_s"], device["per_sample_s"], 5),
    )
    building = ratios["plain without building its deck / shared"]
    return [
        "## ngspice, as kanspice drives it",
        "",
        f"The KANalogue MNIST checkpoint, {report['devices']:,} devices, in ngspice alone (`make bench`).",
        "",
        "| work | the plain way | kanspice | ratio | target |",
        "|---|---:|---:|---:|---:|",
        *(
            f"| {work} | {_seconds(theirs)} | {_seconds(ours)} | {_ratio(theirs / ours)} "
            f"| {target}, {'kept' if theirs / ours >= target else '**missed**'} |"
            for work, theirs, ours, target in cells
        ),
        "",
        "Plain is what PySpice's examples do: a circuit of objects, a parse and an operating point for every "
        f"sample ({plain['samples']} of them; without building the objects the ratio is {_ratio(building)}). With "
        "whole curves it is the curve written out in every device, in one sweep.",
        "",
    ]


def _sizes(report: Mapping) -> list[str]:
    """Large crossbars, their first sample in ngspice."""
    lines = [
        "## Large crossbars in ngspice",
        "",
        f"Measured on {report['date']} by `python -m benchmarks.sizes`: random networks of three device types, ideal "
        "amplifiers. Processor time of a first sample, with writing the netlist; errors are the largest, of the "
        "outputs' standard deviation, against torch.",
        "",
        "| network | devices | ngspice, first sample | memory | error | batched, a sample | error |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for size, row in report["rows"].items():
        lines.append(
            f"| {size} | {row['devices']:,} | {_seconds(row['ngspice_s'])} | {row['ngspice_peak_bytes'] / 1e9:.2g} GB "
            f"| {row['ngspice_error']:.1e} | {_seconds(row['batched_per_sample_s'])} | {row['batched_error']:.1e} |"
        )
    return [*lines, ""]


def _agreement(by_ngspice: Mapping, by_vacask: Mapping) -> list[str]:
    """Every circuit that the batched engine and a simulator solved, both simulators beside each other."""
    judged = " {} | allowed | own error | seconds |"
    lines = [
        "## Agreement with ngspice and VACASK",
        "",
        f"Measured by `make bench-agreement`, with ngspice on {by_ngspice['date']}, and `make bench-agreement-vacask` "
        f"on {by_vacask['date']}. The worst difference of any output of any sample from the batched engine, of the "
        "outputs' standard deviation; engines get the same design, specimen and samples. KirchhoffNets: a simulator "
        "takes twice the time steps until its own error, measured by halving them, is below a fifth of its target "
        "(2e-5, 2e-6) or it takes 6,400 of them; what is left of that error is part of the difference. VACASK's are "
        "within the batched engine's error, so that this is allowed on top. Seconds are of the processor, for all "
        "samples and all runs.",
        "",
        f"| circuit | technology | samples |{judged.format('ngspice')}{judged.format('VACASK')}",
        "|---|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    names = [*by_ngspice["rows"], *(name for name in by_vacask["rows"] if name not in by_ngspice["rows"])]
    for name in names:
        both = by_ngspice["rows"].get(name), by_vacask["rows"].get(name)
        one = next(row for row in both if row is not None)
        cells = " | ".join(_judged(row) for row in both)
        lines.append(f"| {one['circuit']} | {one['technology']} | {_solved(both)} | {cells} |")
    return [*lines, ""]


def _judged(row: Mapping | None) -> str:
    """What one simulator says of a circuit; nothing where it was not asked."""
    if row is None:
        return " | | | "
    own = "" if row["steps"] is None else f"{row['own_error']:.1e}, {row['steps']} steps"
    return f"{_worst(row)} | {_allowed(row):.0e} | {own} | {_seconds(row['theirs_s'])}"


def _solved(rows: Sequence[Mapping | None]) -> str:
    """Samples, and how many have no result in both engines, or not the same."""
    one, *others = (row for row in rows if row is not None)
    failed = f", {one['failed']} without a result in both" if one["failed"] else ""
    different = sum(row["different"] for row in (one, *others))
    return f"{one['samples']}{failed}" + (f", **{different} ended differently**" if different else "")


def _allowed(row: Mapping) -> float:
    allowed: float = row["target"] + (row.get("batched_error") or 0.0)
    return allowed


def _worst(row: Mapping) -> str:
    if row["worst"] is None:
        return ""
    return f"{row['worst']:.1e}" if row["worst"] <= _allowed(row) else f"**{row['worst']:.1e}**"


def _draws(report: Mapping) -> list[str]:
    """Thousands of specimens, and the worst of them."""
    worst, now = report["worst"], report["measured_now"]
    accuracy, rmse = report["accuracy"], report["relative_rmse"]
    part = "" if now >= report["draws"] else f" (times are of the last {now:,} draws: it was interrupted before)"
    stopped = f", stopped after so many of {report['asked']:,}" if report["asked"] > report["draws"] else ""
    return [
        f"## {report['draws']:,} draws",
        "",
        f"`make bench-draws`: the KANalogue MNIST checkpoint, {', '.join(report['settings'])}, {report['draws']:,} "
        f"specimens of {report['samples']} images each, `kanspice study --jobs {report['jobs']}`, measured on "
        f"{report['date']}{part}{stopped}.",
        "",
        "| | |",
        "|---|---:|",
        f"| wall time, other work beside it | {report['wall_s'] / 60:.1f} min |",
        f"| processor time, starting and cross-checks included | {report['cpu_s'] / 60:.1f} min |",
        f"| of that for a draw | {_seconds(report['cpu_s'] / now)} |",
        f"| largest process | {report['largest_process_bytes'] / 1e6:.0f} MB |",
        f"| accuracy: smallest, 5 %, median, largest (network: {report['reference_accuracy']:.1%}) | "
        + ", ".join(f"{accuracy[name]:.1%}" for name in ("smallest", "5 %", "median", "largest"))
        + " |",
        f"| gap: median, 95 %, largest | {rmse['median']:.4f}, {rmse['95 %']:.4f}, {rmse['largest']:.4f} |",
        f"| draws with samples without a result | {report['failed_draws']} |",
        f"| worst accuracy | {worst['accuracy']:.1%}, draw {worst['trial']}, seed {worst['seed']} |",
        f"| that draw again in ngspice, {worst['ngspice_samples']} samples | differs by {worst['disagreement']:.1e} |",
        "",
        "All draws see the same images, so that the rows of the first crossbar are located on the devices' curves once "
        "for all of them. Results do not depend, to the last bit, on the number of processes or on how many samples "
        "are solved together.",
        "",
    ]


def _scaling(report: Mapping) -> list[str]:
    lines = [
        "## What the batched engine's time grows with",
        "",
        "![Seconds against sizes, samples, draws, wires and layers, both axes logarithmic](performance.svg)",
        "",
        "| with | from | to | seconds | slope |",
        "|---|---:|---:|---:|---:|",
    ]
    for series in report["series"].values():
        values, seconds = series["values"], series["seconds"]
        lines.append(
            f"| {series['of']} | {values[0]:g} | {values[-1]:g} | {seconds[0]:.2g} to {seconds[-1]:.2g} "
            f"| {series['slope']:.2f} |"
        )
    return [*lines, "", "The slope is that of log(seconds): 1 is proportional; setting up pulls it down."]


def _seconds(seconds: float) -> str:
    return f"{seconds:.3g} s" if seconds >= 1 else f"{1e3 * seconds:.3g} ms"


def _ratio(ratio: float) -> str:
    return f"{ratio:,.0f}x" if ratio >= 10 else f"{ratio:.2g}x"


def draw(report: Mapping) -> None:
    """The series, each over its own values divided by the first, so that slopes can be compared."""
    mpl.rcParams["svg.hashsalt"] = "kanspice"
    figure = Figure(figsize=(7.2, 4.6), layout="constrained")
    axes = figure.subplots()
    for name, series in report["series"].items():
        first, start_s = series["values"][0], series["seconds"][0]
        label = f"{name} ({series['slope']:.2f})"
        ratios = [value / first for value in series["values"]]
        axes.loglog(ratios, [seconds / start_s for seconds in series["seconds"]], marker="o", label=label)
    axes.set(xlabel="times the smallest value", ylabel="times its seconds")
    axes.grid(alpha=0.3)
    axes.legend(title="series (slope)", fontsize=8)
    figure.savefig(PLOT, metadata={"Date": None})


if __name__ == "__main__":
    main()
