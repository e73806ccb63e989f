"""KirchhoffNets, as everyone else sees them."""

from __future__ import annotations

from kanspice.families.family import Family
from kanspice.families.kirchhoffnet import authors, bare, checkpoint, circuit
from kanspice.families.kirchhoffnet.network import KirchhoffNet

KIRCHHOFFNET = Family(
    name="kirchhoffnet",
    network=KirchhoffNet,
    own=checkpoint.OWN,
    modules=(),
    states=(
        authors.STATES,
        bare.STATES,
    ),
    technology=circuit.technology_for_kirchhoffnet,
    circuit=circuit.compile_kirchhoffnet,
)
