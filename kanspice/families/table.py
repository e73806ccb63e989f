"""The families: a new one is a folder beside these and a line here."""

from __future__ import annotations

from kanspice.families.common.network import Network
from kanspice.families.edgekan.family import EDGEKAN
from kanspice.families.family import AnyFamily
from kanspice.families.kanalogue.family import KANALOGUE
from kanspice.families.kirchhoffnet.family import KIRCHHOFFNET
from kanspice.families.memkan.family import MEMKAN
from kanspice.families.memkan_surrogate.family import MEMKAN_SURROGATE
from kanspice.families.phykan.family import PHYKAN

FAMILIES: tuple[AnyFamily, ...] = (KANALOGUE, KIRCHHOFFNET, PHYKAN, MEMKAN, MEMKAN_SURROGATE, EDGEKAN)


def family_of(model: Network) -> AnyFamily:
    """The family of a network. Raises TypeError for one that is in no line of the table."""
    for family in FAMILIES:
        if isinstance(model, family.network):
            return family
    raise TypeError(f"{type(model).__name__} is of no family that kanspice knows")
