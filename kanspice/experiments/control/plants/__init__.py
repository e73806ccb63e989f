"""Plants: what a network controls, one control period after the other, with gymnasium's interface."""

from kanspice.experiments.control.plants.arm import PlanarArm
from kanspice.experiments.control.plants.box import Box
from kanspice.experiments.control.plants.cartpole import CartPole
from kanspice.experiments.control.plants.named import PLANTS, plant_maker
from kanspice.experiments.control.plants.photovoltaic import PhotovoltaicArray
from kanspice.experiments.control.plants.plant import Plant, check_fit
from kanspice.experiments.control.plants.power_curves import PowerTracking, load_curves
from kanspice.experiments.control.plants.serial_arm import DenavitHartenberg, SerialArm, six_axes

__all__ = [
    "PLANTS",
    "Box",
    "CartPole",
    "DenavitHartenberg",
    "PhotovoltaicArray",
    "PlanarArm",
    "Plant",
    "PowerTracking",
    "SerialArm",
    "check_fit",
    "load_curves",
    "plant_maker",
    "six_axes",
]
