"""Pictures of the sections on KANalogue, from their rows."""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks.papers import bases, nodes, robustness
from benchmarks.papers.circuits import lost_in_typical
from benchmarks.papers.crossbar_sections import curve
from benchmarks.papers.markdown import ROWS

_STYLES = {"binary": "-", "normal": "--", "uniform": ":"}


def draw_choices(rows: ROWS, path: Path) -> None:
    """Bars of the 15 combinations, network beside circuit."""
    figure, axes = _axes()
    places = range(len(bases.CHOICES))
    for side, name in ((-0.2, "network"), (0.2, "`typical` circuit")):
        heights = [_height(rows.get(f"MNIST; {' + '.join(chosen)}"), name) for chosen in bases.CHOICES]
        axes.bar([place + side for place in places], heights, width=0.4, label=name.replace("`", ""))
    known = [height for height in heights if height > 0]
    axes.set(ylabel="accuracy, %", ylim=(min(known, default=1) - 2, 100))
    axes.set_xticks(list(places), ["+".join(chosen) for chosen in bases.CHOICES], rotation=60, ha="right", fontsize=7)
    _kept(figure, axes, path)


def _height(row: dict | None, name: str) -> float:
    if row is None:
        return 0.0
    return 100 * (row["accuracy"] if name == "network" else row["typical"]["accuracy"]["circuit"])


def draw_efficiency(rows: ROWS, path: Path) -> None:
    """Accuracy against nodes, a panel for each data set that has rows; dashed: the circuit, whose images may be few:
    the network's accuracy on all of them, less what the circuit loses on its own."""
    known = {data: hidden for data, hidden in nodes.HIDDEN.items() if any(name.startswith(data) for name in rows)}
    figure = Figure(figsize=(7.2, 3.8), layout="constrained")
    panels = figure.subplots(1, len(known), squeeze=False)[0]
    for axes, (data, hidden) in zip(panels, known.items(), strict=True):
        for number, kind in enumerate(nodes.KINDS):
            found = [row for width in hidden if (row := rows.get(f"{data}; {kind}; {width} hidden")) is not None]
            at = [row["nodes"] for row in found]
            axes.semilogx(at, [100 * row["accuracy"] for row in found], f"C{number}o-", label=kind)
            circuits = [100 * (row["accuracy"] - lost_in_typical(row)) for row in found if "typical" in row]
            axes.semilogx(at[: len(circuits)], circuits, f"C{number}x--")
        axes.set(title=data, xlabel="crossbar nodes", ylabel="accuracy, %")
        axes.grid(alpha=0.3)
    axes.legend(fontsize=6, title="dashed: less what the typical circuit loses", title_fontsize=6)
    _write(figure, path)


def draw_worst(rows: ROWS, path: Path) -> None:
    """The worst chip, a colour for each size; the band reaches to the best."""
    figure, axes = _axes()
    for number, hidden in enumerate(robustness.HIDDEN):
        for error, style in _STYLES.items():
            blocks = robustness.blocks_of(rows, hidden, error)
            if not blocks:
                continue
            low, _, high = zip(*curve(blocks), strict=True)
            label = f"{hidden} hidden, {error}, {sum(block['trials'] for block in blocks):,} chips"
            axes.plot(robustness.LEVELS, [100 * each for each in low], f"C{number}{style}", marker=".", label=label)
            if error == "binary":
                bottom, top = ([100 * each for each in values] for values in (low, high))
                axes.fill_between(robustness.LEVELS, bottom, top, color=f"C{number}", alpha=0.12)
    axes.set(xlabel="relative error of areas, standard deviation", ylabel="accuracy of the worst chip, %")
    if axes.lines:
        axes.fill_between([], [], color="grey", alpha=0.25, label="from the worst chip to the best, binary")
        _kept(figure, axes, path)


def _axes() -> tuple[Figure, Axes]:
    figure = Figure(figsize=(7.2, 4.2), layout="constrained")
    return figure, figure.subplots()


def _kept(figure: Figure, axes: Axes, path: Path) -> None:
    axes.grid(alpha=0.3)
    axes.legend(fontsize=7)
    _write(figure, path)


def _write(figure: Figure, path: Path) -> None:
    mpl.rcParams["svg.hashsalt"] = "kanspice"
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, metadata={"Date": None})
