"""Which devices, and how many: what every subset of the cards would do."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt

from kanspice.base.arrays import Array
from kanspice.engine.progress import Advance, Progress
from kanspice.experiments.project.network import Placement
from kanspice.experiments.project.result import Subset
from kanspice.gap.metrics import accuracy, compare

MOST_SAMPLES = 1000
"""On so many samples each subset is tried."""
Labels = npt.NDArray[np.int64]


@dataclass(frozen=True)
class SubsetSamples:
    """What subsets are tried on: samples, the learnt network's outputs, and classes if they are known."""

    inputs: Array
    outputs: Array
    labels: Labels | None

    def limited(self) -> SubsetSamples:
        """The first samples, if there are many."""
        labels = None if self.labels is None else self.labels[:MOST_SAMPLES]
        return SubsetSamples(self.inputs[:MOST_SAMPLES], self.outputs[:MOST_SAMPLES], labels)


def tried_subsets(
    placement: Placement,
    areas_with: Callable[[Sequence[int]], list[Array]],
    samples: SubsetSamples,
    progress: Progress | None,
) -> tuple[Subset, ...]:
    """Every subset of the cards, the best of each size first. areas_with: each layer's areas with those devices."""
    samples, found = samples.limited(), list[Subset]()
    for size in range(1, len(placement.devices) + 1):
        of_size = []
        for chosen in combinations(range(len(placement.devices)), size):
            of_size.append(_tried(placement, chosen, areas_with(chosen), samples))
            if progress is not None:
                progress(Advance(1))
        found += [subset for _, subset in sorted(of_size, key=lambda pair: pair[0])]
    return tuple(found)


def _tried(
    placement: Placement, chosen: Sequence[int], areas: list[Array], samples: SubsetSamples
) -> tuple[float, Subset]:
    """With its root mean squared error."""
    made = placement.outputs(samples.inputs, areas)
    gap = compare(made, samples.outputs)
    subset = Subset(
        devices=tuple(placement.devices[index].name for index in chosen),
        relative_rmse=gap.relative_rmse,
        argmax_agreement=gap.argmax_agreement,
        accuracy=None if samples.labels is None else accuracy(made, samples.labels),
        largest_area=max(float(np.abs(each[:, :-1]).max()) for each in areas),
    )
    return gap.rmse, subset
