"""Figs. 5 and 6 of the first KANalogue paper, Fig. 4 of the second: accuracy by choice of devices, and of biases."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import combinations

from benchmarks.papers.circuits import circuit, explained, first, lost_in_typical
from benchmarks.papers.classifiers import THREE, WIDTHS, Recipe, Trained, kanalogue, test_set, trained
from benchmarks.papers.data import mnist
from benchmarks.papers.rows import Row, Rows, Setting, measured_row

DEVICES = ("a21", "z21", "z15", "zaz21")
CHOICES = tuple(chosen for count in range(1, 5) for chosen in combinations(DEVICES, count))
_ANALOGUE = {"norm": "batch", "input_stage": "PosHC"}


def rows(setting: Setting) -> Rows:
    """All 15 combinations of the four devices with 64 hidden values, and the three of Table 1 without biases; then why
    circuits are not as accurate, where they are not."""
    for name, case in _cases():
        yield name, partial(_row, *case, setting)
    for name, case in () if setting.quick else _cases():  # one image of few is half a point
        yield f"{name}; causes", partial(_causes, name, *case, setting)


def _cases() -> Iterator[tuple[str, tuple[str, Recipe, tuple[int, ...]]]]:
    """What rows are called, and their networks: by what name they are kept, how they are trained, how wide they are."""
    for chosen in CHOICES:
        recipe, name = kanalogue(chosen, **_ANALOGUE), f"MNIST; {' + '.join(chosen)}"
        kept_as = f"devices {' '.join(chosen)}"
        yield name, (kept_as, recipe, WIDTHS["MNIST"])
        hidden = 64 * 2 // len(chosen)  # as many parameters as two devices have, as the authors' `same-param`
        if len(chosen) != 2:
            yield f"{name}; matched", (kept_as, recipe, (196, hidden, 10))
    without = kanalogue(THREE, bias=False, **_ANALOGUE)
    yield f"MNIST; {' + '.join(THREE)}; no biases", ("devices no biases", without, WIDTHS["MNIST"])


def _row(kept_as: str, recipe: Recipe, widths: tuple[int, ...], setting: Setting) -> Row:
    """The network, and one specimen of either technology on the whole test set."""
    network = _network(kept_as, recipe, widths, setting)
    samples = first(*test_set(recipe, mnist()), setting.part(2000))
    return network.facts | {
        "widths": widths,
        "ideal": circuit(network.path, *samples, tech="ideal"),
        "typical": circuit(network.path, *samples, tech="typical"),
    }


def _causes(name: str, kept_as: str, recipe: Recipe, widths: tuple[int, ...], setting: Setting) -> Row:
    lost = lost_in_typical(measured_row("bases", name, setting))
    return explained(lost, _network(kept_as, recipe, widths, setting).path, *test_set(recipe, mnist()), setting)


def _network(kept_as: str, recipe: Recipe, widths: tuple[int, ...], setting: Setting) -> Trained:
    return trained(kept_as, recipe, widths, mnist(), setting)
