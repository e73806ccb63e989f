"""The families: a new one is a folder beside these and a line here, or an entry point of another package."""

from __future__ import annotations

from functools import cache

from kanspice.base.plugins import Plugged, plugged
from kanspice.families.cnnkan.family import CNNKANS
from kanspice.families.common.network import Network
from kanspice.families.edgekan.family import EDGEKAN
from kanspice.families.family import AnyFamily, Family
from kanspice.families.kanalogue.family import KANALOGUE
from kanspice.families.kirchhoffnet.family import KIRCHHOFFNET
from kanspice.families.memkan.family import MEMKAN
from kanspice.families.memkan_surrogate.family import MEMKAN_SURROGATE
from kanspice.families.mlp.family import MLPS
from kanspice.families.phykan.family import PHYKAN

FAMILIES: tuple[AnyFamily, ...] = (KANALOGUE, KIRCHHOFFNET, PHYKAN, MEMKAN, MEMKAN_SURROGATE, EDGEKAN, CNNKANS, MLPS)
GROUP = "kanspice.families"
"""The entry points by which other packages bring theirs."""


@cache
def plugged_families() -> Plugged[AnyFamily]:
    """Those of other packages; looked for when first asked, since they import this package themselves."""
    return plugged(GROUP, Family, lambda family: family.name, [family.name for family in FAMILIES])


def families() -> tuple[AnyFamily, ...]:
    """All of them, those of other packages first: their networks may inherit from ours."""
    return (*plugged_families().found, *FAMILIES)


def family_of(model: Network) -> AnyFamily:
    """The family of a network. Raises TypeError for one that is in no line of the table."""
    for family in families():
        if isinstance(model, family.network):
            return family
    raise TypeError(f"{type(model).__name__} is of no family that kanspice knows")
