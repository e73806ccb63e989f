"""The model families that kanspice has a reference of."""

from kanspice.models.kanalogue import KANalogue
from kanspice.models.kirchhoffnet import KirchhoffNet

Network = KANalogue | KirchhoffNet
