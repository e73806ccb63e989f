"""KANalogues, as everyone else sees them."""

from __future__ import annotations

from kanspice.families.family import Family
from kanspice.families.kanalogue import authors, checkpoint, circuit
from kanspice.families.kanalogue.network import KANalogue

KANALOGUE = Family(
    name="kanalogue",
    network=KANalogue,
    own=checkpoint.OWN,
    modules=(),
    states=(authors.STATES,),
    technology=circuit.technology_for_kanalogue,
    circuit=circuit.compile_kanalogue,
    sized_by_stages=True,
    has_curves=True,
)
