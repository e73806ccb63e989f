"""Reference networks as torch modules, their checkpoints, and the arrays that go in and out of them."""

from kanspice.models.arrays import load_array, load_labels
from kanspice.models.bandpass import BandConstants, FilterGrid
from kanspice.models.checkpoints import LoadedModel, load
from kanspice.models.integrator import DivergenceError, Integrator, LateError
from kanspice.models.kanalogue import KANalogue
from kanspice.models.kanspice_format import save
from kanspice.models.kirchhoffnet import KirchhoffNet
from kanspice.models.memdiode import SynapseConstants
from kanspice.models.memkan import MemKAN
from kanspice.models.memkan_surrogate import SurrogateConstants, SurrogateMemKAN
from kanspice.models.network import Network
from kanspice.models.noise import CoefficientNoise
from kanspice.models.phykan import PhyKAN

__all__ = [
    "BandConstants",
    "CoefficientNoise",
    "DivergenceError",
    "FilterGrid",
    "Integrator",
    "KANalogue",
    "KirchhoffNet",
    "LateError",
    "LoadedModel",
    "MemKAN",
    "Network",
    "PhyKAN",
    "SurrogateConstants",
    "SurrogateMemKAN",
    "SynapseConstants",
    "load",
    "load_array",
    "load_labels",
    "save",
]
