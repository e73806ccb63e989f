"""How far a network of devices is from the learnt network that it was made of, and its circuit with it."""

from __future__ import annotations

from dataclasses import dataclass

from kanspice.gap.metrics import Gap


@dataclass(frozen=True)
class ProjectedLayer:
    """A layer made of devices, in units of the learnt network: its sums against those of the learnt layer.

    gap: what arrives and what the layer adds. added: against the learnt layer fed with the same values.
    """

    name: str
    gap: Gap
    added: Gap


@dataclass(frozen=True)
class ProjectionGap:
    """made: the network of devices against the learnt one. whole: its circuit against the learnt one.

    Relative figures of both are, as the circuit's gap is, of what the outputs of the network of devices vary by. An
    error of the outputs is the circuit's plus the projection's.
    """

    made: Gap
    whole: Gap
    layers: tuple[ProjectedLayer, ...]
