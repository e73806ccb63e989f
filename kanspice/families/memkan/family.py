"""MemKANs, as everyone else sees them."""

from __future__ import annotations

from kanspice.families.family import Family
from kanspice.families.memkan import checkpoint, circuit
from kanspice.families.memkan.network import MemKAN

MEMKAN = Family(
    name="memkan",
    network=MemKAN,
    own=checkpoint.OWN,
    modules=(),
    states=(),
    technology=circuit.technology_for_memkan,
    circuit=circuit.compile_memkan,
)
