"""Fig. 5a of the second KANalogue paper: accuracy by the number of crossbar nodes, for three kinds of networks."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from benchmarks.papers.circuits import circuit, explained, first, lost_in_typical
from benchmarks.papers.classifiers import RECIPES, Trained, test_set, trained
from benchmarks.papers.data import IMAGES
from benchmarks.papers.rows import Row, Rows, Setting, measured_row

HIDDEN = {"MNIST": (8, 16, 32, 64, 128, 256), "FashionMNIST": (16, 64, 256)}
KINDS = (
    "MLP, resonant tunnelling diode",
    "KAN, B-splines",
    "KANalogue, 2 devices, BatchNorm and clip",
    "KANalogue, 3 devices, BatchNorm and clip",
)
_IMAGES = {"MNIST": 2000, "FashionMNIST": 500}


def rows(setting: Setting) -> Rows:
    """Networks of one hidden layer, of several widths; then why circuits are not as accurate, where they are not."""
    for name, case in _cases():
        yield name, partial(_row, *case, setting)
    for name, case in () if setting.quick else _cases():  # one image of few is half a point
        if "; KAN, " not in name:
            yield f"{name}; causes", partial(_causes, name, *case, setting)


def _cases() -> Iterator[tuple[str, tuple[str, str, int]]]:
    """What rows are called, and their data, kind and hidden values."""
    for data, hidden in HIDDEN.items():
        for kind in KINDS:
            for width in hidden:
                yield f"{data}; {kind}; {width} hidden", (data, kind, width)


def _row(data: str, kind: str, hidden: int, setting: Setting) -> Row:
    """nodes: crosspoints with a device, of which a KAN of splines has one for each function of each edge."""
    network, widths = _network(data, kind, hidden, setting)
    facts = network.facts | {"widths": widths}
    if kind.startswith("KAN, "):
        return facts | {"nodes": facts["parameters"]}
    samples = first(*test_set(RECIPES[kind], IMAGES[data]()), setting.part(_IMAGES[data]))
    ideal, typical = (circuit(network.path, *samples, tech=tech) for tech in ("ideal", "typical"))
    return facts | {"nodes": ideal["devices"], "ideal": ideal, "typical": typical}


def _causes(name: str, data: str, kind: str, hidden: int, setting: Setting) -> Row:
    lost = lost_in_typical(measured_row("nodes", name, setting))
    network, _ = _network(data, kind, hidden, setting)
    return explained(lost, network.path, *test_set(RECIPES[kind], IMAGES[data]()), setting)


def _network(data: str, kind: str, hidden: int, setting: Setting) -> tuple[Trained, tuple[int, ...]]:
    images = IMAGES[data]()
    widths = (images.inputs.shape[1], hidden, 10)
    return trained(kind, RECIPES[kind], widths, images, setting), widths
