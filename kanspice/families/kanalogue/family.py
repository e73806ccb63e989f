"""KANalogues, as everyone else sees them."""

from __future__ import annotations

from pathlib import Path

from kanspice.devices import with_points_from
from kanspice.families.family import Family
from kanspice.families.kanalogue import authors, checkpoint, circuit
from kanspice.families.kanalogue.network import KANalogue


def _take_points(model: KANalogue, folder: Path) -> None:
    model.devices = with_points_from(folder, model.devices)


KANALOGUE = Family(
    name="kanalogue",
    network=KANalogue,
    own=checkpoint.OWN,
    modules=(),
    states=(authors.STATES,),
    technology=circuit.technology_for_kanalogue,
    circuit=circuit.compile_kanalogue,
    sized_by_stages=True,
    take_points=_take_points,
)
