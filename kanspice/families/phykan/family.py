"""PhyKANs, as everyone else sees them."""

from __future__ import annotations

from kanspice.families.family import Family
from kanspice.families.phykan import authors, checkpoint, circuit, modules
from kanspice.families.phykan.network import PhyKAN

PHYKAN = Family(
    name="phykan",
    network=PhyKAN,
    own=checkpoint.OWN,
    modules=(modules.MODULES,),
    states=(authors.STATES,),
    technology=circuit.technology_for_phykan,
    circuit=circuit.compile_phykan,
)
