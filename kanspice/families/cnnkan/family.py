"""CNN-KANs, as everyone else sees them."""

from __future__ import annotations

from pathlib import Path

from kanspice.devices import with_points_from
from kanspice.families.cnnkan import authors, checkpoint, circuit
from kanspice.families.cnnkan.network import CNNKAN
from kanspice.families.family import Family


def _take_points(model: CNNKAN, folder: Path) -> None:
    model.devices = with_points_from(folder, model.devices)


CNNKANS = Family(
    name="cnnkan",
    network=CNNKAN,
    own=checkpoint.OWN,
    modules=(),
    states=(authors.STATES,),
    technology=circuit.technology_for_cnnkan,
    circuit=circuit.compile_cnnkan,
    sized_by_stages=True,
    take_points=_take_points,
)
