"""A network whose outputs are samples of a distribution: the judge of what its circuits make."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from kanspice.base.arrays import Array
from kanspice.gap import (
    Distribution,
    distribution,
    log_densities,
)

if TYPE_CHECKING:
    from kanspice.families import LoadedModel
    from kanspice.families.kirchhoffnet.network import KirchhoffNet

_MOST_CURRENTS = 2**17
"""Samples times branches of a period of which log-densities are found: with them each step takes ten times as long."""


_FEWEST_DENSITIES = 2


class Generator:
    """A network whose outputs are samples of a distribution: the judge of what its circuits make.

    What it finds of the network's own samples is kept while they stay the same.
    """

    def __init__(self, model: KirchhoffNet) -> None:
        from kanspice.families.kirchhoffnet import density  # noqa: PLC0415 - other networks' draws do without torch

        self._most = max(_FEWEST_DENSITIES, _MOST_CURRENTS // max(edges.edges for edges in model.topologies))
        self._forwards = _Kept(partial(density.log_densities, model))
        self._backwards = _Kept(partial(density.log_densities_at, model))

    @classmethod
    def of(cls, loaded: LoadedModel) -> Generator | None:
        """None for other networks."""
        from kanspice.families.kirchhoffnet.network import KirchhoffNet  # noqa: PLC0415

        model = loaded.model
        return cls(model) if isinstance(model, KirchhoffNet) and model.generation is not None else None

    def judged(self, inputs: Array, expected: Array, outputs: Array, seed: int) -> Distribution | None:
        """Of what the network, and a circuit, make of inputs (samples, nodes); None with fewer than two samples."""
        found = distribution(expected, outputs, seed)
        if found is None:
            return None
        both = self._forwards, self._backwards
        return replace(found, log_density=log_densities(inputs, expected, outputs, *both, most=self._most, seed=seed))


class _Kept:
    """A function of arrays that knows its last two answers: of the network's own samples, and of a circuit's."""

    def __init__(self, function: Callable[[Array], Array]) -> None:
        self._function = function
        self._answers: dict[bytes, Array] = {}

    def __call__(self, rows: Array) -> Array:
        key = rows.tobytes()
        found = self._answers.pop(key) if key in self._answers else self._function(rows)
        self._answers = dict([*self._answers.items(), (key, found)][-2:])
        return found


def generates(loaded: LoadedModel) -> bool:
    """Whether the network's outputs are samples of a distribution."""
    return Generator.of(loaded) is not None
