"""A network that was made of another one, beside it: what the learnt network says of the same samples."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kanspice.base.arrays import Array, Flags
from kanspice.experiments.followed import Followed, has_answer
from kanspice.families import LoadedModel
from kanspice.families.edgekan.original import MadeLayer, Original
from kanspice.families.kanalogue.network import KANalogue
from kanspice.gap import Gap, ProjectedLayer, ProjectionGap, Trial, compare, squared_errors
from kanspice.report.formatting import many


def original_of(loaded: LoadedModel) -> Original | None:
    """The learnt network that a network was made of, if it was and holds it."""
    return loaded.model.original if isinstance(loaded.model, KANalogue) else None


@dataclass(frozen=True)
class Projected:
    """The learnt network on the samples of a network that was made of it.

    outputs: (samples, outputs) of the learnt network, not always finite. made: of the network of devices, NaN where it
    has no answer. scale: what relative figures are divided by, as elsewhere in the report.
    """

    original: Original
    reference: Followed
    outputs: Array
    made: Array
    scale: float

    @classmethod
    def of(cls, reference: Followed, made: Array, scale: float) -> Projected | None:
        """None for a network that was made of no other."""
        original = original_of(reference.loaded)
        if original is None:
            return None
        return cls(original, reference, original.outputs(reference.evidence.inputs), made, scale)

    @property
    def answered(self) -> Flags:
        """(samples,) True where both networks have an answer."""
        return has_answer(self.outputs) & has_answer(self.made)

    def gap(self, circuit: Array, solved: Flags) -> ProjectionGap:
        """Of the circuit's outputs (samples, outputs), where they are solved, and of the network layer by layer."""
        layers = self.original.layers(self.reference.evidence.inputs, self.reference.stages)
        return ProjectionGap(
            made=self._against(self.made, self.answered),
            whole=self._against(circuit, self.answered & solved),
            layers=tuple(_layer(each) for each in layers),
            samples=int(np.sum(self.answered & solved)),
        )

    def trial(self, circuit: Array, solved: Flags, failed: int) -> Trial:
        """Of a circuit's outputs, against the learnt network."""
        known = self.answered & solved
        return Trial(self._against(circuit, known), failed, squared_errors(circuit, self.outputs, known))

    def notes(self) -> tuple[str, ...]:
        """Of samples that the learnt network has no answer for, if there are some."""
        without = int(np.sum(~has_answer(self.outputs)))
        if not without:
            return ()
        which = many(without, "sample")
        out = f"the learnt network has no finite answer for {which}: in no figure that has to do with projection"
        return (f"{out}, and no limit on learnt_relative_rmse is kept",)

    def _against(self, outputs: Array, known: Flags) -> Gap:
        return compare(outputs, self.outputs, known, self.scale)


def _layer(layer: MadeLayer) -> ProjectedLayer:
    """Relative figures are of what the learnt layer's sums vary by."""
    against_learnt, against_own = (
        compare(layer.made, sums, np.logical_and(has_answer(layer.made), has_answer(sums)))
        for sums in (layer.learnt, layer.own)
    )
    return ProjectedLayer(layer.name, gap=against_learnt, added=against_own)
