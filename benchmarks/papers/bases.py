"""Figs. 5 and 6 of the first KANalogue paper, Fig. 4 of the second: accuracy by choice of devices, and of biases."""

from __future__ import annotations

from functools import partial
from itertools import combinations

from benchmarks.papers.circuits import circuit, first
from benchmarks.papers.classifiers import THREE, WIDTHS, Recipe, kanalogue, test_set, trained
from benchmarks.papers.data import mnist
from benchmarks.papers.rows import Row, Rows, Setting

DEVICES = ("a21", "z21", "z15", "zaz21")
CHOICES = tuple(chosen for count in range(1, 5) for chosen in combinations(DEVICES, count))
_ANALOGUE = {"norm": "batch", "input_stage": "PosHC"}


def rows(setting: Setting) -> Rows:
    """All 15 combinations of the four devices with 64 hidden values, and the three of Table 1 without biases."""
    for chosen in CHOICES:
        recipe = kanalogue(chosen, **_ANALOGUE)
        yield f"MNIST; {' + '.join(chosen)}", partial(_row, " ".join(chosen), recipe, WIDTHS["MNIST"], setting)
        hidden = 64 * 2 // len(chosen)  # as many parameters as two devices have, as the authors' `same-param`
        if len(chosen) != 2:
            yield (
                f"MNIST; {' + '.join(chosen)}; matched",
                partial(_row, " ".join(chosen), recipe, (196, hidden, 10), setting),
            )
    without = kanalogue(THREE, bias=False, **_ANALOGUE)
    yield f"MNIST; {' + '.join(THREE)}; no biases", partial(_row, "no biases", without, WIDTHS["MNIST"], setting)


def _row(name: str, recipe: Recipe, widths: tuple[int, ...], setting: Setting) -> Row:
    """The network, and one specimen of either technology on the whole test set."""
    images = mnist()
    network = trained(f"devices {name}", recipe, widths, images, setting)
    samples = first(*test_set(recipe, images), setting.part(2000))
    return network.facts | {
        "widths": widths,
        "ideal": circuit(network.path, *samples, tech="ideal"),
        "typical": circuit(network.path, *samples, tech="typical"),
    }
