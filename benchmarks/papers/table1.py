"""The first KANalogue paper's Table 1: what networks of the same widths reach, and what their circuits do."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import kanspice
from benchmarks.papers.circuits import circuit, explained, first, second_opinion, specimens
from benchmarks.papers.classifiers import RECIPES, THREE, WIDTHS, Recipe, Trained, test_set, trained
from benchmarks.papers.data import IMAGES, Images
from benchmarks.papers.rows import Row, Rows, Setting, measured_row

PAPER = {
    "MNIST": (97.58, 97.04, 97.00, 97.78, 97.47, 97.71, 97.04, 97.71, 97.04),
    "FashionMNIST": (94.28, 94.84, 91.38, 96.32, 93.44, 89.08, 88.89, 89.08, 88.89),
}
"""Accuracies of Table 1, percent, in the order of the recipes; the paper does not say which of its networks of devices
have LayerNorm, and its authors' run_benchmark.py has it in all."""
PARAMETERS = {
    "MNIST": (13258, 13258, 13258, 92288, 52866, 26570, 39754, 26570, 39754),
    "FashionMNIST": (203530, 203530, 203530, 1219584, 813570, 407306, 610570, 407306, 610570),
}
"""Of Table 1's networks, likewise."""
JUDGED = 5
_IMAGES = {"MNIST": 2000, "FashionMNIST": 1000}
"""Test images that `typical` is measured on: wires make a sample of the large crossbars take 0.15 s."""
_TRIALS = {"MNIST": 5, "FashionMNIST": 2}


def rows(setting: Setting) -> Rows:
    """Network, ideal circuit, specimens of `typical`, causes where they matter, and another simulator's word."""
    for data, images in IMAGES.items():
        for name, recipe in RECIPES.items():
            case = _Case(images, name, recipe, setting)
            yield f"{data}; {name}; network", case.network
            if name.startswith("KAN, "):
                yield f"{data}; {name}; projected", case.projected
            yield f"{data}; {name}; ideal", case.ideal
            yield f"{data}; {name}; typical", case.typical
            yield f"{data}; {name}; judge", case.judge
            if data == "MNIST" or not setting.quick:  # minutes of every large network
                yield f"{data}; {name}; causes", case.causes
                yield f"{data}; {name}; judge of typical", case.judge_of_typical


class _Case:
    """One network of the table; its circuit is that of its projection where it has none of its own."""

    def __init__(self, images: Callable[[], Images], name: str, recipe: Recipe, setting: Setting) -> None:
        self.images, self.name, self.recipe, self.setting = images, name, recipe, setting

    def network(self) -> Row:
        return self._trained().facts | {"origin": self.images().origin}

    def projected(self) -> Row:
        """The KAN's edges on three devices, a resistor and a constant, by least squares and a little training."""
        images = self.images()
        x, y = images.inputs * self.recipe.full_scale, images.labels
        x, y = first(x, y, self.setting.part(2000))
        found = kanspice.project(
            self._trained().path,
            x,
            THREE,
            output=self._projection(),
            labels=y,
            resistor=True,
            constant=True,
            fine_tune=20,
        )
        return {"samples": found.samples, "relative_rmse": found.gap.relative_rmse, "devices": found.devices}

    def ideal(self) -> Row:
        inputs, labels = self._test()
        return circuit(self._path(), *first(inputs, labels, self.setting.part(len(labels))), tech="ideal")

    def typical(self) -> Row:
        samples = first(*self._test(), self.setting.part(_IMAGES[self.images().name]))
        folder = self._path().with_suffix("")
        trials = self.setting.part(_TRIALS[self.images().name], at_least=2)
        return specimens(folder / "typical", self._path(), samples, "typical", trials)

    def causes(self) -> Row:
        """Of a circuit that is more than half a point from its network."""
        row = measured_row("table1", f"{self.images().name}; {self.name}; typical", self.setting)
        lost = row["network_accuracy"] - row["points"][0]["mean"]
        return explained(lost, self._path(), *self._test(), self.setting)

    def judge(self) -> Row:
        inputs, _ = first(*self._test(), JUDGED)
        return second_opinion(self._path(), inputs, "ideal", "ngspice")

    def judge_of_typical(self) -> Row:
        """A specimen with its wires, drivers and converters: minutes an image in ngspice."""
        inputs, _ = first(*self._test(), JUDGED)
        return second_opinion(self._path(), inputs, "typical", "vacask")

    def _trained(self) -> Trained:
        images = self.images()
        return trained(self.name, self.recipe, WIDTHS[images.name], images, self.setting)

    def _projection(self) -> Path:
        return self._trained().path.with_name(f"{self._trained().path.stem}_projected.pt")

    def _path(self) -> Path:
        return self._projection() if self.name.startswith("KAN, ") else self._trained().path

    def _test(self) -> tuple:
        return test_set(self.recipe, self.images())
