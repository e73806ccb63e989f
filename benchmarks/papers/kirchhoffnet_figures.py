"""Pictures of the KirchhoffNet studies, from their rows and the points that they kept."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image

from benchmarks.papers.generation import grid, points_file
from benchmarks.papers.inference_time import ALLOWED, AMPERE, NETWORKS
from benchmarks.papers.plane import POTENTIALS, TASKS, WINDOW
from benchmarks.papers.regression import COURSE
from benchmarks.papers.rows import Row, Setting, known
from kanspice.base.arrays import Array
from kanspice.report.figures import BLUE, GREY, PALETTE, VERMILLION

FOLLOWED = ("moons", "2spirals")
"""Tasks whose periods are shown, as in Fig. 8."""
_POINTS = 2000
_DPI = 140
_COLOURS_KEPT = 48
_SHOWN = 99.5
"""Percent of the data's coordinates that a picture has room for, and a tenth more."""
_COLOURS = {"network": BLUE, "typical": VERMILLION, "data": GREY}


def draw(setting: Setting, docs: Path) -> None:
    """Every picture whose rows or points are there."""
    tasks = {task: _points(f"{task}; ours", setting) for task in (*TASKS, *POTENTIALS)}
    generated = {task: points for task, points in tasks.items() if points and task in TASKS}
    followed = {task: generated[task] for task in FOLLOWED if task in generated}
    potentials = {task: points for task, points in tasks.items() if points and task in POTENTIALS}
    with mpl.rc_context({"svg.hashsalt": "kanspice", "font.size": 9.0, "figure.constrained_layout.use": True}):
        for name, part, picture in (
            ("generation.png", generated, generation),
            ("periods.png", followed, periods),
            ("potentials.png", potentials, densities),
            ("inference_time.svg", known(setting.results / "inference_time.json"), inference_time),
            ("training.svg", known(setting.results / "regression.json"), training),
        ):
            if part:
                _save(picture(part), docs / name)


def generation(tasks: dict[str, dict[str, Array]]) -> Figure:
    """As Fig. 7: a column for each task; data, the network's points, the typical circuit's."""
    figure = Figure(figsize=(1.55 * len(tasks) + 0.3, 4.9))
    axes = figure.subplots(3, len(tasks), squeeze=False)
    for column, (task, points) in zip(axes.T, tasks.items(), strict=True):
        clouds = {"data": points["data"], "network": points["network"][-1], "typical": points["typical"][-1]}
        for place, (kind, cloud) in zip(column, clouds.items(), strict=True):
            _cloud(place, cloud, kind, points["data"])
        column[0].set_title(task)
    _name_rows(axes[:, 0], ("data", "network", "typical circuit"))
    return figure


def periods(tasks: dict[str, dict[str, Array]]) -> Figure:
    """As Fig. 8: what the normal distribution has become at every period's end; network above its circuit."""
    columns = 1 + max(len(points["network"]) for points in tasks.values())
    figure = Figure(figsize=(1.05 * columns + 0.4, 2.2 * len(tasks) + 0.2))
    axes = figure.subplots(2 * len(tasks), columns, squeeze=False)
    for pair, points in zip(axes.reshape(len(tasks), 2, columns), tasks.values(), strict=True):
        for row, kind in zip(pair, ("network", "typical"), strict=True):
            ends = [points["start"], *points[kind]]
            for place in row:
                place.set_axis_off()
            for period, (place, cloud) in enumerate(zip(row, ends, strict=False)):
                place.set_axis_on()
                _cloud(place, cloud, kind, cloud)
                if kind == "network":
                    place.set_title(f"{period}" if period else "start", fontsize=8)
    _name_rows(axes[:, 0], [f"{task}\n{kind}" for task in tasks for kind in ("network", "circuit")])
    return figure


def densities(tasks: dict[str, dict[str, Array]]) -> Figure:
    """As Fig. 10: log-densities of potential and network on one scale, and the typical circuit's points."""
    figure = Figure(figsize=(7.6, 2.6 * len(tasks)))
    axes = figure.subplots(len(tasks), 3, squeeze=False)
    window = (-WINDOW, WINDOW, -WINDOW, WINDOW)
    for row, (task, points) in zip(axes, tasks.items(), strict=True):
        truth = POTENTIALS[task].log_density(grid())
        top = float(truth.max())
        for place, values in zip(row, (truth, points["log_density"]), strict=False):
            side = int(len(values) ** 0.5)
            picture = place.imshow(
                values.reshape(side, side), origin="lower", extent=window, vmin=top - 8, vmax=top, cmap="viridis"
            )
        figure.colorbar(picture, ax=list(row[:2]), label="log-density, nats", shrink=0.8)
        _cloud(row[2], points["typical"][-1], "typical", points["data"])
        row[2].set(xlim=window[:2], ylim=window[2:])
        for place in row[:2]:
            _bare(place)
    for place, title in zip(axes[0], ("target", "network", "typical circuit"), strict=True):
        place.set_title(title)
    _name_rows(axes[:, 0], list(tasks))
    return figure


def inference_time(rows: dict[str, Row]) -> Figure:
    """The gap by the capacitance, each limit alone and all together; above, what time an inference takes."""
    shown = [network for network in NETWORKS if f"{network}; none" in rows]
    figure = Figure(figsize=(4.4 * len(shown), 3.9))
    for place, network in zip(figure.subplots(1, len(shown), squeeze=False, sharey=True)[0], shown, strict=True):
        curves = {
            name.removeprefix(f"{network}; "): row["points"]
            for name, row in rows.items()
            if name.startswith(f"{network}; ") and "points" in row and row["settings"] != list(AMPERE)
        }
        slowest = curves.pop("none")[-1]
        per_farad = slowest["latency_s"] / slowest["capacitance_f"]
        for (name, points), colour in zip(curves.items(), PALETTE * 2, strict=False):
            dashes = "--" if "uA" in name else "-"
            across, gaps = ([point[key] for point in points] for key in ("capacitance_f", "relative_rmse"))
            width = 2.2 if name.startswith("all") else 1.2
            shade = "black" if name.startswith("all") else colour
            place.loglog(across, gaps, dashes, color=shade, label=name, linewidth=width)
        for allowed in ALLOWED:
            place.axhline(allowed, color=GREY, linewidth=0.5, linestyle=":")
        above = place.secondary_xaxis("top", functions=(lambda c, k=per_farad: c * k, lambda t, k=per_farad: t / k))
        above.set_xlabel("inference at 1 uA, without clock (s)")
        place.set(xlabel="capacitance of a node (F)", ylim=(1e-5, 5), title=network)
    figure.axes[0].set_ylabel("gap, relative RMSE")
    figure.axes[0].legend(fontsize=7.5, frameon=False, loc="lower left")
    return figure


def training(rows: dict[str, Row]) -> Figure:
    """As Fig. 6: training losses by the epoch, of one seed."""
    courses = {name.split("; seed")[0]: row["course"] for name, row in rows.items() if "course" in row}
    data = list(dict.fromkeys(name.split("; ")[0] for name in courses))
    figure = Figure(figsize=(3.8 * len(data), 3.0))
    for place, which in zip(figure.subplots(1, len(data), squeeze=False)[0], data, strict=True):
        chosen = {name.split("; ")[1]: course for name, course in courses.items() if name.startswith(which)}
        for name, course in chosen.items():
            epochs = [1, *(COURSE * count for count in range(1, len(course)))]
            shade = BLUE if name.startswith("Kirchhoff") else VERMILLION
            line = {"s": ":", "m": "--", "l": "-"}[name[-1]]
            place.semilogy(epochs, course, line, color=shade, label=name, linewidth=1.2)
        place.set(xlabel="epoch", title=which)
    figure.axes[0].set_ylabel("training loss")
    figure.axes[0].legend(fontsize=7.5, frameon=False)
    return figure


def _save(figure: Figure, path: Path) -> None:
    """Always the same bytes of the same rows; pixels in a few colours, which makes a file a third as large."""
    if path.suffix == ".svg":
        figure.savefig(path, metadata={"Date": None})
    else:
        drawn = io.BytesIO()
        figure.savefig(drawn, dpi=_DPI)
        Image.open(drawn).convert("RGB").quantize(_COLOURS_KEPT, dither=Image.Dither.NONE).save(path, optimize=True)
    print(f"wrote {path}")


def _points(name: str, setting: Setting) -> dict[str, Array]:
    path = points_file(name, setting)
    return dict(np.load(path)) if path.exists() else {}


def _cloud(place: Axes, points: Array, kind: str, shown: Array) -> None:
    """Points, and room for almost all of `shown`."""
    place.scatter(*points[:_POINTS].T, s=1.2, linewidths=0, color=_COLOURS[kind], rasterized=True)
    reach = 1.1 * np.nanpercentile(np.abs(shown - np.nanmedian(shown, axis=0)).max(axis=1), _SHOWN)
    middle = np.nanmedian(shown, axis=0)
    place.set(xlim=middle[0] + np.array([-reach, reach]), ylim=middle[1] + np.array([-reach, reach]))
    _bare(place)


def _bare(place: Axes) -> None:
    place.set(xticks=[], yticks=[], aspect="equal")


def _name_rows(places: Sequence[Axes], names: Sequence[str]) -> None:
    for place, name in zip(places, names, strict=True):
        place.set_ylabel(name, fontsize=9)
