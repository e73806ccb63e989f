"""KANs of other libraries, as everyone else sees them."""

from __future__ import annotations

from kanspice.families.edgekan import authors, checkpoint, circuit, inkan, pykan, tables
from kanspice.families.edgekan.network import EdgeKAN
from kanspice.families.family import Family

EDGEKAN = Family(
    name="edgekan",
    network=EdgeKAN,
    own=checkpoint.OWN,
    modules=(),
    states=(authors.SPLINES, authors.GOTTLIEB, authors.EFFICIENT, pykan.STATES, inkan.STATES),
    technology=circuit.technology_for_edgekan,
    circuit=circuit.compile_edgekan,
    texts=(tables.TABLES,),
)
