"""The model families that kanspice has a reference of."""

from typing import Literal

from kanspice.models.kanalogue import KANalogue
from kanspice.models.kirchhoffnet import KirchhoffNet
from kanspice.models.memkan import MemKAN
from kanspice.models.memkan_surrogate import SurrogateMemKAN
from kanspice.models.phykan import PhyKAN

Network = KANalogue | KirchhoffNet | MemKAN | PhyKAN | SurrogateMemKAN
Family = Literal["kanalogue", "kirchhoffnet", "memkan", "memkan-surrogate", "phykan"]
