"""Multilayer perceptrons, as everyone else sees them."""

from __future__ import annotations

from kanspice.families.family import Family
from kanspice.families.mlp import checkpoint, circuit, states
from kanspice.families.mlp.network import MLP

MLPS = Family(
    name="mlp",
    network=MLP,
    own=checkpoint.OWN,
    modules=(),
    states=(states.STATES,),
    technology=circuit.technology_for_mlp,
    circuit=circuit.compile_mlp,
    sized_by_stages=True,
)
