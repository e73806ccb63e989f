"""Fig. 5a of the second KANalogue paper: accuracy by the number of crossbar nodes, for three kinds of networks."""

from __future__ import annotations

from functools import partial

from benchmarks.papers.circuits import circuit, first
from benchmarks.papers.classifiers import RECIPES, test_set, trained
from benchmarks.papers.data import IMAGES
from benchmarks.papers.rows import Row, Rows, Setting

HIDDEN = {"MNIST": (8, 16, 32, 64, 128, 256), "FashionMNIST": (16, 64, 256)}
KINDS = (
    "MLP, resonant tunnelling diode",
    "KAN, B-splines",
    "KANalogue, 2 devices, BatchNorm and clip",
    "KANalogue, 3 devices, BatchNorm and clip",
)
_IMAGES = {"MNIST": 2000, "FashionMNIST": 500}


def rows(setting: Setting) -> Rows:
    """Networks of one hidden layer, of several widths."""
    for data, hidden in HIDDEN.items():
        for kind in KINDS:
            for width in hidden:
                yield f"{data}; {kind}; {width} hidden", partial(_row, data, kind, width, setting)


def _row(data: str, kind: str, hidden: int, setting: Setting) -> Row:
    """nodes: crosspoints with a device, of which a KAN of splines has one for each function of each edge."""
    images, recipe = IMAGES[data](), RECIPES[kind]
    widths = (images.inputs.shape[1], hidden, 10)
    network = trained(kind, recipe, widths, images, setting)
    facts = network.facts | {"widths": widths}
    if kind.startswith("KAN, "):
        return facts | {"nodes": facts["parameters"]}
    samples = first(*test_set(recipe, images), setting.part(_IMAGES[data]))
    ideal, typical = (circuit(network.path, *samples, tech=tech) for tech in ("ideal", "typical"))
    return facts | {"nodes": ideal["devices"], "ideal": ideal, "typical": typical}
