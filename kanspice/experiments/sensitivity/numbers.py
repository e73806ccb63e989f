"""A circuit as a function of the standard normal numbers behind its specimen, with gradients by all of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from kanspice.base.arrays import Array
from kanspice.base.draws import Draw, GivenDraw
from kanspice.base.errors import InputError
from kanspice.circuit import Design
from kanspice.circuit.specimens import RandomArray, draw_specimen, random_arrays
from kanspice.engine.engines import engine_named
from kanspice.engine.fidelity import FidelityChoice, resolve_fidelity
from kanspice.engine.options import RunOptions
from kanspice.engine.running import solve
from kanspice.engine.solution import Solution
from kanspice.experiments.followed import Followed
from kanspice.families import compile_nominal
from kanspice.gap import Measurements, compare, decoded_outputs, metric_values
from kanspice.nn import Circuit
from kanspice.nn.keys import squared_error_by_keys
from kanspice.nn.numbers import gradients_by_numbers
from kanspice.technology import Technology

ENGINE = "batched"
Numbers = Mapping[str, Array]
"""Standard normal numbers, by the names of their arrays."""


@dataclass(frozen=True)
class MeasuredSpecimen:
    """One specimen. metrics: as `verify` has them; failed: how many samples have no result.

    errors: (samples, outputs) the circuit's outputs less the network's, model units, NaN where there is none.
    """

    metrics: Mapping[str, float | None]
    failed: int
    errors: Array

    @property
    def gap(self) -> float:
        """The relative RMSE; NaN where there is none."""
        found = self.metrics.get("relative_rmse")
        return float("nan") if found is None else found


@dataclass(frozen=True)
class ByNumbers:
    """The circuit, all random numbers of whose specimens are 0 unless they are given.

    What is uniform (devices that are stuck) and what differs from sample to sample (noise) is that of the seed. Samples
    are those that the network has an answer for. Raises InputError where there is no standard normal number.
    """

    reference: Followed
    technology: Technology
    seed: int

    @cached_property
    def nominal(self) -> Design:
        return compile_nominal(self.reference.loaded, self.technology, self.reference.sizing)

    @cached_property
    def every_array(self) -> tuple[RandomArray, ...]:
        return random_arrays(self.nominal, self.technology)

    @cached_property
    def arrays(self) -> tuple[RandomArray, ...]:
        """Those of standard normal numbers."""
        found = tuple(array for array in self.every_array if array.kind == "normal")
        if not found:
            fixed = ", ".join(array.key for array in self.every_array)
            raise InputError(
                "nothing that a gradient reaches is random in this technology",
                where="the technology",
                expected="a standard deviation above 0, as devices.area_sigma or tia.offset_sigma_v",
                found=fixed or "all specimens are the same",
                hint="--tech typical, or --set devices.area_sigma=0.05",
            )
        return found

    @cached_property
    def zeros(self) -> dict[str, Array]:
        return {array.name: np.zeros(array.shape) for array in self.arrays}

    @property
    def scale(self) -> float:
        """What relative figures are divided by."""
        return self.reference.scale(self.nominal)

    @cached_property
    def expected(self) -> Array:
        """(samples, outputs) of the network, model units."""
        return self.reference.expected(self.nominal)[self.reference.answered]

    def draw(self, numbers: Numbers | None = None) -> GivenDraw:
        """What the specimen of these numbers is drawn with."""
        return GivenDraw(self.seed, {**self.zeros, **(numbers or {})})

    def solved(self, draw: Draw) -> tuple[Design, Solution]:
        """A specimen, and what the batched engine finds for all samples."""
        design = draw_specimen(self.nominal, self.technology, draw)
        fidelity = resolve_fidelity(design, "auto", engine_named(ENGINE).fidelities)
        options = RunOptions(check_samples=0, seed=draw.seed, row_currents=False)
        reference = self.reference
        solution = solve(
            ENGINE, design, reference.inputs, fidelity, options, numbers=reference.answered, known=self._known
        )
        return design, solution

    def measured(self, draw: Draw) -> MeasuredSpecimen:
        """A specimen against the network."""
        design, solution = self.solved(draw)
        outputs, evidence, chosen = decoded_outputs(design, solution), self.reference.evidence, self.reference.answered
        found = Measurements(
            outputs=outputs,
            reference=self.expected,
            solved=solution.solved,
            gap=compare(outputs, self.expected, solution.solved, self.scale),
            numerical=None,
            unstable_fraction=solution.unstable_fraction,
            labels=None if evidence.labels is None else evidence.labels[chosen],
            targets=None if evidence.targets is None else evidence.targets[chosen],
        )
        return MeasuredSpecimen(metric_values(found), len(solution.failed), outputs - self.expected)

    def gradient(self, numbers: Numbers, weights: Array) -> dict[str, Array]:
        """Of the weighed sum of outputs, by every number; weights: (samples, outputs), or several of them, last.

        The last axis is then the first of every gradient.
        """
        several = weights[..., None] if weights.ndim == 2 else weights
        reference = self.reference
        draw = GivenDraw(self.seed, dict(numbers))
        found = gradients_by_numbers(self._circuit, draw, reference.inputs, several, reference.answered)
        self._folds.append(int(self._circuit.folds.without.sum()))
        return {name: parts[0] for name, parts in found.items()} if weights.ndim == 2 else found

    def squared_error(self, draw: Draw, keys: Mapping[str, float]) -> tuple[float, dict[str, float]]:
        """The mean of a specimen's, and its derivatives by keys of the technology, `section.key`."""
        reference = self.reference
        return squared_error_by_keys(self._circuit, draw, reference.inputs, self.expected, keys, reference.answered)

    @property
    def folds(self) -> int:
        """The most samples that had no gradient in a pass so far."""
        return max(self._folds, default=0)

    @cached_property
    def _folds(self) -> list[int]:
        return []

    @cached_property
    def _circuit(self) -> Circuit:
        evidence = self.reference.evidence
        own = resolve_fidelity(self.nominal, "auto", engine_named(ENGINE).fidelities)
        fidelity: FidelityChoice = "device" if own == "shared" else "auto"  # the same circuit, until columns move
        circuit = Circuit(self.reference.loaded, self.technology, evidence.sizing_inputs, fidelity=fidelity)
        return circuit.requires_grad_(False)

    @cached_property
    def _known(self) -> object:
        return engine_named(ENGINE).share()
