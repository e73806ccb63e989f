"""The family, as kanspice sees it: the entry point names this record."""

from kanspice.families.family import Family
from kanspice_varistor import checkpoint, circuit
from kanspice_varistor.network import VaristorNet

VARISTOR = Family(
    name="varistor",
    network=VaristorNet,
    own=checkpoint.OWN,
    modules=(),
    states=(checkpoint.STATES,),
    technology=circuit.technology_for_varistors,
    circuit=circuit.compile_varistors,
    sized_by_stages=True,
)
