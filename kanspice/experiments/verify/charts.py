"""The charts of a gap's page that a reader can point into: outputs, maps of crossbars, and where devices work."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from kanspice.base.arrays import Array, Indices
from kanspice.experiments.verify import crossbar_plots, law_plots
from kanspice.experiments.verify.crossbar_plots import UsedCurve
from kanspice.experiments.verify.result import GapResult
from kanspice.gap.crossbar_maps import CrossbarMap
from kanspice.gap.law_uses import LawUse
from kanspice.gap.operating import DeviceUse
from kanspice.gap.raster import Raster, bin_of, bins
from kanspice.report.charts import Axis, Chart, ChartLine, Grid, GridCells, Layer, Marks, Said, View
from kanspice.report.figures import padded
from kanspice.report.formatting import many

MOST_OUTPUTS = 3000
"""So many outputs are marks."""
_WORST = 500
"""Of these the ones with the largest errors; the rest are even over all."""


def parity(result: GapResult) -> Chart:
    """The circuit's outputs against the network's, with sample, output, both values, and what was decided."""
    samples, outputs = np.nonzero(np.isfinite(result.outputs))
    shown = _shown(np.abs(result.outputs - result.reference)[samples, outputs])
    network, circuit = result.reference[samples, outputs], result.outputs[samples, outputs]
    low, high = padded(min(network.min(), circuit.min()), max(network.max(), circuit.max()))
    ends = np.array([low, high])
    layers: list[Layer] = [ChartLine("circuit = network", ends, ends, "soft")]
    otherwise = _otherwise(result)[samples[shown]]
    for name, which, colour in (("outputs", ~otherwise, "blue"), ("of samples decided otherwise", otherwise, "orange")):
        picked = shown[which]
        if picked.size:
            said = _of_outputs(result, samples[picked], outputs[picked])
            layers.append(Marks(name, network[picked], circuit[picked], said, colour))  # type: ignore[arg-type]
    view = View(
        "Circuit against network",
        Axis("network's output (model units)", low, high),
        Axis("circuit's output (model units)", low, high),
        layers,
        square=True,
    )
    left = network.size - shown.size
    return Chart(
        [view], said=f"{shown.size:,} of {network.size:,} outputs, the largest errors among them." * bool(left)
    )


def points(result: GapResult) -> Chart:
    """Samples that are points of a plane, of network and circuit in the same one, with both outputs of both."""
    solved = np.flatnonzero(np.isfinite(result.outputs).all(axis=1))
    shown = solved[_shown(np.hypot(*(result.outputs - result.reference)[solved].T))]
    network, circuit = result.reference[shown], result.outputs[shown]
    said: dict[str, Sequence[float | str]] = {"sample": shown.tolist()}
    for whose, outputs in (("network", network), ("circuit", circuit)):
        said |= {f"{whose}, output {output}": outputs[:, output].tolist() for output in (0, 1)}
    said["apart"] = np.hypot(*(circuit - network).T).tolist()
    both = np.concatenate([network, circuit])
    middle, half = (both.max(axis=0) + both.min(axis=0)) / 2, np.ptp(both, axis=0).max() / 2
    across, up = (
        Axis(f"output {output} (model units)", *padded(middle[output] - half, middle[output] + half))
        for output in (0, 1)
    )
    layers = [
        Marks("network", network[:, 0], network[:, 1], said, "blue"),
        Marks("circuit", circuit[:, 0], circuit[:, 1], said, "orange"),
    ]
    left = f"{shown.size:,} of {solved.size:,} samples, the largest errors among them." * (shown.size < solved.size)
    return Chart([View("Samples", across, up, layers, square=True)], said=left)


def _shown(errors: Array) -> Indices:
    """Which of so many outputs (outputs,) are marks, in order."""
    if errors.size <= MOST_OUTPUTS:
        return np.arange(errors.size)
    worst = np.argsort(-errors, kind="stable")[:_WORST]
    even = np.linspace(0, errors.size - 1, MOST_OUTPUTS - _WORST).astype(int)
    return np.union1d(worst, even)


def _otherwise(result: GapResult) -> npt.NDArray[np.bool_]:
    """(samples,) whose largest output is another than the network's, of a network that decides."""
    if not _decides(result):
        return np.zeros(len(result.outputs), dtype=bool)
    return np.asarray(_largest(result.outputs) != _largest(result.reference))


def _decides(result: GapResult) -> bool:
    return result.confusion is not None or result.labels.size > 0


def _largest(outputs: Array) -> Indices:
    """(samples,) the number of the largest output; of samples without a result anything."""
    largest: Indices = np.nan_to_num(outputs, nan=-np.inf).argmax(axis=1)
    return largest


def _of_outputs(result: GapResult, samples: Indices, outputs: Indices) -> Said:
    network, circuit = result.reference[samples, outputs], result.outputs[samples, outputs]
    said: dict[str, Sequence[float | str]] = {
        "sample": samples.tolist(),
        "output": outputs.tolist(),
        "network": network.tolist(),
        "circuit": circuit.tolist(),
    }
    if result.labels.size:
        said["label"] = result.labels[samples].tolist()
    if _decides(result):
        said["network decides"] = _largest(result.reference)[samples].tolist()
        said["circuit decides"] = _largest(result.outputs)[samples].tolist()
    return said


def maps(found: CrossbarMap) -> Chart:
    """Errors, areas, and areas as they should be, each as a map with rows, pairs and all of it at every crosspoint."""
    given = {"error, model units": found.error, "area": found.area, "area wanted": found.wanted}
    rasters, area = {name: raster for name, raster in given.items() if raster is not None}, found.area
    title = f"{found.name}: {found.rows} rows, {many(found.pairs, 'pair')} of columns"
    across = Axis(_binned("pair", found.pairs, area.columns), -0.5, area.columns - 0.5, whole=True)
    down = Axis(_binned("row", found.rows, area.rows), -0.5, area.rows - 0.5, whole=True, down=True)
    views = []
    for name, raster in rasters.items():
        cells = GridCells(name, "orange" if raster is found.error else "blue")
        layers = [cells, *_marked(found, area, with_worst=raster is found.error)]
        views.append(View(name, across, down, layers))
    rows, pairs = _ranges(found.rows, area.rows), _ranges(found.pairs, area.columns)
    return Chart(views, title, grid=Grid("row", rows, "pair", pairs, rasters))


def _binned(what: str, all_of_them: int, shown: int) -> str:
    return what if shown == all_of_them else f"{what}s, {all_of_them:,} binned to {shown}"


def _ranges(size: int, most: int) -> list[float | str]:
    """The number of each row, or the first and the last of those that are binned."""
    starts = [*bins(size, most).tolist(), size]
    return [first if after == first + 1 else f"{first} to {after - 1}" for first, after in pairwise(starts)]


def _marked(found: CrossbarMap, raster: Raster, with_worst: bool) -> list[Layer]:
    """Stuck devices, and the crosspoints with the largest errors."""
    layers: list[Layer] = []
    if found.stuck:
        rows, pairs = np.array(found.stuck).T
        said = {"stuck at row": rows.tolist(), "pair": pairs.tolist()}
        places = _places(found, raster, rows.tolist(), pairs.tolist())
        layers.append(Marks("stuck", *places, said, "soft", "cross"))
    if with_worst and found.worst:
        worst_rows, worst_pairs = [each.row for each in found.worst], [each.pair for each in found.worst]
        said = {"row": worst_rows, "pair": worst_pairs, "error, model units": [each.error for each in found.worst]}
        layers.append(Marks("worst", *_places(found, raster, worst_rows, worst_pairs), said, "soft", "ring"))
    return layers


def _places(found: CrossbarMap, raster: Raster, rows: Sequence[int], pairs: Sequence[int]) -> tuple[Array, Array]:
    """Where crosspoints are in a map: across and down."""
    across = [bin_of(pair, found.pairs, raster.columns) for pair in pairs]
    return np.array(across, float), np.array([bin_of(row, found.rows, raster.rows) for row in rows], float)


def uses(found: Sequence[DeviceUse]) -> Chart:
    """Each type's curve with some of its devices on it, over how many of them are at which voltage."""
    return Chart(list(map(_use, found)))


def _use(use: DeviceUse) -> View:
    curve = crossbar_plots.curve_of(use)
    at = np.array([each.volts for each in use.examples])
    currents = np.interp(at, curve.places, curve.values)
    said: dict[str, Sequence[float | str]] = {
        "device": [use.name] * at.size,
        "crossbar": [each.stage for each in use.examples],
        "row": [each.row for each in use.examples],
        "pair": [each.pair for each in use.examples],
        "column": ["-" if each.negative else "+" for each in use.examples],
        "sample": [each.sample for each in use.examples],
        "voltage / V": at.tolist(),
        f"current: {curve.up}": currents.tolist(),
    }
    return _on_curve(curve, at, currents, said)


def law_uses(found: Sequence[LawUse]) -> Chart:
    """Each law with some of the parts that have it, over how many work where."""
    return Chart(list(map(_law_use, found)))


def _law_use(use: LawUse) -> View:
    curve, shown = law_plots.curve_of(use), use.examples
    said: dict[str, Sequence[float | str]] = {"stage": [each.stage for each in shown]}
    for what in shown[0].part if shown else ():
        said[what] = [each.part[what] for each in shown]
    said["sample"] = [each.sample for each in shown]
    if shown and shown[0].moment_s is not None:
        said["moment / s"] = [each.moment_s or 0.0 for each in shown]
    said[curve.across] = [each.at for each in shown]
    for what in shown[0].of if shown else ():
        said[what] = [each.of[what] for each in shown]
    return _on_curve(curve, np.array([each.at for each in shown]), np.array([each.gives for each in shown]), said)


def _on_curve(curve: UsedCurve, across: Array, up: Array, said: Said) -> View:
    """The curve, and what works where on it: some of it as marks at (across, up)."""
    shares, falling = 100 * np.array(curve.shares), curve.falling
    layers: list[Layer] = [
        ChartLine(curve.used, curve.edges, np.append(shares, shares[-1]), "soft", steps=True),
        ChartLine(curve.up, curve.places, curve.values, "blue"),
    ]
    if np.isfinite(falling).any():
        layers.append(ChartLine("falling", curve.places, falling, "orange"))
    if across.size:
        layers.append(Marks("some of them", across, up, said))
    largest, smallest = max(curve.values.max(), *up, 0.0), min(curve.values.min(), *up, 0.0)
    low, high = padded(smallest, largest)
    return View(curve.title, Axis(curve.across, curve.low, curve.high), Axis(curve.up, low, high), layers)
