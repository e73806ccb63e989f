"""The page's sections on KANalogue: Table 1, devices, nodes, robustness."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from benchmarks.papers import bases, nodes, robustness, table1
from benchmarks.papers.circuits import matters
from benchmarks.papers.classifiers import EPOCHS, RECIPES, WIDTHS
from benchmarks.papers.explanations import explained
from benchmarks.papers.markdown import NOTHING, ROWS, command, many, percent, small, table

_CIFAR = (
    ("MLP, resonant tunnelling diode", 3411722, 51.90),
    ("MLP, tunnel diode", 3411722, 34.13),
    ("MLP, MOSFET", 3411722, 26.64),
    ("KAN, B-splines", 20462592, 57.10),
    ("KAN, Gottlieb polynomials", 13644291, 45.71),
    ("KANalogue, 2 devices", 10233856, 50.27),
    ("KANalogue, 3 devices", 13644288, 48.55),
)
"""Networks of the first paper's Table 1, their parameters and accuracies."""


def accuracy(rows: ROWS) -> list[str]:
    """Table 1."""
    header = ["data", "network", "parameters (paper)", "paper", "network here", "ideal circuit", "`typical`"]
    header += ["worst chip", "images", "gap of `typical`", "ngspice differs by", "VACASK differs by"]
    lines = [
        "## KANalogue, Table 1: accuracy",
        "",
        "Accuracies in percent. Hidden layers are the paper's: 196-64-10 for MNIST at 14 x 14 pixels, 784-256-10 for "
        "FashionMNIST. The ideal circuit is measured on the whole test set, `typical` on drawn chips and on as many "
        "images as the table says; its column is the mean over the chips. The gap is the relative RMSE of all outputs. "
        "In brackets: the network whose circuit it is, on the same images. A KAN of learnt functions has no circuit of "
        "its own. Its circuit is that of its projection on three devices, a resistor and a constant (`kanspice "
        "project`); brackets and gap are against that projection. LayerNorm, which the KANs of Gottlieb polynomials "
        "have too, is an exact formula in these circuits; kanspice knows no circuit for it. The devices are z15 and "
        "zaz21, and z21 where there are three; the paper has one figure for each number of devices, which stands here "
        "twice: its networks have LayerNorm, the second paper's BatchNorm behind a clip. ngspice looked at "
        f"{table1.JUDGED} images of the ideal circuit, VACASK, where there is a figure, at as many of a `typical` one.",
        "",
        "Training: Adam at 1e-3 on the cross-entropy, on FashionMNIST at 2e-4 too and the better of both by the images "
        "held out; batches of 64, for KANalogue 256 as in its authors' benchmark; a "
        "tenth of the images held out, and the weights kept that did best on them, until they have not improved for 10 "
        f"epochs (KANalogue 15), at most {EPOCHS['MNIST']} on MNIST, {EPOCHS['FashionMNIST']} on FashionMNIST. Inputs "
        "are grey levels from 0 to 1, for MLPs from 0 to 2.5. The paper rescales those of KANs to 2.5 too, which is "
        "not done here: the devices are known to 1.4 V. B-splines are cubic, on three pieces, with 7 numbers an edge; "
        "the paper's count on FashionMNIST is that of splines of order two, with 6.",
        "",
    ]
    for data in WIDTHS:
        origin = _origin(rows, data)
        lines += [f"{data}: {origin}.", ""] if origin else []
    body = [_accuracy_row(rows, data, name, place) for data in WIDTHS for place, name in enumerate(RECIPES)]
    for name, size, paper in _CIFAR:
        body.append(["CIFAR-10", name, f"({many(size)})", f"{paper:.2f}", "no data", *[NOTHING] * 7])
    lines += [*command("table1"), *table(header, body, text=2)]
    return [*lines, *explained(rows, "images"), *_lost_by_projection(rows)]


def _lost_by_projection(rows: ROWS) -> list[str]:
    """Where an ideal circuit is more than half a point from the network: devices cannot carry all functions."""
    lines = []
    for whose in (name.removesuffix("; projected") for name in rows if name.endswith("; projected")):
        network, projected, ideal = (rows.get(f"{whose}; {part}") for part in ("network", "projected", "ideal"))
        lost = 0.0 if ideal is None else network["accuracy"] - ideal["accuracy"]["circuit"]
        if matters(lost):
            lines.append(
                f"- {whose}: {100 * lost:.2f} points lost by the projection on devices, whose outputs differ from the "
                f"network's by a relative RMSE of {small(projected['relative_rmse'])}."
            )
    said = "Where the ideal circuit is more than half a point from the network that was projected:"
    return [said, "", *lines, ""] if lines else []


def _origin(rows: ROWS, data: str) -> str:
    found = (row for name, row in rows.items() if name.startswith(f"{data}; ") and "origin" in row)
    return next((str(row["origin"]) for row in found), "")


def _accuracy_row(rows: ROWS, data: str, name: str, place: int) -> list[str]:
    network, ideal, typical, *judges = (
        rows.get(f"{data}; {name}; {part}") for part in ("network", "ideal", "typical", "judge", "judge of typical")
    )
    paper, sizes = f"{table1.PAPER[data][place]:.2f}", f"({many(table1.PARAMETERS[data][place])})"
    if network is None:
        return [data, name, sizes, paper, "not measured", *[NOTHING] * 7]
    cells = [data, name, f"{many(network['parameters'])} {sizes}", paper, percent(network["accuracy"], 2)]
    cells.append(NOTHING if ideal is None else percent(ideal["accuracy"]["circuit"], 2))
    if typical is None:
        cells += [NOTHING] * 3
    else:
        point = typical["points"][0]
        cells += [
            f"{percent(point['mean'], 2)} ({percent(typical['network_accuracy'], 2)})",
            percent(point["smallest"]),
        ]
        cells.append(f"{typical['trials']} x {many(typical['samples'])}")
    cells.append(NOTHING if typical is None else small(typical["points"][0].get("relative_rmse")))
    return [*cells, *(NOTHING if judge is None else small(judge["difference"]) for judge in judges)]


def choices(rows: ROWS) -> list[str]:
    """Fig. 5, and Fig. 4 of the second paper."""
    lines = [
        "## KANalogue: which devices (first paper, Fig. 5; second paper, Fig. 4)",
        "",
        "All 15 combinations of the four tunnel diodes on MNIST, BatchNorm behind a clip, with 64 hidden values and "
        "with as many parameters as two devices have then. Accuracies in percent of network and of one `typical` chip, "
        "on 2,000 images: their standard error is 0.5 points. Trained as above, where the first paper has 10 epochs in "
        "batches of 64.",
        "",
        "![Accuracy by the choice of devices](papers/bases.svg)",
        "",
        *command("bases"),
    ]
    header = ["devices", "64 hidden: network", "`typical`", "matched: hidden", "network", "`typical`"]
    body = []
    for chosen in bases.CHOICES:
        name = f"MNIST; {' + '.join(chosen)}"
        fixed = rows.get(name)
        matched = fixed if len(chosen) == 2 else rows.get(f"{name}; matched")
        body.append([" + ".join(chosen), *_both(fixed), *_hidden(matched), *_both(matched)])
    without = rows.get(f"MNIST; {' + '.join(bases.THREE)}; no biases")
    body.append([f"{' + '.join(bases.THREE)}, no biases", *_both(without), NOTHING, NOTHING, NOTHING])
    return [*lines, *table(header, body), *explained(rows, "images")]


def _both(row: dict | None) -> list[str]:
    if row is None:
        return [NOTHING, NOTHING]
    return [percent(row["accuracy"], 2), percent(row["typical"]["accuracy"]["circuit"], 2)]


def _hidden(row: dict | None) -> list[str]:
    return [NOTHING if row is None else str(row["widths"][1])]


def efficiency(rows: ROWS) -> list[str]:
    """Fig. 5a of the second paper."""
    lines = [
        "## KANalogue: accuracy by crossbar nodes (second paper, Fig. 5a)",
        "",
        "A node is a crosspoint with a device, which is our definition; the paper's text does not say what it counts. "
        "An MLP has one for each weight, in its crossbars of resistors, and one for each activation; a KAN of splines, "
        "which has no circuit, one for each number of its edges. "
        "Networks are measured on the whole test set, circuits on as many of its first images as the table says; in "
        "brackets: the network on these. In the picture, circuits have their networks' accuracy on the whole test set, "
        "less what they lose on these.",
        "",
        "![Accuracy against crossbar nodes](papers/nodes.svg)",
        "",
        *command("nodes"),
    ]
    header = ["data", "network", "hidden", "nodes", "network, %", "images", "ideal circuit, %", "`typical`, %"]
    body = []
    for data, hidden in nodes.HIDDEN.items():
        for kind in nodes.KINDS:
            for width in hidden:
                row = rows.get(f"{data}; {kind}; {width} hidden")
                if row is not None:
                    circuits = [_of_circuit(row, tech) for tech in ("ideal", "typical")]
                    seen = many(row["typical"]["samples"]) if "typical" in row else NOTHING
                    cells = [str(width), many(row["nodes"]), percent(row["accuracy"], 2), seen]
                    body.append([data, kind, *cells, *circuits])
    return [*lines, *table(header, body, text=2), *explained(rows, "images")]


def _of_circuit(row: dict, tech: str) -> str:
    if tech not in row:
        return NOTHING
    circuit, network = (percent(row[tech]["accuracy"][side], 2) for side in ("circuit", "reference"))
    return f"{circuit} ({network})"


def worst_chips(rows: ROWS) -> list[str]:
    """Fig. 8, and Fig. 5b of the second paper."""
    lines = [
        "## KANalogue: the worst of many chips (first paper, Fig. 8; second paper, Fig. 5b)",
        "",
        "Every device's area has a relative error with the standard deviation at the head of the column: as large, of "
        "either sign (binary, the authors' default), normal, or uniform. Amplifiers have a gain of 1,000. Percent of "
        "100 images of MNIST, so that one image is one point, that the worst of so many chips classifies right, and in "
        "brackets the mean chip; at 0, the circuit without errors. An image that a chip has no answer for counts as "
        f"wrong{_unanswered(rows)}. ngspice solved two images in each curve's worst chip at {robustness.JUDGED_AT}.",
        "",
        "![Accuracy of the worst chip against the error of areas](papers/robustness.svg)",
        "",
        *command("robustness"),
    ]
    header = ["hidden", "errors", "chips", "0", *(f"{level:g}" for level in robustness.LEVELS), "ngspice differs by"]
    body = list(_worst_rows(rows))
    return [*lines, *table(header, body, text=2)]


def _worst_rows(rows: ROWS) -> Iterator[Sequence[str]]:
    for hidden in robustness.HIDDEN:
        for error in robustness.ERRORS:
            blocks = robustness.blocks_of(rows, hidden, error)
            if blocks:
                without, judge = (rows.get(f"{hidden} hidden; {name}") for name in ("none", f"{error}; judge"))
                cells = [NOTHING if without is None else percent(without["accuracy"]["circuit"], 0)]
                cells += [f"{percent(low, 0)} ({percent(mean)})" for low, mean, _ in curve(blocks)]
                is_of_worst = judge is not None and judge["seed"] == robustness.worst(blocks)["worst_seed"]
                differs = small(judge["difference"]) if judge is not None and is_of_worst else NOTHING
                yield [str(hidden), error, many(sum(block["trials"] for block in blocks)), *cells, differs]


def _unanswered(rows: ROWS) -> str:
    """How many chips had such images."""
    blocks = [row for name, row in rows.items() if "; block" in name]
    chips = sum(block["trials"] * len(block["points"]) for block in blocks)
    failed = sum(point["draws_with_failed_samples"] for block in blocks for point in block["points"])
    return f": {many(failed)} of {many(chips)} chips had one" if failed else ""


def curve(blocks: Sequence[dict]) -> list[tuple[float, float, float]]:
    """Smallest, mean and largest accuracy of all blocks' chips at every level."""
    found, chips = [], sum(block["trials"] for block in blocks)
    for place in range(len(robustness.LEVELS)):
        points = [block["points"][place] for block in blocks]
        mean = sum(block["trials"] * point["mean"] for block, point in zip(blocks, points, strict=True)) / chips
        found.append((min(p["smallest"] for p in points), mean, max(p["largest"] for p in points)))
    return found
