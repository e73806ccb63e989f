"""SurrogateMemKANs, as everyone else sees them."""

from __future__ import annotations

from kanspice.families.family import Family
from kanspice.families.memkan_surrogate import checkpoint, circuit, modules
from kanspice.families.memkan_surrogate.network import SurrogateMemKAN

MEMKAN_SURROGATE = Family(
    name="memkan-surrogate",
    network=SurrogateMemKAN,
    own=checkpoint.OWN,
    modules=(modules.MODULES,),
    states=(),
    technology=circuit.technology_for_surrogate,
    circuit=circuit.compile_surrogate,
)
